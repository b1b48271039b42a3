/**
 * The one writer of a zone in this process: reads DNS, settles what is open, decides on what is true now, writes ahead, sends. One at a time per
 * zone; what comes meanwhile waits, the most urgent in front, and is decided on what it finds then.
 */
import type { Observed, ServiceSpec } from "@regent/engine";
import { isRescue } from "@regent/engine/plan/order.ts";
import { ZONE_QUEUE_MAX } from "../../limits.ts";
import type { StoredOutboxRow } from "../../ports/decision-store.ts";
import type { ReadTurn } from "../../ports/dns-provider.ts";
import type { ApprovalOrder } from "../approval/find-approval.ts";
import { commitAnew, type Draft, LedgerConflict } from "../memory/ledger.ts";
import { createSlices } from "../memory/slices.ts";
import { type ApproveResult, approveMove } from "./approve-move.ts";
import { type DecideDeps, draftService, type OneService } from "./decide-service.ts";
import type { Deliver } from "./deliver-batches.ts";
import { type OwnOrder, requestOwnership } from "./own-name.ts";
import type { ReadSets, ZoneReader } from "./read-zone.ts";
import { type Moved, type MoveOrder, type MoveResult, requestMove } from "./request-move.ts";
import { type ManyMoved, type ManyMoves, requestMoves } from "./request-moves.ts";
import { createZoneTurns } from "./zone-turns.ts";

