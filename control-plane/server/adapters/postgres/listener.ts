/**
 * Hears what other replicas notify, on a connection of its own that is made again when it is lost. What was said while nobody listened is
 * gone, so after every reconnection each callback is called with "": anything may have changed, read all of it again.
 */
import postgres from "postgres";
import type { Database } from "./database.ts";
import { within } from "./deadline.ts";
import { toDatabaseAway } from "./errors.ts";
import { LISTEN_CHECK_MS, LISTEN_PAUSE_MS_MAX, LISTEN_PAUSE_MS_MIN } from "./limits.ts";

export const EVIDENCE_CHANNEL = "regent_evidence";
export const CONFIGURATION_CHANNEL = "regent_configuration";
type Channel = typeof EVIDENCE_CHANNEL | typeof CONFIGURATION_CHANNEL;

export interface Listener {
  /** Resolves once it listens; throws DatabaseAway when it can't. Answers how to stop. */
  readonly listen: (channel: Channel, callback: (payload: string) => void) => Promise<() => Promise<void>>;
  readonly close: () => Promise<void>;
}

interface Session {
  readonly sql: postgres.Sql;
  isLost: boolean;
}

export const createListener = (database: Database): Listener => {
  const callbacksByChannel = new Map<string, Set<(payload: string) => void>>();
  let session: Session | null = null;
  let opening: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let isClosed = false;

  const tell = (channel: string, payload: string): void => {
    for (const callback of callbacksByChannel.get(channel) ?? []) callback(payload);
  };

  const open = async (): Promise<void> => {
    const opened = openSession(database, tell, () => lose(opened));
    try {
      for (const channel of [EVIDENCE_CHANNEL, CONFIGURATION_CHANNEL]) await opened.sql.unsafe(`listen ${channel}`);
      if (isClosed || opened.isLost) throw new Error("The listening connection was lost at once.");
      session = opened;
      watch(opened, LISTEN_CHECK_MS);
    } catch (error) {
      opened.isLost = true;
      void opened.sql.end({ timeout: 0 });
      throw toDatabaseAway(error);
    }
  };

  const watch = (watched: Session, afterMs: number): void => {
    timer = setTimeout(async () => {
      await within(afterMs, watched.sql`select 1`).catch(() => lose(watched));
      if (!watched.isLost) watch(watched, afterMs);
    }, afterMs);
    timer.unref();
  };

  const lose = (lost: Session): void => {
    if (lost.isLost) return;
    lost.isLost = true;
    void lost.sql.end({ timeout: 0 });
    if (lost !== session || isClosed) return;
    session = null;
    if (timer !== null) clearTimeout(timer);
    listenAgain(LISTEN_PAUSE_MS_MIN);
  };

  const listenAgain = (pauseMs: number): void => {
    timer = setTimeout(async () => {
      if (isClosed) return;
      try {
        await ensureOpen();
        for (const channel of callbacksByChannel.keys()) tell(channel, "");
      } catch {
        listenAgain(Math.min(pauseMs * 2, LISTEN_PAUSE_MS_MAX));
      }
    }, pauseMs);
    timer.unref();
  };

  const ensureOpen = (): Promise<void> => {
    if (session !== null) return Promise.resolve();
    opening ??= open().finally(() => {
      opening = null;
    });
    return opening;
  };

  return {
    listen: async (channel, callback) => {
      await ensureOpen();
      const callbacks = callbacksByChannel.get(channel) ?? new Set();
      callbacksByChannel.set(channel, callbacks);
      callbacks.add(callback);
      return async () => {
        callbacks.delete(callback);
      };
    },
    close: async () => {
      isClosed = true;
      if (timer !== null) clearTimeout(timer);
      await opening?.catch(() => undefined);
      await session?.sql.end({ timeout: 0 });
      session = null;
    },
  };
};

// The driver's own `listen` forgets its channels when a reconnection fails once; two statements on one connection are simpler to trust.
const openSession = (database: Database, tell: (channel: string, payload: string) => void, onLost: () => void): Session => {
  const { url, ...options } = database.options({ max: 1, max_lifetime: null, onclose: () => onLost() });
  const withNotify: object = { ...options, onnotify: tell };
  return { sql: postgres(url, withNotify), isLost: false };
};
