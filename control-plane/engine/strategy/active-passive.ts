/**
 * One region serves; the others stand by in order of priority. One family at a time. Pure. algorithms.md 2.1.
 *
 * Sticky: the active region keeps the traffic until it is out, drained, or an operator says otherwise. Going back to a preferred region is a
 * return in steps, and an active region that turns bad in the middle of it is left at once.
 */
import type { Actor, Instant, RegionId } from "@regent/contract";
import type { OperatorMove, PassiveMemory, Ramp, Settings, TrafficMemory } from "../model.ts";
import { recentFailedReturns, returnAllowedAt, startRamp } from "./admission.ts";
import type { Candidate } from "./candidate.ts";
import { canReceive, isFit, isOut } from "./candidate.ts";
import { clockText, durationText } from "./text.ts";

export interface PassiveInput {
  readonly candidates: readonly Candidate[];
  /** null before the first decision. */
  readonly memory: PassiveMemory | null;
  readonly traffic: TrafficMemory;
  readonly settings: Settings;
  readonly failback: "manual" | "automatic";
  /** An operator's standing choice: no automatic failback away from it. */
  readonly placement: RegionId | null;
  readonly move: OperatorMove | null;
  readonly actor: Actor;
  readonly now: Instant;
}

export interface PassiveAnswer {
  /** null: nobody can take the traffic; keep what is there. */
  readonly memory: PassiveMemory | null;
  /** Regions left because they are bad. */
  readonly left: readonly RegionId[];
  /** The region whose return was completed now. */
  readonly returned: RegionId | null;
  /** A step of a return was made. */
  readonly isStep: boolean;
  readonly waits: readonly string[];
  readonly nextLookAt: Instant | null;
}

/** A degraded active region is left for a healthy one only if that is this much better, for this long. */
const SWITCH_SCORE = 20;
const SWITCH_AFTER_MS = 300_000;

export const choose = (input: PassiveInput): PassiveAnswer => {
  const { candidates, memory, move, now } = input;
  if (move?.kind === "failover") return settle(move.to, []);
  const active = candidates.find(({ region }) => region === memory?.active);
  if (memory && active && keepsServing(active) && !isMuchWorse(active, candidates, now)) return serve(input, memory, active);
  return leave(input, active ?? null);
};

const keepsServing = (active: Candidate): boolean =>
  !active.isDrained && !isOut(active) && active.health.verdict !== "maintenance";

const isMuchWorse = (active: Candidate, candidates: readonly Candidate[], now: Instant): boolean => {
  // A factor below 1 rests on hard evidence; a degraded region with soft evidence keeps factor 1 and its traffic.
  if (active.health.verdict !== "degraded" || active.health.factor >= 1 || now - active.health.since < SWITCH_AFTER_MS)
    return false;
  const score = active.verdict.score ?? 0;
  return candidates.some(
    (c) => c.health.verdict === "healthy" && canReceive(c) && (c.verdict.score ?? 0) >= score + SWITCH_SCORE,
  );
};

const answer = (memory: PassiveMemory | null, more: Partial<PassiveAnswer> = {}): PassiveAnswer => ({
  memory,
  left: [],
  returned: null,
  isStep: false,
  waits: [],
  nextLookAt: null,
  ...more,
});

/** Traffic goes to `region` as a whole, now. */
const settle = (region: RegionId, left: readonly RegionId[]): PassiveAnswer =>
  answer({ active: region, returning: null }, { left });

const leave = (input: PassiveInput, active: Candidate | null): PassiveAnswer => {
  const others = input.candidates.filter((c) => c.region !== active?.region && canReceive(c));
  const healthy = others.filter((c) => c.health.verdict === "healthy");
  const target = healthy.find((c) => c.verdict.evidence === "good") ?? healthy[0] ?? others[0];
  const left = active && isOut(active) ? [active.region] : [];
  return target ? settle(target.region, left) : answer(null, { left });
};

const serve = (input: PassiveInput, memory: PassiveMemory, active: Candidate): PassiveAnswer => {
  const returning = input.candidates.find(({ region }) => region === memory.returning?.region);
  if (memory.returning && returning) {
    // The region that was coming back is bad again: all of it goes back to the active region in one batch.
    if (!keepsServing(returning)) return settle(active.region, isOut(returning) ? [returning.region] : []);
    return continueReturn(input, active, returning, memory.returning.ramp);
  }
  const preferred = input.candidates.find(isFit);
  if (!preferred || preferred.region === active.region) return settle(active.region, []);
  return considerReturn(input, active, preferred);
};

const stay = (active: Candidate, wait: string, nextLookAt: Instant | null = null): PassiveAnswer =>
  answer({ active: active.region, returning: null }, { waits: [wait], nextLookAt });

const considerReturn = (input: PassiveInput, active: Candidate, preferred: Candidate): PassiveAnswer => {
  const { traffic, settings, failback, placement, move, now } = input;
  const isAsked = move?.kind === "failback" || (move?.kind === "undrain" && move.region === preferred.region);
  if (!canReceive(preferred)) return stay(active, `${preferred.region} can't take traffic now: ${preferred.verdict.why}`);
  if (isAsked) return step(input, active, preferred, startRamp(settings, now, input.actor));
  if (placement === active.region) return stay(active, `an operator chose ${active.region}; it stays until failback`);
  const at = returnAllowedAt(preferred, traffic, settings, failback, now);
  if (at === null) return stay(active, waitSentence(input, preferred));
  if (now < at) return stay(active, `returns to ${preferred.region} in ${durationText(at - now)} if it stays healthy`, at);
  return step(input, active, preferred, startRamp(settings, now, input.actor));
};

const waitSentence = ({ traffic, settings, failback, now }: PassiveInput, { region, health }: Candidate): string => {
  const failed = recentFailedReturns(traffic, region, settings, now).length;
  if (failed >= 2) return `${region} failed to return ${failed} times: only an operator's failback brings it in again`;
  const since = `${region} is ${health.verdict} since ${clockText(health.since)}`;
  return failback === "manual" ? `${since} and waits for an operator's failback` : `${since} and may not return yet`;
};

const continueReturn = (input: PassiveInput, active: Candidate, returning: Candidate, ramp: Ramp): PassiveAnswer => {
  const dueAt = ramp.steppedAt + input.settings.rampStepMs;
  if (input.now >= dueAt && returning.health.verdict === "healthy")
    return step(input, active, returning, { ...ramp, step: ramp.step + 1, steppedAt: input.now });
  return answer(
    { active: active.region, returning: { region: returning.region, ramp } },
    { waits: [stepSentence(returning, ramp)], nextLookAt: input.now < dueAt ? dueAt : null },
  );
};

const step = ({ now, settings }: PassiveInput, active: Candidate, returning: Candidate, ramp: Ramp): PassiveAnswer => {
  const { region } = returning;
  if (ramp.step >= ramp.steps) return answer({ active: region, returning: null }, { returned: region, isStep: true });
  return answer(
    { active: active.region, returning: { region, ramp } },
    { isStep: true, waits: [stepSentence(returning, ramp)], nextLookAt: now + settings.rampStepMs },
  );
};

const stepSentence = ({ region }: Candidate, { step, steps }: Ramp): string =>
  `${region} is at step ${step} of ${steps} of its return`;
