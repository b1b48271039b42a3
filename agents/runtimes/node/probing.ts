/**
 * Runs every assigned check on time. One timer serves all; one run per target at a time; a slot that comes while the last run still
 * goes is skipped and counted. Nothing here waits for the control plane.
 */
import type { Assignment, ProbeSpec } from "@regent/contract";
import type { Streak } from "@regent/engine/streak";
import { createDue } from "../../core/due.ts";
import { JUDGEMENT_START, type Judgement, judge } from "../../core/judge.ts";
import { OVERLOAD_LATE_MS, START_SPREAD_MS } from "../../core/limits.ts";
import type { ProbeResult, TimedObservation } from "../../core/probe-result.ts";
import { deadlineMs, firstRunAt, nextRun, phaseMs } from "../../core/schedule.ts";
import type { Clock } from "./clock.ts";
import { PROBE_GRACE_MS, TICK_MS, WATCH_MS } from "./limits.ts";

export interface ProbingDeps {
  readonly agent: string;
  readonly clock: Clock;
  readonly probe: (probe: ProbeSpec, deadlineMs: number) => Promise<ProbeResult>;
  readonly onObservation: (observation: TimedObservation & { readonly before: Streak; readonly after: Streak }) => void;
}

export interface Probing {
  /** Targets that stay keep their streak and their place in time. */
  readonly configure: (assignments: readonly Assignment[]) => void;
  readonly stop: () => void;
  readonly overruns: () => number;
  readonly runs: () => number;
}

interface Track {
  assignment: Assignment;
  judgement: Judgement;
  /** When it runs next; an entry of the heap with another time is outdated. */
  dueAt: number;
  /** Start and number of the run that goes on; a later number means that a run was given up. */
  running: { readonly id: number; readonly startedAt: number; readonly deadlineMs: number } | undefined;
}

export const createProbing = ({ agent, clock, probe, onObservation }: ProbingDeps): Probing => {
  const tracks = new Map<string, Track>();
  const due = createDue<{ readonly track: Track; readonly at: number }>();
  let timer: NodeJS.Timeout | undefined;
  let timerAt = Number.POSITIVE_INFINITY;
  let isStopped = false;
  let overruns = 0;
  let runs = 0;

  const isCurrent = (track: Track): boolean => tracks.get(track.assignment.target) === track;

  const arm = (): void => {
    const at = due.nextAt();
    if (isStopped || at === undefined || at >= timerAt) return;
    clearTimeout(timer);
    timerAt = at;
    timer = setTimeout(tick, Math.max(TICK_MS, at - clock.now()));
  };

  const tick = (): void => {
    timerAt = Number.POSITIVE_INFINITY;
    const now = clock.now();
    for (let entry = due.take(now); entry !== undefined; entry = due.take(now)) {
      const { track, at } = entry;
      if (isCurrent(track) && track.running === undefined && track.dueAt === at) start(track);
    }
    arm();
  };

  const plan = (track: Track, at: number): void => {
    track.dueAt = at;
    due.add(at, { track, at });
    arm();
  };

  const start = (track: Track): void => {
    const { probe: spec, cadence } = track.assignment;
    const run = { id: ++runs, startedAt: clock.now(), deadlineMs: deadlineMs(cadence) };
    track.running = run;
    probe(spec, run.deadlineMs).then((result) => {
      if (track.running?.id === run.id) finish(track, result);
    });
  };

  const finish = (track: Track, result: ProbeResult): void => {
    const { running, assignment } = track;
    track.running = undefined;
    if (running === undefined || isStopped || !isCurrent(track)) return;
    const at = clock.now();
    const { startedAt } = running;
    const isOurDelay = result.outcome === "fail" && at - startedAt > running.deadlineMs + OVERLOAD_LATE_MS;
    const seen: ProbeResult = isOurDelay ? { ...result, outcome: "unknown", reason: "agent_overloaded" } : result;
    const before = track.judgement.streak;
    const judged = judge(track.judgement, { ...seen, at }, assignment);
    track.judgement = judged.after;
    const streak = judged.after.streak;
    onObservation({
      target: assignment.target,
      at,
      result: judged.result,
      isTransition: judged.isTransition,
      before,
      after: streak,
    });
    const phase = phaseMs({ agent, target: assignment.target }, assignment.cadence.intervalMs);
    const next = nextRun({ startedAt, endedAt: at, streak }, assignment.cadence, phase);
    overruns += next.skipped;
    plan(track, next.at);
  };

  /** A run that never ends would silence its check for ever. */
  const watcher = setInterval(() => {
    const now = clock.now();
    for (const track of tracks.values()) {
      const { running } = track;
      if (running !== undefined && now - running.startedAt > running.deadlineMs + PROBE_GRACE_MS) {
        finish(track, { outcome: "unknown", reason: "probe_bug", latencyMs: 0, facts: { why: "never-ended" } });
      }
    }
  }, WATCH_MS);

  return {
    configure: (assignments) => {
      const gone = new Set(tracks.keys());
      for (const assignment of assignments) {
        gone.delete(assignment.target);
        const known = tracks.get(assignment.target);
        const track = known ?? { assignment, judgement: JUDGEMENT_START, dueAt: Number.POSITIVE_INFINITY, running: undefined };
        tracks.set(assignment.target, track);
        if (known !== undefined) reassign(known, assignment);
        // A shorter interval counts at once, a longer one from the next run on.
        const firstAt = firstRunAt({ agent, target: assignment.target }, assignment.cadence.intervalMs, clock.now());
        if (known === undefined || (known.running === undefined && firstAt < known.dueAt - START_SPREAD_MS)) plan(track, firstAt);
      }
      for (const target of gone) tracks.delete(target);
    },
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
      clearInterval(watcher);
    },
    overruns: () => overruns,
    runs: () => runs,
  };
};

/** Another probe measures another latency; the streak is the target's and stays. */
const reassign = (track: Track, assignment: Assignment): void => {
  const isSameProbe = JSON.stringify(track.assignment.probe) === JSON.stringify(assignment.probe);
  if (!isSameProbe) track.judgement = { ...track.judgement, runs: [] };
  track.assignment = assignment;
};
