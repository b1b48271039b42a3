import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkBatch } from "../invariants.ts";
import type { RecordSet, ServiceSpec } from "../model.ts";
import {
  applyToZone,
  REGIONS,
  serviceArbitrary,
  testEndpoint,
  testEpoch,
  testService,
  testUlid,
  weightsArbitrary,
} from "../testing/dns.ts";
import { type Adoptable, type Adoption, planAdoption } from "./adoption.ts";
import { toEpochSet } from "./epoch.ts";
import { renderFamilies, toObserved } from "./record-sets.ts";
import { toCanonicalAnswer } from "./record-values.ts";

const spec = testService();
const both = testService({ types: ["A", "AAAA"] });
const simple = (values: readonly string[], changes: Partial<RecordSet> = {}): RecordSet => ({
  name: spec.name,
  type: "A",
  ttl: 60,
  values,
  ...changes,
});
const weighted = (at: number, weight: number, changes: Partial<RecordSet> = {}): RecordSet => ({
  name: spec.name,
  type: "A",
  setIdentifier: `tf-${at}`,
  weight,
  ttl: 60,
  values: [`192.0.2.${at + 1}`],
  ...changes,
});
const v6 = (at: number, weight: number): RecordSet => weighted(at, weight, { type: "AAAA", values: [`2001:db8::${at + 1}`] });

interface Asked {
  readonly spec?: ServiceSpec;
  readonly takeover?: string | null;
  readonly everWritten?: boolean;
}

const ask = (sets: readonly RecordSet[], { spec: asked = spec, takeover = null, everWritten = false }: Asked = {}): Adoption => {
  const observed = toObserved(asked, sets);
  return planAdoption({ spec: asked, observed, marks: observed.marks ?? [], takeover, everWritten });
};
const adopt = (sets: readonly RecordSet[], asked: Asked = {}): Adoptable => {
  const answer = ask(sets, asked);
  if (answer.kind === "refused") throw new Error(answer.why);
  return answer;
};
const weightsOf = (...weights: readonly number[]) => ({
  default: Object.fromEntries(REGIONS.map((region, at) => [region, weights[at] ?? 0])),
});

describe("a simple record becomes weighted", () => {
  it("of one endpoint: that one serves, the others stand by", () => {
    const { weights, replaces, creates, lines } = adopt([simple(["192.0.2.2"])]);
    expect(weights).toEqual(weightsOf(0, 255, 0));
    expect(replaces).toEqual([simple(["192.0.2.2"])]);
    expect(creates).toEqual(renderFamilies(spec, weights));
    expect(lines).toEqual([
      "_regent.www.example.com TXT is created: it marks the name as acme's and fences every write.",
      "www.example.com A is a simple record (192.0.2.2); it becomes weighted: us-east 0, eu-west 255, ap-south 0.",
      "Its TTL becomes 30 s (it is 60 s).",
    ]);
  });

  it("of several endpoints: they share the traffic", () => {
    expect(adopt([simple(["192.0.2.3", "192.0.2.1"])]).weights).toEqual(weightsOf(255, 0, 255));
  });

  it("of an endpoint with several addresses, whatever their order", () => {
    const endpoints = [
      { ...testEndpoint("us-east", 0), answers: { A: ["192.0.2.1", "192.0.2.11"] } },
      testEndpoint("eu-west", 1),
    ];
    expect(adopt([simple(["192.0.2.11", "192.0.2.1"])], { spec: testService({ endpoints }) }).weights).toEqual({
      default: { "us-east": 255, "eu-west": 0 },
    });
  });

  it("of an alias, whatever its spelling; its evaluation of health counts", () => {
    const alias = { hostedZoneId: "Z2", name: "lb.example.net", evaluateTargetHealth: true };
    const endpoints = [{ ...testEndpoint("us-east", 0), answers: { A: { alias } } }, testEndpoint("eu-west", 1)];
    const asked = { spec: testService({ endpoints }) };
    const standing: RecordSet = { name: spec.name, type: "A", alias: { ...alias, name: "LB.example.net." } };
    expect(adopt([standing], asked).weights).toEqual({ default: { "us-east": 255, "eu-west": 0 } });
    expect(ask([{ ...standing, alias: { ...alias, evaluateTargetHealth: false } }], asked).kind).toBe("refused");
  });

  it("of a CNAME, at a name that has room for nothing else", () => {
    const asked = { spec: testService({ types: ["CNAME"] }) };
    const { weights } = adopt([simple(["EU-West.example.net."], { type: "CNAME" })], asked);
    expect(weights).toEqual(weightsOf(0, 255, 0));
  });

  it("beside a type that has none yet, which is created with the same weights", () => {
    const { weights, creates, lines } = adopt([simple(["192.0.2.2"])], { spec: both });
    expect(weights).toEqual(weightsOf(0, 255, 0));
    expect(creates).toHaveLength(6);
    expect(lines).toContain("www.example.com AAAA is created, weighted: us-east 0, eu-west 255, ap-south 0.");
  });

  it.each(["*.example.com", "example.com"])("at %s as anywhere", (name) => {
    const asked = { spec: testService({ name }) };
    expect(
      adopt([simple(["192.0.2.1"], { name }), { name, type: "MX", ttl: 60, values: ["10 mx.example.net"] }], asked).replaces,
    ).toHaveLength(1);
  });
});

