/** Tries again, for work that is safe to repeat: pauses that double, drawn from nothing up, so that many don't come back at the same moment. */
import { setTimeout as pause } from "node:timers/promises";

export interface RetryOptions {
  /** The first try included. */
  readonly triesMax: number;
  /** Greatest pause before the second try; doubles with each further one. */
  readonly pauseMs: number;
  readonly pauseMsMax?: number;
  readonly mayPass: (error: unknown) => boolean;
  readonly onRetry?: (error: unknown) => void;
  /** 0..1 */
  readonly random?: () => number;
}

/** Throws the last error. */
export const retry = async <T>(work: () => Promise<T>, options: RetryOptions): Promise<T> => {
  const { triesMax, pauseMs, pauseMsMax = Number.POSITIVE_INFINITY, mayPass, onRetry, random = Math.random } = options;
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries >= triesMax || !mayPass(error)) throw error;
      onRetry?.(error);
      await pause(Math.min(pauseMsMax, pauseMs * 2 ** (tries - 1)) * random());
    }
  }
};
