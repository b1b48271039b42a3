/** Route 53's choice, by its rules: each is a row or a law here. */
import { describe, expect, test } from "vitest";
import type { RecordSet } from "../route53/model.ts";
import { type ChoiceContext, chooseSets } from "./choose.ts";
import { createSeededRandom } from "./random.ts";

const name = "api.example.test.";
const member = (setIdentifier: string, weight: number, healthCheckId?: string): RecordSet => ({
  name,
  type: "A",
  setIdentifier,
  weight,
  ttl: 5,
  values: ["192.0.2.1"],
  ...(healthCheckId === undefined ? {} : { healthCheckId }),
});

/** Health check ids that start with `bad` are unhealthy. */
const context = (records: ReadonlyMap<string, readonly RecordSet[]> = new Map(), seed = 1): ChoiceContext => ({
  records,
  isHealthy: (id) => !id.startsWith("bad"),
  random: createSeededRandom(seed),
  viewer: {},
});

const DRAWS = 20_000;
const sharesOf = (group: readonly RecordSet[], from: ChoiceContext = context()): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (let draw = 0; draw < DRAWS; draw++)
    for (const set of chooseSets(group, from)) counts[set.setIdentifier!] = (counts[set.setIdentifier!] ?? 0) + 1 / DRAWS;
  return counts;
};
/** Four standard deviations of a share: wrong once in 15,000 for a random seed, never for this one. */
const assertShares = (measured: Record<string, number>, expected: Record<string, number>): void => {
  expect(Object.keys(measured).sort()).toEqual(Object.keys(expected).sort());
  for (const [id, share] of Object.entries(expected)) {
    const sigma = Math.sqrt((share * (1 - share)) / DRAWS);
    expect(Math.abs(measured[id]! - share)).toBeLessThanOrEqual(4 * sigma + 1e-9);
  }
};

describe("a weighted group", () => {
  test.each<[string, readonly RecordSet[], Record<string, number>]>([
    [
      "answers in proportion to its weights",
      [member("eu", 10), member("us", 30), member("ap", 60)],
      { eu: 0.1, us: 0.3, ap: 0.6 },
    ],
    ["gives 1 of 255+1 its share", [member("eu", 255), member("us", 1)], { eu: 255 / 256, us: 1 / 256 }],
    ["never answers with weight 0 while another is healthy", [member("eu", 1), member("us", 0)], { eu: 1 }],
    ["answers equally if all weights are 0", [member("eu", 0), member("us", 0)], { eu: 0.5, us: 0.5 }],
    [
      "leaves out the unhealthy, the rest keep their proportion",
      [member("eu", 10, "bad"), member("us", 10, "good"), member("ap", 30)],
      { us: 0.25, ap: 0.75 },
    ],
    ["uses weight 0 when all others are unhealthy", [member("eu", 10, "bad"), member("us", 0)], { us: 1 }],
    [
      "uses all its weight 0 members equally then",
      [member("eu", 10, "bad"), member("us", 0), member("ap", 0, "good")],
      { us: 0.5, ap: 0.5 },
    ],
    ["counts an unhealthy weight 0 out too", [member("eu", 10, "bad"), member("us", 0, "bad2"), member("ap", 0)], { ap: 1 }],
    [
      "answers as if all were healthy if none is",
      [member("eu", 10, "bad"), member("us", 30, "bad2"), member("ap", 0, "bad3")],
      { eu: 0.25, us: 0.75 },
    ],
    [
      "answers equally if all weights are 0 and none is healthy",
      [member("eu", 0, "bad"), member("us", 0, "bad2")],
      { eu: 0.5, us: 0.5 },
    ],
    [
      "answers equally among the healthy if all weights are 0",
      [member("eu", 0, "bad"), member("us", 0), member("ap", 0)],
      { us: 0.5, ap: 0.5 },
    ],
  ])("%s", (_, group, expected) => assertShares(sharesOf(group), expected));

  test("gives the same answers again for the same seed, and others for another", () => {
    const group = [member("eu", 100), member("us", 100)];
    const draw = (seed: number): string =>
      Array.from(
        { length: 64 },
        (() => {
          const from = context(new Map(), seed);
          return () => chooseSets(group, from)[0]!.setIdentifier!;
        })(),
      ).join();
    expect(draw(7)).toBe(draw(7));
    expect(draw(7)).not.toBe(draw(8));
  });
});

