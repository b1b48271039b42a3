/**
 * Connections to Postgres, one driver client each, replaced when lost.
 *
 * Why not the driver's own pool and transactions: when a connection is lost, 3.4.9 (seen, each with a test run) throws from a timer out of
 * `begin`, never hands out a reservation that needs a new connection, and leaves connections behind on which every later statement times
 * out. A client of one connection that is thrown away at its first loss has none of these states.
 */
import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import type { LaneView } from "../../ports/outside-view.ts";
import { within } from "./deadline.ts";
import { GROW_AGAIN_MS, LINE_AGE_MS_MAX, LINE_CLOSE_SECONDS } from "./limits.ts";

export type Sql = postgres.Sql<{ bigint: number }>;
export type ConnectionOptions = postgres.Options<{ bigint: postgres.PostgresType<number> }>;

export interface Line {
  readonly sql: Sql;
  readonly orm: PostgresJsDatabase;
  readonly openedAt: number;
  /** Units of work that use it now. */
  inUse: number;
  isLost: boolean;
  /** Postgres has let it in; before that nothing can have been done on it. */
  isGreeted: boolean;
  /** Postgres had no room for it: it goes, and no other is opened for a while. */
  isRefused: boolean;
  /** When work was last put on it; null before the first, when nothing is dialled yet. */
  usedAt: number | null;
}

/** How many lines there may be: `min` are kept, more are opened while all are in use, up to `max`, and closed again when idle. */
export interface LineBounds {
  readonly min: number;
  readonly max: number;
}

export interface Lines {
  /** The one with the least work; statements of several units of work follow each other on it. */
  readonly pick: () => Line;
  /** One that nobody else uses until it is given back, in the order of asking. */
  readonly take: () => Promise<Line>;
  readonly giveBack: (line: Line) => void;
  readonly lost: () => number;
  readonly view: () => LaneView;
  /** Closes lines that were idle for `idleMs`, down to the least. */
  readonly shrink: (idleMs: number) => void;
  /** Asks each idle line, one after the other, and replaces those that don't answer: so that no work is the first to meet a dead one. */
  readonly checkIdle: (timeoutMs: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Nothing is dialled before a line's first statement. */
export const createLines = (url: string, options: ConnectionOptions, bounds: LineBounds): Lines => {
  const lines = Array.from({ length: bounds.min }, () => openLine(url, options));
  const waiting: ((line: Line) => void)[] = [];
  let lost = 0;
  let waitingMax = 0;
  let isClosed = false;
  let growsFrom = Number.NEGATIVE_INFINITY;

  /** Work must not meet the same refusal again on a line that nobody needs: those that stand serve it, later. */
  const dropRefused = (): void => {
    for (let index = lines.length - 1; index >= 0 && lines.length > bounds.min; index -= 1) {
      const line = lines[index] as Line;
      if (!line.isRefused) continue;
      lines.splice(index, 1);
      void line.sql.end({ timeout: 0 });
      growsFrom = performance.now() + GROW_AGAIN_MS;
    }
  };

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
    dropRefused();
    let best = renew(0);
    for (let index = 1; index < lines.length && best.inUse > 0; index += 1) {
      const each = renew(index);
      if (each.inUse < best.inUse) best = each;
    }
    if (best.inUse === 0 || lines.length >= bounds.max || performance.now() < growsFrom || isClosed) return best;
    const line = openLine(url, options);
    lines.push(line);
    return line;
  };

  const behindOthers = (): number => waiting.length + lines.reduce((sum, { inUse }) => sum + Math.max(0, inUse - 1), 0);
  const use = (line: Line): Line => {
    line.usedAt = performance.now();
    return line;
  };
  const giveBack = (given: Line): void => {
    given.inUse = 0;
    // A line that was replaced while in use comes back without a place: then there may be none to hand on.
    while (waiting.length > 0) {
      const line = leastUsed();
      if (line.inUse > 0) return;
      line.inUse = 1;
      waiting.shift()?.(use(line));
    }
  };

  return {
    pick: () => {
      // Whoever picks is one more.
      const line = use(leastUsed());
      if (line.inUse > 0) waitingMax = Math.max(waitingMax, behindOthers() + 1);
      return line;
    },
    take: async () => {
      const line = leastUsed();
      if (line.inUse > 0)
        return new Promise<Line>((resolve) => {
          waiting.push(resolve);
          waitingMax = Math.max(waitingMax, waiting.length);
        });
      line.inUse = 1;
      return use(line);
    },
    giveBack,
    lost: () => lost,
    view: () => ({
      ...bounds,
      size: lines.length,
      inUse: lines.filter(({ inUse }) => inUse > 0).length,
      waiting: behindOthers(),
      waitingMax,
    }),
    shrink: (idleMs) => {
      const before = performance.now() - idleMs;
      for (let index = lines.length - 1; index >= 0 && lines.length > bounds.min; index -= 1) {
        const line = lines[index] as Line;
        if (line.inUse > 0 || (line.usedAt ?? line.openedAt) > before) continue;
        lines.splice(index, 1);
        void line.sql.end({ timeout: LINE_CLOSE_SECONDS });
      }
    },
    checkIdle: async (timeoutMs) => {
      for (const line of [...lines]) {
        if (isClosed || line.inUse > 0 || line.isLost || line.usedAt === null || !lines.includes(line)) continue;
        line.inUse = 1;
        await within(timeoutMs, line.sql`select 1`).catch(() => {
          line.isLost = true;
        });
        // Shared lines may have got work meanwhile; the others may have somebody waiting.
        if (line.inUse > 1) line.inUse -= 1;
        else giveBack(line);
      }
    },
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
    // The first thing that a server says to whom it has let in.
    onparameter: () => {
      line.isGreeted = true;
    },
  });
  // drizzle makes its client pass JSON and times as text: every client gets it at once, so that raw statements always meet the same one.
  const line: Line = {
    sql,
    orm: drizzle(sql),
    openedAt: performance.now(),
    inUse: 0,
    isLost: false,
    isGreeted: false,
    isRefused: false,
    usedAt: null,
  };
  return line;
};
