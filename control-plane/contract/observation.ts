/** What one run of a probe saw. The lists are closed: agents.md 7.7 says what each reason means. */
import * as z from "zod";
import { TargetId } from "./ids.ts";

export const Outcome = z.enum(["ok", "degraded", "fail", "unknown"]);
export type Outcome = z.infer<typeof Outcome>;

export const REASONS = [
  "dns_nxdomain",
  "dns_timeout",
  "dns_servfail",
  "tcp_refused",
  "tcp_timeout",
  "tcp_reset",
  "net_unreachable",
  "tls_handshake",
  "tls_untrusted",
  "tls_hostname",
  "tls_expired",
  "tls_expiring",
  "http_status",
  "http_timeout",
  "body_mismatch",
  "header_mismatch",
  "latency",
  "wrong_region",
  "edge_52x",
  "blocked",
  "db_auth",
  "db_starting",
  "db_saturated",
  "db_readonly",
  "db_wrong_role",
  "db_lag",
  "db_replica_disconnected",
  "db_commit_blocked",
  "db_query_timeout",
  "db_error",
  "probe_bug",
  "agent_overloaded",
  "agent_offline",
  "unsupported",
] as const;
export const Reason = z.enum(REASONS);
export type Reason = z.infer<typeof Reason>;

/** Our own problem, never the target's: these are always `unknown` and never move traffic. */
export const REASONS_ALWAYS_UNKNOWN: readonly Reason[] = [
  "blocked",
  "probe_bug",
  "agent_overloaded",
  "agent_offline",
  "unsupported",
  "db_auth",
];

/** Small facts a probe may add, such as a database's role; values are bounded so that a target can't flood us. */
export const Facts = z
  .record(z.string().max(40), z.union([z.string().max(200), z.number(), z.boolean(), z.null()]))
  .refine((facts) => Object.keys(facts).length <= 24, "at most 24 facts");
export type Facts = z.infer<typeof Facts>;

export const Phases = z.strictObject({
  dns: z.number().min(0).max(600_000).optional(),
  connect: z.number().min(0).max(600_000).optional(),
  tls: z.number().min(0).max(600_000).optional(),
  firstByte: z.number().min(0).max(600_000).optional(),
});
export type Phases = z.infer<typeof Phases>;

export const Observation = z
  .strictObject({
    target: TargetId,
    /** Monotonic milliseconds between the end of the probe and the signing of the report. */
    ageMs: z
      .int()
      .min(0)
      .max(7 * 86_400_000),
    outcome: Outcome,
    reason: Reason.optional(),
    latencyMs: z.number().min(0).max(600_000),
    phases: Phases.optional(),
    facts: Facts.optional(),
  })
  .refine((o) => o.outcome === "ok" || o.reason !== undefined, {
    error: "an outcome other than ok needs a reason",
    path: ["reason"],
  })
  .refine((o) => o.outcome !== "ok" || o.reason === undefined, { error: "ok has no reason", path: ["reason"] })
  .refine((o) => o.reason === undefined || !REASONS_ALWAYS_UNKNOWN.includes(o.reason) || o.outcome === "unknown", {
    error: "this reason is the agent's own problem: its outcome is unknown",
    path: ["outcome"],
  });
export type Observation = z.infer<typeof Observation>;

/** An assigned check whose streak is settled and whose outcome and reason are those last listed: only its age travels. */
export const Unchanged = z.strictObject({
  target: TargetId,
  ageMs: z
    .int()
    .min(0)
    .max(7 * 86_400_000),
  latencyMs: z.number().min(0).max(600_000),
});
export type Unchanged = z.infer<typeof Unchanged>;
