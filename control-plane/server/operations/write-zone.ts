/**
 * The one writer of a zone in this process: reads DNS, settles what is open, decides on what is true now, writes ahead, sends. One at a time per
 * zone; what comes meanwhile waits and is decided on what it finds then.
 */
import type { Observed, ServiceSpec } from "@regent/engine";
import { ZONE_QUEUE_MAX } from "../limits.ts";
import type { StoredOutboxRow } from "../ports/decision-store.ts";
import { type DecideDeps, draftService, type OneService } from "./decide-service.ts";
import type { Deliver } from "./deliver-batches.ts";
import { type Draft, LedgerConflict } from "./ledger.ts";
import type { ReadSets, ZoneReader } from "./read-zone.ts";
import { type MoveOrder, type MoveResult, requestMove } from "./request-move.ts";

export interface ZoneWriter {
  /** Decides and writes these services; answers in how many ms they want another look because something stood in the way, null when not. */
  readonly reconcile: (services: readonly string[]) => Promise<{ readonly retryMs: number | null }>;
  /** Answers when the intent is committed; the send goes on. */
  readonly move: (order: MoveOrder) => Promise<MoveResult>;
  /** Reads DNS for drift, decides nothing. */
  readonly scan: (services: readonly string[]) => Promise<ReadonlyMap<string, Observed> | null>;
  /** Resolves when nothing is under way. */
  readonly idle: () => Promise<void>;
}

export interface WriteDeps extends DecideDeps {
  readonly zoneId: string;
  readonly reader: ZoneReader;
  readonly deliver: Deliver;
  readonly specs: () => ReadonlyMap<string, ServiceSpec>;
  readonly mayWrite: () => boolean;
  readonly onAccepted: (changeId: string) => void;
  readonly onDnsTerm: (term: number) => void;
}

export const createZoneWriter = (deps: WriteDeps): ZoneWriter => {
  let tail: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    waiting += 1;
    const turn = tail.then(work, work).finally(() => {
      waiting -= 1;
    });
    tail = turn.catch(() => undefined);
    return turn;
  };

  const reconcile = (services: readonly string[]) =>
    inTurn(async () => {
      if (!deps.mayWrite()) return { retryMs: null };
      const read = await deps.reader.read(deps.zoneId, services);
      if (read.kind === "unread") {
        deps.log.warn({ zone: deps.zoneId, why: read.why }, "zone could not be read");
        return { retryMs: read.isTransient ? UNREAD_AGAIN_MS : DENIED_AGAIN_MS };
      }
      const drafted = await deps.ledger.commit((draft) => draftAll(deps, draft, read));
      for (const changeId of drafted.accepted) deps.onAccepted(changeId);
      return deps.deliver(drafted.rows);
    });

  const move = (order: MoveOrder): Promise<MoveResult> => {
    if (waiting > ZONE_QUEUE_MAX) return Promise.resolve({ kind: "too-many" });
    return new Promise((answer, fail) => {
      inTurn(async () => {
        const moved = await requestMove(deps, order).catch((error: unknown) => {
          // What was remembered was old: once more, on what is read now.
          if (error instanceof LedgerConflict) return requestMove(deps, order);
          throw error;
        });
        answer(moved.result);
        for (const changeId of moved.accepted) deps.onAccepted(changeId);
        await deps.deliver(moved.rows);
      }).catch((error: unknown) => {
        // After the answer an error can only be told in the log: the row stays, and its fate is read off DNS.
        deps.log.error({ err: error, service: order.service }, "manual move failed");
        fail(error);
      });
    });
  };

  const scan = (services: readonly string[]) =>
    inTurn(async () => {
      const settled = await deps.reader.settle(deps.zoneId, services);
      if (settled.kind === "unread") return null;
      for (const changeId of settled.accepted) deps.onAccepted(changeId);
      for (const [service, observed] of settled.observed) noteTerm(deps, deps.specs().get(service), observed);
      return settled.observed;
    });

  return { reconcile, move, scan, idle: () => tail.then(() => undefined) };
};

/** After a transient failure to read the zone. */
const UNREAD_AGAIN_MS = 1_000;
/** Rights are given by a person: no hurry. */
const DENIED_AGAIN_MS = 5_000;

interface DraftedRows {
  readonly rows: readonly StoredOutboxRow[];
  /** Changes whose acceptance was found in DNS. */
  readonly accepted: readonly string[];
}

const draftAll = (deps: WriteDeps, draft: Draft, read: ReadSets): DraftedRows => {
  const settled = deps.reader.settleInto(draft, read);
  const rows: StoredOutboxRow[] = [];
  for (const [service, { open, observed }] of settled) {
    const spec = deps.specs().get(service);
    if (!spec) continue;
    noteTerm(deps, spec, observed);
    const row = draftSafely(deps, draft, { spec, observed, open });
    if (row) rows.push(row);
  }
  return { rows, accepted: [...settled.values()].flatMap(({ accepted }) => accepted) };
};

/** A service that can't be decided is a bug of ours; it mustn't hold back the others of its zone. */
const draftSafely = (deps: WriteDeps, draft: Draft, one: OneService): StoredOutboxRow | null => {
  try {
    return draftService(deps, draft, one);
  } catch (error) {
    deps.log.error({ err: error, service: one.spec.id }, "this service could not be decided; its traffic stays");
    return null;
  }
};

/** Another owner's terms are nothing to us. */
const noteTerm = (deps: WriteDeps, spec: ServiceSpec | undefined, { epoch }: Observed): void => {
  if (spec && epoch?.owner === spec.owner) deps.onDnsTerm(epoch.term);
};
