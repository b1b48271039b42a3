/**
 * What traffic should look like now: strategy, admission and operators' controls put together. Pure, level-based: asked twice with the same
 * situation it answers the same.
 */
import type { FamilyId, Instant, RegionId, Shares } from "@regent/contract";
import type { TrafficMemory } from "../model.ts";
import type { Placement, WantInput } from "./draft.ts";
import { standStatic } from "./fail-static.ts";
import { inForce, noteLent, withoutUnmade } from "./overrides.ts";
import { wantPinned } from "./pinned.ts";
import { wantPassive } from "./want-passive.ts";
import { wantSpread } from "./want-spread.ts";

export interface Wanted {
  readonly shares: Shares;
  readonly traffic: TrafficMemory;
  readonly placement: Placement;
  /** Regions left because they are bad. */
  readonly left: readonly RegionId[];
  /** Regions that make a step of their return. */
  readonly stepped: readonly RegionId[];
  /** Families that the declared panic policy serves. */
  readonly panicFamilies: readonly FamilyId[];
  /** Why the weights stay although something is wrong; null when all is well. */
  readonly failStatic: string | null;
  readonly waits: readonly string[];
  readonly nextLookAt: Instant | null;
}

/** `situation.controls` and `placement` already hold what the move asks for. */
export const wantShares = (asked: WantInput): Wanted => {
  const input = { ...asked, situation: { ...asked.situation, traffic: withoutUnmade(asked.situation) } };
  const placement = standingPlacement(input);
  const pinned = wantPinned(input.situation);
  if (pinned) return { ...pinned, placement, left: [], stepped: [], panicFamilies: [], waits: [], nextLookAt: null };
  const want = input.situation.spec.strategy.kind === "active-passive" ? wantPassive : wantSpread;
  const draft = want({ ...input, placement });
  const { left, stepped } = draft;
  const stand = standStatic(input.situation, draft);
  const traffic = noteLent(input.situation, stand.traffic, inForce(input.situation.controls.overrides, input.situation.now));
  return { left, stepped, ...stand, traffic, placement };
};

/**
 * An operator's choice of a region ends when that region fails, is drained or isn't declared any more: then automation may leave it. A
 * region that was bad already when it was chosen was chosen all the same.
 */
const standingPlacement = ({ placement, situation }: WantInput): Placement => {
  if (!placement || situation.controls.drained[placement.region]) return null;
  const health = situation.health[placement.region];
  const isDeclared = situation.spec.endpoints.some(({ region }) => region === placement.region);
  if (!health || !isDeclared) return null;
  const isBad = health.verdict === "unhealthy" || health.verdict === "maintenance";
  return isBad && health.since > placement.at ? null : placement;
};
