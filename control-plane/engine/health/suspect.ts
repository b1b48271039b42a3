/**
 * Finds vantages whose own network is the more likely fault: they fail half or more of their targets, across at least two services, and
 * nobody confirms it. They lose their vote until they see better. Pure. Called once for all services, before any region is assessed.
 *
 * A target is a region of a service; a vantage fails it when it votes down on any of its critical checks. Only failures that nobody
 * confirms are held against a vantage: when two of three regions truly die, every honest vantage fails most of its targets. Confirmed means
 * what the quorum of the service means: the vantages that fail the target stand on two networks (with `quorum.networks: 1`, at least two
 * agents see it) and, for a target in another region, in two regions where vantages of two other regions judge it. So a region that lost
 * its way out is suspect as a whole, though its two networks agree; and with only two regions, where nobody further away could confirm, a
 * region's death is still believed.
 */
import type { Instant, ServiceId } from "@regent/contract";
import type { AgentEvidence, CheckEvidence, ServiceSpec } from "../model.ts";
import type { Casting } from "./cast.ts";
import { castTarget } from "./cast.ts";
import { newestOf } from "./fresh.ts";
import { groupBy } from "./group-by.ts";
import { seatAgents } from "./seats.ts";
import type { Ballot } from "./votes.ts";
import { countNetworks, countRegions } from "./votes.ts";

/** Unconfirmed failures must touch so many services: one broken service says nothing about the vantage. */
const SERVICES_MIN = 2;
/** Part of its targets that a suspect fails without confirmation. */
const FAILING_PART_MIN = 0.5;

export interface SuspectInput {
  readonly agents: readonly AgentEvidence[];
  /** Of all services. Duplicates and order don't matter. */
  readonly checks: readonly CheckEvidence[];
  readonly services: readonly ServiceSpec[];
  readonly now: Instant;
}

/** `region/network` of every suspect vantage. */
export const findSuspects = ({ agents, checks, services, now }: SuspectInput): ReadonlySet<string> => {
  const seating = seatAgents(agents);
  const rowsByTarget = groupBy(newestOf(checks), ({ service, region }) => `${service}/${region}`);
  const marks = services.flatMap((spec) =>
    spec.endpoints.map(({ region }) => {
      const rows = rowsByTarget.get(`${spec.id}/${region}`) ?? [];
      return markVantages(castTarget({ spec, region, seating, rows, now }));
    }),
  );
  return suspectsIn(marks, () => marks);
};

/** What the votes on one target say about those who cast them: `region/network` of vantages. */
export interface Marks {
  readonly service: ServiceId;
  /** Who votes up or down. */
  readonly voters: readonly string[];
  /** Who of them votes down, and nobody confirms it. */
  readonly unconfirmed: readonly string[];
}

export const markVantages = (casting: Casting): Marks => ({
  service: casting.spec.id,
  voters: casting.ballots.filter(({ vote }) => vote !== "none").map(({ id }) => id),
  unconfirmed: unconfirmedIn(casting).map(({ id }) => id),
});

/**
 * `failing`: of all targets that anybody sees failing, and maybe of others. `all`: of all targets, each once; asked for only when failures
 * of two services are unconfirmed, which is rare: a dead region is confirmed.
 */
export const suspectsIn = (failing: readonly Marks[], all: () => readonly Marks[]): ReadonlySet<string> => {
  const marked = failing.filter(({ unconfirmed }) => unconfirmed.length > 0);
  if (new Set(marked.map(({ service }) => service)).size < SERVICES_MIN) return NOBODY;
  const targets = countTargets(all().map(({ voters }) => voters));
  const failed = countTargets(marked.map(({ unconfirmed }) => unconfirmed));
  const servicesOf = (vantage: string) =>
    new Set(marked.filter(({ unconfirmed }) => unconfirmed.includes(vantage)).map(({ service }) => service));
  return new Set(
    [...failed]
      .filter(([id, count]) => count >= targets.get(id)! * FAILING_PART_MIN && servicesOf(id).size >= SERVICES_MIN)
      .map(([id]) => id),
  );
};

const NOBODY: ReadonlySet<string> = new Set();

/** By vantage, in how many of the lists it stands. */
const countTargets = (lists: readonly (readonly string[])[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const vantages of lists) for (const vantage of vantages) counts.set(vantage, (counts.get(vantage) ?? 0) + 1);
  return counts;
};

const unconfirmedIn = ({ spec, region, ballots }: Casting): readonly Ballot[] => {
  const failing = ballots.filter(({ vote }) => vote === "down");
  if (failing.length === 0) return failing;
  const isSeenByOthers = spec.quorumNetworks < 2 ? countAgents(failing) >= 2 : countNetworks(failing) >= 2;
  if (!isSeenByOthers) return failing;
  const judgingElsewhere = ballots.filter(({ vote, vantage }) => vote !== "none" && vantage.region !== region);
  const isConfirmedElsewhere = countRegions(judgingElsewhere) < 2 || countRegions(failing) >= 2;
  return isConfirmedElsewhere ? [] : failing.filter(({ vantage }) => vantage.region !== region);
};

/** Agents that see a check down, over the vantages: the most that any one check has at each. */
const countAgents = (ballots: readonly Ballot[]): number =>
  ballots.reduce((sum, { down }) => sum + Math.max(0, ...down.map(({ agents }) => agents)), 0);
