/**
 * Health of Route 53's own checks, cached, because the service allows one question a second. Never waits for its own bucket: what can't
 * be asked now is answered from memory while that is young enough, and is `null` after.
 */
import type { HealthCheckConfig, HealthCheckObservation } from "@aws-sdk/client-route-53";
import { createBucket, takeToken } from "./budget.ts";
import {
  HEALTH_AGE_MS_MAX,
  HEALTH_CALLS_BURST,
  HEALTH_CALLS_PER_SECOND,
  HEALTH_CHECKS_MAX,
  HEALTH_CONFIG_FRESH_MS,
  HEALTH_FRESH_MS,
  HEALTHY_CHECKERS_SHARE,
} from "./limits.ts";

/** Types whose status comes from checkers; for the others (calculated, alarms) Route 53 answers no such question. */
const checkerTypes = new Set<string | undefined>(["HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP"]);

/** Null when no checker has looked yet. Checkers write `Success: …` or `Failure: …`. */
export const isHealthyByCheckers = (observations: readonly HealthCheckObservation[]): boolean | null => {
  const reports = observations.map(({ StatusReport }) => StatusReport?.Status).filter((text) => text !== undefined);
  if (reports.length === 0) return null;
  const passes = reports.filter((text) => /^success/i.test(text)).length;
  return passes / reports.length > HEALTHY_CHECKERS_SHARE;
};

/** As Route 53 uses it: a disabled check counts as healthy, and an inverted one says the opposite. */
export const toHealth = (config: HealthCheckConfig, observations: readonly HealthCheckObservation[]): boolean | null => {
  const seen = config.Disabled === true ? true : checkerTypes.has(config.Type) ? isHealthyByCheckers(observations) : null;
  return seen === null ? null : seen !== (config.Inverted === true);
};

export interface HealthReaderPorts {
  readonly readConfig: (id: string) => Promise<HealthCheckConfig | null>;
  readonly readObservations: (id: string) => Promise<readonly HealthCheckObservation[] | null>;
  readonly monotonic: () => number;
}

interface Known {
  readonly config: HealthCheckConfig | null;
  readonly configAt: number;
  readonly healthy: boolean | null;
  readonly at: number;
}
const nothing: Known = { config: null, configAt: Number.NEGATIVE_INFINITY, healthy: null, at: Number.NEGATIVE_INFINITY };

export const createHealthReader = ({ readConfig, readObservations, monotonic }: HealthReaderPorts) => {
  const knownById = new Map<string, Known>();
  const underWay = new Map<string, Promise<void>>();
  let bucket = createBucket({ ratePerSecond: HEALTH_CALLS_PER_SECOND, burst: HEALTH_CALLS_BURST }, monotonic());

  const refresh = async (id: string, known: Known): Promise<void> => {
    const isConfigFresh = known.config !== null && monotonic() - known.configAt < HEALTH_CONFIG_FRESH_MS;
    const config = isConfigFresh ? known.config : await readConfig(id);
    const observations = config === null ? null : await readObservations(id);
    if (config === null || observations === null) return;
    const at = monotonic();
    knownById.set(id, { config, configAt: isConfigFresh ? known.configAt : at, healthy: toHealth(config, observations), at });
    if (knownById.size > HEALTH_CHECKS_MAX) knownById.delete(knownById.keys().next().value!);
  };

  const refreshIfDue = (id: string): Promise<void> | undefined => {
    const known = knownById.get(id) ?? nothing;
    const going = underWay.get(id);
    if (going || monotonic() - known.at < HEALTH_FRESH_MS) return going;
    const taken = takeToken(bucket, monotonic());
    bucket = taken.state;
    if (taken.waitMs > 0) return undefined;
    const run = refresh(id, known).finally(() => underWay.delete(id));
    underWay.set(id, run);
    return run;
  };

  return async (ids: readonly string[]): Promise<Readonly<Record<string, boolean | null>>> => {
    const unique = [...new Set(ids)];
    const ageOf = (id: string): number => (knownById.get(id) ?? nothing).at;
    await Promise.all(unique.toSorted((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1)).map(refreshIfDue));
    const now = monotonic();
    const answer = (id: string): boolean | null => {
      const known = knownById.get(id);
      return known && now - known.at < HEALTH_AGE_MS_MAX ? known.healthy : null;
    };
    return Object.fromEntries(unique.map((id) => [id, answer(id)]));
  };
};
