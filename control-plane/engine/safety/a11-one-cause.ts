/**
 * A11: faults that have one cause are not mended by moving from one to the other. Regions that turn bad together, or right after a release of ours, may be
 * seen wrongly by us: each that is left then needs vantages outside, on two networks, that see it down; inside ones where no check runs outside. A release
 * is suspected only while the fault is young: what is bad for long is no artefact of it. And the same finding in one region after the other, until none
 * that had traffic is well, is something that follows the traffic (a poisoned request, a bad record): then no evidence is enough. `correlationMs` 0 turns
 * both off.
 */
import type { Instant, RegionId, Vote } from "@regent/contract";
import type { Departure, Release, Situation } from "../model.ts";
import { clockText, durationText } from "../text.ts";
import { faultsLeft, findingsAgainst } from "./departures.ts";
import type { Rule, RuleInput, Ruling } from "./rule.ts";
import { allow, countText, regionsOf, requireApproval } from "./rule.ts";

const IN_TURN_WITHIN_MS = 3_600_000;
/** A fault this many times older than `correlationMs` isn't doubted for a release any more. */
const RELEASE_SUSPECTED = 10;

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
  const from = spec.checks.some((check) => check.from !== "inside") ? "outside" : "inside";
  const networks = left.map((region) => ({ region, count: networksAgainst(situation, region, from) }));
  const short = networks.find(({ count }) => count < needed);
  const told = networks.map(({ region, count }) => `${region} is seen down from ${from} on ${countText(count, "network")}`);
  return short === undefined
    ? allow(`${cause.why}; ${told.join(", ")}`)
    : requireApproval(`${cause.why}; ${told.join(", ")}, ${needed} needed`, cause.until);
};

interface Cause {
  readonly why: string;
  /** When time alone makes it none. */
  readonly until: Instant | null;
}

const findCause = (situation: Situation, left: readonly RegionId[]): Cause | null =>
  findTogether(situation, left) ?? findRelease(situation, left);

const findTogether = (situation: Situation, left: readonly RegionId[]): Cause | null => {
  const { spec, now } = situation;
  const { correlationMs } = spec.safety;
  const bad = regionsOf(spec).flatMap((region) => {
    const at = badSince(situation, region);
    return at === null ? [] : [{ region, at }];
  });
  for (const region of left) {
    const at = badSince(situation, region) ?? now;
    const other = bad.find((one) => one.region !== region && Math.abs(one.at - at) <= correlationMs);
    if (other)
      return {
        why: `${region} and ${other.region} turned bad within ${durationText(Math.abs(other.at - at))} of each other, ${durationText(correlationMs)} or less may be one cause`,
        until: null,
      };
  }
  return null;
};

const findRelease = (situation: Situation, left: readonly RegionId[]): Cause | null => {
  const { spec, surroundings, now } = situation;
  const { correlationMs } = spec.safety;
  // What came after an earlier release isn't cleared of it by the next one, which may have been the way back.
  for (const release of surroundings.releases) {
    const suspected = left.flatMap((region) => {
      const at = badSince(situation, region) ?? now;
      const isAfter = at >= release.at && at - release.at <= correlationMs;
      return isAfter && now - at < RELEASE_SUSPECTED * correlationMs ? [{ region, at }] : [];
    });
    const [first] = suspected;
    if (first !== undefined)
      return {
        why: `${first.region} turned bad ${durationText(first.at - release.at)} after our own release at ${clockText(release.at)}${releaseText(release)}`,
        until: Math.max(...suspected.map(({ at }) => at)) + RELEASE_SUSPECTED * correlationMs,
      };
  }
  return null;
};

/** Which it was, and how to go back. */
const releaseText = (release: Release): string => {
  if (release.kind === "agents") return " of another agent build";
  const { version } = release;
  if (version === null) return "";
  return ` of configuration version ${version}${version > 1 ? ` (regent configuration rollback --to ${version - 1} goes back)` : ""}`;
};

/** First sign of the fault that it has now, whether it is believed yet or not. */
const badSince = ({ health }: Situation, region: RegionId): Instant | null => {
  const one = health[region];
  if (!one || (one.verdict !== "unhealthy" && one.evidence !== "bad")) return null;
  return one.detectedAt ?? one.evidenceSince;
};

const networksAgainst = ({ verdicts }: Situation, region: RegionId, from: Vote["view"]): number => {
  const votes = verdicts.find((one) => one.region === region)?.votes ?? [];
  const down = votes.filter(({ view, vote, suspect }) => view === from && vote === "down" && !suspect);
  return new Set(down.map(({ vantage }) => vantage.slice(vantage.indexOf("/") + 1))).size;
};

// ------------------------------------------------------------------------------------------------ in turn

const askInTurn = ({ proposal, situation }: RuleInput, left: readonly RegionId[]): Ruling | null => {
  const { traffic, health, now } = situation;
  const before = traffic.departures.filter(({ at, left: regions }) => regions.length > 0 && now - at < IN_TURN_WITHIN_MS);
  const [first] = before;
  if (first === undefined) return null;
  const finding = sharedFinding(before, findingsAgainst(situation, left));
  if (finding === null) return null;
  // What is well again wasn't killed by what came after it.
  const others = before.flatMap((departure) => departure.left).filter((region) => health[region]?.verdict !== "healthy");
  const gone = new Set([...left, ...others]);
  const served = new Set([...servedBefore(proposal), ...before.flatMap(({ received }) => received)]);
  if (gone.size === left.length || [...served].some((region) => !gone.has(region))) return null;
  return requireApproval(
    `${[...gone].sort().join(", ")} fell in turn within 1 h with the same finding, ${finding}: what follows the traffic follows it to the next region too`,
    first.at + IN_TURN_WITHIN_MS,
  );
};

/** What was said each time; null when nothing was. */
const sharedFinding = (before: readonly Departure[], now: readonly string[]): string | null =>
  now.find((one) => before.every(({ findings }) => findings.includes(one))) ?? null;

const servedBefore = ({ weightsBefore }: RuleInput["proposal"]): readonly RegionId[] =>
  Object.values(weightsBefore).flatMap((weights) =>
    Object.entries(weights).flatMap(([region, weight]) => (weight > 0 ? [region] : [])),
  );
