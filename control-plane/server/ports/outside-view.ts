/** What an adapter tells of its guards and of its connections, for health and metrics. Times are instants, durations milliseconds. */
import type { Instant } from "@regent/contract";

/** Since the process began. */
export interface GuardCounts {
  /** Calls that got an answer, refusals of the request itself included. */
  readonly answered: number;
  /** Calls that speak against the dependency: no answer, or one that says it is broken. */
  readonly failed: number;
  /** Not called, as it is known to be down. */
  readonly refused: number;
  /** Not called, as too many wait. */
  readonly turnedAway: number;
  /** Called again after a failure. */
  readonly retried: number;
  /** How often the breaker opened. */
  readonly opened: number;
}

export interface GuardView {
  readonly name: string;
  /** From a closed list: what metrics are told by. */
  readonly kind: string;
  readonly state: "closed" | "open" | "half-open";
  readonly since: Instant;
  /** In a row. */
  readonly failures: number;
  /** When the next call may begin; null unless it is open. */
  readonly openUntil: Instant | null;
  readonly limits: {
    readonly failures: number;
    readonly successes: number;
    readonly openMs: number;
    readonly atOnce: number;
    readonly queue: number;
  };
  readonly underWay: number;
  readonly waiting: number;
  readonly counts: GuardCounts;
  /** A code, such as ECONNREFUSED. */
  readonly lastFailure: string | null;
}

/** Connections of one purpose. */
export interface LaneView {
  readonly min: number;
  readonly max: number;
  /** How many there are now. */
  readonly size: number;
  readonly inUse: number;
  /** Units of work that wait for a connection, or behind others on theirs. */
  readonly waiting: number;
  readonly waitingMax: number;
}

export interface PoolView {
  readonly state: "healthy" | "degraded" | "unhealthy" | "recovering";
  readonly since: Instant;
  readonly reports: LaneView;
  readonly decisions: LaneView;
  /** Of the units of work of the last minute; null without any. */
  readonly responseMsP50: number | null;
  readonly responseMsP95: number | null;
  /** Units of work that are held for too long now, and how many ever were. */
  readonly held: number;
  readonly heldEver: number;
  readonly connectionsLost: number;
  readonly checkedAt: Instant | null;
  /** A code, such as ECONNREFUSED; stays until the next one. */
  readonly lastError: string | null;
}
