/**
 * The engine's words as types: what it is given and what it answers. Plain data, JSON-serialisable, no behaviour.
 * All times are database time in milliseconds; all durations milliseconds unless the name says otherwise.
 */
import type {
  Actor,
  ChangeKind,
  EndpointAnswer,
  EvidenceKind,
  FamilyId,
  Flag,
  InsideView,
  Instant,
  Outcome,
  OutsideView,
  Reason,
  RecordType,
  RegionId,
  RegionVerdict,
  RuleAnswer,
  RuleId,
  SafetyMode,
  ServiceId,
  Shares,
  Strategy,
  Verdict,
  Vote,
  Weights,
} from "@regent/contract";
import type { Streak } from "./health/streak.ts";
import type { OwnershipMark } from "./plan/ownership-marks.ts";

export type { Instant } from "@regent/contract";

// ------------------------------------------------------------------------------------------------ what was declared, profile resolved

export interface Settings {
  readonly intervalMs: number;
  readonly recheckMs: number;
  readonly timeoutMs: number;
  readonly fall: number;
  readonly clear: number;
  readonly rise: number;
  /** Hold before `unhealthy`: holdMaxMs when nobody confirms, holdMinMs when at least two do. */
  readonly holdMinMs: number;
  readonly holdMaxMs: number;
  readonly reportMs: number;
  /** Evidence older than this is no evidence. */
  readonly freshnessMs: number;
  /** Soft evidence for this long is `degraded`. */
  readonly softMs: number;
  /** Good evidence for this long ends `degraded`. */
  readonly healMs: number;
  /** Good evidence for this long ends `unhealthy`. */
  readonly recoverMs: number;
  /** Healthy, with good evidence without a break, for this long before an automatic return may start. */
  readonly stableHoldMs: number;
  readonly rampMs: number;
  readonly rampStepMs: number;
  readonly cooldownMs: number;
  readonly panicHoldMs: number;
  /** A region that turns bad within this long after its return has failed it. */
  readonly failedReturnMs: number;
  /** A second failed return within this long makes failback manual. */
  readonly escalationMs: number;
  readonly dampingHalfLifeMs: number;
  readonly dampingSuppress: number | null;
  readonly dampingReuse: number;
}

export interface EndpointSpec {
  readonly region: RegionId;
  /** 1 is preferred; unique within a service. */
  readonly priority: number;
  readonly capacity: number;
  readonly headroom: number;
  readonly answers: Readonly<Partial<Record<RecordType, EndpointAnswer>>>;
  readonly healthCheckId?: string;
}

export interface CheckSpec {
  readonly id: string;
  readonly from: "inside" | "outside" | "everywhere";
  readonly scope: "region" | "shared";
  readonly criticality: "critical" | "major" | "minor";
  readonly deep: boolean;
  readonly weight: number;
  readonly latencyWarnMs?: number;
  readonly latencyCritMs?: number;
}

export interface FamilySpec {
  readonly id: FamilyId;
  readonly name: string;
  readonly viewer?: RegionId;
  readonly priority: Readonly<Record<RegionId, number>>;
  readonly capacity: Readonly<Record<RegionId, number>>;
}

export interface ServiceSpec {
  readonly id: ServiceId;
  readonly name: string;
  readonly zoneId: string;
  /** 1 to 1,000; among services that move at once, lower goes first. */
  readonly priority: number;
  readonly owner: string;
  /** Full name of the epoch record, such as `_regent.www.example.com`. */
  readonly epochName: string;
  readonly ttlSeconds: number;
  readonly types: readonly RecordType[];
  readonly mode: SafetyMode;
  readonly strategy: Strategy;
  readonly settings: Settings;
  readonly quorumNetworks: number;
  readonly regionsMin: number;
  readonly drift: Readonly<Record<EditClass, DriftPolicy>>;
  readonly safety: SafetyLimits;
  /** Somebody said how much a region can carry; else capacities are equal and mean nothing but proportions. */
  readonly isSized: boolean;
  /** Null where the data has no single place. */
  readonly stateful: StatefulSpec | null;
  /** In declared order. */
  readonly endpoints: readonly EndpointSpec[];
  readonly checks: readonly CheckSpec[];
  /** Another text when agents are told to probe something else; says nothing otherwise. */
  readonly probed?: string;
  readonly families: readonly FamilySpec[];
}

