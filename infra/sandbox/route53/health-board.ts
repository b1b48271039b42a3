/**
 * What the health checkers last saw, and what follows from it for each check by Route 53's rules. The checkers write,
 * the API and the name servers read; a change counts for the next answer.
 */
import { CHAIN_LENGTH_MAX } from "../limits.ts";
import type { HealthCheck } from "./model.ts";

/** One simulated checker's region, the last probe's result and the streak that made its opinion. */
export interface CheckerReport {
  readonly region: string;
  readonly ipAddress: string;
  readonly isPassing: boolean;
  /** As in GetHealthCheckStatus: `Success: HTTP Status Code 200, OK` or `Failure: ...`. */
  readonly text: string;
  /** Epoch milliseconds. */
  readonly checkedAt: number;
}

export interface HealthBoard {
  readonly report: (checkId: string, report: CheckerReport) => void;
  /** After a check's target changed, its old reports say nothing. */
  readonly forget: (checkId: string) => void;
  readonly reports: (checkId: string) => readonly CheckerReport[];
  /** True if Route 53 considers the check healthy now, inversion included. */
  readonly isHealthy: (checkId: string) => boolean;
}

/** (real) Healthy if more than 18 % of the checkers say so. */
const HEALTHY_SHARE = 0.18;

export const createHealthBoard = (checkById: ReadonlyMap<string, HealthCheck>): HealthBoard => {
  const reportsById = new Map<string, Map<string, CheckerReport>>();
  // A deleted check that records still name is unpredictable in the real service; here it keeps what it said last.
  const lastById = new Map<string, boolean>();

  const observed = (id: string): boolean => {
    const reports = [...(reportsById.get(id)?.values() ?? [])];
    if (reports.length === 0) return true;
    return reports.filter((report) => report.isPassing).length / reports.length > HEALTHY_SHARE;
  };
  const judge = (id: string, depth: number): boolean => {
    const check = checkById.get(id);
    if (!check) return lastById.get(id) ?? true;
    const { type, disabled, inverted, childHealthChecks = [], healthThreshold = 0 } = check.config;
    const children = (): number =>
      childHealthChecks.filter((child) => depth < CHAIN_LENGTH_MAX && judge(child, depth + 1)).length;
    const before = disabled === true || (type === "CALCULATED" ? children() >= healthThreshold : observed(id));
    const healthy = before !== (inverted === true);
    lastById.set(id, healthy);
    return healthy;
  };

  return {
    report: (checkId, report) => {
      const reports = reportsById.get(checkId) ?? new Map<string, CheckerReport>();
      reports.set(report.region, report);
      reportsById.set(checkId, reports);
    },
    forget: (checkId) => reportsById.delete(checkId),
    reports: (checkId) => [...(reportsById.get(checkId)?.values() ?? [])],
    isHealthy: (checkId) => judge(checkId, 0),
  };
};
