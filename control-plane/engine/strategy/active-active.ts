/**
 * Capacity times health, each region capped at its headroom by water-filling. Pure. algorithms.md 2.2.
 *
 * b_r = C_r / sum C; cap_r = min(1, headroom_r * b_r * h_r); A = min(1, sum cap). Below A = 1 the survivors are saturated and share evenly
 * over their headroom; when too little of the capacity is healthy, distrust the monitoring (panic). A region of which nobody can tell how it
 * is keeps its share; the others divide the rest.
 */
import type { RegionId } from "@regent/contract";
import { normalised } from "./parts.ts";

export interface Load {
  readonly region: RegionId;
  readonly capacity: number;
  readonly headroom: number;
  /** 0..1: verdict's factor times ramp level. */
  readonly factor: number;
  /** Share 0..1 that it keeps whatever happens to the others; null when it takes what it is given. */
  readonly kept: number | null;
}

export type Filling =
  | { readonly kind: "normal" | "saturated"; readonly shares: Readonly<Record<RegionId, number>>; readonly availability: number }
  | { readonly kind: "panic"; readonly healthyCapacity: number; readonly availability: number }
  | { readonly kind: "all-down" };

/** Sums of kept shares err by rounding; and capacities such as 0.1 + 0.2 must not turn an exact fit into saturation. */
const ROUNDING = 1e-9;

export const fill = (loads: readonly Load[], panicBelow: number): Filling => {
  const capacitySum = sumOf(loads.map(({ capacity }) => capacity));
  const caps = loads.map(
    ({ capacity, headroom, factor, kept }) => kept ?? Math.min(1, (headroom * capacity * Math.max(0, factor)) / capacitySum),
  );
  const rest = restOf(loads);
  if (!hasTaker(loads) && rest > 0) return { kind: "all-down" };
  const capSum = sumOf(caps);
  const availability = Math.min(1, capSum);
  const healthyCapacity = sumOf(loads.map(({ capacity }, i) => ((caps[i] ?? 0) > 0 ? capacity / capacitySum : 0)));
  const isShort = capSum < 1 - ROUNDING;
  if (isShort && healthyCapacity < panicBelow - ROUNDING) return { kind: "panic", healthyCapacity, availability };
  if (isShort) return { kind: "saturated", shares: toRecord(loads, overload(loads, caps, rest)), availability };
  return { kind: "normal", shares: toRecord(loads, pour(loads, caps, rest)), availability };
};

/** What the kept shares leave for the others, 0..1. */
export const restOf = (loads: readonly Load[]): number => {
  const rest = 1 - sumOf(loads.map(({ kept }) => kept ?? 0));
  // A rest that is only rounding noise would become a weight of 1: a positive share is never written as 0.
  return rest < ROUNDING ? 0 : rest;
};

/** Somebody is known to be able to take traffic. */
export const hasTaker = (loads: readonly Load[]): boolean => loads.some(({ kept, factor }) => kept === null && factor > 0);

/** Everybody over its cap by the same ratio, except who keeps its share. */
const overload = (loads: readonly Load[], caps: readonly number[], rest: number): readonly number[] => {
  const open = loads.map(({ kept }, i) => (kept === null ? (caps[i] ?? 0) : 0));
  const openSum = sumOf(open);
  return loads.map(({ kept }, i) => kept ?? ((open[i] ?? 0) * rest) / openSum);
};

/** Proportional to capacity times factor; whoever would overflow is fixed at its cap and the rest is poured again. */
const pour = (loads: readonly Load[], caps: readonly number[], restAtFirst: number): readonly number[] => {
  const shares = loads.map(({ kept }) => kept ?? 0);
  const isFixed = loads.map(({ kept, factor }) => kept !== null || factor <= 0);
  let rest = restAtFirst;
  for (let round = 0; round < loads.length; round++) {
    const open = loads.map((load, i) => (isFixed[i] ? 0 : load.capacity * load.factor));
    const openSum = sumOf(open);
    if (openSum <= 0) break;
    const overflowing = open.map((weight, i) => !isFixed[i] && (rest * weight) / openSum > (caps[i] ?? 0) + 1e-12);
    if (!overflowing.includes(true)) {
      open.forEach((weight, i) => {
        if (!isFixed[i]) shares[i] = (rest * weight) / openSum;
      });
      break;
    }
    overflowing.forEach((overflows, i) => {
      if (!overflows) return;
      isFixed[i] = true;
      shares[i] = caps[i] ?? 0;
      rest -= caps[i] ?? 0;
    });
  }
  return shares;
};

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

const toRecord = (loads: readonly Load[], shares: readonly number[]): Readonly<Record<RegionId, number>> =>
  normalised(Object.fromEntries(loads.map(({ region }, i) => [region, shares[i] ?? 0])));
