/** Shares of the first write: the strategy with every region taken as healthy (DESIGN 8). Pure. */
import type { FamilyId, RegionId, Shares } from "@regent/contract";
import type { EndpointSpec, FamilySpec, PassiveMemory, ServiceSpec, TrafficMemory } from "../model.ts";
import type { Load } from "./active-active.ts";
import { fill } from "./active-active.ts";
import { spread } from "./round-robin.ts";
import { trickleOf } from "./want-passive.ts";

/** `setAside`: regions that an operator drained before there was anything to drain. They get nothing, unless all are. */
export const firstTraffic = (spec: ServiceSpec, setAside: readonly RegionId[]): TrafficMemory => {
  const open = spec.endpoints.filter(({ region }) => !setAside.includes(region));
  const endpoints = open.length > 0 ? open : spec.endpoints;
  const shares: Record<FamilyId, Record<RegionId, number>> = {};
  const passive: Record<FamilyId, PassiveMemory> = {};
  for (const family of spec.families) {
    const first = firstShares(spec, family, endpoints);
    shares[family.id] = Object.fromEntries(spec.endpoints.map(({ region }) => [region, first[region] ?? 0]));
    if (spec.strategy.kind === "active-passive")
      passive[family.id] = { active: preferredRegion(spec, family, endpoints), returning: null };
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
    departures: [],
  };
};

const preferredRegion = (spec: ServiceSpec, family: FamilySpec, endpoints: readonly EndpointSpec[]): RegionId => {
  const priorityOf = ({ region, priority }: EndpointSpec): number => family.priority[region] ?? priority;
  const [first] = [...endpoints].sort((a, b) => priorityOf(a) - priorityOf(b) || (a.region < b.region ? -1 : 1));
  if (!first) throw new Error(`${spec.id} has no endpoint`);
  return first.region;
};

const firstShares = (
  spec: ServiceSpec,
  family: FamilySpec,
  endpoints: readonly EndpointSpec[],
): Readonly<Record<RegionId, number>> => {
  const loads: Load[] = endpoints.map((e) => ({
    region: e.region,
    capacity: family.capacity[e.region] ?? e.capacity,
    headroom: e.headroom,
    factor: 1,
    kept: null,
  }));
  switch (spec.strategy.kind) {
    case "active-passive": {
      const preferred = preferredRegion(spec, family, endpoints);
      const trickle = trickleOf(spec);
      const standbys = endpoints.length - 1;
      return Object.fromEntries(endpoints.map(({ region }) => [region, region === preferred ? 1 - trickle * standbys : trickle]));
    }
    case "active-active": {
      const filling = fill(loads, 0);
      if (filling.kind !== "normal" && filling.kind !== "saturated") throw new Error(`${spec.id}: no capacity`);
      return filling.shares;
    }
    case "round-robin":
      return spread(loads) ?? {};
  }
};
