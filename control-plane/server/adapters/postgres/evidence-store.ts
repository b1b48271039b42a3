/**
 * Evidence in Postgres. A taken report is one statement, whatever it changes: it writes the agent's row if nobody wrote it since it was
 * read (`guard`), and everything else only together with it. A replica remembers what it read or wrote last, so that a steady report needs
 * no read; another replica's write shows as a guard that doesn't match, and the report is folded again from fresh rows.
 */
import { and, desc, eq, gte } from "drizzle-orm";
import type { EvidenceStore, FoldWrite, StoredAgent, StoredCheck, Transition } from "../../ports/evidence-store.ts";
import type { Database, Statements } from "./database.ts";
import { DatabaseAway } from "./errors.ts";
import { createEvidenceMemory, type RememberedAgent } from "./evidence-memory.ts";
import { type AgentRow, readRemembered, toStoredAgent } from "./evidence-rows.ts";
import { writeFold } from "./evidence-write.ts";
import { INGEST_ATTEMPTS_MAX, PRUNE_ROWS_MAX } from "./limits.ts";
import { EVIDENCE_CHANNEL, type Listener } from "./listener.ts";
import { transitions } from "./schema.ts";

type Fold<T> = (agent: StoredAgent | null, checks: readonly StoredCheck[]) => FoldWrite<T>;

interface Ingest<T> {
  readonly agent: string;
  readonly targets: readonly string[];
  readonly fold: Fold<T>;
}

export const createPostgresEvidenceStore = ({
  database,
  listener,
}: {
  readonly database: Database;
  readonly listener: Listener;
}): EvidenceStore => {
  const ingestOnce = createIngestOnce();
  return {
    ingest: (agent, targets, fold) =>
      database.attempt(async (line) => {
        for (let attempt = 1; attempt <= INGEST_ATTEMPTS_MAX; attempt += 1) {
          const taken = await ingestOnce(line, { agent, targets, fold });
          if (taken !== null) return taken.result;
        }
        // Nothing is wrong with the report: its agent sends it again.
        const why = new Error(`Others wrote the row of agent ${agent} ${INGEST_ATTEMPTS_MAX} times while one report was folded.`);
        throw new DatabaseAway("CONTENTION", why);
      }),
    readAgents: () =>
      database.attempt(async (line) => {
        const rows = await line.sql<AgentRow[]>`select *, taken::text as taken from regent.agent order by agent`;
        return rows.map(toStoredAgent);
      }),
    readChecks: (agents) => database.attempt((line) => readChecks(line, agents)),
    readTransitions: (query) => database.attempt((line) => readTransitions(line, query)),
    onChanged: (callback) => listener.listen(EVIDENCE_CHANNEL, callback),
    prune: async (before) => {
      let total = 0;
      for (let gone = PRUNE_ROWS_MAX; gone >= PRUNE_ROWS_MAX; total += gone)
        gone = await database.attempt((line) => prune(line, before));
      return total;
    },
  };
};

/** Null when another report of this agent was written in between. */
const createIngestOnce = () => {
  const memory = createEvidenceMemory();

  return async <T>({ sql }: Statements, { agent, targets, fold }: Ingest<T>): Promise<{ readonly result: T } | null> => {
    const remembered = memory.recall(agent, targets);
    const known = remembered ?? (await readRemembered(sql, agent, targets));
    let write = foldKnown(known, targets, fold);
    // A duplicate is told from what stands, not from what is remembered.
    if (write.agent === null && remembered !== null) write = foldKnown(await readRemembered(sql, agent, targets), targets, fold);
    if (write.agent === null) return { result: write.result };
    // Forgotten before the write: when its answer is lost, nobody knows what stands.
    memory.forget(agent);
    if (!(await writeFold(sql, { ...write, agent: write.agent, id: agent, guard: known.guard }))) return null;
    memory.remember(agent, known, { agent: write.agent, checks: write.checks });
    return { result: write.result };
  };
};

const foldKnown = <T>(known: RememberedAgent, targets: readonly string[], fold: Fold<T>): FoldWrite<T> =>
  fold(
    known.agent,
    targets.flatMap((target) => known.checks.get(target) ?? []),
  );

const readChecks = async (line: Statements, agents: readonly string[]): Promise<readonly StoredCheck[]> => [
  ...(await line.sql<StoredCheck[]>`
    select agent, target, state, failures, passes, since, failing_since as "failingSince", at, outcome, reason,
      latency_ms as "latencyMs", facts
    from regent.agent_check
    where agent in (select json_array_elements_text(${JSON.stringify(agents)}::text::json))
    order by agent, target`),
];

// All but the id, which only orders equal instants.
const TRANSITION_COLUMNS = {
  agent: transitions.agent,
  target: transitions.target,
  at: transitions.at,
  from: transitions.from,
  to: transitions.to,
  outcome: transitions.outcome,
  reason: transitions.reason,
  isBackfill: transitions.isBackfill,
};

const readTransitions = async (
  line: Statements,
  query: { since: number; limit: number; target?: string },
): Promise<readonly Transition[]> => {
  const rows = await line.orm
    .select(TRANSITION_COLUMNS)
    .from(transitions)
    .where(and(gte(transitions.at, query.since), query.target === undefined ? undefined : eq(transitions.target, query.target)))
    .orderBy(desc(transitions.at), desc(transitions.id))
    .limit(query.limit);
  return rows as Transition[];
};

/** At most PRUNE_ROWS_MAX of each kind. */
const prune = async (line: Statements, before: { aggregates: number; transitions: number }): Promise<number> => {
  const [row] = await line.sql<{ gone: number }[]>`
    with old_aggregates as (
      delete from regent.minute_aggregate where ctid = any (array(
        select ctid from regent.minute_aggregate where minute < ${before.aggregates} limit ${PRUNE_ROWS_MAX})) returning 1
    ), old_transitions as (
      delete from regent.transition where ctid = any (array(
        select ctid from regent.transition where at < ${before.transitions} limit ${PRUNE_ROWS_MAX})) returning 1
    )
    select (select count(*) from old_aggregates) + (select count(*) from old_transitions) as gone`;
  return row?.gone ?? 0;
};