describe("aliases", () => {
  const alias = (setIdentifier: string, weight: number, dnsName: string, evaluateTargetHealth: boolean): RecordSet => ({
    name,
    type: "A",
    setIdentifier,
    weight,
    aliasTarget: { hostedZoneId: "Z1", dnsName, evaluateTargetHealth },
  });
  const deadLeaf = { ...member("x", 1, "bad"), name: "leaf.example.test." };
  const standby = { ...member("y", 0), name: "leaf.example.test." };

  test("an alias that evaluates its target is unhealthy with it, through a chain", () => {
    const middle = { ...alias("m", 1, "leaf.example.test.", true), name: "middle.example.test." };
    const records = new Map([
      ["leaf.example.test.", [deadLeaf]],
      ["middle.example.test.", [middle]],
    ]);
    assertShares(sharesOf([alias("eu", 1, "middle.example.test.", true), member("us", 1)], context(records)), { us: 1 });
  });
  test("an alias that doesn't evaluate its target stays healthy", () => {
    const records = new Map([["leaf.example.test.", [deadLeaf]]]);
    assertShares(sharesOf([alias("eu", 1, "leaf.example.test.", false), member("us", 1)], context(records)), {
      eu: 0.5,
      us: 0.5,
    });
  });
  test("a healthy standby of weight 0 doesn't make a target group healthy", () => {
    const records = new Map([["leaf.example.test.", [deadLeaf, standby]]]);
    assertShares(sharesOf([alias("eu", 1, "leaf.example.test.", true), member("us", 1)], context(records)), { us: 1 });
  });
});

describe("other policies", () => {
  const failover = (kind: "PRIMARY" | "SECONDARY", healthCheckId?: string): RecordSet => ({
    name,
    type: "A",
    setIdentifier: kind,
    failover: kind,
    ttl: 5,
    values: ["192.0.2.1"],
    ...(healthCheckId === undefined ? {} : { healthCheckId }),
  });
  test.each<[string, readonly RecordSet[], string]>([
    ["failover: primary while healthy", [failover("PRIMARY", "good"), failover("SECONDARY")], "PRIMARY"],
    ["failover: secondary when primary is not", [failover("PRIMARY", "bad"), failover("SECONDARY")], "SECONDARY"],
    ["failover: primary if both are unhealthy", [failover("PRIMARY", "bad"), failover("SECONDARY", "bad2")], "PRIMARY"],
  ])("%s", (_, group, expected) => expect(chooseSets(group, context()).map((set) => set.setIdentifier)).toEqual([expected]));

  test("a multivalue group answers with at most eight, healthy ones only", () => {
    const group = Array.from(
      { length: 12 },
      (_, index): RecordSet => ({
        name,
        type: "A",
        setIdentifier: `m${index}`,
        multiValueAnswer: true,
        ttl: 5,
        values: [`192.0.2.${index}`],
        ...(index < 2 ? { healthCheckId: "bad" } : {}),
      }),
    );
    const chosen = chooseSets(group, context()).map((set) => set.setIdentifier);
    expect(new Set(chosen).size).toBe(8);
    expect(chosen).not.toContain("m0");
  });

  test("latency and geolocation follow the viewer, and give way when unhealthy", () => {
    const latency = (region: string, healthCheckId?: string): RecordSet => ({
      name,
      type: "A",
      setIdentifier: region,
      region,
      ttl: 5,
      values: ["192.0.2.1"],
      ...(healthCheckId ? { healthCheckId } : {}),
    });
    const from = { ...context(), viewer: { region: "eu-west-1", countryCode: "DE", continentCode: "EU" } };
    expect(chooseSets([latency("us-east-1"), latency("eu-west-1")], from)[0]!.region).toBe("eu-west-1");
    expect(chooseSets([latency("us-east-1"), latency("eu-west-1", "bad")], from)[0]!.region).toBe("us-east-1");
    const located = (setIdentifier: string, geoLocation: RecordSet["geoLocation"]): RecordSet => ({
      name,
      type: "A",
      setIdentifier,
      geoLocation: geoLocation!,
      ttl: 5,
      values: ["192.0.2.1"],
    });
    const group = [
      located("world", { countryCode: "*" }),
      located("europe", { continentCode: "EU" }),
      located("france", { countryCode: "FR" }),
    ];
    expect(chooseSets(group, from)[0]!.setIdentifier).toBe("europe");
    expect(chooseSets(group.slice(2), from)).toEqual([]);
  });
});
