import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkBatch } from "../invariants.ts";
import type { RecordSet, ServiceBatch } from "../model.ts";
import {
  applyToZone,
  serviceArbitrary,
  testEndpoint,
  testEpoch,
  testObserved,
  testService,
  testUlid,
  testWeights,
  weightsArbitrary,
} from "../testing/dns.ts";
import { buildServiceBatch, composeZoneBatches, countCharacters, countElements, toBatchLines } from "./batch.ts";
import { toEpochSet } from "./epoch.ts";
import { readWeights, renderFamilies, toObserved } from "./record-sets.ts";

const next = testEpoch({ revision: 8, ulid: testUlid(8) });

describe("the batch of one service", () => {
  it("deletes what was read, epoch record first, and creates the new", () => {
    const spec = testService();
    const batch = buildServiceBatch({
      spec,
      observed: testObserved(spec, [255, 0, 0]),
      weights: testWeights(spec, [0, 255, 0]),
      epoch: next,
    });
    expect(
      toBatchLines(batch).map(({ action, set }) => `${action} ${set.type} ${set.setIdentifier ?? "epoch"} ${set.weight ?? "-"}`),
    ).toEqual([
      "DELETE TXT epoch -",
      "DELETE A us-east 255",
      "DELETE A eu-west 0",
      "DELETE A ap-south 0",
      "CREATE TXT epoch -",
      "CREATE A us-east 0",
      "CREATE A eu-west 255",
      "CREATE A ap-south 0",
    ]);
  });

  it("only creates where nothing stands", () => {
    const spec = testService();
    const observed = {
      epochSet: null,
      epoch: null,
      sets: [{ name: spec.name, type: "MX", ttl: 60, values: ["10 mail.example.com"] }],
    };
    const batch = buildServiceBatch({ spec, observed, weights: testWeights(spec, [1, 1, 1]), epoch: testEpoch({ revision: 1 }) });
    expect(batch.deletes).toEqual([]);
    expect(checkBatch({ spec, batch })).toEqual([]);
  });

  it("throws over records that no epoch record fences", () => {
    const spec = testService();
    const observed = { ...testObserved(spec, [1]), epochSet: null, epoch: null };
    expect(() => buildServiceBatch({ spec, observed, weights: testWeights(spec, [1]), epoch: next })).toThrow("no epoch record");
  });

  it("takes a zone from any weights to any others, once, and holds every invariant", () => {
    fc.assert(
      fc.property(serviceArbitrary, weightsArbitrary, weightsArbitrary, (spec, before, after) => {
        const zone = toZone(spec, before);
        const weights = testWeights(spec, after);
        const batch = buildServiceBatch({ spec, observed: toObserved(spec, zone), weights, epoch: next });
        expect(checkBatch({ spec, batch })).toEqual([]);
        const applied = applyToZone(zone, batch);
        if (applied === null) throw new Error("The zone refused a batch built from what it holds.");
        expect(toObserved(spec, applied).epoch).toEqual(next);
        expect(readWeights(spec, toObserved(spec, applied))).toEqual(weights);
        expect(applyToZone(applied, batch)).toBeNull();
      }),
    );
  });

  it("is refused by a zone in which anything of the service was edited after the read", () => {
    const edits: ((set: RecordSet) => RecordSet)[] = [
      (set) => ({ ...set, ...(set.weight === undefined ? { ttl: 999 } : { weight: set.weight === 0 ? 1 : 0 }) }),
      (set) => (set.type === "TXT" ? { ...set, values: ['"edited"'] } : { ...set, healthCheckId: "by-hand" }),
    ];
    fc.assert(
      fc.property(serviceArbitrary, weightsArbitrary, fc.nat(), fc.nat(1), (spec, before, at, kind) => {
        const zone = toZone(spec, before);
        const observed = toObserved(spec, zone);
        const batch = buildServiceBatch({ spec, observed, weights: testWeights(spec, [1]), epoch: next });
        const edited = zone.map((set, index) => (index === at % zone.length ? (edits[kind]?.(set) ?? set) : set));
        expect(applyToZone(edited, batch)).toBeNull();
      }),
    );
  });

  it("of two batches built from one read, the zone takes exactly one", () => {
    const spec = testService();
    const zone = toZone(spec, [255]);
    const observed = toObserved(spec, zone);
    const one = buildServiceBatch({ spec, observed, weights: testWeights(spec, [0, 255]), epoch: next });
    const two = buildServiceBatch({
      spec,
      observed,
      weights: testWeights(spec, [0, 0, 255]),
      epoch: testEpoch({ revision: 8, ulid: testUlid(9) }),
    });
    const afterOne = applyToZone(zone, one);
    expect(afterOne).not.toBeNull();
    expect(applyToZone(afterOne ?? [], two)).toBeNull();
  });
});

