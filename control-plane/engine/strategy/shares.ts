/**
 * What traffic should look like now: strategy, admission and operators' controls put together, family by family. Pure, level-based: asked
 * twice with the same situation it answers the same.
 */
import type { Actor, FamilyId, Instant, RegionId, Shares } from "@regent/contract";
import type { Control, FamilySpec, OperatorMove, PassiveMemory, Situation, TrafficMemory } from "../model.ts";
import type { Load } from "./active-active.ts";
import { fill } from "./active-active.ts";
import { choose } from "./active-passive.ts";
import type { Admission } from "./admission.ts";
import { admit, hasFailedReturn } from "./admission.ts";
import type { Candidate } from "./candidate.ts";
import { candidatesOf, canReceive, isFit, isOut } from "./candidate.ts";
import { spread } from "./round-robin.ts";
import { durationText, percentText } from "./text.ts";

export interface Wanted {
  readonly shares: Shares;
  readonly traffic: TrafficMemory;
  readonly placement: (Control & { readonly region: RegionId }) | null;
  /** Regions left because they are bad. */
  readonly left: readonly RegionId[];
  /** Regions that make a step of their return. */
  readonly stepped: readonly RegionId[];
  /** Why the weights stay although something is wrong; null when all is well. */
  readonly failStatic: string | null;
  readonly waits: readonly string[];
  readonly nextLookAt: Instant | null;
}

export interface WantInput {
  readonly situation: Situation;
  readonly move: OperatorMove | null;
  readonly actor: Actor;
  readonly placement: (Control & { readonly region: RegionId }) | null;
}

/** `situation.controls.drained` already holds what the move asks for. */
export const wantShares = (input: WantInput): Wanted => {
  const placement = standingPlacement(input);
  const wanted =
    input.situation.spec.strategy.kind === "active-passive" ? wantPassive(input, placement) : wantSpread(input, placement);
  return { ...resolveFailStatic(input.situation, wanted), placement };
};

/** An operator's choice of a region ends when that region fails or is drained: then automation may leave it. */
const standingPlacement = ({ placement, situation }: WantInput): WantInput["placement"] => {
  if (!placement) return null;
  const verdict = situation.health[placement.region]?.verdict;
  const isGone = verdict === "unhealthy" || verdict === "recovering" || verdict === "maintenance";
  return isGone || situation.controls.drained[placement.region] ? null : placement;
};

type Draft = Omit<Wanted, "placement">;

// ------------------------------------------------------------------------------------------------ active-passive

const wantPassive = ({ situation, move, actor }: WantInput, placement: WantInput["placement"]): Draft => {
  const { spec, traffic, now } = situation;
  const shares: Record<FamilyId, Record<RegionId, number>> = {};
  const passive: Record<FamilyId, PassiveMemory> = {};
  const returnedAt = { ...traffic.returnedAt };
  const left = new Set<RegionId>();
  const stepped = new Set<RegionId>();
  const waits = new Set<string>();
  const looks: Instant[] = [];
  let failStatic: string | null = null;
  for (const family of spec.families) {
    const candidates = candidatesOf(situation, family);
    const memory = traffic.passive[family.id] ?? null;
    const { settings, strategy } = spec;
    const chosen = choose({
      candidates,
      memory,
      traffic,
      settings,
      failback: strategy.failback,
      placement: placement?.region ?? null,
      move,
      actor,
      now,
    });
    for (const region of chosen.left) left.add(region);
    for (const wait of chosen.waits) waits.add(wait);
    if (chosen.nextLookAt !== null) looks.push(chosen.nextLookAt);
    if (!chosen.memory) {
      failStatic = `${family.id}: no region can take the traffic`;
      if (memory) passive[family.id] = memory;
      shares[family.id] = { ...traffic.shares[family.id] };
      continue;
    }
    passive[family.id] = chosen.memory;
    if (chosen.returned) returnedAt[chosen.returned] = now;
    if (chosen.isStep) stepped.add(chosen.memory.returning?.region ?? chosen.memory.active);
    shares[family.id] = passiveShares(chosen.memory, candidates, strategy.kind === "active-passive" ? strategy.trickle : 0);
  }
  const failed = noteFailedReturns(situation, [...left]);
  return {
    shares,
    traffic: {
      ...traffic,
      passive,
      returnedAt: { ...returnedAt, ...failed.returnedAt },
      failedReturns: forgive(failed.failedReturns, move),
      shares,
    },
    left: [...left],
    stepped: [...stepped],
    failStatic,
    waits: [...waits],
    nextLookAt: earliest(looks),
  };
};

