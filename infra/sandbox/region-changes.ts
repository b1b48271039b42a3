/** Breaks and mends a region as a whole: what its own process does, and which of its agents should run. */
import type { AgentsWantedList } from "./agents-wanted.ts";
import type { RegionFault } from "./faults.ts";
import type { RegionAnswer, RegionClient } from "./regions/region-client.ts";
import type { RegionMend } from "./regions/region-state.ts";
import type { RegionMendRequest } from "./sandbox-state.ts";

export type RegionChange = RegionAnswer | { readonly kind: "unknown-agents"; readonly unknown: readonly string[] };

export interface RegionDeps {
  readonly region: string;
  readonly client: RegionClient;
  readonly agents: AgentsWantedList;
}

export const breakRegion = async ({ region, client, agents }: RegionDeps, fault: RegionFault): Promise<RegionChange> => {
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
export const mendRegion = async ({ region, client, agents }: RegionDeps, { fault }: RegionMendRequest): Promise<RegionChange> => {
  if (fault === undefined || fault === "dead" || fault === "agents-dead") agents.set(agents.inRegion(region), "running");
  return fault === "agents-dead" ? client.read() : client.mend(partOf(fault));
};

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
