/** What a strategy hands on: the shares that it wants, family by family, and the families that it can't help. */
import type { Actor, FamilyId, Instant, RegionId } from "@regent/contract";
import type { Control, OperatorMove, Situation, TrafficMemory } from "../model.ts";

export type Placement = (Control & { readonly region: RegionId }) | null;

export interface WantInput {
  readonly situation: Situation;
  readonly move: OperatorMove | null;
  readonly actor: Actor;
  readonly placement: Placement;
}

export interface StrategyDraft {
  /** Shares of the families that can be served. */
  readonly shares: Readonly<Record<FamilyId, Readonly<Record<RegionId, number>>>>;
  /** Why the others can't. */
  readonly stuck: Readonly<Record<FamilyId, string>>;
  /** Memory of everything but the shares. */
  readonly traffic: TrafficMemory;
  /** Regions left because they are bad. */
  readonly left: readonly RegionId[];
  /** Regions that make a step of their return. */
  readonly stepped: readonly RegionId[];
  readonly waits: readonly string[];
  readonly nextLookAt: Instant | null;
}

/** An operator who asks for a return says that the past failures are dealt with. */
export const forgive = (
  failed: Readonly<Record<RegionId, readonly Instant[]>>,
  move: OperatorMove | null,
): TrafficMemory["failedReturns"] => {
  if (move?.kind === "failback") return {};
  if (move?.kind !== "undrain") return failed;
  const { [move.region]: _forgiven, ...rest } = failed;
  return rest;
};

export const earliest = (instants: readonly Instant[]): Instant | null => (instants.length === 0 ? null : Math.min(...instants));
