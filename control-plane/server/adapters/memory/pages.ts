/** Incidents and pages in memory, with what Postgres' constraints refuse. */
import type { Delivery, PageCursor, Pages, PagesView, StoredIncident } from "../../ports/pages.ts";
import type { MemoryLease } from "./lease.ts";

export interface MemoryPagesDeps {
  readonly lease: Pick<MemoryLease, "isLeading">;
  readonly entriesAfter: (place: number, limit: number) => Awaited<ReturnType<Pages["entriesAfter"]>>;
}

interface Placed extends Delivery {
  readonly position: number;
}

export const createMemoryPages = ({ lease, entriesAfter }: MemoryPagesDeps): Pages => {
  const incidents = new Map<string, StoredIncident>();
  let deliveries: Placed[] = [];
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
      if (write.overtaken.length > 0)
        deliveries = deliveries.filter((delivery) => {
          const own = deliveries.filter((each) => isOfSame(each, delivery));
          const isHeld = own.some(({ notice, dueAt }) => notice.action === "open" && dueAt > write.at) && !own.some(isCritical);
          return !(write.overtaken.includes(delivery.notice.incident.id) && delivery.dueAt > write.at && isHeld);
        });
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
    waiting: async ({ now, each, most }) => {
      const due = groupsOf(deliveries, ({ notifier }) => notifier).map((of) => {
        const own = dueOf(of, now);
        const surplus = own.toSorted(
          (a, b) => RANK[b.notice.incident.severity] - RANK[a.notice.incident.severity] || b.position - a.position,
        );
        return { next: own.slice(0, each), surplus: new Set(surplus.slice(most).slice(-each)) };
      });
      const plain = ({ position: _, ...delivery }: Placed): Delivery => delivery;
      return {
        deliveries: due.flatMap(({ next, surplus }) => next.filter((delivery) => !surplus.has(delivery)).map(plain)),
        surplus: due.flatMap(({ surplus }) => [...surplus].sort((a, b) => a.position - b.position).map(plain)),
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

const RANK = { info: 0, warning: 1, critical: 2 } as const;
const isCritical = ({ notice }: Delivery): boolean => notice.incident.severity === "critical";
const isOfSame = (a: Delivery, b: Delivery): boolean =>
  a.notifier === b.notifier && a.notice.incident.id === b.notice.incident.id;

const groupsOf = (of: readonly Placed[], keyOf: (delivery: Placed) => string): readonly (readonly Placed[])[] => {
  const groups = new Map<string, Placed[]>();
  for (const each of of) {
    const known = groups.get(keyOf(each));
    if (known) known.push(each);
    else groups.set(keyOf(each), [each]);
  }
  return [...groups.values()];
};

/** Of one notifier, in the order in which they were written. */
const dueOf = (own: readonly Placed[], now: number): readonly Placed[] =>
  groupsOf(own, ({ notice }) => notice.incident.id)
    .flatMap((of) => {
      const urgent = of.findLastIndex(isCritical);
      const held = of.findIndex(({ dueAt }, i) => i > urgent && dueAt > now);
      return held < 0 ? of : of.slice(0, held);
    })
    .sort((a, b) => a.position - b.position);
