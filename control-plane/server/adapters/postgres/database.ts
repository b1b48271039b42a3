/**
 * How all Postgres adapters of one process reach the database: timeouts, classified errors, short transactions, counters. Reports and reads
 * share some connections, behind a guard; lease and decisions have their own and no guard, so that neither a flood of reports nor a breaker
 * ever delays a failover or costs the lead. What they hear from the database closes the guard's breaker for the others.
 */
import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import type postgres from "postgres";
import type { PoolView } from "../../ports/outside-view.ts";
import { createGuards, type Guard, type GuardOptions, GuardRefused } from "../guard/guards.ts";
import { retry } from "../guard/retry.ts";
import { unanswered, within } from "./deadline.ts";
import { classifyError, codeOf, DatabaseAway, NO_CONNECTION_SLOT, noRoom, toDatabaseAway } from "./errors.ts";
import {
  CONNECT_TIMEOUT_SECONDS,
  CONNECTIONS_FOR_DECISIONS,
  CONNECTIONS_FOR_REPORTS,
  CONNECTIONS_FOR_REPORTS_MIN,
  DATABASE_BREAKER,
  FIRST_CONNECT_PAUSE_MS,
  FIRST_CONNECT_PAUSE_MS_MAX,
  FIRST_CONNECT_TRIES_MAX,
  HELD_LOOK_MS,
  HELD_MS,
  IDLE_IN_TRANSACTION_TIMEOUT_MS,
  LINE_CHECK_MS,
  LINE_IDLE_MS,
  LOCK_TIMEOUT_MS,
  RETRY_PAUSE_MS,
  SHARED_WORK_MAX,
  STATEMENT_TIMEOUT_MS,
  WORK_ATTEMPTS_MAX,
  WORK_TIMEOUT_MS,
} from "./limits.ts";
import { type ConnectionOptions, createLines, type Line, type LineBounds, type Lines, type Sql } from "./lines.ts";
import { createWorkWatch, type HeldWork, type Work, type WorkLane } from "./work-watch.ts";

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
  /** Connections for reports and reads: always so many, or between two bounds. */
  readonly connections?: number | LineBounds;
  /** Where the guard of reports and reads is kept and seen; one of its own unless told. */
  readonly guard?: Guard;
  /** A unit of work that has its connection for longer is told of, once. */
  readonly heldMs?: number;
  readonly onHeld?: (held: HeldWork) => void;
  readonly onDone?: (done: { readonly lane: WorkLane; readonly ms: number; readonly hasFailed: boolean }) => void;
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
  /** Milliseconds that one statement takes, waiting for a connection included; asks whatever the guard says. Throws DatabaseAway. */
  readonly ping: () => Promise<number>;
  readonly counters: () => DatabaseCounters;
  readonly pool: () => Omit<PoolView, "state" | "since" | "checkedAt" | "lastError">;
  /** Replaces idle connections that are dead, and closes those that were idle for long. */
  readonly tend: () => Promise<void>;
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
  const forReports = createLines(url, connectionOptions, toBounds(options.connections));
  const forDecisions = createLines(url, connectionOptions, { min: CONNECTIONS_FOR_DECISIONS, max: CONNECTIONS_FOR_DECISIONS });
  const guard = options.guard ?? createGuards().get(DATABASE_GUARD);
  const watch = createWorkWatch(options.heldMs ?? HELD_MS, options.onHeld ?? (() => undefined));
  const sweeping = setInterval(watch.sweep, Math.min(HELD_LOOK_MS, options.heldMs ?? HELD_MS)).unref();
  const counters = { underWay: 0, underWayMax: 0, done: 0, failed: 0, away: 0, retried: 0, totalMs: 0 };

  const counted = async <T>(work: Work, run: () => Promise<T>): Promise<T> => {
    counters.underWay += 1;
    counters.underWayMax = Math.max(counters.underWayMax, counters.underWay);
    let hasFailed = true;
    try {
      const answer = await tryAgain(run, () => {
        counters.retried += 1;
      });
      counters.done += 1;
      hasFailed = false;
      return answer;
    } catch (error) {
      counters.failed += 1;
      if (error instanceof DatabaseAway) counters.away += 1;
      throw error;
    } finally {
      counters.underWay -= 1;
      const ms = performance.now() - work.begunAt;
      counters.totalMs += ms;
      watch.end(work);
      options.onDone?.({ lane: work.lane, ms, hasFailed });
    }
  };

  const attempt: Database["attempt"] = (run) => {
    const work = watch.begin("reports", attempt);
    return counted(work, () => guard.run({ work: () => onSharedLine(forReports, work, run) }));
  };
  const urgent: Database["urgent"] = (run) => {
    const work = watch.begin("decisions", urgent);
    return counted(work, () => heard(onOwnLine(forDecisions, work, run)));
  };
  const transaction: Database["transaction"] = (run) => {
    const work = watch.begin("decisions", transaction);
    return counted(work, () => heard(onOwnLine(forDecisions, work, (send) => inTransaction(send, run))));
  };
  const ping: Database["ping"] = async () => {
    const work = watch.begin("reports", ping);
    await counted(work, () => heard(onSharedLine(forReports, work, ({ sql }) => sql`select 1`)));
    return performance.now() - work.begunAt;
  };
  /** An answer is an answer, whoever asked. */
  const heard = async <T>(answer: Promise<T>): Promise<T> => {
    const value = await answer;
    guard.noteAnswer();
    return value;
  };

  return {
    attempt,
    urgent,
    transaction,
    ping,
    counters: () => ({ ...counters, connectionsLost: forReports.lost() + forDecisions.lost() }),
    pool: () => ({
      reports: forReports.view(),
      decisions: forDecisions.view(),
      responseMsP50: watch.quantileMs(0.5),
      responseMsP95: watch.quantileMs(0.95),
      held: watch.held(),
      heldEver: watch.heldEver(),
      connectionsLost: forReports.lost() + forDecisions.lost(),
    }),
    tend: async () => {
      forReports.shrink(LINE_IDLE_MS);
      await Promise.all([forReports.checkIdle(LINE_CHECK_MS), forDecisions.checkIdle(LINE_CHECK_MS)]);
    },
    options: (overrides) => ({ ...connectionOptions, ...overrides, url }),
    close: async () => {
      clearInterval(sweeping);
      await Promise.all([forReports.close(), forDecisions.close()]);
    },
  };
};

