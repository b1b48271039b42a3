/**
 * The leader's memory of what was decided, written through: nothing is believed here that Postgres hasn't taken. Commits are one after the
 * other, each built on the state that the one before left, so that judging and writing never overwrite each other.
 */
import type { Change, Instant } from "@regent/contract";
import type { Controls, ServiceSpec } from "@regent/engine";
import { type Neighbour, surroundingsOf } from "@regent/engine/safety/departures.ts";
import type {
  CommitResult,
  DecisionStore,
  HistoryEntry,
  OutboxUpdate,
  ServiceRecord,
  StageEntry,
  StoredOutboxRow,
} from "../../ports/decision-store.ts";

export interface Draft {
  /** As this commit leaves it so far. */
  readonly record: (service: string) => ServiceRecord;
  /** Rewrites one service's record; several calls for one service build on each other. */
  readonly update: (service: string, change: (record: ServiceRecord) => ServiceRecord) => void;
  readonly insertOutbox: (row: StoredOutboxRow) => void;
  readonly updateOutbox: (update: OutboxUpdate) => void;
  readonly insertChange: (change: Change) => void;
  readonly stage: (entry: StageEntry) => void;
  readonly tell: (entry: HistoryEntry) => void;
}

export interface Ledger {
  readonly record: (service: string) => ServiceRecord;
  /** Rows of a service whose fate can still matter, oldest first. */
  readonly outbox: (service: string) => readonly StoredOutboxRow[];
  readonly lastChange: (service: string) => Change | null;
  readonly change: (id: string) => Change | null;
  readonly changes: () => readonly Change[];
  readonly freeze: () => Controls["frozenGlobally"];
  /** What automation did at all services that are declared now, as far as it is committed; of this one as the draft leaves it. */
  readonly departures: (now: Instant, drafted?: ServiceRecord) => ReturnType<typeof surroundingsOf>;
  /** Builds and writes one commit; what it returns is `build`'s answer. Writes nothing when `build` drafts nothing. */
  /** `afterwards` is called once it stands, before anybody else's commit is built. */
  readonly commit: <T>(build: (draft: Draft) => T, afterwards?: (answer: T) => void) => Promise<T>;
  readonly setFreeze: (value: Controls["frozenGlobally"], entry: HistoryEntry) => Promise<void>;
  /** Reads everything again; used when leadership begins, and by those who follow. */
  readonly load: (specs: ReadonlyMap<string, ServiceSpec>) => Promise<void>;
  readonly lead: (term: number) => void;
  readonly term: () => number;
}

/** Another replica leads: stop, and write nothing more. */
export class LeadershipLost extends Error {
  readonly term: number;

  constructor(term: number) {
    super(`term ${term} no longer leads`);
    this.name = "LeadershipLost";
    this.term = term;
  }
}

/** Somebody else wrote this service although we lead; what we remember is old, and is read again before the next commit. */
export class LedgerConflict extends Error {
  constructor(service: string) {
    super(`service ${service} was written by somebody else`);
    this.name = "LedgerConflict";
  }
}

/** Once more after a conflict, on what was read again: for what stays true whoever wrote meanwhile. `build` may run twice. */
/** What was worked out is worked out again after this, also where nobody commits anything: departures grow old. */
const DEPARTED_FOR_MS = 10_000;

export const commitAnew = <T>(ledger: Ledger, build: (draft: Draft) => T): Promise<T> =>
  ledger.commit(build).catch((error: unknown) => {
    if (error instanceof LedgerConflict) return ledger.commit(build);
    throw error;
  });

/** A settled row can be taken back by Route 53 for minutes (a stranded change); after so many more its fate no longer matters. */
export const OUTBOX_ROWS_KEPT = 20;

/** One and the same each time: who compares what is remembered before and after finds that nothing changed. */
const NO_ROWS: readonly StoredOutboxRow[] = [];

export const emptyRecord = (service: string): ServiceRecord => ({
  service,
  version: 0,
  revision: 0,
  health: {},
  traffic: {
    passive: {},
    out: {},
    ramps: {},
    returnedAt: {},
    failedReturns: {},
    lastAutomaticFailoverAt: null,
    failStaticSince: null,
    shares: {},
    departures: [],
  },
  controls: { frozen: null, frozenRegions: {}, drained: {}, placement: null, overrides: [] },
  written: null,
  expected: null,
  epoch: null,
  blockedBy: null,
  drift: null,
  seen: null,
  lastRefusal: null,
  ownership: { edit: null, reverts: [], released: null, adopting: null },
  approval: null,
  declared: null,
  transfer: null,
  databases: [],
});

