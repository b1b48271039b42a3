/**
 * Folds one verified report into one agent's evidence. Pure: called inside the store's transaction, again on a retry.
 *
 * Order is (boot, sequence), never time. Evidence time is the older of *received - age* and *sent + skew - age*, so that neither a held-back
 * report nor a clock set ahead can make old evidence look new. A settled check that hasn't changed touches only the agent's own row.
 *
 * When the clock of *received* jumps, the skews jump with it, so the jump is taken into account; and what was heard ahead of it, before it was
 * set back, is not kept as the newest.
 */
import type { Instant, Observation, Report } from "@regent/contract";
import { foldOutcome, STREAK_START, type Thresholds } from "@regent/engine";
import { CLOCK_AHEAD_MS } from "../../limits.ts";
import type { ClockStep } from "../../ports/clock.ts";
import type { FoldWrite, LiveLine, MinuteAggregate, StoredAgent, StoredCheck, Transition } from "../../ports/evidence-store.ts";
import type { AssignedCheck } from "../configuration/configuration-in-force.ts";

export type Folded =
  | {
      readonly kind: "taken";
      readonly agent: StoredAgent;
      readonly changed: readonly StoredCheck[];
      readonly hasTransition: boolean;
      readonly listAll: boolean;
    }
  /** `boot`: the newest of this agent that was heard. */
  | { readonly kind: "replayed"; readonly boot: number };

export interface FoldInput {
  readonly report: Report;
  readonly receivedAt: Instant;
  /** The last jump of the clock that `receivedAt` was read from. */
  readonly step?: ClockStep | null;
  /** What the applied configuration assigns to this agent; anything else in the report is ignored. */
  readonly assigned: ReadonlyMap<string, AssignedCheck>;
}

/**
 * How fast an agent's clock that was set back is forgiven: what is left of the step shrinks to 1/e in two minutes of being heard. A minute's
 * step mutes an agent for 3 minutes, an hour's for 11, at a freshness of 17 s. No single report is forgiven more than a quarter, so one that was
 * held back for a minute stays old.
 */
const SKEW_FORGIVEN_MS = 120_000;
const SKEW_FORGIVEN_BY_REPORT_MS = 30_000;
const MINUTE_MS = 60_000;
const WINDOW_BITS = 63n;

export const foldReport = (input: FoldInput, current: StoredAgent | null, checks: readonly StoredCheck[]): FoldWrite<Folded> => {
  const { report, receivedAt } = input;
  const order = placeInOrder(report, current);
  if (order.kind === "replayed")
    return {
      agent: null,
      checks: [],
      transitions: [],
      aggregates: [],
      result: { kind: "replayed", boot: current?.boot ?? report.boot },
    };
  const skewMs = foldSkew(input, current, order.isNewBoot);
  const draft = createDraft(input, current, checks, skewMs, order.isNewest);
  for (const observation of report.observations) foldObservation(draft, observation);
  for (const unchanged of report.unchanged) foldUnchanged(draft, unchanged.target, unchanged.ageMs, unchanged.latencyMs);
  for (const { observation } of report.backfill) foldBackfill(draft, observation);
  const changed = [...draft.changed.values()];
  const agent: StoredAgent = {
    agent: report.agent,
    boot: report.boot,
    sequence: order.sequence,
    window: order.window,
    heardAt: newestNotAhead(current?.heardAt ?? 0, receivedAt, receivedAt),
    skewMs,
    selfHealthy: report.self.healthy,
    mode: report.self.mode,
    build: report.build,
    configurationVersion: report.configurationVersion,
    version: (current?.version ?? 0) + (changed.length > 0 ? 1 : 0),
    live: draft.live,
  };
  const result: Folded = {
    kind: "taken",
    agent,
    changed,
    hasTransition: draft.transitions.some((t) => !t.isBackfill),
    listAll: draft.listAll,
  };
  return { agent, checks: changed, transitions: draft.transitions, aggregates: draft.aggregates, result };
};

// ------------------------------------------------------------------------------------------------ order

type Place =
  | { readonly kind: "replayed" }
  | {
      readonly kind: "new";
      readonly isNewBoot: boolean;
      readonly isNewest: boolean;
      readonly sequence: number;
      readonly window: string;
    };

