/**
 * Decisions in memory. A commit is checked whole before its first write, and done before it first yields: that is its transaction. What a
 * database constraint would refuse throws here as well.
 */
import type { Change, ChangeTimes, Instant, Weights } from "@regent/contract";
import type { Controls } from "@regent/engine";
import type { Clock } from "../../ports/clock.ts";
import type {
  Commit,
  CommitResult,
  DecisionStore,
  Loaded,
  ServiceRecord,
  StageEntry,
  StoredOutboxRow,
} from "../../ports/decision-store.ts";
import type { MemoryHistory } from "./history.ts";
import type { MemoryLease } from "./lease.ts";

/** Settled rows are loaded this long. */
const OUTBOX_LOADED_MS = 86_400_000;
/** A copy of a batch that was given up may still arrive for a few minutes; then it must be known. */
const REFUSED_LOADED_MS = 900_000;
const UNSETTLED: readonly StoredOutboxRow["state"][] = ["intent", "sent", "unknown"];
const OVER: readonly StoredOutboxRow["state"][] = ["refused", "abandoned"];

export interface MemoryDecisionStore extends DecisionStore {
  /** A backup of everything but history. What comes back, called, restores it. */
  readonly save: () => () => void;
  /** For pages: history behind a place, oldest first. */
  readonly entriesAfter: (place: number, limit: number) => ReturnType<MemoryHistory["after"]>;
}

interface Tables {
  readonly services: Map<string, ServiceRecord>;
  readonly changes: Map<string, Change>;
  readonly outbox: Map<string, StoredOutboxRow>;
  readonly stagesByChange: Map<string, StageEntry[]>;
  /** `service revision` of every change and of every outbox row: unique, as in Postgres. */
  readonly changeRevisions: Set<string>;
  readonly outboxRevisions: Set<string>;
}

export const createMemoryDecisionStore = ({
  clock,
  lease,
  history,
}: {
  readonly clock: Pick<Clock, "now">;
  readonly lease: MemoryLease;
  readonly history: MemoryHistory;
}): MemoryDecisionStore => {
  const tables: Tables = {
    services: new Map(),
    changes: new Map(),
    outbox: new Map(),
    stagesByChange: new Map(),
    changeRevisions: new Set(),
    outboxRevisions: new Set(),
  };
  let freeze: Controls["frozenGlobally"] = null;
  const changeOf = (id: string): Change | null => toChange(tables, id);

  return {
    load: async () => load(tables, clock.now()),
    commit: async (commit): Promise<CommitResult> => {
      if (!lease.isLeading(commit.holder, commit.term)) return { kind: "fenced" };
      const conflict = commit.services.find((record) => record.version !== (tables.services.get(record.service)?.version ?? 0));
      if (conflict !== undefined) return { kind: "conflict", service: conflict.service };
      checkConstraints(tables, commit);
      history.check(commit.history);
      write(tables, commit);
      history.append(commit.history);
      return { kind: "committed" };
    },
    readHistory: async (query) => history.read(query, changeOf),
    readChange: async (id) => changeOf(id),
    entriesAfter: (place, limit) => history.after(place, limit, changeOf),
    readFreeze: async () => freeze,
    writeFreeze: async ({ holder, term, value, entry }): Promise<CommitResult> => {
      if (!lease.isLeading(holder, term)) return { kind: "fenced" };
      history.append([entry]);
      freeze = value;
      return { kind: "committed" };
    },
    save: () => {
      const [saved, savedFreeze] = [copy(tables), freeze];
      return () => {
        Object.assign(tables, copy(saved));
        freeze = savedFreeze;
      };
    },
  };
};

/** Values are never changed in place, but for the list of a change's stages. */
const copy = (tables: Tables): Tables => ({
  services: new Map(tables.services),
  changes: new Map(tables.changes),
  outbox: new Map(tables.outbox),
  stagesByChange: new Map([...tables.stagesByChange].map(([id, stages]) => [id, [...stages]])),
  changeRevisions: new Set(tables.changeRevisions),
  outboxRevisions: new Set(tables.outboxRevisions),
});

const revisionOf = ({ service, revision }: { service: string; revision: number }): string => `${service} ${revision}`;

