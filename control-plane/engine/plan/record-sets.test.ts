import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Observed, RecordSet } from "../model.ts";
import {
  serviceArbitrary,
  testEndpoint,
  testEpoch,
  testObserved,
  testService,
  testWeights,
  weightsArbitrary,
} from "../testing/dns.ts";
import { toEpochSet } from "./epoch.ts";
import {
  readLargestWeights,
  readStandingWeights,
  readWeights,
  renderFamilies,
  renderMembers,
  toCanonicalText,
  toObserved,
} from "./record-sets.ts";
import { toCanonicalValue } from "./record-values.ts";

describe("rendering families", () => {
  it("gives every type and endpoint a weighted set named by its region", () => {
    const spec = testService({
      types: ["A", "AAAA"],
      endpoints: [testEndpoint("us-east"), { ...testEndpoint("eu-west", 1), healthCheckId: "hc-1" }],
    });
    expect(renderFamilies(spec, testWeights(spec, [255, 0]))).toEqual([
      { name: "www.example.com", type: "A", setIdentifier: "us-east", weight: 255, ttl: 30, values: ["192.0.2.1"] },
      {
        name: "www.example.com",
        type: "A",
        setIdentifier: "eu-west",
        weight: 0,
        ttl: 30,
        values: ["192.0.2.2"],
        healthCheckId: "hc-1",
      },
      { name: "www.example.com", type: "AAAA", setIdentifier: "us-east", weight: 255, ttl: 30, values: ["2001:db8::1"] },
      {
        name: "www.example.com",
        type: "AAAA",
        setIdentifier: "eu-west",
        weight: 0,
        ttl: 30,
        values: ["2001:db8::2"],
        healthCheckId: "hc-1",
      },
    ]);
  });

  it("gives an alias no TTL", () => {
    const alias = { hostedZoneId: "Z2", name: "lb.example.net", evaluateTargetHealth: true };
    const spec = testService({ endpoints: [{ ...testEndpoint("us-east"), answers: { A: { alias } } }] });
    expect(renderFamilies(spec, testWeights(spec, [1]))).toEqual([
      { name: "www.example.com", type: "A", setIdentifier: "us-east", weight: 1, alias },
    ]);
  });

  it("throws rather than take a missing weight for 0, or a type that an endpoint lacks for nothing", () => {
    const spec = testService();
    expect(() => renderFamilies(spec, { default: { "us-east": 1 } })).toThrow("no weight for eu-west");
    const bare = testService({ endpoints: [{ ...testEndpoint("us-east"), answers: {} }] });
    expect(() => renderFamilies(bare, testWeights(bare, [1]))).toThrow("type A");
  });
});

describe("canonical text", () => {
  it("is the golden text", () => {
    const alias = { hostedZoneId: "Z2", name: "LB.example.net.", evaluateTargetHealth: true };
    expect(
      toCanonicalText([
        {
          name: "www.example.com",
          type: "A",
          setIdentifier: "us-east",
          weight: 255,
          ttl: 30,
          values: ["192.0.2.2", "192.0.2.1"],
        },
        { name: "www.example.com", type: "A", setIdentifier: "eu-west", weight: 0, alias, healthCheckId: "hc-1" },
      ]),
    ).toBe(
      [
        "www.example.com A id=eu-west weight=0 ttl=- check=hc-1 answer=alias:Z2:lb.example.net:true",
        "www.example.com A id=us-east weight=255 ttl=30 check=- answer=192.0.2.1,192.0.2.2",
      ].join("\n"),
    );
  });

  it("doesn't depend on the order of the listing", () => {
    fc.assert(
      fc.property(serviceArbitrary, weightsArbitrary, (spec, weights) => {
        const sets = renderFamilies(spec, testWeights(spec, weights));
        expect(toCanonicalText([...sets].reverse())).toBe(toCanonicalText(sets));
      }),
    );
  });

  it("changes with every attribute that is managed", () => {
    const [set] = renderFamilies(testService(), testWeights(testService(), [1]));
    if (set === undefined) throw new Error("A service has record sets.");
    const edits = [
      { weight: 2 },
      { ttl: 31 },
      { values: ["192.0.2.9"] },
      { healthCheckId: "hc" },
      { setIdentifier: "x" },
      { type: "AAAA" },
      { name: "b.example.com" },
    ];
    const texts = [set, ...edits.map((edit) => ({ ...set, ...edit }))].map((edited) => toCanonicalText([edited]));
    expect(new Set(texts).size).toBe(edits.length + 1);
  });

  it.each([
    ["AAAA", "2001:DB8::1", "2001:db8:0:0:0:0:0:1"],
    ["AAAA", "2001:0db8:0000::0001", "2001:db8::1"],
    ["AAAA", "::", "0:0:0:0:0:0:0:0"],
    ["AAAA", "1::", "1:0::0"],
    ["CNAME", "LB.Example.net.", "lb.example.net"],
  ])("%s %s means %s", (type, one, other) => {
    expect(toCanonicalValue(type, one)).toBe(toCanonicalValue(type, other));
  });

  it.each(["1:2:3", "1::2::3", "::ffff:192.0.2.1", "xyz", "1:2:3:4:5:6:7:8::"])(
    "the odd address %s equals only itself",
    (value) => {
      expect(toCanonicalValue("AAAA", value)).toBe(value);
    },
  );
});

