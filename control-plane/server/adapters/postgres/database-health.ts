/**
 * Whether the database serves decisions, for the doors and the mode. Asked on the decisions' connections, past the guard: a flood of reports
 * that makes only reports wait is no reason to decide nothing. Asked once at a time and once a second, whoever asks and how often: a door
 * that is open to anybody must not take a connection for each who knocks.
 */
import type { Instant } from "@regent/contract";
import type { PoolView } from "../../ports/outside-view.ts";
import type { Database } from "./database.ts";
import { codeOf } from "./errors.ts";
import { HEALTH_KEPT_MS } from "./limits.ts";
import { needWritable } from "./writable.ts";

export interface DatabaseLook {
  readonly isUp: boolean;
  /** Null when it isn't up. */
  readonly latencyMs: number | null;
  /** Connections that are open now, for reports and for decisions. */
  readonly poolSize: number;
  /** A sentence with a code, never the server's words: they may quote hosts and users. Null when it is up. */
  readonly why: string | null;
  readonly pool: PoolView;
}

export interface DatabaseHealthOptions {
  readonly database: Database;
  readonly pool: (now: Instant) => PoolView;
  readonly now: () => Instant;
  readonly monotonic?: () => number;
}

type Answer = Pick<DatabaseLook, "isUp" | "latencyMs" | "why">;

/** Never throws. */
export const createDatabaseHealth = (options: DatabaseHealthOptions): (() => Promise<DatabaseLook>) => {
  const { database, pool, now, monotonic = () => performance.now() } = options;
  let last: Promise<Answer> | null = null;
  let freshUntil = Number.POSITIVE_INFINITY;

  const look = async (): Promise<Answer> => {
    freshUntil = Number.POSITIVE_INFINITY;
    const answer = await ask(database);
    freshUntil = monotonic() + HEALTH_KEPT_MS;
    return answer;
  };

  return async () => {
    if (last === null || monotonic() >= freshUntil) last = look();
    const answer = await last;
    const view = pool(now());
    return { ...answer, poolSize: view.reports.size + view.decisions.size, pool: view };
  };
};

const ask = async (database: Database): Promise<Answer> => {
  try {
    return { isUp: true, latencyMs: Math.round((await needWritable(database)) * 10) / 10, why: null };
  } catch (error) {
    return { isUp: false, latencyMs: null, why: `The database is away (${codeOf(error) ?? "unknown"}).` };
  }
};
