/** Memory twin of Recordings, over the evidence and the configurations of one database in memory. */
import type { Instant } from "@regent/contract";
import type { AppliedConfiguration } from "../../ports/configuration-store.ts";
import type { Transition } from "../../ports/evidence-store.ts";
import type { Recordings } from "../../ports/recordings.ts";
import type { MemoryEvidenceStore } from "./evidence-store.ts";

export interface MemoryRecordingsDeps {
  readonly evidence: MemoryEvidenceStore;
  /** All of them, oldest first. */
  readonly versions: () => readonly AppliedConfiguration[];
}

export const createMemoryRecordings = ({ evidence, versions }: MemoryRecordingsDeps): Recordings => ({
  read: async ({ from, to, limit }) => {
    const all = (await evidence.readTransitions({ since: 0, limit: Number.POSITIVE_INFINITY })).toReversed();
    const live = all.filter(({ isBackfill }) => !isBackfill);
    const within = live.filter(({ at }) => at >= from && at <= to);
    const before = new Map<string, Transition>();
    for (const one of live) if (one.at < from) before.set(`${one.agent} ${one.target}`, one);
    const heard = new Map<string, Set<Instant>>();
    for (const { agent, minute } of evidence.aggregates())
      if (minute >= from - MINUTE_MS && minute <= to) heard.set(agent, (heard.get(agent) ?? new Set()).add(minute));
    const inForce = versions().findLast(({ at }) => at <= from) ?? null;
    const stood = [...before.values()].sort((a, b) => compareText(a.agent, b.agent) || compareText(a.target, b.target));
    return {
      from,
      to,
      configuration: inForce && { version: inForce.version, at: inForce.at, text: inForce.text },
      appliedAt: versions().flatMap(({ at }) => (at > from && at <= to ? [at] : [])),
      before: stood.slice(0, limit).map(toTurn),
      turns: within.slice(0, limit).map(toTurn),
      heard: [...heard]
        .sort(([a], [b]) => compareText(a, b))
        .map(([agent, minutes]) => ({ agent, minutes: [...minutes].sort((a, b) => a - b) })),
      isCut: within.length > limit || stood.length > limit,
    };
  },
});

/** The minute in which it begins counts. */
const MINUTE_MS = 60_000;

const toTurn = ({ agent, target, at, to, outcome, reason }: Transition) => ({ agent, target, at, to, outcome, reason });

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
