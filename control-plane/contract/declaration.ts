/**
 * What the operator declares: the shape of `regent.yaml`. Durations are seconds, as people write them; the server resolves them with the
 * profile into milliseconds (engine `ServiceSpec`). Cross references (a region that doesn't exist, two agents with one key) are checked by
 * `findDeclarationProblems`, so that all errors are reported at once with their paths.
 */
import * as z from "zod";
import { HttpProbe, PostgresProbe, TcpProbe } from "./agent-configuration.ts";
import { AlertSetting } from "./alert.ts";
import { RuleId } from "./change.ts";
import { Address, AgentId, CheckId, DomainName, FamilyId, NetworkId, OwnerId, RegionId, ServiceId, ZoneId } from "./ids.ts";
import { MaintenanceDeclaration } from "./maintenance.ts";
import { Notify } from "./notification.ts";
import { RuntimeKind } from "./report.ts";
import { Stateful } from "./stateful.ts";

const Seconds = z
  .number()
  .min(0)
  .max(7 * 86_400);

export const ProfileName = z.enum(["standard", "careful", "sandbox"]);
export type ProfileName = z.infer<typeof ProfileName>;

/** Any setting of a profile that a service may set for itself, in seconds unless said. */
export const Settings = z
  .strictObject({
    intervalSeconds: Seconds,
    recheckSeconds: Seconds,
    timeoutSeconds: Seconds,
    fall: z.int().min(1).max(100),
    clear: z.int().min(1).max(100),
    rise: z.int().min(1).max(100),
    holdMinSeconds: Seconds,
    holdMaxSeconds: Seconds,
    reportSeconds: Seconds,
    freshnessSeconds: Seconds,
    softSeconds: Seconds,
    healSeconds: Seconds,
    recoverSeconds: Seconds,
    stableHoldSeconds: Seconds,
    rampSeconds: Seconds,
    rampStepSeconds: Seconds,
    cooldownSeconds: Seconds,
    panicHoldSeconds: Seconds,
    failedReturnSeconds: Seconds,
    escalationSeconds: Seconds,
    dampingHalfLifeSeconds: Seconds,
    /** null: penalties are shown, nothing is suppressed. */
    dampingSuppress: z.number().min(1).max(100_000).nullable(),
    dampingReuse: z.number().min(1).max(100_000),
  })
  .partial();
export type Settings = z.infer<typeof Settings>;

export const Region = z.strictObject({ id: RegionId, name: z.string().min(1).max(80).optional() });
export type Region = z.infer<typeof Region>;

export const Zone = z.strictObject({ id: ZoneId, name: DomainName });
export type Zone = z.infer<typeof Zone>;

export const AgentDeclaration = z.strictObject({
  id: AgentId,
  region: RegionId,
  network: NetworkId,
  runtime: RuntimeKind.default("node"),
  /** Ed25519 public keys, raw 32 bytes in base64; two while a key rotates. Key id: first 16 hex digits of the key's SHA-256. */
  publicKeys: z.array(z.base64().length(44, "32 bytes in base64")).min(1).max(2),
  /** Probed to tell a broken agent network from a broken target. */
  canaries: z.array(Address).max(4).default([]),
});
export type AgentDeclaration = z.infer<typeof AgentDeclaration>;

export const RecordType = z.enum(["A", "AAAA", "CNAME"]);
export type RecordType = z.infer<typeof RecordType>;

export const AliasTarget = z.strictObject({
  hostedZoneId: ZoneId,
  name: DomainName,
  evaluateTargetHealth: z.boolean().default(true),
});
export type AliasTarget = z.infer<typeof AliasTarget>;

/** What one type of record answers in one region: values, or an alias. */
export const EndpointAnswer = z.union([
  z.array(z.string().min(1).max(255)).min(1).max(20),
  z.strictObject({ alias: AliasTarget }),
]);
export type EndpointAnswer = z.infer<typeof EndpointAnswer>;

