/**
 * From evidence to what it amounts to, for one region of one service, now. Pure; decides from state alone, so asking twice changes nothing.
 * Called by decide. Steps: fresh results, one vote per vantage, outside view, inside view, the table, score, sentence.
 */
import type { Instant, RegionId, Vote } from "@regent/contract";
import type { AgentEvidence, Assessment, Evidence, HealthMemory, ServiceSpec } from "../model.ts";
import { clockText, isSameSecond } from "../text.ts";
import type { Casting } from "./cast.ts";
import { castTarget, without } from "./cast.ts";
import { findDegradations } from "./degradation.ts";
import { firstStaleAt, isAsked, isVoting, newestOf } from "./fresh.ts";
import type { InsideFinding } from "./inside.ts";
import { viewInside } from "./inside.ts";
import { viewOutside } from "./outside.ts";
import { scoreOf } from "./score.ts";
import type { SeatedVantage } from "./seats.ts";
import { seatAgents } from "./seats.ts";
import type { Ballot, CheckDown } from "./votes.ts";
import { weighViews } from "./weigh.ts";
import { failingSinceOf, whyOf } from "./why.ts";

export interface AssessInput {
  readonly spec: ServiceSpec;
  readonly region: RegionId;
  /** May hold other services and regions, which are passed over, and duplicates in any order. */
  readonly evidence: Evidence;
  /** What was believed before: only its suppression shows here, as a flag. */
  readonly previous: HealthMemory | null;
  readonly now: Instant;
}

export const assess = ({ spec, region, evidence, previous, now }: AssessInput): Assessment => {
  const rows = newestOf(evidence.checks.filter((row) => row.service === spec.id && row.region === region));
  const casting = castTarget({ spec, region, seating: seatAgents(evidence.agents), rows, now });
  return assessCasting({ casting, suspects: evidence.suspects, previous });
};

export interface AssessCastingInput extends Pick<AssessInput, "previous"> {
  /** Of all vantages. */
  readonly casting: Casting;
  readonly suspects: ReadonlySet<string>;
}

/** The same, for a target that was cast already. */
export const assessCasting = ({ casting, suspects, previous }: AssessCastingInput): Assessment => {
  const { spec, region, seating, now, sightings, ballots } = without(casting, suspects);
  const own = ballots.filter(({ vantage }) => vantage.region === region);
  const elsewhere = ballots.filter(({ vantage }) => vantage.region !== region);
  const outside = viewOutside(elsewhere, spec.quorumNetworks);
  const inside = viewInside({ spec, region, seating, ballots: own, outsideBallots: elsewhere, outside, now });
  const weighing = weighViews({ inside, outside, quorumNetworks: spec.quorumNetworks, settings: spec.settings });
  const degradations = findDegradations(sightings, spec);
  const asked = askedVantages(casting);
  const flags = previous?.isSuppressed === true ? [...weighing.flags, "suppressed" as const] : weighing.flags;
  return {
    region,
    kind: weighing.kind,
    inside: inside.view,
    outside: outside.view,
    flags,
    votes: votesOf(asked, casting, suspects),
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
      suspects: suspects.size === 0 ? [] : asked.map(({ id }) => id).filter((id) => suspects.has(id)),
    }),
    nextLookAt: nextLookAt(firstStaleAt(sightings, spec), inside),
  };
};

/** Who is asked for a vote, whether it has one or not. */
const askedVantages = ({ spec, region, seating }: Casting): readonly SeatedVantage[] => {
  const voting = spec.checks.filter(isVoting);
  const isInsideAsked = voting.some((one) => isAsked(one, true));
  const isOutsideAsked = voting.some((one) => isAsked(one, false));
  return seating.vantages.filter((vantage) => (vantage.region === region ? isInsideAsked : isOutsideAsked));
};

/** Vantages and ballots come in the same order, so each ballot is met once. Most say the same as the one before, which is then the same text. */
const votesOf = (asked: readonly SeatedVantage[], casting: Casting, suspects: ReadonlySet<string>): readonly Vote[] => {
  const { ballots } = casting;
  let at = 0;
  let last: { readonly ballot: Ballot; readonly because: string | null } | null = null;
  return asked.map((vantage) => {
    while (at < ballots.length && ballots[at]!.vantage.rank < vantage.rank) at += 1;
    const ballot = ballots[at]?.vantage === vantage ? ballots[at] : undefined;
    if (ballot !== undefined && (last === null || !saysTheSame(last.ballot, ballot)))
      last = { ballot, because: becauseOf(ballot) };
    const because = ballot === undefined ? null : (last?.because ?? null);
    return toVote(vantage, { casting, vote: ballot?.vote ?? "none", because, suspects });
  });
};

const saysTheSame = (a: Ballot, b: Ballot): boolean => {
  if (a.vote !== b.vote || a.vote === "none") return false;
  if (a.vote === "up") return a.up === b.up;
  return a.down.length === b.down.length && a.down.every((one, at) => isSameDown(one, b.down[at]!));
};

const isSameDown = (a: CheckDown, b: CheckDown): boolean =>
  a.check === b.check && a.reason === b.reason && isSameSecond(a.failingSince, b.failingSince);

interface Said {
  readonly casting: Casting;
  readonly vote: Vote["vote"];
  readonly because: string | null;
  readonly suspects: ReadonlySet<string>;
}

const toVote = ({ id, region, agents }: SeatedVantage, { casting, vote, because, suspects }: Said): Vote => {
  const { spec, now } = casting;
  const isSuspect = suspects.size > 0 && suspects.has(id);
  return {
    vantage: id,
    view: region === casting.region ? "inside" : "outside",
    vote: isSuspect ? "none" : vote,
    because: isSuspect
      ? "suspect: it fails half or more of its targets, and nobody else does"
      : (because ?? silenceOf(agents, spec.settings.freshnessMs, now)),
    suspect: isSuspect,
  };
};

/** null: it has no vote, and its agents show why. */
const becauseOf = (ballot: Ballot): string | null => {
  switch (ballot.vote) {
    case "up":
      return `${listText(ballot.up)} up`;
    case "down":
      return listText(ballot.down.map(downText));
    case "none":
      return ballot.undecided.length > 0 ? `its agents are split over ${ballot.undecided.join(", ")}` : null;
  }
};

const downText = ({ check, reason, failingSince }: CheckDown): string =>
  `${check} down${reason === null ? "" : ` (${reason})`} since ${clockText(failingSince)}`;

/** Most lists have one word, and this is asked for every vote. */
const listText = (words: readonly string[]): string => (words.length === 1 ? words[0]! : words.join(", "));

const silenceOf = (agents: readonly AgentEvidence[], freshnessMs: number, now: Instant): string => {
  const heardAt = Math.max(...agents.map((agent) => agent.heardAt ?? -1));
  if (heardAt < 0) return "never heard";
  if (now - heardAt > freshnessMs) return `not heard since ${clockText(heardAt)}`;
  return agents.some(({ selfHealthy }) => selfHealthy)
    ? "no fresh result"
    : "its own network is broken, so its failures don't count";
};

/** Everything in use goes stale, or falls silent, later than now. */
const nextLookAt = (staleAt: Instant, { silentAt }: InsideFinding): Instant | null => {
  const next = Math.min(silentAt ?? Number.POSITIVE_INFINITY, staleAt);
  return Number.isFinite(next) ? next : null;
};
