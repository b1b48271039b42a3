/**
 * Capacity times health, each region capped at its headroom by water-filling. Pure. algorithms.md 2.2.
 *
 * b_r = C_r / sum C; cap_r = min(1, headroom_r * b_r * h_r); A = min(1, sum cap). Below A = 1 the survivors are saturated and share evenly
 * over their headroom; when too little of the capacity is healthy, distrust the monitoring (panic).
 */
import type { RegionId } from "@regent/contract";

export interface Load {
  readonly region: RegionId;
  readonly capacity: number;
  readonly headroom: number;
  /** 0..1: verdict's factor times ramp level. */
  readonly factor: number;
  /** Most that it may get whatever its capacity: an unknown region keeps what it has. */
  readonly shareMax: number;
}

export type Filling =
  | { readonly kind: "normal" | "saturated"; readonly shares: Readonly<Record<RegionId, number>>; readonly availability: number }
  | { readonly kind: "panic"; readonly healthyCapacity: number; readonly availability: number }
  | { readonly kind: "all-down" };

export const fill = (loads: readonly Load[], panicBelow: number): Filling => {
  const capacitySum = loads.reduce((sum, { capacity }) => sum + capacity, 0);
  const caps = loads.map(({ capacity, headroom, factor, shareMax }) =>
    factor > 0 ? Math.min(1, shareMax, (headroom * capacity * factor) / capacitySum) : 0,
  );
  const capSum = caps.reduce((sum, cap) => sum + cap, 0);
  if (capSum <= 0) return { kind: "all-down" };
  const availability = Math.min(1, capSum);
  const healthyCapacity = loads.reduce((sum, { capacity, factor }) => sum + (factor > 0 ? capacity / capacitySum : 0), 0);
  // 1e-9: capacities such as 0.1 + 0.2 must not turn an exact fit into saturation.
  const isShort = capSum < 1 - 1e-9;
  if (isShort && healthyCapacity < panicBelow - 1e-9) return { kind: "panic", healthyCapacity, availability };
  if (isShort) return { kind: "saturated", shares: toRecord(loads, overload(loads, caps)), availability };
  return { kind: "normal", shares: toRecord(loads, pour(loads, caps)), availability };
};

/** Everybody over its cap by the same ratio, except who may not get more than it has. */
const overload = (loads: readonly Load[], caps: readonly number[]): readonly number[] => {
  const isKept = loads.map(({ shareMax }, i) => shareMax < 1 && (caps[i] ?? 0) >= shareMax);
  const keptSum = caps.reduce((sum, cap, i) => sum + (isKept[i] ? cap : 0), 0);
  const openSum = caps.reduce((sum, cap, i) => sum + (isKept[i] ? 0 : cap), 0);
  if (openSum <= 0) return caps.map((cap) => cap / keptSum);
  return caps.map((cap, i) => (isKept[i] ? cap : (cap * (1 - keptSum)) / openSum));
};

/** Proportional to capacity times factor; whoever would overflow is fixed at its cap and the rest is poured again. */
const pour = (loads: readonly Load[], caps: readonly number[]): readonly number[] => {
  const shares = loads.map(() => 0);
  const isFixed = caps.map((cap) => cap <= 0);
  let rest = 1;
  for (let round = 0; round <= loads.length; round++) {
    const open = loads.map((load, i) => (isFixed[i] ? 0 : load.capacity * load.factor));
    const openSum = open.reduce((sum, weight) => sum + weight, 0);
    if (openSum <= 0) break;
    const overflowing = open.map((weight, i) => !isFixed[i] && (rest * weight) / openSum > (caps[i] ?? 0) + 1e-12);
    if (!overflowing.includes(true)) {
      open.forEach((weight, i) => {
        if (!isFixed[i]) shares[i] = (rest * weight) / openSum;
      });
      return shares;
    }
    overflowing.forEach((overflows, i) => {
      if (!overflows) return;
      isFixed[i] = true;
      shares[i] = caps[i] ?? 0;
      rest -= caps[i] ?? 0;
    });
  }
  const sum = shares.reduce((a, b) => a + b, 0);
  return shares.map((share) => share / sum);
};

const toRecord = (loads: readonly Load[], shares: readonly number[]): Record<RegionId, number> =>
  Object.fromEntries(loads.map(({ region }, i) => [region, shares[i] ?? 0]));