export const Endpoint = z.strictObject({
  region: RegionId,
  /** 1 is preferred. */
  priority: z.int().min(1).max(1_000).optional(),
  /** Any unit, the same in all endpoints of a service; 1 where others say theirs. Where nobody does, no rule counts capacity. */
  capacity: z.number().min(0.001).max(1_000_000_000).optional(),
  /** How far above its base share this region can be loaded; 1.4 where nothing is said. */
  headroom: z.number().min(1).max(100).optional(),
  A: EndpointAnswer.optional(),
  AAAA: EndpointAnswer.optional(),
  CNAME: EndpointAnswer.optional(),
  /** Route 53 health check to keep attached. */
  healthCheckId: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,64}$/)
    .optional(),
  /** Where agents dial this endpoint; the first published value with the check's port when absent. */
  probe: z.strictObject({ address: Address }).optional(),
  /** Per check: another address in this region, such as its database. */
  targets: z.record(CheckId, Address).optional(),
});
export type Endpoint = z.infer<typeof Endpoint>;

const checkBase = {
  id: CheckId,
  /** Who runs it: agents of the endpoint's own region, agents elsewhere, or all. */
  from: z.enum(["inside", "outside", "everywhere"]).default("everywhere"),
  /** `shared`: what it tests serves all regions; it explains and pages, and never fails a region. */
  scope: z.enum(["region", "shared"]).default("region"),
  criticality: z.enum(["critical", "major", "minor"]).default("critical"),
  /** An outside run of this check also speaks for the region's inside. */
  deep: z.boolean().default(false),
  weight: z.number().min(0.01).max(100).default(1),
};
const port = { port: z.int().min(1).max(65_535).optional() };

export const Check = z.discriminatedUnion("kind", [
  HttpProbe.omit({ address: true }).extend({ ...checkBase, ...port }),
  TcpProbe.omit({ address: true }).extend({ ...checkBase, ...port }),
  PostgresProbe.omit({ address: true }).extend({ ...checkBase, ...port }),
]);
export type Check = z.infer<typeof Check>;

export const Failback = z.enum(["manual", "automatic"]);
export type Failback = z.infer<typeof Failback>;

const strategyBase = {
  failback: Failback.default("manual"),
  /** What follows when too little is healthy for too long: keep the weights, serve by capacity and health, or serve all. */
  panic: z.enum(["hold", "best-effort", "fail-open"]).default("hold"),
};

export const Strategy = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("active-passive"),
    ...strategyBase,
    /** Share that every healthy standby always gets, 0 to 0.2. */
    trickle: z.number().min(0).max(0.2).default(0),
  }),
  z.strictObject({
    kind: z.literal("active-active"),
    ...strategyBase,
    /** Below this part of the capacity healthy, distrust the monitoring. */
    panicBelow: z.number().min(0).max(1).default(0.5),
  }),
  z.strictObject({ kind: z.literal("round-robin"), ...strategyBase }),
]);
export type Strategy = z.infer<typeof Strategy>;

/** Leaf of a static latency or geolocation top; a plain service has one family, `default`, named as the service. */
export const Family = z.strictObject({
  id: FamilyId,
  name: DomainName,
  viewer: RegionId.optional(),
  priority: z.partialRecord(RegionId, z.int().min(1).max(1_000)).optional(),
  capacity: z.partialRecord(RegionId, z.number().min(0.001).max(1_000_000_000)).optional(),
});
export type Family = z.infer<typeof Family>;

export const SafetyMode = z.enum(["advisory", "approve", "automatic"]);
export type SafetyMode = z.infer<typeof SafetyMode>;

/** Limits of the safety rules (docs/SAFETY.md): what a service says of one counts, then what the declaration says, then the profile. */
export const Safety = z
  .strictObject({
    /** A3: the part of the declared capacity that must still serve; 0 turns the rule off. */
    capacityMin: z.number().min(0).max(1),
    /** A9: incidents in which automation may move this service's traffic; null for no limit, as below. */
    failoversPerHour: z.int().min(0).max(50).nullable(),
    failoversPerDay: z.int().min(0).max(50).nullable(),
    /** A9: the same over all services. */
    failoversPerHourOfAll: z.int().min(0).max(1_000).nullable(),
    /** A10: regions that may be left by automation at the same time, over all services. */
    regionsOutMax: z.int().min(0).max(20).nullable(),
    /** A10: incidents within 5 minutes in which automation may move anything. */
    incidentsMax: z.int().min(0).max(1_000).nullable(),
    /** A11: regions that turn bad within this time of each other, or of a release of ours, are thought to have one cause; 0 turns the rule off. */
    correlationSeconds: Seconds,
    /** A15: a configuration that changed this service is shown for so long before it moves healthy traffic. */
    shadowSeconds: Seconds,
    /** A16: the most of the traffic that one voluntary move takes along, 1 for no limit. */
    stepMax: z.number().min(0.01).max(1),
    /** A17: the most of the traffic that automation may take away within `removedSeconds`. */
    removedMax: z.number().min(0).max(20),
    removedSeconds: Seconds,
    /** A18: a region that turns bad so soon after it received traffic may be dying of it; 0 turns the rule off. */
    receivedSeconds: Seconds,
    /** How long an approval waits for a person. */
    approvalSeconds: Seconds,
    /** What follows when nobody answers: per rule, and `mode` for a service in the mode `approve`. Traffic stays where nothing is said. */
    onApprovalTimeout: z.partialRecord(z.union([RuleId, z.literal("mode")]), z.enum(["stay", "proceed"])),
  })
  .partial();
