/** A token bucket per key, in memory of this process: it slows a guesser or a wild loop down, and forgets whom it hasn't heard for long. */
import { RATE_KEYS_MAX } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";

export interface RateLimit {
  /** Takes one; answers 0, or how many ms to wait when there is none. */
  readonly take: (key: string) => number;
  /** How many ms until there is one; takes none. */
  readonly waitMs: (key: string) => number;
}

interface Bucket {
  readonly left: number;
  readonly at: number;
}

export const createRateLimit = (
  { burst, perSecond }: { readonly burst: number; readonly perSecond: number },
  clock: Pick<Clock, "monotonic">,
): RateLimit => {
  const bucketByKey = new Map<string, Bucket>();

  const look = (key: string): Bucket => {
    const at = clock.monotonic();
    const bucket = bucketByKey.get(key);
    return bucket ? { left: Math.min(burst, bucket.left + ((at - bucket.at) / 1_000) * perSecond), at } : { left: burst, at };
  };
  const wait = ({ left }: Bucket): number => (left >= 1 ? 0 : Math.ceil(((1 - left) / perSecond) * 1_000));

  return {
    take: (key) => {
      const bucket = look(key);
      const waitMs = wait(bucket);
      bucketByKey.delete(key);
      bucketByKey.set(key, waitMs === 0 ? { left: bucket.left - 1, at: bucket.at } : bucket);
      const oldest = bucketByKey.keys().next().value;
      if (bucketByKey.size > RATE_KEYS_MAX && oldest !== undefined) bucketByKey.delete(oldest);
      return waitMs;
    },
    waitMs: (key) => wait(look(key)),
  };
};
