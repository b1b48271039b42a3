/** The tables as drizzle knows them. The migrations are the truth; schema.test.ts compares the two, column by column. */
import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  doublePrecision,
  integer,
  json,
  jsonb,
  pgSchema,
  primaryKey,
  smallint,
  text,
  unique,
} from "drizzle-orm/pg-core";

const regent = pgSchema("regent");

/** Database time in whole milliseconds since 1970. */
const instant = (name: string) => bigint(name, { mode: "number" });
const count = (name: string) => bigint(name, { mode: "number" });

// ------------------------------------------------------------------------------------------------ evidence

export const agents = regent.table("agent", {
  agent: text().primaryKey(),
  boot: count("boot").notNull(),
  sequence: count("sequence").notNull(),
  taken: bigint({ mode: "bigint" }).notNull(),
  heardAt: instant("heard_at"),
  skewMs: doublePrecision("skew_ms"),
  selfHealthy: boolean("self_healthy").notNull(),
  mode: text().notNull(),
  build: text().notNull(),
  configurationVersion: count("configuration_version").notNull(),
  version: count("version").notNull(),
  live: json().notNull(),
  guard: count("guard").notNull(),
});

export const agentChecks = regent.table(
  "agent_check",
  {
    agent: text().notNull(),
    target: text().notNull(),
    state: text().notNull(),
    failures: integer().notNull(),
    passes: integer().notNull(),
    since: instant("since").notNull(),
    failingSince: instant("failing_since"),
    at: instant("at").notNull(),
    outcome: text().notNull(),
    reason: text(),
    latencyMs: doublePrecision("latency_ms").notNull(),
    facts: json(),
  },
  (table) => [primaryKey({ columns: [table.agent, table.target] })],
);

export const transitions = regent.table("transition", {
  id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  agent: text().notNull(),
  target: text().notNull(),
  at: instant("at").notNull(),
  from: text("from_state").notNull(),
  to: text("to_state").notNull(),
  outcome: text().notNull(),
  reason: text(),
  isBackfill: boolean("is_backfill").notNull(),
});

export const minuteAggregates = regent.table(
  "minute_aggregate",
  {
    target: text().notNull(),
    minute: instant("minute").notNull(),
    agent: text().notNull(),
    count: integer().notNull(),
    failures: integer().notNull(),
    latencySumMs: doublePrecision("latency_sum_ms").notNull(),
    latencyMaxMs: doublePrecision("latency_max_ms").notNull(),
  },
  (table) => [primaryKey({ columns: [table.target, table.minute, table.agent] })],
);

// ------------------------------------------------------------------------------------------------ decisions

export const services = regent.table("service", {
  service: text().primaryKey(),
  version: count("version").notNull(),
  revision: count("revision").notNull(),
  traffic: jsonb().notNull(),
  controls: jsonb().notNull(),
  isWritten: boolean("is_written").notNull(),
  expected: jsonb(),
  epoch: text(),
  blockedBy: text("blocked_by"),
  drift: text(),
  seen: jsonb(),
  lastRefusal: text("last_refusal"),
  ownership: jsonb().notNull(),
  approval: jsonb(),
  declared: jsonb(),
  transfer: jsonb(),
  databases: jsonb(),
});

export const verdicts = regent.table(
  "verdict",
  {
    service: text().notNull(),
    region: text().notNull(),
    verdict: text().notNull(),
    since: instant("since").notNull(),
    why: text().notNull(),
    evidence: text().notNull(),
    evidenceSince: instant("evidence_since").notNull(),
    before: text(),
    detectedAt: instant("detected_at"),
    penalty: doublePrecision().notNull(),
    penaltyAt: instant("penalty_at").notNull(),
    isSuppressed: boolean("is_suppressed").notNull(),
    factor: doublePrecision().notNull(),
  },
  (table) => [primaryKey({ columns: [table.service, table.region] })],
);

export const shares = regent.table(
  "share",
  {
    service: text().notNull(),
    family: text().notNull(),
    region: text().notNull(),
    wanted: doublePrecision(),
    written: smallint(),
    seen: doublePrecision(),
  },
  (table) => [primaryKey({ columns: [table.service, table.family, table.region] })],
);

export const changes = regent.table(
  "change",
  {
    id: text().primaryKey(),
    service: text().notNull(),
    revision: count("revision").notNull(),
    kind: text().notNull(),
    stage: text().notNull(),
    actorKind: text("actor_kind").notNull(),
    actorName: text("actor_name").notNull(),
    reason: text(),
    why: text().notNull(),
    sharesBefore: jsonb("shares_before").notNull(),
    sharesAfter: jsonb("shares_after").notNull(),
    weightsBefore: jsonb("weights_before").notNull(),
    weightsAfter: jsonb("weights_after").notNull(),
    rules: jsonb().notNull(),
    evidence: jsonb().notNull(),
    times: jsonb().notNull(),
  },
  (table) => [unique().on(table.service, table.revision)],
);

export const changeStages = regent.table(
  "change_stage",
  {
    position: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    changeId: text("change_id").notNull(),
    stage: text().notNull(),
    at: instant("at").notNull(),
    clock: text(),
    why: text(),
  },
  (table) => [unique("change_stage_once").on(table.changeId, table.stage, table.clock).nullsNotDistinct()],
);

