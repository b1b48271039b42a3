/** Equal over the fit; a returning or degraded region gets its part of an equal share. Pure. algorithms.md 2.3. */
import type { RegionId } from "@regent/contract";
import type { Load } from "./active-active.ts";

/** null when nobody is fit. */
export const spread = (loads: readonly Load[]): Readonly<Record<RegionId, number>> | null => {
  const sum = loads.reduce((total, { factor }) => total + factor, 0);
  if (sum <= 0) return null;
  return Object.fromEntries(loads.map(({ region, factor }) => [region, factor / sum]));
};
