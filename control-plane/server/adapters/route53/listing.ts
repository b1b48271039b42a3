/**
 * Reads names or a zone by pages. Knows nothing of AWS: `listPage` does the call. Trusts no page: a listing that turns in circles,
 * never ends or doesn't say where it goes on is `failed`.
 */
import type { RecordSet } from "@regent/engine";
import type { ReadResult } from "../../ports/dns-provider.ts";
import { NAME_PAGES_MAX, ZONE_PAGES_MAX } from "./limits.ts";
import { listingKeyOf } from "./names.ts";

/** Where a page starts: the first record set at or after it. */
export interface Cursor {
  readonly name: string;
  readonly type?: string;
  readonly setIdentifier?: string;
}
export interface Page {
  readonly kind: "page";
  readonly sets: readonly RecordSet[];
  /** Where the next page starts; null at the end of the zone. */
  readonly next: Cursor | null;
}
export type Failed = Exclude<ReadResult, { kind: "sets" }>;
export type ListPage = (from: Cursor | null) => Promise<Page | Failed>;

const keyOf = (set: RecordSet): string => JSON.stringify([set.name, set.type, set.setIdentifier ?? null]);

/** Every record set of the zone. Pages are not one snapshot; a set met twice is kept as it was met last. */
export const listZone = async (listPage: ListPage): Promise<ReadResult> => {
  const setByKey = new Map<string, RecordSet>();
  const visited = new Set<string>();
  let cursor: Cursor | null = null;
  for (let pages = 0; pages < ZONE_PAGES_MAX; pages++) {
    const page: Page | Failed = await listPage(cursor);
    if (page.kind !== "page") return page;
    for (const set of page.sets) setByKey.set(keyOf(set), set);
    if (page.next === null) return toWholeZone([...setByKey.values()]);
    const place = JSON.stringify(page.next);
    if (visited.has(place)) return { kind: "failed", why: "the listing of the zone turns in circles" };
    visited.add(place);
    cursor = page.next;
  }
  return { kind: "failed", why: `the listing of the zone doesn't end within ${ZONE_PAGES_MAX} pages` };
};

/** Every zone has its SOA, which nobody can delete: a listing without it isn't the whole zone, whatever it says. */
const toWholeZone = (sets: readonly RecordSet[]): ReadResult =>
  sets.some(({ type }) => type === "SOA")
    ? { kind: "sets", sets }
    : { kind: "failed", why: "the listing of the zone lacks its SOA" };

/**
 * Every record set of exactly these names. Starts at each name and stops when the page moves on to another; a name that stands whole
 * in a page read for another one costs no call of its own, so a service and its epoch record usually take one.
 */
export const listNames = async (listPage: ListPage, names: readonly string[]): Promise<ReadResult> => {
  const pending = new Set([...new Set(names)].sort((a, b) => (listingKeyOf(a) < listingKeyOf(b) ? -1 : 1)));
  const sets: RecordSet[] = [];
  for (const name of pending) {
    const read = await listName(listPage, name);
    if (read.kind !== "read") return read;
    pending.delete(name);
    sets.push(...read.sets, ...read.beyond.filter((set) => pending.has(set.name)));
    for (const set of read.beyond) pending.delete(set.name);
  }
  return { kind: "sets", sets };
};

interface NameRead {
  readonly kind: "read";
  readonly sets: readonly RecordSet[];
  /** Sets of other names that the last page shows in full. */
  readonly beyond: readonly RecordSet[];
}

const listName = async (listPage: ListPage, name: string): Promise<NameRead | Failed> => {
  const sets: RecordSet[] = [];
  const visited = new Set<string>();
  let cursor: Cursor = { name };
  for (let pages = 0; pages < NAME_PAGES_MAX; pages++) {
    const page = await listPage(cursor);
    if (page.kind !== "page") return page;
    sets.push(...page.sets.filter((set) => set.name === name));
    const { next } = page;
    if (next?.name !== name)
      return { kind: "read", sets, beyond: page.sets.filter((set) => set.name !== name && set.name !== next?.name) };
    const place = JSON.stringify(next);
    if (visited.has(place)) return { kind: "failed", why: `the listing of ${name} turns in circles` };
    visited.add(place);
    cursor = next;
  }
  return { kind: "failed", why: `the listing of ${name} doesn't end within ${NAME_PAGES_MAX} pages` };
};