/** Limits of the rules, profile resolved; contract's `Safety` says what each means. */
export interface SafetyLimits {
  readonly capacityMin: number;
  readonly failoversPerHour: number | null;
  readonly failoversPerDay: number | null;
  readonly failoversPerHourOfAll: number | null;
  readonly regionsOutMax: number | null;
  readonly incidentsMax: number | null;
  readonly correlationMs: number;
  readonly shadowMs: number;
  readonly stepMax: number;
  readonly removedMax: number;
  readonly removedMs: number;
  readonly receivedMs: number;
  readonly approvalMs: number;
  readonly onApprovalTimeout: Readonly<Partial<Record<RuleId | "mode", "stay" | "proceed">>>;
}

/** A service whose data has one writable place (docs/adr/0014). */
export interface StatefulSpec {
  /** Id of the `postgres` check whose facts say where the writable database is. */
  readonly check: string;
  /** A standby further behind asks for approval. */
  readonly lagMaxMs: number;
  /** How long readers of the role keep what they were told: promotion waits for so long after the role was taken back. */
  readonly leaseMs: number;
  /** From the hook's first call until it must have answered. */
  readonly prepareMs: number;
  /** From the hook's answer until agents must have seen the role. */
  readonly roleMs: number;
  /** Somebody is declared to fence and promote; without a hook the transfer waits for a person's promotion. */
  readonly hasHook: boolean;
}

// ------------------------------------------------------------------------------------------------ evidence

/** What the agents inside a region see of its database, put together. */
export interface DatabaseView {
  readonly region: RegionId;
  /** `split`: fresh inside vantages contradict each other; `unseen`: none of them saw it lately. */
  readonly role: "writable" | "read-only" | "standby" | "split" | "unseen";
  /** Lag as last told while replication was connected, ms; null when it never was. */
  readonly lagMs: number | null;
  readonly lagAt: Instant | null;
  /** Since when a standby's replication is seen disconnected; null while it is connected. */
  readonly linkLostAt: Instant | null;
  /** Time of the newest fresh evidence. */
  readonly seenAt: Instant | null;
  /** One sentence. */
  readonly why: string;
}

/**
 * The writable role is led from one region to another: `prepare` (readers of the role are told that nobody has it, their leases run out, the
 * hook fences the old and promotes the new), `role` (agents must see the new one writable), `switch` (DNS), `verify`; `done` or `stopped`.
 */
export type TransferPhase = "prepare" | "role" | "switch" | "verify" | "done" | "stopped";

export interface Transfer {
  /** ULID: what makes the hook's calls one. */
  readonly id: string;
  readonly from: RegionId;
  readonly to: RegionId;
  readonly phase: TransferPhase;
  readonly startedAt: Instant;
  /** When the present phase began. */
  readonly phaseAt: Instant;
  readonly by: Actor;
  readonly reason: string | null;
  /** What the hook was last asked, and what it said. */
  readonly hook: {
    readonly attempts: number;
    readonly lastAt: Instant | null;
    readonly answer: "none" | "failed" | "working" | "promoted" | "refused";
    readonly isFenced: boolean | null;
    readonly why: string;
  };
  /** One sentence: what it does or waits for, or how it ended. */
  readonly why: string;
  /** Rules that whoever asked for it named: the traffic follows by the same word. */
  readonly breakGlass?: readonly RuleId[];
  /** Automation wanted it and a person agreed: the move counts as automation's. */
  readonly isAgreed?: true;
  /** Somebody was called to promote by hand, or the new one was seen to write: two may, though the hook was never called. */
  readonly mayBePromoted?: true;
  /** Of one that is done: another one was seen to write since, beside the one that has the role. */
  readonly isDoubled?: true;
  /** Of a stopped one: after `unwanted` automation may begin again by itself, after anything else a person does. */
  readonly stoppedFor?: "unwanted" | "failed" | "operator";
}

