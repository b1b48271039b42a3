/**
 * What the next report says. No I/O; `now` is the agent's monotonic clock, ms.
 *
 * The control plane folds what it is told into its own streaks, so this is a protocol, not a buffer:
 * - Each round lists every assigned check that has anything to tell: in full all observations since the last report, in order; or, if
 *   the check is settled, says what it said before and both copies of its streak agree, only its age. What tells a database's role is always
 *   listed in full: its facts change while it passes.
 * - History goes in parts of its own, after everything that is live, so that it can be refused or kept waiting without harm.
 * - Nothing is told twice in full unless telling it twice changes nothing, and nothing the streak needs is left out. Only a repeat of a
 *   settled state replaces the repeat before it.
 * - One report is under way at a time. Until it is answered it is sent again under its own sequence number, so that a copy which did
 *   arrive is recognised. It may shrink and never grow. Observations that outlive their freshness meanwhile go to the spool, and
 *   agreement about that check is lost.
 */
import type { Assignment } from "@regent/contract";
import type { Streak } from "@regent/engine/streak";
import { foldDelivered, NO_AGREEMENT } from "./agreement.ts";
import { PENDING_PER_CHECK_MAX, SPOOL_STEADY_MS } from "./limits.ts";
import { createPartBuilder, isEmptyPart, type Part, type PartBuilder } from "./part.ts";
import type { TimedObservation } from "./probe-result.ts";
import type { Spool } from "./spool.ts";
import { byUrgency, freshnessMs, isRepeatOf, isTold, reassign, type TrackedCheck, trackCheck } from "./tracked-check.ts";

export interface Noted extends TimedObservation {
  readonly before: Streak;
  readonly after: Streak;
}

/** What to do with a part that was surely not taken: send its observations again, keep them as history, or throw them away. */
export type GivenUp = "requeue" | "spool" | "lose";

export interface Batch {
  /** Keeps what it knows of targets that stay; forgets those that went. */
  readonly configure: (assignments: readonly Assignment[], reportIntervalMs: number) => void;
  readonly note: (noted: Noted) => void;
  readonly beginRound: () => void;
  /** The part under way without what became stale, else the next of this round. The first of a round may be empty: a sign of life. */
  readonly take: (now: number) => Part | undefined;
  /** The part under way was taken by the control plane, now or at an earlier try. */
  readonly delivered: (now: number) => void;
  /** A try failed. The part stays under way; steady checks leave a trace in the spool until a delivery. */
  readonly failed: () => void;
  readonly giveUp: (how: GivenUp, now: number) => void;
  /** The part under way is history and was surely not taken: back to the spool with it, and no other before `until`. */
  readonly postponeHistory: (until: number, now: number) => void;
  /** The next round lists every check in full; with `doubt`, and goes on until both copies of its streak must agree. */
  readonly listFully: (how: "once" | "doubt") => void;
  readonly limitPart: (observations: number) => void;
  readonly hasTransition: () => boolean;
  /** Before the agent stops: everything not delivered goes to the spool. */
  readonly drain: (now: number) => void;
  /** Observations thrown away because the control plane refused to read them. */
  readonly lost: () => number;
}

export interface BatchOptions {
  readonly spool: Spool;
  /** Most observations in a report: the contract's 500. */
  readonly observationsMax: number;
}

