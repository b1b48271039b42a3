/**
 * Findings that make a region `degraded` and never `unhealthy`: a slow check, or a major check that is down. Pure. Called by view.ts.
 *
 * The same finding at two vantages on two networks is hard: it may lower the traffic. By fewer it is soft: shown, never acted on. Inside
 * and outside vantages count alike. Checks of scope `shared` and minor checks are never a finding.
 */
import type { ServiceSpec } from "../model.ts";
import type { Sighting } from "./fresh.ts";
import { groupBy } from "./group-by.ts";

export interface Degradation {
  readonly check: string;
  readonly what: "slow" | "major-down";
  readonly vantages: number;
  readonly isHard: boolean;
}

/** `sightings`: all fresh ones of the region. Ordered by check. */
export const findDegradations = (sightings: readonly Sighting[], spec: ServiceSpec): readonly Degradation[] => {
  if (!sightings.some((one) => isSlow(one) || isMajorDown(one))) return [];
  const judged = sightings.filter(
    ({ check, opinion }) => opinion !== null && check.scope === "region" && check.criticality !== "minor",
  );
  const found: Degradation[] = [];
  const sightingsByCheck = groupBy(judged, ({ check }) => check.id);
  for (const check of [...sightingsByCheck.keys()].sort()) {
    const own = sightingsByCheck.get(check)!;
    found.push(...toDegradation({ check, what: "major-down", sightings: own, isFound: isMajorDown, spec }));
    found.push(...toDegradation({ check, what: "slow", sightings: own, isFound: isSlow, spec }));
  }
  return found;
};

const isSlow = ({ row, opinion }: Sighting): boolean =>
  opinion === "up" && row.outcome === "degraded" && row.reason === "latency";

const isMajorDown = ({ check, opinion }: Sighting): boolean => opinion === "down" && check.criticality === "major";

interface FindInput {
  readonly check: string;
  readonly what: Degradation["what"];
  readonly sightings: readonly Sighting[];
  readonly isFound: (sighting: Sighting) => boolean;
  readonly spec: ServiceSpec;
}

/** A vantage finds it when more than half of its agents that can judge do. */
const toDegradation = ({ check, what, sightings, isFound, spec }: FindInput): readonly Degradation[] => {
  const finders = [...groupBy(sightings, ({ seat }) => seat.vantage.id).values()].filter(
    (own) => own.filter(isFound).length * 2 > own.length,
  );
  if (finders.length === 0) return [];
  const networks = new Set(finders.map((own) => own[0]!.seat.vantage.network)).size;
  const isHard = finders.length >= 2 && networks >= Math.min(spec.quorumNetworks, 2);
  return [{ check, what, vantages: finders.length, isHard }];
};
