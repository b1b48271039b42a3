/** Requests of operators and the answers they get. Every mutation takes an `Idempotency-Key` header and a reason. */
import * as z from "zod";
import { BreakGlass } from "./break-glass.ts";
import { Approval, BatchLine, Change, ChangeTimes, RuleAnswer, Shares, Weights } from "./change.ts";
import { DomainName, FamilyId, Instant, OwnerId, RegionId, ServiceId, Ulid } from "./ids.ts";
import { Override } from "./override.ts";
import { AgentMode } from "./report.ts";
import { TransferState } from "./stateful.ts";
import { RegionVerdict } from "./verdict.ts";

export const IdempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{8,128}$/, "Idempotency-Key: 8 to 128 printable characters without spaces");

/** Control characters and those that turn the direction of writing: in a terminal they clear, overwrite or forge what stands beside them. */
const DISGUISES = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u;

export const OperatorReason = z
  .string()
  .trim()
  .min(3, "a reason of at least 3 characters")
  .max(500)
  .refine((reason) => !DISGUISES.test(reason), "a reason in one line, without control characters");

const moveBase = {
  reason: OperatorReason,
  /** Print the exact batch and every rule's answer; send nothing. */
  dryRun: z.boolean().default(false),
  /** Refuse with 409 unless the service is still at this revision. */
  expectedRevision: z.int().min(0).optional(),
  /** Safety rules to skip, each by its name. */
  breakGlass: BreakGlass,
};

export const FailoverRequest = z.strictObject({ to: RegionId, ...moveBase });
export type FailoverRequest = z.infer<typeof FailoverRequest>;
export const FailbackRequest = z.strictObject({ ...moveBase });
export type FailbackRequest = z.infer<typeof FailbackRequest>;
export const DrainRequest = z.strictObject({ region: RegionId, ...moveBase });
export type DrainRequest = z.infer<typeof DrainRequest>;
/** Takes a name that stands in DNS: its records become ours, with the traffic that they have. */
export const AdoptRequest = z.strictObject({
  reason: OperatorReason,
  dryRun: z.boolean().default(false),
  expectedRevision: z.int().min(0).optional(),
  /** Owner of the epoch record that stands there, when it isn't us: the only one that is taken over from. */
  takeover: OwnerId.optional(),
});
export type AdoptRequest = z.infer<typeof AdoptRequest>;
/** Gives a name up: the epoch record goes, everything else stays as it is. */
export const ReleaseRequest = AdoptRequest.omit({ takeover: true });
export type ReleaseRequest = z.infer<typeof ReleaseRequest>;
/** The answer to a change that waits for approval. */
export const ApprovalRequest = z.strictObject({ reason: OperatorReason });
export type ApprovalRequest = z.infer<typeof ApprovalRequest>;
/** Those that wait, the first to lapse in front; then the last answers, the newest in front. */
export const ApprovalList = z.object({ approvals: z.array(Approval) });
export type ApprovalList = z.infer<typeof ApprovalList>;
export const FreezeRequest = z.strictObject({ reason: OperatorReason });
export type FreezeRequest = z.infer<typeof FreezeRequest>;

/** Ends leading the writable role elsewhere: traffic stays where it is. */
export const TransferStopRequest = z.strictObject({ reason: OperatorReason });
export type TransferStopRequest = z.infer<typeof TransferStopRequest>;

export const MoveAnswer = z.object({
  dryRun: z.boolean(),
  /** False when nothing needs to change, or when a rule stands in the way. */
  allowed: z.boolean(),
  why: z.string(),
  changeId: Ulid.nullable(),
  revision: z.int(),
  sharesBefore: Shares,
  sharesAfter: Shares,
  weightsBefore: Weights,
  weightsAfter: Weights,
  rules: z.array(RuleAnswer),
  batch: z.array(BatchLine),
});
export type MoveAnswer = z.infer<typeof MoveAnswer>;

export const Freeze = z.object({ reason: z.string(), by: z.string(), at: Instant });
export type Freeze = z.infer<typeof Freeze>;

