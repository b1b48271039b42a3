/**
 * A3: the better of the two worlds. A change is never chosen whose expected goodput (share times success, what is over a region's capacity counting
 * nothing) is below that of staying, and what serves afterwards is at least `capacityMin` of what was declared.
 *
 * A dead source may overload the target: all of its traffic fails where it is, so some of it is better than none; the sentence says by how much. A gray
 * source (outside sees it down, inside up) that several of the outside still get through to may be half well: it moves only as far as headroom carries.
 * One that nobody outside gets through to, or a single voice says so, is dead to its users, however well it feels.
 *
 * Silence never makes a move look better. What a silent region keeps counts as it was last believed, with the benefit of the doubt; what it would
 * gain counts nothing, and so does what is gained by any region that nobody calls fit. With `capacityMin` 0 the declared capacities mean nothing but
 * proportions, and nothing is counted.
 */
import type { FamilyId, RegionId, RegionVerdict, Weights } from "@regent/contract";
import type { EndpointSpec, FamilySpec, HealthMemory, Proposal, ServiceSpec, Situation } from "../model.ts";
import { partsOf, ROUNDING } from "../strategy/parts.ts";
import { percentText } from "../text.ts";
import type { Rule, RuleInput, Ruling } from "./rule.ts";
import { allow, movesTraffic, requireApproval } from "./rule.ts";

/** Success that is assumed of a region that may be well or dead. */
const DOUBTFUL = 0.5;
/** Vantages, and networks, that must get through to a gray region before it counts as half well. */
const DISSENT_MIN = 2;

export const a03Goodput: Rule = { id: "A3", binds: "break-glass", ask: (input) => ask(input) };

const ask = ({ proposal, situation }: RuleInput): Ruling => {
  const { spec } = situation;
  if (!movesTraffic(proposal)) return allow("moves no traffic");
  if (!spec.isSized) return allow("no capacity is declared");
  if (spec.safety.capacityMin === 0) return allow("no part of the capacity is declared as needed");
  const calm = spec.families.filter(({ id }) => !proposal.panicFamilies.includes(id));
  const rulings = calm.map((family) => {
    const loads = loadsOf(family, proposal, situation);
    return { ruling: weigh(family.id, loads, spec.safety.capacityMin), isOverloading: overloaded(loads).length > 0 };
  });
  const objection = rulings.find(({ ruling }) => ruling.answer !== "allow");
  const told = objection ?? rulings.find(({ isOverloading }) => isOverloading) ?? rulings[0];
  return told?.ruling ?? allow("the declared panic policy is in force");
};

const weigh = (name: FamilyId, loads: readonly Load[], capacityMin: number): Ruling => {
  const stays = sumOf(loads, ({ before, capacity, most }) => Math.min(before, capacity) * most);
  const goes = sumOf(loads, goodputAfter);
  if (goes < stays - ROUNDING)
    return requireApproval(
      `${name}: ${percentText(goes)} of the traffic would be served, ${percentText(stays)} if it stays${overloadText(loads)}`,
    );
  const isGrayLeft = loads.some((load) => load.isGray && isLeft(load));
  if (isGrayLeft && overloaded(loads).length > 0)
    return requireApproval(
      `${name}: ${grayText(loads)} may be half well and moves only as far as headroom carries${overloadText(loads)}`,
    );
  const served = Math.min(
    1,
    sumOf(loads, ({ after, capacity, least }) => (after > 0 ? capacity * least : 0)),
  );
  const isDeadLeft = loads.some((load) => load.isDead && isLeft(load));
  // What is short already may still change, as long as it doesn't lose more.
  if (!isDeadLeft && served < capacityMin - ROUNDING && sumOf(loads, lostCapacity) > ROUNDING)
    return requireApproval(
      `${name}: ${percentText(served)} of the declared capacity would serve, at least ${percentText(capacityMin)} must`,
    );
  return allow(
    `${name}: ${percentText(goes)} of the traffic will be served, ${percentText(stays)} if it stays${overloadText(loads)}`,
  );
};

interface Load {
  readonly region: RegionId;
  /** 0..1 */
  readonly before: number;
  readonly after: number;
  /** What it can carry, as a part of the family's traffic, 0..1. */
  readonly capacity: number;
  /** Success at best and at worst, 0..1. */
  readonly most: number;
  readonly least: number;
  readonly isVouchedFor: boolean;
  readonly isDead: boolean;
  readonly isGray: boolean;
}

