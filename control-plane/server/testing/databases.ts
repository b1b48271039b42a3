/** A primary and its standbys, as a test plays them: what agents inside see of each, and a hook that promotes. */
import type { HookAnswer } from "../ports/hook-caller.ts";
import { OK, REFUSED, type Sight, type World } from "./world.ts";

export type DatabaseRole = "primary" | "standby" | "read-only" | "gone" | "untold";

export interface Databases {
  role: Record<string, DatabaseRole>;
  /** Replication from the primary arrives. */
  isLinked: boolean;
  lagSeconds: number;
  /** Everything of the region refuses. */
  readonly dead: Set<string>;
  /** What a hook does that does its work. */
  readonly promote: (from: string, to: string) => HookAnswer;
}

/** From now on the world's agents see these. */
export const playDatabases = (world: World, primary = "eu-west"): Databases => {
  const databases: Databases = {
    role: Object.fromEntries(world.declaration.regions.map(({ id }) => [id, id === primary ? "primary" : "standby"])),
    isLinked: true,
    lagSeconds: 0,
    dead: new Set(),
    promote: (from, to) => {
      databases.role[from] = "gone";
      databases.role[to] = "primary";
      return { answer: "promoted", isFenced: true, why: "" };
    },
  };
  world.see = (_, target) => {
    const [, region = "", check] = target.split("/");
    if (databases.dead.has(region)) return REFUSED;
    return check === "db" ? sightOf(databases, databases.role[region] ?? "gone") : OK;
  };
  return databases;
};

const sightOf = ({ isLinked, lagSeconds }: Databases, role: DatabaseRole): Sight => {
  switch (role) {
    case "gone":
      return REFUSED;
    case "untold":
      return "silent";
    case "primary":
      return { ...OK, facts: { role: "primary", readOnly: false } };
    case "read-only":
      return { ...OK, facts: { role: "primary", readOnly: true } };
    case "standby":
      return {
        ...OK,
        facts: { role: "standby", readOnly: true, walReceivers: isLinked ? 1 : 0, lagSeconds: isLinked ? lagSeconds : null },
      };
  }
};
