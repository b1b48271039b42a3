/**
 * Just after this process began to lead: regions that were fit when they were last heard of, and of which no agent has spoken yet. To choose
 * where traffic goes before they are heard would pass over a region only because its agents report a second later than others'.
 */
import type { Instant, RegionVerdict } from "@regent/contract";
import type { ServiceSpec } from "@regent/engine";

/** Every agent that is well has reported by then. */
const REPORTS_AWAITED = 2;

export const awaitedUntil = (spec: ServiceSpec, leadingSince: Instant): Instant =>
  leadingSince + REPORTS_AWAITED * spec.settings.reportMs;

/** Region ids; none once two report intervals have passed: who is silent then may be passed over. */
export const awaitedRegions = (
  spec: ServiceSpec,
  verdicts: readonly RegionVerdict[],
  { leadingSince, now }: { readonly leadingSince: Instant; readonly now: Instant },
): readonly string[] =>
  now >= awaitedUntil(spec, leadingSince)
    ? []
    : verdicts
        .filter(({ verdict, evidence }) => evidence === "unknown" && (verdict === "healthy" || verdict === "degraded"))
        .map(({ region }) => region);

/** For what isn't asked a second time: judged since this process leads, and no region of it awaited. */
export const isHeardOf = (
  spec: ServiceSpec,
  verdicts: readonly RegionVerdict[],
  moment: { readonly leadingSince: Instant; readonly now: Instant },
): boolean => verdicts.length > 0 && awaitedRegions(spec, verdicts, moment).length === 0;
