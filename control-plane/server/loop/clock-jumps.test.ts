/** The database's clock jumps by an hour, forward and back: nothing moves by it, and what was true is believed again. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { OK, REFUSED, type Sight, testService, testWorld, type World } from "../testing/world.ts";

const NAME = "checkout.example.test";
const HOUR_MS = 3_600_000;
/** Every agent is heard again by then: a renewal, a look, a report. */
const BELIEVED_AGAIN_MS = 3_000;
let world: World;

const start = async (settings: Readonly<Record<string, number>> = {}, strategy: object = {}): Promise<void> => {
  const made = testService("checkout", { kind: "active-passive", failback: "automatic", ...strategy });
  world = await testWorld({ services: [{ ...made, settings: { ...made.settings, ...settings } }] });
  world.see = () => OK;
  await world.until("first write", async () => (await world.weights(NAME))["eu-west"] === 255);
  await world.until("healthy", isBelieved);
};

const regions = async () => (await world.controlPlane.overview()).services[0]?.regions ?? [];
const areAll = (wanted: string) => async (): Promise<boolean> => {
  const verdicts = (await regions()).map(({ verdict }) => verdict);
  return verdicts.length === 3 && verdicts.every((verdict) => verdict === wanted);
};
const isBelieved = areAll("healthy");
const isFirstBad = async (): Promise<boolean> => (await regions())[0]?.evidence === "bad";

const regionDown =
  (region: string) =>
  (_: string, target: string): Sight =>
    target.split("/")[1] === region ? REFUSED : OK;

const changes = async () =>
  (await world.database.decisions.readHistory({ service: "checkout", kinds: ["change"], limit: 100 })).events.map(
    ({ change }) => change?.revision,
  );

/** Reports go on; answers the weights as they were seen on the way. */
const reportFor = async (ms: number): Promise<ReadonlySet<string>> => {
  const seen = new Set<string>();
  const until = performance.now() + ms;
  while (performance.now() < until) {
    await world.reportAll();
    seen.add(JSON.stringify(await world.weights(NAME)));
    await sleep(40);
  }
  return seen;
};

const terms = async (): Promise<number> => (await world.database.lease.read())?.term ?? 0;

const jumps = [
  ["forward", HOUR_MS],
  ["back", -HOUR_MS],
] as const;

afterEach(() => world.stop());

describe.for(jumps)("an hour %s", ([, byMs]) => {
  beforeEach(() => start());

  test("while all is well: nothing moves, all is believed again, and history says it once", async () => {
    const before = await changes();
    world.jump(byMs);
    const seen = await reportFor(BELIEVED_AGAIN_MS);
    expect(seen.size).toBe(1);
    expect(await changes()).toEqual(before);
    expect(await isBelieved()).toBe(true);
    const { events } = await world.database.decisions.readHistory({ kinds: ["mode"], limit: 10 });
    expect(events.map(({ why }) => why)).toEqual([expect.stringContaining(`jumped by ${byMs / 1_000} s`)]);
    // Once for the jump; never again and again.
    expect(await terms()).toBeLessThanOrEqual(2);
    expect(await world.controlPlane.metrics()).toContain("regent_clock_jumps_total 1");
  });

  test("a failure after it is answered as fast as before", async () => {
    world.jump(byMs);
    await reportFor(BELIEVED_AGAIN_MS);
    world.see = regionDown("eu-west");
    await world.until("failover", async () => (await world.weights(NAME))["us-east"] === 255, 2_000);
  });

  test("an agent that fell silent becomes unknown, however far ahead it was heard", async () => {
    world.jump(byMs);
    await reportFor(BELIEVED_AGAIN_MS);
    world.see = () => "silent";
    await world.until("unknown", areAll("unknown"), 4_000);
    expect((await changes()).length).toBe(1);
  });

  test("agents that were silent at the jump are unknown, and stay so", async () => {
    world.see = () => "silent";
    world.jump(byMs);
    await world.until("unknown", areAll("unknown"), 6_000);
  });
});

test("forward while a region is judged bad: the hold runs on and isn't cut short", async () => {
  await start({ holdMaxSeconds: 1.6, holdMinSeconds: 1.6 });
  world.see = regionDown("eu-west");
  await world.until("bad", isFirstBad);
  const badAt = performance.now();
  world.jump(HOUR_MS);
  await world.until("failover", async () => (await world.weights(NAME))["us-east"] === 255, 8_000);
  expect(performance.now() - badAt).toBeGreaterThan(1_300);
});

test("back while a region is judged bad: the failover is late by one hold, not by an hour", async () => {
  await start({ holdMaxSeconds: 1, holdMinSeconds: 1 });
  world.see = regionDown("eu-west");
  await world.until("bad", isFirstBad);
  world.jump(-HOUR_MS);
  await world.until("failover", async () => (await world.weights(NAME))["us-east"] === 255, 6_000);
});

describe.for(jumps)("an hour %s during a return", ([, byMs]) => {
  test("in its ramp: no step comes early, none is left out, and it ends", async () => {
    await start({ rampSeconds: 6, rampStepSeconds: 1.5 });
    world.see = regionDown("eu-west");
    await world.until("failover", async () => (await world.weights(NAME))["us-east"] === 255);
    world.see = () => OK;
    await world.until("first step", async () => ((await world.weights(NAME))["eu-west"] ?? 0) > 0);
    const before = (await world.weights(NAME))["eu-west"] ?? 0;
    const steppedAt = performance.now();
    world.jump(byMs);
    await world.until("second step", async () => ((await world.weights(NAME))["eu-west"] ?? 0) > before, 9_000);
    expect(performance.now() - steppedAt).toBeGreaterThan(1_100);
    expect((await world.weights(NAME))["us-east"]).toBeGreaterThan(0);
    await world.until("home", async () => (await world.weights(NAME))["us-east"] === 0, 15_000);
  });

  test("in its stable hold: nothing returns early", async () => {
    await start({ stableHoldSeconds: 3 });
    world.see = regionDown("eu-west");
    await world.until("failover", async () => (await world.weights(NAME))["us-east"] === 255);
    world.see = () => OK;
    await world.until("healthy", isBelieved);
    const healthyAt = performance.now();
    world.jump(byMs);
    await world.until("return", async () => ((await world.weights(NAME))["eu-west"] ?? 0) > 0, 12_000);
    expect(performance.now() - healthyAt).toBeGreaterThan(2_500);
  });
});

test("two replicas: one leads after the jump, and each revision is written once", async () => {
  await start();
  await world.addReplica();
  for (const [, byMs] of jumps) {
    world.jump(byMs);
    await reportFor(BELIEVED_AGAIN_MS);
  }
  expect(await terms()).toBeLessThanOrEqual(5);
  world.see = regionDown("eu-west");
  await world.until("failover", async () => (await world.weights(NAME))["us-east"] === 255, 4_000);
  const revisions = await changes();
  expect(revisions.toSorted()).toEqual([1, 2]);
});
