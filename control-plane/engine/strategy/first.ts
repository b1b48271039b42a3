/** Shares of the first write: the strategy with every region taken as healthy (DESIGN 8). Pure. */
import type { FamilyId, RegionId, Shares } from "@regent/contract";
import type { FamilySpec, PassiveMemory, ServiceSpec, TrafficMemory } from "../model.ts";
import type { Load } from "./active-active.ts";
import { fill } from "./active-active.ts";
import { spread } from "./round-robin.ts";

export const firstTraffic = (spec: ServiceSpec): TrafficMemory => {
  const shares: Record<FamilyId, Record<RegionId, number>> = {};
  const passive: Record<FamilyId, PassiveMemory> = {};
  for (const family of spec.families) {
    shares[family.id] = firstShares(spec, family);
    if (spec.strategy.kind === "active-passive") passive[family.id] = { active: preferredRegion(spec, family), returning: null };
  }
  return {
    passive,
    out: {},
    ramps: {},
    returnedAt: {},
    failedReturns: {},
    lastAutomaticFailoverAt: null,
    failStaticSince: null,
    shares: shares as Shares,
  };
};

const preferredRegion = (spec: ServiceSpec, family: FamilySpec): RegionId => {
  const [first] = [...spec.endpoints].sort(
    (a, b) => (family.priority[a.region] ?? a.priority) - (family.priority[b.region] ?? b.priority),
  );
  if (!first) throw new Error(`${spec.id} has no endpoint`);
  return first.region;
};

const firstShares = (spec: ServiceSpec, family: FamilySpec): Record<RegionId, number> => {
  const loads: Load[] = spec.endpoints.map((e) => ({
    region: e.region,
    capacity: family.capacity[e.region] ?? e.capacity,
    headroom: e.headroom,
    factor: 1,
    shareMax: 1,
  }));
  switch (spec.strategy.kind) {
    case "active-passive": {
      const preferred = preferredRegion(spec, family);
      const { trickle } = spec.strategy;
      const standbys = spec.endpoints.length - 1;
      return Object.fromEntries(
        spec.endpoints.map(({ region }) => [region, region === preferred ? 1 - trickle * standbys : trickle]),
      );
    }
    case "active-active": {
      const filling = fill(loads, 0);
      if (filling.kind !== "normal" && filling.kind !== "saturated") throw new Error(`${spec.id}: no capacity`);
      return { ...filling.shares };
    }
    case "round-robin":
      return { ...spread(loads) };
  }
};
