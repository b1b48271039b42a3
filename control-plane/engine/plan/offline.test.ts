import type { Weights } from "@regent/contract";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkBatch } from "../invariants.ts";
import type { Epoch, Observed, RecordSet, ServiceSpec } from "../model.ts";
import {
  applyToZone,
  REGIONS,
  serviceArbitrary,
  testEndpoint,
  testEpoch,
  testObserved,
  testService,
  testUlid,
  weightsArbitrary,
} from "../testing/dns.ts";
import { buildServiceBatch } from "./batch.ts";
import { toEpochSet } from "./epoch.ts";
import {
  isOfflineDecision,
  isOvertaken,
  type OfflinePlanned,
  type OfflineWish,
  placedByOperator,
  planOffline,
} from "./offline.ts";
import { readStandingWeights, toObserved } from "./record-sets.ts";

const spec = testService();
const both = testService({ types: ["A", "AAAA"] });
const FREEZE: OfflineWish = { kind: "freeze" };
const toRegion = (to: string): OfflineWish => ({ kind: "failover", to });
const setsOf = ({ epochSet, sets }: Observed): readonly RecordSet[] => [...(epochSet ? [epochSet] : []), ...sets];
const edited = (of: ServiceSpec, weights: readonly number[], edit: (set: RecordSet) => RecordSet | null): Observed =>
  toObserved(
    of,
    setsOf(testObserved(of, weights)).flatMap((set) => (set.type === "TXT" ? set : (edit(set) ?? []))),
  );
const planned = (of: ServiceSpec, observed: Observed, wish: OfflineWish): OfflinePlanned => {
  const plan = planOffline(of, observed, wish);
  if (plan.kind !== "planned") throw new Error(plan.why);
  return plan;
};
const refusal = (of: ServiceSpec, observed: Observed, wish: OfflineWish): string => {
  const plan = planOffline(of, observed, wish);
  if (plan.kind === "planned") throw new Error("it is planned");
  return plan.why;
};
const nextEpoch = (epoch: Epoch): Epoch => ({ ...epoch, revision: epoch.revision + 1, ulid: testUlid(9), mode: "frozen" });
const batchOf = (plan: OfflinePlanned, observed: Observed) =>
  buildServiceBatch({ spec: plan.spec, observed, weights: plan.weightsAfter, epoch: nextEpoch(plan.epoch) });