export interface Vantage {
  readonly region: RegionId;
  readonly network: string;
}

/** One agent, as the control plane knows it. */
export interface AgentEvidence {
  readonly agent: string;
  readonly vantage: Vantage;
  /** Database time of the last taken report; null before the first. */
  readonly heardAt: Instant | null;
  readonly selfHealthy: boolean;
  readonly reportMs: number;
}

/** What one agent knows of one check of one endpoint. */
export interface CheckEvidence {
  readonly agent: string;
  readonly vantage: Vantage;
  readonly service: ServiceId;
  readonly region: RegionId;
  readonly check: string;
  readonly streak: Streak;
  /** When the streak's state last changed. */
  readonly since: Instant;
  /** When the first of the failures now counted was seen; null when none is. */
  readonly failingSince: Instant | null;
  /** Evidence time of the newest observation. */
  readonly at: Instant;
  readonly outcome: Outcome;
  readonly reason: Reason | null;
  readonly latencyMs: number;
}

/** All that is known about one service; `suspects` come from evidence across services (health/suspect.ts). */
export interface Evidence {
  readonly agents: readonly AgentEvidence[];
  readonly checks: readonly CheckEvidence[];
  /** `region/network` of vantages that have lost their vote. */
  readonly suspects: ReadonlySet<string>;
}

/** What the views of one region amount to, now. */
export interface Assessment {
  readonly region: RegionId;
  readonly kind: EvidenceKind;
  readonly inside: InsideView;
  readonly outside: OutsideView;
  readonly flags: readonly Flag[];
  readonly votes: readonly Vote[];
  /** How long bad evidence must last, ms. Meaningful when kind is bad. */
  readonly holdMs: number;
  /** A latency or major-check finding at two vantages on two networks: lowers the factor. */
  readonly isDegradedHard: boolean;
  /** A finding by fewer: shown, never acted on. */
  readonly isDegradedSoft: boolean;
  readonly score: number | null;
  /** Oldest moment of the failures that this rests on; null when nothing fails. */
  readonly failingSince: Instant | null;
  /** One sentence with numbers. */
  readonly why: string;
  /** When this could change by time alone (evidence growing stale); null if never. */
  readonly nextLookAt: Instant | null;
}

// ------------------------------------------------------------------------------------------------ memory

/** What must survive a restart about one region of one service. */
export interface HealthMemory {
  readonly region: RegionId;
  readonly verdict: Verdict;
  readonly since: Instant;
  readonly why: string;
  readonly evidence: EvidenceKind;
  /** Since when the evidence has been of this kind without a break. */
  readonly evidenceSince: Instant;
  /** Verdict before `unknown` or `maintenance`; where good evidence leads back to. */
  readonly before: Verdict | null;
  /** First failure that led to the present bad evidence. */
  readonly detectedAt: Instant | null;
  readonly penalty: number;
  readonly penaltyAt: Instant;
  readonly isSuppressed: boolean;
  /** 0.3..1, rounded to 0.1: part of its capacity that a degraded region is trusted with. */
  readonly factor: number;
}

export interface Ramp {
  readonly startedAt: Instant;
  readonly steppedAt: Instant;
  /** Steps taken so far, 1..steps. */
  readonly step: number;
  readonly steps: number;
  readonly startedBy: Actor;
}

export interface PassiveMemory {
  readonly active: RegionId;
  readonly returning: { readonly region: RegionId; readonly ramp: Ramp } | null;
}

export interface TakenOut {
  readonly since: Instant;
  readonly why: string;
  /** By an override: its operator said until when, so its return waits for no failback. */
  readonly isLent?: true;
}

