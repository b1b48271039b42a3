/**
 * Which results count now. Pure. First step of assess (view.ts) and of findSuspects (suspect.ts).
 *
 * A result counts while it and its agent were heard of within the service's freshness limit. What is older is no evidence: never up, never
 * down. An agent that says that its own network is broken can't tell the target's fault from its own, so its failures are discarded;
 * its passes can't come from a broken network, so they count.
 */
import type { Instant, RegionId } from "@regent/contract";
import type { AgentEvidence, CheckEvidence, CheckSpec, ServiceSpec, Vantage } from "../model.ts";

export type Opinion = "up" | "down";

/** One fresh result that may count. */
export interface Sighting {
  readonly row: CheckEvidence;
  readonly check: CheckSpec;
  readonly isInside: boolean;
  /** null: fresh, but it can't judge (outcome unknown, no streak yet, or a failure seen by an agent that is itself unwell). */
  readonly opinion: Opinion | null;
  /** From this moment on the result counts no more. */
  readonly staleAt: Instant;
}

export interface FreshInput {
  readonly spec: ServiceSpec;
  readonly region: RegionId;
  readonly agentById: ReadonlyMap<string, AgentEvidence>;
  readonly rows: readonly CheckEvidence[];
  readonly suspects: ReadonlySet<string>;
  readonly now: Instant;
}

/** `region/network`, the vantage's name in votes, suspects and sentences. */
export const vantageId = ({ region, network }: Vantage): string => `${region}/${network}`;

/**
 * The fresh results about one region of one service, from vantages that are not suspect and that stand where the check asks for. Lists may
 * hold duplicates in any order: the newest result of an (agent, check) counts.
 */
export const freshSightings = ({ spec, region, agentById, rows, suspects, now }: FreshInput): readonly Sighting[] => {
  const checkById = new Map(spec.checks.map((check) => [check.id, check]));
  const sightings = new Map<string, Sighting>();
  for (const row of rows) {
    if (row.region !== region || row.service !== spec.id) continue;
    const check = checkById.get(row.check);
    const agent = agentById.get(row.agent);
    if (check === undefined || agent === undefined) continue;
    if (!isSameVantage(row.vantage, agent.vantage) || suspects.has(vantageId(agent.vantage))) continue;
    const isInside = agent.vantage.region === region;
    const staleAt = staleAtOf(row, agent, spec.settings.freshnessMs);
    if (!isAsked(check, isInside) || now >= staleAt) continue;
    const key = `${row.agent}/${row.check}`;
    const known = sightings.get(key);
    if (known !== undefined && !isNewer(row, known.row)) continue;
    sightings.set(key, { row, check, isInside, opinion: opinionOf(row, agent), staleAt });
  }
  return [...sightings.values()];
};

/** Which of an agent's results vote for a region: the rest explains, scores or pages. */
export const isVoting = (check: CheckSpec): boolean => check.criticality === "critical" && check.scope === "region";

/** Whether the check is meant to be run from inside the target's region, or from elsewhere. */
export const isAsked = (check: CheckSpec, isInside: boolean): boolean =>
  check.from === "everywhere" || check.from === (isInside ? "inside" : "outside");

/** One entry per agent, the newest heard of. */
export const newestAgentById = (agents: readonly AgentEvidence[]): ReadonlyMap<string, AgentEvidence> => {
  const byId = new Map<string, AgentEvidence>();
  for (const agent of agents) {
    const known = byId.get(agent.agent);
    if (known === undefined || (agent.heardAt ?? -1) > (known.heardAt ?? -1)) byId.set(agent.agent, agent);
  }
  return byId;
};

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
