/** Answers of the doors that are about the server itself and not about traffic: sessions and health. Shared by routes and client. */
import { Instant, Overview, ServiceId } from "@regent/contract";
import * as z from "zod";

export const RoleName = z.enum(["viewer", "operator", "approver", "admin"]);

export const CodeAnswer = z.object({
  /** Good once, for a minute. */
  code: z.string(),
  /** Where a browser takes it: `/open?code=…` of the same origin. */
  path: z.string(),
  expiresAt: Instant,
});
export type CodeAnswer = z.infer<typeof CodeAnswer>;

export const SessionState = z.object({
  kind: z.enum(["token", "session"]),
  name: z.string(),
  role: RoleName,
  /** The services that it reaches; null: all. */
  scope: z.array(ServiceId).nullable(),
  expiresAt: Instant.nullable(),
  /** What a browser sends as `x-regent-csrf` with every mutation; null for a token. */
  csrf: z.string().nullable(),
});
export type SessionState = z.infer<typeof SessionState>;

export const SessionEnded = z.object({ ended: z.literal(true) });
export type SessionEnded = z.infer<typeof SessionEnded>;

export const FreezeAnswer = z.object({ why: z.string() });
export type FreezeAnswer = z.infer<typeof FreezeAnswer>;

/** The configuration in force; its ETag is the quoted version. */
export const ConfigurationAnswer = z.object({ version: z.int(), text: z.string(), author: z.string(), at: Instant });
export type ConfigurationAnswer = z.infer<typeof ConfigurationAnswer>;

export const ConfigurationVersionView = z.object({
  version: z.int(),
  author: z.string(),
  at: Instant,
  /** What it changed, as `plan` told it. */
  lines: z.array(z.string()),
});
export type ConfigurationVersionView = z.infer<typeof ConfigurationVersionView>;

/** Newest first. `next` is the cursor of the following page. */
export const ConfigurationVersionPage = z.object({ versions: z.array(ConfigurationVersionView), next: z.int().nullable() });
export type ConfigurationVersionPage = z.infer<typeof ConfigurationVersionPage>;

/** Any version that was ever applied. */
export const ConfigurationVersionDetail = ConfigurationVersionView.extend({ text: z.string() });
export type ConfigurationVersionDetail = z.infer<typeof ConfigurationVersionDetail>;

export const Liveness = z.object({ isLive: z.literal(true) });
export type Liveness = z.infer<typeof Liveness>;

export const ReadinessAnswer = z.object({
  isReady: z.boolean(),
  mode: Overview.shape.mode,
  isLeader: z.boolean(),
  /** What is missing, in words; empty when ready. */
  missing: z.array(z.string()),
});
export type ReadinessAnswer = z.infer<typeof ReadinessAnswer>;

const Lane = z.object({
  /** Bounds of the number of connections. */
  min: z.int(),
  max: z.int(),
  size: z.int(),
  inUse: z.int(),
  /** Units of work that wait for a connection, now and at most since the start. */
  waiting: z.int(),
  waitingMax: z.int(),
});

/** Our connections to the database. Milliseconds; p50 and p95 over the last minute, null without any work. */
const Pool = z.object({
  state: z.enum(["healthy", "degraded", "unhealthy", "recovering"]),
  since: Instant,
  reports: Lane,
  decisions: Lane,
  responseMsP50: z.number().nullable(),
  responseMsP95: z.number().nullable(),
  /** Units of work that hold a connection for too long, now and ever. */
  held: z.int(),
  heldEver: z.int(),
  connectionsLost: z.int(),
  checkedAt: Instant.nullable(),
  /** A code, such as ECONNREFUSED; stays until the next one. */
  lastError: z.string().nullable(),
});

export const DatabaseAnswer = z.object({
  isUp: z.boolean(),
  latencyMs: z.number().nullable(),
  poolSize: z.int(),
  why: z.string().nullable(),
  pool: Pool.optional(),
});
export type DatabaseAnswer = z.infer<typeof DatabaseAnswer>;

export const Breaker = z.object({
  name: z.string(),
  kind: z.string(),
  state: z.enum(["closed", "open", "half-open"]),
  since: Instant,
  /** In a row. */
  failures: z.int(),
  /** When the next call may begin; null unless it is open. */
  openUntil: Instant.nullable(),
  limits: z.object({
    failures: z.int(),
    successes: z.int(),
    openMs: z.int(),
    /** Calls at once, and those that may wait. */
    atOnce: z.int(),
    queue: z.int(),
  }),
  underWay: z.int(),
  waiting: z.int(),
  /** Since the process began. `refused`: not called, as it is known to be down; `turnedAway`: not called, as too many wait. */
  counts: z.object({
    answered: z.int(),
    failed: z.int(),
    refused: z.int(),
    turnedAway: z.int(),
    retried: z.int(),
    opened: z.int(),
  }),
  /** A code, such as ECONNREFUSED. */
  lastFailure: z.string().nullable(),
});
export type Breaker = z.infer<typeof Breaker>;

export const BreakersAnswer = z.object({ breakers: z.array(Breaker) });
export type BreakersAnswer = z.infer<typeof BreakersAnswer>;

export const HealthAnswer = ReadinessAnswer.extend({
  at: Instant,
  uptimeMs: z.number(),
  configurationVersion: z.int().nullable(),
  database: DatabaseAnswer,
  breakers: z.array(Breaker),
  eventStreams: z.int(),
});
export type HealthAnswer = z.infer<typeof HealthAnswer>;
