/**
 * What is seen of one region of one service now, and the votes that follow: the first steps of judging. Pure. Done once, for those who look
 * at the targets (view.ts) and for those who look at the vantages (suspect.ts).
 */
import type { Instant, RegionId } from "@regent/contract";
import type { ServiceSpec } from "../model.ts";
import type { FreshInput, Sighting } from "./fresh.ts";
import { freshSightings, isVoting } from "./fresh.ts";
import type { Seating } from "./seats.ts";
import type { Ballot } from "./votes.ts";
import { castBallots } from "./votes.ts";

/** Suspect vantages are among them: who is suspect is found out from all castings. */
export interface Casting {
  readonly spec: ServiceSpec;
  readonly region: RegionId;
  readonly seating: Seating;
  /** Ordered by vantage and check, as are the ballots. */
  readonly sightings: readonly Sighting[];
  readonly ballots: readonly Ballot[];
  readonly now: Instant;
}

export const castTarget = (target: FreshInput): Casting => {
  const { spec, region, seating, now } = target;
  const sightings = freshSightings(target);
  return { spec, region, seating, sightings, ballots: castBallots(sightings.filter(({ check }) => isVoting(check))), now };
};

/** As if the vantages weren't there. */
export const without = (casting: Casting, vantages: ReadonlySet<string>): Casting =>
  vantages.size === 0
    ? casting
    : {
        ...casting,
        sightings: casting.sightings.filter(({ seat }) => !vantages.has(seat.vantage.id)),
        ballots: casting.ballots.filter(({ id }) => !vantages.has(id)),
      };
