/**
 * A pin: exactly these shares in every family, whatever is believed of the regions. A region that is pinned and bad, or worked on, keeps its part, and
 * somebody is paged: whoever pinned it decides. Regions that aren't declared any more are left out; a pin of none but those counts for nothing. Pure.
 */
import type { FamilyId, RegionId } from "@regent/contract";
import type { Override, PassiveMemory, ServiceSpec, Situation, TrafficMemory } from "../model.ts";
import { againstText, findPin, noteLent, overrideText } from "./overrides.ts";
import { normalised } from "./parts.ts";

export interface Pinned {
  readonly shares: Readonly<Record<FamilyId, Readonly<Record<RegionId, number>>>>;
  readonly traffic: TrafficMemory;
  readonly failStatic: string | null;
}

/** Null when nothing is pinned. */
export const wantPinned = (situation: Situation): Pinned | null => {
  const pin = findPin(situation);
  if (!pin) return null;
  const shares = pinnedShares(situation.spec, pin);
  const all = Object.fromEntries(situation.spec.families.map(({ id }) => [id, shares]));
  const traffic: TrafficMemory = {
    ...situation.traffic,
    passive: Object.fromEntries(
      Object.entries(situation.traffic.passive).map(([family, memory]) => [family, whoServes(memory, shares)]),
    ),
    shares: all,
    failStaticSince: null,
  };
  return { shares: all, traffic: noteLent(situation, traffic, [pin]), failStatic: badText(situation, pin, shares) };
};

const pinnedShares = ({ endpoints }: ServiceSpec, { what }: Override): Readonly<Record<RegionId, number>> =>
  normalised(
    Object.fromEntries(endpoints.map(({ region }) => [region, what.kind === "pin" ? Math.max(0, what.shares[region] ?? 0) : 0])),
  );

/** Whoever served goes on when the pin ends, if the pin left it anything; else the one that has most now, and the other comes back by a return. */
const whoServes = (memory: PassiveMemory, shares: Readonly<Record<RegionId, number>>): PassiveMemory => {
  if ((shares[memory.active] ?? 0) > 0) return memory;
  const [first] = Object.entries(shares).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return { active: first?.[0] ?? memory.active, returning: null };
};

const badText = (situation: Situation, pin: Override, shares: Readonly<Record<RegionId, number>>): string | null => {
  const parts = Object.keys(shares)
    .sort()
    .flatMap((region) => againstText(situation, region, shares[region] ?? 0) ?? []);
  return parts.length === 0 ? null : `${parts.join(", ")}: ${overrideText(pin)}: ${pin.reason}`;
};