export const createLedger = ({
  store,
  holder,
  specs,
  onCommitted,
}: {
  store: DecisionStore;
  holder: string;
  /** What is declared now: one and the same map until it is declared anew. */
  specs: () => ReadonlyMap<string, ServiceSpec>;
  /** Whose record, rows or history changed; none named: everybody's. */
  onCommitted: (services: readonly string[]) => void;
}): Ledger => {
  const records = new Map<string, ServiceRecord>();
  const rows = new Map<string, StoredOutboxRow[]>();
  const changes = new Map<string, Change>();
  const lastChange = new Map<string, string>();
  let frozen: Controls["frozenGlobally"] = null;
  let term = 0;
  /** The last commit's answer wasn't heard, or it was refused as old: what is remembered may differ from what is written. */
  let isInDoubt = false;
  /** Until the next commit or declaration: a round asks for each of its services. */
  let departed: {
    readonly at: Instant;
    readonly of: ReadonlyMap<string, ServiceSpec>;
    readonly all: ReturnType<typeof surroundingsOf>;
  } | null = null;
  let queue: Promise<unknown> = Promise.resolve();

  /** One at a time, whatever became of the one before. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work, work);
    queue = turn.catch(() => undefined);
    return turn;
  };

  const record = (service: string): ServiceRecord => records.get(service) ?? emptyRecord(service);

  const check = (result: CommitResult): void => {
    switch (result.kind) {
      case "committed":
        return;
      case "fenced":
        throw new LeadershipLost(term);
      case "conflict":
        isInDoubt = true;
        throw new LedgerConflict(result.service);
    }
  };

  /** A commit that throws may have been done all the same. */
  const ask = async (call: () => Promise<CommitResult>): Promise<void> => {
    const result = await call().catch((error: unknown) => {
      isInDoubt = true;
      throw error;
    });
    check(result);
  };

  const write = async <T>(build: (draft: Draft) => T, afterwards?: (answer: T) => void): Promise<T> => {
    if (isInDoubt) await readAgain();
    const sheet = createSheet(record);
    const answer = build(sheet.draft);
    if (!sheet.isEmpty()) {
      await ask(() => store.commit({ holder, term, ...sheet.toCommit() }));
      adopt(sheet);
    }
    afterwards?.(answer);
    return answer;
  };

  const readAgain = async (): Promise<void> => {
    const loaded = await store.load();
    const freeze = await store.readFreeze();
    for (const known of [records, rows, changes, lastChange]) known.clear();
    for (const loadedRecord of loaded.services) records.set(loadedRecord.service, loadedRecord);
    for (const row of loaded.outbox) {
      const known = rows.get(row.service);
      if (known) known.push(row);
      else rows.set(row.service, [row]);
    }
    for (const change of [...loaded.changes].sort((a, b) => a.revision - b.revision)) {
      changes.set(change.id, change);
      lastChange.set(change.service, change.id);
    }
    frozen = freeze;
    departed = null;
    isInDoubt = false;
  };

  const adopt = (sheet: Sheet): void => {
    departed = null;
    for (const next of sheet.services.values()) records.set(next.service, { ...next, version: next.version + 1 });
    for (const change of sheet.changes) {
      const before = lastChange.get(change.service);
      changes.set(change.id, change);
      lastChange.set(change.service, change.id);
      if (before !== undefined && !(rows.get(change.service) ?? []).some(({ changeId }) => changeId === before))
        changes.delete(before);
    }
    for (const row of sheet.inserts) {
      const all = [...(rows.get(row.service) ?? []), row];
      rows.set(row.service, all.slice(-OUTBOX_ROWS_KEPT));
      for (const { changeId } of all.slice(0, -OUTBOX_ROWS_KEPT)) changes.delete(changeId);
    }
    applyUpdates(rows, sheet.updates);
    for (const stage of sheet.stages) applyStage(changes, stage);
    onCommitted([...sheet.touched(({ changeId }) => changes.get(changeId)?.service)]);
  };

  return {
    record,
    outbox: (service) => rows.get(service) ?? NO_ROWS,
    lastChange: (service) => changes.get(lastChange.get(service) ?? "") ?? null,
    change: (id) => changes.get(id) ?? null,
    changes: () => [...changes.values()],
    freeze: () => frozen,
    departures: (now, drafted) => {
      const declared = specs();
      // A move that turned out never to have arrived holds nothing from this moment on, not from the next commit.
      if (drafted && drafted.traffic.departures !== record(drafted.service).traffic.departures)
        return surroundingsOf(
          declaredOnes(declared, (service) => (service === drafted.service ? drafted : record(service))),
          now,
        );
      if (departed?.of !== declared || now - departed.at >= DEPARTED_FOR_MS)
        departed = { at: now, of: declared, all: surroundingsOf(declaredOnes(declared, record), now) };
      return departed.all;
    },
    commit: (build, afterwards) => inTurn(() => write(build, afterwards)),
    setFreeze: (value, entry) =>
      inTurn(async () => {
        await ask(() => store.writeFreeze({ holder, term, value, entry }));
        frozen = value;
        onCommitted([]);
      }),
    load: (specs) =>
      inTurn(async () => {
        await readAgain();
        for (const service of specs.keys()) if (!records.has(service)) records.set(service, emptyRecord(service));
      }),
    lead: (next) => {
      term = next;
    },
    term: () => term,
  };
};

