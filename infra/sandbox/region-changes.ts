/** Breaks and mends a region as a whole: what its own process does, which of its agents should run, and the replication of its pair. */
import type { AgentsWantedList } from "./agents-wanted.ts";
import type { LinkCutMode, RegionFault, ReplicationCut } from "./faults.ts";
import type { Links } from "./links/links.ts";
import { pairTarget, replicationOf } from "./pair.ts";
import type { RegionAnswer, RegionClient } from "./regions/region-client.ts";
import type { RegionMend } from "./regions/region-state.ts";
import type { RegionMendRequest } from "./sandbox-state.ts";

export type RegionChange =
  | RegionAnswer
  | { readonly kind: "unknown-agents"; readonly unknown: readonly string[] }
  /** The region has no half of a pair. */
  | { readonly kind: "no-pair" };

export interface RegionDeps {
  readonly region: string;
  readonly client: RegionClient;
  readonly agents: AgentsWantedList;
  readonly links: Pick<Links, "set">;
  /** The regions that have one half each of a pair; none or two. */
  readonly pair: readonly string[];
}

export const breakRegion = async (deps: RegionDeps, fault: RegionFault): Promise<RegionChange> => {
  const { region, client, agents } = deps;
  switch (fault.fault) {
    case "agents-dead": {
      const here = agents.inRegion(region);
      const unknown = fault.agents?.filter((id) => !here.includes(id)) ?? [];
      if (unknown.length > 0) return { kind: "unknown-agents", unknown };
      agents.set(fault.agents ?? here, "killed");
      return client.read();
    }
    case "dead": {
      const answer = await client.break({ fault: "dead" });
      if (fault.agents && answer.kind === "answered") agents.set(agents.inRegion(region), "killed");
      return answer;
    }
    default:
      return client.break(fault);
  }
};

/** A whole mend starts the agents even when the region's process doesn't answer: they are not its business. */
export const mendRegion = async (deps: RegionDeps, { fault }: RegionMendRequest): Promise<RegionChange> => {
  const { region, client, agents, pair } = deps;
  if (fault === undefined && pair.includes(region)) await changeReplication(deps, undefined);
  if (fault === undefined || fault === "dead" || fault === "agents-dead") agents.set(agents.inRegion(region), "running");
  return fault === "agents-dead" ? client.read() : client.mend(partOf(fault));
};

/** Both ways at once: which half streams to which is theirs to know. */
const changeReplication = async (
  { region, client, links, pair }: RegionDeps,
  mode: LinkCutMode | undefined,
): Promise<RegionChange> => {
  if (!pair.includes(region)) return { kind: "no-pair" };
  const others = (half: string): readonly string[] => pair.filter((other) => other !== half);
  for (const half of pair)
    for (const other of others(half)) await links.set({ from: replicationOf(half), to: pairTarget(other) }, mode);
  return client.read();
};

export const cutReplication = (deps: RegionDeps, { mode }: ReplicationCut): Promise<RegionChange> =>
  changeReplication(deps, mode);
export const mendReplication = (deps: RegionDeps): Promise<RegionChange> => changeReplication(deps, undefined);

/** Throws away this region's half and makes it anew as the other's standby. */
export const rebuildStandby = ({ region, client, pair }: RegionDeps): Promise<RegionChange> =>
  pair.includes(region) ? client.rebuildStandby() : Promise.resolve({ kind: "no-pair" });

const partOf = (fault: RegionMendRequest["fault"]): RegionMend => {
  switch (fault) {
    case undefined:
    case "dead":
    case "agents-dead":
      return {};
    case "database-down":
    case "read-only":
      return { part: "database" };
    case "refuse":
    case "hang":
    case "blackhole":
    case "503":
    case "slow":
    case "alternate":
    case "random":
      return { part: "api" };
  }
};