/** What must survive a restart about where traffic goes. One per service; families share it, except their shares. */
export interface TrafficMemory {
  /** active-passive only: per family, who serves and who is being led back to. */
  readonly passive: Readonly<Record<FamilyId, PassiveMemory>>;
  /** Regions that automation or an override took out, and since when. They come back by a return, never by themselves. */
  readonly out: Readonly<Record<RegionId, TakenOut>>;
  /** active-active and round-robin: regions on their way back in. */
  readonly ramps: Readonly<Record<RegionId, Ramp>>;
  /** When each region's last return was completed. */
  readonly returnedAt: Readonly<Record<RegionId, Instant>>;
  readonly failedReturns: Readonly<Record<RegionId, readonly Instant[]>>;
  readonly lastAutomaticFailoverAt: Instant | null;
  readonly failStaticSince: Instant | null;
  /** Wanted shares: what DNS is being led to. */
  readonly shares: Shares;
  /** When automation took traffic away, oldest first; of the last day, bounded. */
  readonly departures: readonly Departure[];
}

/** Automation took traffic from regions that it believed bad, or moved it between fit ones. */
export interface Departure {
  readonly at: Instant;
  /** Regions that lost all of their traffic because they were bad; none for a voluntary move. */
  readonly left: readonly RegionId[];
  readonly received: readonly RegionId[];
  /** Part of the service's traffic that changed its place, 0..1. */
  readonly moved: number;
  /** Vantages, `region/network`, that spoke against what was left. */
  readonly vantages: readonly string[];
  /** What they said of it, once each: `db down (tcp_refused)`. */
  readonly findings: readonly string[];
}

/** Whose it was. */
export interface ServiceDeparture extends Departure {
  readonly service: ServiceId;
}

export interface Control {
  readonly by: string;
  readonly reason: string;
  readonly at: Instant;
}

/** Everything is frozen: by an operator; or because DNS shows later writes than the database knows, so it was restored from an older state. */
export interface GlobalFreeze extends Control {
  readonly cause: "operator" | "restored";
}

/** An operator's standing decision with an expiry: it counts before `until`, whatever restarts meanwhile, and ends in a normal change. */
export interface Override extends Control {
  /** ULID. */
  readonly id: string;
  readonly until: Instant;
  readonly what: /** Taken as fit, whatever is believed of it. */
    | { readonly kind: "on"; readonly region: RegionId }
    | { readonly kind: "off"; readonly region: RegionId }
    /** Exactly these shares in every family, in sum 1; automation moves nothing meanwhile. */
    | { readonly kind: "pin"; readonly shares: Readonly<Record<RegionId, number>> }
    | { readonly kind: "freeze" };
  /** Rules that the moves it asks for skip, each by its name. */
  readonly breakGlass: readonly RuleId[];
}

/** Operators' standing decisions. */
export interface Controls {
  readonly frozenGlobally: GlobalFreeze | null;
  readonly frozen: Control | null;
  readonly frozenRegions: Readonly<Record<RegionId, Control>>;
  readonly drained: Readonly<Record<RegionId, Control>>;
  /** A manual failover: stay here until failback, or until this region fails. */
  readonly placement: (Control & { readonly region: RegionId }) | null;
  /** Oldest first; those that ran out count for nothing. */
  readonly overrides: readonly Override[];
}

// ------------------------------------------------------------------------------------------------ decision

export type OperatorMove =
  | { readonly kind: "failover"; readonly to: RegionId }
  | { readonly kind: "failback" }
  | { readonly kind: "drain"; readonly region: RegionId }
  | { readonly kind: "undrain"; readonly region: RegionId }
  /** A standing decision that moves traffic, from now on; a freeze moves none, and is only kept. */
  | { readonly kind: "override"; readonly override: Override };

export interface OperatorRequest {
  readonly move: OperatorMove;
  readonly by: string;
  readonly reason: string;
  readonly breakGlass: readonly RuleId[];
}

