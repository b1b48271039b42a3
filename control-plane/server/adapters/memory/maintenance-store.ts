/** Planned maintenance windows in memory. */
import type { MaintenanceStore, StoredWindow } from "../../ports/maintenance-store.ts";
import type { MemoryHistory } from "./history.ts";
import type { MemoryLease } from "./lease.ts";

export const createMemoryMaintenanceStore = ({
  lease,
  history,
}: {
  readonly lease: Pick<MemoryLease, "isLeading">;
  readonly history: MemoryHistory;
}): MaintenanceStore => {
  const windows = new Map<string, StoredWindow & { readonly isTakenBack: boolean }>();
  const isStanding = (now: number) => (window: { readonly to: number; readonly isTakenBack: boolean }) =>
    !window.isTakenBack && window.to > now;

  return {
    standing: async (now) =>
      [...windows.values()]
        .filter(isStanding(now))
        .sort((a, b) => a.from - b.from || (a.id < b.id ? -1 : 1))
        .map(({ isTakenBack: _, ...window }) => window),
    plan: async ({ holder, term, entry, window, now, standingMax }) => {
      if (!lease.isLeading(holder, term)) return "fenced";
      if ([...windows.values()].filter(isStanding(now)).length >= standingMax) return "full";
      if (windows.has(window.id)) throw new Error(`Maintenance window ${window.id} is there already.`);
      history.append([entry]);
      windows.set(window.id, { ...window, isTakenBack: false });
      return "planned";
    },
    end: async ({ holder, term, entry, id, now }) => {
      if (!lease.isLeading(holder, term)) return "fenced";
      const window = windows.get(id);
      if (window === undefined || !isStanding(now)(window)) return "gone";
      history.append([entry]);
      windows.set(id, { ...window, isTakenBack: true });
      return "ended";
    },
    prune: async (before) => {
      const over = [...windows.values()].filter(({ to }) => to < before);
      for (const { id } of over) windows.delete(id);
      return over.length;
    },
  };
};
