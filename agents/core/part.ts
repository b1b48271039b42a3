/** The contents of one report: built within the contract's bounds, ages filled in when it is signed. No I/O. */
import type { Observation, Unchanged } from "@regent/contract";
import { BACKFILL_PER_REPORT_MAX, PART_BYTES_MAX, UNCHANGED_BYTES } from "./limits.ts";
import { ageMs, type TimedObservation, toObservation } from "./probe-result.ts";
import { bytesOf } from "./spool.ts";
import { listingOf, type TrackedCheck } from "./tracked-check.ts";

export interface Part {
  /** Stays the same however often the part is sent, so that a copy that did arrive is recognised. */
  readonly sequence: number;
  readonly observations: readonly TimedObservation[];
  readonly unchanged: readonly TimedObservation[];
  readonly backfill: readonly TimedObservation[];
}

export interface PartLists {
  readonly observations: Observation[];
  readonly unchanged: Unchanged[];
  readonly backfill: { observation: Observation }[];
}

export const toLists = (part: Omit<Part, "sequence">, now: number): PartLists => ({
  observations: part.observations.map((entry) => toObservation(entry, now)),
  unchanged: part.unchanged.map(({ target, at, result }) => ({ target, ageMs: ageMs(at, now), latencyMs: result.latencyMs })),
  backfill: part.backfill.map((entry) => ({ observation: toObservation(entry, now) })),
});

export const isEmptyPart = ({ observations, unchanged, backfill }: Part): boolean =>
  observations.length + unchanged.length + backfill.length === 0;

/** It tells nothing of the present. */
export const isHistory = ({ observations, unchanged, backfill }: Part): boolean =>
  backfill.length > 0 && observations.length + unchanged.length === 0;

/** Who is served first where there is more than can be done at once: what the report says of itself in the header `regent-lane`. */
export const laneOf = (part: Part): "transition" | "live" | "backlog" => {
  if (isHistory(part)) return "backlog";
  return part.observations.some(({ isTransition }) => isTransition) ? "transition" : "live";
};

export interface PartBuilder {
  /** Moves what the check has to tell into the part; true when all of it found room. */
  readonly add: (check: TrackedCheck, isFull: boolean) => boolean;
  readonly room: () => { count: number; bytes: number };
  readonly build: (sequence: number, backfill: readonly TimedObservation[]) => Part;
}

/** `countMax` bounds each of the three lists. */
export const createPartBuilder = (countMax: number): PartBuilder => {
  const observations: TimedObservation[] = [];
  const unchanged: TimedObservation[] = [];
  let bytes = 0;

  const fits = (more: number): boolean => bytes + more <= PART_BYTES_MAX;

  const addFull = (entries: readonly TimedObservation[]): number => {
    for (const [index, entry] of entries.entries()) {
      const more = bytesOf(entry);
      if (observations.length >= countMax || !fits(more)) return index;
      observations.push(entry);
      bytes += more;
    }
    return entries.length;
  };

  const addAge = (entry: TimedObservation): boolean => {
    const more = entry.target.length + UNCHANGED_BYTES;
    if (unchanged.length >= countMax || !fits(more)) return false;
    unchanged.push(entry);
    bytes += more;
    return true;
  };

  return {
    add: (check, isFull) => {
      const listing = listingOf(check, isFull);
      switch (listing.kind) {
        case "none":
          return true;
        case "full": {
          const added = addFull(listing.entries);
          const isAll = added === listing.entries.length;
          // Either the pending ones were listed, or the newest, which stands for the repeats that are pending.
          if (listing.entries === check.pending) check.pending = check.pending.slice(added);
          else if (isAll) check.pending = [];
          return isAll;
        }
        case "age": {
          const isAdded = addAge(listing.entry);
          if (isAdded) check.pending = [];
          return isAdded;
        }
      }
    },
    room: () => ({ count: Math.min(countMax, BACKFILL_PER_REPORT_MAX), bytes: PART_BYTES_MAX - bytes }),
    build: (sequence, backfill) => ({ sequence, observations, unchanged, backfill }),
  };
};
