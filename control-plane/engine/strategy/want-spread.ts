/** active-active and round-robin over all families of a service. Pure. */
import type { FamilyId, RegionId } from "@regent/contract";
import type { FamilySpec, Situation } from "../model.ts";
import { percentText } from "../text.ts";
import type { Load } from "./active-active.ts";
import { fill } from "./active-active.ts";
import type { Admission } from "./admission.ts";
import { admit } from "./admission.ts";
import type { Candidate } from "./candidate.ts";
import { candidatesOf, canReceive, isOut, isSetAside, isUndecided } from "./candidate.ts";
import type { Placement, StrategyDraft, WantInput } from "./draft.ts";
import { forgive } from "./draft.ts";
import { spread } from "./round-robin.ts";

export const wantSpread = ({ situation, move, actor, placement }: WantInput): StrategyDraft => {
  const { spec, traffic, now } = situation;
  const [first] = spec.families;
  if (!first) throw new Error(`${spec.id} has no family`);
  const { settings, strategy } = spec;
  const candidates = candidatesOf(situation, first);
  const asked = admit({ candidates, traffic, settings, failback: strategy.failback, move, actor, now });
  const { admission, filled } = fillOrLetIn(situation, { admission: asked, candidates, placement });
  const isStandstill = Object.keys(filled.stuck).length === spec.families.length;
  return {
    shares: filled.shares,
    stuck: filled.stuck,
    // Where nothing can move, nobody is left and no return goes on: the memory of it changes when the traffic does.
    traffic: {
      ...(isStandstill ? traffic : admission.traffic),
      failedReturns: forgive(isStandstill ? traffic.failedReturns : admission.traffic.failedReturns, move),
    },
    left: isStandstill ? [] : admission.left,
    stepped: isStandstill ? [] : admission.stepped,
    waits: [...admission.waits, ...filled.notes],
    nextLookAt: admission.nextLookAt,
  };
};

interface Filled {
  readonly shares: Readonly<Record<FamilyId, Readonly<Record<RegionId, number>>>>;
  readonly stuck: Readonly<Record<FamilyId, string>>;
  readonly notes: readonly string[];
}

interface FillInput {
  readonly admission: Admission;
  readonly candidates: readonly Candidate[];
  readonly placement: Placement;
}

/** A fit region that waits for its return, or is in the middle of it, is better than one known to be dead: then it is let in at once. */
const fillOrLetIn = (situation: Situation, input: FillInput): { readonly admission: Admission; readonly filled: Filled } => {
  const { admission, candidates, placement } = input;
  const filled = fillFamilies(situation, admission, placement);
  if (Object.keys(filled.stuck).length === 0) return { admission, filled };
  const { out, ramps } = admission.traffic;
  const waiting = candidates.filter((c) => canReceive(c) && (out[c.region] !== undefined || ramps[c.region] !== undefined));
  const opened = letIn(
    admission,
    waiting.map(({ region }) => region),
  );
  const refilled = fillFamilies(situation, opened, placement);
  return Object.keys(refilled.stuck).length < Object.keys(filled.stuck).length
    ? { admission: opened, filled: refilled }
    : { admission, filled };
};

const letIn = (admission: Admission, regions: readonly RegionId[]): Admission => {
  const without = <T>(record: Readonly<Record<RegionId, T>>): Record<RegionId, T> =>
    Object.fromEntries(Object.entries(record).filter(([region]) => !regions.includes(region)));
  const { traffic } = admission;
  return {
    ...admission,
    levels: { ...admission.levels, ...Object.fromEntries(regions.map((region) => [region, 1])) },
    traffic: { ...traffic, out: without(traffic.out), ramps: without(traffic.ramps) },
    stepped: admission.stepped.filter((region) => !regions.includes(region)),
    waits: regions.length > 0 ? [`${regions.join(", ")} is needed: it is let in at once`] : admission.waits,
  };
};

const fillFamilies = (situation: Situation, admission: Admission, placement: Placement): Filled => {
  const shares: Record<FamilyId, Readonly<Record<RegionId, number>>> = {};
  const stuck: Record<FamilyId, string> = {};
  const notes: string[] = [];
  for (const family of situation.spec.families) {
    const filled = fillFamily(situation, family, admission, placement);
    if (filled.kind === "stuck") stuck[family.id] = filled.why;
    else shares[family.id] = filled.shares;
    if (filled.kind === "shares" && filled.note) notes.push(filled.note);
  }
  return { shares, stuck, notes: [...new Set(notes)] };
};

type FamilyFilled =
  | { readonly kind: "shares"; readonly shares: Readonly<Record<RegionId, number>>; readonly note: string | null }
  | { readonly kind: "stuck"; readonly why: string };

const fillFamily = (situation: Situation, family: FamilySpec, admission: Admission, placement: Placement): FamilyFilled => {
  const candidates = candidatesOf(situation, family);
  if (placement) {
    const shares = Object.fromEntries(candidates.map(({ region }) => [region, region === placement.region ? 1 : 0]));
    return { kind: "shares", shares, note: `${placement.by} chose ${placement.region}; it stays until failback` };
  }
  const loads = candidates.map((c) => toLoad(c, admission.levels[c.region] ?? 0));
  const { strategy } = situation.spec;
  if (strategy.kind !== "round-robin")
    return fillActive(loads, candidates, strategy.kind === "active-active" ? strategy.panicBelow : 0.5);
  const shares = spread(loads);
  return shares ? { kind: "shares", shares, note: null } : { kind: "stuck", why: "no region is fit" };
};

const toLoad = (c: Candidate, level: number): Load => ({
  region: c.region,
  capacity: c.capacity,
  headroom: c.headroom,
  factor: level * c.health.factor,
  kept: level > 0 && isUndecided(c) ? c.held : null,
});

const fillActive = (loads: readonly Load[], candidates: readonly Candidate[], panicBelow: number): FamilyFilled => {
  const first = fill(loads, panicBelow);
  const filling = first.kind === "panic" && !isDoubtful(candidates, first.availability) ? fill(loads, 0) : first;
  switch (filling.kind) {
    case "all-down":
      return { kind: "stuck", why: "no region is fit" };
    case "panic":
      return {
        kind: "stuck",
        why: `only ${percentText(filling.healthyCapacity)} of the capacity is healthy, below the panic threshold of ${percentText(panicBelow)}`,
      };
    case "saturated":
      return {
        kind: "shares",
        shares: filling.shares,
        note: `the healthy regions can carry ${percentText(filling.availability)} of the traffic: they are saturated`,
      };
    case "normal":
      return { kind: "shares", shares: filling.shares, note: null };
  }
};

/**
 * Whether it may be the monitoring that is wrong: a region with traffic is to be left, and vantages elsewhere don't confirm it or the rest
 * can't carry half. Fit regions that only wait for their return are no loss.
 */
const isDoubtful = (candidates: readonly Candidate[], availability: number): boolean => {
  const isLeft = candidates.some((c) => c.held > 0 && (isOut(c) || isSetAside(c)));
  const isSurelyGone = candidates.filter(isOut).every((c) => c.verdict.outside === "down");
  return isLeft && !(isSurelyGone && availability >= 0.5);
};