export interface ZoneWriter {
  /**
   * Decides and writes these services, in this order as far as the limits of a batch allow; answers in how many ms they want another look because
   * something stood in the way, null when not. `rank` is that of the most urgent of them.
   */
  readonly reconcile: (
    services: readonly string[],
    rank: number,
    /** Others of this zone whose traffic suffers wait for this to end. */
    isAwaited?: () => boolean,
  ) => Promise<{ readonly retryMs: number | null }>;
  /** Answers when the intent is committed; the send goes on. */
  readonly move: (order: MoveOrder) => Promise<MoveResult>;
  /** Several at once, in one turn and as few batches as the limits allow; answers as `move` does. */
  readonly moveMany: (many: ManyMoves) => Promise<ManyMoved | { readonly kind: "too-many" }>;
  /** Makes the move that waits for it; answers as `move` does, or why there is nothing to approve. */
  readonly approve: (order: ApprovalOrder) => Promise<ApproveResult>;
  /** Adopts or releases a name; answers as `move` does. */
  readonly own: (order: OwnOrder) => Promise<MoveResult>;
  /** Reads DNS for drift, decides nothing. Null when it could not be read. */
  readonly scan: (services: readonly string[], turn: ReadTurn) => Promise<ReadonlyMap<string, Observed> | null>;
  /**
   * Takes DNS as it stands into what is remembered, all of it: in the zone's turn, so that nobody writes meanwhile. Answers why it could not be
   * read; null when it was.
   */
  readonly takeStock: (services: readonly string[]) => Promise<string | null>;
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

/** A person waits for the answer. */
const MOVE_RANK = 0;
/** Nobody's traffic waits for what a scan found. */
const SCAN_RANK = Number.MAX_SAFE_INTEGER;

export const createZoneWriter = (deps: WriteDeps): ZoneWriter => {
  const turns = createZoneTurns();
  const givesWay = (): boolean => isRescue(turns.nextRank());

  const reconcile = (services: readonly string[], rank: number, isAwaited: () => boolean = () => false) =>
    turns.take(rank, async () => {
      if (!deps.mayWrite()) return { retryMs: null };
      const read = await deps.reader.read(deps.zoneId, services, { lane: "read", rank });
      if (read.kind === "unread") {
        deps.log.warn({ zone: deps.zoneId, why: read.why }, "zone could not be read");
        return { retryMs: read.isTransient ? UNREAD_AGAIN_MS : DENIED_AGAIN_MS };
      }
      const drafted = await draftAll(deps, read);
      const { retryMs } = await deps.deliver(drafted.rows, () => givesWay() || isAwaited());
      return { retryMs: drafted.isLeftOpen ? Math.min(retryMs ?? LEFT_OPEN_AGAIN_MS, LEFT_OPEN_AGAIN_MS) : retryMs };
    });

  /** What a person asked for: answered when the intent is committed, sent right after. */
  const ask = <R>(work: () => Promise<Moved<R>>): Promise<R | { readonly kind: "too-many" }> => {
    if (turns.count() > ZONE_QUEUE_MAX) return Promise.resolve({ kind: "too-many" });
    return new Promise((answer, fail) => {
      turns
        .take(MOVE_RANK, async () => {
          const moved = await work().catch((error: unknown) => {
            // What was remembered was old: once more, on what is read now.
            if (error instanceof LedgerConflict) return work();
            throw error;
          });
          answer(moved.result);
          for (const changeId of moved.accepted) deps.onAccepted(changeId);
          await deps.deliver(moved.rows, givesWay);
        })
        .catch((error: unknown) => {
          // After the answer an error can only be told in the log: the row stays, and its fate is read off DNS.
          deps.log.error({ err: error, zone: deps.zoneId }, "what an operator asked for failed");
          fail(error);
        });
    });
  };
  const move = (order: MoveOrder): Promise<MoveResult> => ask(() => requestMove(deps, order));
  const moveMany: ZoneWriter["moveMany"] = (many) => ask(() => requestMoves({ ...deps, givesWay }, deps.zoneId, many));
  const approve = (order: ApprovalOrder): Promise<ApproveResult> => ask(() => approveMove(deps, order));
  const own = (order: OwnOrder): Promise<MoveResult> => ask(() => requestOwnership(deps, order));

  /** Reads outside of its turn: a scan waits long for a busy account, and no write waits for a scan. What was written meanwhile is left out. */
  const scan = async (services: readonly string[], turn: ReadTurn) => {
    const memoryOf = (service: string) => [deps.ledger.record(service), deps.ledger.outbox(service)];
    const before = new Map(services.map((service) => [service, memoryOf(service)]));
    const read = await deps.reader.read(deps.zoneId, services, turn);
    if (read.kind === "unread") return null;
    return turns.take(SCAN_RANK, async () => {
      const isSame = ([service]: readonly [string, Observed]): boolean =>
        memoryOf(service).every((each, i) => each === before.get(service)?.[i]);
      const observed = new Map([...read.observed].filter(isSame));
      const settled = await deps.ledger.commit((draft) => deps.reader.settleInto(draft, { ...read, observed }));
      for (const { accepted } of settled.values()) for (const changeId of accepted) deps.onAccepted(changeId);
      for (const [service, seen] of observed) noteTerm(deps, deps.specs().get(service), seen);
      return observed;
    });
  };

  const takeStock = (services: readonly string[]): Promise<string | null> =>
    turns.take(MOVE_RANK, async () => {
      const settled = await deps.reader.settle(deps.zoneId, services, { lane: "read", rank: MOVE_RANK });
      if (settled.kind === "unread") return settled.why;
      for (const changeId of settled.accepted) deps.onAccepted(changeId);
      for (const [service, seen] of settled.observed) noteTerm(deps, deps.specs().get(service), seen);
      return null;
    });

  return { reconcile, move, moveMany, approve, own, scan, takeStock, idle: turns.idle };
};

/** After a transient failure to read the zone. */
const UNREAD_AGAIN_MS = 1_000;
/** Rights are given by a person: no hurry. */
const DENIED_AGAIN_MS = 5_000;
/** A batch that may still arrive, and that isn't sent again: it arrives, is wanted again, or is fenced off half a minute after it was sent. */
const LEFT_OPEN_AGAIN_MS = 10_000;

interface DraftedRows {
  readonly rows: readonly StoredOutboxRow[];
  /** An earlier batch of one of them may still arrive, and nothing of that service is sent now. */
  readonly isLeftOpen: boolean;
}

/** Services of one commit: few enough that building it lets reports in, enough that a region's worth needs no more than ten commits. */
const COMMIT_SERVICES_MAX = 25;

/** In parts, each committed by itself: services don't rest on each other, and all are written ahead before the first is sent. */
const draftAll = async (deps: WriteDeps, read: ReadSets): Promise<DraftedRows> => {
  const observed = [...read.observed];
  const rows: StoredOutboxRow[] = [];
  let isLeftOpen = false;
  const rest = createSlices();
  for (let from = 0; from < observed.length; from += COMMIT_SERVICES_MAX) {
    if (from > 0) await rest();
    const part = new Map(observed.slice(from, from + COMMIT_SERVICES_MAX));
    const drafted = await commitAnew(deps.ledger, (draft) => draftPart(deps, draft, { ...read, observed: part }));
    // It stands, whatever becomes of the next part.
    for (const changeId of drafted.accepted) deps.onAccepted(changeId);
    rows.push(...drafted.rows);
    isLeftOpen ||= drafted.isLeftOpen;
  }
  return { rows, isLeftOpen };
};

interface DraftedPart extends DraftedRows {
  /** Changes whose acceptance was found in DNS. */
  readonly accepted: readonly string[];
}

const draftPart = (deps: WriteDeps, draft: Draft, read: ReadSets): DraftedPart => {
  const settled = deps.reader.settleInto(draft, read);
  const rows: StoredOutboxRow[] = [];
  let isLeftOpen = false;
  for (const [service, { open, observed }] of settled) {
    const spec = deps.specs().get(service);
    if (!spec) continue;
    noteTerm(deps, spec, observed);
    const row = draftSafely(deps, draft, { spec, observed, open });
    if (row) rows.push(row);
    else isLeftOpen ||= open.length > 0;
  }
  return { rows, accepted: [...settled.values()].flatMap(({ accepted }) => accepted), isLeftOpen };
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
