/**
 * Which part of its capacity each region is let in with: 1 in, 0 out, in between while it returns. Pure.
 *
 * Leaving is at once. Coming back is a return in steps (returning.ts).
 */
import type { Actor, Instant, RegionId } from "@regent/contract";
import type { OperatorMove, Ramp, Settings, TakenOut, TrafficMemory } from "../model.ts";
import type { Candidate } from "./candidate.ts";
import { isOut, isSetAside } from "./candidate.ts";
import { hasFailedReturn, mayReturn, mayStep, pausedText, startRamp, stepText, withFailedReturn } from "./returning.ts";

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
  out: Record<RegionId, TakenOut>;
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
  const { region } = candidate;
  const { move, settings, now } = input;
  if (isOut(candidate)) return takeOut(candidate, input, draft);
  if (isSetAside(candidate)) {
    delete draft.ramps[region];
    return 0;
  }
  const isAskedBack = move?.kind === "failback" || (move?.kind === "undrain" && move.region === region);
  if (isAskedBack && (draft.out[region] || !hasTraffic(input.traffic, region))) {
    delete draft.failedReturns[region];
    return beginReturn(candidate, input, draft);
  }
  if (draft.out[region]) return considerReturn(candidate, input, draft);
  const ramp = draft.ramps[region];
  return ramp ? continueReturn({ candidate, ramp, settings, now }, draft) : 1;
};

const hasTraffic = (traffic: TrafficMemory, region: RegionId): boolean =>
  Object.values(traffic.shares).some((shares) => (shares[region] ?? 0) > 0);

const takeOut = ({ region, health }: Candidate, { settings, now, traffic }: AdmissionInput, draft: Draft): number => {
  if (!draft.out[region]) {
    // Whoever carried nothing isn't left, and fails no return.
    if (hasTraffic(traffic, region)) {
      draft.left.push(region);
      if (hasFailedReturn(traffic, region, settings, now)) {
        draft.failedReturns[region] = withFailedReturn(traffic, region, now);
        delete draft.returnedAt[region];
      }
    }
    draft.out[region] = { since: now, why: health.why };
  }
  delete draft.ramps[region];
  return 0;
};

const considerReturn = (candidate: Candidate, input: AdmissionInput, draft: Draft): number => {
  if (candidate.health.verdict === "unknown") return 0;
  const failback = draft.out[candidate.region]?.isLent ? "automatic" : input.failback;
  const answer = mayReturn(candidate, { ...input, failback });
  if (answer.kind === "now") return beginReturn(candidate, input, draft);
  draft.waits.push(answer.wait);
  if (answer.kind === "later") lookAt(draft, answer.at);
  return 0;
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
  const { region } = candidate;
  const isDue = now - ramp.steppedAt >= settings.rampStepMs;
  if (!isDue) lookAt(draft, ramp.steppedAt + settings.rampStepMs);
  if (!isDue || !mayStep(candidate)) {
    draft.waits.push(isDue ? pausedText(candidate, ramp) : stepText(region, ramp));
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
  draft.waits.push(stepText(region, ramp));
  lookAt(draft, now + settings.rampStepMs);
  return ramp.step / ramp.steps;
};
