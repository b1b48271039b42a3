import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createApiBudget, createBucket, refill, slowBucket, takeToken } from "./budget.ts";

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

  test("each throttled answer empties it and halves the rate, down to an eighth", () => {
    let state = createBucket({ ratePerSecond: 10, burst: 10 }, 0);
    const factors = [1_000, 2_000, 3_000, 4_000, 5_000].map((now) => {
      state = slowBucket(state, now);
      expect(state.tokens).toBe(0);
      return Number(state.factor.toFixed(3));
    });
    // A second of growth lies between them.
    expect(factors).toEqual([0.5, 0.267, 0.15, 0.125, 0.125]);
  });

  test("from a throttled answer on the rate grows evenly, and in less than 30 s it is whole again", () => {
    const slowed = slowBucket(createBucket({ ratePerSecond: 10, burst: 1_000 }, 0), 0);
    const gained = [0, 5, 10, 15, 20, 25].map((s) => refill(slowed, s * 1_000).tokens);
    const perSecond = gained.slice(1).map((tokens, i) => (tokens - (gained[i] ?? 0)) / 5);
    expect(perSecond.slice(0, 3).map((rate) => Number(rate.toFixed(2)))).toEqual([5.83, 7.5, 9.17]);
    expect(perSecond.slice(3)).toEqual([10, 10]);
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
        // Whoever was served may ask again first.
        await new Promise(setImmediate);
        later.sort((a, b) => a.at - b.at);
        const next = later[0];
        if (!next || next.at > end) break;
        later.shift();
        now = next.at;
        next.then();
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

  test("within a lane the lowest rank goes first, and equals in the order of asking", async () => {
    const time = testTime();
    const budget = createApiBudget({ ratePerSecond: 5, burst: 1, ...time });
    await budget.take("change");
    const served: string[] = [];
    const ranks = [20_100, 5, 100, 5, 10_001];
    const asked = ranks.map((rank, index) => budget.take("change", rank).then(() => served.push(`${rank} ${index}`)));
    await time.runTo(2_000);
    await Promise.all(asked);
    expect(served).toEqual(["5 1", "5 3", "100 2", "10001 4", "20100 0"]);
  });

  test("beside somebody who takes most of the account it finds its part, is rarely throttled, and gets all when they stop", async () => {
    const time = testTime();
    const budget = createApiBudget({ ratePerSecond: 5, burst: 10, ...time });
    // The account's own bucket, of which others take 4 of 5 a second.
    let account = { tokens: 10, at: 0 };
    let others = 4;
    const isLetIn = (): boolean => {
      const now = time.monotonic();
      const tokens = Math.max(0, Math.min(10, account.tokens + ((now - account.at) * (5 - others)) / 1_000));
      account = { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now };
      return tokens >= 1;
    };
    const taken: number[] = [];
    const throttled: number[] = [];
    const call = async (): Promise<void> => {
      for (;;) {
        await budget.take("change");
        if (isLetIn()) taken.push(time.monotonic());
        else {
          throttled.push(time.monotonic());
          budget.slowDown();
        }
      }
    };
    void call();
    const within = (times: readonly number[], from: number, to: number) => times.filter((at) => at >= from && at < to).length;
    await time.runTo(60_000);
    // What is left over in a minute is 60 and the burst: at least two thirds of it is used.
    expect(within(taken, 0, 60_000)).toBeGreaterThanOrEqual(46);
    expect(within(throttled, 0, 60_000)).toBeLessThanOrEqual(30);
    others = 0;
    await time.runTo(120_000);
    expect(within(taken, 90_000, 120_000)).toBeGreaterThanOrEqual(148);
    expect(within(throttled, 70_000, 120_000)).toBe(0);
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
    await time.runTo(390);
    expect(isServed).toBe(false);
    await time.runTo(400);
    await asked;
  });

  test("a rate of 0 or a burst below 1 is refused", () => {
    expect(() => createApiBudget({ ratePerSecond: 0, monotonic: () => 0 })).toThrow(RangeError);
    expect(() => createApiBudget({ burst: 0, monotonic: () => 0 })).toThrow(RangeError);
  });
});

test("who is given up leaves the line at once, and the next token is the next one's", async () => {
  let now = 0;
  const timers: { readonly at: number; readonly then: () => void }[] = [];
  const budget = createApiBudget({
    ratePerSecond: 1,
    burst: 1,
    monotonic: () => now,
    schedule: (then, delayMs) => void timers.push({ at: now + delayMs, then }),
  });
  await budget.take("change");
  const givenUp = new AbortController();
  const order: string[] = [];
  const first = budget.take("change", 0, givenUp.signal).then(() => order.push("given up"));
  const second = budget.take("change", 1).then(() => order.push("second"));
  givenUp.abort();
  await first;
  expect(order).toEqual(["given up"]);
  now = 1_000;
  for (const { at, then } of timers.splice(0)) if (at <= now) then();
  await second;
  expect([order, budget.available()]).toEqual([["given up", "second"], 0]);
  await budget.take("change", 0, givenUp.signal);
});
