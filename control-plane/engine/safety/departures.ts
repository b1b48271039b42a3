/**
 * What automation moved, and what counts as one incident: the measure of A9, A10, A11, A16, A17 and A18. Two hundred services that leave one dead
 * region are one incident. Pure.
 */
import type { Instant, RegionId, Verdict, Vote, Weights } from "@regent/contract";
import type { Departure, HealthMemory, Proposal, Situation, Surroundings, TrafficMemory } from "../model.ts";
import { partsOf } from "../strategy/parts.ts";

/** The budget of a day asks no further back. */
export const DEPARTURES_KEPT_MS = 86_400_000;
/** As many as a budget may name; as many voluntary moves beside them, so that the one kind never pushes the other out. */
export const DEPARTURES_KEPT = 50;
/**
 * Departures from one region within this of the first belong to one incident. Counted from the first, not from the last: two regions that take turns
 * in failing every few minutes would else be two incidents for ever.
 */
export const INCIDENT_MS = 600_000;
/** A vantage's sentence may hold what a target answered. */
const FINDING_LENGTH_MAX = 200;

/** Regions that this leaves for a fault. A drained or maintained region that goes in the same batch isn't one. */
export const faultsLeft = ({ kind, leaves }: Proposal, { health }: Situation): readonly RegionId[] =>
  kind === "failover" ? leaves.filter((region) => isFaulty(health[region]?.verdict)) : [];

const isFaulty = (verdict: Verdict | undefined): boolean =>
  verdict === "unhealthy" || verdict === "recovering" || verdict === "degraded";

/** The service's own with this move of automation added; what no rule asks for any more is dropped. Returns and drains aren't counted. */
export const departuresAfter = (situation: Situation, proposal: Proposal): readonly Departure[] => {
  const { spec, traffic, now } = situation;
  if (proposal.kind !== "failover" && proposal.kind !== "rebalance") return traffic.departures;
  const voluntaryKeptMs = Math.max(spec.safety.removedMs, spec.settings.rampStepMs);
  const isKept = (one: Departure): boolean => now - one.at < (isVoluntary(one) ? voluntaryKeptMs : DEPARTURES_KEPT_MS);
  const all = [...traffic.departures.filter(isKept), departureOf(situation, proposal)];
  const kept = [...all.filter(isVoluntary).slice(-DEPARTURES_KEPT), ...all.filter(isForced).slice(-DEPARTURES_KEPT)];
  return kept.sort((a, b) => a.at - b.at);
};

const departureOf = (situation: Situation, proposal: Proposal): Departure => {
  const left = faultsLeft(proposal, situation);
  return {
    at: situation.now,
    left,
    received: proposal.gains,
    moved: movedPart(proposal.weightsBefore, proposal.weightsAfter),
    vantages: accusersOf(situation, left),
    findings: findingsAgainst(situation, left),
  };
};

/** Between fit regions: nobody was left for a fault. */
export const isVoluntary = ({ left }: Departure): boolean => left.length === 0;
const isForced = (departure: Departure): boolean => !isVoluntary(departure);

/** Vantages that speak against these regions now, sorted. */
export const accusersOf = (situation: Situation, regions: readonly RegionId[]): readonly string[] =>
  unique(votesAgainst(situation, regions).map(({ vantage }) => vantage));

/** What they say, once each, sorted. */
export const findingsAgainst = (situation: Situation, regions: readonly RegionId[]): readonly string[] =>
  unique(unique(votesAgainst(situation, regions).map(({ because }) => because)).flatMap(toFindings));

const votesAgainst = ({ verdicts }: Situation, regions: readonly RegionId[]): readonly Vote[] =>
  verdicts.flatMap(({ region, votes }) => (regions.includes(region) ? votes.filter(({ vote }) => vote === "down") : []));

/** `web down (tcp_refused) since 03:11:56Z, db down since …`: one text for each check, without its moment, so that the same finding is the same text. */
export const toFindings = (because: string): readonly string[] =>
  because.split(", ").map((one) => one.replace(/ since \d\d:\d\d:\d\dZ/g, "").slice(0, FINDING_LENGTH_MAX));