export const outbox = regent.table(
  "outbox",
  {
    ulid: text().primaryKey(),
    service: text().notNull(),
    revision: count("revision").notNull(),
    term: count("term").notNull(),
    expects: text(),
    state: text().notNull(),
    changeId: text("change_id").notNull(),
    zoneId: text("zone_id").notNull(),
    deletes: jsonb().notNull(),
    creates: jsonb().notNull(),
    weights: jsonb().notNull(),
    createdAt: instant("created_at").notNull(),
    sentAt: instant("sent_at"),
    changeInfoId: text("change_info_id"),
  },
  (table) => [unique().on(table.service, table.revision)],
);

export const historyCounters = regent.table("history_counter", { scope: text().primaryKey(), last: count("last").notNull() });

export const history = regent.table(
  "history",
  {
    position: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    id: text().notNull().unique(),
    service: text(),
    sequence: count("sequence").notNull(),
    at: instant("at").notNull(),
    kind: text().notNull(),
    actorKind: text("actor_kind").notNull(),
    actorName: text("actor_name").notNull(),
    why: text().notNull(),
    page: boolean().notNull(),
    changeId: text("change_id"),
    detail: jsonb().notNull(),
  },
  (table) => [unique("history_sequence").on(table.service, table.sequence).nullsNotDistinct()],
);

export const leases = regent.table("lease", {
  name: text().primaryKey(),
  holder: text().notNull(),
  term: count("term").notNull(),
  expiresAt: instant("expires_at").notNull(),
});

export const globalFreezes = regent.table("global_freeze", {
  isOnly: boolean("is_only").primaryKey().default(true),
  by: text().notNull(),
  reason: text().notNull(),
  at: instant("at").notNull(),
  cause: text().$type<"operator" | "restored">().notNull(),
});

// ------------------------------------------------------------------------------------------------ configuration and access

export const configurations = regent.table("configuration", {
  version: count("version").primaryKey(),
  declaration: jsonb().notNull(),
  text: text().notNull(),
  author: text().notNull(),
  at: instant("at").notNull(),
  lines: jsonb().notNull(),
});

export const signingKeys = regent.table("signing_key", {
  keyId: text("key_id").primaryKey(),
  sealed: text().notNull(),
  publicKey: text("public_key").notNull(),
  createdAt: instant("created_at").notNull(),
  retiredAt: instant("retired_at"),
});

export const credentials = regent.table("credential", {
  hash: text().primaryKey(),
  kind: text().notNull(),
  name: text().notNull(),
  role: text().notNull(),
  scope: jsonb(),
  expiresAt: instant("expires_at"),
});

export const idempotency = regent.table("idempotency", {
  key: text().primaryKey(),
  digest: text().notNull(),
  begunAt: instant("begun_at").notNull(),
  httpStatus: smallint("http_status"),
  body: json(),
});

// ------------------------------------------------------------------------------------------------ dead letters

export const deadLetters = regent.table("dead_letter", {
  id: text().primaryKey(),
  at: instant("at").notNull(),
  kind: text().notNull(),
  subject: text().notNull(),
  why: text().notNull(),
  attempts: integer().notNull(),
  triedAt: instant("tried_at").notNull(),
  bytes: integer().notNull(),
  payload: text().notNull(),
});

// ------------------------------------------------------------------------------------------------ incidents and pages

export const pageCursors = regent.table("page_cursor", {
  isOnly: boolean("is_only").primaryKey().default(true),
  position: count("position").notNull(),
  missing: jsonb().notNull(),
});

export const incidents = regent.table("incident", {
  id: text().primaryKey(),
  cause: text().notNull(),
  state: text().notNull(),
  severity: text().notNull(),
  openedAt: instant("opened_at").notNull(),
  closedAt: instant("closed_at"),
  version: count("version").notNull(),
  body: jsonb().notNull(),
});

export const pageDeliveries = regent.table("page_delivery", {
  position: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  id: text().notNull().unique(),
  notifier: text().notNull(),
  incident: text().notNull(),
  severity: text().notNull(),
  dueAt: instant("due_at").notNull(),
  createdAt: instant("created_at").notNull(),
  attempts: integer().notNull(),
  notice: jsonb().notNull(),
});

export const maintenanceWindows = regent.table("maintenance_window", {
  id: text().primaryKey(),
  fromAt: instant("from_at").notNull(),
  toAt: instant("to_at").notNull(),
  body: jsonb().notNull(),
});

export const alertRules = regent.table("alert_rule", {
  id: text().primaryKey(),
  version: count("version").notNull(),
  body: jsonb().notNull(),
});

export const alerts = regent.table("alert", {
  key: text().primaryKey(),
  state: text().notNull(),
  since: instant("since").notNull(),
  body: jsonb().notNull(),
});

export const evacuations = regent.table("evacuation", {
  id: text().primaryKey(),
  region: text().notNull(),
  direction: text().notNull(),
  state: text().notNull(),
  at: instant("at").notNull(),
  version: count("version").notNull(),
  body: jsonb().notNull(),
});

/** Now, by the database's clock. */
export const NOW = sql<number>`regent.now_ms()`;
