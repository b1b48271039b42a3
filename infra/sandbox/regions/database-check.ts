/** Asks the region's own Postgres whether it can serve: one short query over a kept connection, shared by everybody who asks at once. */
import type postgres from "postgres";
import { DATABASE_CHECK_CACHE_MS, DATABASE_CHECK_MS_MAX } from "./limits.ts";

/** What the deep health answer says of the database. `ms` is the time the query took, in milliseconds. */
export type DatabaseFinding =
  | { readonly kind: "serving"; readonly ms: number }
  | { readonly kind: "read-only"; readonly ms: number }
  | { readonly kind: "unreachable"; readonly ms: number; readonly why: string };

export interface DatabaseCheck {
  /** The finding of now, at most 100 ms old. Takes at most 400 ms. Never rejects. */
  readonly ask: () => Promise<DatabaseFinding>;
  /** Drops what is remembered, so that the next answer shows a change just made. */
  readonly forget: () => void;
  readonly close: () => Promise<void>;
}

export const createDatabaseCheck = (connect: () => postgres.Sql): DatabaseCheck => {
  let sql: postgres.Sql | undefined;
  let shared: { readonly until: number; readonly finding: Promise<DatabaseFinding> } | undefined;

  // A failed connection is never reused: the client would wait between its own attempts and hide a database that is back.
  const drop = async (): Promise<void> => {
    const dropped = sql;
    sql = undefined;
    await dropped?.end({ timeout: 0 }).catch(() => undefined);
  };
  const ask = async (): Promise<DatabaseFinding> => {
    const startedAt = performance.now();
    const took = (): number => Math.round(performance.now() - startedAt);
    sql ??= connect();
    try {
      const isReadOnly = await within(DATABASE_CHECK_MS_MAX, isSessionReadOnly(sql));
      return { kind: isReadOnly ? "read-only" : "serving", ms: took() };
    } catch (error) {
      void drop();
      return { kind: "unreachable", ms: took(), why: reasonOf(error) };
    }
  };
  return {
    ask: () => {
      const now = performance.now();
      if (shared === undefined || shared.until < now) shared = { until: now + DATABASE_CHECK_CACHE_MS, finding: ask() };
      return shared.finding;
    },
    forget: () => {
      shared = undefined;
    },
    close: drop,
  };
};

const isSessionReadOnly = async (sql: postgres.Sql): Promise<boolean> => {
  const [row] = await sql<{ blocked: boolean }[]>`
    SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool AS blocked`;
  return row?.blocked ?? true;
};

/** The client's own deadline: a frozen server answers none of its own timeouts. */
const within = async <T>(ms: number, work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    // The loser of the race may still fail later; nobody listens to it any more.
    work.catch(() => undefined);
  }
};

/** A word that tells nothing about the host: the SQLSTATE or system code when there is one. */
const reasonOf = (error: unknown): string => {
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" ? code : error instanceof Error ? error.message : "unknown error";
};