/** Part of the traffic that changes its place, 0..1: half the sum of the differences, of the family that moves most. */
export const movedPart = (before: Weights, after: Weights): number => {
  let most = 0;
  for (const family in after) {
    const old = partsOf(before[family] ?? {});
    const next = partsOf(after[family] ?? {});
    let sum = 0;
    for (const region in old) sum += Math.abs((next[region] ?? 0) - (old[region] ?? 0));
    for (const region in next) if (old[region] === undefined) sum += next[region] ?? 0;
    most = Math.max(most, sum / 2);
  }
  return most;
};

// ------------------------------------------------------------------------------------------------ incidents

/** One cause at one region, by its departures. */
export interface Incident {
  readonly region: RegionId;
  /** Its first departure. */
  readonly from: Instant;
}

/** By their beginning. A departure that is listed twice is one. */
export const incidentsOf = (departures: readonly Departure[]): readonly Incident[] => {
  const incidents: Incident[] = [];
  const last = new Map<RegionId, Instant>();
  for (const { at, region } of momentsOf(departures)) {
    const from = last.get(region);
    if (from !== undefined && at - from <= INCIDENT_MS) continue;
    last.set(region, at);
    incidents.push({ region, from: at });
  }
  return incidents;
};

const momentsOf = (departures: readonly Departure[]): readonly { readonly at: Instant; readonly region: RegionId }[] =>
  departures
    .flatMap(({ at, left }) => left.map((region) => ({ at, region })))
    .sort((a, b) => a.at - b.at || (a.region < b.region ? -1 : 1));

/** Whether leaving this region now belongs to an incident in which automation has acted before. */
export const isSameIncident = (incident: Incident, region: RegionId, now: Instant): boolean =>
  incident.region === region && now - incident.from <= INCIDENT_MS;

/** No memory but of what was worked out: the same list answers the same, and a round asks it for each of a thousand services. */
const incidentsByList = new WeakMap<readonly Departure[], readonly Incident[]>();

/** Everybody's incidents, this service's own among them, whether they are among its surroundings yet or not. */
export const allIncidents = ({ surroundings, traffic }: Situation): readonly Incident[] => {
  const known = incidentsByList.get(surroundings.departures) ?? incidentsOf(surroundings.departures);
  incidentsByList.set(surroundings.departures, known);
  const isKnown = ({ region, from }: Incident): boolean =>
    known.some((one) => one.region === region && Math.abs(one.from - from) <= INCIDENT_MS);
  const own = incidentsOf(traffic.departures).filter((incident) => !isKnown(incident));
  return own.length === 0 ? known : [...known, ...own].sort((a, b) => a.from - b.from);
};

// ------------------------------------------------------------------------------------------------ beyond one service

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
  for (const { traffic, health } of neighbours) {
    for (const departure of traffic.departures)
      if (isForced(departure) && now - departure.at < DEPARTURES_KEPT_MS) departures.push(departure);
    for (const region of regionsStillOut(traffic, health, now)) regionsOut.add(region);
  }
  return { departures, regionsOut: [...regionsOut].sort() };
};

/** Regions that automation left within a day and that aren't fit again. */
export const regionsStillOut = (
  { departures }: TrafficMemory,
  health: Readonly<Record<RegionId, HealthMemory>>,
  now: Instant,
): readonly RegionId[] => {
  const left = departures.filter(({ at }) => now - at < DEPARTURES_KEPT_MS).flatMap((departure) => departure.left);
  return unique(left).filter((region) => isStillBad(health[region]));
};

/** Falling silent doesn't make it well. */
export const isStillBad = (health: HealthMemory | undefined): boolean => {
  const verdict = health?.verdict === "unknown" ? health.before : health?.verdict;
  return verdict === "unhealthy" || verdict === "recovering";
};

const unique = (texts: readonly string[]): readonly string[] => (texts.length > 1 ? [...new Set(texts)].sort() : texts);
