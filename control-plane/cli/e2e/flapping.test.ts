/**
 * Regions that fail and pass by turns, live: profile `sandbox`, automatic failback, all three strategies at once. They must end up out, by one
 * move each, and stay out for as long as it lasts, on DNS too. The twin: mended, they return by themselves.
 *
 * One region alternates by the second, another one fails 30 % of its requests, both for the same 120 s. `shop` must keep two of its three
 * regions (rule A1), so that only one of the two can leave it.
 */
import type { Change } from "@regent/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import { answered, startUp, type UpHarness } from "../testing/up-harness.ts";

let up: UpHarness;

beforeAll(async () => {
  up = await startUp();
  for (const service of SERVICES) await up.settle(service);
}, 240_000);

afterAll(() => up.stop());

const SERVICES = ["checkout", "shop", "api"] as const;
const ALTERNATING = "eu-west";
const RANDOM = "ap-south";
const LASTS_MS = 120_000;
/** Enough that a region with a hundredth of the weight would show up in two minutes. */
const QUESTIONS = 20;
const PAUSE_MS = 1_000;

interface Heard {
  readonly askedAt: number;
  readonly service: string;
  /** Regions that answered. */
  readonly regions: readonly string[];
}

test("an alternating and a randomly failing region leave once and stay out; mended, they return", async () => {
  const brokenAt = Date.now();
  answered(await up.sandbox.breakRegion(ALTERNATING, { fault: "alternate" }));
  answered(await up.sandbox.breakRegion(RANDOM, { fault: "random", rate: 0.3, seed: 7 }));
  const heard = await listen(brokenAt + LASTS_MS);
  const made = await changesSince(brokenAt);

  expect(left(made.checkout)).toEqual([ALTERNATING]);
  expect(left(made.api).sort()).toEqual([RANDOM, ALTERNATING]);
  expect(left(made.shop)).toHaveLength(1);
  expect([ALTERNATING, RANDOM]).toContain(left(made.shop)[0]);
  for (const service of SERVICES) {
    expect(made[service].map(({ kind }) => kind)).toEqual(left(made[service]).map(() => "failover"));
    expect(made[service].map(({ actor }) => actor.kind)).toEqual(left(made[service]).map(() => "automation"));
    expect(returned(made[service])).toEqual([]);
    for (const change of made[service]) {
      const [region = ""] = left([change]);
      const later = heard.filter(
        (one) => one.service === service && one.askedAt > (change.times.visible ?? Number.POSITIVE_INFINITY),
      );
      expect(later.length).toBeGreaterThan(0);
      expect(later.filter(({ regions }) => regions.includes(region))).toEqual([]);
    }
  }

  const mendedAt = Date.now();
  answered(await up.sandbox.mendEverything());
  for (const service of SERVICES)
    await up.until(
      `${service} takes back what it left`,
      async () => returned((await changesSince(mendedAt))[service]),
      (regions) => left(made[service]).every((region) => regions.includes(region)),
      60_000,
    );
}, 240_000);

/** Asks DNS for every service each second until then. */
const listen = async (until: number): Promise<readonly Heard[]> => {
  const heard: Heard[] = [];
  while (Date.now() < until) {
    for (const service of SERVICES) {
      const askedAt = Date.now();
      heard.push({ askedAt, service, regions: Object.keys(await up.answers(service, QUESTIONS)) });
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return heard;
};

type Made = Readonly<Record<(typeof SERVICES)[number], readonly Change[]>>;

/** Oldest first. Changes alone are asked for: verdicts that come and go would push them off the page. */
const changesSince = async (since: number): Promise<Made> => {
  const of = async (service: string): Promise<readonly Change[]> => {
    const page = await up.client.history({ service, kinds: ["change"], limit: 100 });
    if (page.kind !== "ok") throw new Error(`no history: ${JSON.stringify(page)}`);
    return page.value.events
      .flatMap(({ change }) => change ?? [])
      .filter(({ times }) => times.decided >= since)
      .reverse();
  };
  return { checkout: await of("checkout"), shop: await of("shop"), api: await of("api") };
};

/** Regions whose weight went to 0, one entry for each time. */
const left = (changes: readonly Change[]): string[] =>
  changes.flatMap((change) => crossings(change, (before, after) => before > 0 && after === 0));

/** Regions whose weight came back from 0. */
const returned = (changes: readonly Change[]): string[] =>
  changes.flatMap((change) =>
    // The region that takes over from an active-passive departure gains from 0 too, and returns from nowhere.
    change.kind === "failover" ? [] : crossings(change, (before, after) => before === 0 && after > 0),
  );

const crossings = ({ weightsBefore, weightsAfter }: Change, isCrossed: (before: number, after: number) => boolean): string[] =>
  Object.entries(weightsAfter.default ?? {}).flatMap(([region, after]) =>
    isCrossed(weightsBefore.default?.[region] ?? 0, after) ? [region] : [],
  );
