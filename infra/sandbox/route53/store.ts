/**
 * The account: zones, record sets, changes and health checks, each change on disk before it is acknowledged.
 * Nothing here speaks HTTP or DNS; the API writes, name servers and health checkers read.
 */
import { randomBytes } from "node:crypto";
import { CHANGES_REMEMBERED_MAX, JOURNAL_COMPACT_BYTES, ZONES_MAX } from "../limits.ts";
import { type Applied, applyChanges, type MixedTtl } from "./apply-changes.ts";
import type { ChangeBatch } from "./change-batch.ts";
import { createHealthCheckShelf, type HealthCheckShelf } from "./health-check-shelf.ts";
import { createVolatileJournal, type Entry, type Journal, type NameEntry, openJournal } from "./journal.ts";
import { type ChangeRecord, compact, type RecordSet, type Records, type ZoneHead } from "./model.ts";
import { createTimeline, drawDelays, type Propagation } from "./propagation.ts";
import { createZoneShelf, type HeldZone } from "./zone-shelf.ts";

export interface StoreOptions {
  /** Absent: the account is forgotten when the process ends. */
  readonly journalPath?: string;
  /** Names of the zone's name servers, without last dot; their number is the number of servers that changes travel to. */
  readonly nameServerNames: readonly string[];
  readonly propagation: Propagation;
  /** A zone refuses a further change for this long after one was accepted; ms. */
  readonly processingMs: number;
  readonly mixedTtl: MixedTtl;
  /** TTL and last field of the SOA record of new zones; seconds. They decide how long resolvers remember that a name isn't there. */
  readonly soa: { readonly ttlSeconds: number; readonly minimumSeconds: number };
  readonly now: () => number;
  readonly random: () => number;
}

export interface Zone {
  readonly head: ZoneHead;
  readonly records: Records;
}
export type ChangeOutcome =
  | Exclude<Applied, { kind: "applied" }>
  | { readonly kind: "accepted"; readonly change: ChangeRecord }
  | { readonly kind: "no-such-zone" }
  | { readonly kind: "prior-request-not-complete" };
export type ZoneCreated =
  | { readonly kind: "created"; readonly zone: Zone; readonly change: ChangeRecord }
  | { readonly kind: "reference-used" }
  | { readonly kind: "too-many" };
export type ZoneDeleted =
  | { readonly kind: "deleted"; readonly change: ChangeRecord }
  | { readonly kind: "no-such-zone" }
  | { readonly kind: "not-empty" };

export interface Store extends HealthCheckShelf {
  readonly nameServerNames: readonly string[];
  readonly zones: () => readonly Zone[];
  readonly zone: (id: string) => Zone | undefined;
  readonly createZone: (zone: { name: string; callerReference: string; comment?: string }) => ZoneCreated;
  readonly deleteZone: (id: string) => ZoneDeleted;
  /** `travel` (of a fault) replaces the standing propagation for this batch. */
  readonly change: (zoneId: string, batch: ChangeBatch, travel?: Propagation) => ChangeOutcome;
  /**
   * Takes an accepted change back, as when the service's control plane fails over and loses it: the names it wrote are what they
   * were before, except those that were written again since. It stays PENDING for ever.
   */
  readonly strand: (changeId: string) => void;
  readonly findChange: (id: string) => { readonly change: ChangeRecord; readonly isPending: boolean } | undefined;
  /** The zone that holds `name` (in Route 53's spelling) as name server `server` (from 0) shows it now. */
  readonly shownZone: (name: string, server: number) => { readonly name: string; readonly records: Records } | undefined;
  readonly setPropagation: (propagation: Propagation) => void;
  /** Lets everything that a propagation fault holds back arrive by the standing propagation. */
  readonly releasePropagation: () => void;
  readonly setProcessingMs: (ms: number) => void;
  readonly close: () => void;
}

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const makeId = (prefix: string): string => prefix + [...randomBytes(20)].map((byte) => alphabet[byte % alphabet.length]).join("");
const toZone = ({ head, records }: HeldZone): Zone => ({ head, records });

