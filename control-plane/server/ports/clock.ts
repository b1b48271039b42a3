/** Time and chance, as the shell is allowed to have them. */
import type { Instant } from "@regent/contract";

export interface Clock {
  /** Database time in ms: the process keeps database-now minus its own monotonic clock, so a jump of the wall clock changes nothing. */
  readonly now: () => Instant;
  /** Monotonic ms with an arbitrary origin; for durations and local lease validity. */
  readonly monotonic: () => number;
}

export interface Ids {
  /** A fresh ULID; grows within a process. */
  readonly ulid: () => string;
}