describe("weighted records keep their weights", () => {
  it("by what they answer, whatever they are called; a region without a record gets weight 0", () => {
    expect(adopt([weighted(0, 10), weighted(2, 30)]).weights).toEqual(weightsOf(10, 0, 30));
  });

  it("all at 0 are all served by Route 53, and go on being served", () => {
    expect(adopt([weighted(0, 0), weighted(1, 0)]).weights).toEqual(weightsOf(255, 255, 0));
  });

  it("and their attached health checks", () => {
    const { creates } = adopt([weighted(0, 10, { healthCheckId: "hc-0" }), weighted(1, 30)]);
    expect(creates.map(({ healthCheckId }) => healthCheckId)).toEqual(["hc-0", undefined, undefined]);
  });

  it("and say so when a declared check replaces an attached one", () => {
    const endpoints = [{ ...testEndpoint("us-east", 0), healthCheckId: "declared" }, testEndpoint("eu-west", 1)];
    const { lines } = adopt([weighted(0, 10, { healthCheckId: "hc-0" })], { spec: testService({ endpoints }) });
    expect(lines.at(-1)).toMatch(/Health check hc-0 of www\.example\.com A tf-0 is no longer attached: declare healthCheckId/);
  });

  it("by their identifiers where several endpoints answer the same", () => {
    const shared = (region: string, at: number) => ({ ...testEndpoint(region, at), answers: { A: ["192.0.2.1"] } });
    const asked = { spec: testService({ endpoints: [shared("us-east", 0), shared("eu-west", 1)] }) };
    const at = (region: string, weight: number) => weighted(0, weight, { setIdentifier: region });
    expect(adopt([at("eu-west", 3), at("us-east", 1)], asked).weights).toEqual({ default: { "us-east": 1, "eu-west": 3 } });
    expect(ask([at("blue", 3), at("us-east", 1)], asked).kind).toBe("refused");
  });
});

