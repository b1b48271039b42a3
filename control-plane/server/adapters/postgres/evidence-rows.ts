/** Rows of evidence, as Postgres gives them and as the port calls them. */
import type { AgentMode, Instant } from "@regent/contract";
import type { StoredAgent, StoredCheck } from "../../ports/evidence-store.ts";
import type { Sql } from "./database.ts";
import type { RememberedAgent } from "./evidence-memory.ts";

/** A row of regent.agent, `taken` as text: it has 63 bits. */
export interface AgentRow {
  readonly agent: string;
  readonly boot: number;
  readonly sequence: number;
  readonly taken: string;
  readonly heard_at: Instant | null;
  readonly skew_ms: number | null;
  readonly self_healthy: boolean;
  readonly mode: AgentMode;
  readonly build: string;
  readonly configuration_version: number;
  readonly version: number;
  readonly live: StoredAgent["live"];
  readonly guard: number;
}

export const toStoredAgent = (row: AgentRow): StoredAgent => ({
  agent: row.agent,
  boot: row.boot,
  sequence: row.sequence,
  window: row.taken,
  heardAt: row.heard_at,
  skewMs: row.skew_ms,
  selfHealthy: row.self_healthy,
  mode: row.mode,
  build: row.build,
  configurationVersion: row.configuration_version,
  version: row.version,
  live: row.live,
});

/** The agent's row and the check rows of these targets, from one snapshot. A target without a row is known to have none. */
export const readRemembered = async (sql: Sql, agent: string, targets: readonly string[]): Promise<RememberedAgent> => {
  const [row] = await sql<(AgentRow & { readonly checks: readonly StoredCheck[] })[]>`
    select a.*, a.taken::text as taken, (
      select coalesce(json_agg(json_build_object(
        'agent', c.agent, 'target', c.target, 'state', c.state, 'failures', c.failures, 'passes', c.passes, 'since', c.since,
        'failingSince', c.failing_since, 'at', c.at, 'outcome', c.outcome, 'reason', c.reason, 'latencyMs', c.latency_ms,
        'facts', c.facts)), '[]')
      from regent.agent_check c
      where c.agent = a.agent and c.target in (select json_array_elements_text(${JSON.stringify(targets)}::text::json))
    ) as checks
    from regent.agent a where a.agent = ${agent}`;
  const checks = new Map<string, StoredCheck | null>(targets.map((target) => [target, null]));
  for (const check of row?.checks ?? []) checks.set(check.target, check);
  return { agent: row === undefined ? null : toStoredAgent(row), guard: row?.guard ?? 0, checks };
};
