/** The account-wide token bucket that answers Throttling. Pure but for the clock it is given. */
import { z } from "zod";

/** Calls a second, and how many may come at once. */
export const RateLimit = z.strictObject({
  perSecond: z.number().positive().max(100_000),
  burst: z.number().int().min(1).max(100_000),
});
export type RateLimit = z.infer<typeof RateLimit>;

export interface TokenBucket {
  readonly isAllowed: () => boolean;
}

export const createTokenBucket = ({ perSecond, burst }: RateLimit, now: () => number): TokenBucket => {
  let tokens = burst;
  let at = now();
  return {
    isAllowed: () => {
      const current = now();
      tokens = Math.min(burst, tokens + (Math.max(0, current - at) / 1_000) * perSecond);
      at = current;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
};
