/** Everything that the doors (HTTP, later others) may ask of the control plane. Implemented by loop/control-plane.ts. */
import type {
  ApplyAnswer,
  Approval,
  Change,
  DeadLetterDetail,
  DeadLetterPage,
  Explanation,
  HistoryKind,
  HistoryPage,
  Incident,
  IncidentPage,
  LiveEvent,
  NotifierTestAnswer,
  Overview,
  PlanAnswer,
  ServiceState,
} from "@regent/contract";
import type { PoolView } from "../ports/outside-view.ts";
import type { ApprovalOrder } from "./approval/find-approval.ts";
import type { RefuseResult } from "./approval/refuse-approval.ts";
import type { LetterOrder, LetterResult } from "./dead-letters/retry-dead-letter.ts";
import type { Ingested, Recheck } from "./evidence/ingest-report.ts";
import type { SignedRequest } from "./evidence/verify-report.ts";
import type { Acknowledgement } from "./paging/follow-history.ts";
import type { NotifierTestOrder } from "./paging/test-notifier.ts";
import type { ApproveResult } from "./zone/approve-move.ts";
import type { OwnOrder } from "./zone/own-name.ts";
import type { MoveOrder, MoveResult } from "./zone/request-move.ts";

export type FreezeScope =
  | { readonly kind: "global" }
  | { readonly kind: "service"; readonly service: string }
  | { readonly kind: "region"; readonly service: string; readonly region: string };

export interface FreezeOrder {
  readonly scope: FreezeScope;
  readonly isFrozen: boolean;
  readonly by: string;
  readonly reason: string;
}

export interface DeclarationError {
  readonly path: string;
  readonly message: string;
  readonly line: number;
  readonly column: number;
  readonly suggestion?: string;
}

export type NotHere = { readonly kind: "not-leader" } | { readonly kind: "not-found"; readonly what: string };

export type PlanResult =
  | { readonly kind: "planned"; readonly answer: PlanAnswer }
  | { readonly kind: "invalid"; readonly errors: readonly DeclarationError[] };

export type ApplyResult =
  | { readonly kind: "applied"; readonly answer: ApplyAnswer }
  | { readonly kind: "invalid"; readonly errors: readonly DeclarationError[] }
  | { readonly kind: "stale"; readonly version: number };

export interface Readiness {
  readonly isReady: boolean;
  readonly mode: Overview["mode"];
  readonly isLeader: boolean;
  /** What is missing, in words; empty when ready. */
  readonly missing: readonly string[];
}

export interface DatabaseHealth {
  readonly isUp: boolean;
  readonly latencyMs: number | null;
  readonly poolSize: number;
  readonly why: string | null;
  /** Absent where there are no connections. */
  readonly pool?: PoolView;
}

export interface ControlPlane {
  readonly ingestReport: (request: SignedRequest, recheck?: Recheck) => Promise<Ingested>;
  /** Whether such an agent is declared with such a key; also while nothing is declared yet. Says nothing of a signature. */
  readonly isDeclaredKey: (agent: string, keyId: string) => boolean;
  readonly overview: () => Promise<Overview>;
  readonly service: (id: string) => Promise<ServiceState | null>;
  readonly explain: (id: string) => Promise<Explanation | null>;
  /** Manual failover, failback, drain, undrain. */
  readonly move: (order: MoveOrder) => Promise<MoveResult | NotHere>;
  /** Moves that wait for a person, and the last answers. From memory. */
  readonly approvals: () => Promise<readonly Approval[]>;
  readonly approve: (order: ApprovalOrder) => Promise<ApproveResult | NotHere>;
  readonly refuse: (order: ApprovalOrder) => Promise<RefuseResult | NotHere>;
  /** Adopting and releasing names. */
  readonly own: (order: OwnOrder) => Promise<MoveResult | NotHere>;
  /** `dns-away`: the hold on a restored database ends only when DNS was taken as it stands. */
  readonly setFreeze: (
    order: FreezeOrder,
  ) => Promise<{ readonly kind: "set"; readonly why: string } | { readonly kind: "dns-away"; readonly why: string } | NotHere>;
  readonly history: (query: {
    service?: string;
    kinds?: readonly HistoryKind[];
    limit: number;
    cursor?: string;
  }) => Promise<HistoryPage>;
  readonly change: (id: string) => Promise<Change | null>;
  /** What was acknowledged and could not be processed. */
  readonly deadLetters: (query: { limit: number; cursor?: string }) => Promise<DeadLetterPage>;
  readonly deadLetter: (id: string) => Promise<DeadLetterDetail | null>;
  readonly retryDeadLetter: (order: LetterOrder) => Promise<LetterResult | NotHere>;
  readonly dropDeadLetter: (order: LetterOrder) => Promise<LetterResult | NotHere>;
  readonly incidents: (query: { limit: number; cursor?: string; state?: Incident["state"] }) => Promise<IncidentPage>;
  /** Nobody is told of it again. */
  readonly acknowledgeIncident: (
    order: Acknowledgement,
  ) => Promise<{ readonly kind: "acknowledged"; readonly incident: Incident } | NotHere>;
  readonly testNotifier: (
    order: NotifierTestOrder,
  ) => Promise<{ readonly kind: "tried"; readonly answer: NotifierTestAnswer } | NotHere>;
  readonly configuration: () => {
    readonly version: number;
    readonly text: string;
    readonly author: string;
    readonly at: number;
  } | null;
  readonly planConfiguration: (text: string, fileName: string) => Promise<PlanResult>;
  readonly applyConfiguration: (input: {
    text: string;
    fileName: string;
    baseVersion: number;
    author: string;
    /** The owner that the declaration had: it changes only when a person names it. */
    takeover?: string;
  }) => Promise<ApplyResult>;
  /** Calls back whenever something a person looks at changed. */
  readonly subscribe: (listener: (event: LiveEvent) => void) => () => void;
  readonly readiness: () => Readiness;
  readonly databaseHealth: () => Promise<DatabaseHealth>;
  /** Prometheus text. */
  readonly metrics: () => Promise<string>;
  /** Counts a refused report or request by its problem. */
  readonly countRefusal: (door: "reports" | "operator", problem: string) => void;
}
