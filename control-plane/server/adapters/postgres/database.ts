/**
 * The pool of connections that all Postgres adapters of one process share: sizes, timeouts, classified errors, short transactions, counters.
 *
 * Two habits of the driver are kept away from the rest here. Its `begin` sends a rollback on a connection that is already gone, which ends
 * the process; and a connection that was cut while it was writing never comes back. So transactions run on reserved connections that are
 * given up when they are lost, and a pool that lost a connection is replaced.
 */
import { setTimeout as pause } from "node:timers/promises";
import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { classifyError, codeOf, DatabaseAway } from "./errors.ts";
import {
  CONNECT_TIMEOUT_SECONDS,
  IDLE_IN_TRANSACTION_TIMEOUT_MS,
  LOCK_TIMEOUT_MS,
  POOL_AGE_MS_MIN,
  POOL_CLOSE_SECONDS,
  POOL_CONNECTIONS,
  RETRY_PAUSE_MS,
  STATEMENT_TIMEOUT_MS,
  TRANSACTION_ATTEMPTS_MAX,
} from "./limits.ts";

export type Sql = postgres.Sql<{ bigint: number }>;
export type Transaction = postgres.ReservedSql<{ bigint: number }>;
type ConnectionOptions = postgres.Options<{ bigint: postgres.PostgresType<number> }>;

export interface DatabaseOptions {
  readonly connections?: number;
  /** Shown in pg_stat_activity: which process of ours this is. */
  readonly applicationName?: string;
  readonly statementTimeoutMs?: number;
  /** Warnings of the server and losses of connections, for the log. Never holds a password or a parameter. */
  readonly onNotice?: (notice: { readonly code: string; readonly message: string }) => void;
}

export interface DatabaseCounters {
  /** Units of work begun and not ended. */
  readonly underWay: number;
  readonly underWayMax: number;
  readonly done: number;
  readonly failed: number;
  /** Failures that were DatabaseAway. */
  readonly away: number;
  /** Serialization failures and deadlocks that were tried again. */
  readonly retried: number;
  /** Pools replaced because a connection was lost. */
  readonly poolsReplaced: number;
  readonly millisecondsTotal: number;
}

export interface Database {
  /** The present pool. Never keep it: it may be replaced. Only for use inside `attempt`. */
  readonly sql: () => Sql;
  /** The same pool through drizzle. Never for transactions. */
  readonly orm: () => PostgresJsDatabase;
  /** Does one unit of work; throws DatabaseAway when the database is, and tries serialization failures again. */
  readonly attempt: <T>(work: () => Promise<T>) => Promise<T>;
  /** One transaction on one connection; throw `new Rollback(answer)` to undo it and answer all the same. `work` may run again. */
  readonly transaction: <T>(work: (sql: Transaction) => Promise<T>) => Promise<T>;
  /** Milliseconds that one statement takes; throws DatabaseAway. */
  readonly ping: () => Promise<number>;
  readonly counters: () => DatabaseCounters;
  /** How to reach the same database by a connection of one's own (LISTEN, migrations). */
  readonly options: (overrides?: ConnectionOptions) => ConnectionOptions & { readonly url: string };
  readonly close: () => Promise<void>;
}

/** Undoes the transaction; `answer` becomes its answer. */
export class Rollback<T> {
  readonly answer: T;

  constructor(answer: T) {
    this.answer = answer;
  }
}

/**
 * Nothing is dialled before the first statement. A host that is not this machine is spoken to over verified TLS unless the URL says
 * otherwise (`?sslmode=disable | require | verify-full`). Times of a `bigint` column come as numbers.
 */
