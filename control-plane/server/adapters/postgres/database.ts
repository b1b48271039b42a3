/**
 * How all Postgres adapters of one process reach the database: timeouts, classified errors, short transactions, counters. Reports and reads
 * share some connections; lease and decisions have their own, so that a flood of reports never delays a failover.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import type postgres from "postgres";
import { unanswered, within } from "./deadline.ts";
import { classifyError, DatabaseAway, toDatabaseAway } from "./errors.ts";
import {
  CONNECT_TIMEOUT_SECONDS,
  CONNECTIONS_FOR_DECISIONS,
  CONNECTIONS_FOR_REPORTS,
  IDLE_IN_TRANSACTION_TIMEOUT_MS,
  LOCK_TIMEOUT_MS,
  RETRY_PAUSE_MS,
  STATEMENT_TIMEOUT_MS,
  WORK_ATTEMPTS_MAX,
  WORK_TIMEOUT_MS,
} from "./limits.ts";
import { type ConnectionOptions, createLines, type Line, type Lines, type Sql } from "./lines.ts";

export type { Sql } from "./lines.ts";

/** Sends one statement at once; statements sent together are answered in order. */
export type Send = <T extends readonly (object | undefined)[] = postgres.Row[]>(
  template: TemplateStringsArray,
  ...parameters: readonly (postgres.SerializableParameter<number> | null)[]
) => Promise<postgres.RowList<T>>;

/** One connection, by the driver and through drizzle. Never for transactions. */
export interface Statements {
  readonly sql: Sql;
  readonly orm: PostgresJsDatabase;
}

export interface DatabaseOptions {
  /** Connections for reports and reads. */
  readonly connections?: number;
  /** Shown in pg_stat_activity: which process of ours this is. */
  readonly applicationName?: string;
  readonly statementTimeoutMs?: number;
  readonly connectTimeoutSeconds?: number;
  /** The server's warnings, for the log. They never hold a password or a parameter. */
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
  readonly connectionsLost: number;
  /** Time of all units of work, waiting for a connection included. */
  readonly totalMs: number;
}

export interface Database {
  /** One unit of work of single statements; throws DatabaseAway when the database is, and tries serialization failures again. */
  readonly attempt: <T>(work: (line: Statements) => Promise<T>) => Promise<T>;
  /** Single statements that must not wait for reports. */
  readonly urgent: <T>(work: (send: Send) => Promise<T>) => Promise<T>;
  /** One transaction, as urgent; throw `new Rollback(answer)` to undo it and answer all the same. `work` may run again. */
  readonly transaction: <T>(work: (send: Send) => Promise<T>) => Promise<T>;
  /** Milliseconds that one statement takes, waiting for a connection included; throws DatabaseAway. */
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
 * otherwise (`?sslmode=disable | require | verify-full`). Values of a `bigint` column come as numbers.
 */
export const connect = (url: string, options: DatabaseOptions = {}): Database => {
  const connectionOptions = toConnectionOptions(url, options);
  const forReports = createLines(url, connectionOptions, options.connections ?? CONNECTIONS_FOR_REPORTS);
  const forDecisions = createLines(url, connectionOptions, CONNECTIONS_FOR_DECISIONS);
  const counters = { underWay: 0, underWayMax: 0, done: 0, failed: 0, away: 0, retried: 0, totalMs: 0 };

  const counted = async <T>(work: () => Promise<T>): Promise<T> => {
    const begunAt = performance.now();
    counters.underWay += 1;
    counters.underWayMax = Math.max(counters.underWayMax, counters.underWay);
    try {
      const answer = await tryAgain(work, () => {
        counters.retried += 1;
      });
      counters.done += 1;
      return answer;
    } catch (error) {
      counters.failed += 1;
      if (error instanceof DatabaseAway) counters.away += 1;
      throw error;
    } finally {
      counters.underWay -= 1;
      counters.totalMs += performance.now() - begunAt;
    }
  };

  return {
    attempt: (work) => counted(() => onSharedLine(forReports, work)),
    urgent: (work) => counted(() => onOwnLine(forDecisions, work)),
    transaction: (work) => counted(() => onOwnLine(forDecisions, (send) => inTransaction(send, work))),
    ping: async () => {
      const begunAt = performance.now();
      await counted(() => onSharedLine(forReports, ({ sql }) => sql`select 1`));
      return performance.now() - begunAt;
    },
    counters: () => ({ ...counters, connectionsLost: forReports.lost() + forDecisions.lost() }),
    options: (overrides) => ({ ...connectionOptions, ...overrides, url }),
    close: async () => {
      await Promise.all([forReports.close(), forDecisions.close()]);
    },
  };
};

const tryAgain = async <T>(work: () => Promise<T>, onRetry: () => void): Promise<T> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (classifyError(error) !== "retry" || attempt === WORK_ATTEMPTS_MAX) throw toDatabaseAway(error);
      onRetry();
      await pause(RETRY_PAUSE_MS * 2 ** attempt * (0.5 + Math.random()));
    }
  }
};

const onSharedLine = async <T>(lines: Lines, work: (line: Line) => Promise<T>): Promise<T> => {
  const line = lines.pick();
  line.inUse += 1;
  try {
    return await within(WORK_TIMEOUT_MS, work(line));
  } catch (error) {
    if (classifyError(error) === "lost") line.isLost = true;
    throw error;
  } finally {
    line.inUse -= 1;
  }
};

// Once it is lost, nothing more is sent on a line: the driver would dial again, and the rest of a transaction would be done without it.
const onOwnLine = async <T>(lines: Lines, work: (send: Send) => Promise<T>): Promise<T> => {
  const line = await lines.take();
  const send: Send = <T extends readonly (object | undefined)[]>(
    template: TemplateStringsArray,
    ...parameters: readonly (postgres.SerializableParameter<number> | null)[]
  ) => {
    if (line.isLost) return Promise.reject(unanswered("The connection was lost within a unit of work."));
    return line.sql<T>(template, ...parameters).execute();
  };
  try {
    return await within(WORK_TIMEOUT_MS, work(send));
  } catch (error) {
    if (classifyError(error) === "lost") line.isLost = true;
    throw error;
  } finally {
    lines.giveBack(line);
  }
};

const inTransaction = async <T>(send: Send, work: (send: Send) => Promise<T>): Promise<T> => {
  await send`begin`;
  try {
    const answer = await work(send);
    await send`commit`;
    return answer;
  } catch (error) {
    // The server rolls back by itself what was begun on a lost connection.
    if (classifyError(error) !== "lost") await send`rollback`;
    if (error instanceof Rollback) return error.answer as T;
    throw error;
  }
};

const toConnectionOptions = (url: string, options: DatabaseOptions): ConnectionOptions => ({
  connect_timeout: options.connectTimeoutSeconds ?? CONNECT_TIMEOUT_SECONDS,
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

// By hand, because a URL may name several hosts with ports, which the URL class refuses.
const needsTls = (url: string): boolean => {
  if (/[?&](sslmode|ssl|sslrootcert)=/.test(url)) return false;
  const hosts = /^[^:]+:\/\/(?:[^/?]*@)?([^/?]*)/.exec(url)?.[1]?.split(",") ?? [];
  return hosts.some((host) => !["", "localhost", "127.0.0.1", "[::1]"].includes(host.replace(/:\d+$/, "")));
};
