/**
 * A17: how much of a service's traffic automation may take away within a while. A departure from an unhealthy region is free where the others can take its
 * traffic (A3), unless it rests on the very vantages that spoke against another region a moment ago while others see it up: then it may be they who
 * are wrong, and one lie after the other would carry the traffic around. What nobody contradicts is no lie of a few.
 */
import type { RegionId } from "@regent/contract";
import type { Departure, Situation } from "../model.ts";
import { durationText, percentText } from "../text.ts";
import { a03Goodput } from "./a03-goodput.ts";
import { accusersOf, faultsLeft, isVoluntary, movedPart } from "./departures.ts";
import type { Rule, RuleInput } from "./rule.ts";
import { allow, requireApproval } from "./rule.ts";

export const a17Velocity: Rule = {
  id: "A17",
  binds: "automation",
  ask: (input) => {
    const { proposal, situation } = input;
    const { spec, traffic, now } = situation;
    const { removedMax, removedMs } = spec.safety;
    if (proposal.kind !== "failover" && proposal.kind !== "rebalance") return allow("takes traffic from nobody by itself");
    if (proposal.panicFamilies.length > 0) return allow("the declared panic policy is in force");
    if (removedMax >= UNLIMITED) return allow("no limit is declared on what automation takes away");
    const left = faultsLeft(proposal, situation);
    const vantages = hasPast(situation) && isContradicted(situation, left) ? accusersOf(situation, left) : [];
    const accused = findAccused(situation, left, vantages);
    const counted = traffic.departures.filter(
      (one) => now - one.at < removedMs && (isVoluntary(one) || isSame(one.vantages, vantages)),
    );
    const removed = counted.reduce((sum, { moved }) => sum + moved, 0) + movedPart(proposal.weightsBefore, proposal.weightsAfter);
    const told = `${percentText(removed)} of the traffic within ${durationText(removedMs)} with this move, at most ${percentText(removedMax)}`;
    const because = accused === null ? "" : `; ${vantages.join(", ")} spoke against ${accused} as well`;
    if (removed <= removedMax + EPSILON) return allow(`${told}${because}`);
    if (accused === null && isFree(input, left))
      return allow(`${left.join(", ")} is unhealthy, and the others can take its traffic`);
    const [oldest] = counted;
    return requireApproval(`${told} without a person${because}`, oldest ? oldest.at + removedMs : null);
  },
};

/** The whole of the traffic twenty times: the most that can be declared. */
const UNLIMITED = 20;

/** Sums of parts err by rounding. */
const EPSILON = 1e-9;

const isFree = (input: RuleInput, left: readonly RegionId[]): boolean =>
  left.length > 0 &&
  left.every((region) => input.situation.health[region]?.verdict !== "degraded") &&
  a03Goodput.ask(input).answer === "allow";

const hasPast = ({ traffic, surroundings }: Situation): boolean =>
  traffic.departures.length > 0 || surroundings.departures.length > 0;

const isContradicted = ({ verdicts }: Situation, left: readonly RegionId[]): boolean =>
  verdicts.some(({ region, votes }) => left.includes(region) && votes.some(({ vote, suspect }) => vote === "up" && !suspect));

/** Another region that exactly these vantages spoke against within the window, at any service. */
const findAccused = (situation: Situation, left: readonly RegionId[], vantages: readonly string[]): RegionId | null => {
  if (vantages.length === 0) return null;
  const { spec, traffic, surroundings, now } = situation;
  for (const departures of [traffic.departures, surroundings.departures])
    for (const departure of departures) {
      if (now - departure.at >= spec.safety.removedMs || !isSame(departure.vantages, vantages)) continue;
      const other = departure.left.find((region) => !left.includes(region));
      if (other !== undefined) return other;
    }
  return null;
};

/** Both are sorted. */
const isSame = (a: Departure["vantages"], b: Departure["vantages"]): boolean =>
  a.length > 0 && a.length === b.length && a.every((one, at) => one === b[at]);
