/**
 * What is seen of each stateful service's databases. What was seen before matters: how far behind a standby was is told only while its replication
 * is connected. So views are kept in memory, and what a new leader could not see again is written down.
 */
import type { Instant } from "@regent/contract";
import type { DatabaseView, ServiceSpec } from "@regent/engine";
import { seeDatabases } from "@regent/engine/stateful/see-databases.ts";
import type { ServiceRecord } from "../../ports/decision-store.ts";
import type { EvidenceCache } from "../evidence/evidence-cache.ts";

export interface DatabaseBook {
  /** In the order of the endpoints; none for a service without one writable place. */
  readonly see: (spec: ServiceSpec, record: ServiceRecord, now: Instant) => readonly DatabaseView[];
  /** What is written down counts again: leadership begins, or the clock has jumped. */
  readonly forget: () => void;
}

/** How far behind it was is written down at least so often, ms: a leader that comes when the link is cut knows no more than that. */
const LAG_KEPT_MS = 60_000;

const NO_VIEWS: readonly DatabaseView[] = [];

export const createDatabaseBook = (cache: Pick<EvidenceCache, "seating" | "databaseRowsOf">): DatabaseBook => {
  const latest = new Map<string, readonly DatabaseView[]>();
  return {
    see: (spec, record, now) => {
      if (spec.stateful === null) return NO_VIEWS;
      const { check } = spec.stateful;
      const views = seeDatabases({
        spec,
        agents: [...cache.seating().agentsByRegion.values()].flat(),
        rows: spec.endpoints.flatMap(({ region }) => cache.databaseRowsOf(spec.id, region, check)),
        now,
        previous: latest.get(spec.id) ?? record.databases,
      });
      latest.set(spec.id, views);
      return views;
    },
    forget: () => latest.clear(),
  };
};

/** Whether what is written down would mislead whoever leads next. Pure. */
export const areViewsOld = (
  written: readonly DatabaseView[],
  views: readonly DatabaseView[],
  stateful: ServiceSpec["stateful"],
): boolean => written.length !== views.length || views.some((view, i) => isViewOld(written[i], view, stateful?.lagMaxMs ?? 0));

const isViewOld = (written: DatabaseView | undefined, view: DatabaseView, lagMaxMs: number): boolean =>
  written === undefined ||
  written.region !== view.region ||
  written.role !== view.role ||
  written.linkLostAt !== view.linkLostAt ||
  (written.lagMs === null) !== (view.lagMs === null) ||
  (written.lagMs ?? 0) > lagMaxMs !== (view.lagMs ?? 0) > lagMaxMs ||
  Math.abs((view.lagAt ?? 0) - (written.lagAt ?? 0)) >= LAG_KEPT_MS;