const checkConstraints = (tables: Tables, { changes, outboxInserts, stages }: Commit): void => {
  const { changeRevisions, outboxRevisions } = tables;
  for (const rows of [changes.map(({ id }) => id), changes.map(revisionOf), outboxInserts.map(revisionOf)])
    if (new Set(rows).size < rows.length) throw new Error(`One commit writes ${rows.join(", ")}: one of them twice.`);
  for (const change of changes) {
    if (tables.changes.has(change.id) || changeRevisions.has(revisionOf(change)))
      throw new Error(`Change ${change.id} (${revisionOf(change)}) is there already.`);
    checkAnswersSomewhere(change.weightsAfter);
  }
  const isKnown = (id: string): boolean => tables.changes.has(id) || changes.some((change) => change.id === id);
  for (const row of outboxInserts) {
    if (tables.outbox.has(row.ulid) || outboxRevisions.has(revisionOf(row)))
      throw new Error(`Outbox row ${row.ulid} (${revisionOf(row)}) is there already.`);
    if (!isKnown(row.changeId)) throw new Error(`Outbox row ${row.ulid} belongs to no change.`);
    checkAnswersSomewhere(row.weights);
  }
  for (const { changeId } of stages) if (!isKnown(changeId)) throw new Error(`A stage of change ${changeId}, which isn't there.`);
};

const checkAnswersSomewhere = (weights: Weights): void => {
  for (const [family, byRegion] of Object.entries(weights)) {
    const values = Object.values(byRegion);
    if (!values.every((weight) => Number.isInteger(weight) && weight >= 0 && weight <= 255))
      throw new Error(`Family ${family} has a weight outside 0..255.`);
    if (!values.some((weight) => weight > 0)) throw new Error(`Family ${family} would answer nothing.`);
  }
};

const write = (tables: Tables, commit: Commit): void => {
  for (const record of commit.services) tables.services.set(record.service, { ...record, version: record.version + 1 });
  for (const change of commit.changes) {
    tables.changes.set(change.id, change);
    tables.changeRevisions.add(revisionOf(change));
    tables.stagesByChange.set(change.id, []);
  }
  for (const row of commit.outboxInserts) {
    tables.outbox.set(row.ulid, row);
    tables.outboxRevisions.add(revisionOf(row));
  }
  for (const { ulid, ...update } of commit.outboxUpdates) {
    const row = tables.outbox.get(ulid);
    if (row !== undefined) tables.outbox.set(ulid, { ...row, ...update });
  }
  for (const entry of commit.stages) {
    const told = tables.stagesByChange.get(entry.changeId);
    if (!told?.some(({ stage, clock }) => stage === entry.stage && clock === entry.clock)) told?.push(entry);
  }
};

const load = (tables: Tables, now: Instant): Loaded => {
  const byRevision = (a: { service: string; revision: number }, b: { service: string; revision: number }): number =>
    a.service < b.service ? -1 : a.service > b.service ? 1 : a.revision - b.revision;
  const isWanted = ({ state, createdAt }: StoredOutboxRow): boolean =>
    UNSETTLED.includes(state) || createdAt > (OVER.includes(state) ? now - REFUSED_LOADED_MS : now - OUTBOX_LOADED_MS);
  const outbox = [...tables.outbox.values()].filter(isWanted).sort(byRevision);
  const lastByService = new Map<string, Change>();
  for (const change of [...tables.changes.values()].sort(byRevision)) lastByService.set(change.service, change);
  const ids = new Set(outbox.filter((row) => UNSETTLED.includes(row.state)).map((row) => row.changeId));
  for (const change of lastByService.values()) ids.add(change.id);
  return {
    services: [...tables.services.values()].sort((a, b) => (a.service < b.service ? -1 : 1)),
    outbox,
    changes: [...ids].flatMap((id) => toChange(tables, id) ?? []).sort(byRevision),
  };
};

/** The first time of each clock stands; the last stage is the present one. */
const toChange = ({ changes, stagesByChange }: Tables, id: string): Change | null => {
  const change = changes.get(id);
  if (change === undefined) return null;
  const told = stagesByChange.get(id) ?? [];
  const times: Partial<Record<keyof ChangeTimes, Instant>> = {};
  for (const { clock, at } of told) if (clock !== undefined) times[clock] ??= at;
  return { ...change, stage: told.at(-1)?.stage ?? change.stage, times: { ...times, ...change.times } };
};
