/**
 * One vote per vantage. Pure. Called by view.ts and suspect.ts.
 *
 * Agents of one vantage share a network and a room, so they are one witness: they agree on each check by strict majority first, and a tie
 * is no vote. A vantage votes down when it votes down on any check, up when it votes up on at least one and is undecided on none.
 */
import type { Instant, Vote } from "@regent/contract";
import type { Vantage } from "../model.ts";
import type { Sighting } from "./fresh.ts";
import { groupBy } from "./group-by.ts";

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
  readonly vantage: Vantage;
  readonly vote: Vote["vote"];
  readonly down: readonly CheckDown[];
  readonly up: readonly string[];
  /** Checks on which its agents are split evenly. */
  readonly undecided: readonly string[];
}

/** The ballots of all vantages with at least one sighting, ordered by vantage. Only sightings of voting checks may be given. */
export const castBallots = (sightings: readonly Sighting[]): readonly Ballot[] =>
  [...groupBy(sightings, ({ vantageId }) => vantageId)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, own]) => castBallot(id, own));

const castBallot = (id: string, sightings: readonly Sighting[]): Ballot => {
  const { vantage } = sightings[0]!.row;
  // By far the most frequent case, and counting would give the same.
  if (sightings.every(({ opinion }) => opinion === "up"))
    return { id, vantage, vote: "up", down: [], up: checkIdsOf(sightings), undecided: [] };
  const down: CheckDown[] = [];
  const up: string[] = [];
  const undecided: string[] = [];
  for (const [check, { failing, passing }] of tallyByCheck(sightings)) {
    if (failing.length > passing) down.push(toCheckDown(check, failing));
    else (passing > failing.length ? up : undecided).push(check);
  }
  const vote = down.length > 0 ? "down" : up.length > 0 && undecided.length === 0 ? "up" : "none";
  return { id, vantage, vote, down, up, undecided };
};

/** In alphabetical order, each once. */
const checkIdsOf = (sightings: readonly Sighting[]): readonly string[] =>
  sightings.length === 1 ? [sightings[0]!.check.id] : [...new Set(sightings.map(({ check }) => check.id))].sort();

interface Tally {
  readonly failing: Sighting[];
  passing: number;
}

/** Checks that at least one agent can judge, in alphabetical order. */
const tallyByCheck = (sightings: readonly Sighting[]): readonly (readonly [string, Tally])[] => {
  const tallies = new Map<string, Tally>();
  for (const sighting of sightings) {
    if (sighting.opinion === null) continue;
    const { id } = sighting.check;
    const tally = tallies.get(id) ?? { failing: [], passing: 0 };
    tallies.set(id, tally);
    if (sighting.opinion === "down") tally.failing.push(sighting);
    else tally.passing += 1;
  }
  return [...tallies].sort(([a], [b]) => (a < b ? -1 : 1));
};

const toCheckDown = (check: string, failing: readonly Sighting[]): CheckDown => {
  const rows = failing.map(({ row }) => row);
  const reasons = rows.flatMap(({ outcome, reason }) => (outcome === "fail" && reason !== null ? [reason] : []));
  return {
    check,
    isDeep: failing[0]!.check.deep,
    agents: failing.length,
    reason: mostFrequent(reasons),
    failingSince: Math.min(...rows.map(({ failingSince, since }) => failingSince ?? since)),
  };
};

/** Ties go to the first in alphabetical order, so that the order of evidence never shows. */
export const mostFrequent = (words: readonly string[]): string | null => {
  const count = new Map<string, number>();
  for (const word of words) count.set(word, (count.get(word) ?? 0) + 1);
  const ranked = [...count].sort(([a, x], [b, y]) => (x !== y ? y - x : a < b ? -1 : 1));
  return ranked[0]?.[0] ?? null;
};

export const countNetworks = (ballots: readonly Ballot[]): number => new Set(ballots.map(({ vantage }) => vantage.network)).size;

export const countRegions = (ballots: readonly Ballot[]): number => new Set(ballots.map(({ vantage }) => vantage.region)).size;