/** What DNS answers now: the part of the answers that each region gets, per family, averaged over the servers. `null` is unknown. */
export const Seen = z.object({
  shares: Shares.nullable(),
  /** Servers that answered, of those asked. */
  servers: z.int(),
  serversAsked: z.int(),
  why: z.string(),
  at: Instant,
});
export type Seen = z.infer<typeof Seen>;

export const ServiceState = z.object({
  id: ServiceId,
  name: DomainName,
  profile: z.string(),
  strategy: z.string(),
  mode: z.string(),
  revision: z.int(),
  term: z.int(),
  regions: z.array(RegionVerdict),
  families: z.array(FamilyId),
  wanted: Shares,
  written: Weights,
  seen: Seen.nullable(),
  frozen: Freeze.nullable(),
  drained: z.record(RegionId, Freeze),
  /** Standing decisions with an expiry, oldest first; absent where none stands. */
  overrides: z.array(Override).optional(),
  /** Whose the name is isn't ours to say: nobody writes it until a person adopts it. */
  blockedBy: z.string().nullable(),
  /** A move that waits for a person, or the answer to what is still wanted; null when it is over. */
  approval: Approval.nullable(),
  /** The last transfer of the writable role; null before the first, and where there is no one writable place. */
  transfer: TransferState.nullable(),
  /** What somebody else edited: automation stands still. */
  drift: z.string().nullable(),
  /** One sentence: what Regent is doing or waiting for. */
  now: z.string(),
  lastChange: z.object({ id: Ulid, why: z.string(), times: ChangeTimes, stage: z.string() }).nullable(),
});
export type ServiceState = z.infer<typeof ServiceState>;

export const AgentState = z.object({
  id: z.string(),
  region: z.string(),
  network: z.string(),
  lastReportAt: Instant.nullable(),
  fresh: z.boolean(),
  healthy: z.boolean().nullable(),
  mode: AgentMode.nullable(),
  build: z.string().nullable(),
  clockSkewMs: z.number().nullable(),
  configurationVersion: z.int().nullable(),
});
export type AgentState = z.infer<typeof AgentState>;

export const Overview = z.object({
  at: Instant,
  owner: z.string(),
  configurationVersion: z.int(),
  mode: z.enum(["normal", "degraded", "read-only", "isolated", "emergency"]),
  leader: z.object({ holder: z.string(), term: z.int(), self: z.boolean() }).nullable(),
  frozen: Freeze.nullable(),
  services: z.array(ServiceState),
  agents: z.array(AgentState),
});
export type Overview = z.infer<typeof Overview>;

/** The evidence behind one service: votes, streaks, rules, next look. */
export const Explanation = z.object({
  service: ServiceState,
  /** Present tense sentences in the order a person wants them. */
  sentences: z.array(z.string()),
  rules: z.array(RuleAnswer),
  changes: z.array(Change),
  nextLookAt: Instant.nullable(),
});
export type Explanation = z.infer<typeof Explanation>;

/** One server-sent event of `/v1/events`. */
export const LiveEvent = z.object({ kind: z.enum(["overview", "history"]), at: Instant, service: ServiceId.nullable() });
export type LiveEvent = z.infer<typeof LiveEvent>;

/** What becomes of a service's names in DNS when a declaration is applied. */
export const NameStep = z.object({
  service: ServiceId,
  /** `adopt`, `takeover` and `release` are asked for by a person, one by one; `create` is done by itself. */
  step: z.enum(["create", "keep", "adopt", "takeover", "release", "refused", "unread"]),
  /** Who marks the name as its own now. */
  owner: z.string().nullable(),
  /** Sentences: what would change, or why not and what to do. */
  lines: z.array(z.string()),
});
export type NameStep = z.infer<typeof NameStep>;

export const PlanAnswer = z.object({
  baseVersion: z.int(),
  changed: z.boolean(),
  lines: z.array(z.string()),
  warnings: z.array(z.string()),
  names: z.array(NameStep),
});
export type PlanAnswer = z.infer<typeof PlanAnswer>;

export const ApplyAnswer = z.object({
  version: z.int(),
  changed: z.boolean(),
  lines: z.array(z.string()),
  warnings: z.array(z.string()),
});
export type ApplyAnswer = z.infer<typeof ApplyAnswer>;