export type Safety = z.infer<typeof Safety>;

/**
 * What follows when somebody else edits a managed name: tell and hold automation; keep their edit and freeze the service; or write again what
 * Regent wrote. The epoch record has no policy: a person decides.
 */
export const DriftPolicy = z.enum(["report", "adopt", "revert"]);
export type DriftPolicy = z.infer<typeof DriftPolicy>;

/** One policy for all kinds of edit, or one for each; `report` where nothing is said. */
export const Drift = z.union([
  DriftPolicy,
  z
    .strictObject({
      weight: DriftPolicy,
      value: DriftPolicy,
      ttl: DriftPolicy,
      missing: DriftPolicy,
      extra: DriftPolicy,
      healthcheck: DriftPolicy,
    })
    .partial(),
]);
export type Drift = z.infer<typeof Drift>;

export const Service = z.strictObject({
  id: ServiceId,
  name: DomainName,
  zone: DomainName,
  /** When many services must move at once and the provider lets few calls through: lower goes first, 1 before all others. */
  priority: z.int().min(1).max(1_000).default(100),
  /** Seconds; the profile's when absent. */
  ttl: z.int().min(1).max(86_400).optional(),
  profile: ProfileName.optional(),
  settings: Settings.optional(),
  /** `advisory`: decide and tell, write nothing by itself. `approve`: write what a person approved. */
  mode: SafetyMode.default("automatic"),
  /** The declaration's where nothing is said. */
  safety: Safety.optional(),
  /** The declaration's when absent. */
  drift: Drift.optional(),
  /** Where its data has one writable place. */
  stateful: Stateful.optional(),
  strategy: Strategy,
  quorum: z.strictObject({ networks: z.int().min(1).max(2) }).optional(),
  /** Regions that must keep a positive weight, rule A1. */
  regionsMin: z.int().min(1).max(20).optional(),
  endpoints: z.array(Endpoint).min(1).max(20),
  checks: z.array(Check).min(1).max(20),
  families: z.array(Family).min(1).max(20).optional(),
});
export type Service = z.infer<typeof Service>;

export const Declaration = z.strictObject({
  regent: z.literal(1),
  owner: OwnerId,
  profile: ProfileName.default("standard"),
  quorum: z.strictObject({ networks: z.int().min(1).max(2).default(2) }).prefault({}),
  drift: Drift.default("report"),
  /** For every service that doesn't say otherwise. */
  safety: Safety.optional(),
  /** First label of every epoch record's name. */
  epochLabel: z
    .string()
    .regex(/^_[a-z0-9-]{1,30}$/)
    .default("_regent"),
  zones: z.array(Zone).min(1).max(50),
  regions: z.array(Region).min(1).max(20),
  agents: z.array(AgentDeclaration).max(1_000).default([]),
  services: z.array(Service).max(1_000).default([]),
  /** When regions are worked on. */
  maintenance: z.array(MaintenanceDeclaration).max(100).optional(),
  /** Who is told. Nobody when absent. */
  notify: Notify.optional(),
  /** What of Regent's own metrics is told, beside the shipped rules; these by their id, to change them or turn them off. */
  alerts: z.array(AlertSetting).max(200).optional(),
});
export type Declaration = z.infer<typeof Declaration>;
/** As a person writes it: defaults left out. */
export type DeclarationInput = z.input<typeof Declaration>;