/** The guard of reports and reads. Only what is lost speaks against the database: what is busy or refused was answered. */
export const DATABASE_GUARD: GuardOptions = {
  name: "postgres",
  breaker: DATABASE_BREAKER,
  gate: { atOnce: SHARED_WORK_MAX, queue: 0 },
  isFailure: (error) => ["lost", "no-room"].includes(classifyError(error)),
};

/** Resolves once the database answers; tries for about 10 s, then throws DatabaseAway. For the start, when both may come up together. */
export const waitForDatabase = async (database: Database, onRetry: (error: unknown) => void): Promise<void> => {
  await retry(() => database.ping(), {
    triesMax: FIRST_CONNECT_TRIES_MAX,
    pauseMs: FIRST_CONNECT_PAUSE_MS,
    pauseMsMax: FIRST_CONNECT_PAUSE_MS_MAX,
    mayPass: (error) => error instanceof DatabaseAway,
    onRetry,
    // Never less than half: an average of nothing would be over before a server is up.
    random: () => 0.5 + Math.random() / 2,
  });
};

const toBounds = (connections: DatabaseOptions["connections"]): LineBounds => {
  if (typeof connections === "number") return { min: connections, max: connections };
  return connections ?? { min: CONNECTIONS_FOR_REPORTS_MIN, max: CONNECTIONS_FOR_REPORTS };
};

const tryAgain = async <T>(work: () => Promise<T>, onRetry: () => void): Promise<T> => {
  try {
    return await retry(work, {
      triesMax: WORK_ATTEMPTS_MAX,
      pauseMs: RETRY_PAUSE_MS * 3,
      mayPass: (error) => ["retry", "no-room"].includes(classifyError(error)),
      onRetry,
    });
  } catch (error) {
    if (error instanceof GuardRefused) throw new DatabaseAway(error.reason === "full" ? "GUARD_FULL" : "GUARD_OPEN", error);
    throw toDatabaseAway(error);
  }
};

const onSharedLine = async <T>(lines: Lines, work: Work, run: (line: Line) => Promise<T>): Promise<T> => {
  const line = lines.pick();
  line.inUse += 1;
  work.heldSince = performance.now();
  try {
    return await within(WORK_TIMEOUT_MS, run(line));
  } catch (error) {
    if (classifyError(error) === "lost") line.isLost = true;
    if (codeOf(error) === NO_CONNECTION_SLOT && !line.isGreeted) line.isRefused = true;
    if (line.isRefused) throw noRoom(error);
    throw error;
  } finally {
    work.heldSince = null;
    line.inUse -= 1;
  }
};

// Once it is lost, nothing more is sent on a line: the driver would dial again, and the rest of a transaction would be done without it.
const onOwnLine = async <T>(lines: Lines, work: Work, run: (send: Send) => Promise<T>): Promise<T> => {
  const line = await lines.take();
  work.heldSince = performance.now();
  const send: Send = <T extends readonly (object | undefined)[]>(
    template: TemplateStringsArray,
    ...parameters: readonly (postgres.SerializableParameter<number> | null)[]
  ) => {
    if (line.isLost) return Promise.reject(unanswered("The connection was lost within a unit of work."));
    work.statement = template;
    return line.sql<T>(template, ...parameters).execute();
  };
  try {
    return await within(WORK_TIMEOUT_MS, run(send));
  } catch (error) {
    if (classifyError(error) === "lost") line.isLost = true;
    throw error;
  } finally {
    work.heldSince = null;
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
