/** Where reports are folded into evidence. Any replica may write; one agent's reports are serialised by a lock on its row. */
import type { AgentMode, Facts, Instant, Outcome, Reason } from "@regent/contract";
import type { StreakState } from "@regent/engine";

/** One check of one endpoint as one agent sees it. Rewritten only when its streak moves or its outcome or reason changes. */
export interface StoredCheck {
  readonly agent: string;
  /** `service/region/check`. */
  readonly target: string;
  readonly state: StreakState;
  readonly failures: number;
  readonly passes: number;
  readonly since: Instant;
  readonly failingSince: Instant | null;
  /** Evidence time of the last observation folded into this row; a newer one may stand in `live` of the agent's row. */
  readonly at: Instant;
  readonly outcome: Outcome;
  readonly reason: Reason | null;
  readonly latencyMs: number;
  readonly facts: Facts | null;
}

/** `[evidence time, latencyMs, minute being counted, observations, failures, latency sum, latency max]` of that minute. */
export type LiveLine = readonly [Instant, number, Instant, number, number, number, number];

/** Row of one agent: rewritten by every taken report. */
export interface StoredAgent {
  readonly agent: string;
  readonly boot: number;
  /** Highest sequence taken of this boot; 0 before the first. */
  readonly sequence: number;
  /** Bit i: sequence - 1 - i was taken, i in 0..62; decimal text. */
  readonly window: string;
  readonly heardAt: Instant | null;
  /** Smallest recent (received - sent), ms: the agent's clock skew plus the fastest way. */
  readonly skewMs: number | null;
  readonly selfHealthy: boolean;
  readonly mode: AgentMode;
  readonly build: string;
  readonly configurationVersion: number;
  /** Grows whenever one of this agent's check rows changes: a reader compares it to know what to read again. */
  readonly version: number;
  /** Per target: its newest observation and the minute being counted. */
  readonly live: Readonly<Record<string, LiveLine>>;
}

export interface Transition {
  readonly agent: string;
  readonly target: string;
  readonly at: Instant;
  readonly from: StreakState;
  readonly to: StreakState;
  readonly outcome: Outcome;
  readonly reason: Reason | null;
  /** Came from an agent's spool: for history only. */
  readonly isBackfill: boolean;
}

/** Per minute, agent and target; counters are added to what is there. */
export interface MinuteAggregate {
  readonly agent: string;
  readonly target: string;
  /** Start of the minute. */
  readonly minute: Instant;
  readonly count: number;
  readonly failures: number;
  readonly latencySumMs: number;
  readonly latencyMaxMs: number;
}

/** What a fold wants written. `agent: null` writes nothing at all (a duplicate). */
export interface FoldWrite<T> {
  readonly agent: StoredAgent | null;
  readonly checks: readonly StoredCheck[];
  readonly transitions: readonly Transition[];
  readonly aggregates: readonly MinuteAggregate[];
  readonly result: T;
}

export interface EvidenceStore {
  /**
   * Atomic, and one after another for one agent, whatever replica takes the report: reads the agent's row and the check rows of `targets`,
   * calls `fold`, writes what it answers (one row when only the agent changed), and notifies other replicas (`onChanged`) when there are
   * transitions. `fold` is pure and may be called again when another report of the agent came first. Aggregates are those of this agent.
   */
  readonly ingest: <T>(
    agent: string,
    targets: readonly string[],
    fold: (agent: StoredAgent | null, checks: readonly StoredCheck[]) => FoldWrite<T>,
  ) => Promise<T>;
  /** All agents' rows. */
  readonly readAgents: () => Promise<readonly StoredAgent[]>;
  /** All check rows of these agents. */
  readonly readChecks: (agents: readonly string[]) => Promise<readonly StoredCheck[]>;
  readonly readTransitions: (query: { since: Instant; limit: number; target?: string }) => Promise<readonly Transition[]>;
  /**
   * Calls back with an agent's id whenever a transition of that agent was committed by any replica, and with "" after notifications may
   * have been missed: read everything again. A notification may come twice. Returns how to stop.
   */
  readonly onChanged: (callback: (agent: string) => void) => Promise<() => Promise<void>>;
  /** Drops aggregates and transitions older than these instants; answers how many rows went. */
  readonly prune: (before: { aggregates: Instant; transitions: Instant }) => Promise<number>;
}
