/** Writes what a fold wants, in one statement: all of it or, when the agent's row was written by somebody else meanwhile, nothing. */
import type { FoldWrite, StoredAgent } from "../../ports/evidence-store.ts";
import type { Sql } from "./database.ts";
import { toJsonText, toPlainText } from "./json.ts";
import { EVIDENCE_CHANNEL } from "./listener.ts";

export interface GuardedWrite extends FoldWrite<unknown> {
  readonly id: string;
  readonly agent: StoredAgent;
  /** Guard of the row that was folded; 0 when there was none. */
  readonly guard: number;
}

/** False when the guard didn't match: nothing was written. */
export const writeFold = (sql: Sql, write: GuardedWrite): Promise<boolean> => {
  const isSteady = write.checks.length + write.transitions.length + write.aggregates.length === 0;
  return isSteady && write.guard > 0 ? writeAgent(sql, write) : writeAll(sql, write);
};

const writeAgent = async (sql: Sql, { id, agent, guard }: GuardedWrite): Promise<boolean> => {
  const result = await sql`
    update regent.agent set
      boot = ${agent.boot}, sequence = ${agent.sequence}, taken = ${agent.window}, heard_at = ${agent.heardAt},
      skew_ms = ${agent.skewMs}, self_healthy = ${agent.selfHealthy}, mode = ${agent.mode}, build = ${toPlainText(agent.build)},
      configuration_version = ${agent.configurationVersion}, version = ${agent.version},
      live = ${JSON.stringify(agent.live)}::text::json, guard = ${guard + 1}
    where agent = ${id} and guard = ${guard}`;
  return result.count === 1;
};

const writeAll = async (sql: Sql, { id, agent, guard, checks, transitions, aggregates }: GuardedWrite): Promise<boolean> => {
  const rows = await sql`
    with mine as (
      insert into regent.agent as a
        (agent, boot, sequence, taken, heard_at, skew_ms, self_healthy, mode, build, configuration_version, version, live, guard)
      values (${id}, ${agent.boot}, ${agent.sequence}, ${agent.window}, ${agent.heardAt}, ${agent.skewMs}, ${agent.selfHealthy},
        ${agent.mode}, ${toPlainText(agent.build)}, ${agent.configurationVersion}, ${agent.version}, ${JSON.stringify(agent.live)}::text::json,
        ${guard + 1})
      on conflict (agent) do update set
        boot = excluded.boot, sequence = excluded.sequence, taken = excluded.taken, heard_at = excluded.heard_at,
        skew_ms = excluded.skew_ms, self_healthy = excluded.self_healthy, mode = excluded.mode, build = excluded.build,
        configuration_version = excluded.configuration_version, version = excluded.version, live = excluded.live,
        guard = excluded.guard
      where a.guard = excluded.guard - 1
      returning a.agent
    ), changed as (
      insert into regent.agent_check
        (agent, target, state, failures, passes, since, failing_since, at, outcome, reason, latency_ms, facts)
      select mine.agent, c.target, c.state, c.failures, c.passes, c.since, c."failingSince", c.at, c.outcome, c.reason,
        c."latencyMs", c.facts
      from mine, json_to_recordset(${toJsonText(checks)}::text::json) as c
        (target text, state text, failures integer, passes integer, since bigint, "failingSince" bigint, at bigint, outcome text,
          reason text, "latencyMs" double precision, facts json)
      on conflict (agent, target) do update set
        state = excluded.state, failures = excluded.failures, passes = excluded.passes, since = excluded.since,
        failing_since = excluded.failing_since, at = excluded.at, outcome = excluded.outcome, reason = excluded.reason,
        latency_ms = excluded.latency_ms, facts = excluded.facts
    ), moved as (
      insert into regent.transition (agent, target, at, from_state, to_state, outcome, reason, is_backfill)
      select mine.agent, t.target, t.at, t."from", t."to", t.outcome, t.reason, t."isBackfill"
      from mine, json_to_recordset(${toJsonText(transitions)}::text::json) as t
        (target text, at bigint, "from" text, "to" text, outcome text, reason text, "isBackfill" boolean)
    ), counted as (
      insert into regent.minute_aggregate as m (target, minute, agent, count, failures, latency_sum_ms, latency_max_ms)
      select g.target, g.minute, mine.agent, sum(g.count), sum(g.failures), sum(g."latencySumMs"), max(g."latencyMaxMs")
      from mine, json_to_recordset(${toJsonText(aggregates)}::text::json) as g
        (target text, minute bigint, count integer, failures integer, "latencySumMs" double precision,
          "latencyMaxMs" double precision)
      group by g.target, g.minute, mine.agent
      on conflict (target, minute, agent) do update set
        count = m.count + excluded.count, failures = m.failures + excluded.failures,
        latency_sum_ms = m.latency_sum_ms + excluded.latency_sum_ms, latency_max_ms = greatest(m.latency_max_ms, excluded.latency_max_ms)
    )
    select case when ${transitions.length > 0}::boolean then pg_notify(${EVIDENCE_CHANNEL}, mine.agent) end from mine`;
  return rows.length === 1;
};
