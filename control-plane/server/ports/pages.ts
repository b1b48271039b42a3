/**
 * What people are told of: incidents, and an outbox of messages for each notifier. History is followed by a cursor that moves in the same
 * transaction as what came of it, so a crash between a commit and its page loses nothing.
 */
import type { HistoryEvent, Incident, Instant } from "@regent/contract";
import type { Notice } from "./notifier.ts";

/** Places in history whose entries may be committed later than those behind them, since when they are missed. */
export interface PageCursor {
  readonly position: number;
  readonly missing: readonly { readonly position: number; readonly since: Instant }[];
}

export interface StoredIncident extends Incident {
  /** Grows with every write; 0 before the first. */
  readonly version: number;
  /** All parts that aren't well yet. */
  readonly unwellParts: readonly string[];
  /** All parts ever hit, bounded. */
  readonly hitParts: readonly string[];
  /** Notifiers that know of it. */
  readonly toldTo: readonly string[];
  readonly toldAt: Instant;
  /** As each message has them. */
  readonly alerts: readonly string[];
  /** Since when it is critical and nobody acknowledged it; null while it isn't. */
  readonly criticalSince: Instant | null;
  /** When it was last told again since then. */
  readonly escalatedAt: Instant | null;
  /** Told to these whatever routes say, as long as one of them is declared. */
  readonly only?: readonly string[];
  /** There is more than was told. */
  readonly isUntold: boolean;
}

export interface Delivery {
  readonly notifier: string;
  /** Not before. */
  readonly dueAt: Instant;
  readonly createdAt: Instant;
  readonly attempts: number;
  readonly notice: Notice;
}

export interface PagesWrite {
  readonly holder: string;
  readonly term: number;
  readonly cursor?: PageCursor;
  /** As they are from now on; `version` is the one that was read, the row gets version + 1. */
  readonly incidents: readonly StoredIncident[];
  /** Behind all that wait already. */
  readonly deliveries: readonly Delivery[];
  /** Incidents that are over: where the first message of one isn't due yet, what isn't due of it goes, as its end says it all. */
  readonly overtaken: readonly string[];
  readonly at: Instant;
  /** Closed incidents that are older go. */
  readonly forgetBefore?: Instant;
}

export interface PagesView {
  readonly cursor: PageCursor;
  /** Those that are open. */
  readonly open: readonly StoredIncident[];
}

export interface Waiting {
  /** The first of each notifier's that are due, in the order in which they were written. */
  readonly deliveries: readonly Delivery[];
  /** Due ones beyond what may wait for a notifier: the least severe and the oldest, so that no warning costs a critical one. */
  readonly surplus: readonly Delivery[];
}

export interface Pages {
  readonly read: () => Promise<PagesView>;
  /** What the cursor hasn't passed yet, oldest first, with its place. */
  readonly entriesAfter: (
    cursor: PageCursor,
    limit: number,
  ) => Promise<readonly { readonly position: number; readonly event: HistoryEvent }[]>;
  /** One transaction, fenced as a commit of decisions. `conflict`: an incident was written by somebody else; nothing was. */
  readonly write: (write: PagesWrite) => Promise<"written" | "fenced" | "conflict">;
  /** Newest first; `before` is the id to go on from. */
  readonly list: (query: {
    readonly limit: number;
    readonly before?: string;
    readonly state?: Incident["state"];
  }) => Promise<readonly StoredIncident[]>;
  /**
   * Due is what is critical, with all that stands before it of its incident, whatever the clock says; and what is due by its time, unless an
   * earlier message of its incident to this notifier isn't. `most`: so many due ones may wait for a notifier. `each`: not more than that at once.
   */
  readonly waiting: (query: { readonly now: Instant; readonly each: number; readonly most: number }) => Promise<Waiting>;
  /** `done`: no more of these. `tried`: one more try of these. By the notice's id. */
  readonly settle: (settled: { readonly done: readonly string[]; readonly tried: readonly string[] }) => Promise<void>;
}
