/** Who may write, read from the decisions that are kept in memory. */
import type { DecisionStore } from "../../ports/decision-store.ts";
import type { RoleReader } from "../../ports/role-reader.ts";

export const createMemoryRoleReader = (decisions: Pick<DecisionStore, "load" | "readFreeze">): RoleReader => ({
  read: async (service) => {
    const record = (await decisions.load()).services.find((one) => one.service === service);
    if (!record) return null;
    const isRestored = (await decisions.readFreeze())?.cause === "restored";
    return { version: record.version, passive: record.traffic.passive, transfer: record.transfer, isRestored };
  },
});
