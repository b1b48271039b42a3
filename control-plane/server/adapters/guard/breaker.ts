/**
 * When a dependency may be called. Pure; times are monotonic milliseconds.
 *
 * closed: every call may. After `failures` in a row it opens. open: no call may until `openMs` have passed; the next one is a try, and the
 * breaker half-open. half-open: `successes` tries in a row that are answered close it, one that fails opens it again. A try that hangs
 * doesn't block the next: after another `openMs` one more may.
 *
 * The law that traffic depends on: a call is refused only within `openMs` of the last failure or of the last try's beginning.
 */
import { FAILURES_APART_MS } from "./limits.ts";

export interface BreakerLimits {
  /** Failures in a row that open it, at least 1. */
  readonly failures: number;
  /** Answered tries in a row that close it, at least 1; also the tries that may be under way at once. */
  readonly successes: number;
  readonly openMs: number;
}

export interface Breaker {
  readonly limits: BreakerLimits;
  readonly state: "closed" | "open" | "half-open";
  /** When it came into this state. */
  readonly since: number;
  /** Grows with every change of state: the end of a call that began in an earlier state says nothing any more. */
  readonly round: number;
  /** In a row. */
  readonly failures: number;
  readonly failedAt: number;
  /** Answered tries in a row, while half-open. */
  readonly successes: number;
  /** The last try's beginning, or the failure that opened it. */
  readonly triedAt: number;
  /** Tries of this round that haven't ended. */
  readonly trying: number;
}

/** A call that was let through. */
export interface BreakerCall {
  readonly round: number;
  readonly begunAt: number;
}

export const createBreaker = (limits: BreakerLimits, now: number): Breaker => ({
  limits,
  state: "closed",
  since: now,
  round: 0,
  failures: 0,
  failedAt: Number.NEGATIVE_INFINITY,
  successes: 0,
  triedAt: Number.NEGATIVE_INFINITY,
  trying: 0,
});

/** Milliseconds until a call may begin; 0 when one may now. */
export const waitFor = (breaker: Breaker, now: number): number => {
  if (breaker.state === "closed") return 0;
  if (breaker.state === "half-open" && breaker.trying + breaker.successes < breaker.limits.successes) return 0;
  return Math.max(0, breaker.triedAt + breaker.limits.openMs - now);
};

/** The breaker after a call began; only where `waitFor` is 0. */
export const beginCall = (breaker: Breaker, now: number): { readonly breaker: Breaker; readonly call: BreakerCall } => {
  const begun = breaker.state === "closed" ? breaker : toTry(breaker, now);
  return { breaker: begun, call: { round: begun.round, begunAt: now } };
};

const toTry = (breaker: Breaker, now: number): Breaker => {
  const halfOpen = breaker.state === "open" ? change(breaker, "half-open", now) : breaker;
  return { ...halfOpen, triedAt: now, trying: halfOpen.trying + 1 };
};

/** The breaker after a call ended. */
export const endCall = (breaker: Breaker, call: BreakerCall & { readonly hasFailed: boolean }, now: number): Breaker => {
  if (call.round !== breaker.round) return breaker;
  return call.hasFailed ? afterFailure(breaker, call.begunAt, now) : afterAnswer(breaker, now);
};

const afterAnswer = (breaker: Breaker, now: number): Breaker => {
  if (breaker.state === "closed") return { ...breaker, failures: 0 };
  const successes = breaker.successes + 1;
  if (successes >= breaker.limits.successes) return closeBreaker(breaker, now);
  return { ...breaker, successes, trying: breaker.trying - 1 };
};

const afterFailure = (breaker: Breaker, begunAt: number, now: number): Breaker => {
  const isSameEvent = begunAt < breaker.failedAt && now - breaker.failedAt < FAILURES_APART_MS;
  if (isSameEvent && breaker.state === "closed") return breaker;
  const failed = { ...breaker, failures: breaker.failures + 1, failedAt: now };
  const opens = breaker.state === "half-open" || failed.failures >= breaker.limits.failures;
  return opens ? { ...change(failed, "open", now), triedAt: now } : failed;
};

/** The dependency answered somebody who didn't ask through this breaker. */
export const closeBreaker = (breaker: Breaker, now: number): Breaker =>
  breaker.state === "closed" ? { ...breaker, failures: 0 } : { ...change(breaker, "closed", now), failures: 0 };

const change = (breaker: Breaker, state: Breaker["state"], now: number): Breaker => ({
  ...breaker,
  state,
  since: now,
  round: breaker.round + 1,
  successes: 0,
  trying: 0,
});
