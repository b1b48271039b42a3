/**
 * How this process ends: the order as a table, one budget a step, and a forced end. Every step is logged with its time; one that takes too long
 * is left behind, because what comes after it matters too. Nothing that was answered is lost by any of it, not even by the forced end.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";

/** Top to bottom. `msMax` is how long a step is waited for. */
export const SHUTDOWN_ORDER = [
  { step: "not-ready", msMax: 250, why: "balancers and agents go elsewhere before anything is refused" },
  { step: "door", msMax: 250, why: "no new connection; event streams end and come back elsewhere" },
  {
    step: "leading",
    msMax: 8_000,
    why: "the batch under way is finished, or left to the outbox; only then the lease is given back",
  },
  { step: "requests", msMax: 2_500, why: "what was asked is answered, while the database is still there" },
  { step: "outside", msMax: 500, why: "calls to Route 53 have ended with the batch" },
  { step: "database", msMax: 1_500, why: "statements end, connections close" },
  { step: "database-server", msMax: 4_000, why: "the embedded Postgres writes its last checkpoint" },
] as const;

export type ShutdownStep = (typeof SHUTDOWN_ORDER)[number]["step"];

/** After this the process ends whatever hangs. */
export const SHUTDOWN_MS_MAX = SHUTDOWN_ORDER.reduce((sum, { msMax }) => sum + msMax, 0);

export interface Shutdown {
  /** Stopped in that step; within a step the last one added goes first. */
  readonly add: (step: ShutdownStep, stop: () => Promise<unknown> | unknown) => void;
  /** Never throws. May be called again: it is the same end. */
  readonly run: () => Promise<void>;
}

interface Step {
  readonly step: ShutdownStep;
  readonly msMax: number;
}

export const createShutdown = ({
  log,
  order = SHUTDOWN_ORDER,
}: {
  readonly log: Logger;
  readonly order?: readonly Step[];
}): Shutdown => {
  const stops = new Map<ShutdownStep, (() => Promise<unknown> | unknown)[]>();
  let running: Promise<void> | null = null;

  const stopAll = async (step: ShutdownStep): Promise<"done"> => {
    for (const stop of (stops.get(step) ?? []).toReversed())
      await Promise.resolve()
        .then(stop)
        .catch((error: unknown) => log.warn({ err: error, step }, "a part did not stop cleanly"));
    return "done";
  };

  const run = async (): Promise<void> => {
    for (const { step, msMax } of order) {
      if (!stops.has(step)) continue;
      const begunAt = performance.now();
      const timer = new AbortController();
      const end = await Promise.race([stopAll(step), sleep(msMax, "late" as const, { signal: timer.signal })]);
      timer.abort();
      const facts = { step, tookMs: Math.round(performance.now() - begunAt) };
      if (end === "done") log.info(facts, "stopped");
      else log.warn({ ...facts, msMax }, "this step takes too long and is left behind");
    }
  };

  return {
    add: (step, stop) => stops.set(step, [...(stops.get(step) ?? []), stop]),
    run: () => {
      running ??= run();
      return running;
    },
  };
};

/** Ctrl-C reaches a process by its terminal and by its supervisor: signals this close together are one. */
const SAME_SIGNAL_MS = 1_000;

export interface EndingDeps {
  readonly log: Logger;
  readonly stop: () => Promise<void>;
  /** Ends the process. */
  readonly exit: (code: number) => void;
  /** What the process ends with when all went well. */
  readonly exitCode: () => number;
  readonly monotonic?: () => number;
  readonly msMax?: number;
}

/** What a supervisor's end is told as. It follows its own SIGTERM at any time after, and is never a person who asks again. */
export const SUPERVISOR_GONE = "supervisor gone";

/** What to call with each signal: the first one stops in order, the second ends at once, and so does the deadline. */
export const createEnding = (deps: EndingDeps): ((why: string) => void) => {
  const { log, exit, monotonic = () => performance.now(), msMax = SHUTDOWN_MS_MAX } = deps;
  let askedAt: number | null = null;
  return (why) => {
    if (askedAt !== null) {
      if (why === SUPERVISOR_GONE || monotonic() - askedAt < SAME_SIGNAL_MS) return;
      log.error({ why }, "asked again to stop: ending at once");
      exit(1);
      return;
    }
    askedAt = monotonic();
    log.info({ why, msMax }, "stopping");
    setTimeout(() => {
      log.error({ msMax }, "the time to stop is over: ending now");
      exit(1);
    }, msMax).unref();
    void deps.stop().then(
      () => exit(deps.exitCode()),
      () => exit(1),
    );
  };
};
