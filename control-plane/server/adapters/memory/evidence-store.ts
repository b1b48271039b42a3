/**
 * Evidence in memory, for tests and simulation. A call does its work before it first yields, which is its transaction. Values are kept as
 * they were given: they are immutable by type.
 */
import type { EvidenceStore, MinuteAggregate, StoredAgent, StoredCheck, Transition } from "../../ports/evidence-store.ts";

export interface MemoryEvidenceStore extends EvidenceStore {
  /** Aggregates as they stand, ordered by target, minute and agent. */
  readonly aggregates: () => readonly MinuteAggregate[];
}

export const createMemoryEvidenceStore = (): MemoryEvidenceStore => {
  const agentById = new Map<string, StoredAgent>();
  const checksByAgent = new Map<string, Map<string, StoredCheck>>();
  const aggregateByKey = new Map<string, MinuteAggregate>();
  const callbacks = new Set<(agent: string) => void>();
  let transitions: Transition[] = [];

  const checksOf = (agent: string): Map<string, StoredCheck> => {
    const known = checksByAgent.get(agent) ?? new Map<string, StoredCheck>();
    checksByAgent.set(agent, known);
    return known;
  };

  return {
    ingest: async (agent, targets, fold) => {
      const known = checksOf(agent);
      const write = fold(
        agentById.get(agent) ?? null,
        targets.flatMap((target) => known.get(target) ?? []),
      );
      if (write.agent === null) return write.result;
      agentById.set(agent, write.agent);
      for (const check of write.checks) known.set(check.target, check);
      transitions.push(...write.transitions);
      for (const each of write.aggregates) addAggregate(aggregateByKey, { ...each, agent });
      if (write.transitions.length > 0) for (const callback of callbacks) queueMicrotask(() => callback(agent));
      return write.result;
    },
    readAgents: async () => [...agentById.values()].sort((a, b) => compareText(a.agent, b.agent)),
    readChecks: async (agents) =>
      [...new Set(agents)]
        .flatMap((agent) => [...(checksByAgent.get(agent)?.values() ?? [])])
        .sort((a, b) => compareText(a.agent, b.agent) || compareText(a.target, b.target)),
    readTransitions: async ({ since, limit, target }) =>
      transitions
        .filter((each) => each.at >= since && (target === undefined || each.target === target))
        .map((each, index) => ({ each, index }))
        .sort((a, b) => b.each.at - a.each.at || b.index - a.index)
        .slice(0, limit)
        .map(({ each }) => each),
    onChanged: async (callback) => {
      callbacks.add(callback);
      return async () => {
        callbacks.delete(callback);
      };
    },
    prune: async (before) => {
      const kept = transitions.filter((each) => each.at >= before.transitions);
      const old = [...aggregateByKey].filter(([, each]) => each.minute < before.aggregates);
      for (const [key] of old) aggregateByKey.delete(key);
      const gone = transitions.length - kept.length + old.length;
      transitions = kept;
      return gone;
    },
    aggregates: () =>
      [...aggregateByKey.values()].sort(
        (a, b) => compareText(a.target, b.target) || a.minute - b.minute || compareText(a.agent, b.agent),
      ),
  };
};

const addAggregate = (aggregateByKey: Map<string, MinuteAggregate>, added: MinuteAggregate): void => {
  const key = `${added.target} ${added.minute} ${added.agent}`;
  const known = aggregateByKey.get(key);
  aggregateByKey.set(
    key,
    known === undefined
      ? added
      : {
          ...known,
          count: known.count + added.count,
          failures: known.failures + added.failures,
          latencySumMs: known.latencySumMs + added.latencySumMs,
          latencyMaxMs: Math.max(known.latencyMaxMs, added.latencyMaxMs),
        },
  );
};

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
