/**
 * One vote per vantage. Pure. Called by cast.ts.
 *
 * Agents of one vantage share a network and a room, so they are one witness: they agree on each check by strict majority first, and a tie
 * is no vote. A vantage votes down when it votes down on any check, up when it votes up on at least one and is undecided on none.
 */
import type { Instant, Vote } from "@regent/contract";
import type { Sighting } from "./fresh.ts";
import type { SeatedVantage } from "./seats.ts";

/** A check that a vantage votes down. */
export interface CheckDown {
  readonly check: string;
  readonly isDeep: boolean;
  /** How many of its agents see it down. */
  readonly agents: number;
  /** Reason of the newest failure; null when the newest result passed and the check isn't up again yet. */
  readonly reason: string | null;
  readonly failingSince: Instant;
}

export interface Ballot {
  readonly id: string;
  readonly vantage: SeatedVantage;
  readonly vote: Vote["vote"];
  readonly down: readonly CheckDown[];
  readonly up: readonly string[];
  /** Checks on which its agents are split evenly. */
  readonly undecided: readonly string[];
}

/**
 * The ballots of all vantages with at least one sighting. Only sightings of voting checks may be given, ordered by vantage and check; the
 * ballots are in that order too.
 */
export const castBallots = (sightings: readonly Sighting[]): readonly Ballot[] => {
  const ballots: Ballot[] = [];
  for (let from = 0; from < sightings.length; ) {
    const { vantage } = sightings[from]!.seat;
    let to = from + 1;
    while (to < sightings.length && sightings[to]!.seat.vantage === vantage) to += 1;
    const range = { sightings, from, to };
    // By far the most frequent case, and counting would give the same.
    ballots.push(areAllUp(range) ? upBallot(vantage, range, ballots.at(-1)) : castBallot(vantage, sightings.slice(from, to)));
    from = to;
  }
  return ballots;
};

const castBallot = (vantage: SeatedVantage, sightings: readonly Sighting[]): Ballot => {
  const { id } = vantage;
  const down: CheckDown[] = [];
  const up: string[] = [];
  const undecided: string[] = [];
  for (const check of checkIdsOf(sightings)) {
    const failing = sightings.filter((one) => one.check.id === check && one.opinion === "down");
    const passing = sightings.filter((one) => one.check.id === check && one.opinion === "up").length;
    if (failing.length > passing) down.push(toCheckDown(check, failing));
    else if (passing > failing.length) up.push(check);
    else if (passing > 0) undecided.push(check);
  }
  const vote = down.length > 0 ? "down" : up.length > 0 && undecided.length === 0 ? "up" : "none";
  return { id, vantage, vote, down, up, undecided };
};

interface Range {
  readonly sightings: readonly Sighting[];
  readonly from: number;
  /** The first that isn't in it. */
  readonly to: number;
}

const areAllUp = ({ sightings, from, to }: Range): boolean => {
  for (let at = from; at < to; at += 1) if (sightings[at]!.opinion !== "up") return false;
  return true;
};

/** Vantages that see the same checks share one list of them. */
const upBallot = (vantage: SeatedVantage, range: Range, last: Ballot | undefined): Ballot => {
  const up =
    last !== undefined && areChecksOf(last.up, range) ? last.up : checkIdsOf(range.sightings.slice(range.from, range.to));
  return { id: vantage.id, vantage, vote: "up", down: NONE, up, undecided: NONE };
};

const areChecksOf = (ids: readonly string[], { sightings, from, to }: Range): boolean => {
  let known = -1;
  for (let at = from; at < to; at += 1) {
    const { id } = sightings[at]!.check;
    if (known < 0 || id !== ids[known]) known += 1;
    if (id !== ids[known]) return false;
  }
  return known === ids.length - 1;
};

const NONE: readonly never[] = [];

/** Each once, in the order of the sightings. */
const checkIdsOf = (sightings: readonly Sighting[]): readonly string[] => {
  const ids = [sightings[0]!.check.id];
  for (const { check } of sightings) if (check.id !== ids.at(-1)) ids.push(check.id);
  return ids;
};

const toCheckDown = (check: string, failing: readonly Sighting[]): CheckDown => {
  const reasons: string[] = [];
  let first = Number.POSITIVE_INFINITY;
  for (const { row } of failing) {
    if (row.outcome === "fail" && row.reason !== null) reasons.push(row.reason);
    first = Math.min(first, row.failingSince ?? row.since);
  }
  return { check, isDeep: failing[0]!.check.deep, agents: failing.length, reason: mostFrequent(reasons), failingSince: first };
};

/** Ties go to the first in alphabetical order, so that the order of evidence never shows. */
export const mostFrequent = (words: readonly string[]): string | null => {
  const [first = null] = words;
  if (words.every((word) => word === first)) return first;
  const count = new Map<string, number>();
  for (const word of words) count.set(word, (count.get(word) ?? 0) + 1);
  const ranked = [...count].sort(([a, x], [b, y]) => (x !== y ? y - x : a < b ? -1 : 1));
  return ranked[0]?.[0] ?? null;
};

export const countNetworks = (ballots: readonly Ballot[]): number => new Set(ballots.map(({ vantage }) => vantage.network)).size;

export const countRegions = (ballots: readonly Ballot[]): number => new Set(ballots.map(({ vantage }) => vantage.region)).size;
