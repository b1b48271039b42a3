/**
 * Connections to Postgres, one driver client each, replaced when lost.
 *
 * Why not the driver's own pool and transactions: when a connection is lost, 3.4.9 (seen, each with a test run) throws from a timer out of
 * `begin`, never hands out a reservation that needs a new connection, and leaves connections behind on which every later statement times
 * out. A client of one connection that is thrown away at its first loss has none of these states.
 */
import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { LINE_AGE_MS_MAX, LINE_CLOSE_SECONDS } from "./limits.ts";

export type Sql = postgres.Sql<{ bigint: number }>;
export type ConnectionOptions = postgres.Options<{ bigint: postgres.PostgresType<number> }>;

export interface Line {
  readonly sql: Sql;
  readonly orm: PostgresJsDatabase;
  readonly openedAt: number;
  /** Units of work that use it now. */
  inUse: number;
  isLost: boolean;
}

export interface Lines {
  /** The one with the least work; statements of several units of work follow each other on it. */
  readonly pick: () => Line;
  /** One that nobody else uses until it is given back, in the order of asking. */
  readonly take: () => Promise<Line>;
  readonly giveBack: (line: Line) => void;
  readonly lost: () => number;
  readonly close: () => Promise<void>;
}

/** Nothing is dialled before a line's first statement. */
export const createLines = (url: string, options: ConnectionOptions, count: number): Lines => {
  const lines = Array.from({ length: count }, () => openLine(url, options));
  const waiting: ((line: Line) => void)[] = [];
  let lost = 0;
  let isClosed = false;

  const renew = (index: number): Line => {
    const old = lines[index] as Line;
    const isOld = old.inUse === 0 && performance.now() - old.openedAt > LINE_AGE_MS_MAX;
    if (isClosed || !(old.isLost || isOld)) return old;
    // What still waits on a lost line is refused at once; an old one is idle.
    void old.sql.end({ timeout: old.isLost ? 0 : LINE_CLOSE_SECONDS });
    if (old.isLost) lost += 1;
    const line = openLine(url, options);
    lines[index] = line;
    return line;
  };

  const leastUsed = (): Line => {
    let best = renew(0);
    for (let index = 1; index < count && best.inUse > 0; index += 1) {
      const each = renew(index);
      if (each.inUse < best.inUse) best = each;
    }
    return best;
  };

  return {
    pick: leastUsed,
    take: async () => {
      const line = leastUsed();
      if (line.inUse > 0) return new Promise<Line>((resolve) => waiting.push(resolve));
      line.inUse = 1;
      return line;
    },
    giveBack: (given) => {
      given.inUse = 0;
      // A line that was replaced while in use comes back without a place: then there may be none to hand on.
      for (let line = leastUsed(); waiting.length > 0 && line.inUse === 0; line = leastUsed()) {
        line.inUse = 1;
        waiting.shift()?.(line);
      }
    },
    lost: () => lost,
    close: async () => {
      isClosed = true;
      await Promise.all(lines.map((line) => line.sql.end({ timeout: LINE_CLOSE_SECONDS })));
    },
  };
};

const openLine = (url: string, options: ConnectionOptions): Line => {
  const sql = postgres(url, {
    ...options,
    max: 1,
    // Lines are renewed between units of work, never within one.
    max_lifetime: null,
    onclose: () => {
      line.isLost = true;
    },
  });
  // drizzle makes its client pass JSON and times as text: every client gets it at once, so that raw statements always meet the same one.
  const line: Line = { sql, orm: drizzle(sql), openedAt: performance.now(), inUse: 0, isLost: false };
  return line;
};
