/**
 * What the world sees of a region's public endpoint. Pure. Called by view.ts.
 *
 * Biased towards up: DOWN takes more than half of the votes, at least two of them, from at least two networks (the service's quorum), and
 * from at least two regions where two other regions have fresh vantages. One vote alone is weak.
 */
import type { OutsideView } from "@regent/contract";
import type { Ballot } from "./votes.ts";
import { countNetworks, countRegions } from "./votes.ts";

export interface OutsideFinding {
  readonly view: OutsideView;
  /** Vantages that vote up or down. */
  readonly voters: readonly Ballot[];
  readonly down: readonly Ballot[];
}

/** `ballots`: those of vantages in other regions. */
export const viewOutside = (ballots: readonly Ballot[], quorumNetworks: number): OutsideFinding => {
  const voters = ballots.filter(({ vote }) => vote !== "none");
  const down = voters.filter(({ vote }) => vote === "down");
  return { view: viewOf({ ballots, voters, down, quorumNetworks }), voters, down };
};

interface Count {
  readonly ballots: readonly Ballot[];
  readonly voters: readonly Ballot[];
  readonly down: readonly Ballot[];
  readonly quorumNetworks: number;
}

const viewOf = (count: Count): OutsideView => {
  const { voters, down } = count;
  if (voters.length === 0) return "none";
  if (voters.length === 1) return down.length === 1 ? "weak-down" : "weak-up";
  if (down.length === 0) return "up";
  return isQuorum(count) ? "down" : "mixed";
};

/** A vantage whose agents are split counts as fresh: it stands there and doesn't confirm. */
const isQuorum = ({ ballots, voters, down, quorumNetworks }: Count): boolean => {
  const judging = ballots.filter(({ vote, undecided }) => vote !== "none" || undecided.length > 0);
  const regionsMin = countRegions(judging) >= 2 ? 2 : 1;
  return (
    down.length >= 2 &&
    down.length * 2 > voters.length &&
    countNetworks(down) >= Math.min(quorumNetworks, 2) &&
    countRegions(down) >= regionsMin
  );
};