describe("an offline write", () => {
  it("of any service and any weights is a legal batch that changes weights and the epoch record, and nothing else", () => {
    fc.assert(
      fc.property(serviceArbitrary, weightsArbitrary, fc.nat(), fc.boolean(), (of, weights, pick, isFailover) => {
        const observed = testObserved(of, weights);
        const to = of.endpoints[pick % of.endpoints.length]?.region ?? "";
        const plan = planOffline(of, observed, isFailover ? toRegion(to) : FREEZE);
        if (plan.kind !== "planned") return;
        const batch = batchOf(plan, observed);
        expect(checkBatch({ spec: plan.spec, batch })).toEqual([]);
        const zone = applyToZone(setsOf(observed), batch);
        if (zone === null) throw new Error("the zone refuses it");
        const still = ({ weight: _, ...set }: RecordSet) => set;
        const isMember = ({ type }: RecordSet) => type !== "TXT";
        expect(zone.filter(isMember).map(still)).toEqual(setsOf(observed).filter(isMember).map(still));
        const after = toObserved(of, zone);
        expect(after.epoch).toMatchObject({ revision: 8, term: 3, owner: "acme", mode: "frozen" });
        const standing = readStandingWeights(of, after);
        if (isFailover)
          for (const family of Object.values(standing ?? {}))
            expect(family).toEqual(Object.fromEntries(of.endpoints.map(({ region }) => [region, region === to ? 255 : 0])));
        else expect(standing).toEqual(readStandingWeights(of, observed));
      }),
    );
  });

  it("keeps what somebody edited, and says how it differs from what is declared", () => {
    const odd = (set: RecordSet): RecordSet =>
      set.setIdentifier === "eu-west" ? { ...set, values: ["192.0.2.99"], ttl: 30, healthCheckId: "hc-9" } : set;
    const observed = edited(spec, [255, 0, 0], odd);
    const plan = planned(spec, observed, toRegion("eu-west"));
    expect(plan.differences).toEqual(["www.example.com A eu-west answers 192.0.2.99; declared is 192.0.2.2."]);
    expect(batchOf(plan, observed).creates).toContainEqual({
      name: "www.example.com",
      type: "A",
      setIdentifier: "eu-west",
      weight: 255,
      ttl: 30,
      values: ["192.0.2.99"],
      healthCheckId: "hc-9",
    });
  });

  it("leads a region and a type that an old declaration doesn't know to 0 with the others", () => {
    const old = testService({ endpoints: REGIONS.slice(0, 2).map(testEndpoint) });
    const observed = toObserved(old, setsOf(testObserved(both, [100, 0, 155])));
    const plan = planned(old, observed, toRegion("eu-west"));
    const weights = batchOf(plan, observed).creates.flatMap(({ type, setIdentifier, weight }) =>
      setIdentifier === undefined ? [] : [`${type} ${setIdentifier} ${weight}`],
    );
    expect(weights.sort()).toEqual([
      "A ap-south 0",
      "A eu-west 255",
      "A us-east 0",
      "AAAA ap-south 0",
      "AAAA eu-west 255",
      "AAAA us-east 0",
    ]);
    expect(plan.differences).toContain("www.example.com A ap-south stands in DNS and isn't declared.");
  });

  it("makes the target's record where it is gone, and no other region's", () => {
    const observed = edited(spec, [255, 0, 0], (set) => (set.setIdentifier === "us-east" ? set : null));
    const plan = planned(spec, observed, toRegion("eu-west"));
    expect(plan.weightsAfter).toEqual({ default: { "us-east": 0, "eu-west": 255 } });
    expect(checkBatch({ spec: plan.spec, batch: batchOf(plan, observed) })).toEqual([]);
  });

  it("makes types that disagree agree again by a failover; a freeze of them is refused", () => {
    const observed = edited(both, [255, 0, 0], (set) => (set.type === "AAAA" ? { ...set, weight: 7 } : set));
    const plan = planned(both, observed, toRegion("us-east"));
    expect(checkBatch({ spec: plan.spec, batch: batchOf(plan, observed) })).toEqual([]);
    expect(refusal(both, observed, FREEZE)).toMatch(/^The record types of www\.example\.com disagree/);
  });
});

describe("an offline write is refused, with what stands there,", () => {
  const none: Observed = { epochSet: null, epoch: null, sets: [] };
  const simple: RecordSet = { name: spec.name, type: "A", ttl: 60, values: ["192.0.2.1"] };
  it.each<[string, Observed, OfflineWish, RegExp]>([
    ["of another owner", testObserved(spec, [255, 0, 0], testEpoch({ owner: "globex" })), FREEZE, /names owner globex, and this/],
    ["where nothing stands", none, toRegion("eu-west"), /^Nothing stands at www\.example\.com, and there is no epoch record/],
    ["without an epoch record", toObserved(spec, testObserved(spec, [255, 0, 0]).sets), FREEZE, /there is no epoch record at/],
    ["of a simple record", toObserved(spec, [simple]), toRegion("eu-west"), /is a simple record/],
    [
      "of a simple record beside an epoch record",
      toObserved(spec, [toEpochSet(spec, testEpoch()), simple]),
      FREEZE,
      /is a simple record/,
    ],
    [
      "where nothing answers",
      toObserved(spec, [toEpochSet(spec, testEpoch())]),
      toRegion("eu-west"),
      /has no record that answers/,
    ],
    ["of an answer that is empty", testObserved(spec, [0, 0, 0]), FREEZE, /^All weights of www\.example\.com are 0/],
    [
      "to where it is alone",
      testObserved(spec, [0, 255, 0]),
      toRegion("eu-west"),
      /^eu-west serves .* alone already \(revision 7, not frozen\)/,
    ],
    [
      "where it is frozen",
      testObserved(spec, [255, 0, 0], testEpoch({ mode: "frozen" })),
      FREEZE,
      /^www is frozen in DNS already/,
    ],
  ])("%s", (_, observed, wish, why) => {
    expect(refusal(spec, observed, wish)).toMatch(why);
  });

  it("where a region lacks a type that nobody declares", () => {
    const old = testService({ endpoints: [testEndpoint("us-east")].map((e) => ({ ...e, answers: { A: ["192.0.2.1"] } })) });
    const observed = toObserved(
      old,
      setsOf(testObserved(both, [255, 0, 0])).filter((set) => !(set.type === "AAAA" && set.setIdentifier === "us-east")),
    );
    expect(refusal(old, observed, toRegion("us-east"))).toMatch(/has no AAAA record of us-east/);
  });

  it("where two families answer differently for one region", () => {
    const [family] = spec.families;
    const two = { ...spec, families: ["a", "b"].map((id) => ({ ...family!, id, name: `${id}.example.com` })) };
    const observed = edited(two, [255, 0, 0], (set) =>
      set.name === "b.example.com" && set.setIdentifier === "eu-west" ? { ...set, values: ["192.0.2.77"] } : set,
    );
    expect(refusal(two, observed, toRegion("eu-west"))).toMatch(/b\.example\.com A eu-west answers otherwise/);
  });
});

