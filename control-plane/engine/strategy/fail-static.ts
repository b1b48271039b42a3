/**
 * Families that nobody can serve keep their weights, and somebody is paged; after `panicHoldMs` the declared policy may serve by capacity, or
 * everybody. Pure. algorithms.md 2.5.
 */
import type { FamilyId, Instant, RegionId } from "@regent/contract";
import type { FamilySpec, Situation, TrafficMemory } from "../model.ts";
import { clockText } from "../text.ts";
import { candidatesOf, isSetAside } from "./candidate.ts";
import type { StrategyDraft } from "./draft.ts";
import { heldShares, normalised } from "./parts.ts";

export interface Stand {
  readonly shares: Readonly<Record<FamilyId, Readonly<Record<RegionId, number>>>>;
  readonly traffic: TrafficMemory;
  /** Families that the declared panic policy serves now. */
  readonly panicFamilies: readonly FamilyId[];
  readonly failStatic: string | null;
  readonly nextLookAt: Instant | null;
}

export const standStatic = (situation: Situation, draft: StrategyDraft): Stand => {
  const { spec, traffic, now } = situation;
  const stuck = Object.entries(draft.stuck);
  if (stuck.length === 0)
    return {
      shares: draft.shares,
      traffic: { ...draft.traffic, shares: draft.shares, failStaticSince: null },
      panicFamilies: [],
      failStatic: null,
      nextLookAt: draft.nextLookAt,
    };
  const since = traffic.failStaticSince ?? now;
  const opensAt = since + spec.settings.panicHoldMs;
  const isOpen = spec.strategy.panic !== "hold" && now >= opensAt;
  const shares = Object.fromEntries(
    spec.families.map((family) => {
      if (draft.stuck[family.id] === undefined) return [family.id, draft.shares[family.id] ?? {}];
      return [family.id, isOpen ? openShares(situation, family) : keptShares(situation, family.id)];
    }),
  );
  const isWaiting = spec.strategy.panic !== "hold" && now < opensAt;
  return {
    shares,
    traffic: { ...draft.traffic, shares, failStaticSince: since },
    panicFamilies: isOpen ? Object.keys(draft.stuck) : [],
    failStatic: `${stuck.map(([family, why]) => `${family}: ${why}`).join("; ")}; ${whatFollows(situation, opensAt)}`,
    nextLookAt: isWaiting ? Math.min(draft.nextLookAt ?? opensAt, opensAt) : draft.nextLookAt,
  };
};

/** It names a moment and counts no seconds: the sentence changes when something does. */
const whatFollows = ({ spec, now }: Situation, opensAt: Instant): string => {
  const policy = spec.strategy.panic;
  if (policy === "hold") return "keeping the last weights until something can take it";
  return `${policy} ${now < opensAt ? "from" : "since"} ${clockText(opensAt)}`;
};

/** The shares that DNS holds now, of the declared regions. All 0 when none of those holds anything. */
export const keptShares = (situation: Situation, family: FamilyId): Record<RegionId, number> => {
  const held = heldShares(situation, family);
  return { ...normalised(Object.fromEntries(situation.spec.endpoints.map(({ region }) => [region, held[region] ?? 0]))) };
};

const openShares = (situation: Situation, family: FamilySpec): Record<RegionId, number> => {
  const isEqual = situation.spec.strategy.panic === "fail-open";
  const candidates = candidatesOf(situation, family);
  // A fit region that is drained keeps its part: nobody fit could take it.
  const open = candidates.filter((c) => !isSetAside(c) || (c.held > 0 && c.health.factor > 0));
  const chosen = open.length > 0 ? open : candidates;
  const weights = new Map(chosen.map((c) => [c.region, c.capacity * (isEqual ? 1 : Math.max(c.health.factor, FACTOR_MIN))]));
  const sum = [...weights.values()].reduce((a, b) => a + b, 0);
  return Object.fromEntries(candidates.map(({ region }) => [region, (weights.get(region) ?? 0) / sum]));
};

/** In a panic the monitoring is doubted, so even the dead get a part. */
const FACTOR_MIN = 0.1;
