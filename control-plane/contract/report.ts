/**
 * A signed batch of observations, agent to control plane: `POST /v1/reports`.
 *
 * Signature: Standard Webhooks framing. Headers `webhook-id: <agent>.<boot>.<sequence>`, `webhook-timestamp` (seconds, agent's clock),
 * `webhook-signature: v1a,<base64 Ed25519>` (several, space separated, while a key rotates) over `id + "." + timestamp + "." + raw body`;
 * `regent-key: <key id>`. Not signed, and believed only for waiting: `regent-lane: transition | live | backlog`.
 */
import * as z from "zod";
import { SignedConfiguration } from "./agent-configuration.ts";
import { AgentId, Instant, NetworkId, RegionId } from "./ids.ts";
import { Observation, Unchanged } from "./observation.ts";

export const REPORT_BYTES_MAX = 256 * 1024;
export const REPORT_OBSERVATIONS_MAX = 500;
export const REPORT_CLOCK_TOLERANCE_SECONDS = 300;

export const AgentMode = z.enum(["normal", "degraded", "emergency", "offline"]);
export type AgentMode = z.infer<typeof AgentMode>;

export const RuntimeKind = z.enum(["node", "lambda", "cloudflare"]);
export type RuntimeKind = z.infer<typeof RuntimeKind>;

/** What the agent knows of itself. `healthy: false` takes away its votes, never a region's. */
export const AgentSelf = z.strictObject({
  healthy: z.boolean(),
  mode: AgentMode,
  /** Probe slots skipped because the last run of the same check had not ended. */
  overruns: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  spooled: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  dropped: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
});
export type AgentSelf = z.infer<typeof AgentSelf>;

/** An observation from the spool: feeds history, never a verdict. */
export const Backfill = z.strictObject({ observation: Observation });
export type Backfill = z.infer<typeof Backfill>;

export const Report = z.strictObject({
  v: z.literal(1),
  /** Which control plane and path it is meant for, so that it can't be replayed to another: `<owner>/v1/reports`. */
  aud: z.string().min(1).max(200),
  agent: AgentId,
  region: RegionId,
  network: NetworkId,
  /** Grows with every start of the agent; orders reports together with `sequence`. */
  boot: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  sequence: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  /** The agent's own wall clock. */
  sentAt: Instant,
  build: z.string().min(1).max(64),
  runtime: RuntimeKind,
  /** 0: has none yet. */
  configurationVersion: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  self: AgentSelf,
  observations: z.array(Observation).max(REPORT_OBSERVATIONS_MAX),
  unchanged: z.array(Unchanged).max(REPORT_OBSERVATIONS_MAX),
  backfill: z.array(Backfill).max(REPORT_OBSERVATIONS_MAX),
});
export type Report = z.infer<typeof Report>;

/** The answer to a taken report. Tolerant of new fields, so that an older agent reads a newer control plane. */
export const ReportReceipt = z.object({
  ack: z.int().min(1),
  serverTime: Instant,
  /** Present when the agent's configuration is older than the applied one. */
  configuration: SignedConfiguration.optional(),
  /** True when the control plane lacks what `unchanged` lines refer to: list every check in full next time. */
  listAll: z.boolean().optional(),
});
export type ReportReceipt = z.infer<typeof ReportReceipt>;
