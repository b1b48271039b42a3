/** Incidents and pages in memory, with what Postgres' constraints refuse. */
import type { Delivery, PageCursor, Pages, PagesView, StoredIncident } from "../../ports/pages.ts";
import type { MemoryLease } from "./lease.ts";

export interface MemoryPagesDeps {
  readonly lease: Pick<MemoryLease, "isLeading">;
  readonly entriesAfter: (place: number, limit: number) => Awaited<ReturnType<Pages["entriesAfter"]>>;
}

export const createMemoryPages = ({ lease, entriesAfter }: MemoryPagesDeps): Pages => {
  const incidents = new Map<string, StoredIncident>();
  let deliveries: (Delivery & { readonly position: number })[] = [];
  let cursor: PageCursor = { position: 0, missing: [] };
  let position = 0;

  const open = (): PagesView["open"] => [...incidents.values()].filter(({ state }) => state === "open").sort(byId);
  /** As the index `incident_open_once` does. */
  const checkOpenOnce = (written: readonly StoredIncident[]): void => {
    const after = new Map([...incidents, ...written.map((incident) => [incident.id, incident] as const)]);
    const causes = [...after.values()].filter(({ state }) => state === "open").map(({ cause }) => cause);
    if (new Set(causes).size < causes.length) throw new Error("Two open incidents have one cause.");
  };

  return {
    read: async () => ({ cursor, open: open() }),
    entriesAfter: async ({ position: after }, limit) => entriesAfter(after, limit),
    write: async (write) => {
      if (!lease.isLeading(write.holder, write.term)) return "fenced";
      if (write.incidents.some(({ id, version }) => (incidents.get(id)?.version ?? 0) !== version)) return "conflict";
      checkOpenOnce(write.incidents);
      for (const incident of write.incidents) incidents.set(incident.id, { ...incident, version: incident.version + 1 });
      deliveries = deliveries.map((delivery) =>
        write.released.includes(delivery.notice.incident.id) && delivery.dueAt > write.at
          ? { ...delivery, dueAt: write.at }
          : delivery,
      );
      for (const delivery of write.deliveries)
        if (!deliveries.some(({ notice }) => notice.id === delivery.notice.id)) {
          position += 1;
          deliveries.push({ ...delivery, position });
        }
      if (write.cursor) cursor = write.cursor;
      const { forgetBefore } = write;
      if (forgetBefore !== undefined)
        for (const { id, closedAt } of incidents.values()) if (closedAt !== null && closedAt < forgetBefore) incidents.delete(id);
      return "written";
    },
    list: async ({ limit, before, state }) =>
      [...incidents.values()]
        .filter((incident) => (before === undefined || incident.id < before) && (state === undefined || incident.state === state))
        .sort(byId)
        .reverse()
        .slice(0, limit),
    waiting: async ({ now, each }) => {
      const inOrder = [...deliveries].sort((a, b) => a.dueAt - b.dueAt || a.position - b.position);
      const byNotifier = new Map<string, typeof deliveries>();
      for (const delivery of inOrder) byNotifier.set(delivery.notifier, [...(byNotifier.get(delivery.notifier) ?? []), delivery]);
      return {
        deliveries: [...byNotifier.values()].flatMap((of) =>
          of
            .filter(({ dueAt }) => dueAt <= now)
            .slice(0, each)
            .map(({ position: _, ...delivery }) => delivery),
        ),
        counts: Object.fromEntries([...byNotifier].map(([notifier, of]) => [notifier, of.length])),
      };
    },
    settle: async ({ done, tried }) => {
      deliveries = deliveries
        .filter(({ notice }) => !done.includes(notice.id))
        .map((delivery) => (tried.includes(delivery.notice.id) ? { ...delivery, attempts: delivery.attempts + 1 } : delivery));
    },
  };
};

const byId = (a: StoredIncident, b: StoredIncident): number => (a.id < b.id ? -1 : 1);
