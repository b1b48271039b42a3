/**
 * How long a service's traffic stood at regions that didn't serve it, by what the rehearsal says is seen: not by what Regent thought of it, so that two
 * settings are measured by one measure. A region doesn't serve while more than half of the vantages that look at it see one of its critical checks failing.
 */
import { partsOf } from "../rehearsal/check.ts";
import { createOutcomes, idOf } from "../rehearsal/outcomes.ts";
import type { Rehearsal } from "../rehearsal/rehearsal.ts";
import type { Told } from "../rehearsal/run-rehearsal.ts";

/** Moments looked at; a longer timeline is looked at less finely. */
const MOMENTS_MAX = 20_000;

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** By `service/region`: when it didn't serve. */
export type Faults = ReadonlyMap<string, readonly Span[]>;

export const faultsOf = ({ installation, outcomes: lines, seed, stepMs, forMs }: Rehearsal): Faults => {
  const { services } = installation.applied.declaration;
  const checks = new Map(services.flatMap(({ id, checks: own }) => own.map((check) => [`${id}/${check.id}`, check] as const)));
  const see = createOutcomes({
    lines,
    seed,
    stepMs,
    isHttp: (service, check) => checks.get(`${service}/${check}`)?.kind === "http",
  });
  const everyMs = Math.max(stepMs, Math.ceil(forMs / MOMENTS_MAX));
  const watchers = installation.agents.flatMap(({ declared, assignments }) =>
    assignments.flatMap(({ target, cadence }) => {
      const [service = "", region = "", check = ""] = target.split("/");
      const { criticality, scope } = checks.get(`${service}/${check}`) ?? {};
      if (criticality !== "critical" || scope !== "region") return [];
      const vantage = { region: declared.region, network: declared.network };
      return [{ agent: declared.id, vantage, target, service, region, check, timeoutMs: cadence.timeoutMs }];
    }),
  );
  const looking = new Map<string, Set<string>>();
  for (const { service, region, vantage } of watchers)
    looking.set(`${service}/${region}`, (looking.get(`${service}/${region}`) ?? new Set()).add(idOf(vantage)));
  const faults = new Map<string, Span[]>();
  for (let fromMs = 0; fromMs < forMs; fromMs += everyMs) {
    const failing = new Map<string, Set<string>>();
    for (const probe of watchers) {
      if (see({ ...probe, at: fromMs }, fromMs).outcome !== "fail") continue;
      const key = `${probe.service}/${probe.region}`;
      failing.set(key, (failing.get(key) ?? new Set()).add(idOf(probe.vantage)));
    }
    for (const [key, vantages] of failing) {
      if (vantages.size * 2 <= (looking.get(key)?.size ?? 0)) continue;
      const spans = faults.get(key) ?? [];
      const last = spans.at(-1);
      const toMs = Math.min(forMs, fromMs + everyMs);
      if (last?.toMs === fromMs) spans[spans.length - 1] = { ...last, toMs };
      else spans.push({ fromMs, toMs });
      faults.set(key, spans);
    }
  }
  return faults;
};

/** ms of all of the service's traffic: half of it for a minute is half a minute. Of several families the one that fares worst. */
export const outOfServiceMs = (
  service: string,
  { standings }: Pick<Told, "standings">,
  faults: Faults,
  forMs: number,
): number => {
  const own = standings.filter((one) => one.service === service);
  const byFamily = new Map<string, number>();
  own.forEach(({ at, weights }, index) => {
    const until = own[index + 1]?.at ?? forMs;
    for (const [family, byRegion] of Object.entries(weights))
      for (const [region, part] of Object.entries(partsOf(byRegion)))
        for (const { fromMs, toMs } of faults.get(`${service}/${region}`) ?? []) {
          const ms = Math.max(0, Math.min(until, toMs) - Math.max(at, fromMs)) * part;
          byFamily.set(family, (byFamily.get(family) ?? 0) + ms);
        }
  });
  return Math.round(Math.max(0, ...byFamily.values()));
};
