/**
 * Plays a timeline: each act at its time, and whatever may still be broken at the end, however it ends, is mended. A failed act is told and the
 * others go on; a slow one (a server that starts) holds up only what is done to the same thing. Clock and hands are given. Called by
 * sandbox-play.ts.
 */
import type { Break } from "./sandbox-script-words.ts";
import { type Act, type BreakAct, keyOf, type Thing, type Timeline } from "./sandbox-timeline.ts";

/** What really breaks and mends. Both reject with a sentence when it was not done. */
export interface Hands {
  /** Answers what a Route 53 fault is ended by. */
  readonly break: (what: Break) => Promise<string | undefined>;
  /** @param faultIdOf of the break that made a Route 53 fault; undefined where it never came that far */
  readonly mend: (things: readonly Thing[], faultIdOf: (breakId: number) => string | undefined) => Promise<void>;
}

export interface PlayedAct {
  readonly act: Act;
  /** Of the start of the outage. */
  readonly beganMs: number;
  readonly tookMs: number;
  /** Why it was not done. */
  readonly failed: string | undefined;
}

export interface Played {
  /** In the order in which they were done. */
  readonly acts: readonly PlayedAct[];
  readonly isInterrupted: boolean;
  /** What the last mend could not mend; the sentence says why. */
  readonly left: { readonly things: readonly Thing[]; readonly why: string } | undefined;
}

export interface PlayDeps {
  readonly hands: Hands;
  /** Milliseconds, only growing. */
  readonly now: () => number;
  /** Resolves after so many ms, or at once when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onPlayed: (played: PlayedAct) => void;
  /** Ends the outage early. An act under way is finished, as half a break can't be mended. */
  readonly signal: AbortSignal;
}

export const playTimeline = async (timeline: Timeline, deps: PlayDeps): Promise<Played> => {
  const { hands, now, sleep, signal, onPlayed } = deps;
  const startedAt = now();
  const faultIds = new Map<number, string>();
  const broken = new Map<string, Thing>();
  const acts: PlayedAct[] = [];

  const doBreak = async ({ id, what, things }: BreakAct): Promise<void> => {
    // Counted as broken before it is: a call that failed may have arrived.
    for (const thing of things) broken.set(keyOf(thing), thing);
    const faultId = await hands.break(what);
    if (faultId !== undefined) faultIds.set(id, faultId);
  };
  const mend = async (things: readonly Thing[]): Promise<void> => {
    await hands.mend(things, (breakId) => faultIds.get(breakId));
    for (const thing of things) broken.delete(keyOf(thing));
  };
  const play = async (act: Act): Promise<void> => {
    const beganMs = now() - startedAt;
    const failed = await (act.kind === "break" ? doBreak(act) : mend(act.things)).then(() => undefined, sentenceOf);
    const played: PlayedAct = { act, beganMs, tookMs: now() - startedAt - beganMs, failed };
    acts.push(played);
    onPlayed(played);
  };

  const underWay = new Map<string, Promise<void>>();
  const start = (act: Act): Promise<void> => {
    const keys = act.things.map(keyOf);
    const before = keys.flatMap((key) => underWay.get(key) ?? []);
    const playing = before.length === 0 ? play(act) : Promise.all(before).then(() => play(act));
    for (const key of keys) underWay.set(key, playing);
    return playing;
  };
  const started: Promise<void>[] = [];
  for (const act of timeline.acts) {
    await sleep(Math.max(0, act.atMs - (now() - startedAt)), signal);
    if (signal.aborted) break;
    started.push(start(act));
  }
  await Promise.all(started);
  // Interrupted, or a mend failed: once more, all together.
  const things = [...broken.values()];
  const why = things.length === 0 ? undefined : await mend(things).then(() => undefined, sentenceOf);
  return { acts, isInterrupted: signal.aborted, left: why === undefined ? undefined : { things, why } };
};

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