const loadsOf = (family: FamilySpec, { weightsBefore, weightsAfter }: Proposal, situation: Situation): readonly Load[] => {
  const { spec, health, verdicts } = situation;
  const before = partsIn(weightsBefore, family.id);
  const after = partsIn(weightsAfter, family.id);
  const whole = wholeOf(spec, family);
  const loads = spec.endpoints.map((endpoint): Load => {
    const { region, headroom } = endpoint;
    const reach = reachOf(verdicts.find((one) => one.region === region));
    const { most, least } = successOf(health[region], reach);
    const verdict = health[region]?.verdict;
    return {
      region,
      before: before[region] ?? 0,
      after: after[region] ?? 0,
      capacity: Math.min(1, (headroom * sizeOf(endpoint, family)) / whole),
      most,
      least,
      isVouchedFor: verdict === "healthy" || verdict === "degraded",
      isDead: verdict === "unhealthy" && reach === 0,
      isGray: reach > 0,
    };
  });
  // A sentence doesn't change with the order of a declaration.
  return loads.sort((a, b) => (a.region < b.region ? -1 : 1));
};

const partsIn = (weights: Weights, family: FamilyId): Readonly<Record<RegionId, number>> => partsOf(weights[family] ?? {});

/**
 * A standby is provisioned to take all: in active-passive a region is measured by the largest one. Where traffic is spread, by its part of the
 * whole, with its headroom.
 */
const wholeOf = (spec: ServiceSpec, family: FamilySpec): number => {
  const isPassive = spec.strategy.kind === "active-passive";
  let whole = 0;
  for (const endpoint of spec.endpoints) {
    const size = sizeOf(endpoint, family);
    whole = isPassive ? Math.max(whole, size) : whole + size;
  }
  return whole;
};

const sizeOf = ({ region, capacity }: EndpointSpec, family: FamilySpec): number => family.capacity[region] ?? capacity;

/**
 * The part of the outside that still gets through to a gray region, 0..1; of any other bad one nothing is served. One vantage's word, or one network's,
 * isn't enough to say that anybody does: it may be the one that is wrong.
 */
const reachOf = (verdict: RegionVerdict | undefined): number => {
  if (!verdict?.flags.includes("gray")) return 0;
  const heard = verdict.votes.filter(({ view, vote, suspect }) => view === "outside" && vote !== "none" && !suspect);
  if (heard.length === 0) return DOUBTFUL;
  const up = heard.filter(({ vote }) => vote === "up");
  const networks = new Set(up.map(({ vantage }) => vantage.slice(vantage.indexOf("/") + 1)));
  return up.length >= DISSENT_MIN && networks.size >= DISSENT_MIN ? up.length / heard.length : 0;
};

const successOf = (health: HealthMemory | undefined, reach: number): Success => {
  switch (health?.verdict) {
    case "healthy":
      return WELL;
    case "degraded":
      return { most: health.factor, least: health.factor };
    case "unhealthy":
      return { most: reach, least: 0 };
    case "recovering":
      // Well again by what is seen now, and only not trusted with more.
      return health.evidence === "good" ? WELL : { most: DOUBTFUL, least: 0 };
    case "unknown":
    case "maintenance":
    case undefined:
      return lastBelieved(health);
  }
};

type Success = Pick<Load, "most" | "least">;
const WELL: Success = { most: 1, least: 1 };

/** Of a region that is silent, or that is worked on and still serves. */
const lastBelieved = (health: HealthMemory | undefined): Success => {
  switch (health?.before) {
    case "degraded":
      return { most: health.factor > 0 ? health.factor : 1, least: health.factor };
    case "unhealthy":
      return { most: DOUBTFUL, least: 0 };
    case "recovering":
      return { most: 1, least: 0 };
    case "healthy":
    case "unknown":
    case "maintenance":
    case null:
    case undefined:
      return WELL;
  }
};

const goodputAfter = ({ before, after, capacity, most, isVouchedFor }: Load): number =>
  Math.min(isVouchedFor ? after : Math.min(before, after), capacity) * most;

/** Of a region that stops serving, at best; of one that starts, at worst. */
const lostCapacity = ({ before, after, capacity, most, least }: Load): number => {
  if (before > 0 && after === 0) return capacity * most;
  return before === 0 && after > 0 ? -capacity * least : 0;
};

const isLeft = ({ before, after }: Load): boolean => after < before - ROUNDING || (before > 0 && after === 0);

const overloaded = (loads: readonly Load[]): readonly Load[] =>
  loads.filter(({ before, after, capacity }) => after > before + ROUNDING && after > capacity + ROUNDING);

const overloadText = (loads: readonly Load[]): string =>
  overloaded(loads)
    .map(
      ({ region, after, capacity }) =>
        `; ${region} gets ${percentText(after)}, can carry ${percentText(capacity)} and is overloaded by ${percentText(after / capacity - 1)}`,
    )
    .join("");

const grayText = (loads: readonly Load[]): string =>
  loads
    .filter((load) => load.isGray && isLeft(load))
    .map(({ region }) => region)
    .join(", ");

const sumOf = (loads: readonly Load[], of: (load: Load) => number): number => loads.reduce((sum, load) => sum + of(load), 0);
