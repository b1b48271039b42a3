/**
 * From what a probe saw to what the agent says: latency over a window, and the streak. Pure.
 *
 * Latency rule, exactly. Only runs that passed count. The window holds the passing runs of the last 60 s, and never fewer than the last
 * 5. With at least 5 in it, and the nearest-rank 90th percentile above `latencyCritMs`, a run that would be `ok` becomes `degraded`, or
 * `fail` with `onSlow: fail`, reason `latency`. One slow run among fast ones never does that: at least two of the window must be slow.
 */
import type { Cadence, ProbeSpec } from "@regent/contract";
import { foldOutcome, STREAK_START, type Streak } from "@regent/engine/streak";
import { LATENCY_RUNS_MAX, LATENCY_RUNS_MIN, LATENCY_WINDOW_MS } from "./limits.ts";
import type { ProbeResult } from "./probe-result.ts";

export interface LatencyRun {
  readonly at: number;
  readonly latencyMs: number;
}

export interface Judgement {
  readonly streak: Streak;
  /** Passing runs, oldest first; empty when the check declares no `latencyCritMs`. */
  readonly runs: readonly LatencyRun[];
}

export const JUDGEMENT_START: Judgement = { streak: STREAK_START, runs: [] };

export interface JudgeRules {
  readonly cadence: Pick<Cadence, "fall" | "clear" | "rise">;
  readonly probe: Pick<ProbeSpec, "latencyCritMs" | "onSlow">;
}

export interface Judged {
  readonly after: Judgement;
  readonly result: ProbeResult;
  /** The check came up or went down, a first verdict included. */
  readonly isTransition: boolean;
}

export const judge = (before: Judgement, seen: ProbeResult & { readonly at: number }, { cadence, probe }: JudgeRules): Judged => {
  const { at, ...result } = seen;
  const runs = foldRun(before.runs, { at, result, critMs: probe.latencyCritMs });
  const judged = applyLatency(result, runs, probe);
  const streak = foldOutcome(before.streak, judged.outcome, cadence);
  return { after: { streak, runs }, result: judged, isTransition: streak.state !== before.streak.state };
};

const foldRun = (
  runs: readonly LatencyRun[],
  { at, result, critMs }: { at: number; result: ProbeResult; critMs: number | undefined },
): readonly LatencyRun[] => {
  if (critMs === undefined) return [];
  const isPass = result.outcome === "ok" || result.outcome === "degraded";
  const all = isPass ? [...runs, { at, latencyMs: result.latencyMs }] : runs;
  const firstFresh = all.findIndex((run) => run.at > at - LATENCY_WINDOW_MS);
  const start = Math.min(firstFresh < 0 ? all.length : firstFresh, Math.max(0, all.length - LATENCY_RUNS_MIN));
  return all.slice(Math.max(start, all.length - LATENCY_RUNS_MAX));
};

const applyLatency = (result: ProbeResult, runs: readonly LatencyRun[], { latencyCritMs, onSlow }: JudgeRules["probe"]) => {
  if (latencyCritMs === undefined || result.outcome !== "ok" || !isSlow(runs, latencyCritMs)) return result;
  const facts = { ...result.facts, latencyP90Ms: p90(runs) };
  return { ...result, outcome: onSlow === "fail" ? "fail" : "degraded", reason: "latency", facts } satisfies ProbeResult;
};

const isSlow = (runs: readonly LatencyRun[], critMs: number): boolean =>
  runs.length >= LATENCY_RUNS_MIN && p90(runs) > critMs && runs.filter((run) => run.latencyMs > critMs).length >= 2;

/** Nearest rank: the smallest value with at least 90 % of the runs at or below it. */
const p90 = (runs: readonly LatencyRun[]): number => {
  const sorted = runs.map((run) => run.latencyMs).sort((a, b) => a - b);
  return sorted[Math.ceil(0.9 * sorted.length) - 1]!;
};
