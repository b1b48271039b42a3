/** Weights as parts of the traffic: 127 of 254 is no more than 1 of 2. Pure. */
import type { FamilyId, RegionId, Weights } from "@regent/contract";
import type { Situation } from "../model.ts";
import { weightsError } from "./weights.ts";

/** Integer weights can't hold a share exactly; a change smaller than this is none. */
export const ROUNDING = 0.01;

/** region -> 0..1; all 0 where all weights are 0. */
export const partsOf = (weights: Readonly<Record<RegionId, number>>): Readonly<Record<RegionId, number>> => normalised(weights);

/**
 * The shares that DNS holds now: the wanted ones where the written weights stand for them, else what the weights amount to, as a wanted move
 * may never have arrived. Regions that aren't there hold 0.
 */
export const heldShares = ({ traffic, written }: Situation, family: FamilyId): Readonly<Record<RegionId, number>> => {
  const weights = written?.[family] ?? {};
  const wanted = traffic.shares[family];
  return wanted && weightsError(wanted, weights) <= ROUNDING ? wanted : partsOf(weights);
};

/** Sums to 1 but for rounding: left alone then, so that shares computed from themselves stay the same to the last digit. */
const SUM_TOLERANCE = 1e-9;

/** The same proportions with sum 1; all 0 where nothing is positive. */
export const normalised = (shares: Readonly<Record<RegionId, number>>): Readonly<Record<RegionId, number>> => {
  const sum = sumOf(shares);
  if (Math.abs(sum - 1) <= SUM_TOLERANCE) return shares;
  const parts: Record<RegionId, number> = {};
  for (const region in shares) parts[region] = sum > 0 ? (shares[region] ?? 0) / sum : 0;
  return parts;
};

/** A region that only one side knows has weight 0 on the other. */
export const sameWeights = (before: Weights, after: Weights): boolean =>
  Object.entries(after).every(([family, weights]) => {
    const old = before[family];
    if (!old) return false;
    for (const region in old) if ((old[region] ?? 0) !== (weights[region] ?? 0)) return false;
    for (const region in weights) if ((old[region] ?? 0) !== (weights[region] ?? 0)) return false;
    return true;
  });

export interface Parts {
  /** 0..1 */
  readonly before: number;
  readonly after: number;
}

/** Regions, sorted, whose part in any family fits what is asked. Regions that only one side knows have 0 on the other. */
export const regionsWhere = (before: Weights, after: Weights, fits: (parts: Parts) => boolean): readonly RegionId[] => {
  const found = new Set<RegionId>();
  const look = (old: ByRegion, next: ByRegion): void => {
    const oldSum = sumOf(old);
    const nextSum = sumOf(next);
    const ask = (region: RegionId): void => {
      if (fits({ before: partOf(old[region], oldSum), after: partOf(next[region], nextSum) })) found.add(region);
    };
    for (const region in old) ask(region);
    for (const region in next) if (old[region] === undefined) ask(region);
  };
  for (const family in before) look(before[family] ?? NONE, after[family] ?? NONE);
  for (const family in after) if (before[family] === undefined) look(NONE, after[family] ?? NONE);
  return found.size > 1 ? [...found].sort() : [...found];
};

type ByRegion = Readonly<Record<RegionId, number>>;
const NONE: ByRegion = {};

const sumOf = (weights: ByRegion): number => {
  let sum = 0;
  for (const region in weights) sum += weights[region] ?? 0;
  return sum;
};

const partOf = (weight: number | undefined, sum: number): number => (weight === undefined || sum <= 0 ? 0 : weight / sum);

export const gains = ({ before, after }: Parts): boolean => (before === 0 && after > 0) || after > before + ROUNDING;
export const leaves = ({ before, after }: Parts): boolean => before > 0 && after === 0;
export const changes = (parts: Parts): boolean => gains(parts) || leaves(parts) || parts.after < parts.before - ROUNDING;
