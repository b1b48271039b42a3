/**
 * Looks at the database and at our connections, at an interval: asks for an answer, tends the connections, and says how well it goes.
 * While it isn't well it looks every second, so that recovery is seen as soon as failure was.
 */
import type { Instant } from "@regent/contract";
import type { PoolView } from "../../ports/outside-view.ts";
import type { Database } from "./database.ts";
import { within } from "./deadline.ts";
import { codeOf } from "./errors.ts";
import { LOOK_AGAIN_MS, LOOK_TIMEOUT_MS, POOL_THRESHOLDS } from "./limits.ts";
import { afterLook, createPoolHealth, type PoolHealth, type PoolThresholds } from "./pool-health.ts";

export interface PoolMonitorOptions {
  readonly database: Database;
  readonly everyMs: number;
  readonly thresholds?: Partial<PoolThresholds>;
  readonly onChange?: (change: {
    readonly before: PoolHealth["state"];
    readonly state: PoolHealth["state"];
    readonly lastError: string | null;
  }) => void;
}

export interface PoolMonitor {
  readonly start: () => void;
  readonly stop: () => void;
  /** Now, unless somebody else is looking already. Milliseconds until the answer, or null; never throws. */
  readonly look: () => Promise<number | null>;
  /** `now` is the instant that times are told by. */
  readonly view: (now: Instant) => PoolView;
}

export const createPoolMonitor = ({ database, everyMs, thresholds, onChange }: PoolMonitorOptions): PoolMonitor => {
  const limits = { ...POOL_THRESHOLDS, ...thresholds };
  let health = createPoolHealth(performance.now());
  let checkedAt: number | null = null;
  let lastError: string | null = null;
  let looking: Promise<number | null> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let isStopped = false;

  const ask = async (): Promise<number | null> => {
    try {
      return await within(LOOK_TIMEOUT_MS, database.ping());
    } catch (error) {
      lastError = codeOf(error) ?? (error instanceof Error ? error.name : "unknown");
      return null;
    }
  };
  const lookOnce = async (): Promise<number | null> => {
    const answeredMs = await ask();
    // A database that doesn't answer needs no tending: each line would wait for its own deadline.
    if (answeredMs !== null) await database.tend();
    const { reports, decisions, responseMsP95, held } = database.pool();
    const isQueueing = decisions.waiting > 0 || (reports.size >= reports.max && reports.waiting > reports.max);
    const before = health.state;
    const look = { hasAnswered: answeredMs !== null, p95Ms: responseMsP95, isQueueing, held };
    health = afterLook(health, look, performance.now(), limits);
    checkedAt = performance.now();
    if (before !== health.state) onChange?.({ before, state: health.state, lastError });
    return answeredMs;
  };
  const look = (): Promise<number | null> => {
    looking ??= lookOnce().finally(() => {
      looking = null;
    });
    return looking;
  };
  const lookAfter = (ms: number): void => {
    timer = setTimeout(async () => {
      await look();
      if (!isStopped) lookAfter(health.state === "healthy" ? everyMs : Math.min(everyMs, LOOK_AGAIN_MS));
    }, ms);
    timer.unref();
  };

  return {
    start: () => lookAfter(everyMs),
    stop: () => {
      isStopped = true;
      if (timer !== null) clearTimeout(timer);
    },
    look,
    view: (now) => {
      const toInstant = (at: number): Instant => Math.round(now - (performance.now() - at));
      return {
        ...database.pool(),
        state: health.state,
        since: toInstant(health.since),
        checkedAt: checkedAt === null ? null : toInstant(checkedAt),
        lastError,
      };
    },
  };
};
