/**
 * The account's call budget: one token bucket for all calls, lanes in order of importance. The bucket is pure (`takeToken`,
 * `slowBucket`); `createApiBudget` puts waiting callers around it. Shared by everything that calls Route 53 in this process.
 *
 * Lanes are served change, read, poll, scan. The lower a lane, the more tokens it leaves in the bucket, so that a scan can't spend the
 * burst that a failover needs a moment later. A throttled answer means that somebody else spends the account's rate: the bucket is
 * emptied and the rate halved (at most once a second, down to an eighth) until 30 s have passed without another one.
 */
import type { ApiBudget } from "../../ports/dns-provider.ts";
import { CALLS_BURST, CALLS_PER_SECOND, SLOW_FACTOR_MIN, SLOW_MS, SLOW_STEP_MS, WAITERS_MAX } from "./limits.ts";

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
  /** Part of the rate that holds until `slowUntil`; 1 is the full rate. */
  readonly slowFactor: number;
  readonly slowUntil: number;
  readonly slowedAt: number;
}

export const createBucket = (limits: BucketLimits, now: number): BucketState => ({
  limits,
  tokens: limits.burst,
  at: now,
  slowFactor: 1,
  slowUntil: Number.NEGATIVE_INFINITY,
  slowedAt: Number.NEGATIVE_INFINITY,
});

/** The bucket as it is at `now`. A clock that steps back adds nothing and takes nothing. */
export const refill = (state: BucketState, now: number): BucketState => {
  if (now <= state.at) return state;
  const slowMs = Math.max(0, Math.min(now, state.slowUntil) - state.at);
  const fullMs = now - state.at - slowMs;
  const gained = ((slowMs * state.slowFactor + fullMs) * state.limits.ratePerSecond) / 1_000;
  return { ...state, tokens: Math.min(state.limits.burst, state.tokens + gained), at: now };
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

const waitFor = (state: BucketState, missing: number): number => {
  const { ratePerSecond } = state.limits;
  const slowLeftMs = Math.max(0, state.slowUntil - state.at);
  const slowGain = (slowLeftMs * state.slowFactor * ratePerSecond) / 1_000;
  if (slowGain >= missing) return Math.ceil((missing * 1_000) / (ratePerSecond * state.slowFactor));
  return Math.ceil(slowLeftMs + ((missing - slowGain) * 1_000) / ratePerSecond);
};

/** After a throttled answer: empty, and half the rate for a while. Answers within a second of each other count once. */
export const slowBucket = (state: BucketState, now: number): BucketState => {
  const filled = refill(state, now);
  const before = now < filled.slowUntil ? filled.slowFactor : 1;
  const isSameEvent = now - filled.slowedAt < SLOW_STEP_MS;
  return {
    ...filled,
    tokens: 0,
    slowFactor: isSameEvent ? before : Math.max(SLOW_FACTOR_MIN, before / 2),
    slowUntil: now + SLOW_MS,
    slowedAt: isSameEvent ? filled.slowedAt : now,
  };
};

const lanes = ["change", "read", "poll", "scan"] as const;
type Lane = (typeof lanes)[number];
const reserveByLane: Readonly<Record<Lane, number>> = { change: 0, read: 1, poll: 2, scan: 3 };

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
  const waiting: Record<Lane, (() => void)[]> = { change: [], read: [], poll: [], scan: [] };
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
        waiting[lane].shift()!();
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
    take: (lane) =>
      new Promise((resolve) => {
        if (waiting[lane].length >= WAITERS_MAX) throw new RangeError(`more than ${WAITERS_MAX} calls wait in lane ${lane}`);
        waiting[lane].push(resolve);
        serve();
      }),
    available: () => Math.floor(refill(bucket, options.monotonic()).tokens),
    slowDown: () => {
      bucket = slowBucket(bucket, options.monotonic());
    },
  };
};
