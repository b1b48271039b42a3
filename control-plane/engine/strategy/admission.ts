/**
 * Which part of its capacity each region is let in with: 1 in, 0 out, in between while it returns. Pure.
 *
 * Leaving is at once. Coming back is a return: after a stable hold, if failback is automatic and the last return didn't fail twice, in equal
 * steps. A region that turns bad during its return, or soon after, has failed it.
 */
import type { Actor, Instant, RegionId } from "@regent/contract";
import type { OperatorMove, Ramp, Settings, TrafficMemory } from "../model.ts";
import type { Candidate } from "./candidate.ts";
import { isFit, isOut } from "./candidate.ts";
import { clockText, durationText } from "./text.ts";

export interface Admission {
  /** region -> 0..1 */
  readonly levels: Readonly<Record<RegionId, number>>;
  readonly traffic: TrafficMemory;
  /** Regions whose level fell to 0 now because they are bad, and those that made a step. */
  readonly left: readonly RegionId[];
  readonly stepped: readonly RegionId[];
  readonly waits: readonly string[];
  readonly nextLookAt: Instant | null;
}

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

/** Failed returns of a region that still count, oldest first. */
export const recentFailedReturns = (
  traffic: TrafficMemory,
  region: RegionId,
  settings: Settings,
  now: Instant,
): readonly Instant[] => (traffic.failedReturns[region] ?? []).filter((at) => now - at < settings.escalationMs);

/**
 * When an automatic return of a healthy region may start; null when only an operator may start it.
 * One failed return doubles the hold; the second within the escalation window makes failback manual.
 */
export const returnAllowedAt = (
  candidate: Candidate,
  traffic: TrafficMemory,
  settings: Settings,
  failback: "manual" | "automatic",
  now: Instant,
): Instant | null => {
  if (failback === "manual" || candidate.health.verdict !== "healthy" || candidate.health.isSuppressed) return null;
  const failed = recentFailedReturns(traffic, candidate.region, settings, now).length;
  if (failed >= 2) return null;
  return candidate.health.since + settings.stableHoldMs * 2 ** failed;
};

export interface AdmissionInput {
  readonly candidates: readonly Candidate[];
  readonly traffic: TrafficMemory;
  readonly settings: Settings;
  readonly failback: "manual" | "automatic";
  readonly move: OperatorMove | null;
  readonly actor: Actor;
  readonly now: Instant;
}

/** For active-active and round-robin, where every region is in unless something took it out. */
export const admit = (input: AdmissionInput): Admission => {
  const draft = createDraft(input.traffic);
  const levels: Record<RegionId, number> = {};
  for (const candidate of input.candidates) levels[candidate.region] = admitOne(candidate, input, draft);
  const { left, stepped, waits, nextLookAt, out, ramps, returnedAt, failedReturns } = draft;
  return { levels, left, stepped, waits, nextLookAt, traffic: { ...input.traffic, out, ramps, returnedAt, failedReturns } };
};

interface Draft {
  out: Record<RegionId, { since: Instant; why: string }>;
  ramps: Record<RegionId, Ramp>;
  returnedAt: Record<RegionId, Instant>;
  failedReturns: Record<RegionId, readonly Instant[]>;
  left: RegionId[];
  stepped: RegionId[];
  waits: string[];
  nextLookAt: Instant | null;
}

const createDraft = (traffic: TrafficMemory): Draft => ({
  out: { ...traffic.out },
  ramps: { ...traffic.ramps },
  returnedAt: { ...traffic.returnedAt },
  failedReturns: { ...traffic.failedReturns },
  left: [],
  stepped: [],
  waits: [],
  nextLookAt: null,
});

const lookAt = (draft: Draft, at: Instant): void => {
  draft.nextLookAt = draft.nextLookAt === null ? at : Math.min(draft.nextLookAt, at);
};

