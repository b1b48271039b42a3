/**
 * Which results count now. Pure. First step of castings (cast.ts).
 *
 * A result counts while it and its agent were heard of within the service's freshness limit. What is older is no evidence: never up, never
 * down. An agent that says that its own network is broken can't tell the target's fault from its own, so its failures are discarded;
 * its passes can't come from a broken network, so they count.
 */
import type { Instant, RegionId } from "@regent/contract";
import type { AgentEvidence, CheckEvidence, CheckSpec, ServiceSpec, Vantage } from "../model.ts";
import type { Seat, Seating } from "./seats.ts";

export type Opinion = "up" | "down";

/** One fresh result that may count. */
export interface Sighting {
  readonly seat: Seat;
  readonly row: CheckEvidence;
  readonly check: CheckSpec;
  /** null: fresh, but it can't judge (outcome unknown, no streak yet, or a failure seen by an agent that is itself unwell). */
  readonly opinion: Opinion | null;
}

export interface FreshInput {
  readonly spec: ServiceSpec;
  readonly region: RegionId;
  readonly seating: Seating;
  /** About this region of this service; at most one per agent and check. */
  readonly rows: readonly CheckEvidence[];
  readonly now: Instant;
}

/** The fresh results about one region of one service, from vantages that stand where the check asks for. Ordered by vantage and check. */
export const freshSightings = ({ spec, region, seating, rows, now }: FreshInput): readonly Sighting[] => {
  const sightings: Sighting[] = [];
  for (const row of rows) {
    const check = checkOf(spec, row.check);
    const seat = seating.seatByAgent.get(row.agent);
    if (check === undefined || seat === undefined || !isAsked(check, seat.vantage.region === region)) continue;
    if (now >= staleAtOf(row, seat.agent, spec.settings.freshnessMs) || !isSameVantage(row.vantage, seat.vantage)) continue;
    sightings.push({ seat, row, check, opinion: opinionOf(row, seat.agent) });
  }
  return isOrdered(sightings) ? sightings : sightings.sort(inOrder);
};

/** Rows are mostly kept as they came, agent by agent. */
const isOrdered = (sightings: readonly Sighting[]): boolean => {
  for (let at = 1; at < sightings.length; at += 1) if (inOrder(sightings[at - 1]!, sightings[at]!) > 0) return false;
  return true;
};

const inOrder = (a: Sighting, b: Sighting): number =>
  a.seat.vantage.rank - b.seat.vantage.rank || (a.check.id < b.check.id ? -1 : a.check.id > b.check.id ? 1 : 0);

const checkOf = ({ checks }: ServiceSpec, wanted: string): CheckSpec | undefined => {
  for (const check of checks) if (check.id === wanted) return check;
  return undefined;
};

/** From this moment on the first of them counts no more; infinite when there are none. */
export const firstStaleAt = (sightings: readonly Sighting[], { settings }: ServiceSpec): Instant =>
  sightings.reduce(
    (first, { row, seat }) => Math.min(first, staleAtOf(row, seat.agent, settings.freshnessMs)),
    Number.POSITIVE_INFINITY,
  );

/** Which of an agent's results vote for a region: the rest explains, scores or pages. */
export const isVoting = (check: CheckSpec): boolean => check.criticality === "critical" && check.scope === "region";

/** Whether the check is meant to be run from inside the target's region, or from elsewhere. */
export const isAsked = (check: CheckSpec, isInside: boolean): boolean =>
  check.from === "everywhere" || check.from === (isInside ? "inside" : "outside");

/** First moment at which the result, or the agent's word that nothing changed, is older than the limit. 0: it never was fresh. */
export const staleAtOf = (row: CheckEvidence, agent: AgentEvidence, freshnessMs: number): Instant =>
  agent.heardAt === null ? 0 : Math.min(row.at, agent.heardAt) + freshnessMs + 1;

const opinionOf = (row: CheckEvidence, agent: AgentEvidence): Opinion | null => {
  if (row.outcome === "unknown" || row.streak.state === "unknown") return null;
  const isFailing = row.streak.state === "down" || row.outcome === "fail";
  if (isFailing && !agent.selfHealthy) return null;
  return row.streak.state;
};

/** An agent that was moved takes its old results to the grave: they were seen from elsewhere. */
const isSameVantage = (a: Vantage, b: Vantage): boolean => a.region === b.region && a.network === b.network;

/** The newest result of every (agent, vantage, service, region, check). */
export const newestOf = (rows: readonly CheckEvidence[]): readonly CheckEvidence[] => {
  const newest = new Map<string, CheckEvidence>();
  for (const row of rows) {
    const { agent, vantage, service, region, check } = row;
    const key = [agent, vantage.region, vantage.network, service, region, check].join(" ");
    const known = newest.get(key);
    if (known === undefined || isNewer(row, known)) newest.set(key, row);
  }
  return [...newest.values()];
};

/** Any total order would do to make equal lists give equal answers; of two results of one moment the one that failed later counts. */
const isNewer = (a: CheckEvidence, b: CheckEvidence): boolean =>
  a.at !== b.at ? a.at > b.at : a.since !== b.since ? a.since > b.since : a.streak.failures > b.streak.failures;
