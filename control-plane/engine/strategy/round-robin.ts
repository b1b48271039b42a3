/** Equal over the fit; a returning or degraded region gets its part of an equal share. Pure. algorithms.md 2.3. */
import type { RegionId } from "@regent/contract";
import type { Load } from "./active-active.ts";
import { hasTaker, restOf } from "./active-active.ts";
import { normalised } from "./parts.ts";

/** null when traffic has nowhere to go. Regions that keep their share keep it; the others divide the rest. */
export const spread = (loads: readonly Load[]): Readonly<Record<RegionId, number>> | null => {
  const rest = restOf(loads);
  if (!hasTaker(loads) && rest > 0) return null;
  const open = loads.reduce((total, { kept, factor }) => total + (kept === null ? factor : 0), 0);
  return normalised(
    Object.fromEntries(loads.map(({ region, kept, factor }) => [region, kept ?? (open > 0 ? (rest * factor) / open : 0)])),
  );
};