export const createBatch = ({ spool, observationsMax }: BatchOptions): Batch => {
  const checks = new Map<string, TrackedCheck>();
  let toList = new Set<TrackedCheck>();
  let isRoundStart = false;
  let isRoundFull = true;
  let hasRoomForHistory = false;
  let historyFrom = Number.NEGATIVE_INFINITY;
  let isNextRoundFull = true;
  let underWay: Part | undefined;
  let sequence = 0;
  let isCut = false;
  let reportIntervalMs = 0;
  let countMax = observationsMax;
  let lost = 0;

  /** Not yet told, so whoever gives these up also gives up agreement. */
  const untold = (entries: readonly TimedObservation[]): readonly TimedObservation[] =>
    entries.filter((entry) => {
      const check = checks.get(entry.target);
      return check !== undefined && !isTold(check, entry);
    });

  const spoolAway = (entries: readonly TimedObservation[], now: number): void => {
    const kept = untold(entries);
    for (const { target } of kept) doubt(checks.get(target));
    spool.add(kept, now);
  };

  const isStale = (entry: TimedObservation, now: number): boolean => {
    const check = checks.get(entry.target);
    return check === undefined || now - entry.at > freshnessMs(check.assignment, reportIntervalMs);
  };

  const dropStalePending = (now: number): void => {
    for (const check of checks.values()) {
      const firstFresh = check.pending.findIndex((entry) => !isStale(entry, now));
      const count = firstFresh < 0 ? check.pending.length : firstFresh;
      if (count > 0) spoolAway(check.pending.splice(0, count), now);
    }
  };

  const startRound = (): void => {
    toList = new Set(checks.values());
    isRoundStart = true;
    // Once in a round, and not while nothing gets through: history must not hold up what is live.
    hasRoomForHistory = !isCut;
    isRoundFull = isNextRoundFull;
    isNextRoundFull = false;
  };

  const withoutStale = (part: Part, now: number): Part | undefined => {
    const stale = new Set(part.observations.filter((entry) => isStale(entry, now)));
    spoolAway([...stale], now);
    const observations = part.observations.filter((entry) => !stale.has(entry));
    if (observations.length > 0) return stale.size === 0 ? part : { ...part, observations };
    // Ages alone are worth nothing when they are old, and whether they arrived makes no difference: list everything anew.
    spool.add(part.backfill, now);
    startRound();
    return undefined;
  };

  const takeHistory = (builder: PartBuilder, now: number): readonly TimedObservation[] => {
    if (!hasRoomForHistory || now < historyFrom || hasTransition()) return [];
    hasRoomForHistory = false;
    return spool.takeNewest(builder.room(), now);
  };

  const hasTransition = (): boolean =>
    [underWay?.observations ?? [], ...[...checks.values()].map((check) => check.pending)].some((entries) =>
      entries.some((entry) => entry.isTransition),
    );

  const nextPart = (now: number): Part | undefined => {
    dropStalePending(now);
    const builder = createPartBuilder(countMax);
    for (const check of byUrgency(toList)) {
      const isGone = checks.get(check.assignment.target) !== check;
      if (isGone || builder.add(check, isRoundFull)) toList.delete(check);
    }
    const live = builder.build(sequence + 1, []);
    const part = isEmptyPart(live) && !isRoundStart ? { ...live, backfill: takeHistory(builder, now) } : live;
    if (isEmptyPart(part) && !isRoundStart) return undefined;
    isRoundStart = false;
    sequence += 1;
    return part;
  };

  const requeue = (entries: readonly TimedObservation[]): void => {
    for (const entry of [...untold(entries)].reverse()) {
      checks.get(entry.target)?.pending.unshift({ ...entry, isRepeat: false });
    }
  };

  return {
    configure: (assignments, nextReportIntervalMs) => {
      reportIntervalMs = nextReportIntervalMs;
      const gone = new Set(checks.keys());
      for (const assignment of assignments) {
        gone.delete(assignment.target);
        const known = checks.get(assignment.target);
        if (known === undefined) checks.set(assignment.target, trackCheck(assignment));
        else reassign(known, assignment);
      }
      for (const target of gone) checks.delete(target);
      isNextRoundFull = true;
    },
    note: ({ before, after, ...observation }) => {
      const check = checks.get(observation.target);
      if (check === undefined) return;
      const isRepeat = isRepeatOf(check, observation, { before, after });
      const last = check.pending.at(-1);
      if (isRepeat && last?.isRepeat) {
        check.pending.pop();
        if (isCut && last.at - check.spooledAt >= SPOOL_STEADY_MS) {
          check.spooledAt = last.at;
          spool.add([last], observation.at);
        }
      }
      check.pending.push({ ...observation, isRepeat });
      check.streak = after;
      check.newest = observation;
      if (check.pending.length > PENDING_PER_CHECK_MAX) spoolAway(check.pending.splice(0, 1), observation.at);
    },
    beginRound: startRound,
    take: (now) => {
      if (underWay !== undefined) underWay = withoutStale(underWay, now);
      if (underWay === undefined) underWay = nextPart(now);
      return underWay;
    },
    delivered: (now) => {
      for (const entry of underWay?.observations ?? []) {
        const check = checks.get(entry.target);
        if (check === undefined) continue;
        // Taken, but perhaps too late to count: the answer, or an earlier try, took its time.
        check.agreement = isStale(entry, now)
          ? NO_AGREEMENT
          : foldDelivered(check.agreement, entry.result.outcome, check.assignment.cadence);
        check.told = entry;
      }
      underWay = undefined;
      isCut = false;
    },
    failed: () => {
      isCut = true;
      isNextRoundFull = true;
    },
    giveUp: (how, now) => {
      const part = underWay;
      underWay = undefined;
      isNextRoundFull = true;
      if (part === undefined) return;
      switch (how) {
        case "requeue":
          requeue(part.observations);
          spool.add(part.backfill, now);
          startRound();
          return;
        case "spool":
          spoolAway(part.observations, now);
          spool.add(part.backfill, now);
          return;
        case "lose":
          lost += part.observations.length + part.backfill.length;
          for (const { target } of part.observations) doubt(checks.get(target));
          return;
      }
    },
    postponeHistory: (until, now) => {
      historyFrom = until;
      spool.add(underWay?.backfill ?? [], now);
      underWay = undefined;
    },
    listFully: (how) => {
      isNextRoundFull = true;
      if (how === "doubt") for (const check of checks.values()) doubt(check);
    },
    limitPart: (observations) => {
      countMax = Math.max(1, Math.min(observationsMax, observations));
    },
    hasTransition,
    drain: (now) => {
      if (underWay !== undefined) {
        spoolAway(underWay.observations, now);
        spool.add(underWay.backfill, now);
        underWay = undefined;
      }
      for (const check of checks.values()) spoolAway(check.pending.splice(0), now);
    },
    lost: () => lost,
  };
};

const doubt = (check: TrackedCheck | undefined): void => {
  if (check !== undefined) check.agreement = NO_AGREEMENT;
};
