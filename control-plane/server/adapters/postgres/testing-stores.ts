/** All Postgres stores on a fresh test database, twice: as two replicas would have them. */
import type { MinuteAggregate } from "../../ports/evidence-store.ts";
import { ulid } from "../../ports/suites/examples.ts";
import type { Stores, TestStores } from "../../ports/suites/stores.ts";
import { createPostgresAccessStore } from "./access-store.ts";
import { createPostgresAlertStore } from "./alert-store.ts";
import { createPostgresConfigurationStore } from "./configuration-store.ts";
import { connect, type Database } from "./database.ts";
import { createPostgresDeadLetters } from "./dead-letters.ts";
import { createPostgresDecisionStore } from "./decision-store.ts";
import { createPostgresEvacuations } from "./evacuations.ts";
import { createPostgresEvidenceStore } from "./evidence-store.ts";
import { createPostgresLease } from "./lease.ts";
import { createListener } from "./listener.ts";
import { createPostgresMaintenanceStore } from "./maintenance-store.ts";
import { createPostgresPages } from "./pages.ts";
import { createPostgresRecordings } from "./recordings.ts";
import { testDatabase } from "./testing.ts";

export interface PostgresTestStores extends TestStores {
  readonly empty: () => Promise<void>;
  readonly query: (text: string) => Promise<readonly Record<string, unknown>[]>;
}

export const testStores = async (): Promise<PostgresTestStores> => {
  const { url, drop } = await testDatabase();
  const replicas = [openReplica(url), openReplica(url)] as const;
  const [first, second] = replicas;
  const { database } = first;
  let closed: Promise<void> | null = null;
  return {
    ...first,
    other: second,
    now: () => database.attempt(async ({ sql }) => (await sql<{ now: number }[]>`select regent.now_ms() as now`)[0]?.now ?? 0),
    elapse: async (ms) => {
      await database.attempt(({ sql }) => sql`select pg_sleep(${ms / 1_000}::double precision)`);
    },
    aggregates: () => readAggregates(database),
    empty: () => emptyDatabase(database),
    query: (text) => database.attempt(({ sql }) => sql.unsafe(text)),
    close: () => {
      closed ??= Promise.all(replicas.map((replica) => replica.close())).then(drop);
      return closed;
    },
  };
};

/** As testStores, but on one database that is emptied for each call: for suites that want a fresh one for every test. */
export const testStoresInTurn = (): (() => Promise<TestStores>) => {
  let stores: Promise<PostgresTestStores> | null = null;
  return async () => {
    stores ??= testStores();
    const opened = await stores;
    await opened.empty();
    return opened;
  };
};

// As the cluster's owner: a replica's session fires no triggers, so that even history can be emptied.
const emptyDatabase = async (database: Database): Promise<void> => {
  await database.attempt(({ sql }) =>
    sql.unsafe(`
      begin;
      set local session_replication_role = replica;
      truncate regent.agent, regent.agent_check, regent.transition, regent.minute_aggregate, regent.service, regent.verdict,
        regent.share, regent.change, regent.change_stage, regent.outbox, regent.history, regent.history_counter, regent.lease,
        regent.global_freeze, regent.configuration, regent.signing_key, regent.credential, regent.idempotency, regent.dead_letter,
        regent.page_cursor, regent.incident, regent.page_delivery, regent.alert, regent.alert_rule, regent.maintenance_window, regent.evacuation
        restart identity;
      commit`),
  );
};

const openReplica = (url: string): Stores & { readonly database: Database; readonly close: () => Promise<void> } => {
  const database = connect(url, { connections: 4 });
  const listener = createListener(database);
  return {
    database,
    evidence: createPostgresEvidenceStore({ database, listener }),
    decisions: createPostgresDecisionStore({ database }),
    lease: createPostgresLease({ database }),
    configuration: createPostgresConfigurationStore({ database, listener, ids: { ulid } }),
    access: createPostgresAccessStore({ database }),
    deadLetters: createPostgresDeadLetters({ database }),
    pages: createPostgresPages({ database }),
    recordings: createPostgresRecordings({ database }),
    alerts: createPostgresAlertStore({ database }),
    maintenance: createPostgresMaintenanceStore({ database }),
    evacuations: createPostgresEvacuations({ database }),
    close: async () => {
      await listener.close();
      await database.close();
    },
  };
};

const readAggregates = (database: Database): Promise<readonly MinuteAggregate[]> =>
  database.attempt(async ({ sql }) => [
    ...(await sql<MinuteAggregate[]>`
      select agent, target, minute, count, failures, latency_sum_ms as "latencySumMs", latency_max_ms as "latencyMaxMs"
      from regent.minute_aggregate order by target, minute, agent`),
  ]);
