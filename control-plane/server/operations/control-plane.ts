/** Everything that the doors (HTTP, later others) may ask of the control plane. Implemented by loop/control-plane.ts. */
import type {
  AlertList,
  AlertRuleView,
  AlertTrial,
  ApplyAnswer,
  Approval,
  Change,
  DeadLetterDetail,
  DeadLetterPage,
  Evacuation,
  Explanation,
  HistoryKind,
  HistoryPage,
  Incident,
  IncidentPage,
  LiveEvent,
  MaintenanceWindow,
  NotifierTestAnswer,
  Overview,
  PlanAnswer,
  Recording,
  RoleAnswer,
  ServiceState,
  TransferState,
} from "@regent/contract";
import type { AppliedConfiguration, ConfigurationVersion } from "../ports/configuration-store.ts";
import type { PoolView } from "../ports/outside-view.ts";
import type { RuleOrder, RuleResult } from "./alerting/change-rule.ts";
import type { ApprovalOrder } from "./approval/find-approval.ts";
import type { RefuseResult } from "./approval/refuse-approval.ts";
import type { EndResult, OverrideEnd, OverrideOrder, OverrideResult } from "./control/set-override.ts";
import type { LetterOrder, LetterResult } from "./dead-letters/retry-dead-letter.ts";
import type {
  EvacuationOrder,
  EvacuationResult,
  RegionFreezeOrder,
  RegionFreezeResult,
  StopEvacuationOrder,
  StopEvacuationResult,
} from "./evacuation/orders.ts";
import type { Ingested, Recheck } from "./evidence/ingest-report.ts";
import type { SignedRequest } from "./evidence/verify-report.ts";
import type { EndWindowOrder, EndWindowResult } from "./maintenance/end-window.ts";
import type { PlanWindowOrder, PlanWindowResult } from "./maintenance/plan-window.ts";
import type { Acknowledgement } from "./paging/follow-history.ts";
import type { NotifierTestOrder } from "./paging/test-notifier.ts";
import type { TransferStopOrder, TransferStopResult } from "./transfer/stop-transfer.ts";
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
  /** A standing decision with an expiry; the answer shows its move. */
  readonly setOverride: (order: OverrideOrder) => Promise<OverrideResult | NotHere>;
  readonly endOverride: (end: OverrideEnd) => Promise<EndResult | NotHere>;
  /** `dns-away`: the hold on a restored database ends only when DNS was taken as it stands. */
  readonly setFreeze: (
    order: FreezeOrder,
  ) => Promise<{ readonly kind: "set"; readonly why: string } | { readonly kind: "dns-away"; readonly why: string } | NotHere>;
  /** One region of every service that has an endpoint there. */
  readonly freezeRegion: (order: RegionFreezeOrder) => Promise<RegionFreezeResult | NotHere>;
  /** Leaves a region, or returns to it, across services; answers when that is remembered, and goes on by itself. */
  readonly evacuate: (order: EvacuationOrder) => Promise<EvacuationResult | NotHere>;
  /** What waits isn't moved; what moved stays. */
  readonly stopEvacuation: (order: StopEvacuationOrder) => Promise<StopEvacuationResult | NotHere>;
  /** Newest first. */
  readonly evacuations: (query: { limit: number; cursor?: string; region?: string }) => Promise<readonly Evacuation[]>;
  readonly evacuation: (id: string) => Promise<Evacuation | null>;
  /** Declared and planned, in force or to come; the first to begin in front. From memory. */
  readonly maintenance: () => Promise<readonly MaintenanceWindow[]>;
  readonly planMaintenance: (order: PlanWindowOrder) => Promise<PlanWindowResult | NotHere>;
  /** Takes a planned window back, or ends it early. */
  readonly endMaintenance: (order: EndWindowOrder) => Promise<EndWindowResult | NotHere>;
  /** Each service's last transfer of the writable role, those under way in front. From memory. */
  readonly transfers: () => Promise<readonly TransferState[]>;
  readonly stopTransfer: (order: TransferStopOrder) => Promise<TransferStopResult | NotHere>;
  /** Who may write, read from the database now. Throws DatabaseAway rather than repeat an old answer. */
  readonly role: (
    service: string,
    region?: string,
  ) => Promise<{ readonly kind: "read"; readonly answer: RoleAnswer } | Extract<NotHere, { kind: "not-found" }>>;
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
  /** What is pending and what fires. */
  readonly alerts: () => Promise<AlertList>;
  readonly alertRules: () => Promise<readonly AlertRuleView[]>;
  /** What a rule sees in this process now. */
  readonly tryAlertRule: (id: string) => Promise<AlertTrial | null>;
  readonly changeAlertRule: (order: RuleOrder) => Promise<RuleResult>;
  readonly testNotifier: (
    order: NotifierTestOrder,
  ) => Promise<{ readonly kind: "tried"; readonly answer: NotifierTestAnswer } | NotHere>;
  /** What was seen between two moments, as far as it is kept. */
  readonly recording: (query: { from: number; to: number }) => Promise<Recording>;
  readonly configuration: () => {
    readonly version: number;
    readonly text: string;
    readonly author: string;
    readonly at: number;
  } | null;
  /** Newest first. */
  readonly configurationVersions: (query: { limit: number; before?: number }) => Promise<readonly ConfigurationVersion[]>;
  readonly configurationVersion: (version: number) => Promise<AppliedConfiguration | null>;
  readonly planConfiguration: (text: string, fileName: string) => Promise<PlanResult>;
  readonly applyConfiguration: (input: {
    text: string;
    fileName: string;
    baseVersion: number;
    author: string;
    /** The owner that the declaration had: it changes only when a person names it. */
    takeover?: string;
    reason?: string;
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
