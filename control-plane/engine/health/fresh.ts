/**
 * Which results count now. Pure. First step of assess (view.ts) and of findSuspects (suspect.ts).
 *
 * A result counts while it and its agent were heard of within the service's freshness limit. What is older is no evidence: never up, never
 * down. An agent that says that its own network is broken can't tell the target's fault from its own, so its failures are discarded;
 * its passes can't come from a broken network, so they count.
 */
import type { Instant, RegionId } from "@regent/contract";
import type { AgentEvidence, CheckEvidence, CheckSpec, ServiceSpec, Vantage } from "../model.ts";
import { groupBy } from "./group-by.ts";
import { oncePer } from "./once.ts";

export type Opinion = "up" | "down";

/** One fresh result that may count. */
export interface Sighting {
  /** Of the vantage that it was seen from. */
  readonly vantageId: string;
  readonly row: CheckEvidence;
  readonly check: CheckSpec;
  readonly isInside: boolean;
  /** null: fresh, but it can't judge (outcome unknown, no streak yet, or a failure seen by an agent that is itself unwell). */
  readonly opinion: Opinion | null;
  /** From this moment on the result counts no more. */
  readonly staleAt: Instant;
}

/** An agent with its vantage's name, which is built once and not per result. */
export interface Seat {
  readonly agent: AgentEvidence;
  readonly vantageId: string;
}

export interface FreshInput {
  readonly spec: ServiceSpec;
  readonly region: RegionId;
  readonly seatByAgent: ReadonlyMap<string, Seat>;
  readonly rows: readonly CheckEvidence[];
  readonly suspects: ReadonlySet<string>;
  readonly now: Instant;
}

/**
 * The fresh results about one region of one service, from vantages that are not suspect and that stand where the check asks for. Lists may
 * hold duplicates in any order: the newest result of an (agent, check) counts.
 */
export const freshSightings = ({ spec, region, seatByAgent, rows, suspects, now }: FreshInput): readonly Sighting[] => {
  const checkById = new Map(spec.checks.map((check) => [check.id, check]));
  const sightingsByAgent = new Map<string, Sighting[]>();
  for (const row of rowsByRegion(rows).get(region) ?? []) {
    if (row.service !== spec.id) continue;
    const check = checkById.get(row.check);
    const seat = seatByAgent.get(row.agent);
    if (check === undefined || seat === undefined || suspects.has(seat.vantageId)) continue;
    const { agent, vantageId } = seat;
    const isInside = agent.vantage.region === region;
    const staleAt = staleAtOf(row, agent, spec.settings.freshnessMs);
    if (now >= staleAt || !isAsked(check, isInside) || !isSameVantage(row.vantage, agent.vantage)) continue;
    addNewest(sightingsByAgent, { vantageId, row, check, isInside, opinion: opinionOf(row, agent), staleAt });
  }
  return [...sightingsByAgent.values()].flat();
};

/** Every region of a service is read from the same list. */
const rowsByRegion = oncePer((rows: readonly CheckEvidence[]) => groupBy(rows, ({ region }) => region));

/** Lists are as short as the service has checks, so that a search costs less than a key for every result. */
const addNewest = (sightingsByAgent: Map<string, Sighting[]>, sighting: Sighting): void => {
  const { agent, check } = sighting.row;
  const own = sightingsByAgent.get(agent);
  if (own === undefined) {
    sightingsByAgent.set(agent, [sighting]);
    return;
  }
  const index = own.findIndex(({ row }) => row.check === check);
  if (index < 0) own.push(sighting);
  else if (isNewer(sighting.row, own[index]!.row)) own[index] = sighting;
};

/** Which of an agent's results vote for a region: the rest explains, scores or pages. */
export const isVoting = (check: CheckSpec): boolean => check.criticality === "critical" && check.scope === "region";

/** Whether the check is meant to be run from inside the target's region, or from elsewhere. */
export const isAsked = (check: CheckSpec, isInside: boolean): boolean =>
  check.from === "everywhere" || check.from === (isInside ? "inside" : "outside");

/** One seat per agent, as it was when heard of last. */
export const seatAgents = oncePer((agents: readonly AgentEvidence[]): ReadonlyMap<string, Seat> => {
  const seats = new Map<string, Seat>();
  for (const agent of agents) {
    const known = seats.get(agent.agent)?.agent;
    if (known === undefined || isHeardLater(agent, known))
      seats.set(agent.agent, { agent, vantageId: vantageIdOf(agent.vantage) });
  }
  return seats;
});

/** Of two entries heard of at one moment the unwell one counts. */
const isHeardLater = (a: AgentEvidence, b: AgentEvidence): boolean =>
  a.heardAt === b.heardAt ? !a.selfHealthy && b.selfHealthy : (a.heardAt ?? -1) > (b.heardAt ?? -1);

/** `region/network`, the vantage's name in votes, suspects and sentences. */
const vantageIdOf = ({ region, network }: Vantage): string => `${region}/${network}`;

/** First moment at which the result, or the agent's word that nothing changed, is older than the limit. 0: it never was fresh. */
const staleAtOf = (row: CheckEvidence, agent: AgentEvidence, freshnessMs: number): Instant =>
  agent.heardAt === null ? 0 : Math.min(row.at, agent.heardAt) + freshnessMs + 1;

const opinionOf = (row: CheckEvidence, agent: AgentEvidence): Opinion | null => {
  if (row.outcome === "unknown" || row.streak.state === "unknown") return null;
  const isFailing = row.streak.state === "down" || row.outcome === "fail";
  if (isFailing && !agent.selfHealthy) return null;
  return row.streak.state;
};

/** Any total order would do to make equal lists give equal answers; of two results of one moment the one that failed later counts. */
const isNewer = (a: CheckEvidence, b: CheckEvidence): boolean =>
  a.at !== b.at ? a.at > b.at : a.since !== b.since ? a.since > b.since : a.streak.failures > b.streak.failures;

/** An agent that was moved takes its old results to the grave: they were seen from elsewhere. */
const isSameVantage = (a: Vantage, b: Vantage): boolean => a.region === b.region && a.network === b.network;
