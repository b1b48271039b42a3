/**
 * Who is suspect now, without casting everybody's votes anew: what was cast of a target is kept until one of its rows changes, its evidence
 * grows stale, or a stale row of it may have come back. Always the same answer as findSuspects over all evidence.
 */
import type { CheckEvidence, Instant, ServiceSpec } from "@regent/engine";
import { type Casting, castTarget } from "@regent/engine/health/cast.ts";
import { firstStaleAt, staleAtOf } from "@regent/engine/health/fresh.ts";
import { type Marks, markVantages, suspectsIn } from "@regent/engine/health/suspect.ts";
import type { StoredAgent } from "../../ports/evidence-store.ts";
import type { CachedTarget, EvidenceCache } from "../evidence/evidence-cache.ts";

export interface SuspectBookDeps {
  readonly cache: EvidenceCache;
  /** A new configuration makes new ones: what was cast with the old is cast again. */
  readonly specs: () => ReadonlyMap<string, ServiceSpec>;
  readonly cast?: typeof castTarget;
}

export interface SuspectLook {
  /** `region/network`. */
  readonly suspects: ReadonlySet<string>;
  /** What had to be cast for it, for who judges these targets at the same moment. */
  readonly castings: ReadonlyMap<CachedTarget, Casting>;
}

/** What was cast of a target, and what that rests on. */
interface Page {
  readonly spec: ServiceSpec;
  readonly version: number;
  readonly castAt: Instant;
  readonly staleAt: Instant;
  /** Agents with a stale row, as they were: heard again, they may have a fresh one. */
  readonly asleep: ReadonlyMap<string, StoredAgent | null>;
  readonly marks: Marks;
}

export const createSuspectBook = ({ cache, specs, cast = castTarget }: SuspectBookDeps) => {
  const pages = new WeakMap<CachedTarget, Page>();

  const isInForce = ({ spec, version, castAt, staleAt, asleep }: Page, target: CachedTarget, now: Instant): boolean =>
    version === target.version &&
    spec === specs().get(target.service) &&
    castAt <= now &&
    now < staleAt &&
    [...asleep].every(([agent, row]) => cache.agentRow(agent) === row);

  const asleepIn = (rows: readonly CheckEvidence[], { settings }: ServiceSpec, now: Instant): Page["asleep"] => {
    const { seatByAgent } = cache.seating();
    const stale = rows.filter((row) => now >= staleAtOf(row, seatByAgent.get(row.agent)!.agent, settings.freshnessMs));
    return new Map(stale.map(({ agent }) => [agent, cache.agentRow(agent)]));
  };

  return (now: Instant): SuspectLook => {
    const castings = new Map<CachedTarget, Casting>();
    const write = (target: CachedTarget, spec: ServiceSpec): Page => {
      const rows = cache.rowsOf(target);
      const casting = cast({ spec, region: target.region, seating: cache.seating(), rows, now });
      castings.set(target, casting);
      const staleAt = firstStaleAt(casting.sightings, spec);
      const marks = markVantages(casting);
      const page = { spec, version: target.version, castAt: now, staleAt, asleep: asleepIn(rows, spec, now), marks };
      pages.set(target, page);
      return page;
    };
    const marksOf = (target: CachedTarget): readonly Marks[] => {
      const spec = specs().get(target.service);
      if (!spec?.endpoints.some(({ region }) => region === target.region)) return [];
      const page = pages.get(target);
      return [page && isInForce(page, target, now) ? page.marks : write(target, spec).marks];
    };
    const suspects = suspectsIn([...cache.failing()].flatMap(marksOf), () => [...cache.targets()].flatMap(marksOf));
    return { suspects, castings };
  };
};