describe("a controller takes for an offline decision", () => {
  const last = { ulid: testUlid(1), sets: [toEpochSet(spec, testEpoch({ revision: 7, ulid: testUlid(1) }))] };
  const found = (changes: Partial<Epoch>) =>
    isOfflineDecision(spec, testEpoch({ revision: 8, ulid: testUlid(2), mode: "frozen", ...changes }), last);

  it("a frozen record of its own owner beyond what stood, also where it had written further revisions ahead", () => {
    expect(found({})).toBe(true);
    expect(isOfflineDecision(spec, testEpoch({ mode: "frozen" }), { ulid: null, sets: null })).toBe(true);
  });

  it.each<[string, Partial<Epoch>]>([
    ["that isn't frozen", { mode: "auto" }],
    ["of another owner", { owner: "globex" }],
    ["that it knows", { ulid: testUlid(1) }],
    ["of the revision that stood", { revision: 7 }],
    ["of an older one", { revision: 3 }],
  ])("and not one %s", (_, changes) => {
    expect(found(changes)).toBe(false);
  });

  it("nothing where there is no record", () => {
    expect(isOfflineDecision(spec, null, last)).toBe(false);
  });

  it("a row of its own at that revision or beyond is overtaken; of one before it, or on top of it, that isn't said", () => {
    const decision = testEpoch({ revision: 8, ulid: testUlid(2), mode: "frozen" });
    const row = (revision: number, expects: string) => isOvertaken({ revision, expects }, decision);
    expect([row(8, testUlid(1)), row(9, testUlid(1)), row(7, testUlid(0)), row(9, testUlid(2))]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

describe("a region is placed by an offline decision", () => {
  const sets = [toEpochSet(spec, testEpoch({ revision: 7, ulid: testUlid(1) }))];
  const of = (east: number, west: number) => ({ "us-east": east, "eu-west": west });
  const placed = (weights: Weights, before: Weights | null, revision = 8) =>
    placedByOperator(spec, { decision: testEpoch({ revision, ulid: testUlid(2), mode: "frozen" }), weights, before, sets });

  it("that moved the traffic there, in every family, or may have", () => {
    expect(placed({ a: of(0, 255) }, { a: of(255, 0) })).toBe("eu-west");
    expect(placed({ a: of(0, 255), b: of(0, 255) }, { a: of(0, 255), b: of(255, 0) })).toBe("eu-west");
    expect(placed({ a: of(0, 255) }, null)).toBe("eu-west");
  });

  it("that moved it away and back again: more than one revision was written", () => {
    expect(placed({ a: of(0, 255) }, { a: of(0, 255) }, 9)).toBe("eu-west");
  });

  it("and none by a freeze alone, or where several regions serve", () => {
    expect(placed({ a: of(0, 255) }, { a: of(0, 255) })).toBeNull();
    expect(placed({ a: { ...of(0, 255), "ap-south": 0 } }, { a: of(0, 255) })).toBeNull();
    expect(placed({ a: of(9, 255) }, { a: of(255, 0) })).toBeNull();
    expect(placed({ a: of(0, 255), b: of(255, 0) }, { a: of(255, 0), b: of(255, 0) })).toBeNull();
  });
});
