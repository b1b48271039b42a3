/**
 * The account's call budget: one token bucket for all calls, lanes in order of importance. The bucket is pure (`takeToken`,
 * `slowBucket`); `createApiBudget` puts waiting callers around it. Shared by everything that calls Route 53 in this process.
 *
 * Lanes are served change, read, poll, scan, and within a lane by rank, lowest first. The lower a lane, the more tokens it leaves in the
 * bucket, so that a scan can't spend the burst that a failover needs a moment later.
 *
 * A throttled answer means that somebody else spends the account's rate. All lanes slow down together: the bucket is emptied and the rate
 * halved (at most once a second, down to an eighth). From then on the rate grows evenly, so that it finds what others leave and comes back
 * to the whole by itself when they stop.
 */
import type { ApiBudget } from "../../ports/dns-provider.ts";
import { CALLS_BURST, CALLS_PER_SECOND, RECOVER_MS, SLOW_FACTOR_MIN, SLOW_STEP_MS, WAITERS_MAX } from "./limits.ts";

/** `burst` tokens at most, `ratePerSecond` new ones a second. */
export interface BucketLimits {
  readonly ratePerSecond: number;
  readonly burst: number;
}

/** Times are monotonic milliseconds. */
export interface BucketState {
  readonly limits: BucketLimits;
  readonly tokens: number;
  readonly at: number;
  /** Part of the rate that holds at `at`, above 0; it grows by 1 in RECOVER_MS, up to 1. */
  readonly factor: number;
  readonly slowedAt: number;
}

export const createBucket = (limits: BucketLimits, now: number): BucketState => ({
  limits,
  tokens: limits.burst,
  at: now,
  factor: 1,
  slowedAt: Number.NEGATIVE_INFINITY,
});

/** The bucket as it is at `now`. A clock that steps back adds nothing and takes nothing. */
export const refill = (state: BucketState, now: number): BucketState => {
  if (now <= state.at) return state;
  const forMs = now - state.at;
  return {
    ...state,
    tokens: Math.min(state.limits.burst, state.tokens + gainIn(state, forMs)),
    at: now,
    factor: Math.min(1, state.factor + forMs / RECOVER_MS),
  };
};

/** Time until the whole rate holds again. */
const growthMs = ({ factor }: BucketState): number => (1 - factor) * RECOVER_MS;
/** New tokens in the first `forMs`, no longer than the rate grows. */
const gainGrowing = ({ factor, limits }: BucketState, forMs: number): number =>
  ((factor * forMs + forMs ** 2 / (2 * RECOVER_MS)) * limits.ratePerSecond) / 1_000;

const gainIn = (state: BucketState, forMs: number): number => {
  const growing = Math.min(forMs, growthMs(state));
  return gainGrowing(state, growing) + ((forMs - growing) * state.limits.ratePerSecond) / 1_000;
};

/**
 * Takes one token if that leaves `reserve`; else says how long until it would, in ms. Never takes when `waitMs` is above 0.
 * Taking again after exactly `waitMs` succeeds if nobody else took meanwhile.
 */
export const takeToken = (
  state: BucketState,
  now: number,
  reserve = 0,
): { readonly state: BucketState; readonly waitMs: number } => {
  const filled = refill(state, now);
  const missing = 1 + reserve - filled.tokens;
  // Rounding of a sum of many parts must not cost a caller another round.
  if (missing <= 1e-9) return { state: { ...filled, tokens: Math.max(0, filled.tokens - 1) }, waitMs: 0 };
  return { state: filled, waitMs: waitFor(filled, missing) };
};

/** The inverse of `gainIn`, in whole ms. */
const waitFor = (state: BucketState, missing: number): number => {
  const growing = growthMs(state);
  const gainedThen = gainGrowing(state, growing);
  const fullMs = (missing * 1_000) / state.limits.ratePerSecond;
  if (gainedThen < missing) return Math.ceil(growing + ((missing - gainedThen) * 1_000) / state.limits.ratePerSecond);
  return Math.ceil(RECOVER_MS * (Math.sqrt(state.factor ** 2 + (2 * fullMs) / RECOVER_MS) - state.factor));
};

