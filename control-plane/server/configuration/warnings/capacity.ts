/** Can the others carry the largest region's share? research/algorithms.md 2.2: cap_r = min(1, headroom_r x base share_r), A = sum over survivors. Pure. */
import type { Endpoint, Family, Service } from "@regent/contract";
import { sizeOf } from "../endpoint-size.ts";

/** For active-active only: the other strategies don't cap. One sentence per family that would be short. */
export const findCapacityWarnings = (service: Service): string[] => {
  if (service.strategy.kind !== "active-active" || service.endpoints.length < 2) return [];
  const families: readonly Pick<Family, "id" | "capacity">[] = service.families ?? [{ id: "default" }];
  return families.flatMap((family) => {
    const shortage = findShortage(service.endpoints, family);
    if (shortage === null) return [];
    const { region, baseShare, availability, headroomNeeded } = shortage;
    const where = families.length > 1 ? `family ${family.id}: ` : "";
    return [
      `${where}without ${region} (${toPercent(baseShare)} of the capacity) the others carry ${toPercent(availability)} of the traffic: ` +
        `survivors need a headroom of ${headroomNeeded.toFixed(2)} each, which is 1 / (1 - ${baseShare.toFixed(2)})`,
    ];
  });
};

interface Shortage {
  readonly region: string;
  readonly baseShare: number;
  /** Part of the traffic that the survivors' caps add up to, below 1. */
  readonly availability: number;
  readonly headroomNeeded: number;
}

const findShortage = (endpoints: readonly Endpoint[], { capacity = {} }: Pick<Family, "capacity">): Shortage | null => {
  const loads = endpoints.map((endpoint) => {
    const own = sizeOf(endpoint);
    return { region: endpoint.region, headroom: own.headroom, capacity: capacity[endpoint.region] ?? own.capacity };
  });
  const sum = loads.reduce((total, load) => total + load.capacity, 0);
  const largest = loads.reduce((a, b) => (b.capacity > a.capacity ? b : a));
  const availability = loads
    .filter(({ region }) => region !== largest.region)
    .reduce((total, load) => total + Math.min(1, (load.headroom * load.capacity) / sum), 0);
  if (availability >= 1 - 1e-9) return null;
  const baseShare = largest.capacity / sum;
  return { region: largest.region, baseShare, availability, headroomNeeded: 1 / (1 - baseShare) };
};

const toPercent = (part: number): string => `${Math.round(part * 100)} %`;
