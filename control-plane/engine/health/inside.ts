/**
 * What a region's own agents see of its private parts. Pure. Called by view.ts.
 *
 * DOWN is found per check, because two vantages that each see another check failing confirm nothing: one critical check down at two
 * vantages of the region on two networks, or at one of them and at an outside vantage on another network that sees a deep check down (a
 * deep check looks through the endpoint into the region, so that its failure speaks for the inside). Less is SINGLE. With
 * `quorum.networks: 1` two agents suffice wherever they stand.
 */
import type { InsideView, Instant, RegionId } from "@regent/contract";
import type { AgentEvidence, ServiceSpec } from "../model.ts";
import { isAsked, isVoting } from "./fresh.ts";
import type { OutsideFinding } from "./outside.ts";
import type { Seating } from "./seats.ts";
import type { Ballot } from "./votes.ts";
import { countNetworks } from "./votes.ts";

/** Report intervals without a word after which, with the outside DOWN, the inside is taken for silent. */
export const REPORTS_MISSED_MAX = 2;

export interface InsideFinding {
  readonly view: InsideView;
  /** Vantages that vote down and are heard; empty when silent. */
  readonly down: readonly Ballot[];
  /** Vantages that vote up or down. */
  readonly voters: readonly Ballot[];
  /** Why it is silent; null otherwise. */
  readonly silentBecause: string | null;
  /** From when on it is silent, or silent for that reason, if the outside stays DOWN and no inside agent is heard; else null. */
  readonly silentAt: Instant | null;
}

export interface InsideInput {
  readonly spec: ServiceSpec;
  readonly region: RegionId;
  readonly seating: Seating;
  /** Of vantages in this region. */
  readonly ballots: readonly Ballot[];
  /** Of vantages elsewhere. */
  readonly outsideBallots: readonly Ballot[];
  readonly outside: OutsideFinding;
  readonly now: Instant;
}

export const viewInside = (input: InsideInput): InsideFinding => {
  const { spec, region, seating, ballots, outside, now } = input;
  const checks = spec.checks.filter((check) => isVoting(check) && isAsked(check, true)).map(({ id }) => id);
  if (checks.length === 0) return silent("no inside check is declared");
  const own = seating.agentsByRegion.get(region);
  if (own === undefined) return silent("no agent stands in the region");
  const silentAt = outside.view === "down" ? missedAt(own) : null;
  if (silentAt !== null && now >= silentAt) return silent(`no inside agent heard for ${REPORTS_MISSED_MAX} report intervals`);
  const voters = ballots.filter(({ vote }) => vote !== "none");
  const down = voters.filter(({ vote }) => vote === "down");
  const finding = { down, voters, silentBecause: null, silentAt };
  if (checks.some((check) => isDown(check, input))) return { view: "down", ...finding };
  if (down.length > 0) return { view: "single", ...finding };
  const unjudged = checks.filter((check) => !ballots.some(({ up }) => up.includes(check)));
  if (unjudged.length > 0) return { ...silent(becauseUnjudged(unjudged, ballots)), silentAt };
  return { view: "up", ...finding };
};

const silent = (because: string): InsideFinding => ({
  view: "silent",
  down: [],
  voters: [],
  silentBecause: because,
  silentAt: null,
});

/** When the last of the agents will have missed its reports. */
const missedAt = (agents: readonly AgentEvidence[]): Instant =>
  Math.max(...agents.map(({ heardAt, reportMs }) => (heardAt === null ? 0 : heardAt + REPORTS_MISSED_MAX * reportMs + 1)));

const isDown = (check: string, { spec, ballots, outsideBallots }: InsideInput): boolean => {
  const failing = ballots.filter(({ down }) => down.some((one) => one.check === check));
  if (failing.length === 0) return false;
  if (countNetworks(failing) >= 2) return true;
  const isOneNetworkEnough = spec.quorumNetworks < 2;
  if (isOneNetworkEnough && countAgents(failing, check) >= 2) return true;
  const deep = outsideBallots.filter(({ down }) => down.some(({ isDeep }) => isDeep));
  return deep.some(({ vantage }) => isOneNetworkEnough || failing.some((one) => one.vantage.network !== vantage.network));
};

const countAgents = (ballots: readonly Ballot[], check: string): number =>
  ballots.flatMap(({ down }) => down.filter((one) => one.check === check)).reduce((sum, { agents }) => sum + agents, 0);

const becauseUnjudged = (checks: readonly string[], ballots: readonly Ballot[]): string => {
  const split = checks.find((check) => ballots.some(({ undecided }) => undecided.includes(check)));
  return split === undefined ? `no fresh inside agent could judge ${checks[0]}` : `inside agents are split over ${split}`;
};
