/** What automation moved, of one service and of all: the measure of A9, A10, A11, A16, A17 and A18. What counts as one incident says incidents.ts. Pure. */
import type { Instant, RegionId, ServiceId, Verdict, Vote, Weights } from "@regent/contract";
import type { Departure, HealthMemory, Proposal, ServiceDeparture, Situation, Surroundings, TrafficMemory } from "../model.ts";
import { partsOf } from "../strategy/parts.ts";

/** The budget of a day asks no further back. */
export const DEPARTURES_KEPT_MS = 86_400_000;
/** As many as a budget may name; as many voluntary moves beside them, so that the one kind never pushes the other out. */
export const DEPARTURES_KEPT = 50;
/**
 * Another service's region counts as out for so long after it was left for the last time there. A small service whose region nobody mends would else take
 * automation from all others for ever; what is new and wide is seen well within it.
 */
const OTHERS_OUT_MS = 3_600_000;
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

// ------------------------------------------------------------------------------------------------ beyond one service

export interface Neighbour {
  readonly service: ServiceId;
  readonly traffic: TrafficMemory;
  readonly health: Readonly<Record<RegionId, HealthMemory>>;
}

/** What these services did. */
export const surroundingsOf = (neighbours: Iterable<Neighbour>, now: Instant): Omit<Surroundings, "releases" | "declaredAt"> => {
  const departures: ServiceDeparture[] = [];
  const regionsOut = new Set<RegionId>();
  for (const { service, traffic, health } of neighbours) {
    for (const departure of traffic.departures)
      if (isForced(departure) && now - departure.at < DEPARTURES_KEPT_MS) departures.push({ ...departure, service });
    for (const region of regionsOutWithin(traffic, health, now - OTHERS_OUT_MS)) regionsOut.add(region);
  }
  return { departures, regionsOut: [...regionsOut].sort() };
};

/** A service's own regions that automation left, and that aren't fit again: for as long as they are bad, as far as a day's memory reaches. */
export const regionsStillOut = (
  traffic: TrafficMemory,
  health: Readonly<Record<RegionId, HealthMemory>>,
  now: Instant,
): readonly RegionId[] => regionsOutWithin(traffic, health, now - DEPARTURES_KEPT_MS);

const regionsOutWithin = (
  { departures }: TrafficMemory,
  health: Readonly<Record<RegionId, HealthMemory>>,
  after: Instant,
): readonly RegionId[] =>
  unique(departures.filter(({ at }) => at > after).flatMap(({ left }) => left)).filter((region) => isStillBad(health[region]));

/** Falling silent doesn't make it well. */
export const isStillBad = (health: HealthMemory | undefined): boolean => {
  const verdict = health?.verdict === "unknown" ? health.before : health?.verdict;
  return verdict === "unhealthy" || verdict === "recovering";
};

const unique = (texts: readonly string[]): readonly string[] => (texts.length > 1 ? [...new Set(texts)].sort() : texts);
