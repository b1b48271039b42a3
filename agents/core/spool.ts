/**
 * Observations that were too old to be evidence before they could be delivered: they go out later as history. No I/O.
 * Bounded in bytes and age. When it is full, steady observations go before transitions, the oldest first; every drop is counted.
 */
import type { TimedObservation } from "./probe-result.ts";

export interface SpoolBounds {
  readonly bytesMax: number;
  readonly ageMaxMs: number;
}

export interface Spool {
  readonly add: (entries: readonly TimedObservation[], now: number) => void;
  /** Removes and returns the newest first. */
  readonly takeNewest: (room: { count: number; bytes: number }, now: number) => readonly TimedObservation[];
  readonly size: () => number;
  readonly dropped: () => number;
  /** Less than a tenth of its bytes are free. */
  readonly isNearlyFull: () => boolean;
  /** Oldest first, for a runtime that keeps it on disk. */
  readonly entries: () => readonly TimedObservation[];
}

/** Bytes that an observation takes in a report; facts may hold any character. */
export const bytesOf = ({ target, result }: TimedObservation): number =>
  encoder.encode(JSON.stringify(result)).length + target.length + ENVELOPE_BYTES;

const encoder = new TextEncoder();
const ENVELOPE_BYTES = 60;

export const createSpool = ({ bytesMax, ageMaxMs }: SpoolBounds): Spool => {
  let transitions: TimedObservation[] = [];
  let steady: TimedObservation[] = [];
  let bytes = 0;
  let dropped = 0;

  const dropOldest = (): void => {
    const gone = steady.length > 0 ? steady.shift() : transitions.shift();
    if (gone === undefined) return;
    bytes -= bytesOf(gone);
    dropped += 1;
  };

  const dropOld = (now: number): void => {
    const isYoung = (entry: TimedObservation): boolean => now - entry.at <= ageMaxMs;
    if ([steady[0], transitions[0]].every((oldest) => oldest === undefined || isYoung(oldest))) return;
    const before = steady.length + transitions.length;
    steady = steady.filter(isYoung);
    transitions = transitions.filter(isYoung);
    dropped += before - steady.length - transitions.length;
    bytes = [...steady, ...transitions].reduce((sum, entry) => sum + bytesOf(entry), 0);
  };

  const takeOne = (bytesLeft: number): TimedObservation | undefined => {
    const from = (steady.at(-1)?.at ?? -Infinity) > (transitions.at(-1)?.at ?? -Infinity) ? steady : transitions;
    const newest = from.at(-1);
    if (newest === undefined || bytesOf(newest) > bytesLeft) return undefined;
    bytes -= bytesOf(newest);
    return from.pop();
  };

  return {
    add: (entries, now) => {
      for (const entry of entries) {
        insert(entry.isTransition ? transitions : steady, entry);
        bytes += bytesOf(entry);
      }
      dropOld(now);
      while (bytes > bytesMax) dropOldest();
    },
    takeNewest: ({ count, bytes: room }, now) => {
      dropOld(now);
      const taken: TimedObservation[] = [];
      let left = room;
      while (taken.length < count) {
        const entry = takeOne(left);
        if (entry === undefined) break;
        left -= bytesOf(entry);
        taken.push(entry);
      }
      return taken;
    },
    size: () => steady.length + transitions.length,
    dropped: () => dropped,
    isNearlyFull: () => bytes > bytesMax * 0.9,
    entries: () => [...steady, ...transitions].sort((a, b) => a.at - b.at),
  };
};

/** Lists stay ordered by time; nearly every entry is the newest, so the search from the end is short. */
const insert = (list: TimedObservation[], entry: TimedObservation): void => {
  let i = list.length;
  while (i > 0 && list[i - 1]!.at > entry.at) i -= 1;
  list.splice(i, 0, entry);
};
