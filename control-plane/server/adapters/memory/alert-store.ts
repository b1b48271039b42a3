/** Alert rules and alerts in memory, fenced as Postgres fences them. */
import type { AlertStore, StoredAlert, StoredAlertRule } from "../../ports/alert-store.ts";
import type { MemoryHistory } from "./history.ts";
import type { MemoryLease } from "./lease.ts";

export interface MemoryAlertDeps {
  readonly lease: Pick<MemoryLease, "isLeading">;
  readonly history: Pick<MemoryHistory, "append">;
}

export const createMemoryAlertStore = ({ lease, history }: MemoryAlertDeps): AlertStore => {
  const rules = new Map<string, StoredAlertRule>();
  const alerts = new Map<string, StoredAlert>();
  return {
    readRules: async () => [...rules.values()].sort((a, b) => (a.setting.id < b.setting.id ? -1 : 1)),
    writeRule: async ({ holder, term, id, expectedVersion, setting, entry }) => {
      if (!lease.isLeading(holder, term)) return { kind: "fenced" };
      const version = rules.get(id)?.version ?? 0;
      if (version !== expectedVersion) return { kind: "stale", version };
      history.append([entry]);
      if (setting) rules.set(id, { version: version + 1, setting: structuredClone(setting) });
      else rules.delete(id);
      return { kind: "written", version: setting ? version + 1 : 0 };
    },
    readAlerts: async () => [...alerts.values()].sort((a, b) => (a.key < b.key ? -1 : 1)),
    writeAlerts: async ({ holder, term, put, drop, history: entries }) => {
      if (!lease.isLeading(holder, term)) return "fenced";
      history.append(entries);
      for (const key of drop) alerts.delete(key);
      for (const alert of put) alerts.set(alert.key, structuredClone(alert));
      return "written";
    },
  };
};