describe("what a batch costs", () => {
  it("counts every value and every alias of both halves, and the characters of values", () => {
    const alias = { hostedZoneId: "Z2", name: "lb.net", evaluateTargetHealth: true };
    const batch: ServiceBatch = {
      service: "www",
      deletes: [{ name: "a", type: "A", ttl: 1, values: ["192.0.2.1", "192.0.2.2"] }],
      creates: [
        { name: "a", type: "A", alias },
        { name: "b", type: "TXT", ttl: 1, values: ['"x y"'] },
      ],
    };
    expect(countElements(batch)).toBe(4);
    expect(countCharacters(batch)).toBe(9 + 9 + 6 + 5);
  });
});

describe("batches of one zone", () => {
  const toBatch = (service: string, values: number): ServiceBatch => ({
    service,
    deletes: [],
    creates: Array.from({ length: values }, (_, at) => ({ name: `${service}${at}`, type: "A", ttl: 1, values: ["192.0.2.1"] })),
  });

  it.each([
    { elementsMax: 1_000, calls: 3 },
    { elementsMax: 400, calls: 7 },
  ])("hold 200 services of 5 regions in $calls calls of $elementsMax elements", ({ elementsMax, calls }) => {
    const batches = Array.from({ length: 200 }, (_, at) => {
      const spec = testService({
        id: `s${at}`,
        name: `s${at}.example.com`,
        endpoints: ["a", "b", "c", "d", "e"].map(testEndpoint),
      });
      return buildServiceBatch({ spec, observed: testObserved(spec, [255]), weights: testWeights(spec, [0, 255]), epoch: next });
    });
    const { groups, oversized } = composeZoneBatches(batches, { elementsMax, charactersMax: 32_000 });
    expect({ calls: groups.length, oversized }).toEqual({ calls, oversized: [] });
  });

  it("keep every service whole, within both limits, and name those that fit nowhere", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 40 }),
        fc.integer({ min: 5, max: 40 }),
        fc.integer({ min: 50, max: 400 }),
        (sizes, elementsMax, charactersMax) => {
          const batches = sizes.map((size, at) => toBatch(`s${at}`, size));
          const { groups, oversized } = composeZoneBatches(batches, { elementsMax, charactersMax });
          for (const group of groups) {
            expect(group.reduce((sum, batch) => sum + countElements(batch), 0)).toBeLessThanOrEqual(elementsMax);
            expect(group.reduce((sum, batch) => sum + countCharacters(batch), 0)).toBeLessThanOrEqual(charactersMax);
          }
          const placed = [...groups.flat().map(({ service }) => service), ...oversized.map(({ service }) => service)];
          expect(placed.sort()).toEqual(batches.map(({ service }) => service).sort());
          for (const { elements, characters } of oversized)
            expect(elements > elementsMax || characters > charactersMax).toBe(true);
        },
      ),
    );
  });

  it("put the first service into the first call", () => {
    const { groups } = composeZoneBatches([toBatch("urgent", 4), toBatch("b", 4), toBatch("c", 1)], {
      elementsMax: 5,
      charactersMax: 1_000,
    });
    expect(groups.map((group) => group.map(({ service }) => service))).toEqual([["urgent", "c"], ["b"]]);
  });

  it("say what a service needs when it fits no call", () => {
    expect(composeZoneBatches([toBatch("big", 6)], { elementsMax: 5, charactersMax: 1_000 })).toEqual({
      groups: [],
      oversized: [
        {
          kind: "oversized",
          service: "big",
          elements: 6,
          characters: 54,
          why: "Service big needs 6 elements and 54 characters in one call; the limits are 5 and 1000.",
        },
      ],
    });
  });
});

const toZone = (spec: ReturnType<typeof testService>, weights: readonly number[]): RecordSet[] => [
  toEpochSet(spec, testEpoch()),
  ...renderFamilies(spec, testWeights(spec, weights)),
];
