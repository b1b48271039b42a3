/** Who may write, read from the decisions that are kept in memory. */
import type { DecisionStore } from "../../ports/decision-store.ts";
import type { RoleReader } from "../../ports/role-reader.ts";

export const createMemoryRoleReader = (decisions: Pick<DecisionStore, "load">): RoleReader => ({
  read: async (service) => {
    const record = (await decisions.load()).services.find((one) => one.service === service);
    return record ? { version: record.version, passive: record.traffic.passive, transfer: record.transfer } : null;
  },
});
