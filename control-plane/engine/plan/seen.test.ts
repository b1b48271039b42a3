import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { serviceArbitrary, testEndpoint, testService, testUlid, testWeights, weightsArbitrary } from "../testing/dns.ts";
import { type SeenQuestion, toSeen, toServedShares } from "./seen.ts";

const NOW = 1_700_000_000_000;
const spec = testService();
const weightsByUlid = new Map([
  [testUlid(1), testWeights(spec, [255, 0, 0])],
  [testUlid(2), testWeights(spec, [0, 255, 0])],
]);
const ask = (changes: Partial<SeenQuestion>) =>
  toSeen({ spec, servers: [{ ulid: testUlid(1) }], weightsByUlid, driftOpen: false, now: NOW, ...changes });

describe("seen", () => {
  it("is the revision that every server shows", () => {
    expect(ask({ servers: [{ ulid: testUlid(2) }, { ulid: testUlid(2) }] })).toEqual({
      shares: { default: { "us-east": 0, "eu-west": 1, "ap-south": 0 } },
      servers: 2,
      serversAsked: 2,
      why: `2 of 2 authoritative servers answer ${testUlid(2)}.`,
      at: NOW,
    });
  });

  it("is the mean over the servers that answer while a change spreads", () => {
    const seen = ask({
      servers: [{ ulid: testUlid(1) }, { ulid: testUlid(2) }, { ulid: null }, { ulid: testUlid(1) }, { ulid: testUlid(1) }],
    });
    expect(seen).toMatchObject({
      shares: { default: { "us-east": 0.75, "eu-west": 0.25, "ap-south": 0 } },
      servers: 4,
      serversAsked: 5,
      why: `3 of 5 authoritative servers answer ${testUlid(1)}, 1 of 5 authoritative servers answer ${testUlid(2)}.`,
    });
  });

  it("names the second decider when Route 53's own check takes a region out", () => {
    expect(ask({ healthByRegion: { "us-east": false, "eu-west": true } })).toMatchObject({
      shares: { default: { "us-east": 0, "eu-west": 0.5, "ap-south": 0.5 } },
      why: `1 of 1 authoritative servers answer ${testUlid(1)}; Route 53's own check finds us-east unhealthy.`,
    });
  });

  const checked = testService({
    endpoints: spec.endpoints.map((endpoint) => ({ ...endpoint, healthCheckId: `hc-${endpoint.region}` })),
  });
  it.each([
    ["no server answers", { servers: [{ ulid: null }, { ulid: null }] }, "None of 2 authoritative servers answers."],
    [
      "a server shows a revision that isn't known",
      { servers: [{ ulid: testUlid(1) }, { ulid: testUlid(9) }] },
      `1 of 2 servers show revision ${testUlid(9)}`,
    ],
    [
      "a check that counts isn't known",
      { healthByRegion: { "us-east": null } },
      "The state of Route 53's health check of us-east isn't known.",
    ],
    [
      "a declared check was not asked for",
      { spec: checked },
      "The state of Route 53's health check of us-east, eu-west, ap-south isn't known.",
    ],
    ["drift is open", { driftOpen: true }, "DNS differs from what Regent wrote"],
    ["a family has no weights", { weightsByUlid: new Map([[testUlid(1), {}]]) }, "no weights for family default"],
  ])("is unknown when %s", (_, changes, why) => {
    expect(ask(changes)).toMatchObject({ shares: null, why: expect.stringContaining(why) });
  });

  it("sums to 1 in every family, whatever is healthy, when all is known", () => {
    const health = fc.array(fc.boolean(), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(serviceArbitrary, weightsArbitrary, weightsArbitrary, health, (any, one, two, healthy) => {
        const seen = toSeen({
          spec: any,
          servers: [{ ulid: testUlid(1) }, { ulid: testUlid(2) }, { ulid: null }],
          weightsByUlid: new Map([
            [testUlid(1), testWeights(any, one)],
            [testUlid(2), testWeights(any, two)],
          ]),
          healthByRegion: Object.fromEntries(any.endpoints.map(({ region }, at) => [region, healthy[at] ?? true])),
          driftOpen: false,
          now: NOW,
        });
        expect(Object.keys(seen.shares ?? {})).toEqual(any.families.map(({ id }) => id));
        for (const shares of Object.values(seen.shares ?? {})) {
          expect(Object.values(shares).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
        }
      }),
    );
  });
});

describe("what Route 53 serves", () => {
  const all = true;
  it.each([
    ["in proportion to the weights", { a: 1, b: 3 }, { a: all, b: all }, { a: 0.25, b: 0.75 }],
    ["only the healthy of the positive", { a: 1, b: 3, c: 0 }, { a: all, b: false, c: all }, { a: 1, b: 0, c: 0 }],
    [
      "the healthy zeros, equally, when all positive are unhealthy",
      { a: 1, b: 0, c: 0 },
      { a: false, b: all, c: all },
      { a: 0, b: 0.5, c: 0.5 },
    ],
    [
      "by weight again when everything is unhealthy",
      { a: 1, b: 3, c: 0 },
      { a: false, b: false, c: false },
      { a: 0.25, b: 0.75, c: 0 },
    ],
    ["all zeros equally", { a: 0, b: 0 }, { a: all, b: all }, { a: 0.5, b: 0.5 }],
    ["the healthy of all zeros", { a: 0, b: 0 }, { a: false, b: all }, { a: 0, b: 1 }],
    ["all zeros that are all unhealthy, equally", { a: 0, b: 0 }, { a: false, b: false }, { a: 0.5, b: 0.5 }],
    ["a standby whose state isn't known, not at all", { a: 1, b: 0 }, { a: all, b: null }, { a: 1, b: 0 }],
  ] as const)("%s", (_, weights, health, shares) => {
    const byRegion: Record<string, boolean | null> = health;
    expect(toServedShares(weights, (region) => byRegion[region] ?? null)).toEqual(shares);
  });

  it("is told only when every state that isn't known would give the same", () => {
    const regions = ["a", "b", "c"];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(0, 0, 1, 2), { minLength: 3, maxLength: 3 }),
        fc.array(fc.constantFrom(true, false, null), { minLength: 3, maxLength: 3 }),
        fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
        (values, health, guess) => {
          const weights = Object.fromEntries(regions.map((region, at) => [region, values[at] ?? 0]));
          const at = (region: string): number => regions.indexOf(region);
          const told = toServedShares(weights, (region) => health[at(region)] ?? null);
          const guessed = toServedShares(weights, (region) => health[at(region)] ?? guess[at(region)] ?? true);
          if (told !== null) expect(told).toEqual(guessed);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("has one endpoint to name in a service of one region", () => {
    const one = testService({ endpoints: [testEndpoint("solo")] });
    expect(ask({ spec: one, weightsByUlid: new Map([[testUlid(1), testWeights(one, [7])]]) }).shares).toEqual({
      default: { solo: 1 },
    });
  });
});
