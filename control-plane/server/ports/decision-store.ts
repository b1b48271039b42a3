/**
 * What Regent decided and what became of it: one row per service, its regions' memory, changes, outbox and history. Every write goes through
 * `commit`: one transaction, fenced by the leader's term and by each service's version. Nothing appears in DNS that isn't here first.
 */
import type {
  Actor,
  Approval,
  Change,
  ChangeStage,
  ChangeTimes,
  HistoryEvent,
  HistoryKind,
  Instant,
  RegionId,
  Seen,
  Weights,
} from "@regent/contract";
import type {
  Control,
  Controls,
  DatabaseView,
  Edit,
  HealthMemory,
  OutboxRow,
  RecordSet,
  TrafficMemory,
  Transfer,
} from "@regent/engine";

/** Everything remembered about one service. Loaded when leadership begins, then kept in memory and written through. */
export interface ServiceRecord {
  readonly service: string;
  /** Grows with every commit of this service; the optimistic lock. */
  readonly version: number;
  /** Revision of the newest outbox row; 0 before the first. */
  readonly revision: number;
  readonly health: Readonly<Record<string, HealthMemory>>;
  readonly traffic: TrafficMemory;
  readonly controls: Omit<Controls, "frozenGlobally">;
  /** Weights of the epoch record last known to stand in DNS; null before the first write. */
  readonly written: Weights | null;
  /** The exact sets that we last wrote or adopted, epoch record included; null before the first write. */
  readonly expected: readonly RecordSet[] | null;
  /** ULID of the epoch record last known to stand in DNS. */
  readonly epoch: string | null;
  /** Why nobody may write this service: a foreign, missing or unknown epoch record. */
  readonly blockedBy: string | null;
  /** How DNS differs from what we last wrote; null when it doesn't. Holds automation, not operators. */
  readonly drift: string | null;
  readonly seen: Seen | null;
  /** Key of the last refusal told in history, so that it is told once. */
  readonly lastRefusal: string | null;
  readonly ownership: Ownership;
  /** The last move that needed a person's approval; null before the first. One waits at a time. */
  readonly approval: StoredApproval | null;
  /** How the service is declared, and since when; null before it was first decided on. */
  readonly declared: Declared | null;
  /** The last transfer of the writable role; null before the first. */
  readonly transfer: StoredTransfer | null;
  /** What was last seen of a stateful service's databases; none of others. */
  readonly databases: readonly DatabaseView[];
}

export interface StoredTransfer extends Transfer {
  /** After a stop that left it open who may write: the region whose database alone was seen writable since, by agents beside each of the two. */
  readonly settledAt: RegionId | null;
  /** Traffic has been there since: from then on it says where the role is. */
  readonly isFollowed?: true;
}

/** What was asked for, with what it rests on in full: approved, it lets exactly that through. */
export interface StoredApproval extends Approval {
  readonly question: string;
  /** What it was asked for isn't wanted any more: its answer lets nothing through, and keeps nothing from being asked. */
  readonly isOver: boolean;
  /** The service's approvals before this one, oldest first, bounded: who answers an old one is told what became of it. */
  readonly former: readonly FormerApproval[];
}

export type FormerApproval = Pick<Approval, "id" | "state" | "by" | "answeredAt">;

export interface Declared {
  /** 16 hex digits over the service's resolved declaration. */
  readonly digest: string;
  /** Null for the first that was seen: nothing was released. */
  readonly since: Instant | null;
  /** Configuration version in which it was first seen so; absent for the first, and where it wasn't noted. */
  readonly version?: number;
  /** Beginnings of the declarations before this one, the newest in front; a few. */
  readonly earlier?: readonly { readonly at: Instant; readonly version?: number }[];
}

