/**
 * Database time: keeps database-now minus this process' monotonic clock. Of the last samples the one with the shortest round trip is
 * believed; the database read its clock somewhere inside it, so the error is at most half of that round trip. A jump of the database's clock
 * is followed, as leases are judged by it, and told to whoever watches: `onStep`.
 */
import type { Clock, ClockStep } from "../../ports/clock.ts";
import type { Database } from "./database.ts";
import { CLOCK_REFRESH_MS, CLOCK_SAMPLES, CLOCK_STEP_MS } from "./limits.ts";

export interface ClockSample {
  /** Database-now minus monotonic, ms. */
  readonly offsetMs: number;
  readonly roundTripMs: number;
}

export interface DatabaseClock extends Required<Clock> {
  /** Takes the first samples; `now` throws before. Throws DatabaseAway. */
  readonly start: () => Promise<void>;
  readonly stop: () => void;
  /** Half the round trip of the believed sample, ms; and how long ago the last sample was taken, ms. */
  readonly accuracy: () => { readonly errorMs: number; readonly ageMs: number };
}

export const createDatabaseClock = (database: Database, refreshMs: number = CLOCK_REFRESH_MS): DatabaseClock => {
  let samples: readonly ClockSample[] = [];
  let believed: ClockSample | null = null;
  let sampledAt = 0;
  let lastNow = 0;
  let lastStep: ClockStep | null = null;
  let forwardMs = 0;
  const watchers: ((step: ClockStep) => void)[] = [];
  let timer: NodeJS.Timeout | null = null;

  const sample = async (): Promise<void> => {
    const taken = await takeSample(database);
    sampledAt = performance.now();
    samples = believeRecent([...samples, taken]);
    const best = shortestOf(samples);
    // After a step of the database's clock, time may go back: leases and timers are judged by that clock.
    const byMs = believed === null ? 0 : Math.round(best.offsetMs - believed.offsetMs);
    believed = best;
    if (Math.abs(byMs) <= CLOCK_STEP_MS) return;
    lastNow = 0;
    forwardMs += Math.max(0, byMs);
    const step = { at: now(), byMs };
    lastStep = step;
    for (const watcher of watchers) watcher(step);
  };

  const now = (): number => {
    if (believed === null) throw new Error("The database clock was read before it was started.");
    lastNow = Math.max(lastNow, Math.floor(performance.now() + believed.offsetMs));
    return lastNow;
  };

  return {
    now,
    lastStep: () => lastStep,
    onStep: (watcher) => void watchers.push(watcher),
    // Two clocks must agree that it is late, and what this one jumped forward doesn't count.
    surelyPast: () => Math.min(now() - forwardMs, Date.now()),
    monotonic: () => performance.now(),
    start: async () => {
      for (let taken = 0; taken < 3; taken += 1) await sample();
      // A failed refresh keeps the old offset: 100 ppm is better than no time at all.
      timer = setInterval(() => void sample().catch(() => undefined), refreshMs);
      timer.unref();
    },
    stop: () => {
      if (timer !== null) clearInterval(timer);
      timer = null;
    },
    accuracy: () => ({ errorMs: (believed?.roundTripMs ?? Infinity) / 2, ageMs: performance.now() - sampledAt }),
  };
};

/** The last CLOCK_SAMPLES; only the newest when it contradicts the others, which is a step and not a slow answer. Pure. */
export const believeRecent = (samples: readonly ClockSample[]): readonly ClockSample[] => {
  const newest = samples.at(-1);
  if (newest === undefined) return [];
  const agrees = (other: ClockSample): boolean =>
    Math.abs(other.offsetMs - newest.offsetMs) <= CLOCK_STEP_MS + (other.roundTripMs + newest.roundTripMs) / 2;
  return samples.filter(agrees).slice(-CLOCK_SAMPLES);
};

const shortestOf = (samples: readonly ClockSample[]): ClockSample =>
  samples.reduce((best, each) => (each.roundTripMs < best.roundTripMs ? each : best));

const takeSample = async (database: Database): Promise<ClockSample> => {
  return database.urgent(async (send) => {
    const sentAt = performance.now();
    const [row] = await send<{ now: number }[]>`
      select (extract(epoch from clock_timestamp()) * 1000)::double precision as now`;
    const roundTripMs = performance.now() - sentAt;
    if (row === undefined) throw new Error("The database did not tell its time.");
    return { offsetMs: row.now - (sentAt + roundTripMs / 2), roundTripMs };
  });
};
