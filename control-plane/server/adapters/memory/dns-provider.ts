/**
 * Memory twin of DnsProvider, for tests and simulation. Has no timers: the time that `now` gives decides what is in sync, and a batch
 * that applies late does so when the zone is next looked at after its time. Each call can be told once to go wrong.
 */
import type { RecordSet } from "@regent/engine";
import type { DnsProvider, SendResult } from "../../ports/dns-provider.ts";
import { CHANGES_MAX, ZONE_VERSIONS_MAX } from "./limits.ts";
import { applyBatch, recordsOf, type ZoneBatch, type ZoneRecords } from "./zone.ts";

/** What the next send meets. `late` answers unknown now and applies after `delayMs`, if the zone still allows it then. */
export type SendFault =
  | { readonly kind: "throttled" | "busy" | "denied" | "unknown-before" | "unknown-after" }
  | { readonly kind: "late"; readonly delayMs: number };
/** What the next read meets: of names, of a zone, or of a change's progress. */
export type ReadFault = { readonly kind: "throttled" | "failed" | "denied" };

export interface MemoryZone {
  readonly id: string;
  /** Without final dot. */
  readonly name: string;
  readonly nameServers?: readonly string[];
  readonly sets?: readonly RecordSet[];
}

export interface MemoryDnsOptions {
  readonly zones: readonly MemoryZone[];
  /** Milliseconds on any clock that doesn't step back. */
  readonly now: () => number;
  /** From accepted to in sync; 0 unless told. */
  readonly inSyncAfterMs?: number;
}

export interface MemoryDns {
  readonly provider: DnsProvider;
  /** The next send, and only that, goes wrong. Faults queue up. */
  readonly breakNextSend: (fault: SendFault) => void;
  readonly breakNextRead: (fault: ReadFault) => void;
  /** A hand of somebody else: the same rules, no faults. */
  readonly edit: (zoneId: string, batch: ZoneBatch) => ReturnType<typeof applyBatch>["kind"];
  /** Health as Route 53's checkers see it; null is unknown. */
  readonly setHealth: (healthCheckId: string, isHealthy: boolean | null) => void;
  readonly isHealthy: (healthCheckId: string) => boolean | null;
  /** A change that was accepted and then lost with everything after it, as when Route 53's control plane is recovered elsewhere. */
  readonly strand: (changeInfoId: string) => void;
  /** The newest version accepted at or before `at`, of the zone that holds `name`; null if none does. */
  readonly recordsAt: (name: string, at: number) => ZoneRecords | null;
  /** Batches that arrived, with faults or not. */
  readonly sends: () => number;
}

interface Version {
  readonly records: ZoneRecords;
  readonly at: number;
  readonly changeId: string | null;
}
interface ZoneState extends MemoryZone {
  versions: readonly Version[];
  /** Batches on their way in, in the order in which they arrive. */
  late: readonly { readonly batch: ZoneBatch; readonly at: number }[];
}
interface World {
  readonly zones: ReadonlyMap<string, ZoneState>;
  readonly changes: Map<string, { readonly zoneId: string; readonly at: number }>;
  readonly health: Map<string, boolean | null>;
  readonly sendFaults: SendFault[];
  readonly readFaults: ReadFault[];
  readonly now: () => number;
  readonly inSyncAfterMs: number;
  changeCount: number;
  sendCount: number;
}

export const createMemoryDns = (options: MemoryDnsOptions): MemoryDns => {
  const world = createWorld(options);
  return {
    provider: {
      readNames: async (zoneId, names) => read(world, zoneId, (set) => names.includes(set.name)),
      readZone: async (zoneId) => read(world, zoneId, () => true),
      send: async (zoneId, batch) =>
        batch.mayLeave?.() === false
          ? { kind: "not-sent", why: "nobody wants it any more", nextTryMs: 0 }
          : send(world, zoneId, batch),
      readChange: async (changeInfoId) => {
        const fault = world.readFaults.shift();
        if (fault) return fault.kind === "throttled" ? { kind: "throttled" } : { kind: "failed", why: `scripted: ${fault.kind}` };
        const change = world.changes.get(changeInfoId);
        if (!change) return { kind: "missing" };
        return { kind: world.now() >= change.at + world.inSyncAfterMs ? "in-sync" : "pending" };
      },
      readHealth: async (ids) => Object.fromEntries(ids.map((id) => [id, world.health.get(id) ?? null])),
      readNameServers: async (zoneId) => world.zones.get(zoneId)?.nameServers ?? [],
    },
    breakNextSend: (fault) => void world.sendFaults.push(fault),
    breakNextRead: (fault) => void world.readFaults.push(fault),
    edit: (zoneId, batch) =>
      accept(world, zoneOf(world, zoneId), { batch, at: world.now() }).kind === "accepted" ? "applied" : "refused",
    setHealth: (id, isHealthy) => void world.health.set(id, isHealthy),
    isHealthy: (id) => world.health.get(id) ?? null,
    strand: (changeInfoId) => strand(world, changeInfoId),
    recordsAt: (name, at) => recordsAt(world, name, at),
    sends: () => world.sendCount,
  };
};

