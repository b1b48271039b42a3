/** Laws of the breaker, over any history of calls: it opens when it must, and never holds a call back for longer than it says. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Breaker,
  type BreakerCall,
  type BreakerLimits,
  beginCall,
  closeBreaker,
  createBreaker,
  endCall,
  waitFor,
} from "./breaker.ts";

const limitsArb: fc.Arbitrary<BreakerLimits> = fc.record({
  failures: fc.integer({ min: 1, max: 5 }),
  successes: fc.integer({ min: 1, max: 3 }),
  openMs: fc.integer({ min: 1, max: 2_000 }),
});
/** Time passes; then a call begins, or begins and ends, or one that is under way ends, or never does. */
const stepArb = fc.record({
  afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 3_000 })),
  act: fc.oneof(
    fc.constant({ kind: "begin" as const }),
    // The last one that began ends at once. Failures come in rows, as outages do.
    fc.record({
      kind: fc.constant("call" as const),
      hasFailed: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.boolean()),
    }),
    fc.record({ kind: fc.constant("end" as const), which: fc.nat({ max: 20 }), hasFailed: fc.boolean() }),
  ),
  isAnsweredElsewhere: fc.integer({ min: 0, max: 30 }).map((n) => n === 0),
});

interface Moment {
  readonly now: number;
  readonly before: Breaker;
  readonly after: Breaker;
  readonly wasRefused: boolean;
  readonly lastTriedAt: number;
  readonly lastFailedAt: number;
}

interface Step {
  readonly afterMs: number;
  readonly act: { readonly kind: "begin" | "call" | "end"; readonly which?: number; readonly hasFailed?: boolean };
  readonly isAnsweredElsewhere: boolean;
}

const play = (limits: BreakerLimits, steps: readonly Step[]): Moment[] => {
  let breaker = createBreaker(limits, 0);
  let now = 0;
  let lastTriedAt = Number.NEGATIVE_INFINITY;
  let lastFailedAt = Number.NEGATIVE_INFINITY;
  const underWay: BreakerCall[] = [];
  const moments: Moment[] = [];
  const act = (step: () => boolean): void => {
    const before = breaker;
    const wasRefused = step();
    moments.push({ now, before, after: breaker, wasRefused, lastTriedAt, lastFailedAt });
  };
  const begin = (): boolean => {
    if (waitFor(breaker, now) > 0) return true;
    const begun = beginCall(breaker, now);
    breaker = begun.breaker;
    underWay.push(begun.call);
    lastTriedAt = now;
    return false;
  };
  const end = (which: number, hasFailed: boolean): boolean => {
    const [call] = underWay.splice(which % underWay.length, 1);
    breaker = endCall(breaker, { ...call!, hasFailed }, now);
    if (hasFailed) lastFailedAt = now;
    return false;
  };
  for (const { afterMs, act: wanted, isAnsweredElsewhere } of steps) {
    now += afterMs;
    if (wanted.kind !== "end") act(begin);
    if (wanted.kind === "call" && lastTriedAt === now && underWay.length > 0)
      act(() => end(underWay.length - 1, wanted.hasFailed!));
    if (wanted.kind === "end" && underWay.length > 0) act(() => end(wanted.which!, wanted.hasFailed!));
    if (isAnsweredElsewhere)
      act(() => {
        breaker = closeBreaker(breaker, now);
        return false;
      });
  }
  return moments;
};

const history = fc.tuple(limitsArb, fc.array(stepArb, { maxLength: 120 }));

test("a call is refused only within the open time of the last failure or the last try, whatever hangs", () => {
  let refused = 0;
  fc.assert(
    fc.property(history, ([limits, steps]) => {
      for (const { now, wasRefused, lastTriedAt, lastFailedAt } of play(limits, steps)) {
        if (!wasRefused) continue;
        refused += 1;
        expect(now - Math.max(lastTriedAt, lastFailedAt)).toBeLessThan(limits.openMs);
      }
    }),
    { numRuns: 500 },
  );
  expect(refused).toBeGreaterThan(100);
});

test("it opens only on a failure, after as many in a row as it says, and closes only on an answer", () => {
  let opened = 0;
  fc.assert(
    fc.property(history, ([limits, steps]) => {
      for (const { now, before, after, lastFailedAt } of play(limits, steps)) {
        if (before.state === after.state) continue;
        if (after.state === "open") {
          opened += 1;
          expect(lastFailedAt).toBe(now);
          expect(after.failures).toBeGreaterThanOrEqual(Math.min(limits.failures, before.failures + 1));
          if (before.state === "closed") expect(after.failures).toBe(limits.failures);
        }
        if (after.state === "closed") expect(after.failures).toBe(0);
        expect(after.round).toBe(before.round + 1);
      }
    }),
    { numRuns: 500 },
  );
  expect(opened).toBeGreaterThan(100);
});

/** One call after the other, each with its outcome. */
const callAll = (start: Breaker, from: number, outcomes: readonly boolean[]): Breaker =>
  outcomes.reduce((breaker, hasFailed, index) => {
    const { breaker: begun, call } = beginCall(breaker, from + index);
    return endCall(begun, { ...call, hasFailed }, from + index + 0.5);
  }, start);

const LIMITS = { failures: 3, successes: 2, openMs: 1_000 };

test("one call after the other: failures in a row open it at once, a success between starts the row anew", () => {
  expect(callAll(createBreaker(LIMITS, 0), 0, [true, true, true]).state).toBe("open");
  expect(callAll(createBreaker(LIMITS, 0), 0, [true, true, false, true, true])).toMatchObject({ state: "closed", failures: 2 });
});

test("a hundred calls that one cut connection fails are one failure; a hundred that time out one after the other are many", () => {
  const begun = Array.from({ length: 100 }, (_, n) => ({ round: 0, begunAt: n / 10, hasFailed: true }));
  const cut = begun.reduce((breaker, call) => endCall(breaker, call, 500), createBreaker(LIMITS, 0));
  expect(cut).toMatchObject({ state: "closed", failures: 1 });
  const late = begun.reduce((breaker, call, n) => endCall(breaker, call, 5_000 + n * 10), createBreaker(LIMITS, 0));
  expect(late.state).toBe("open");
});

test("half-open: two tries at once, the answers close it; a try that hangs lets another through after the open time", () => {
  const open = callAll(createBreaker(LIMITS, 0), 0, [true, true, true]);
  expect(waitFor(open, 1_002)).toBeGreaterThan(0);
  const first = beginCall(open, 1_003);
  const second = beginCall(first.breaker, 1_010);
  expect(waitFor(second.breaker, 1_020)).toBe(990);
  expect(waitFor(second.breaker, 2_010)).toBe(0);
  const one = endCall(second.breaker, { ...first.call, hasFailed: false }, 1_030);
  expect(one.state).toBe("half-open");
  const closed = endCall(one, { ...second.call, hasFailed: false }, 1_031);
  expect(closed).toMatchObject({ state: "closed", failures: 0 });
});

test("a call that began before it opened neither closes nor prolongs it", () => {
  const early = beginCall(createBreaker(LIMITS, 0), 0);
  const open = callAll(early.breaker, 1, [true, true, true]);
  for (const hasFailed of [true, false]) expect(endCall(open, { ...early.call, hasFailed }, 900)).toBe(open);
});