/** Nobody judges what isn't declared any more: its health would stay what it was, and a region out for a day. */
const declaredOnes = (
  specs: ReadonlyMap<string, ServiceSpec>,
  record: (service: string) => ServiceRecord,
): readonly Neighbour[] =>
  [...specs.values()].map(({ id, endpoints }) => {
    const { traffic, health } = record(id);
    return { service: id, traffic, health: healthOf(endpoints, health) };
  });

/** Of the endpoints that are declared now. */
export const healthOf = (endpoints: ServiceSpec["endpoints"], health: ServiceRecord["health"]): ServiceRecord["health"] =>
  Object.fromEntries(endpoints.flatMap(({ region }) => (health[region] ? [[region, health[region]] as const] : [])));

// ------------------------------------------------------------------------------------------------ one commit being written

interface Sheet {
  readonly draft: Draft;
  readonly services: Map<string, ServiceRecord>;
  readonly inserts: StoredOutboxRow[];
  readonly updates: OutboxUpdate[];
  readonly changes: Change[];
  readonly stages: StageEntry[];
  readonly history: HistoryEntry[];
  readonly isEmpty: () => boolean;
  readonly touched: (serviceOf: (stage: StageEntry) => string | undefined) => Set<string>;
  readonly toCommit: () => Omit<Parameters<DecisionStore["commit"]>[0], "holder" | "term">;
}

const createSheet = (record: (service: string) => ServiceRecord): Sheet => {
  const services = new Map<string, ServiceRecord>();
  const inserts: StoredOutboxRow[] = [];
  const updates: OutboxUpdate[] = [];
  const changes: Change[] = [];
  const stages: StageEntry[] = [];
  const history: HistoryEntry[] = [];
  const draft: Draft = {
    record: (service) => services.get(service) ?? record(service),
    update: (service, change) => services.set(service, change(services.get(service) ?? record(service))),
    insertOutbox: (row) => inserts.push(row),
    updateOutbox: (update) => updates.push(update),
    insertChange: (change) => changes.push(change),
    stage: (entry) => stages.push(entry),
    tell: (entry) => history.push(entry),
  };
  return {
    draft,
    services,
    inserts,
    updates,
    changes,
    stages,
    history,
    isEmpty: () => services.size + inserts.length + updates.length + changes.length + stages.length + history.length === 0,
    touched: (serviceOf) =>
      new Set([
        ...services.keys(),
        ...inserts.map(({ service }) => service),
        ...history.flatMap(({ service }) => service ?? []),
        ...stages.flatMap((stage) => serviceOf(stage) ?? []),
      ]),
    toCommit: () => ({
      services: [...services.values()],
      changes,
      outboxInserts: inserts,
      outboxUpdates: updates,
      stages,
      history,
    }),
  };
};

const applyUpdates = (rows: Map<string, StoredOutboxRow[]>, updates: readonly OutboxUpdate[]): void => {
  if (updates.length === 0) return;
  const byUlid = new Map(updates.map((update) => [update.ulid, update]));
  for (const [service, list] of rows)
    if (list.some(({ ulid }) => byUlid.has(ulid)))
      rows.set(
        service,
        list.map((row) => ({ ...row, ...byUlid.get(row.ulid) })),
      );
};

const applyStage = (changes: Map<string, Change>, { changeId, stage, at, clock }: StageEntry): void => {
  const change = changes.get(changeId);
  if (!change) return;
  const times = clock === undefined || change.times[clock] !== undefined ? change.times : { ...change.times, [clock]: at };
  changes.set(changeId, { ...change, stage, times });
};
