/** Decisions as rows and back. Pure. Shares, written and seen weights are one row per (service, family, region). */
import type { Change, ChangeStage, ChangeTimes, Instant, Seen, Shares, Weights } from "@regent/contract";
import type { HealthMemory, TrafficMemory } from "@regent/engine";
import type { ServiceRecord, StoredOutboxRow } from "../../ports/decision-store.ts";
import type { changeStages, changes, outbox, services, shares, verdicts } from "./schema.ts";

export type ServiceRow = typeof services.$inferSelect;
export type VerdictRow = typeof verdicts.$inferSelect;
export type ShareRow = typeof shares.$inferSelect;
type ChangeRow = typeof changes.$inferSelect;
type StageRow = typeof changeStages.$inferSelect;
type OutboxTableRow = typeof outbox.$inferSelect;

type ByFamily = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** The row to write: one version further than the record that was read. */
export const toServiceRow = (record: ServiceRecord): ServiceRow => {
  const { shares: _, ...traffic } = record.traffic;
  return {
    service: record.service,
    version: record.version + 1,
    revision: record.revision,
    traffic,
    controls: record.controls,
    isWritten: record.written !== null,
    expected: record.expected,
    epoch: record.epoch,
    blockedBy: record.blockedBy,
    drift: record.drift,
    // Shares are rows; the empty object only says that they are known.
    seen: record.seen === null ? null : { ...record.seen, shares: record.seen.shares === null ? null : {} },
    lastRefusal: record.lastRefusal,
    ownership: record.ownership,
    approval: record.approval,
    declared: record.declared,
    transfer: record.transfer,
    databases: record.databases.length === 0 ? null : record.databases,
  };
};

export const toVerdictRows = (record: ServiceRecord): readonly VerdictRow[] =>
  Object.values(record.health).map((memory) => ({ service: record.service, ...memory }));

export const toShareRows = ({ service, traffic, written, seen }: ServiceRecord): readonly ShareRow[] => {
  const kinds = { wanted: traffic.shares, written: written ?? {}, seen: seen?.shares ?? {} };
  const pairs = new Map<string, readonly [string, string]>();
  for (const byFamily of Object.values(kinds))
    for (const [family, byRegion] of Object.entries(byFamily))
      for (const region of Object.keys(byRegion)) pairs.set(`${family}/${region}`, [family, region]);
  return [...pairs.values()].map(([family, region]) => ({
    service,
    family,
    region,
    wanted: kinds.wanted[family]?.[region] ?? null,
    written: kinds.written[family]?.[region] ?? null,
    seen: kinds.seen[family]?.[region] ?? null,
  }));
};

export const toServiceRecord = (
  row: ServiceRow,
  verdictRows: readonly VerdictRow[],
  shareRows: readonly ShareRow[],
): ServiceRecord => {
  const seen = row.seen as Seen | null;
  return {
    service: row.service,
    version: row.version,
    revision: row.revision,
    health: Object.fromEntries(verdictRows.map(({ service: _, ...memory }) => [memory.region, memory as HealthMemory])),
    traffic: { ...(row.traffic as Omit<TrafficMemory, "shares">), shares: byFamily(shareRows, "wanted") as Shares },
    controls: row.controls as ServiceRecord["controls"],
    written: row.isWritten ? (byFamily(shareRows, "written") as Weights) : null,
    expected: row.expected as ServiceRecord["expected"],
    epoch: row.epoch,
    blockedBy: row.blockedBy,
    drift: row.drift,
    seen: seen === null ? null : { ...seen, shares: seen.shares === null ? null : byFamily(shareRows, "seen") },
    lastRefusal: row.lastRefusal,
    ownership: row.ownership as ServiceRecord["ownership"],
    approval: row.approval as ServiceRecord["approval"],
    declared: row.declared as ServiceRecord["declared"],
    transfer: row.transfer as ServiceRecord["transfer"],
    databases: (row.databases ?? []) as ServiceRecord["databases"],
  };
};

const byFamily = (rows: readonly ShareRow[], column: "wanted" | "written" | "seen"): ByFamily => {
  const families: Record<string, Record<string, number>> = {};
  for (const row of rows) {
    const value = row[column];
    if (value === null) continue;
    families[row.family] ??= {};
    (families[row.family] as Record<string, number>)[row.region] = value;
  }
  return families;
};

export const toChangeRow = (change: Change): ChangeRow => ({
  id: change.id,
  service: change.service,
  revision: change.revision,
  kind: change.kind,
  stage: change.stage,
  actorKind: change.actor.kind,
  actorName: change.actor.name,
  reason: change.reason,
  why: change.why,
  sharesBefore: change.sharesBefore,
  sharesAfter: change.sharesAfter,
  weightsBefore: change.weightsBefore,
  weightsAfter: change.weightsAfter,
  rules: change.rules,
  evidence: change.evidence,
  times: change.times,
});

/** `stages` of this change alone, in the order in which they were appended. The first time of each clock stands. */
export const toChange = (row: ChangeRow, stages: readonly Pick<StageRow, "stage" | "at" | "clock">[]): Change => {
  const times: Partial<Record<keyof ChangeTimes, Instant>> = {};
  for (const { clock, at } of stages) if (clock !== null) times[clock as keyof ChangeTimes] ??= at;
  return {
    id: row.id,
    service: row.service,
    revision: row.revision,
    kind: row.kind as Change["kind"],
    stage: (stages.at(-1)?.stage ?? row.stage) as ChangeStage,
    actor: { kind: row.actorKind as Change["actor"]["kind"], name: row.actorName },
    reason: row.reason,
    why: row.why,
    sharesBefore: row.sharesBefore as Shares,
    sharesAfter: row.sharesAfter as Shares,
    weightsBefore: row.weightsBefore as Weights,
    weightsAfter: row.weightsAfter as Weights,
    rules: row.rules as Change["rules"],
    evidence: row.evidence as Change["evidence"],
    times: { ...times, ...(row.times as ChangeTimes) },
  };
};

export const toOutboxRow = (row: OutboxTableRow): StoredOutboxRow => ({
  ulid: row.ulid,
  service: row.service,
  revision: row.revision,
  term: row.term,
  expects: row.expects,
  state: row.state as StoredOutboxRow["state"],
  changeId: row.changeId,
  zoneId: row.zoneId,
  deletes: row.deletes as StoredOutboxRow["deletes"],
  creates: row.creates as StoredOutboxRow["creates"],
  weights: row.weights as Weights,
  createdAt: row.createdAt,
  sentAt: row.sentAt,
  changeInfoId: row.changeInfoId,
});
