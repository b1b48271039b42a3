/**
 * How far behind the event loop is, as what to do about it. Pure. An average over a second, not the longest pause: one collection of garbage is
 * no overload.
 *
 *   none      everything is served
 *   queue     a backlog waits
 *   throttle  reports of the present get fewer places
 *   break     only reports of changes and operators are served; the rest is told when to come back
 */
import { LAG_BREAK_MS, LAG_QUEUE_MS, LAG_THROTTLE_MS } from "../limits.ts";

export type Pressure = "none" | "queue" | "throttle" | "break";

const LEVELS = ["none", "queue", "throttle", "break"] as const satisfies readonly Pressure[];
/** Entered at this lag; left below half of it, so that it doesn't flicker. */
const ENTERED_AT: Readonly<Record<Pressure, number>> = {
  none: 0,
  queue: LAG_QUEUE_MS,
  throttle: LAG_THROTTLE_MS,
  break: LAG_BREAK_MS,
};

/** The next level, from the one before and the mean lag of the last second, ms. */
export const toPressure = (before: Pressure, lagMs: number): Pressure =>
  LEVELS.findLast(
    (level) => lagMs >= (LEVELS.indexOf(level) <= LEVELS.indexOf(before) ? ENTERED_AT[level] / 2 : ENTERED_AT[level]),
  ) ?? "none";
