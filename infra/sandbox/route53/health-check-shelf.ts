/** The health checks that an account holds, and who wants to hear when they change. */
import { randomUUID } from "node:crypto";
import { HEALTH_CHECKS_MAX } from "../limits.ts";
import { createHealthBoard, type HealthBoard } from "./health-board.ts";
import type { Entry } from "./journal.ts";
import type { HealthCheck, HealthCheckConfig } from "./model.ts";

export interface HealthCheckShelf {
  /** What the checkers think of them. */
  readonly health: HealthBoard;
  readonly healthChecks: () => readonly HealthCheck[];
  readonly healthCheck: (id: string) => HealthCheck | undefined;
  readonly createHealthCheck: (callerReference: string, config: HealthCheckConfig) => HealthCheck | { readonly kind: "too-many" };
  readonly updateHealthCheck: (check: HealthCheck) => void;
  readonly deleteHealthCheck: (id: string) => void;
  /** Called after any health check is made, changed or deleted. Returns how to stop. */
  readonly onHealthChecks: (listener: () => void) => () => void;
}

type HealthCheckEntry = Extract<Entry, { kind: `health-check${string}` }>;

export interface HeldHealthChecks {
  readonly shelf: HealthCheckShelf;
  /** Takes up an entry of the journal, telling nobody. */
  readonly replay: (entry: HealthCheckEntry) => void;
}

/** `append` puts an entry on disk before it counts. */
export const createHealthCheckShelf = (append: (entry: Entry) => void): HeldHealthChecks => {
  const checks = new Map<string, HealthCheck>();
  const listeners = new Set<() => void>();
  const health = createHealthBoard(checks);
  const replay = (entry: HealthCheckEntry): void => {
    if (entry.kind === "health-check") checks.set(entry.check.id, entry.check);
    else checks.delete(entry.id);
  };
  const commit = (entry: HealthCheckEntry): void => {
    append(entry);
    replay(entry);
    for (const listener of listeners) listener();
  };
  const shelf: HealthCheckShelf = {
    health,
    healthChecks: () => [...checks.values()],
    healthCheck: (id) => checks.get(id),
    createHealthCheck: (callerReference, config) => {
      if (checks.size >= HEALTH_CHECKS_MAX) return { kind: "too-many" };
      const check: HealthCheck = { id: randomUUID(), callerReference, version: 1, config };
      commit({ kind: "health-check", check });
      return check;
    },
    updateHealthCheck: (check) => commit({ kind: "health-check", check }),
    deleteHealthCheck: (id) => {
      // Asked once more, so that records which still name it keep its last answer.
      health.isHealthy(id);
      commit({ kind: "health-check-deleted", id });
    },
    onHealthChecks: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return { shelf, replay };
};
