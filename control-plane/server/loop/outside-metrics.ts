/** What Prometheus may ask about the guards and the database's connections. Told by kind: names of servers would be labels without end. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { describeMetric } from "../configuration/alerts/metric-catalogue.ts";
import type { GuardCounts, GuardView, LaneView, PoolView } from "../ports/outside-view.ts";

export interface OutsideMetrics {
  readonly databaseDone: (done: { readonly lane: string; readonly ms: number; readonly hasFailed: boolean }) => void;
  readonly guardChanged: (change: { readonly kind: string; readonly state: string }) => void;
  /** Exports all of it from now on. */
  readonly register: (registry: Registry, sources: OutsideSources) => void;
}

export interface OutsideSources {
  readonly guards: () => readonly GuardView[];
  readonly pool: () => PoolView;
}

/** From a steady commit to the longest that a unit of work may take. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15];
const GUARD_STATES = ["closed", "open", "half-open"] as const;
const POOL_STATES = ["healthy", "degraded", "unhealthy", "recovering"] as const;
const OUTCOMES = ["answered", "failed", "refused", "turnedAway"] as const satisfies readonly (keyof GuardCounts)[];

export const createOutsideMetrics = (): OutsideMetrics => {
  const work = new Histogram({
    ...describeMetric("regent_database_seconds"),
    buckets: SECONDS,
    registers: [],
  });
  const changes = new Counter({
    ...describeMetric("regent_guard_changes_total"),
    registers: [],
  });
  return {
    databaseDone: ({ lane, ms, hasFailed }) => work.observe({ lane, outcome: hasFailed ? "failed" : "done" }, ms / 1_000),
    guardChanged: ({ kind, state }) => changes.inc({ guard: kind, state }),
    register: (registry, sources) => {
      registry.registerMetric(work);
      registry.registerMetric(changes);
      registerGuards(registry, sources.guards);
      registerPool(registry, sources.pool);
    },
  };
};

const registerGuards = (registry: Registry, guards: OutsideSources["guards"]): void => {
  const registers = [registry];
  new Gauge({
    ...describeMetric("regent_guards"),
    registers,
    collect() {
      this.reset();
      for (const { kind } of guards()) for (const state of GUARD_STATES) this.set({ guard: kind, state }, 0);
      for (const { kind, state } of guards()) this.inc({ guard: kind, state });
    },
  });
  new Gauge({
    ...describeMetric("regent_guard_calls"),
    registers,
    collect() {
      this.reset();
      for (const { kind, underWay, waiting } of guards()) {
        this.inc({ guard: kind, place: "under-way" }, underWay);
        this.inc({ guard: kind, place: "waiting" }, waiting);
      }
    },
  });
  new Counter({
    ...describeMetric("regent_guard_calls_total"),
    registers,
    collect() {
      this.reset();
      for (const { kind, counts } of guards())
        for (const outcome of OUTCOMES) this.inc({ guard: kind, outcome }, counts[outcome]);
    },
  });
  new Counter({
    ...describeMetric("regent_guard_retries_total"),
    registers,
    collect() {
      this.reset();
      for (const { kind, counts } of guards()) this.inc({ guard: kind }, counts.retried);
    },
  });
};

const registerPool = (registry: Registry, pool: OutsideSources["pool"]): void => {
  const registers = [registry];
  new Gauge({
    ...describeMetric("regent_database_state"),
    registers,
    collect() {
      const now = pool().state;
      for (const state of POOL_STATES) this.set({ state }, state === now ? 1 : 0);
    },
  });
  new Gauge({
    ...describeMetric("regent_database_connections"),
    registers,
    collect() {
      const { reports, decisions } = pool();
      const set = (lane: string, { size, inUse, max, waiting }: LaneView): void => {
        for (const [what, count] of Object.entries({ size, "in-use": inUse, max, waiting })) this.set({ lane, what }, count);
      };
      set("reports", reports);
      set("decisions", decisions);
    },
  });
  new Gauge({
    ...describeMetric("regent_database_held"),
    registers,
    collect() {
      this.set(pool().held);
    },
  });
  new Counter({
    ...describeMetric("regent_database_held_total"),
    registers,
    collect() {
      this.reset();
      this.inc(pool().heldEver);
    },
  });
  new Counter({
    ...describeMetric("regent_database_connections_lost_total"),
    registers,
    collect() {
      this.reset();
      this.inc(pool().connectionsLost);
    },
  });
};
