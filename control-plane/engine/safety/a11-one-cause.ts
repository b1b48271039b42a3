/**
 * A11: faults that have one cause are not mended by moving from one to the other. Regions that turn bad together, or right after a release of ours, may be
 * seen wrongly by us: each that is left then needs vantages outside, on two networks, that see it down. And the same finding in one region after
 * the other, until none that had traffic is left over, is something that follows the traffic (a poisoned request, a bad record): then no evidence is
 * enough. `correlationMs` 0 turns both off.
 */
import type { Instant, RegionId } from "@regent/contract";
import type { Departure, Situation } from "../model.ts";
import { clockText, durationText } from "../text.ts";
import { faultsLeft, findingsAgainst } from "./departures.ts";
import type { Rule, RuleInput, Ruling } from "./rule.ts";
import { allow, countText, regionsOf, requireApproval } from "./rule.ts";

const IN_TURN_WITHIN_MS = 3_600_000;

export const a11OneCause: Rule = {
  id: "A11",
  binds: "automation",
  ask: (input) => {
    const { proposal, situation } = input;
    if (situation.spec.safety.correlationMs === 0) return allow("no time is declared within which faults have one cause");
    const left = faultsLeft(proposal, situation);
    if (left.length === 0) return allow("leaves no region for a fault");
    return askInTurn(input, left) ?? askTogether(situation, left);
  },
};

// ------------------------------------------------------------------------------------------------ together

const askTogether = (situation: Situation, left: readonly RegionId[]): Ruling => {
  const { spec } = situation;
  const needed = spec.quorumNetworks === 1 ? 1 : 2;
  const cause = findCause(situation, left);
  if (cause === null) return allow(`${left.join(", ")} turned bad alone`);
  const networks = left.map((region) => ({ region, count: outsideNetworks(situation, region) }));
  const short = networks.find(({ count }) => count < needed);
  const told = networks.map(({ region, count }) => `${region} is seen down from outside on ${countText(count, "network")}`);
  return short === undefined
    ? allow(`${cause}; ${told.join(", ")}`)
    : requireApproval(`${cause}; ${told.join(", ")}, ${needed} needed`);
};

const findCause = (situation: Situation, left: readonly RegionId[]): string | null => {
  const { spec, surroundings, now } = situation;
  const { correlationMs } = spec.safety;
  const bad = regionsOf(spec).flatMap((region) => {
    const at = badSince(situation, region);
    return at === null ? [] : [{ region, at }];
  });
  for (const region of left) {
    const at = badSince(situation, region) ?? now;
    const other = bad.find((one) => one.region !== region && Math.abs(one.at - at) <= correlationMs);
    if (other)
      return `${region} and ${other.region} turned bad within ${durationText(Math.abs(other.at - at))} of each other, ${durationText(correlationMs)} or less may be one cause`;
    const { releasedAt } = surroundings;
    if (releasedAt !== null && at >= releasedAt && at - releasedAt <= correlationMs)
      return `${region} turned bad ${durationText(at - releasedAt)} after our own release at ${clockText(releasedAt)}`;
  }
  return null;
};

/** First sign of the fault that it has now, whether it is believed yet or not. */
const badSince = ({ health }: Situation, region: RegionId): Instant | null => {
  const one = health[region];
  if (!one || (one.verdict !== "unhealthy" && one.evidence !== "bad")) return null;
  return one.detectedAt ?? one.evidenceSince;
};

const outsideNetworks = ({ verdicts }: Situation, region: RegionId): number => {
  const votes = verdicts.find((one) => one.region === region)?.votes ?? [];
  const down = votes.filter(({ view, vote, suspect }) => view === "outside" && vote === "down" && !suspect);
  return new Set(down.map(({ vantage }) => vantage.slice(vantage.indexOf("/") + 1))).size;
};

// ------------------------------------------------------------------------------------------------ in turn

const askInTurn = ({ proposal, situation }: RuleInput, left: readonly RegionId[]): Ruling | null => {
  const { traffic, now } = situation;
  const before = traffic.departures.filter(({ at, left: regions }) => regions.length > 0 && now - at < IN_TURN_WITHIN_MS);
  if (before.length === 0) return null;
  const finding = sharedFinding(before, findingsAgainst(situation, left));
  if (finding === null) return null;
  const gone = new Set([...left, ...before.flatMap((departure) => departure.left)]);
  const isElsewhere = before.some((departure) => departure.left.some((region) => !left.includes(region)));
  const served = new Set([...servedBefore(proposal), ...before.flatMap(({ received }) => received)]);
  if (!isElsewhere || [...served].some((region) => !gone.has(region))) return null;
  return requireApproval(
    `${[...gone].sort().join(", ")} fell in turn within 1 h with the same finding, ${finding}: what follows the traffic follows it to the next region too`,
  );
};

/** What was said each time; null when nothing was. */
const sharedFinding = (before: readonly Departure[], now: readonly string[]): string | null =>
  now.find((one) => before.every(({ findings }) => findings.includes(one))) ?? null;

const servedBefore = ({ weightsBefore }: RuleInput["proposal"]): readonly RegionId[] =>
  Object.values(weightsBefore).flatMap((weights) =>
    Object.entries(weights).flatMap(([region, weight]) => (weight > 0 ? [region] : [])),
  );
