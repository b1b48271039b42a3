/** The account-wide token bucket that answers Throttling, and the other clients of the account that empty it. Pure but for clock and chance. */
import { z } from "zod";
import { OTHER_TRAFFIC_REPLAY_MS } from "../limits.ts";

/** Calls a second, and how many may come at once. */
export const RateLimit = z.strictObject({
  perSecond: z.number().positive().max(100_000),
  burst: z.number().int().min(1).max(100_000),
});
export type RateLimit = z.infer<typeof RateLimit>;

export interface TokenBucket {
  /** Takes a token for a call that arrives now. */
  readonly isAllowed: () => boolean;
  /** Takes up what others did until now; to be called before their traffic changes. */
  readonly catchUp: () => void;
}

interface BucketWorld {
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Calls a second that other clients make at a moment. */
  readonly otherTraffic: (at: number) => number;
}

export const createTokenBucket = ({ perSecond, burst }: RateLimit, { now, random, otherTraffic }: BucketWorld): TokenBucket => {
  let tokens: number = burst;
  let at = now();
  const advance = (to: number, ratePerSecond = perSecond): void => {
    tokens = Math.max(0, Math.min(burst, tokens + (Math.max(0, to - at) / 1_000) * ratePerSecond));
    at = to;
  };
  // Others don't call on a beat, so their calls come at random distances; no timer runs, they are played when somebody asks.
  const catchUp = (): void => {
    const current = now();
    const replayFrom = current - OTHER_TRAFFIC_REPLAY_MS;
    if (at < replayFrom) advance(replayFrom, perSecond - otherTraffic(at));
    for (let rate = otherTraffic(at); rate > 0; rate = otherTraffic(at)) {
      const next = at - (Math.log(1 - random()) / rate) * 1_000;
      if (next > current) break;
      advance(next);
      if (tokens >= 1) tokens -= 1;
    }
    advance(current);
  };
  return {
    catchUp,
    isAllowed: () => {
      catchUp();
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
};