/** Bit i of the window: sequence - 1 - i was taken. What falls out of it is taken for a replay. */
const placeInOrder = ({ boot, sequence }: Report, current: StoredAgent | null): Place => {
  if (!current || boot > current.boot) return { kind: "new", isNewBoot: true, isNewest: true, sequence, window: "0" };
  if (boot < current.boot || sequence === current.sequence) return { kind: "replayed" };
  const window = BigInt(current.window);
  const mask = (1n << WINDOW_BITS) - 1n;
  if (sequence > current.sequence) {
    const shift = BigInt(sequence - current.sequence);
    const moved = shift > WINDOW_BITS ? 0n : ((window << shift) | (1n << (shift - 1n))) & mask;
    return { kind: "new", isNewBoot: false, isNewest: true, sequence, window: moved.toString() };
  }
  const bit = BigInt(current.sequence - 1 - sequence);
  if (bit >= WINDOW_BITS || (window & (1n << bit)) !== 0n) return { kind: "replayed" };
  return {
    kind: "new",
    isNewBoot: false,
    isNewest: false,
    sequence: current.sequence,
    window: (window | (1n << bit)).toString(),
  };
};

const foldSkew = ({ report, receivedAt, step }: FoldInput, current: StoredAgent | null, isNewBoot: boolean): number => {
  const sample = receivedAt - report.sentAt;
  if (!current || isNewBoot || current.skewMs === null || current.heardAt === null) return sample;
  // Measured by the clock as it was before it jumped. A jump back needs nothing: the smaller sample counts at once.
  const isOlderThanStep = step !== null && step !== undefined && current.heardAt < step.at;
  const known = current.skewMs + (isOlderThanStep ? Math.max(0, step.byMs) : 0);
  const elapsed = Math.min(Math.max(0, receivedAt - current.heardAt), SKEW_FORGIVEN_BY_REPORT_MS);
  const forgiven = (Math.max(0, sample - known) * elapsed) / SKEW_FORGIVEN_MS;
  return Math.round(Math.min(sample, known + forgiven));
};

/** The later of the two; but what lies ahead of now was written before the clock was set back. */
const newestNotAhead = (known: Instant, next: Instant, now: Instant): Instant =>
  known > now + CLOCK_AHEAD_MS ? next : Math.max(known, next);

// ------------------------------------------------------------------------------------------------ lines

interface Draft {
  readonly input: FoldInput;
  readonly skewMs: number;
  /** False for a report that was overtaken: its lines are older than what was folded, and move no streak. */
  readonly isNewest: boolean;
  readonly known: Map<string, StoredCheck>;
  readonly changed: Map<string, StoredCheck>;
  readonly live: Record<string, LiveLine>;
  readonly transitions: Transition[];
  readonly aggregates: MinuteAggregate[];
  listAll: boolean;
}

const createDraft = (
  input: FoldInput,
  current: StoredAgent | null,
  checks: readonly StoredCheck[],
  skewMs: number,
  isNewest: boolean,
): Draft => ({
  input,
  skewMs,
  isNewest,
  known: new Map(checks.map((check) => [check.target, check])),
  changed: new Map(),
  live: Object.fromEntries(Object.entries(current?.live ?? {}).filter(([target]) => input.assigned.has(target))),
  transitions: [],
  aggregates: [],
  listAll: false,
});

const evidenceTime = ({ input: { report, receivedAt }, skewMs }: Draft, ageMs: number): Instant =>
  Math.max(0, Math.min(receivedAt - ageMs, report.sentAt + skewMs - ageMs));

const foldObservation = (draft: Draft, observation: Observation): void => {
  const assigned = draft.input.assigned.get(observation.target);
  if (!assigned) return;
  const at = evidenceTime(draft, observation.ageMs);
  count(draft, observation.target, at, observation.latencyMs, observation.outcome === "fail");
  const before = draft.known.get(observation.target) ?? startOf(draft.input.report.agent, observation.target, at);
  // Late lines tell history, not the present: they move no streak.
  if (!draft.isNewest || draft.input.receivedAt - at > assigned.freshnessMs) return;
  const after = foldLine(before, observation, at, assigned);
  draft.known.set(observation.target, after);
  if (isSameRow(before, after) && before.at !== 0) return;
  draft.changed.set(observation.target, after);
  if (before.state === after.state) return;
  const { agent, target, outcome, reason } = after;
  draft.transitions.push({ agent, target, at, from: before.state, to: after.state, outcome, reason, isBackfill: false });
};