export interface Proposal {
  readonly kind: ChangeKind;
  readonly actor: Actor;
  readonly reason: string | null;
  readonly why: string;
  readonly detectedAt: Instant | null;
  readonly sharesBefore: Shares;
  readonly sharesAfter: Shares;
  readonly weightsBefore: Weights;
  readonly weightsAfter: Weights;
  /** Regions whose share this takes to 0 because they are unhealthy. */
  readonly leaves: readonly RegionId[];
  /** Regions that gain share. */
  readonly gains: readonly RegionId[];
  /** Families that the declared panic policy serves: there traffic may land where nobody vouches for a region. */
  readonly panicFamilies: readonly FamilyId[];
  readonly breakGlass: readonly RuleId[];
  readonly computedAt: Instant;
  /** Digest input of A12: verdicts, views, controls, configuration version and epoch record. */
  readonly basis: string;
  /** What a person who is asked agrees to: cause and effect of this move, and nothing that goes to and fro elsewhere. */
  readonly question: string;
  /** Only what has to leave an unhealthy region was changed, or nothing but the epoch record; the rest is as somebody else wrote it. */
  readonly isRebased: boolean;
  /** A person asks for exactly this, now. What they asked for before, and is still to be done, isn't. */
  readonly isAsked: boolean;
}

/** Of ours. `version` first declared this service as it was from then on; null where that wasn't noted. */
export type Release = { readonly at: Instant } & (
  | { readonly kind: "agents" }
  | { readonly kind: "configuration"; readonly version: number | null }
);

/** What the rules count beyond one service. */
export interface Surroundings {
  /** Of all services for a fault, within a day; this one's own among them as far as they are committed. Duplicates count once. */
  readonly departures: readonly ServiceDeparture[];
  /** Regions that automation left for a fault within an hour, at any service (this one among them), and that aren't fit again there. */
  readonly regionsOut: readonly RegionId[];
  /** Our own last ones, the newest in front: agents of another build, and configurations that changed how this service is judged. */
  readonly releases: readonly Release[];
  /** Since when this service is declared as it is; null when that was always so. */
  readonly declaredAt: Instant | null;
}

/** A person agreed to exactly this: another question, other weights, or a rule that they didn't hear of need another answer. */
export interface Approved {
  /** Of the proposal that they saw. */
  readonly question: string;
  readonly weights: Weights;
  /** What asked for them. */
  readonly asks: readonly (RuleId | "mode")[];
  readonly by: string;
  readonly reason: string;
  /** When they did. What was tried on their word and stopped since isn't tried again on it. */
  readonly at?: Instant;
}

export interface Situation {
  readonly spec: ServiceSpec;
  readonly configurationVersion: number;
  readonly verdicts: readonly RegionVerdict[];
  readonly health: Readonly<Record<RegionId, HealthMemory>>;
  readonly traffic: TrafficMemory;
  readonly controls: Controls;
  /** What DNS was last seen or written to hold; null before the first write. */
  readonly written: Weights | null;
  /** The declared records (values, TTL, members, health checks) differ from those written. */
  readonly areRecordsOutdated: boolean;
  /** Revision and ULID of the epoch record last known; null before the first write. */
  readonly epoch: string | null;
  /** A change that is not settled yet. */
  readonly isChangeInFlight: boolean;
  /** Foreign, missing or unknown epoch record: why nobody may write. */
  readonly blockedBy: string | null;
  /** How DNS differs from what we last wrote, one sentence; null when it doesn't. Holds automation, not operators. */
  readonly drift: string | null;
  /** The same as data; null when DNS holds nothing but what Regent wrote. */
  readonly edit: Edit | null;
  /** Mode that the epoch record in DNS carries; null before the first write. */
  readonly modeWritten: "auto" | "frozen" | null;
  readonly surroundings: Surroundings;
  readonly approved: Approved | null;
  /** One for each region of a stateful service that has the check; none for others. */
  readonly databases: readonly DatabaseView[];
  /** The last transfer of the writable role; null before the first. */
  readonly transfer: Transfer | null;
  readonly now: Instant;
}

export interface Decision {
  readonly proposal: Proposal | null;
  readonly rules: readonly RuleAnswer[];
  /** True when every rule allows it (or was skipped) and, for automation, the mode is automatic or a person approved. */
  readonly isAllowed: boolean;
  /** Not allowed, and a person's approval is all that lacks: rules, and `mode` for the mode `approve`. */
  readonly asks: readonly (RuleId | "mode")[];
  /** The role must be led there first; nothing else stands in the way. */
  readonly transfer: { readonly from: RegionId; readonly to: RegionId } | null;
  /** To persist whatever happens to the proposal (timers). */
  readonly trafficNow: TrafficMemory;
  /** To persist together with an allowed proposal. */
  readonly trafficAfter: TrafficMemory;
  readonly controlsAfter: Controls;
  /** Page-worthy standstill: all down, panic, or a refusal. */
  readonly failStatic: string | null;
  /** What Regent does or waits for, one sentence. */
  readonly sentence: string;
  readonly nextLookAt: Instant | null;
}