describe("reading a listing", () => {
  it("takes only the service's own names, and tells the epoch record from the rest", () => {
    const spec = testService();
    const epochSet = toEpochSet(spec, testEpoch());
    const members = renderFamilies(spec, testWeights(spec, [255]));
    const mail = { name: "www.example.com", type: "MX", ttl: 300, values: ["10 mail.example.com"] };
    const neighbours = [
      { name: "www2.example.com", type: "A", ttl: 30, values: ["192.0.2.77"] },
      { name: "_regent.www2.example.com", type: "TXT", ttl: 30, values: epochSet.values ?? [] },
    ];
    expect(toObserved(spec, [...neighbours, mail, ...members, epochSet])).toEqual({
      epochSet,
      epoch: testEpoch(),
      sets: [mail, ...members],
    });
    expect(toObserved(spec, neighbours)).toEqual({ epochSet: null, epoch: null, sets: [] });
  });

  it("gives back the weights that were rendered", () => {
    fc.assert(
      fc.property(serviceArbitrary, weightsArbitrary, (spec, weights) => {
        expect(readWeights(spec, testObserved(spec, weights))).toEqual(testWeights(spec, weights));
      }),
    );
  });

  it("gives no weights when a member is missing or types disagree, and ignores members that nobody declared", () => {
    const spec = testService({ types: ["A", "AAAA"] });
    const observed = testObserved(spec, [1, 2, 3]);
    const blue = { name: "www.example.com", type: "A", setIdentifier: "blue", weight: 9, ttl: 30, values: ["192.0.2.9"] };
    expect(readWeights(spec, { ...observed, sets: [...observed.sets, blue] })).toEqual(testWeights(spec, [1, 2, 3]));
    expect(readWeights(spec, { ...observed, sets: observed.sets.slice(1) })).toBeNull();
    expect(
      readWeights(spec, { ...observed, sets: observed.sets.map((set, at) => (at === 0 ? { ...set, weight: 9 } : set)) }),
    ).toBeNull();
  });
});

describe("the members of the next batch", () => {
  const spec = testService();
  const observed = testObserved(spec, [255, 0, 0]);
  const weights = testWeights(spec, [0, 255, 0]);

  it("keep a health check that was attached by another hand, unless one is declared", () => {
    const sets = observed.sets.map((set) => ({ ...set, healthCheckId: "theirs" }));
    const declared = testService({
      endpoints: spec.endpoints.map((endpoint, at) => (at === 0 ? { ...endpoint, healthCheckId: "ours" } : endpoint)),
    });
    const checks = renderMembers({ spec: declared, observed: { ...observed, sets }, weights }).map((set) => set.healthCheckId);
    expect(checks).toEqual(["ours", "theirs", "theirs"]);
  });

  it("keep a person's own member with the group's TTL, and drop a region that was taken out of the declaration", () => {
    const blue = { name: "www.example.com", type: "A", setIdentifier: "blue", weight: 9, ttl: 60, values: ["192.0.2.9"] };
    const withBlue = { ...observed, sets: [...observed.sets, blue] };
    expect(renderMembers({ spec, observed: withBlue, weights }).at(-1)).toEqual({ ...blue, ttl: 30 });
    expect(renderMembers({ spec, observed: withBlue, weights, removed: ["blue"] })).toEqual(renderFamilies(spec, weights));
  });
});

