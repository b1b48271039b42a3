/**
 * When and how a region that was left comes back: after a stable hold, if failback is automatic and the last returns didn't fail, in equal
 * steps. A region that turns bad during its return, or soon after, has failed it. Pure; the same for every strategy.
 */
import type { Actor, Instant, RegionId } from "@regent/contract";
import type { Ramp, Settings, TrafficMemory } from "../model.ts";
import { clockText, durationText } from "../text.ts";
import type { Candidate } from "./candidate.ts";
import { canReceive } from "./candidate.ts";

export const AUTOMATION: Actor = { kind: "automation", name: "regent" };

export const stepsOf = ({ rampMs, rampStepMs }: Settings): number =>
  rampMs <= 0 ? 1 : Math.max(1, Math.round(rampMs / Math.max(1, rampStepMs)));

export const startRamp = (settings: Settings, now: Instant, startedBy: Actor): Ramp => ({
  startedAt: now,
  steppedAt: now,
  step: 1,
  steps: stepsOf(settings),
  startedBy,
});

/** A region's failed returns with one more. */
export const withFailedReturn = ({ failedReturns }: TrafficMemory, region: RegionId, now: Instant): readonly Instant[] =>
  [...(failedReturns[region] ?? []), now].slice(-FAILED_RETURNS_KEPT);

/** Two make failback manual; a few more are kept for the sentence. */
const FAILED_RETURNS_KEPT = 10;

/** Two within the escalation window, however long ago: only an operator forgives them. */
const isManualOnly = (failed: readonly Instant[], { escalationMs }: Settings): boolean =>
  failed.some((at, n) => n > 0 && at - (failed[n - 1] ?? at) < escalationMs);

export interface ReturnQuestion {
  readonly traffic: TrafficMemory;
  readonly settings: Settings;
  readonly failback: "manual" | "automatic";
  readonly now: Instant;
}

export type ReturnAnswer =
  | { readonly kind: "now" }
  | { readonly kind: "later"; readonly at: Instant; readonly wait: string }
  /** Time alone doesn't bring it back. */
  | { readonly kind: "no"; readonly wait: string };

/**
 * Whether an automatic return may start now. One failed return doubles the hold; the second within the escalation window makes failback
 * manual.
 */
export const mayReturn = (candidate: Candidate, { traffic, settings, failback, now }: ReturnQuestion): ReturnAnswer => {
  const { region, health, verdict } = candidate;
  const failed = traffic.failedReturns[region] ?? [];
  const since = `${region} is ${health.verdict} since ${clockText(health.since)}`;
  if (isManualOnly(failed, settings))
    return {
      kind: "no",
      wait: `${region} failed to return ${failed.length} times: only an operator's failback brings it in again`,
    };
  if (health.verdict !== "healthy" || health.isSuppressed) return { kind: "no", wait: `${since} and may not return yet` };
  if (failback === "manual") return { kind: "no", wait: `${since} and waits for an operator's failback` };
  if (verdict.evidence !== "good") return { kind: "no", wait: `${since} and returns when the evidence is good: ${verdict.why}` };
  const recent = failed.filter((at) => now - at < settings.escalationMs).length;
  // Evidence that was bad or soft for a moment, too short for a verdict, says as well that the region isn't stable: one that fails 30 % of its
  // requests is healthy by verdict now and then.
  const at = Math.max(health.since, health.evidenceSince) + settings.stableHoldMs * 2 ** recent;
  return now < at
    ? { kind: "later", at, wait: `${region} returns in ${durationText(at - now)} if it stays healthy` }
    : { kind: "now" };
};

/** On its way back in. */
export const isReturning = (traffic: TrafficMemory, region: RegionId): boolean =>
  traffic.ramps[region] !== undefined || Object.values(traffic.passive).some((p) => p.returning?.region === region);

/** Bad during the ramp, or within `failedReturnMs` after it. */
export const hasFailedReturn = (traffic: TrafficMemory, region: RegionId, settings: Settings, now: Instant): boolean => {
  if (isReturning(traffic, region)) return true;
  const returned = traffic.returnedAt[region];
  return returned !== undefined && now - returned <= settings.failedReturnMs;
};

/** A return goes on only while the region is healthy and nothing speaks against it at this moment. */
export const mayStep = (candidate: Candidate): boolean => candidate.health.verdict === "healthy" && canReceive(candidate);

export const stepText = (region: RegionId, { step, steps }: Ramp): string =>
  `${region} is at step ${step} of ${steps} of its return`;

export const pausedText = ({ region, health, verdict }: Candidate, { step, steps }: Ramp): string =>
  `${region} waits at step ${step} of ${steps} of its return: it is ${health.verdict} with ${verdict.evidence} evidence`;
