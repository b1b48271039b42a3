/**
 * The account: zones, record sets, changes and health checks, each change on disk before it is acknowledged.
 * Nothing here speaks HTTP or DNS; the API writes, name servers and health checkers read.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { CHANGES_REMEMBERED_MAX, HEALTH_CHECKS_MAX, JOURNAL_COMPACT_BYTES, ZONES_MAX } from "../limits.ts";
import { type Applied, applyChanges, type MixedTtl } from "./apply-changes.ts";
import type { ChangeBatch } from "./change-batch.ts";
import { createHealthBoard, type HealthBoard } from "./health-board.ts";
import { createVolatileJournal, type Entry, type Journal, type NameEntry, openJournal } from "./journal.ts";
import {
  type ChangeRecord,
  compact,
  type HealthCheck,
  type HealthCheckConfig,
  type RecordSet,
  type Records,
  type ZoneHead,
} from "./model.ts";
import { sortKeyOf } from "./names.ts";
import { createTimeline, drawDelays, type Propagation, type Timeline } from "./propagation.ts";

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
export interface ZoneCreated {
  readonly kind: "created";
  readonly zone: Zone;
  readonly change: ChangeRecord;
}

export interface Store {
  readonly nameServerNames: readonly string[];
  readonly health: HealthBoard;
  readonly zones: () => readonly Zone[];
  readonly zone: (id: string) => Zone | undefined;
  readonly createZone: (zone: {
    name: string;
    callerReference: string;
    comment?: string;
  }) => ZoneCreated | { kind: "reference-used" } | { kind: "too-many" };
  readonly deleteZone: (
    id: string,
  ) => { kind: "deleted"; change: ChangeRecord } | { kind: "no-such-zone" } | { kind: "not-empty" };
  /** `delaysMs` (of a fault) replaces the standing propagation for this batch. */
  readonly change: (zoneId: string, batch: ChangeBatch, delaysMs?: Propagation) => ChangeOutcome;
  readonly findChange: (id: string) => { readonly change: ChangeRecord; readonly isPending: boolean } | undefined;
  readonly healthChecks: () => readonly HealthCheck[];
  readonly healthCheck: (id: string) => HealthCheck | undefined;
  readonly createHealthCheck: (reference: string, config: HealthCheckConfig) => HealthCheck | { kind: "too-many" };
  readonly updateHealthCheck: (check: HealthCheck) => void;
  readonly deleteHealthCheck: (id: string) => void;
  /** Called after any health check is made, changed or deleted. Returns how to stop. */
  readonly onHealthChecks: (listener: () => void) => () => void;
  /** The zone that holds `name` (in Route 53's spelling) as name server `server` shows it now. */
  readonly shownZone: (name: string, server: number) => { readonly name: string; readonly records: Records } | undefined;
  readonly setPropagation: (propagation: Propagation) => void;
  /** Lets everything that a propagation fault holds back arrive by the standing propagation. */
  readonly releasePropagation: () => void;
  readonly setProcessingMs: (ms: number) => void;
  readonly close: () => void;
}

interface HeldZone {
  head: ZoneHead;
  records: Records;
  timeline: Timeline;
  busyUntil: number;
}

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const makeId = (prefix: string): string => prefix + [...randomBytes(20)].map((byte) => alphabet[byte % alphabet.length]).join("");

const toRecords = (names: readonly NameEntry[]): Records => new Map(names);