export const connect = (url: string, options: DatabaseOptions = {}): Database => {
  const connectionOptions = toConnectionOptions(url, options);
  const counters = {
    underWay: 0,
    underWayMax: 0,
    done: 0,
    failed: 0,
    away: 0,
    retried: 0,
    poolsReplaced: 0,
    millisecondsTotal: 0,
  };
  let pool = openPool(url, connectionOptions);
  let isClosed = false;

  const replacePool = (lost: Pool): void => {
    if (isClosed || lost !== pool || performance.now() - lost.openedAt < POOL_AGE_MS_MIN) return;
    pool = openPool(url, connectionOptions);
    counters.poolsReplaced += 1;
    void lost.sql.end({ timeout: POOL_CLOSE_SECONDS });
  };

  const tried = async <T>(work: (pool: Pool) => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt += 1) {
      const used = pool;
      try {
        return await work(used);
      } catch (error) {
        const kind = classifyError(error);
        if (kind === "lost") replacePool(used);
        if (kind === "lost" || kind === "busy") throw new DatabaseAway(codeOf(error) ?? "unknown", error);
        if (kind !== "retry" || attempt === TRANSACTION_ATTEMPTS_MAX) throw error;
        counters.retried += 1;
        await pause(RETRY_PAUSE_MS * 2 ** attempt * (0.5 + Math.random()));
      }
    }
  };

  const counted = async <T>(work: (pool: Pool) => Promise<T>): Promise<T> => {
    const begunAt = performance.now();
    counters.underWay += 1;
    counters.underWayMax = Math.max(counters.underWayMax, counters.underWay);
    try {
      const answer = await tried(work);
      counters.done += 1;
      return answer;
    } catch (error) {
      counters.failed += 1;
      if (error instanceof DatabaseAway) counters.away += 1;
      throw error;
    } finally {
      counters.underWay -= 1;
      counters.millisecondsTotal += performance.now() - begunAt;
    }
  };

  return {
    sql: () => pool.sql,
    orm: () => pool.orm,
    attempt: (work) => counted(work),
    transaction: (work) => counted((used) => runTransaction(used.sql, work)),
    ping: async () => {
      const begunAt = performance.now();
      await counted((used) => used.sql`select 1`);
      return performance.now() - begunAt;
    },
    counters: () => ({ ...counters }),
    options: (overrides) => ({ ...connectionOptions, ...overrides, url }),
    close: async () => {
      isClosed = true;
      await pool.sql.end({ timeout: POOL_CLOSE_SECONDS });
    },
  };
};

interface Pool {
  readonly sql: Sql;
  readonly orm: PostgresJsDatabase;
  readonly openedAt: number;
}

// drizzle makes the client pass JSON and times as text. Every pool gets it at once, so that raw statements always meet the same client.
const openPool = (url: string, options: ConnectionOptions): Pool => {
  const sql = postgres(url, options);
  return { sql, orm: drizzle(sql), openedAt: performance.now() };
};

const runTransaction = async <T>(sql: Sql, work: (sql: Transaction) => Promise<T>): Promise<T> => {
  const connection = await sql.reserve();
  try {
    await connection`begin`;
    const answer = await work(connection);
    await connection`commit`;
    connection.release();
    return answer;
  } catch (error) {
    // A lost connection went back to the driver by itself; the server has rolled back.
    if (classifyError(error) === "lost") throw error;
    await connection`rollback`;
    connection.release();
    if (error instanceof Rollback) return error.answer as T;
    throw error;
  }
};

const toConnectionOptions = (url: string, options: DatabaseOptions): ConnectionOptions => ({
  max: options.connections ?? POOL_CONNECTIONS,
  connect_timeout: CONNECT_TIMEOUT_SECONDS,
  // Every array travels as JSON, so the driver needs no catalogue of types.
  fetch_types: false,
  onnotice: (notice) => options.onNotice?.({ code: notice.code ?? "", message: notice.message ?? "" }),
  types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
  connection: {
    application_name: options.applicationName ?? "regent",
    statement_timeout: options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
  },
  ...(needsTls(url) ? { ssl: "verify-full" } : {}),
});

const needsTls = (url: string): boolean => {
  const { hostname, searchParams } = new URL(url);
  if (searchParams.has("sslmode") || searchParams.has("ssl") || searchParams.has("sslrootcert")) return false;
  return hostname !== "" && !["localhost", "127.0.0.1", "[::1]"].includes(hostname);
};
