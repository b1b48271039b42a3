/** The one who holds the zone. Every answer that can be expected is a value; only a broken promise throws. */
import type { Instant } from "@regent/contract";
import type { RecordSet } from "@regent/engine";

export type ReadResult =
  | { readonly kind: "sets"; readonly sets: readonly RecordSet[] }
  | { readonly kind: "throttled" }
  /** Network, 5xx, timeout, or an answer that makes no sense. */
  | { readonly kind: "failed"; readonly why: string }
  /** Rights or zone: no retry helps. */
  | { readonly kind: "denied"; readonly why: string };

export type SendResult =
  | { readonly kind: "accepted"; readonly changeInfoId: string }
  /** InvalidChangeBatch. After any earlier send of the same batch this is ambiguous: only the epoch record tells. */
  | { readonly kind: "refused"; readonly messages: readonly string[] }
  /** Certainly not applied. */
  | { readonly kind: "throttled" }
  /** PriorRequestNotComplete: certainly not applied. */
  | { readonly kind: "busy" }
  /** Never left this process, as Route 53 is known to be down: certainly not applied. */
  | { readonly kind: "not-sent"; readonly why: string; readonly nextTryMs: number }
  /** Timeout, reset, 5xx: may have been applied. */
  | { readonly kind: "unknown"; readonly why: string }
  | { readonly kind: "denied"; readonly why: string };

export type ChangeProgress =
  | { readonly kind: "pending" }
  | { readonly kind: "in-sync" }
  /** Accepted once, unknown now: stranded. */
  | { readonly kind: "missing" }
  | { readonly kind: "throttled" }
  | { readonly kind: "failed"; readonly why: string };

/** How a read waits when the account lets few calls through. */
export interface ReadTurn {
  /** `read`: a write waits for it. `scan`: nobody's traffic does, so it leaves the account to everything else. */
  readonly lane: "read" | "scan";
  /** Rank of the most urgent move that waits for it (engine/plan/order.ts); lower is served first. */
  readonly rank: number;
}

export interface OutgoingBatch {
  readonly deletes: readonly RecordSet[];
  readonly creates: readonly RecordSet[];
  readonly comment: string;
  /** It waits for the account by this, 0 unless told. */
  readonly rank?: number;
  /**
   * Asked once, when nothing is left to wait for and the request would leave: it may have waited so long that nobody wants it any more. If not,
   * the answer is `not-sent`. Until it was asked, certainly nothing was sent.
   */
  readonly mayLeave?: () => boolean;
  /** Aborts when nobody wants it any more, and `mayLeave` says so from then on: a call that still waits needn't take its turn. */
  readonly givenUp?: AbortSignal;
}

export interface DnsProvider {
  /** Every record set of exactly these names, all types, newest version including pending ones. Names as in RecordSet. A turn of rank 0 unless told. */
  readonly readNames: (zoneId: string, names: readonly string[], turn?: ReadTurn) => Promise<ReadResult>;
  /** The whole zone, by pages of 300. */
  readonly readZone: (zoneId: string, turn?: ReadTurn) => Promise<ReadResult>;
  /** One batch, all or nothing, sent exactly once: deletes first, then creates. */
  readonly send: (zoneId: string, batch: OutgoingBatch) => Promise<SendResult>;
  readonly readChange: (changeInfoId: string) => Promise<ChangeProgress>;
  /** Health-check id -> healthy, or null when unknown. */
  readonly readHealth: (healthCheckIds: readonly string[]) => Promise<Readonly<Record<string, boolean | null>>>;
  /** Host names or addresses of the zone's authoritative servers. */
  readonly readNameServers: (zoneId: string) => Promise<readonly string[]>;
}

export interface ApiBudget {
  /**
   * Waits for a token; lanes are served in this order, each by rank, 0 unless told. Resolves at the moment the call may start; when `givenUp`
   * aborts it resolves without a token, and there must be no call.
   */
  readonly take: (lane: "change" | "read" | "poll" | "scan", rank?: number, givenUp?: AbortSignal) => Promise<void>;
  readonly available: () => number;
  readonly now?: () => Instant;
}
