/**
 * The score, 0 to 100: for display and proportions, never for `unhealthy`. Pure. Called by view.ts and verdict.ts. Algorithms 1.8, with
 * what the evidence holds:
 *
 *   s(result)  = success * (0.5 + 0.5 * speed)
 *   success    = 0 when down, else 1 - failures not yet forgiven / fall
 *   speed      = 1 - clamp((latency - warn) / (crit - warn), 0, 1); with no `latencyWarn`, 1 below `latencyCrit` and 0 from it on; else 1
 *   s(check)   = mean over vantages of the mean over the vantage's agents, so that many agents in one room don't outvote the others
 *   base       = 100 * sum(weight * s) / sum(weight), weight = declared weight * (critical 3, major 1, minor 0.25)
 *   gate       = 0 when the outside view or the inside view is DOWN
 *   caps       = 60 when a major check is down at two vantages on two networks; 70 when the outside is MIXED or weakly down, or the inside
 *                SINGLE; 90 when the inside is silent; 40 while suppressed (applied to the shown score only, see toRegionVerdict)
 *
 * Checks of scope `shared`, stale results and those that can't judge don't enter. null when nothing enters: missing evidence is never 0.
 */
import type { InsideView, OutsideView } from "@regent/contract";
import type { CheckSpec, ServiceSpec } from "../model.ts";
import type { Degradation } from "./degradation.ts";
import type { Sighting } from "./fresh.ts";
import { groupBy } from "./group-by.ts";

/** What a suppressed region shows at most. */
export const SCORE_SUPPRESSED_MAX = 40;

const CRITICALITY_WEIGHT = { critical: 3, major: 1, minor: 0.25 } as const;
const SCORE_MAJOR_DOWN_MAX = 60;
const SCORE_DOUBTED_MAX = 70;
const SCORE_BLIND_MAX = 90;

export interface ScoreInput {
  readonly spec: ServiceSpec;
  readonly sightings: readonly Sighting[];
  readonly inside: InsideView;
  readonly outside: OutsideView;
  readonly degradations: readonly Degradation[];
}

/** A whole number 0..100, or null. */
export const scoreOf = ({ spec, sightings, inside, outside, degradations }: ScoreInput): number | null => {
  const judged = sightings.every(isJudged) ? sightings : sightings.filter(isJudged);
  if (judged.length === 0) return null;
  if (outside === "down" || inside === "down") return 0;
  const isMajorDown = degradations.some(({ what, isHard }) => what === "major-down" && isHard);
  const isDoubted = outside === "mixed" || outside === "weak-down" || inside === "single";
  const cap = Math.min(
    isMajorDown ? SCORE_MAJOR_DOWN_MAX : 100,
    isDoubted ? SCORE_DOUBTED_MAX : 100,
    inside === "silent" ? SCORE_BLIND_MAX : 100,
  );
  return Math.round(Math.min(baseOf(judged, spec.settings.fall), cap));
};

const isJudged = ({ opinion, check }: Sighting): boolean => opinion !== null && check.scope === "region";

const baseOf = (judged: readonly Sighting[], fall: number): number => {
  // By far the most frequent case, and the sums below would give the same.
  if (judged.every((one) => scoreOfSighting(one, fall) === 1)) return 100;
  let sum = 0;
  let weights = 0;
  const judgedByCheck = groupBy(judged, ({ check }) => check.id);
  for (const id of [...judgedByCheck.keys()].sort()) {
    const own = judgedByCheck.get(id)!;
    const { check } = own[0]!;
    const weight = check.weight * CRITICALITY_WEIGHT[check.criticality];
    const byVantage = [...groupBy(own, ({ seat }) => seat.vantage.id).values()];
    sum += weight * mean(byVantage.map((agents) => mean(agents.map((one) => scoreOfSighting(one, fall)))));
    weights += weight;
  }
  return (100 * sum) / weights;
};

const scoreOfSighting = ({ row, check, opinion }: Sighting, fall: number): number => {
  if (opinion === "down") return 0;
  const success = 1 - Math.min(row.streak.failures / fall, 1);
  return success * (0.5 + 0.5 * speedOf(row.latencyMs, check));
};

const speedOf = (latencyMs: number, { latencyWarnMs, latencyCritMs }: CheckSpec): number => {
  if (latencyCritMs === undefined) return 1;
  if (latencyWarnMs === undefined || latencyWarnMs >= latencyCritMs) return latencyMs < latencyCritMs ? 1 : 0;
  return 1 - clamp((latencyMs - latencyWarnMs) / (latencyCritMs - latencyWarnMs), 0, 1);
};

/** Sorted before adding: floating-point sums depend on the order, and the order of evidence must not show. */
const mean = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b).reduce((sum, value) => sum + value, 0) / values.length;

export const clamp = (value: number, min: number, max: number): number => Math.min(Math.max(value, min), max);