// ------------------------------------------------------------------------------------------------ DNS

/**
 * What follows when somebody else edits a managed name. `report`: tell, hold automation, and in an emergency move around the edit. `adopt`:
 * keep what they wrote and freeze the service. `revert`: write again what Regent wrote, by compare-and-swap on what they wrote.
 */
export type DriftPolicy = "report" | "adopt" | "revert";

/** The kinds of edit that have a policy; what concerns the epoch record has none, a person decides. */
export type EditClass = "weight" | "value" | "ttl" | "missing" | "extra" | "healthcheck";

/** Somebody else's hand in DNS. */
export interface Edit {
  readonly policy: DriftPolicy;
  /** The weights that stand in DNS: 0 where a member is gone, the largest where the types disagree. */
  readonly weights: Weights;
  /** Canonical text of the declared records when the edit was kept: another declaration ends it. */
  readonly declared: string;
  /** A batch of ours carried the edit on, or it was adopted: DNS is as we know it, and not as declared. */
  readonly isKept: boolean;
  /** What was kept, and under which epoch records. One of them standing in DNS, and nothing, tells that it is kept. */
  readonly carried: CarriedEdit | null;
  readonly since: Instant;
}

export interface CarriedEdit {
  /** ULIDs of the batches that carry it on, sent or not, and of the epoch record over which it was adopted. */
  readonly by: readonly string[];
  readonly policy: DriftPolicy;
  /** How DNS differs from what is declared, one sentence. */
  readonly text: string;
}

/** One record set, exactly as Route 53 holds it. Values of TXT keep their quotes. Names without final dot, lower case, `*` unescaped. */
export interface RecordSet {
  readonly name: string;
  readonly type: string;
  readonly setIdentifier?: string;
  readonly weight?: number;
  readonly ttl?: number;
  readonly values?: readonly string[];
  readonly alias?: { readonly hostedZoneId: string; readonly name: string; readonly evaluateTargetHealth: boolean };
  readonly healthCheckId?: string;
  /** Attributes that Regent doesn't manage (another routing policy), kept so that a DELETE can name them. */
  readonly other?: Readonly<Record<string, unknown>>;
}

export interface Epoch {
  readonly owner: string;
  readonly term: number;
  readonly revision: number;
  readonly ulid: string;
  readonly mode: "auto" | "frozen";
  /** First 16 hex digits of SHA-256 over the canonical text of all families. */
  readonly digest: string;
}

/** What Route 53 holds for one service. */
export interface Observed {
  /** Any TXT record set at the epoch record's name. */
  readonly epochSet: RecordSet | null;
  /** Its meaning; null when there is none or it isn't ours to read. */
  readonly epoch: Epoch | null;
  /** Every record set at the families' names and at the epoch record's name, the epoch record left out. */
  readonly sets: readonly RecordSet[];
  /** Other tools' marks of ownership; absent where only the service's own names were read. */
  readonly marks?: readonly OwnershipMark[];
}

/** One service's part of a batch: all of it or none of it. */
export interface ServiceBatch {
  readonly service: ServiceId;
  readonly deletes: readonly RecordSet[];
  readonly creates: readonly RecordSet[];
}

export type OutboxState = "intent" | "sent" | "unknown" | "accepted" | "lost" | "refused" | "abandoned";

export interface OutboxRow {
  readonly ulid: string;
  readonly service: ServiceId;
  readonly revision: number;
  readonly term: number;
  /** ULID of the epoch record that the batch deletes; null for the first write. */
  readonly expects: string | null;
  readonly state: OutboxState;
  /** When it was last sent; null or absent when that isn't known to have happened. */
  readonly sentAt?: Instant | null;
}