const createWorld = ({ zones, now, inSyncAfterMs = 0 }: MemoryDnsOptions): World => ({
  zones: new Map(
    zones.map((zone) => [
      zone.id,
      { ...zone, versions: [{ records: recordsOf(zone.sets ?? []), at: now(), changeId: null }], late: [] },
    ]),
  ),
  changes: new Map(),
  health: new Map(),
  sendFaults: [],
  readFaults: [],
  now,
  inSyncAfterMs,
  changeCount: 0,
  sendCount: 0,
});

/** For the test's own hand, which names only zones that it made. */
const zoneOf = (world: World, zoneId: string): ZoneState => {
  const zone = world.zones.get(zoneId);
  if (!zone) throw new RangeError(`no zone ${zoneId}`);
  return zone;
};

/** Lets in the late batches whose time has come. One that no longer fits the zone is dropped without a trace, as Route 53 would. */
const settle = (world: World, zone: ZoneState): void => {
  const due = zone.late.filter(({ at }) => at <= world.now()).toSorted((a, b) => a.at - b.at);
  if (due.length === 0) return;
  zone.late = zone.late.filter(({ at }) => at > world.now());
  for (const arrival of due) accept(world, zone, arrival);
};

const latestOf = (zone: ZoneState): Version => zone.versions.at(-1)!;

const read = (world: World, zoneId: string, isWanted: (set: RecordSet) => boolean): ReturnType<typeof readNow> => {
  const fault = world.readFaults.shift();
  if (!fault) return readNow(world, zoneId, isWanted);
  return fault.kind === "throttled" ? { kind: "throttled" } : { kind: fault.kind, why: `scripted: ${fault.kind}` };
};

const readNow = (
  world: World,
  zoneId: string,
  isWanted: (set: RecordSet) => boolean,
): Awaited<ReturnType<DnsProvider["readZone"]>> => {
  const zone = world.zones.get(zoneId);
  if (!zone) return { kind: "denied", why: `NoSuchHostedZone: ${zoneId}` };
  settle(world, zone);
  return { kind: "sets", sets: [...latestOf(zone).records.values()].flat().filter(isWanted) };
};

const send = (world: World, zoneId: string, batch: ZoneBatch): SendResult => {
  world.sendCount++;
  const fault = world.sendFaults.shift();
  const zone = world.zones.get(zoneId);
  if (!zone) return { kind: "denied", why: `NoSuchHostedZone: ${zoneId}` };
  settle(world, zone);
  const now = world.now();
  switch (fault?.kind) {
    case undefined:
      return accept(world, zone, { batch, at: now });
    case "throttled":
    case "busy":
      return { kind: fault.kind };
    case "denied":
      return { kind: "denied", why: "scripted: AccessDenied" };
    case "unknown-before":
      return { kind: "unknown", why: "scripted: lost before it arrived" };
    case "unknown-after":
      accept(world, zone, { batch, at: now });
      return { kind: "unknown", why: "scripted: the answer was lost" };
    case "late":
      zone.late = [...zone.late, { batch, at: now + fault.delayMs }];
      return { kind: "unknown", why: "scripted: under way" };
  }
};

const accept = (world: World, zone: ZoneState, { batch, at }: { readonly batch: ZoneBatch; readonly at: number }): SendResult => {
  const outcome = applyBatch(zone.name, latestOf(zone).records, batch);
  if (outcome.kind === "refused") return outcome;
  const changeId = `C${String(++world.changeCount).padStart(8, "0")}`;
  zone.versions = [...zone.versions, { records: outcome.records, at, changeId }].slice(-ZONE_VERSIONS_MAX);
  world.changes.set(changeId, { zoneId: zone.id, at });
  if (world.changes.size > CHANGES_MAX) world.changes.delete(world.changes.keys().next().value!);
  return { kind: "accepted", changeInfoId: changeId };
};

const strand = (world: World, changeInfoId: string): void => {
  const change = world.changes.get(changeInfoId);
  if (!change) throw new RangeError(`no change ${changeInfoId}`);
  const zone = zoneOf(world, change.zoneId);
  const index = zone.versions.findIndex(({ changeId }) => changeId === changeInfoId);
  if (index < 1) throw new RangeError(`change ${changeInfoId} is too old to be lost`);
  for (const { changeId } of zone.versions.slice(index)) if (changeId !== null) world.changes.delete(changeId);
  // The older content is new to every name server: it spreads like any other version.
  const before = zone.versions[index - 1]!;
  zone.versions = [...zone.versions, { records: before.records, at: world.now(), changeId: null }];
};

const recordsAt = (world: World, name: string, at: number): ZoneRecords | null => {
  const holding = [...world.zones.values()].filter((zone) => name === zone.name || name.endsWith(`.${zone.name}`));
  const zone = holding.toSorted((a, b) => b.name.length - a.name.length)[0];
  if (!zone) return null;
  settle(world, zone);
  return (zone.versions.findLast((version) => version.at <= at) ?? zone.versions[0]!).records;
};
