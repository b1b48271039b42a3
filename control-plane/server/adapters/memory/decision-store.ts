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
const UNSETTLED: readonly StoredOutboxRow["state"][] = ["intent", "sent", "unknown"];
const OVER: readonly StoredOutboxRow["state"][] = ["refused", "abandoned"];

interface Tables {
  readonly services: Map<string, ServiceRecord>;
  readonly changes: Map<string, Change>;
  readonly outbox: Map<string, StoredOutboxRow>;
  readonly stages: StageEntry[];
}

export const createMemoryDecisionStore = ({
  clock,
  lease,
  history,
}: {
  readonly clock: Pick<Clock, "now">;
  readonly lease: MemoryLease;
  readonly history: MemoryHistory;
}): DecisionStore => {
  const tables: Tables = { services: new Map(), changes: new Map(), outbox: new Map(), stages: [] };
  let freeze: Controls["frozenGlobally"] = null;
  const changeOf = (id: string): Change | null => toChange(tables, id);

  return {
    load: async () => load(tables, clock.now() - OUTBOX_LOADED_MS),
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
    readFreeze: async () => freeze,
    writeFreeze: async ({ holder, term, value, entry }): Promise<CommitResult> => {
      if (!lease.isLeading(holder, term)) return { kind: "fenced" };
      history.append([entry]);
      freeze = value;
      return { kind: "committed" };
    },
  };
};

const checkConstraints = ({ changes, outbox }: Tables, commit: Commit): void => {
  const revisions = new Set([...changes.values()].map((change) => `${change.service} ${change.revision}`));
  for (const change of commit.changes) {
    const revision = `${change.service} ${change.revision}`;
    if (changes.has(change.id) || revisions.has(revision)) throw new Error(`Change ${change.id} (${revision}) is there already.`);
    revisions.add(revision);
    checkAnswersSomewhere(change.weightsAfter);
  }
  const known = new Set([...changes.keys(), ...commit.changes.map((change) => change.id)]);
  const rows = new Set([...outbox.values()].map((row) => `${row.service} ${row.revision}`));
  for (const row of commit.outboxInserts) {
    const revision = `${row.service} ${row.revision}`;
    if (outbox.has(row.ulid) || rows.has(revision)) throw new Error(`Outbox row ${row.ulid} (${revision}) is there already.`);
    rows.add(revision);
    if (!known.has(row.changeId)) throw new Error(`Outbox row ${row.ulid} belongs to no change.`);
    checkAnswersSomewhere(row.weights);
  }
  for (const { changeId } of commit.stages)
    if (!known.has(changeId)) throw new Error(`A stage of change ${changeId}, which isn't there.`);
};

const checkAnswersSomewhere = (weights: Weights): void => {
  for (const [family, byRegion] of Object.entries(weights)) {
    const values = Object.values(byRegion);
    if (!values.every((weight) => Number.isInteger(weight) && weight >= 0 && weight <= 255))
      throw new Error(`Family ${family} has a weight outside 0..255.`);
    if (!values.some((weight) => weight > 0)) throw new Error(`Family ${family} would answer nothing.`);
  }
};

const write = ({ services, changes, outbox, stages }: Tables, commit: Commit): void => {
  for (const record of commit.services) services.set(record.service, { ...record, version: record.version + 1 });
  for (const change of commit.changes) changes.set(change.id, change);
  for (const row of commit.outboxInserts) outbox.set(row.ulid, row);
  for (const { ulid, ...update } of commit.outboxUpdates) {
    const row = outbox.get(ulid);
    if (row !== undefined) outbox.set(ulid, { ...row, ...update });
  }
  for (const stage of commit.stages) {
    const isTold = stages.some(
      (told) => told.changeId === stage.changeId && told.stage === stage.stage && told.clock === stage.clock,
    );
    if (!isTold) stages.push(stage);
  }
};

const load = (tables: Tables, settledAfter: Instant): Loaded => {
  const byRevision = (a: { service: string; revision: number }, b: { service: string; revision: number }): number =>
    a.service < b.service ? -1 : a.service > b.service ? 1 : a.revision - b.revision;
  const outbox = [...tables.outbox.values()]
    .filter((row) => !OVER.includes(row.state) && (UNSETTLED.includes(row.state) || row.createdAt > settledAfter))
    .sort(byRevision);
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
const toChange = ({ changes, stages }: Tables, id: string): Change | null => {
  const change = changes.get(id);
  if (change === undefined) return null;
  const told = stages.filter((stage) => stage.changeId === id);
  const times: Partial<Record<keyof ChangeTimes, Instant>> = {};
  for (const { clock, at } of told) if (clock !== undefined) times[clock] ??= at;
  return { ...change, stage: told.at(-1)?.stage ?? change.stage, times: { ...times, ...change.times } };
};