export const createStore = (options: StoreOptions): Store => {
  const { now, random, nameServerNames } = options;
  const servers = nameServerNames.length;
  let { propagation, processingMs } = options;
  const zones = new Map<string, HeldZone>();
  const zoneByName = new Map<string, HeldZone>();
  const changes = new Map<string, ChangeRecord>();
  const checks = new Map<string, HealthCheck>();
  const listeners = new Set<() => void>();
  const health = createHealthBoard(checks);

  const hold = (head: ZoneHead, records: Records): HeldZone => {
    const held = { head, records, timeline: createTimeline(servers, records), busyUntil: 0 };
    zones.set(head.id, held);
    // Two zones may have one name, as in the real service; the first is the one that our name servers answer from.
    if (!zoneByName.has(head.name)) zoneByName.set(head.name, held);
    return held;
  };
  const release = (id: string): void => {
    const held = zones.get(id);
    if (!held) return;
    zones.delete(id);
    if (zoneByName.get(held.head.name) !== held) return;
    zoneByName.delete(held.head.name);
    const heir = [...zones.values()].find((other) => other.head.name === held.head.name);
    if (heir) zoneByName.set(heir.head.name, heir);
  };
  const remember = (change: ChangeRecord): void => {
    changes.set(change.id, change);
    if (changes.size > CHANGES_REMEMBERED_MAX) changes.delete(changes.keys().next().value!);
  };
  const withNames = (records: Records, names: readonly NameEntry[]): Records => {
    const next = new Map(records);
    for (const [name, sets] of names)
      if (sets.length > 0) next.set(name, sets);
      else next.delete(name);
    return next;
  };
  /** Takes up what the journal holds. Whatever was on its way when the process ended has arrived. */
  const replay = (entry: Entry): void => {
    switch (entry.kind) {
      case "zone":
        hold(entry.zone, toRecords(entry.names));
        return;
      case "zone-deleted":
        release(entry.id);
        return;
      case "change": {
        const held = zones.get(entry.change.zoneId);
        if (held) held.records = withNames(held.records, entry.names);
        remember(entry.change);
        return;
      }
      case "health-check":
        checks.set(entry.check.id, entry.check);
        return;
      case "health-check-deleted":
        checks.delete(entry.id);
        return;
    }
  };
  const snapshot = (): Entry[] => [
    ...[...zones.values()].map(({ head, records }): Entry => ({ kind: "zone", zone: head, names: [...records] })),
    ...[...changes.values()].map((change): Entry => ({ kind: "change", change, names: [] })),
    ...[...checks.values()].map((check): Entry => ({ kind: "health-check", check })),
  ];
  const open = (path: string): Journal => {
    const { journal, entries } = openJournal(path);
    for (const entry of entries) replay(entry);
    for (const held of zones.values()) held.timeline = createTimeline(servers, held.records);
    if (journal.bytes() > JOURNAL_COMPACT_BYTES) journal.rewrite(snapshot());
    return journal;
  };
  const journal = options.journalPath === undefined ? createVolatileJournal() : open(options.journalPath);

  const newChange = (zoneId: string, comment?: string): ChangeRecord =>
    compact<ChangeRecord>({ id: makeId("C"), zoneId, submittedAt: now(), comment });
  const toZone = ({ head, records }: HeldZone): Zone => ({ head, records });
  const tellHealthChecks = (): void => {
    for (const listener of listeners) listener();
  };

  const change: Store["change"] = (zoneId, batch, delaysMs) => {
    const held = zones.get(zoneId);
    if (!held) return { kind: "no-such-zone" };
    if (held.busyUntil > now()) return { kind: "prior-request-not-complete" };
    const applied = applyChanges(
      { zone: held.head, records: held.records, hasHealthCheck: (id) => checks.has(id), mixedTtl: options.mixedTtl },
      batch.changes,
    );
    if (applied.kind !== "applied") return applied;
    const made = newChange(zoneId, batch.comment);
    journal.append({
      kind: "change",
      change: made,
      names: applied.touched.map((name) => [name, applied.records.get(name) ?? []]),
    });
    held.records = applied.records;
    held.busyUntil = made.submittedAt + processingMs;
    held.timeline.push({
      changeId: made.id,
      records: applied.records,
      submittedAt: made.submittedAt,
      delaysMs: drawDelays(delaysMs ?? propagation, servers, random),
      isPinned: delaysMs !== undefined,
    });
    remember(made);
    return { kind: "accepted", change: made };
  };

  const createZone: Store["createZone"] = ({ name, callerReference, comment }) => {
    if ([...zones.values()].some(({ head }) => head.callerReference === callerReference)) return { kind: "reference-used" };
    if (zones.size >= ZONES_MAX) return { kind: "too-many" };
    const head = compact<ZoneHead>({ id: makeId("Z"), name, callerReference, comment });
    const names: NameEntry[] = [[name, apexSets(name, options)]];
    journal.append({ kind: "zone", zone: head, names });
    const made = newChange(head.id, comment);
    journal.append({ kind: "change", change: made, names: [] });
    remember(made);
    return { kind: "created", zone: toZone(hold(head, toRecords(names))), change: made };
  };

  return {
    nameServerNames,
    health,
    zones: () => [...zones.values()].map(toZone),
    zone: (id) => {
      const held = zones.get(id);
      return held ? toZone(held) : undefined;
    },
    createZone,
    deleteZone: (id) => {
      const held = zones.get(id);
      if (!held) return { kind: "no-such-zone" };
      const apex = held.records.get(held.head.name) ?? [];
      if (held.records.size > 1 || apex.some((set) => set.type !== "NS" && set.type !== "SOA")) return { kind: "not-empty" };
      journal.append({ kind: "zone-deleted", id });
      release(id);
      const made = newChange(id);
      remember(made);
      return { kind: "deleted", change: made };
    },
    change,
    findChange: (id) => {
      const found = changes.get(id);
      if (!found) return undefined;
      return { change: found, isPending: zones.get(found.zoneId)?.timeline.isPending(id, now()) ?? false };
    },
    healthChecks: () => [...checks.values()],
    healthCheck: (id) => checks.get(id),
    createHealthCheck: (callerReference, config) => {
      if (checks.size >= HEALTH_CHECKS_MAX) return { kind: "too-many" };
      const check: HealthCheck = { id: randomUUID(), callerReference, version: 1, config };
      journal.append({ kind: "health-check", check });
      checks.set(check.id, check);
      tellHealthChecks();
      return check;
    },
    updateHealthCheck: (check) => {
      journal.append({ kind: "health-check", check });
      checks.set(check.id, check);
      tellHealthChecks();
    },
    deleteHealthCheck: (id) => {
      // Asked once more, so that records which still name it keep its last answer.
      health.isHealthy(id);
      journal.append({ kind: "health-check-deleted", id });
      checks.delete(id);
      tellHealthChecks();
    },
    onHealthChecks: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    shownZone: (name, server) => {
      for (let at = 0; at < name.length; at = name.indexOf(".", at) + 1) {
        const held = zoneByName.get(at === 0 ? name : name.slice(at));
        if (held) return { name: held.head.name, records: held.timeline.at(server, now()) };
      }
      return undefined;
    },
    setPropagation: (next) => {
      propagation = next;
      for (const held of zones.values()) held.timeline.reschedule(drawDelays(next, servers, random), false);
    },
    releasePropagation: () => {
      for (const held of zones.values()) held.timeline.reschedule(drawDelays(propagation, servers, random), true);
    },
    setProcessingMs: (ms) => {
      processingMs = ms;
    },
    close: () => journal.close(),
  };
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

const sortedByRecords = new WeakMap<Records, readonly RecordSet[]>();

/** A zone's record sets as Route 53 lists them: by labels from the right, then type, then set identifier. */
export const listedSets = (records: Records): readonly RecordSet[] => {
  const known = sortedByRecords.get(records);
  if (known) return known;
  const sorted = [...records]
    .map(([name, sets]) => ({ key: sortKeyOf(name), sets }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .flatMap(({ sets }) => [...sets].sort(compareInName));
  sortedByRecords.set(records, sorted);
  return sorted;
};

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const compareInName = (a: RecordSet, b: RecordSet): number =>
  compareText(a.type, b.type) || compareText(a.setIdentifier ?? "", b.setIdentifier ?? "");