describe("around an edit", () => {
  const two = testService({ types: ["A", "AAAA"] });
  const standing = testObserved(two, [255, 0, 0]);
  const edited = (edit: (set: RecordSet) => RecordSet | null) => ({
    ...standing,
    sets: standing.sets.flatMap((set) => edit(set) ?? []),
  });
  const is = (set: RecordSet, type: string, region: string): boolean => set.type === type && set.setIdentifier === region;
  const around = (observed: Observed, weights: readonly number[]) =>
    renderMembers({ spec: two, observed, weights: testWeights(two, weights), edit: "keep" }).map(
      ({ type, setIdentifier, weight }) => `${type} ${setIdentifier} ${weight}`,
    );

  it("what stands is told by the largest weight of a region, and 0 where its members are gone", () => {
    const observed = edited((set) =>
      is(set, "A", "eu-west") ? { ...set, weight: 7 } : set.setIdentifier === "ap-south" ? null : set,
    );
    expect(readStandingWeights(two, observed)).toBeNull();
    expect(readLargestWeights(two, observed)).toEqual(testWeights(two, [255, 7, 0]));
  });

  it("types that disagree go on doing so where nothing is to change", () => {
    const observed = edited((set) =>
      is(set, "A", "eu-west") ? { ...set, weight: 7 } : is(set, "AAAA", "ap-south") ? { ...set, weight: 3 } : set,
    );
    expect(around(observed, [0, 7, 3])).toEqual([
      "A us-east 0",
      "A eu-west 7",
      "A ap-south 0",
      "AAAA us-east 0",
      "AAAA eu-west 0",
      "AAAA ap-south 3",
    ]);
  });

  it("a type that would have nothing left to answer gets the weights of all", () => {
    const observed = edited((set) => (is(set, "A", "eu-west") ? { ...set, weight: 7 } : set));
    expect(around(observed, [0, 7, 0])).toEqual([
      "A us-east 0",
      "A eu-west 7",
      "A ap-south 0",
      "AAAA us-east 0",
      "AAAA eu-west 7",
      "AAAA ap-south 0",
    ]);
  });

  it("a member that is gone in one type stays gone while another answers", () => {
    const observed = edited((set) => (is(set, "A", "us-east") ? null : is(set, "A", "eu-west") ? { ...set, weight: 9 } : set));
    expect(around(observed, [255, 9, 0])).toEqual([
      "A eu-west 9",
      "A ap-south 0",
      "AAAA us-east 255",
      "AAAA eu-west 0",
      "AAAA ap-south 0",
    ]);
  });
});

describe("taking an edit back", () => {
  const change = fc.constantFrom("nothing", "weight", "value", "ttl", "check", "gone");
  const touch = (set: RecordSet, kind: string): RecordSet | null => {
    switch (kind) {
      case "weight":
        return { ...set, weight: ((set.weight ?? 0) + 7) % 256 };
      case "value":
        return set.values ? { ...set, values: ["192.0.2.99"] } : set;
      case "ttl":
        return set.ttl === undefined ? set : { ...set, ttl: set.ttl + 1 };
      case "check":
        return { ...set, healthCheckId: "theirs" };
      default:
        return kind === "gone" ? null : set;
    }
  };

  it("leads to exactly what was written before, whatever was edited, attached checks among it", () => {
    fc.assert(
      fc.property(
        serviceArbitrary,
        weightsArbitrary,
        fc.array(change, { minLength: 16, maxLength: 16 }),
        fc.boolean(),
        (spec, weights, kinds, isAttached) => {
          const wrote = renderFamilies(spec, testWeights(spec, weights)).map((set) =>
            isAttached && set.healthCheckId === undefined ? { ...set, healthCheckId: "attached" } : set,
          );
          const [first] = wrote;
          const added = first ? [{ ...first, setIdentifier: "added", weight: 3 }] : [];
          const edited = wrote.flatMap((set, at) => touch(set, kinds[at % kinds.length] ?? "nothing") ?? []);
          const observed = toObserved(spec, [toEpochSet(spec, testEpoch()), ...edited, ...added]);
          const made = renderMembers({
            spec,
            observed,
            weights: testWeights(spec, weights),
            removed: ["added"],
            expected: wrote,
          });
          expect(toCanonicalText(made)).toBe(toCanonicalText(wrote));
        },
      ),
    );
  });
});
