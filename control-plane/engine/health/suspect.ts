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
import type { Instant, RegionId } from "@regent/contract";
import type { AgentEvidence, CheckEvidence, ServiceSpec } from "../model.ts";
import { freshSightings, isVoting, seatAgents } from "./fresh.ts";
import type { Ballot } from "./votes.ts";
import { castBallots, countNetworks, countRegions } from "./votes.ts";

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
  const targets = toTargets(checks, services);
  const failing = targets.filter(({ hasFailure }) => hasFailure);
  if (new Set(failing.map(({ spec }) => spec.id)).size < SERVICES_MIN) return new Set();
  const seatByAgent = seatAgents(agents);
  const recordByVantage = new Map<string, VantageRecord>();
  for (const target of targets) {
    const sightings = freshSightings({ ...target, seatByAgent, suspects: NOBODY, now });
    const ballots = castBallots(sightings.filter(({ check }) => isVoting(check)));
    for (const ballot of ballots) addToRecord(recordByVantage, { ballot, ballots, target });
  }
  return new Set([...recordByVantage].filter(([, record]) => isSuspect(record)).map(([id]) => id));
};

const NOBODY: ReadonlySet<string> = new Set();

/** A region of a service, and everything said about it. */
interface Target {
  readonly spec: ServiceSpec;
  readonly region: RegionId;
  readonly rows: CheckEvidence[];
  hasFailure: boolean;
}

const toTargets = (checks: readonly CheckEvidence[], services: readonly ServiceSpec[]): readonly Target[] => {
  const specById = new Map(services.map((spec) => [spec.id, spec]));
  const targets = new Map<string, Target>();
  let last: Target | undefined;
  for (const row of checks) {
    // Results of a target mostly come one after the other: no name is built for each.
    if (last === undefined || last.region !== row.region || last.spec.id !== row.service) {
      const spec = specById.get(row.service);
      if (spec === undefined) continue;
      last = targetOf(targets, spec, row.region);
    }
    last.rows.push(row);
    if (row.streak.state === "down") last.hasFailure = true;
  }
  return [...targets.values()];
};

const targetOf = (targets: Map<string, Target>, spec: ServiceSpec, region: RegionId): Target => {
  const key = `${spec.id}/${region}`;
  const target = targets.get(key) ?? { spec, region, rows: [], hasFailure: false };
  targets.set(key, target);
  return target;
};

interface VantageRecord {
  targets: number;
  unconfirmed: number;
  readonly services: Set<string>;
}

interface RecordInput {
  readonly ballot: Ballot;
  /** Of all vantages for the target. */
  readonly ballots: readonly Ballot[];
  readonly target: Target;
}

const addToRecord = (records: Map<string, VantageRecord>, { ballot, ballots, target }: RecordInput): void => {
  if (ballot.vote === "none") return;
  const record = records.get(ballot.id) ?? { targets: 0, unconfirmed: 0, services: new Set<string>() };
  records.set(ballot.id, record);
  record.targets += 1;
  if (ballot.vote === "up" || isConfirmed({ ballot, ballots, target })) return;
  record.unconfirmed += 1;
  record.services.add(target.spec.id);
};

const isConfirmed = ({ ballot, ballots, target }: RecordInput): boolean => {
  const { spec, region } = target;
  const failing = ballots.filter(({ vote }) => vote === "down");
  const isSeenByOthers = spec.quorumNetworks < 2 ? countAgents(failing) >= 2 : countNetworks(failing) >= 2;
  if (!isSeenByOthers || ballot.vantage.region === region) return isSeenByOthers;
  const judgingElsewhere = ballots.filter(({ vote, vantage }) => vote !== "none" && vantage.region !== region);
  return countRegions(judgingElsewhere) < 2 || countRegions(failing) >= 2;
};

/** Agents that see a check down, over the vantages: the most that any one check has at each. */
const countAgents = (ballots: readonly Ballot[]): number =>
  ballots.reduce((sum, { down }) => sum + Math.max(0, ...down.map(({ agents }) => agents)), 0);

const isSuspect = ({ targets, unconfirmed, services }: VantageRecord): boolean =>
  services.size >= SERVICES_MIN && unconfirmed >= targets * FAILING_PART_MIN;