/** What somebody else did to this name in DNS, and what was decided about it. */
export interface Ownership {
  /** Null while DNS holds nothing but what Regent wrote. `drift` is its sentence. */
  readonly edit: Edit | null;
  /** When the last edits were reverted; so many within an hour and the policy reports instead. */
  readonly reverts: readonly Instant[];
  /** A person gave the name up: nobody writes it until it is adopted again. */
  readonly released: Control | null;
  /** An adoption under way: what is wanted once its row stands in DNS. Until then nothing of it counts. */
  readonly adopting: { readonly ulid: string; readonly traffic: TrafficMemory } | null;
}

/** A write-ahead row, with everything needed to send it again or to recognise it in DNS. */
export interface StoredOutboxRow extends OutboxRow {
  readonly changeId: string;
  readonly zoneId: string;
  readonly deletes: readonly RecordSet[];
  readonly creates: readonly RecordSet[];
  readonly weights: Weights;
  readonly createdAt: Instant;
  readonly sentAt: Instant | null;
  /** Route 53's change id. */
  readonly changeInfoId: string | null;
}

export interface OutboxUpdate {
  readonly ulid: string;
  readonly state: StoredOutboxRow["state"];
  readonly sentAt?: Instant;
  readonly changeInfoId?: string;
}

/**
 * A stage that a change reached: appended, never rewritten. One per (change, stage, clock), told again it is ignored; so the clock `resolved`
 * can follow `visible` within that stage. The last one appended is the change's present stage; the first time of a clock stands.
 */
export interface StageEntry {
  readonly changeId: string;
  readonly stage: ChangeStage;
  readonly at: Instant;
  /** Sets the matching clock of the change. */
  readonly clock?: keyof ChangeTimes;
  readonly why?: string;
}

export interface HistoryEntry {
  readonly id: string;
  readonly at: Instant;
  readonly service: string | null;
  readonly kind: HistoryKind;
  readonly actor: Actor;
  readonly why: string;
  readonly page: boolean;
  readonly changeId?: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface Commit {
  readonly holder: string;
  readonly term: number;
  /** Rows to write; `version` is the one that was read, the row is written with version + 1. A first row has version 0. */
  readonly services: readonly ServiceRecord[];
  readonly changes: readonly Change[];
  readonly outboxInserts: readonly StoredOutboxRow[];
  readonly outboxUpdates: readonly OutboxUpdate[];
  readonly stages: readonly StageEntry[];
  /** Sequence numbers are given by the store, without a gap per service. A `change` entry names its change once. */
  readonly history: readonly HistoryEntry[];
}

export type CommitResult =
  | { readonly kind: "committed" }
  /** Another holder or term leads: stop leading. Nothing was written. */
  | { readonly kind: "fenced" }
  /** A service was written by somebody else: load again. Nothing was written. */
  | { readonly kind: "conflict"; readonly service: string };

export interface Loaded {
  readonly services: readonly ServiceRecord[];
  /** Rows whose fate can still matter: unsettled, or newer than 24 h; refused and abandoned ones for 15 minutes, as a copy may arrive late. */
  readonly outbox: readonly StoredOutboxRow[];
  readonly changes: readonly Change[];
}

export interface HistoryQuery {
  readonly service?: string;
  readonly kinds?: readonly HistoryKind[];
  readonly limit: number;
  /** Opaque; from the last page. Newest first. */
  readonly cursor?: string;
}

export interface DecisionStore {
  readonly load: () => Promise<Loaded>;
  readonly commit: (commit: Commit) => Promise<CommitResult>;
  readonly readHistory: (query: HistoryQuery) => Promise<{ events: readonly HistoryEvent[]; next: string | null }>;
  readonly readChange: (id: string) => Promise<Change | null>;
  /** Global freeze. */
  readonly readFreeze: () => Promise<Controls["frozenGlobally"]>;
  /** Fenced as `commit`; appends the history entry in the same transaction. */
  readonly writeFreeze: (freeze: {
    holder: string;
    term: number;
    value: Controls["frozenGlobally"];
    entry: HistoryEntry;
  }) => Promise<CommitResult>;
}