const passiveShares = (memory: PassiveMemory, candidates: readonly Candidate[], trickle: number): Record<RegionId, number> => {
  const level = memory.returning ? memory.returning.ramp.step / memory.returning.ramp.steps : 0;
  const shares: Record<RegionId, number> = {};
  let rest = 1;
  for (const c of candidates) {
    const isStandby = c.region !== memory.active && c.region !== memory.returning?.region;
    shares[c.region] = isStandby && c.health.verdict === "healthy" && canReceive(c) ? trickle : 0;
    rest -= shares[c.region] ?? 0;
  }
  shares[memory.active] = rest * (1 - level);
  if (memory.returning) shares[memory.returning.region] = rest * level;
  return shares;
};

const noteFailedReturns = ({ traffic, spec, now }: Situation, left: readonly RegionId[]) => {
  const failedReturns: Record<RegionId, readonly Instant[]> = { ...traffic.failedReturns };
  for (const region of left) {
    if (!hasFailedReturn(traffic, region, spec.settings, now)) continue;
    failedReturns[region] = [...(failedReturns[region] ?? []), now].slice(-10);
  }
  return { failedReturns, returnedAt: {} as Record<RegionId, Instant> };
};

/** An operator who asks for a return says that the past failures are dealt with. */
const forgive = (
  failed: Readonly<Record<RegionId, readonly Instant[]>>,
  move: OperatorMove | null,
): TrafficMemory["failedReturns"] => {
  if (move?.kind === "failback") return {};
  if (move?.kind !== "undrain") return failed;
  const { [move.region]: _forgiven, ...rest } = failed;
  return rest;
};

// ------------------------------------------------------------------------------------------------ active-active and round-robin

const wantSpread = ({ situation, move, actor }: WantInput, placement: WantInput["placement"]): Draft => {
  const { spec, traffic, now } = situation;
  const { settings, strategy } = spec;
  const first = spec.families[0];
  if (!first) throw new Error(`${spec.id} has no family`);
  const admission = admit({
    candidates: candidatesOf(situation, first),
    traffic,
    settings,
    failback: strategy.failback,
    move,
    actor,
    now,
  });
  const shares: Record<FamilyId, Record<RegionId, number>> = {};
  let failStatic: string | null = null;
  const waits = [...admission.waits];
  for (const family of spec.families) {
    const filled = fillFamily(situation, family, admission, placement);
    if (filled.kind === "shares") shares[family.id] = filled.shares;
    else {
      failStatic = `${family.id}: ${filled.why}`;
      shares[family.id] = { ...traffic.shares[family.id] };
    }
    if (filled.kind === "shares" && filled.note) waits.push(filled.note);
  }
  const failedReturns = forgive(admission.traffic.failedReturns, move);
  return {
    shares,
    traffic: { ...admission.traffic, failedReturns, shares },
    left: admission.left,
    stepped: admission.stepped,
    failStatic,
    waits,
    nextLookAt: admission.nextLookAt,
  };
};

type Filled =
  | { readonly kind: "shares"; readonly shares: Record<RegionId, number>; readonly note: string | null }
  | { readonly kind: "stuck"; readonly why: string };

