/** How long to wait after a failed try. Pure; chance comes in as an argument, 0 <= chance < 1. */
import { RETRY_FIRST_MS } from "./limits.ts";

/** Full jitter over a range that doubles with every failure, never below a tenth of the first step so that it can't spin. */
export const backoffMs = (failures: number, maxMs: number, chance: number): number => {
  const range = Math.min(maxMs, RETRY_FIRST_MS * 2 ** Math.min(20, Math.max(0, failures - 1)));
  return Math.max(RETRY_FIRST_MS / 10, range * chance);
};
