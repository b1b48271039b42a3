/** Weights as parts of the traffic: 127 of 254 is no more than 1 of 2. Pure. */
import type { RegionId, Weights } from "@regent/contract";

/** Integer weights can't hold a share exactly; a change smaller than this is none. */
const ROUNDING = 0.01;

/** region -> 0..1; all 0 where all weights are 0. */
export const partsOf = (weights: Readonly<Record<RegionId, number>>): Readonly<Record<RegionId, number>> => {
  const sum = Object.values(weights).reduce((total, weight) => total + weight, 0);
  return Object.fromEntries(Object.entries(weights).map(([region, weight]) => [region, sum > 0 ? weight / sum : 0]));
};

export interface Parts {
  /** 0..1 */
  readonly before: number;
  readonly after: number;
}

/** Regions, sorted, whose part in any family fits what is asked. Regions that only one side knows have 0 on the other. */
export const regionsWhere = (before: Weights, after: Weights, fits: (parts: Parts) => boolean): readonly RegionId[] => {
  const found = new Set<RegionId>();
  for (const family of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const old = partsOf(before[family] ?? {});
    const next = partsOf(after[family] ?? {});
    for (const region of new Set([...Object.keys(old), ...Object.keys(next)]))
      if (fits({ before: old[region] ?? 0, after: next[region] ?? 0 })) found.add(region);
  }
  return [...found].sort();
};

export const gains = ({ before, after }: Parts): boolean => (before === 0 && after > 0) || after > before + ROUNDING;
export const leaves = ({ before, after }: Parts): boolean => before > 0 && after === 0;
export const changes = (parts: Parts): boolean => gains(parts) || leaves(parts) || parts.after < parts.before - ROUNDING;