const fillFamily = (
  situation: Situation,
  family: FamilySpec,
  admission: Admission,
  placement: WantInput["placement"],
): Filled => {
  const candidates = candidatesOf(situation, family);
  if (placement) {
    const shares = Object.fromEntries(candidates.map(({ region }) => [region, region === placement.region ? 1 : 0]));
    return { kind: "shares", shares, note: `${placement.by} chose ${placement.region}; it stays until failback` };
  }
  const before = situation.traffic.shares[family.id];
  const loads = candidates.map((c) => toLoad(c, admission.levels[c.region] ?? 0, before?.[c.region]));
  const { strategy } = situation.spec;
  if (strategy.kind === "round-robin") {
    const shares = spread(loads);
    return shares ? { kind: "shares", shares: { ...shares }, note: null } : { kind: "stuck", why: "no region is fit" };
  }
  return fillActive(loads, candidates, strategy.kind === "active-active" ? strategy.panicBelow : 0.5);
};

/** An unknown region keeps what it has: silence neither takes traffic away nor gives more. */
const toLoad = (c: Candidate, level: number, shareBefore: number | undefined): Load => ({
  region: c.region,
  capacity: c.capacity,
  headroom: c.headroom,
  factor: level * c.health.factor,
  shareMax: c.health.verdict === "unknown" && shareBefore !== undefined ? shareBefore : 1,
});

const fillActive = (loads: readonly Load[], candidates: readonly Candidate[], panicBelow: number): Filled => {
  // A loss that vantages elsewhere confirm is no reason to distrust the monitoring, while the rest can carry half of the traffic.
  const isSurelyGone = candidates.filter(isOut).every((c) => c.verdict.outside === "down");
  const first = fill(loads, panicBelow);
  const filling = first.kind === "panic" && isSurelyGone && first.availability >= 0.5 ? fill(loads, 0) : first;
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
        shares: { ...filling.shares },
        note: `the healthy regions can carry ${percentText(filling.availability)} of the traffic: they are saturated`,
      };
    case "normal":
      return { kind: "shares", shares: { ...filling.shares }, note: null };
  }
};

// ------------------------------------------------------------------------------------------------ standing still

/** Fail-static keeps the last weights and pages; after `panicHoldMs` the declared policy may serve by capacity, or everybody. */
const resolveFailStatic = (situation: Situation, draft: Draft): Draft => {
  const { traffic, spec, now } = situation;
  if (draft.failStatic === null) return { ...draft, traffic: { ...draft.traffic, failStaticSince: null } };
  const since = traffic.failStaticSince ?? now;
  const kept: Draft = {
    ...draft,
    shares: traffic.shares,
    // A region that can't be left isn't left: its memory changes when the traffic does.
    traffic: { ...traffic, failStaticSince: since },
    left: [],
    stepped: [],
  };
  const policy = spec.strategy.panic;
  const opensAt = since + spec.settings.panicHoldMs;
  if (policy === "hold")
    return { ...kept, failStatic: `${draft.failStatic}; keeping the last weights until something can take it` };
  if (now < opensAt)
    return { ...kept, failStatic: `${draft.failStatic}; ${policy} in ${durationText(opensAt - now)}`, nextLookAt: opensAt };
  const shares = Object.fromEntries(spec.families.map((family) => [family.id, openShares(situation, family, policy)]));
  return {
    ...kept,
    shares,
    traffic: { ...kept.traffic, shares },
    failStatic: `${draft.failStatic}; ${policy} since ${durationText(now - opensAt)}`,
  };
};

const openShares = (situation: Situation, family: FamilySpec, policy: "best-effort" | "fail-open"): Record<RegionId, number> => {
  const candidates = candidatesOf(situation, family);
  const open = candidates.filter((c) => c.health.verdict !== "maintenance" && !c.isDrained);
  const chosen = open.length > 0 ? open : candidates;
  const weights = chosen.map((c) => c.capacity * (policy === "fail-open" ? 1 : Math.max(isFit(c) ? c.health.factor : 0, 0.1)));
  const sum = weights.reduce((a, b) => a + b, 0);
  return Object.fromEntries(candidates.map((c) => [c.region, (weights[chosen.indexOf(c)] ?? 0) / sum]));
};

const earliest = (instants: readonly Instant[]): Instant | null => (instants.length === 0 ? null : Math.min(...instants));
