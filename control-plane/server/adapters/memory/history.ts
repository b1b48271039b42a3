/** History in memory: numbers without a gap per scope, and the constraints that Postgres has. Shared by decisions and configuration. */
import type { Change, HistoryEvent } from "@regent/contract";
import type { HistoryEntry, HistoryQuery } from "../../ports/decision-store.ts";

export interface MemoryHistory {
  /** Throws, and appends nothing, when an entry's id or the entry of a change is there already. */
  readonly check: (entries: readonly HistoryEntry[]) => void;
  readonly append: (entries: readonly HistoryEntry[]) => void;
  readonly read: (
    query: HistoryQuery,
    changeOf: (id: string) => Change | null,
  ) => { readonly events: readonly HistoryEvent[]; readonly next: string | null };
  /** Oldest first, with their places, counted from 1. */
  readonly after: (
    place: number,
    limit: number,
    changeOf: (id: string) => Change | null,
  ) => readonly { readonly position: number; readonly event: HistoryEvent }[];
}

interface NumberedEntry {
  readonly entry: HistoryEntry;
  readonly sequence: number;
}

const PAGE_MAX = 500;

export const createMemoryHistory = (): MemoryHistory => {
  const entries: NumberedEntry[] = [];
  const ids = new Set<string>();
  const changesTold = new Set<string>();
  const lastByScope = new Map<string | null, number>();

  const check = (added: readonly HistoryEntry[]): void => {
    const newIds = new Set<string>();
    const newChanges = new Set<string>();
    for (const entry of added) {
      if (ids.has(entry.id) || newIds.has(entry.id)) throw new Error(`History entry ${entry.id} is there already.`);
      newIds.add(entry.id);
      if (entry.kind !== "change") continue;
      if (entry.changeId === undefined) throw new Error(`History entry ${entry.id} is of a change and names none.`);
      if (changesTold.has(entry.changeId) || newChanges.has(entry.changeId))
        throw new Error(`Change ${entry.changeId} has its history entry already.`);
      newChanges.add(entry.changeId);
    }
  };

  return {
    check,
    append: (added) => {
      check(added);
      for (const entry of added) {
        const sequence = (lastByScope.get(entry.service) ?? 0) + 1;
        lastByScope.set(entry.service, sequence);
        ids.add(entry.id);
        if (entry.kind === "change" && entry.changeId !== undefined) changesTold.add(entry.changeId);
        entries.push({ entry, sequence });
      }
    },
    read: (query, changeOf) => {
      const limit = Math.max(1, Math.min(query.limit, PAGE_MAX));
      // A cursor is the place of the last entry given, counted from 1, as in Postgres.
      const before = query.cursor === undefined ? entries.length + 1 : toPlace(query.cursor);
      const found = entries
        .map((numbered, index) => ({ ...numbered, place: index + 1 }))
        .filter(({ entry, place }) => place < before && isAskedFor(entry, query))
        .reverse()
        .slice(0, limit + 1);
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        events: page.map((numbered) => toEvent(numbered, changeOf)),
        next: found.length > limit && last !== undefined ? String(last.place) : null,
      };
    },
    after: (place, limit, changeOf) =>
      entries
        .slice(place, place + Math.min(limit, PAGE_MAX))
        .map((numbered, i) => ({ position: place + i + 1, event: toEvent(numbered, changeOf) })),
  };
};

const toPlace = (cursor: string): number => (/^[1-9][0-9]{0,15}$/.test(cursor) ? Number(cursor) : 0);

const isAskedFor = (entry: HistoryEntry, { service, kinds }: HistoryQuery): boolean =>
  (service === undefined || entry.service === service) && (kinds === undefined || kinds.includes(entry.kind));

const toEvent = ({ entry, sequence }: NumberedEntry, changeOf: (id: string) => Change | null): HistoryEvent => {
  const { changeId, ...rest } = entry;
  const change = changeId === undefined ? null : changeOf(changeId);
  return { ...rest, detail: { ...rest.detail }, sequence, ...(change === null ? {} : { change }) };
};
