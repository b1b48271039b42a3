/** What a strategy may know of a region: the verdict, how much of it to trust, and what operators said. Pure. */
import type { RegionId, RegionVerdict } from "@regent/contract";
import type { EndpointSpec, FamilySpec, HealthMemory, Situation } from "../model.ts";
import { heldShares } from "./parts.ts";

export interface Candidate {
  readonly region: RegionId;
  /** 1 is preferred. */
  readonly priority: number;
  readonly capacity: number;
  readonly headroom: number;
  readonly health: HealthMemory;
  readonly verdict: RegionVerdict;
  readonly isDrained: boolean;
  /** Part of the family's traffic that DNS gives it now, 0..1. */
  readonly held: number;
}

/** Healthy or degraded: may keep traffic, and may get more of it. */
export const isFit = ({ health, isDrained }: Candidate): boolean =>
  !isDrained && (health.verdict === "healthy" || health.verdict === "degraded");

/** Fit, and the evidence of this moment doesn't speak against it: traffic may land here. */
export const canReceive = (candidate: Candidate): boolean =>
  isFit(candidate) && (candidate.verdict.evidence === "good" || candidate.verdict.evidence === "soft");

/**
 * Known to be bad, or back but not yet trusted. `unknown` is neither: silence moves nothing. Nor is a region that kept its traffic while it was bad
 * (nobody could take it, or automation was off) and is well again: to leave it now would move traffic for a fault that is over.
 */
export const isOut = ({ health, verdict, held }: Candidate): boolean =>
  health.verdict === "unhealthy" || (health.verdict === "recovering" && !(held > 0 && verdict.evidence === "good"));

/** A person or a schedule wants no traffic here, whatever its health. */
export const isSetAside = ({ health, isDrained }: Candidate): boolean => isDrained || health.verdict === "maintenance";

/** Nobody can tell, or not yet (bad evidence that is still on hold): it keeps what it has and gets no more. */
export const isUndecided = (candidate: Candidate): boolean =>
  !isOut(candidate) && !isSetAside(candidate) && !canReceive(candidate);

/** One family's candidates in order of priority; a family may override priority and capacity. */
export const candidatesOf = (situation: Situation, family: FamilySpec): readonly Candidate[] => {
  const held = heldShares(situation, family.id);
  return situation.spec.endpoints
    .map((endpoint) => toCandidate(situation, family, endpoint, held[endpoint.region] ?? 0))
    .sort((a, b) => a.priority - b.priority || (a.region < b.region ? -1 : 1));
};

const toCandidate = (situation: Situation, family: FamilySpec, endpoint: EndpointSpec, held: number): Candidate => {
  const { region } = endpoint;
  const health = situation.health[region];
  const verdict = situation.verdicts.find((v) => v.region === region);
  if (!health || !verdict) throw new Error(`no verdict for ${situation.spec.id} in ${region}`);
  return {
    region,
    priority: family.priority[region] ?? endpoint.priority,
    capacity: family.capacity[region] ?? endpoint.capacity,
    headroom: endpoint.headroom,
    health,
    verdict,
    isDrained: situation.controls.drained[region] !== undefined,
    held,
  };
};
