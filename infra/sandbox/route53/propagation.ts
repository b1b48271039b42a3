/**
 * When each name server shows each change. No timers: a server's view moves on when it is asked and the time has come,
 * so that the same clock and the same questions always give the same answers.
 */
import { z } from "zod";
import { DELAY_MS_MAX, NAME_SERVERS_MAX } from "../limits.ts";
import type { Records } from "./model.ts";

const Delay = z.number().min(0).max(DELAY_MS_MAX);

/** Delay from the accepted batch to the answer: a range drawn per server and change, or one number per server. Milliseconds. */
export const Propagation = z.union([
  z.strictObject({ minMs: Delay, maxMs: Delay }).refine((range) => range.minMs <= range.maxMs, "minMs is above maxMs"),
  z.strictObject({ perServerMs: z.array(Delay).min(1).max(NAME_SERVERS_MAX) }),
]);
export type Propagation = z.infer<typeof Propagation>;

/** One delay for each server, drawn from the range or as listed; the last of the list counts for all further servers. */
export const drawDelays = (propagation: Propagation, servers: number, random: () => number): readonly number[] => {
  if ("perServerMs" in propagation) {
    const { perServerMs } = propagation;
    return Array.from({ length: servers }, (_, index) => perServerMs[index] ?? perServerMs.at(-1)!);
  }
  const { minMs, maxMs } = propagation;
  return Array.from({ length: servers }, () => minMs + (maxMs - minMs) * random());
};

interface Pending {
  readonly changeId: string;
  readonly records: Records;
  readonly submittedAt: number;
  appliesAt: number[];
  readonly isPinned: boolean;
}

/** The versions of one zone on their way to the name servers. */
export interface Timeline {
  readonly push: (version: {
    changeId: string;
    records: Records;
    submittedAt: number;
    delaysMs: readonly number[];
    isPinned: boolean;
  }) => void;
  /** What server `index` (from 0) answers from at `now`. */
  readonly at: (index: number, now: number) => Records;
  readonly isPending: (changeId: string, now: number) => boolean;
  /** New delays for everything that hasn't arrived; pinned versions (of a fault) only if `withPinned`. */
  readonly reschedule: (delaysMs: readonly number[], withPinned: boolean) => void;
}

export const createTimeline = (servers: number, initial: Records): Timeline => {
  const shown: Records[] = Array.from({ length: servers }, () => initial);
  const reached: number[] = Array.from({ length: servers }, () => 0);
  let first = 0;
  let queue: Pending[] = [];

  // Positions count from the first version ever pushed; `first` is the position of queue[0].
  // A server takes them in order: one that isn't due yet keeps all later ones waiting.
  const advance = (index: number, now: number): void => {
    for (let position = Math.max(reached[index]!, first); position < first + queue.length; position++) {
      const version = queue[position - first]!;
      if (version.appliesAt[index]! > now) return;
      shown[index] = version.records;
      reached[index] = position + 1;
    }
  };
  const settle = (now: number): void => {
    for (let index = 0; index < servers; index++) advance(index, now);
    const everywhere = Math.min(...reached) - first;
    if (everywhere > 0) {
      queue = queue.slice(everywhere);
      first += everywhere;
    }
  };
  const arrivals = (delaysMs: readonly number[], submittedAt: number): number[] => delaysMs.map((delay) => submittedAt + delay);

  return {
    push: ({ changeId, records, submittedAt, delaysMs, isPinned }) => {
      settle(submittedAt);
      queue.push({ changeId, records, submittedAt, appliesAt: arrivals(delaysMs, submittedAt), isPinned });
    },
    at: (index, now) => {
      if (queue.length > 0) advance(index, now);
      return shown[index]!;
    },
    isPending: (changeId, now) => {
      settle(now);
      return queue.some((version) => version.changeId === changeId);
    },
    reschedule: (delaysMs, withPinned) => {
      for (const version of queue)
        if (!version.isPinned || withPinned) version.appliesAt = arrivals(delaysMs, version.submittedAt);
    },
  };
};
