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

export const DatabaseAnswer = z.object({
  isUp: z.boolean(),
  latencyMs: z.number().nullable(),
  poolSize: z.int(),
  why: z.string().nullable(),
});
export type DatabaseAnswer = z.infer<typeof DatabaseAnswer>;

export const Breaker = z.object({
  name: z.string(),
  state: z.enum(["closed", "open", "half-open"]),
  failures: z.int(),
  openUntil: Instant.nullable(),
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
