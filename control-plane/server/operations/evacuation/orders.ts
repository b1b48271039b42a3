/** What may be asked of evacuations, and the answers. */
import type { Evacuation, EvacuationPreview, RuleId } from "@regent/contract";

export interface EvacuationOrder {
  readonly region: string;
  readonly direction: Evacuation["direction"];
  readonly by: string;
  readonly reason: string;
  readonly breakGlass: readonly RuleId[];
  readonly dryRun: boolean;
  /** The services that whoever asks may act on; null: all. */
  readonly scope: readonly string[] | null;
}

/** It is of services that whoever asks may not act on: refused as a whole. */
interface BeyondScope {
  readonly kind: "beyond-scope";
  readonly services: readonly string[];
}

export type EvacuationResult =
  | { readonly kind: "begun"; readonly evacuation: Evacuation }
  | { readonly kind: "previewed"; readonly preview: readonly EvacuationPreview[] }
  | { readonly kind: "evacuation-running"; readonly running: Evacuation }
  | { readonly kind: "not-found"; readonly what: string }
  | BeyondScope;

export interface StopEvacuationOrder {
  readonly id: string;
  readonly by: string;
  readonly reason: string;
  readonly scope: readonly string[] | null;
}

export type StopEvacuationResult =
  | { readonly kind: "stopped"; readonly evacuation: Evacuation }
  | { readonly kind: "not-found"; readonly what: string }
  | BeyondScope;

export interface RegionFreezeOrder {
  readonly region: string;
  readonly isFrozen: boolean;
  readonly by: string;
  readonly reason: string;
  readonly scope: readonly string[] | null;
}

export type RegionFreezeResult =
  | { readonly kind: "set"; readonly why: string }
  | { readonly kind: "not-found"; readonly what: string }
  | BeyondScope;
