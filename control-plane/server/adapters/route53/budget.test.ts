import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createApiBudget, createBucket, slowBucket, takeToken } from "./budget.ts";

type Step = { readonly afterMs: number; readonly kind: "take" | "slow" };
const step: fc.Arbitrary<Step> = fc.record({
  afterMs: fc.integer({ min: -5, max: 3_000 }),
  kind: fc.constantFrom("take", "take", "take", "take", "slow"),
});
const limits = fc.record({ ratePerSecond: fc.integer({ min: 1, max: 50 }), burst: fc.integer({ min: 1, max: 50 }) });

describe("the bucket", () => {
  test("no window of time sees more calls than the burst and what the rate adds, whatever the steps", () => {
    fc.assert(
      fc.property(limits, fc.array(step, { maxLength: 80 }), (chosen, steps) => {
        let [state, now] = [createBucket(chosen, 0), 0];
        const taken: number[] = [];
        for (const { afterMs, kind } of steps) {
          now += afterMs;
          if (kind === "slow") state = slowBucket(state, now);
          else {
            const result = takeToken(state, now);
            state = result.state;
            if (result.waitMs === 0) taken.push(Math.max(now, state.at));
          }
        }
        for (const [index, from] of taken.entries())
          for (let last = index; last < taken.length; last++)
            expect(last - index + 1).toBeLessThanOrEqual(
              chosen.burst + ((taken[last]! - from) * chosen.ratePerSecond) / 1_000 + 1e-6,
            );
      }),
    );
  });

  test("who waits as long as told gets a token, and not much earlier", () => {
    fc.assert(
      fc.property(limits, fc.array(step, { maxLength: 40 }), fc.integer({ min: 0, max: 3 }), (chosen, steps, wish) => {
        const reserve = Math.min(wish, chosen.burst - 1);
        let [state, now] = [createBucket(chosen, 0), 0];
        for (const { afterMs, kind } of steps) {
          now = Math.max(now, now + afterMs);
          state = kind === "slow" ? slowBucket(state, now) : takeToken(state, now).state;
        }
        const { waitMs } = takeToken(state, now, reserve);
        expect(takeToken(state, now + waitMs, reserve).waitMs).toBe(0);
        if (waitMs > 1) expect(takeToken(state, now + waitMs - 1.001, reserve).waitMs).toBeGreaterThan(0);
      }),
    );
  });

  test("a throttled answer empties it and halves the rate, down to an eighth, for 30 s", () => {
    const full = createBucket({ ratePerSecond: 10, burst: 10 }, 0);
    const waits = [0, 2_000, 4_000, 6_000, 8_000].reduce<{ state: typeof full; waits: number[] }>(
      ({ state, waits }, now) => {
        const slowed = slowBucket(state, now);
        return { state: slowed, waits: [...waits, takeToken(slowed, now).waitMs] };
      },
      { state: full, waits: [] },
    );
    expect(waits.waits).toEqual([200, 400, 800, 800, 800]);
    const healed = takeToken(waits.state, 8_000 + 30_000 + 5_000).state;
    expect(takeToken({ ...healed, tokens: 0 }, healed.at).waitMs).toBe(100);
  });

  test("answers that were under way together count as one", () => {
    const once = slowBucket(createBucket({ ratePerSecond: 10, burst: 10 }, 0), 0);
    expect(takeToken(slowBucket(slowBucket(once, 10), 20), 20).waitMs).toBe(takeToken(slowBucket(once, 20), 20).waitMs);
  });
});

/** A clock that jumps from one scheduled moment to the next. */
const testTime = () => {
  let now = 0;
  const later: { readonly at: number; readonly then: () => void }[] = [];
  return {
    monotonic: () => now,
    schedule: (then: () => void, delayMs: number) => void later.push({ at: now + delayMs, then }),
    runTo: async (end: number) => {
      for (;;) {
        later.sort((a, b) => a.at - b.at);
        const next = later[0];
        if (!next || next.at > end) break;
        later.shift();
        now = next.at;
        next.then();
        await Promise.resolve();
      }
      now = end;
    },
  };
};

describe("the budget", () => {
  test("lanes are served by importance, and each lane in the order of asking", async () => {
    const time = testTime();
    const budget = createApiBudget({ ratePerSecond: 5, burst: 1, ...time });
    const served: string[] = [];
    await budget.take("scan");
    const asked = (["scan", "poll", "read", "change", "read", "change"] as const).map((lane, index) =>
      budget.take(lane).then(() => served.push(`${lane}${index}`)),
    );
    await time.runTo(2_000);
    await Promise.all(asked);
    expect(served).toEqual(["change3", "change5", "read2", "read4", "poll1", "scan0"]);
  });

  test("a scan leaves tokens for a failover that comes a moment later", async () => {
    const time = testTime();
    const budget = createApiBudget({ ratePerSecond: 5, burst: 10, ...time });
    let scanned = 0;
    for (let index = 0; index < 50; index++) void budget.take("scan").then(() => scanned++);
    await Promise.resolve();
    expect([scanned, budget.available()]).toEqual([7, 3]);
    await Promise.all([budget.take("change"), budget.take("change"), budget.take("change")]);
    expect(budget.available()).toBe(0);
  });

  test("every caller is served in the end, at the configured rate", async () => {
    const time = testTime();
    const budget = createApiBudget({ ratePerSecond: 5, burst: 10, ...time });
    let served = 0;
    for (let index = 0; index < 60; index++) void budget.take("read").then(() => served++);
    await time.runTo(9_900);
    expect(served).toBeLessThan(60);
    await time.runTo(10_300);
    expect(served).toBe(60);
  });

  test("a throttled answer slows those who come after", async () => {
    const time = testTime();
    const budget = createApiBudget({ ratePerSecond: 5, burst: 10, ...time });
    budget.slowDown();
    let isServed = false;
    const asked = budget.take("change").then(() => {
      isServed = true;
    });
    await time.runTo(399);
    expect(isServed).toBe(false);
    await time.runTo(400);
    await asked;
  });

  test("a rate of 0 or a burst below 1 is refused", () => {
    expect(() => createApiBudget({ ratePerSecond: 0, monotonic: () => 0 })).toThrow(RangeError);
    expect(() => createApiBudget({ burst: 0, monotonic: () => 0 })).toThrow(RangeError);
  });
});
