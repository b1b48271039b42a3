/** A decision store that tells what was committed to it, once it stands. */
import type { Instant, Weights } from "@regent/contract";
import type { DecisionStore } from "@regent/server/ports/decision-store.ts";
import type { Story } from "./story.ts";

export const listenTo = (store: DecisionStore, story: Story, now: () => Instant): DecisionStore => {
  const written = new Map<string, Weights>();
  return {
    ...store,
    commit: async (commit) => {
      const result = await store.commit(commit);
      if (result.kind !== "committed") return result;
      story.changes.push(...commit.changes);
      story.history.push(...commit.history);
      for (const { service, written: weights } of commit.services) {
        if (weights === null || weights === written.get(service)) continue;
        const isNew = JSON.stringify(weights) !== JSON.stringify(written.get(service));
        written.set(service, weights);
        if (isNew) story.standings.push({ at: now(), service, weights });
      }
      return result;
    },
    writeFreeze: async (freeze) => {
      const result = await store.writeFreeze(freeze);
      if (result.kind === "committed") story.history.push(freeze.entry);
      return result;
    },
  };
};
