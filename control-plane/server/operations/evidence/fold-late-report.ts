/**
 * Folds a report that an operator lets in long after it came. Pure. It becomes transitions for history, as if an agent had brought it from its
 * spool; streaks, order and freshness stay as they are.
 */
import type { Instant, Report } from "@regent/contract";
import type { FoldWrite, StoredAgent } from "../../ports/evidence-store.ts";
import { toBackfilled } from "./fold-report.ts";

export interface LateReport {
  readonly report: Report;
  /** When it came the first time. */
  readonly receivedAt: Instant;
  readonly assigned: { readonly has: (target: string) => boolean };
}

export const foldLateReport = ({ report, receivedAt, assigned }: LateReport, current: StoredAgent | null): FoldWrite<void> => {
  const observations = [...report.observations, ...report.backfill.map(({ observation }) => observation)];
  const transitions = observations
    .filter(({ target }) => assigned.has(target))
    .map((observation) => toBackfilled(report.agent, receivedAt, observation));
  return { agent: current ?? unheard(report), checks: [], transitions, aggregates: [], result: undefined };
};

/** An agent whose every report was refused so far. Its next report is the first that counts. */
const unheard = ({ agent, boot, build, self }: Report): StoredAgent => ({
  agent,
  boot,
  sequence: 0,
  window: "0",
  heardAt: null,
  skewMs: null,
  selfHealthy: self.healthy,
  mode: self.mode,
  build,
  configurationVersion: 0,
  version: 0,
  live: {},
});
