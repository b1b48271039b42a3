/** Time and chance, as the shell is allowed to have them. */
import type { Instant } from "@regent/contract";

/** A jump of the database's clock: an operator, a failover to another machine, a machine that slept. */
export interface ClockStep {
  /** When it was noticed, in the new time. */
  readonly at: Instant;
  /** Positive: forward. More than a second either way. */
  readonly byMs: number;
}

export interface Clock {
  /** Database time in ms: the process keeps database-now minus its own monotonic clock, so a jump of the wall clock changes nothing. */
  readonly now: () => Instant;
  /** Monotonic ms with an arbitrary origin; for durations and local lease validity. */
  readonly monotonic: () => number;
  /** The last jump that this process noticed; absent or null: none. */
  readonly lastStep?: () => ClockStep | null;
  readonly onStep?: (callback: (step: ClockStep) => void) => void;
  /** For what can't be undone, such as dropping what is old: never later than `now`, and a jump forward doesn't move it. */
  readonly surelyPast?: () => Instant;
}

/** A clock that knows of no jumps surely says how late it is. */
export const surelyPast = (clock: Pick<Clock, "now" | "surelyPast">): Instant => clock.surelyPast?.() ?? clock.now();

export interface Ids {
  /** A fresh ULID; grows within a process. */
  readonly ulid: () => string;
}