const startOf = (agent: string, target: string, at: Instant): StoredCheck => ({
  agent,
  target,
  ...STREAK_START,
  since: at,
  failingSince: null,
  at: 0,
  outcome: "unknown",
  reason: null,
  latencyMs: 0,
  facts: null,
});

const foldLine = (before: StoredCheck, observation: Observation, at: Instant, thresholds: Thresholds): StoredCheck => {
  const streak = foldOutcome(before, observation.outcome, thresholds);
  return {
    agent: before.agent,
    target: before.target,
    state: streak.state,
    failures: streak.failures,
    passes: streak.passes,
    since: streak.state === before.state ? before.since : at,
    failingSince: streak.failures === 0 ? null : (before.failingSince ?? at),
    at,
    outcome: observation.outcome,
    reason: observation.reason ?? null,
    latencyMs: observation.latencyMs,
    facts: observation.facts ?? null,
  };
};

/** Evidence time and latency also stand in the agent's row; they alone are no reason to rewrite a check's. */
const isSameRow = (a: StoredCheck, b: StoredCheck): boolean =>
  a.state === b.state &&
  a.failures === b.failures &&
  a.passes === b.passes &&
  a.outcome === b.outcome &&
  a.reason === b.reason &&
  isSameDatabase(a.facts, b.facts);

/** What decisions rest on; other facts change at every probe and are for people. Lag counts in whole seconds. */
const isSameDatabase = (a: StoredCheck["facts"], b: StoredCheck["facts"]): boolean =>
  a?.role === b?.role &&
  a?.readOnly === b?.readOnly &&
  a?.walReceivers === b?.walReceivers &&
  wholeSeconds(a?.lagSeconds) === wholeSeconds(b?.lagSeconds);

const wholeSeconds = (lag: unknown): unknown => (typeof lag === "number" ? Math.round(lag) : lag);

const foldUnchanged = (draft: Draft, target: string, ageMs: number, latencyMs: number): void => {
  if (!draft.input.assigned.has(target)) return;
  if (!draft.live[target]) {
    // It refers to a line that we never took (a lost database, a new assignment): only a full listing tells what it means.
    draft.listAll = true;
    return;
  }
  count(draft, target, evidenceTime(draft, ageMs), latencyMs, false);
};

const foldBackfill = (draft: Draft, observation: Observation): void => {
  if (!draft.input.assigned.has(observation.target)) return;
  const { report, receivedAt } = draft.input;
  draft.transitions.push(toBackfilled(report.agent, receivedAt, observation));
};

/** For history only: what it was before isn't known. */
export const toBackfilled = (agent: string, receivedAt: Instant, observation: Observation): Transition => {
  const to = observation.outcome === "fail" ? "down" : observation.outcome === "unknown" ? "unknown" : "up";
  const { target, outcome, reason = null, ageMs } = observation;
  return { agent, target, at: Math.max(0, receivedAt - ageMs), from: "unknown", to, outcome, reason, isBackfill: true };
};

/** Keeps the newest evidence time, and counts the minute in the agent's own row: a finished minute is written as an aggregate. */
const count = (draft: Draft, target: string, at: Instant, latencyMs: number, isFailure: boolean): void => {
  const minute = at - (at % MINUTE_MS);
  const line = draft.live[target];
  const latency = Math.round(latencyMs * 10) / 10;
  const newest = line && newestNotAhead(line[0], at, draft.input.receivedAt) !== at ? line : null;
  if (line && line[2] === minute) {
    draft.live[target] = [
      newest?.[0] ?? at,
      newest?.[1] ?? latency,
      minute,
      line[3] + 1,
      line[4] + (isFailure ? 1 : 0),
      line[5] + latency,
      Math.max(line[6], latency),
    ];
    return;
  }
  if (line && line[3] > 0) {
    const [, , lineMinute, lineCount, failures, latencySumMs, latencyMaxMs] = line;
    draft.aggregates.push({
      agent: draft.input.report.agent,
      target,
      minute: lineMinute,
      count: lineCount,
      failures,
      latencySumMs,
      latencyMaxMs,
    });
  }
  draft.live[target] = [newest?.[0] ?? at, newest?.[1] ?? latency, minute, 1, isFailure ? 1 : 0, latency, latency];
};
