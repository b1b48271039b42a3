/** The zones that an account holds, in memory: by id, and by name for whoever answers DNS. */
import type { Records, ZoneHead } from "./model.ts";
import { createTimeline, type Timeline } from "./propagation.ts";

export interface HeldZone {
  readonly head: ZoneHead;
  /** The newest version, as the API lists it. */
  records: Records;
  /** How versions reach the name servers. */
  timeline: Timeline;
  /** Until then a further change is refused; epoch milliseconds. */
  busyUntil: number;
}

export interface ZoneShelf {
  readonly all: () => readonly HeldZone[];
  readonly find: (id: string) => HeldZone | undefined;
  /** The zone nearest above `name` (in Route 53's spelling), or of that name. */
  readonly holding: (name: string) => HeldZone | undefined;
  readonly hold: (head: ZoneHead, records: Records) => HeldZone;
  readonly release: (id: string) => void;
}

export const createZoneShelf = (servers: number): ZoneShelf => {
  const byId = new Map<string, HeldZone>();
  const byName = new Map<string, HeldZone>();
  return {
    all: () => [...byId.values()],
    find: (id) => byId.get(id),
    holding: (name) => {
      for (let rest = name; rest !== ""; rest = rest.slice(rest.indexOf(".") + 1)) {
        const held = byName.get(rest);
        if (held) return held;
        // A name in the right spelling ends in a dot; another one has no zone.
        if (!rest.includes(".")) return undefined;
      }
      return undefined;
    },
    hold: (head, records) => {
      const held = { head, records, timeline: createTimeline(servers, records), busyUntil: 0 };
      byId.set(head.id, held);
      // Two zones may have one name, as in the real service; the first is the one that our name servers answer from.
      if (!byName.has(head.name)) byName.set(head.name, held);
      return held;
    },
    release: (id) => {
      const held = byId.get(id);
      byId.delete(id);
      if (!held || byName.get(held.head.name) !== held) return;
      byName.delete(held.head.name);
      const heir = [...byId.values()].find((other) => other.head.name === held.head.name);
      if (heir) byName.set(heir.head.name, heir);
    },
  };
};
