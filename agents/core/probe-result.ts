/** What one run of a probe saw, before the agent adds which target it was and how old it is. */
import type { Observation } from "@regent/contract";

export type ProbeResult = Omit<Observation, "target" | "ageMs">;

/** A judged result of one target. `at` is the end of the probe on the agent's monotonic clock, ms. */
export interface TimedObservation {
  readonly target: string;
  readonly at: number;
  readonly result: ProbeResult;
  /** It brought the check up or down: kept first when the spool is full. */
  readonly isTransition: boolean;
}

/** Ages are computed when a report is signed, never before. A clock that went backwards gives 0. */
export const toObservation = ({ target, at, result }: TimedObservation, now: number): Observation => ({
  target,
  ageMs: ageMs(at, now),
  ...result,
});

const AGE_MAX_MS = 7 * 86_400_000;

export const ageMs = (at: number, now: number): number => Math.min(AGE_MAX_MS, Math.max(0, Math.round(now - at)));
