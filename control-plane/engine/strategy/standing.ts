/** Traffic as it stands in DNS becomes what is wanted: of a name that is adopted, or of an edit that is kept. Moves nothing. Pure. */
import type { FamilyId, RegionId, Weights } from "@regent/contract";
import type { Controls, Instant, PassiveMemory, ServiceSpec, TrafficMemory } from "../model.ts";
import { firstTraffic } from "./first.ts";
import { partsOf, ROUNDING } from "./parts.ts";
import { weightsError } from "./weights.ts";

/**
 * The region with the most weight is the active one. Where traffic is spread, regions without any count as taken out: they come back by a return,
 * never at once.
 */
export const standingTraffic = (spec: ServiceSpec, weights: Weights, now: Instant): TrafficMemory => {
  const first = firstTraffic(spec, []);
  const isPassive = spec.strategy.kind === "active-passive";
  const passive: Record<FamilyId, PassiveMemory> = {};
  const out: Record<RegionId, { readonly since: Instant; readonly why: string }> = {};
  for (const { id } of spec.families) {
    const family = weights[id] ?? {};
    if (isPassive) passive[id] = { active: heaviest(first.passive[id]?.active ?? "", family), returning: null };
    else
      for (const { region } of spec.endpoints)
        if ((family[region] ?? 0) === 0)
          out[region] = { since: now, why: "it stood at weight 0 when the records were taken over" };
  }
  const shares = Object.fromEntries(spec.families.map(({ id }) => [id, partsOf(weights[id] ?? {})]));
  return { ...first, passive, out, shares };
};

/** Whether every family has something that answers: what doesn't is nothing to go on from. */
export const isAnswering = (weights: Weights): boolean =>
  Object.values(weights).every((family) => Object.values(family).some((weight) => weight > 0));

/** A standing decision that DNS contradicts is over: it would move traffic as soon as automation is on again, or, as an override, at once. */
export const standingControls = <T extends Pick<Controls, "drained" | "placement" | "overrides">>(
  controls: T,
  weights: Weights,
): T => {
  const isServed = (region: RegionId): boolean => Object.values(weights).some((family) => (family[region] ?? 0) > 0);
  const { drained, placement, overrides } = controls;
  return {
    ...controls,
    overrides: overrides.filter(({ what }) => {
      if (what.kind === "off") return !isServed(what.region);
      return what.kind !== "pin" || Object.values(weights).every((family) => weightsError(what.shares, family) <= ROUNDING);
    }),
    drained: Object.fromEntries(Object.entries(drained).filter(([region]) => !isServed(region))),
    placement: placement && isServed(placement.region) ? placement : null,
  };
};

/** The preferred one where several weigh the same. */
const heaviest = (preferred: RegionId, weights: Readonly<Record<RegionId, number>>): RegionId =>
  Object.entries(weights).reduce((best, [region, weight]) => (weight > (weights[best] ?? 0) ? region : best), preferred);
