/**
 * Which agents should run. The sandbox only says so; the supervisor that started the agents follows this list and really kills and starts
 * the processes. Level-based: each message carries the whole list, so one that is missed costs nothing.
 */
import * as z from "zod";
import { SandboxAgentId, SandboxVantage } from "./faults.ts";

export const AgentsWanted = z.object({
  /** Grows by one with every change. */
  version: z.int(),
  agents: z.array(z.object({ id: SandboxAgentId, vantage: SandboxVantage, wanted: z.enum(["running", "killed"]) })),
});
export type AgentsWanted = z.infer<typeof AgentsWanted>;

export interface AgentsWantedList {
  readonly current: () => AgentsWanted;
  /** Sets the named agents. Those that aren't known are answered and nothing is changed. */
  readonly set: (ids: readonly string[], wanted: "running" | "killed") => { readonly unknown: readonly string[] };
  /** Ids of the agents that stand in the region. */
  readonly inRegion: (region: string) => readonly string[];
  /** Calls back after every change; answers how to stop that. */
  readonly follow: (listener: (wanted: AgentsWanted) => void) => () => void;
}

export const createAgentsWanted = (agents: readonly { readonly id: string; readonly vantage: string }[]): AgentsWantedList => {
  const listeners = new Set<(wanted: AgentsWanted) => void>();
  let current: AgentsWanted = { version: 1, agents: agents.map(({ id, vantage }) => ({ id, vantage, wanted: "running" })) };
  return {
    current: () => current,
    inRegion: (region) => agents.filter(({ vantage }) => vantage.startsWith(`${region}/`)).map(({ id }) => id),
    set: (ids, wanted) => {
      const unknown = ids.filter((id) => !agents.some((agent) => agent.id === id));
      if (unknown.length > 0 || ids.length === 0) return { unknown };
      current = {
        version: current.version + 1,
        agents: current.agents.map((agent) => (ids.includes(agent.id) ? { ...agent, wanted } : agent)),
      };
      for (const listener of listeners) listener(current);
      return { unknown };
    },
    follow: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