/** After a throttled answer: empty, and half of the rate. Answers within a second of each other count once. */
export const slowBucket = (state: BucketState, now: number): BucketState => {
  const filled = refill(state, now);
  if (now - filled.slowedAt < SLOW_STEP_MS) return { ...filled, tokens: 0 };
  return { ...filled, tokens: 0, factor: Math.max(SLOW_FACTOR_MIN, filled.factor / 2), slowedAt: now };
};

const lanes = ["change", "read", "poll", "scan"] as const;
type Lane = (typeof lanes)[number];
const reserveByLane: Readonly<Record<Lane, number>> = { change: 0, read: 1, poll: 2, scan: 3 };

interface Waiter {
  readonly rank: number;
  readonly start: () => void;
}

/** An ApiBudget that learns from throttled answers. */
export interface AdaptiveBudget extends ApiBudget {
  /** Route 53 answered that the account calls too often. */
  readonly slowDown: () => void;
}

export interface ApiBudgetOptions extends Partial<BucketLimits> {
  /** Monotonic ms. */
  readonly monotonic: () => number;
  /** Runs `then` after `delayMs`; setTimeout unless told. */
  readonly schedule?: (then: () => void, delayMs: number) => void;
}

/** One for each AWS account. 5 calls a second and a burst of 10 unless told. */
export const createApiBudget = (options: ApiBudgetOptions): AdaptiveBudget => {
  const limits = { ratePerSecond: options.ratePerSecond ?? CALLS_PER_SECOND, burst: options.burst ?? CALLS_BURST };
  if (!(limits.ratePerSecond > 0 && limits.burst >= 1))
    throw new RangeError("a budget needs a rate above 0 and a burst of at least 1");
  const schedule = options.schedule ?? ((then, delayMs) => void setTimeout(then, delayMs));
  const waiting: Record<Lane, Waiter[]> = { change: [], read: [], poll: [], scan: [] };
  let bucket = createBucket(limits, options.monotonic());
  let wakeAt = Number.POSITIVE_INFINITY;

  const serve = (): void => {
    for (const lane of lanes) {
      while (waiting[lane].length > 0) {
        const taken = takeToken(bucket, options.monotonic(), Math.min(reserveByLane[lane], limits.burst - 1));
        bucket = taken.state;
        // A lower lane needs more tokens than this one, so nobody behind it can be served either.
        if (taken.waitMs > 0) {
          wakeAfter(taken.waitMs);
          return;
        }
        waiting[lane].shift()!.start();
      }
    }
  };
  const wakeAfter = (delayMs: number): void => {
    const at = options.monotonic() + delayMs;
    if (at >= wakeAt) return;
    wakeAt = at;
    schedule(() => {
      wakeAt = Number.POSITIVE_INFINITY;
      serve();
    }, delayMs);
  };

  return {
    take: (lane, rank = 0, givenUp = undefined) =>
      new Promise((resolve) => {
        if (givenUp?.aborted) return resolve();
        if (waiting[lane].length >= WAITERS_MAX) throw new RangeError(`more than ${WAITERS_MAX} calls wait in lane ${lane}`);
        const at = waiting[lane].findIndex((other) => other.rank > rank);
        const leave = (): void => {
          waiting[lane].splice(waiting[lane].indexOf(waiter), 1);
          resolve();
        };
        const start = (): void => {
          givenUp?.removeEventListener("abort", leave);
          resolve();
        };
        const waiter = { rank, start };
        waiting[lane].splice(at < 0 ? waiting[lane].length : at, 0, waiter);
        givenUp?.addEventListener("abort", leave, { once: true });
        serve();
      }),
    available: () => Math.floor(refill(bucket, options.monotonic()).tokens),
    slowDown: () => {
      bucket = slowBucket(bucket, options.monotonic());
    },
  };
};