/** What a change did, kept so that it can be taken back. */
interface Made {
  readonly change: ChangeRecord;
  readonly written: readonly NameEntry[];
  readonly before: readonly NameEntry[];
  isStranded: boolean;
}

export const createStore = (options: StoreOptions): Store => {
  const { now, random, nameServerNames } = options;
  const servers = nameServerNames.length;
  let { propagation, processingMs } = options;
  const shelf = createZoneShelf(servers);
  const made = new Map<string, Made>();
  const { shelf: healthChecks, replay: replayHealthCheck } = createHealthCheckShelf((entry) => journal.append(entry));

  const remember = (change: ChangeRecord, written: readonly NameEntry[] = [], before: readonly NameEntry[] = []): void => {
    made.set(change.id, { change, written, before, isStranded: false });
    if (made.size > CHANGES_REMEMBERED_MAX) made.delete(made.keys().next().value!);
  };
  /** Takes up what the journal holds. Whatever was on its way when the process ended has arrived. */
  const replay = (entry: Entry): void => {
    switch (entry.kind) {
      case "zone":
        shelf.hold(entry.zone, new Map(entry.names));
        return;
      case "zone-deleted":
        shelf.release(entry.id);
        return;
      case "change": {
        const held = shelf.find(entry.change.zoneId);
        if (held) held.records = withNames(held.records, entry.names);
        remember(entry.change);
        return;
      }
      case "health-check":
      case "health-check-deleted":
        replayHealthCheck(entry);
        return;
    }
  };
  const snapshot = (): Entry[] => [
    ...shelf.all().map(({ head, records }): Entry => ({ kind: "zone", zone: head, names: [...records] })),
    ...[...made.values()].map(({ change }): Entry => ({ kind: "change", change, names: [] })),
    ...healthChecks.healthChecks().map((check): Entry => ({ kind: "health-check", check })),
  ];
  const open = (path: string): Journal => {
    const { journal: opened, entries } = openJournal(path);
    for (const entry of entries) replay(entry);
    for (const held of shelf.all()) held.timeline = createTimeline(servers, held.records);
    if (opened.bytes() > JOURNAL_COMPACT_BYTES) opened.rewrite(snapshot());
    return opened;
  };
  const journal: Journal = options.journalPath === undefined ? createVolatileJournal() : open(options.journalPath);

  const newChange = (zoneId: string, comment?: string): ChangeRecord =>
    compact<ChangeRecord>({ id: makeId("C"), zoneId, submittedAt: now(), comment });

  /** On disk, then in the list, then on its way. */
  const commit = (held: HeldZone, change: ChangeRecord, { records, names, travel }: Version): void => {
    journal.append({ kind: "change", change, names });
    const before = names.map(([name]): NameEntry => [name, held.records.get(name) ?? []]);
    held.records = records;
    held.timeline.push({
      changeId: change.id,
      records,
      submittedAt: change.submittedAt,
      delaysMs: drawDelays(travel ?? propagation, servers, random),
      isPinned: travel !== undefined,
    });
    remember(change, names, before);
  };
  const change: Store["change"] = (zoneId, batch, travel) => {
    const held = shelf.find(zoneId);
    if (!held) return { kind: "no-such-zone" };
    if (held.busyUntil > now()) return { kind: "prior-request-not-complete" };
    const hasHealthCheck = (id: string): boolean => healthChecks.healthCheck(id) !== undefined;
    const applied = applyChanges(
      { zone: held.head, records: held.records, hasHealthCheck, mixedTtl: options.mixedTtl },
      batch.changes,
    );
    if (applied.kind !== "applied") return applied;
    const accepted = newChange(zoneId, batch.comment);
    const names = applied.touched.map((name): NameEntry => [name, applied.records.get(name) ?? []]);
    commit(held, accepted, { records: applied.records, names, travel });
    held.busyUntil = accepted.submittedAt + processingMs;
    return { kind: "accepted", change: accepted };
  };
  const strand = (changeId: string): void => {
    const lost = made.get(changeId);
    const held = lost && shelf.find(lost.change.zoneId);
    if (!lost || !held || lost.isStranded) return;
    lost.isStranded = true;
    const isAsWritten = ([name, sets]: NameEntry): boolean =>
      sets.length === 0 ? !held.records.has(name) : held.records.get(name) === sets;
    const untouched = new Set(lost.written.filter(isAsWritten).map(([name]) => name));
    const names = lost.before.filter(([name]) => untouched.has(name));
    commit(held, newChange(lost.change.zoneId), { records: withNames(held.records, names), names, travel: undefined });
  };
  const createZone: Store["createZone"] = ({ name, callerReference, comment }) => {
    if (shelf.all().some(({ head }) => head.callerReference === callerReference)) return { kind: "reference-used" };
    if (shelf.all().length >= ZONES_MAX) return { kind: "too-many" };
    const head = compact<ZoneHead>({ id: makeId("Z"), name, callerReference, comment });
    const names: NameEntry[] = [[name, apexSets(name, options)]];
    journal.append({ kind: "zone", zone: head, names });
    const first = newChange(head.id, comment);
    journal.append({ kind: "change", change: first, names: [] });
    remember(first);
    return { kind: "created", zone: toZone(shelf.hold(head, new Map(names))), change: first };
  };
  const deleteZone: Store["deleteZone"] = (id) => {
    const held = shelf.find(id);
    if (!held) return { kind: "no-such-zone" };
    const apex = held.records.get(held.head.name) ?? [];
    if (held.records.size > 1 || apex.some((set) => set.type !== "NS" && set.type !== "SOA")) return { kind: "not-empty" };
    journal.append({ kind: "zone-deleted", id });
    shelf.release(id);
    const last = newChange(id);
    remember(last);
    return { kind: "deleted", change: last };
  };
  const reschedule = (withPinned: boolean): void => {
    for (const held of shelf.all()) held.timeline.reschedule(drawDelays(propagation, servers, random), withPinned);
  };

  return {
    ...healthChecks,
    nameServerNames,
    zones: () => shelf.all().map(toZone),
    zone: (id) => {
      const held = shelf.find(id);
      return held ? toZone(held) : undefined;
    },
    createZone,
    deleteZone,
    change,
    strand,
    findChange: (id) => {
      const found = made.get(id);
      if (!found) return undefined;
      const isOnItsWay = shelf.find(found.change.zoneId)?.timeline.isPending(id, now()) ?? false;
      return { change: found.change, isPending: found.isStranded || isOnItsWay };
    },
    shownZone: (name, server) => {
      const held = shelf.holding(name);
      return held ? { name: held.head.name, records: held.timeline.at(server, now()) } : undefined;
    },
    setPropagation: (next) => {
      propagation = next;
      reschedule(false);
    },
    releasePropagation: () => reschedule(true),
    setProcessingMs: (ms) => {
      processingMs = ms;
    },
    close: () => journal.close(),
  };
};

interface Version {
  readonly records: Records;
  readonly names: readonly NameEntry[];
  readonly travel: Propagation | undefined;
}

const withNames = (records: Records, names: readonly NameEntry[]): Records => {
  const next = new Map(records);
  for (const [name, sets] of names) {
    if (sets.length > 0) next.set(name, sets);
    else next.delete(name);
  }
  return next;
};

const apexSets = (name: string, { nameServerNames, soa }: StoreOptions): RecordSet[] => [
  { name, type: "NS", ttl: 172_800, values: nameServerNames.map((server) => `${server}.`) },
  {
    name,
    type: "SOA",
    ttl: soa.ttlSeconds,
    values: [`${nameServerNames[0]}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 ${soa.minimumSeconds}`],
  },
];
