/**
 * Families that nobody can serve keep their weights, and somebody is paged; after `panicHoldMs` the declared policy may serve by capacity, or
 * everybody. Pure. algorithms.md 2.5.
 */
import type { FamilyId, Instant, RegionId } from "@regent/contract";
import type { FamilySpec, Situation, TrafficMemory } from "../model.ts";
import { clockText, sharesText } from "../text.ts";
import type { Candidate } from "./candidate.ts";
import { candidatesOf, isSetAside } from "./candidate.ts";
import type { StrategyDraft } from "./draft.ts";
import { heldShares, normalised } from "./parts.ts";

export interface Stand {
  readonly shares: Readonly<Record<FamilyId, Readonly<Record<RegionId, number>>>>;
  readonly traffic: TrafficMemory;
  /** Families that the declared panic policy serves now. */
  readonly panicFamilies: readonly FamilyId[];
  readonly failStatic: string | null;
  readonly waits: readonly string[];
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
      waits: draft.waits,
      nextLookAt: draft.nextLookAt,
    };
  if (isEveryRegionSetAside(situation)) return stayAside(situation, draft);
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
    failStatic: `${stuck.map(([family, why]) => `${family}: ${why}${maintainedText(situation, family)}`).join("; ")}; ${whatFollows(situation, opensAt)}`,
    waits: draft.waits,
    nextLookAt: isWaiting ? Math.min(draft.nextLookAt ?? opensAt, opensAt) : draft.nextLookAt,
  };
};

/** People want no traffic anywhere, at least in one place because they work on it: nothing is wrong, and nobody is called. */
const isEveryRegionSetAside = ({ spec, health, controls }: Situation): boolean => {
  const isMaintained = ({ region }: { readonly region: RegionId }): boolean => health[region]?.verdict === "maintenance";
  return spec.endpoints.some(isMaintained) && spec.endpoints.every((one) => isMaintained(one) || !!controls.drained[one.region]);
};

/** An answer is never empty, so what DNS holds stays; a panic policy is for monitoring that is in doubt, and here nothing is doubted. */
const stayAside = (situation: Situation, draft: StrategyDraft): Stand => {
  const shares = Object.fromEntries(
    situation.spec.families.map(({ id }) => [
      id,
      draft.stuck[id] === undefined ? (draft.shares[id] ?? {}) : keptShares(situation, id),
    ]),
  );
  const held = sharesText(Object.values(shares)[0] ?? {});
  return {
    shares,
    traffic: { ...draft.traffic, shares, failStaticSince: null },
    panicFamilies: [],
    failStatic: null,
    waits: [`every region is in maintenance or drained: traffic stays where it is, ${held}`, ...draft.waits],
    nextLookAt: draft.nextLookAt,
  };
};

/** Whoever works on it must know that it still serves. */
const maintainedText = (situation: Situation, family: FamilyId): string => {
  const held = heldShares(situation, family);
  const kept = situation.spec.endpoints
    .map(({ region }) => region)
    .filter((region) => situation.health[region]?.verdict === "maintenance" && (held[region] ?? 0) > 0);
  return kept.length === 0 ? "" : `, so ${kept.join(", ")} keeps its part although it is in maintenance`;
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
  // A fit region that is drained, or one in maintenance that still answers, keeps its part: nobody fit could take it.
  const open = candidates.filter((c) => !isSetAside(c) || (c.held > 0 && trustIn(c) > 0));
  const chosen = open.length > 0 ? open : candidates;
  const weights = new Map(chosen.map((c) => [c.region, c.capacity * (isEqual ? 1 : Math.max(trustIn(c), FACTOR_MIN))]));
  const sum = [...weights.values()].reduce((a, b) => a + b, 0);
  return Object.fromEntries(candidates.map(({ region }) => [region, (weights.get(region) ?? 0) / sum]));
};

/** The factor of a region in maintenance says that it is to get nothing, not that it is bad. */
const trustIn = ({ health, verdict }: Candidate): number =>
  health.verdict === "maintenance" && (verdict.evidence === "good" || verdict.evidence === "soft") ? 1 : health.factor;

/** In a panic the monitoring is doubted, so even the dead get a part. */
const FACTOR_MIN = 0.1;