describe("refused, with what stands there and what to do", () => {
  const alias = { hostedZoneId: "Z2", name: "lb.example.net", evaluateTargetHealth: true };
  const foreign = toEpochSet(spec, testEpoch({ owner: "other" }));
  const mark = { name: "a-www.example.com", type: "TXT", ttl: 300, values: ['"heritage=external-dns,external-dns/owner=k8s"'] };
  it.each<[string, readonly RecordSet[], Asked, RegExp, RegExp]>([
    ["an address that nobody declares", [simple(["192.0.2.2", "192.0.2.99"])], {}, /192\.0\.2\.99/, /Declare an endpoint/],
    ["an alias that nobody declares", [{ name: spec.name, type: "A", alias }], {}, /alias:Z2:lb/, /Declare an endpoint/],
    ["a weighted stranger, even at weight 0", [weighted(0, 9), weighted(8, 0)], {}, /tf-8 \(weight 0\)/, /Declare an endpoint/],
    ["one answer twice", [weighted(0, 9), weighted(0, 8, { setIdentifier: "b" })], {}, /another record already/, /Delete one/],
    [
      "another routing policy",
      [weighted(0, 9, { other: { Region: "eu-west-1" } })],
      {},
      /neither simple nor weighted/,
      /by hand first/,
    ],
    ["types that disagree", [weighted(0, 9), v6(1, 9)], { spec: both }, /share the traffic differently/, /same weights/],
    ["a type that isn't declared", [weighted(0, 9), v6(0, 9)], {}, /doesn't declare type AAAA/, /Declare it for every endpoint/],
    ["a CNAME where addresses are declared", [simple(["x.example.net"], { type: "CNAME" })], {}, /CNAME/, /delete it/],
    ["nothing at all", [], {}, /Nothing stands/, /creates the records/],
    ["nothing where we wrote before", [], { everWritten: true }, /Nothing stands/, /make one by hand/],
    ["another owner", [foreign, weighted(0, 9)], {}, /names owner other, and this installation is acme/, /--takeover other/],
    [
      "another owner than the one named",
      [foreign, weighted(0, 9)],
      { takeover: "third" },
      /owner other, not third/,
      /name that owner/,
    ],
    ["a mark of external-dns", [mark, weighted(0, 9)], {}, /external-dns \(owner k8s\)/, /never touches/],
    ["a mark, whoever is named", [mark, foreign, weighted(0, 9)], { takeover: "other" }, /external-dns/, /sources/],
    [
      "an unreadable epoch record",
      [{ ...foreign, values: ['"v=spf1 -all"'] }, weighted(0, 9)],
      { takeover: "other" },
      /isn't an epoch record/,
      /epochLabel/,
    ],
  ])("%s", (_, sets, asked, why, fix) => {
    const answer = ask(sets, asked);
    if (answer.kind !== "refused") throw new Error("adopted");
    expect(answer.why).toMatch(why);
    expect(answer.fix).toMatch(fix);
    for (const sentence of [answer.why, answer.fix]) expect(sentence).toMatch(/^[A-Z_a-z].*\.$/);
  });

  it("but for the owner that is named: then it passes, and says from whom", () => {
    const { from, lines } = adopt([foreign, weighted(0, 9)], { takeover: "other" });
    expect(from).toBe("other");
    expect(lines[0]).toBe("_regent.www.example.com TXT passes from other (revision 7) to acme.");
  });
});

// ------------------------------------------------------------------------------------------------ laws

/** How much of the answers each answer gets, of one name and type, by Route 53's rules. */
const sharesOf = (sets: readonly RecordSet[]): Map<string, number> => {
  const isAllZero = sets.every(({ weight }) => weight === 0);
  const parts = sets.map((set) => (set.weight === undefined || isAllZero ? 1 : set.weight));
  const sum = parts.reduce((total, part) => total + part, 0);
  const shares = new Map<string, number>();
  for (const [at, set] of sets.entries()) {
    const answer = toCanonicalAnswer(set);
    shares.set(answer, (shares.get(answer) ?? 0) + (parts[at] ?? 0) / sum);
  }
  return shares;
};

/** A service, and what a person or another tool would have made of it: weighted records under their own identifiers. */
const standingArbitrary = fc
  .tuple(serviceArbitrary, weightsArbitrary, fc.boolean(), fc.constantFrom("none", "ours", "theirs"))
  .map(([any, weights, isRenamed, owner]) => {
    const byRegion = Object.fromEntries(any.endpoints.map(({ region }, at) => [region, weights[at] ?? 0]));
    const sets = renderFamilies(any, Object.fromEntries(any.families.map(({ id }) => [id, byRegion])));
    const members = sets.map((set) => (isRenamed ? { ...set, setIdentifier: `tf-${set.setIdentifier}` } : set));
    const epochs = owner === "none" ? [] : [toEpochSet(any, testEpoch({ owner: owner === "ours" ? any.owner : "other" }))];
    return { spec: any, zone: [...epochs, ...members] };
  });

describe("laws", () => {
  it("adopting keeps each answer's share within 1/255, and breaks no invariant", () => {
    fc.assert(
      fc.property(standingArbitrary, ({ spec: any, zone }) => {
        const observed = toObserved(any, zone);
        const { replaces, creates } = adopt(zone, { spec: any, takeover: "other" });
        const epoch = toEpochSet(any, testEpoch({ revision: 8, ulid: testUlid(9) }));
        const batch = {
          service: any.id,
          deletes: [...(observed.epochSet ? [observed.epochSet] : []), ...replaces],
          creates: [epoch, ...creates],
        };
        expect(checkBatch({ spec: any, batch, adopts: true })).toEqual([]);
        const after = applyToZone(zone, batch);
        if (after === null) throw new Error("the zone refused it");
        for (const { name } of any.families)
          for (const type of any.types) {
            const at = (sets: readonly RecordSet[]) => sharesOf(sets.filter((set) => set.name === name && set.type === type));
            const made = at(after);
            for (const [answer, share] of at(zone))
              expect(Math.abs((made.get(answer) ?? 0) - share)).toBeLessThanOrEqual(1 / 255);
          }
      }),
      { numRuns: 500 },
    );
  });

  it("any simple record of declared answers is kept whole: each of its addresses goes on being answered", () => {
    fc.assert(
      fc.property(fc.subarray([0, 1, 2], { minLength: 1 }), (chosen) => {
        const values = chosen.map((at) => `192.0.2.${at + 1}`);
        const { weights, creates } = adopt([simple(values)]);
        const served = creates.filter(({ weight }) => (weight ?? 0) > 0).flatMap(({ values: each }) => each ?? []);
        expect(new Set(served)).toEqual(new Set(values));
        expect(new Set(Object.values(weights.default ?? {}).filter((weight) => weight > 0)).size).toBe(1);
      }),
    );
  });

  it("whatever stands at a name, it is adopted whole or refused: never with an empty family, an all-zero one, or an answer lost", () => {
    const set = fc.record(
      {
        at: fc.integer({ min: 0, max: 3 }),
        weight: fc.option(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 })), { nil: undefined }),
        isV6: fc.boolean(),
      },
      { requiredKeys: ["at", "isV6"] },
    );
    fc.assert(
      fc.property(fc.array(set, { maxLength: 6 }), fc.boolean(), (drawn, isBoth) => {
        const any = isBoth ? both : spec;
        const zone = drawn.map(({ at, weight, isV6 }, i): RecordSet => {
          const made = isV6 ? v6(at, weight ?? 0) : weighted(at, weight ?? 0);
          const { setIdentifier: _id, weight: _weight, ...plain } = made;
          return weight === undefined ? plain : { ...made, setIdentifier: `tf-${i}` };
        });
        // Route 53 holds one simple record of a type, or weighted ones.
        for (const type of ["A", "AAAA"]) {
          const each = zone.filter((one) => one.type === type);
          fc.pre(each.length < 2 || each.every(({ weight }) => weight !== undefined));
        }
        const answer = ask(zone, { spec: any });
        if (answer.kind === "refused") {
          expect(answer.fix.length).toBeGreaterThan(10);
          return;
        }
        const batch = { service: any.id, deletes: answer.replaces, creates: [toEpochSet(any, testEpoch()), ...answer.creates] };
        expect(checkBatch({ spec: any, batch, adopts: true })).toEqual([]);
        expect(answer.replaces).toEqual(zone);
      }),
      { numRuns: 1_000 },
    );
  });
});
