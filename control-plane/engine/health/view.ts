/**
 * From evidence to what it amounts to, for one region of one service, now. Pure; decides from state alone, so asking twice changes nothing.
 * Called by decide. Steps: fresh results, one vote per vantage, outside view, inside view, the table, score, sentence.
 */
import type { Instant, RegionId, Vote } from "@regent/contract";
import type { AgentEvidence, Assessment, Evidence, HealthMemory, ServiceSpec } from "../model.ts";
import { clockText } from "../text.ts";
import { findDegradations } from "./degradation.ts";
import type { Seat, Sighting } from "./fresh.ts";
import { freshSightings, isAsked, isVoting, seatAgents } from "./fresh.ts";
import { groupBy } from "./group-by.ts";
import type { InsideFinding } from "./inside.ts";
import { viewInside } from "./inside.ts";
import { oncePer } from "./once.ts";
import { viewOutside } from "./outside.ts";
import { scoreOf } from "./score.ts";
import type { Ballot } from "./votes.ts";
import { castBallots } from "./votes.ts";
import { weighViews } from "./weigh.ts";
import { failingSinceOf, whyOf } from "./why.ts";

export interface AssessInput {
  readonly spec: ServiceSpec;
  readonly region: RegionId;
  /** May hold other services and regions, which are passed over. */
  readonly evidence: Evidence;
  /** What was believed before: only its suppression shows here, as a flag. */
  readonly previous: HealthMemory | null;
  readonly now: Instant;
}

export const assess = ({ spec, region, evidence, previous, now }: AssessInput): Assessment => {
  const { suspects } = evidence;
  const seatByAgent = seatAgents(evidence.agents);
  const seats = seatList(seatByAgent);
  const sightings = freshSightings({ spec, region, seatByAgent, rows: evidence.checks, suspects, now });
  const ballots = castBallots(sightings.filter(({ check }) => isVoting(check)));
  const own = ballots.filter(({ vantage }) => vantage.region === region);
  const elsewhere = ballots.filter(({ vantage }) => vantage.region !== region);
  const outside = viewOutside(elsewhere, spec.quorumNetworks);
  const inside = viewInside({ spec, region, seats, ballots: own, outsideBallots: elsewhere, outside, now });
  const weighing = weighViews({ inside, outside, quorumNetworks: spec.quorumNetworks, settings: spec.settings });
  const degradations = findDegradations(sightings, spec);
  const standing = standingVantages({ spec, region, seats, suspects, now });
  const flags = previous?.isSuppressed === true ? [...weighing.flags, "suppressed" as const] : weighing.flags;
  return {
    region,
    kind: weighing.kind,
    inside: inside.view,
    outside: outside.view,
    flags,
    votes: standing.map((one) => toVote(one, ballots)),
    holdMs: weighing.holdMs,
    isDegradedHard: degradations.some(({ isHard }) => isHard),
    isDegradedSoft: degradations.some(({ isHard }) => !isHard),
    score: scoreOf({ spec, sightings, inside: inside.view, outside: outside.view, degradations }),
    failingSince: failingSinceOf([...outside.down, ...inside.down]),
    why: whyOf({
      inside,
      outside,
      sightings,
      degradations,
      suspects: standing.flatMap((one) => (one.isSuspect ? [one.id] : [])),
    }),
    nextLookAt: nextLookAt(sightings, inside),
  };
};

const seatList = oncePer((seatByAgent: ReadonlyMap<string, Seat>): readonly Seat[] => [...seatByAgent.values()]);

interface VantageAgents {
  readonly id: string;
  readonly region: RegionId;
  readonly agents: readonly AgentEvidence[];
}

/** In alphabetical order. */
const vantagesOf = oncePer((seats: readonly Seat[]): readonly VantageAgents[] =>
  [...groupBy(seats, ({ vantageId }) => vantageId)]
    .map(([id, own]) => ({ id, region: own[0]!.agent.vantage.region, agents: own.map(({ agent }) => agent) }))
    .sort((a, b) => (a.id < b.id ? -1 : 1)),
);

/** A vantage that is asked for a vote, whether it has one or not. */
interface Standing {
  readonly id: string;
  readonly view: Vote["view"];
  readonly isSuspect: boolean;
  /** Why it would have no vote, as far as its agents show. */
  readonly silence: () => string;
}

interface StandingInput {
  readonly spec: ServiceSpec;
  readonly region: RegionId;
  readonly seats: readonly Seat[];
  readonly suspects: ReadonlySet<string>;
  readonly now: Instant;
}

const standingVantages = ({ spec, region, seats, suspects, now }: StandingInput): readonly Standing[] => {
  const voting = spec.checks.filter(isVoting);
  const isAskedBySide = { inside: voting.some((one) => isAsked(one, true)), outside: voting.some((one) => isAsked(one, false)) };
  return vantagesOf(seats)
    .map(({ id, agents, region: own }): Standing => {
      const view = own === region ? "inside" : "outside";
      return { id, view, isSuspect: suspects.has(id), silence: () => silenceOf(agents, spec.settings.freshnessMs, now) };
    })
    .filter(({ view }) => isAskedBySide[view]);
};

const silenceOf = (agents: readonly AgentEvidence[], freshnessMs: number, now: Instant): string => {
  const heardAt = Math.max(...agents.map((agent) => agent.heardAt ?? -1));
  if (heardAt < 0) return "never heard";
  if (now - heardAt > freshnessMs) return `not heard since ${clockText(heardAt)}`;
  return agents.some(({ selfHealthy }) => selfHealthy)
    ? "no fresh result"
    : "its own network is broken, so its failures don't count";
};

const toVote = ({ id, view, isSuspect, silence }: Standing, ballots: readonly Ballot[]): Vote => {
  const ballot = ballots.find((one) => one.id === id);
  return { vantage: id, view, vote: ballot?.vote ?? "none", because: becauseOf(ballot, isSuspect, silence), suspect: isSuspect };
};

const becauseOf = (ballot: Ballot | undefined, isSuspect: boolean, silence: () => string): string => {
  if (isSuspect) return "suspect: it fails half or more of its targets, and nobody else does";
  if (ballot === undefined) return silence();
  switch (ballot.vote) {
    case "up":
      return `${ballot.up.join(", ")} up`;
    case "down":
      return ballot.down
        .map(
          ({ check, reason, failingSince }) =>
            `${check} down${reason === null ? "" : ` (${reason})`} since ${clockText(failingSince)}`,
        )
        .join(", ");
    case "none":
      return ballot.undecided.length > 0 ? `its agents are split over ${ballot.undecided.join(", ")}` : silence();
  }
};

/** Everything in use goes stale, or falls silent, later than now. */
const nextLookAt = (sightings: readonly Sighting[], { silentAt }: InsideFinding): Instant | null => {
  const next = Math.min(silentAt ?? Number.POSITIVE_INFINITY, ...sightings.map(({ staleAt }) => staleAt));
  return Number.isFinite(next) ? next : null;
};