const admitOne = (candidate: Candidate, input: AdmissionInput, draft: Draft): number => {
  const { region, health } = candidate;
  const { move, settings, now } = input;
  if (isOut(candidate)) return takeOut(candidate, input, draft);
  if (candidate.isDrained || health.verdict === "maintenance") {
    delete draft.ramps[region];
    return 0;
  }
  const isAskedBack = move?.kind === "failback" || (move?.kind === "undrain" && move.region === region);
  const hasNothing = Object.values(input.traffic.shares).every((shares) => (shares[region] ?? 0) === 0);
  if (isAskedBack && isFit(candidate) && (draft.out[region] || hasNothing)) {
    delete draft.failedReturns[region];
    return beginReturn(candidate, input, draft);
  }
  if (draft.out[region]) return considerReturn(candidate, input, draft);
  const ramp = draft.ramps[region];
  return ramp ? continueReturn({ candidate, ramp, settings, now }, draft) : 1;
};

const takeOut = ({ region, health }: Candidate, { settings, now, traffic }: AdmissionInput, draft: Draft): number => {
  if (!draft.out[region]) {
    draft.left.push(region);
    draft.out[region] = { since: now, why: health.why };
    if (hasFailedReturn(traffic, region, settings, now))
      draft.failedReturns[region] = [...(draft.failedReturns[region] ?? []), now];
  }
  delete draft.ramps[region];
  return 0;
};

/** Bad during the ramp, or within `failedReturnMs` after it. */
export const hasFailedReturn = (traffic: TrafficMemory, region: RegionId, settings: Settings, now: Instant): boolean => {
  const isReturning =
    traffic.ramps[region] !== undefined || Object.values(traffic.passive).some((p) => p.returning?.region === region);
  if (isReturning) return true;
  const returned = traffic.returnedAt[region];
  return returned !== undefined && now - returned <= settings.failedReturnMs;
};

const considerReturn = (candidate: Candidate, input: AdmissionInput, draft: Draft): number => {
  const { region, health } = candidate;
  if (health.verdict === "unknown") return 0;
  const at = returnAllowedAt(candidate, input.traffic, input.settings, input.failback, input.now);
  if (at === null) {
    const failed = recentFailedReturns(input.traffic, region, input.settings, input.now).length;
    draft.waits.push(
      failed >= 2
        ? `${region} failed to return ${failed} times: only an operator's failback brings it in again`
        : input.failback === "manual"
          ? `${region} is ${health.verdict} since ${clockText(health.since)} and waits for an operator's failback`
          : `${region} is ${health.verdict} and may not return yet`,
    );
    return 0;
  }
  if (input.now < at) {
    draft.waits.push(`${region} returns in ${durationText(at - input.now)} if it stays healthy`);
    lookAt(draft, at);
    return 0;
  }
  return beginReturn(candidate, input, draft);
};

const beginReturn = ({ region }: Candidate, { settings, now, actor }: AdmissionInput, draft: Draft): number => {
  const ramp = startRamp(settings, now, actor);
  delete draft.out[region];
  draft.stepped.push(region);
  return keepRamp(region, ramp, settings, now, draft);
};

const continueReturn = (
  { candidate, ramp, settings, now }: { candidate: Candidate; ramp: Ramp; settings: Settings; now: Instant },
  draft: Draft,
): number => {
  const { region, health } = candidate;
  const isDue = now - ramp.steppedAt >= settings.rampStepMs;
  if (!isDue || health.verdict !== "healthy") {
    if (!isDue) lookAt(draft, ramp.steppedAt + settings.rampStepMs);
    else draft.waits.push(`${region} waits at step ${ramp.step} of ${ramp.steps} because it is ${health.verdict}`);
    return ramp.step / ramp.steps;
  }
  draft.stepped.push(region);
  return keepRamp(region, { ...ramp, step: ramp.step + 1, steppedAt: now }, settings, now, draft);
};

const keepRamp = (region: RegionId, ramp: Ramp, settings: Settings, now: Instant, draft: Draft): number => {
  if (ramp.step >= ramp.steps) {
    delete draft.ramps[region];
    draft.returnedAt[region] = now;
    return 1;
  }
  draft.ramps[region] = ramp;
  lookAt(draft, now + settings.rampStepMs);
  return ramp.step / ramp.steps;
};
