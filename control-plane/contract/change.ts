/** A proposed or made move of traffic, with why. One change of a service is one revision is one history entry. */
import * as z from "zod";
import { FamilyId, Instant, RegionId, ServiceId, Ulid } from "./ids.ts";
import { RegionVerdict } from "./verdict.ts";

export const Shares = z.record(FamilyId, z.record(RegionId, z.number().min(0).max(1)));
/** Wanted part of the traffic: family -> region -> 0..1; a family's shares sum to 1. */
export type Shares = z.infer<typeof Shares>;

export const Weights = z.record(FamilyId, z.record(RegionId, z.int().min(0).max(255)));
/** Route 53 integers: family -> region -> 0..255. */
export type Weights = z.infer<typeof Weights>;

export const RuleId = z.enum([
  "A1",
  "A2",
  "A3",
  "A4",
  "A5",
  "A6",
  "A7",
  "A8",
  "A9",
  "A10",
  "A11",
  "A12",
  "A13",
  "A14",
  "A15",
  "A16",
  "A17",
  "A18",
]);
export type RuleId = z.infer<typeof RuleId>;

export const RuleAnswer = z.object({
  rule: RuleId,
  answer: z.enum(["allow", "clamp", "defer", "require-approval", "deny"]),
  why: z.string(),
  /** When to ask again, for `defer`. */
  until: Instant.optional(),
  /** True when it would have stood in the way, and an operator named it in break-glass or approved the change. */
  skipped: z.boolean(),
});
export type RuleAnswer = z.infer<typeof RuleAnswer>;

export const ChangeKind = z.enum([
  "create", // the first write of a declared name
  "adopt", // a name that stood in DNS before becomes ours, with the traffic that it has
  "failover",
  "failback",
  "return", // a step of a ramp
  "rebalance",
  "configure", // declared records changed, shares did not
  "revert", // somebody else's edit is taken back
  "drain",
  "undrain",
  "freeze",
  "unfreeze",
  "release", // the name is given up; its records stay as they are
]);
export type ChangeKind = z.infer<typeof ChangeKind>;

export const ChangeStage = z.enum([
  "decided",
  "sent",
  "accepted",
  "in-sync",
  "visible",
  "unknown",
  "lost",
  "refused",
  "abandoned",
]);
export type ChangeStage = z.infer<typeof ChangeStage>;

/** The clocks of a change; each is absent until it happened. */
export const ChangeTimes = z.object({
  /** First moment of the evidence that led here; the request's for an operator. */
  detected: Instant.optional(),
  decided: Instant,
  sent: Instant.optional(),
  accepted: Instant.optional(),
  /** Route 53 says INSYNC. */
  inSync: Instant.optional(),
  /** Every authoritative server answers the new epoch record. */
  visible: Instant.optional(),
  /** Every configured resolver does. */
  resolved: Instant.optional(),
});
export type ChangeTimes = z.infer<typeof ChangeTimes>;

export const Actor = z.object({ kind: z.enum(["automation", "operator"]), name: z.string() });
export type Actor = z.infer<typeof Actor>;

export const RecordSetView = z.object({
  name: z.string(),
  type: z.string(),
  setIdentifier: z.string().optional(),
  weight: z.int().optional(),
  ttl: z.int().optional(),
  values: z.array(z.string()).optional(),
  alias: z.object({ hostedZoneId: z.string(), name: z.string(), evaluateTargetHealth: z.boolean() }).optional(),
  healthCheckId: z.string().optional(),
});
export const BatchLine = z.object({ action: z.enum(["DELETE", "CREATE"]), set: RecordSetView });
export type BatchLine = z.infer<typeof BatchLine>;

/**
 * A move that Regent would make if a person agreed. It is bound to what it rests on: another verdict, control, configuration or epoch record makes
 * it stale. Its id is that of the change that it becomes.
 */
export const Approval = z.object({
  id: Ulid,
  service: ServiceId,
  kind: ChangeKind,
  /** `lapsed`: nobody answered in time. `stale`: what it rested on changed, or nothing is wanted any more. */
  state: z.enum(["waiting", "approved", "refused", "lapsed", "stale"]),
  /** 16 hex digits over everything that it rests on. */
  digest: z.string().regex(/^[0-9a-f]{16}$/),
  why: z.string(),
  rules: z.array(RuleAnswer),
  /** What asks for a person: rules, or the service's mode. */
  asks: z.array(z.string()),
  sharesBefore: Shares,
  sharesAfter: Shares,
  weightsBefore: Weights,
  weightsAfter: Weights,
  askedAt: Instant,
  lapsesAt: Instant,
  /** What follows then: traffic stays, or the change is made. */
  onLapse: z.enum(["stay", "proceed"]),
  answeredAt: Instant.nullable(),
  by: z.string().nullable(),
  reason: z.string().nullable(),
});
export type Approval = z.infer<typeof Approval>;

export const Change = z.object({
  id: Ulid,
  service: ServiceId,
  revision: z.int(),
  kind: ChangeKind,
  stage: ChangeStage,
  actor: Actor,
  /** The operator's words, or null for automation. */
  reason: z.string().nullable(),
  why: z.string(),
  sharesBefore: Shares,
  sharesAfter: Shares,
  weightsBefore: Weights,
  weightsAfter: Weights,
  rules: z.array(RuleAnswer),
  /** Every region's verdict and votes at the decision. */
  evidence: z.array(RegionVerdict),
  times: ChangeTimes,
});
export type Change = z.infer<typeof Change>;
