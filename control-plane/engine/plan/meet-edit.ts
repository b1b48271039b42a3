/**
 * How a write meets what somebody else wrote into DNS. Pure. An operator's move and the policy `revert` replace it; automation otherwise leaves it
 * alone, except that a region which is bad loses its weight: then everything else stays as they wrote it, so that no edit is lost in an emergency.
 */
import type { RegionId, Weights } from "@regent/contract";
import type { OperatorRequest, Situation } from "../model.ts";

export interface Meeting {
  /** `none`: DNS holds what we wrote. `hold`: it doesn't, and nothing forces us to write. */
  readonly how: "none" | "hold" | "replace" | "rebase";
  /** What stands in DNS, as far as it is known. */
  readonly weightsBefore: Weights;
  readonly weightsAfter: Weights;
}

export const meetEdit = (situation: Situation, wanted: Weights, request: OperatorRequest | null): Meeting => {
  const written = situation.written ?? {};
  const { edit } = situation;
  if (edit === null) return { how: "none", weightsBefore: written, weightsAfter: wanted };
  const standing = edit.isKept ? written : edit.weights;
  if (request !== null || edit.policy === "revert") return { how: "replace", weightsBefore: standing, weightsAfter: wanted };
  const rebased = rebase(situation, standing, wanted);
  return rebased === null
    ? { how: "hold", weightsBefore: written, weightsAfter: wanted }
    : { how: "rebase", weightsBefore: standing, weightsAfter: rebased };
};

/** Null when no bad region has to lose weight. */
const rebase = ({ health }: Situation, standing: Weights, wanted: Weights): Weights | null => {
  const isBad = (region: RegionId): boolean =>
    health[region]?.verdict === "unhealthy" || health[region]?.verdict === "recovering";
  let isNeeded = false;
  const rebased = Object.entries(standing).map(([family, weights]) => {
    const kept = Object.entries(weights).map(([region, weight]): [RegionId, number] => {
      const mustLeave = weight > 0 && isBad(region) && (wanted[family]?.[region] ?? 0) === 0;
      if (mustLeave) isNeeded = true;
      return [region, mustLeave ? 0 : weight];
    });
    // Nothing of what they wrote would answer: then the strategy says who does.
    return [family, kept.some(([, weight]) => weight > 0) ? Object.fromEntries(kept) : (wanted[family] ?? weights)] as const;
  });
  return isNeeded ? Object.fromEntries(rebased) : null;
};
