/**
 * Turns the results of one check, seen by one agent, into up or down. Pure. Runs in the agent (to know what to push at once) and in the
 * control plane (whose copy counts).
 *
 * Three thresholds: `fall` failures bring an up check down, `clear` passes in a row forgive failures, `rise` passes in a row bring a down
 * check up. Without `clear`, an endpoint that fails every second probe would never fall (gdnsd's ok_thresh).
 */
import type { Cadence, Outcome } from "@regent/contract";

export type StreakState = "unknown" | "up" | "down";

export interface Streak {
  readonly state: StreakState;
  /** Failures not yet forgiven, 0..fall. */
  readonly failures: number;
  /** Passes in a row, 0..max(clear, rise). */
  readonly passes: number;
}

export type Thresholds = Pick<Cadence, "fall" | "clear" | "rise">;

export const STREAK_START: Streak = { state: "unknown", failures: 0, passes: 0 };

/** `degraded` is a pass: slow is not down. `unknown` is no evidence, and changes nothing. */
export const foldOutcome = (streak: Streak, outcome: Outcome, thresholds: Thresholds): Streak => {
  switch (outcome) {
    case "unknown":
      return streak;
    case "ok":
    case "degraded":
      return streak.state === "down" ? foldPassWhenDown(streak, thresholds) : foldPassWhenUp(streak, thresholds);
    case "fail":
      return streak.state === "down"
        ? { state: "down", failures: thresholds.fall, passes: 0 }
        : foldFailWhenUp(streak, thresholds);
  }
};

/** Nothing pending: the next result of the same kind changes nothing. Such a check needs no faster re-check and no own line in a report. */
export const isSettled = (streak: Streak): boolean => {
  switch (streak.state) {
    case "unknown":
      return false;
    case "up":
      return streak.failures === 0;
    case "down":
      return streak.passes === 0;
  }
};

const foldPassWhenDown = (streak: Streak, { rise }: Thresholds): Streak => {
  const passes = streak.passes + 1;
  return passes >= rise ? { state: "up", failures: 0, passes: 0 } : { ...streak, passes };
};

/** A first pass makes an unknown check up: until it failed there is nothing to forgive. */
const foldPassWhenUp = (streak: Streak, { clear }: Thresholds): Streak => {
  if (streak.failures === 0) return { state: "up", failures: 0, passes: 0 };
  const passes = streak.passes + 1;
  return passes >= clear ? { state: "up", failures: 0, passes: 0 } : { ...streak, passes };
};

const foldFailWhenUp = (streak: Streak, { fall }: Thresholds): Streak => {
  const failures = streak.failures + 1;
  return failures >= fall ? { state: "down", failures: fall, passes: 0 } : { ...streak, failures, passes: 0 };
};
