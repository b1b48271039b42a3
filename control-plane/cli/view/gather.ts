/** What a live screen shows, asked for again and again: overview, last history, answers of DNS sampled over the last rounds. */
import type { HistoryEvent, Overview } from "@regent/contract";
import type { Client } from "@regent/server/http/client.ts";
import { sample } from "../dns/sample.ts";
import { VIEW_HISTORY, VIEW_SAMPLE_ROUNDS, VIEW_SAMPLES } from "../limits.ts";

export interface Picture {
  /** null while the server has not answered yet. */
  readonly overview: Overview | null;
  /** Newest first. */
  readonly events: readonly HistoryEvent[];
  /** Per service: answers by their values, over the last rounds. */
  readonly answers: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Why the last round got no answer of the server; null when it did. */
  readonly away: string | null;
}

export interface Gatherer {
  /** One round; never rejects. */
  readonly look: () => Promise<Picture>;
}

/** @param servers authoritative `ip:port`, asked about every service's name; empty: DNS is not sampled */
export const createGatherer = (client: () => Promise<Client>, servers: readonly string[]): Gatherer => {
  let picture: Picture = { overview: null, events: [], answers: {}, away: "not asked yet" };
  const rounds = new Map<string, Readonly<Record<string, number>>[]>();

  const sampleAll = async (overview: Overview | null): Promise<Picture["answers"]> => {
    if (overview === null || servers.length === 0) return {};
    await Promise.all(
      overview.services.map(async ({ id, name }) => {
        const { counts } = await sample(servers, { name, type: "A", count: VIEW_SAMPLES });
        rounds.set(id, [...(rounds.get(id) ?? []), counts].slice(-VIEW_SAMPLE_ROUNDS));
      }),
    );
    return Object.fromEntries([...rounds].map(([id, counts]) => [id, sum(counts)]));
  };

  return {
    look: async () => {
      const asked = await Promise.allSettled([
        client().then((c) => Promise.all([c.overview(), c.history({ limit: VIEW_HISTORY * 4 })])),
        sampleAll(picture.overview),
      ]);
      const [read, answers] = asked;
      if (answers.status === "fulfilled") picture = { ...picture, answers: answers.value };
      if (read.status === "rejected") picture = { ...picture, away: textOf(read.reason) };
      else {
        const [overview, history] = read.value;
        if (overview.kind === "ok") picture = { ...picture, overview: overview.value, away: null };
        else picture = { ...picture, away: overview.kind === "problem" ? overview.problem.title : overview.why };
        if (history.kind === "ok") picture = { ...picture, events: history.value.events };
      }
      return picture;
    },
  };
};

const textOf = (reason: unknown): string => (reason instanceof Error ? reason.message : String(reason));

const sum = (rounds: readonly Readonly<Record<string, number>>[]): Record<string, number> => {
  const total: Record<string, number> = {};
  for (const round of rounds) for (const [values, count] of Object.entries(round)) total[values] = (total[values] ?? 0) + count;
  return total;
};
