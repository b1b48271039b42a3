/** What the agent keeps of one assigned check between reports, and how it is listed in the next one. No I/O. */
import type { Assignment } from "@regent/contract";
import { isSettled, STREAK_START, type Streak } from "@regent/engine/streak";
import { type Agreement, NO_AGREEMENT } from "./agreement.ts";
import type { TimedObservation } from "./probe-result.ts";

export interface TrackedCheck {
  assignment: Assignment;
  streak: Streak;
  agreement: Agreement;
  /** In no report yet, oldest first. */
  pending: PendingObservation[];
  newest: TimedObservation | undefined;
  /** The last one that the control plane took in full. */
  told: TimedObservation | undefined;
  /** When a steady observation of it last went to the spool. */
  spooledAt: number;
}

export interface PendingObservation extends TimedObservation {
  /** Folding it after the one before changes nothing, so the newest of several stands for all. */
  readonly isRepeat: boolean;
}

export const trackCheck = (assignment: Assignment): TrackedCheck => ({
  assignment,
  streak: STREAK_START,
  agreement: NO_AGREEMENT,
  pending: [],
  newest: undefined,
  told: undefined,
  spooledAt: Number.NEGATIVE_INFINITY,
});

/**
 * How old an observation may be when the answer comes and surely have been evidence: no control plane may be configured to call one stale
 * that is interval + timeout + report interval old.
 */
export const freshnessMs = ({ cadence }: Pick<Assignment, "cadence">, reportIntervalMs: number): number =>
  cadence.intervalMs + cadence.timeoutMs + reportIntervalMs;

/** With other thresholds the two copies may part: the control plane changes its own at another moment than we do. */
export const reassign = (check: TrackedCheck, assignment: Assignment): void => {
  const { fall, clear, rise } = check.assignment.cadence;
  const next = assignment.cadence;
  if (fall !== next.fall || clear !== next.clear || rise !== next.rise) check.agreement = NO_AGREEMENT;
  check.assignment = assignment;
};

export const isRepeatOf = (
  check: TrackedCheck,
  { result }: TimedObservation,
  { before, after }: { before: Streak; after: Streak },
): boolean => {
  if (check.newest === undefined || !saysTheSame(check.newest, { result })) return false;
  if (result.outcome === "unknown") return true;
  return check.agreement.agreed && isSettled(before) && isSettled(after) && before.state === after.state;
};

export const isTold = ({ told }: TrackedCheck, entry: TimedObservation): boolean => told?.at === entry.at;

export type Listing =
  | { readonly kind: "full"; readonly entries: readonly TimedObservation[] }
  | { readonly kind: "age"; readonly entry: TimedObservation }
  | { readonly kind: "none" };

/** `isFull` asks for an observation where the age would do. */
export const listingOf = (check: TrackedCheck, isFull: boolean): Listing => {
  const { pending, newest, told } = check;
  if (newest === undefined) return { kind: "none" };
  const isSteady = check.agreement.agreed && isSettled(check.streak) && newest.result.outcome !== "unknown";
  const isAsTold = told !== undefined && saysTheSame(told, newest);
  // An unsettled check without news is not listed: told twice, a failure would count twice.
  if (!isSteady || !isAsTold || pending.some((entry) => !entry.isRepeat)) return { kind: "full", entries: pending };
  // A database may change its role, or fall behind, and pass all the same. What was told already isn't news even of it.
  if (tellsRole(newest) && told.at !== newest.at) return { kind: "full", entries: [newest] };
  // Settled and agreed: folding the newest once more changes nothing.
  return isFull ? { kind: "full", entries: [newest] } : { kind: "age", entry: newest };
};

/** Transitions first, then what else is new, then the rest. */
export const byUrgency = (checks: Iterable<TrackedCheck>): readonly TrackedCheck[] => {
  const transitions: TrackedCheck[] = [];
  const news: TrackedCheck[] = [];
  const rest: TrackedCheck[] = [];
  for (const check of checks) {
    if (check.pending.some((entry) => entry.isTransition)) transitions.push(check);
    else if (check.pending.some((entry) => !entry.isRepeat)) news.push(check);
    else rest.push(check);
  }
  return [...transitions, ...news, ...rest];
};

const tellsRole = ({ result }: TimedObservation): boolean => result.facts?.role !== undefined;

const saysTheSame = (a: Pick<TimedObservation, "result">, b: Pick<TimedObservation, "result">): boolean =>
  a.result.outcome === b.result.outcome && a.result.reason === b.result.reason;
