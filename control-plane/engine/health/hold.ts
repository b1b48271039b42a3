/**
 * How long bad evidence must last before it is believed: the more independent vantages confirm it, the shorter. Pure. Called by weigh.ts.
 *
 * The formula is Lifeguard's suspicion timeout (memberlist), algorithms 1.7: hold(c) = max(min, max - (max - min) * ln(c + 1) / ln(k + 1)),
 * k = 2. So hold(0) is the longest, hold(2) and above the shortest.
 */
import type { Settings } from "../model.ts";

/** Confirmations after which more of them shorten nothing. */
const CONFIRMATIONS_ENOUGH = 2;

/** Milliseconds, whole. `confirmations` counts vantages beyond the first; it is 0 or more. */
export const holdMs = ({ holdMinMs, holdMaxMs }: Pick<Settings, "holdMinMs" | "holdMaxMs">, confirmations: number): number => {
  const part = Math.log(confirmations + 1) / Math.log(CONFIRMATIONS_ENOUGH + 1);
  return Math.round(Math.max(holdMinMs, holdMaxMs - (holdMaxMs - holdMinMs) * part));
};
