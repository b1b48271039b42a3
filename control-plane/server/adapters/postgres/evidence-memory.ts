/**
 * What this replica last read or wrote of each agent. Never trusted: a write on top of it succeeds only if the agent's row still has the
 * remembered guard.
 */
import type { StoredAgent, StoredCheck } from "../../ports/evidence-store.ts";
import { REMEMBERED_AGENTS_MAX, REMEMBERED_CHECKS_MAX } from "./limits.ts";

export interface RememberedAgent {
  readonly agent: StoredAgent | null;
  /** Of the agent's row; 0 when there is none. */
  readonly guard: number;
  /** Null: known to have no row. */
  readonly checks: ReadonlyMap<string, StoredCheck | null>;
}

export interface EvidenceMemory {
  /** Null when one of these targets isn't known. */
  readonly recall: (agent: string, targets: readonly string[]) => RememberedAgent | null;
  readonly forget: (agent: string) => void;
  readonly remember: (
    agent: string,
    before: RememberedAgent,
    written: { readonly agent: StoredAgent; readonly checks: readonly StoredCheck[] },
  ) => void;
}

export const createEvidenceMemory = (): EvidenceMemory => {
  const rememberedByAgent = new Map<string, RememberedAgent>();
  return {
    recall: (agent, targets) => {
      const known = rememberedByAgent.get(agent);
      return known !== undefined && targets.every((target) => known.checks.has(target)) ? known : null;
    },
    forget: (agent) => {
      rememberedByAgent.delete(agent);
    },
    remember: (agent, before, written) => {
      const checks = withWritten(before.checks, written.checks);
      if (checks.size > REMEMBERED_CHECKS_MAX) return;
      // Maps keep their order of insertion, and every write inserts anew: the first one is the one unused for longest.
      if (rememberedByAgent.size >= REMEMBERED_AGENTS_MAX) rememberedByAgent.delete(rememberedByAgent.keys().next().value ?? "");
      rememberedByAgent.set(agent, { agent: written.agent, guard: before.guard + 1, checks });
    },
  };
};

const withWritten = (
  known: ReadonlyMap<string, StoredCheck | null>,
  written: readonly StoredCheck[],
): ReadonlyMap<string, StoredCheck | null> => {
  if (written.length === 0) return known;
  const checks = new Map(known);
  for (const check of written) checks.set(check.target, check);
  return checks;
};
