/**
 * One sentence about what the views show, with its numbers. Pure. Called by view.ts.
 *
 * What fails comes first. The sentence names moments, never durations, so that it stays the same while nothing changes.
 */
import type { Instant } from "@regent/contract";
import { clockText } from "../text.ts";
import type { Degradation } from "./degradation.ts";
import type { Sighting } from "./fresh.ts";
import { groupBy } from "./group-by.ts";
import type { InsideFinding } from "./inside.ts";
import type { OutsideFinding } from "./outside.ts";
import type { Ballot, CheckDown } from "./votes.ts";
import { countNetworks, mostFrequent } from "./votes.ts";

export interface WhyInput {
  readonly inside: InsideFinding;
  readonly outside: OutsideFinding;
  readonly sightings: readonly Sighting[];
  readonly degradations: readonly Degradation[];
  readonly suspects: readonly string[];
}

export const whyOf = (input: WhyInput): string =>
  [
    ...viewsText(input),
    ...degradationsText(input.degradations),
    ...sharedText(input.sightings),
    ...suspectsText(input.suspects),
  ].join("; ");

const viewsText = ({ inside, outside }: WhyInput): readonly string[] => {
  const isOutsideFailing = outside.down.length > 0;
  const isInsideFailing = inside.down.length > 0;
  if (isOutsideFailing) return [failingText("outside", outside.down, outside.voters), insideAsideText(inside, outside)];
  if (isInsideFailing) return [failingText("inside", inside.down, inside.voters), outsideText(outside)];
  if (inside.view === "up" && outside.voters.length > 0)
    return [`${countText(inside.voters)} inside and ${countText(outside.voters)} outside vantages see it up`];
  return inside.view === "up" ? [insideText(inside), outsideText(outside)] : [outsideText(outside), insideText(inside)];
};

const insideAsideText = (inside: InsideFinding, outside: OutsideFinding): string => {
  if (inside.down.length === 0) return insideText(inside);
  const isSame = checksText(inside.down) === checksText(outside.down);
  return isSame
    ? `inside ${inside.down.length} of ${inside.voters.length} see it too`
    : failingText("inside", inside.down, inside.voters);
};

const insideText = ({ voters, silentBecause }: InsideFinding): string =>
  silentBecause === null ? `${countText(voters)} inside vantages see it up` : `inside is silent: ${silentBecause}`;

const outsideText = ({ voters }: OutsideFinding): string => {
  if (voters.length === 0) return "no outside vantage has a fresh vote";
  if (voters.length === 1) return `the only outside vantage with a vote, ${voters[0]!.id}, sees it up`;
  return `${countText(voters)} outside vantages see it up`;
};

const failingText = (view: "inside" | "outside", down: readonly Ballot[], voters: readonly Ballot[]): string => {
  const of = `${down.length} of ${voters.length} ${view} ${voters.length === 1 ? "vantage" : "vantages"}`;
  const networks = countNetworks(down);
  const where = down.length === 1 ? ` (${down[0]!.id})` : ` on ${networks} ${networks === 1 ? "network" : "networks"}`;
  const verb = down.length === 1 ? "sees" : "see";
  return `${of}${where} ${verb} ${checksText(down)} since ${clockText(failingSinceOf(down)!)}`;
};

/** The check that most vantages see failing, its most frequent reason, and how many more there are. */
const checksText = (down: readonly Ballot[]): string => {
  const failures = down.flatMap((ballot) => ballot.down);
  const check = mostFrequent(failures.map((one) => one.check))!;
  const more = new Set(failures.map((one) => one.check)).size - 1;
  const own = failures.filter((one) => one.check === check);
  return `${check} failing${reasonText(own)}${more === 0 ? "" : ` and ${more} more`}`;
};

const reasonText = (failures: readonly CheckDown[]): string => {
  const reason = mostFrequent(failures.flatMap((one) => (one.reason === null ? [] : [one.reason])));
  return reason === null ? "" : ` (${reason})`;
};

/** The fault's first sign; null when nothing is down. */
export const failingSinceOf = (down: readonly Ballot[]): Instant | null => {
  let first = Number.POSITIVE_INFINITY;
  for (const ballot of down) for (const { failingSince } of ballot.down) first = Math.min(first, failingSince);
  return Number.isFinite(first) ? first : null;
};

const degradationsText = (degradations: readonly Degradation[]): readonly string[] =>
  degradations.map(({ check, what, vantages, isHard }) => {
    const where = `at ${vantages} ${vantages === 1 ? "vantage" : "vantages"}${isHard ? "" : ", unconfirmed"}`;
    return what === "slow" ? `${check} is slow ${where}` : `${check} (major) is down ${where}`;
  });

/** A shared check explains a fault of all regions; it is told and never counted. */
const sharedText = (sightings: readonly Sighting[]): readonly string[] => {
  const down = sightings.filter(({ check, opinion }) => check.scope === "shared" && opinion === "down");
  if (down.length === 0) return [];
  return [...groupBy(down, ({ check }) => check.id)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([check, own]) =>
        `shared ${check} is down at ${own.length} ${own.length === 1 ? "agent" : "agents"}, which fails no region`,
    );
};

const suspectsText = (suspects: readonly string[]): readonly string[] =>
  suspects.length === 0 ? [] : [`without a vote, as suspect: ${suspects.join(", ")}`];

const countText = (voters: readonly Ballot[]): string => `${voters.length} of ${voters.length}`;
