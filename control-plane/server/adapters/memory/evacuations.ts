/** Evacuations in memory, with what Postgres' constraints refuse. */
import type { Evacuations, StoredEvacuation } from "../../ports/evacuations.ts";
import type { MemoryHistory } from "./history.ts";
import type { MemoryLease } from "./lease.ts";

export const createMemoryEvacuations = ({
  lease,
  history,
}: {
  readonly lease: Pick<MemoryLease, "isLeading">;
  readonly history: Pick<MemoryHistory, "append">;
}): Evacuations => {
  const known = new Map<string, StoredEvacuation>();
  const newestFirst = (): StoredEvacuation[] => [...known.values()].sort((a, b) => (a.id < b.id ? 1 : -1));

  return {
    open: async () => newestFirst().filter(isOpen).reverse(),
    read: async (id) => known.get(id) ?? null,
    list: async ({ limit, before, region }) =>
      newestFirst()
        .filter((each) => (before === undefined || each.id < before) && (region === undefined || each.region === region))
        .slice(0, limit),
    write: async ({ holder, term, evacuation, history: entries, keptMax }) => {
      if (!lease.isLeading(holder, term)) return "fenced";
      if ((known.get(evacuation.id)?.version ?? 0) !== evacuation.version) return "conflict";
      const others = [...known.values()].filter(({ id }) => id !== evacuation.id);
      if (evacuation.state === "running" && others.some((each) => each.state === "running" && each.region === evacuation.region))
        return "conflict";
      history.append(entries);
      known.set(evacuation.id, { ...evacuation, version: evacuation.version + 1 });
      for (const { id } of newestFirst()
        .filter((each) => !isOpen(each))
        .slice(keptMax))
        known.delete(id);
      return "written";
    },
  };
};

const isOpen = ({ state, services }: StoredEvacuation): boolean =>
  state === "running" || services.some((each) => each.state === "moving");
