/**
 * What automation moved, and what counts as one incident: the measure of A9, A10, A11, A17 and A18. Two hundred services that leave one dead region
 * are one incident. Pure.
 */
import type { Instant, RegionId, Weights } from "@regent/contract";
import type { Departure, HealthMemory, Proposal, Situation, Surroundings, TrafficMemory } from "../model.ts";
import { partsOf } from "../strategy/parts.ts";

/** The budget of a day asks no further back. */
export const DEPARTURES_KEPT_MS = 86_400_000;
/** As many as a budget may name. */
export const DEPARTURES_KEPT = 50;
/** Departures of one region that follow each other within this belong to one incident. */
export const INCIDENT_GAP_MS = 600_000;
/** A vantage's sentence may hold what a target answered. */
const FINDING_LENGTH_MAX = 200;

/** The service's own with this move of automation added; what no rule asks for any more is dropped. */
export const departuresAfter = (situation: Situation, proposal: Proposal): readonly Departure[] => {
  const { spec, traffic, verdicts, now } = situation;
  const isFailover = proposal.kind === "failover";
  if (!isFailover && proposal.kind !== "rebalance") return traffic.departures;
  const left = isFailover ? proposal.leaves : [];
  const against = verdicts.filter(({ region }) => left.includes(region)).flatMap(({ votes }) => votes);
  const down = against.filter(({ vote }) => vote === "down");
  const departure: Departure = {
    at: now,
    left,
    received: proposal.gains,
    moved: movedPart(proposal.weightsBefore, proposal.weightsAfter),
    vantages: unique(down.map(({ vantage }) => vantage)),
    findings: unique(down.map(({ because }) => toFinding(because))),
  };
  const isKept = ({ at, left: regions }: Departure): boolean =>
    now - at < (regions.length > 0 ? DEPARTURES_KEPT_MS : Math.max(spec.safety.removedMs, spec.settings.rampStepMs));
  return [...traffic.departures.filter(isKept), departure].slice(-DEPARTURES_KEPT);
};

/** `web down (tcp_refused) since 03:11:56Z`: without its moment, so that the same finding is the same text. */
export const toFinding = (because: string): string => because.replace(/ since .*$/, "").slice(0, FINDING_LENGTH_MAX);

/** Part of the traffic that changes its place, 0..1: half the sum of the differences, of the family that moves most. */
export const movedPart = (before: Weights, after: Weights): number =>
  Math.max(
    0,
    ...Object.entries(after).map(([family, weights]) => {
      const old = partsOf(before[family] ?? {});
      const next = partsOf(weights);
      const regions = unique([...Object.keys(old), ...Object.keys(next)]);
      return regions.reduce((sum, region) => sum + Math.abs((next[region] ?? 0) - (old[region] ?? 0)), 0) / 2;
    }),
  );

/** One cause at one region, by its departures. */
export interface Incident {
  readonly region: RegionId;
  readonly from: Instant;
  readonly to: Instant;
}

/** Oldest first. */
export const incidentsOf = (departures: readonly Departure[]): readonly Incident[] => {
  const incidents: Incident[] = [];
  const open = new Map<RegionId, number>();
  const moments = departures.flatMap(({ at, left }) => left.map((region) => ({ at, region }))).sort((a, b) => a.at - b.at);
  for (const { at, region } of moments) {
    const index = open.get(region);
    const last = index === undefined ? undefined : incidents[index];
    if (index !== undefined && last && at - last.to <= INCIDENT_GAP_MS) incidents[index] = { ...last, to: at };
    else open.set(region, incidents.push({ region, from: at, to: at }) - 1);
  }
  return incidents;
};

/** Whether leaving this region now belongs to an incident in which automation has acted before. */
export const isSameIncident = (incident: Incident, region: RegionId, now: Instant): boolean =>
  incident.region === region && now - incident.to <= INCIDENT_GAP_MS;

export interface Neighbour {
  readonly service: string;
  readonly traffic: TrafficMemory;
  readonly health: Readonly<Record<RegionId, HealthMemory>>;
}

/** What these services did. */
export const surroundingsOf = (
  neighbours: Iterable<Neighbour>,
  now: Instant,
): Omit<Surroundings, "releasedAt" | "declaredAt"> => {
  const departures: Departure[] = [];
  const regionsOut = new Set<RegionId>();
  for (const { traffic, health } of neighbours)
    for (const departure of traffic.departures) {
      if (now - departure.at >= DEPARTURES_KEPT_MS || departure.left.length === 0) continue;
      departures.push(departure);
      for (const region of departure.left) if (isStillBad(health[region])) regionsOut.add(region);
    }
  return { departures, regionsOut: [...regionsOut].sort() };
};

export const isStillBad = (health: HealthMemory | undefined): boolean =>
  health !== undefined && (health.verdict === "unhealthy" || health.verdict === "recovering");

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)].sort();
