/**
 * One region serves; the others stand by in order of priority. One family at a time. Pure. algorithms.md 2.1.
 *
 * Sticky: the active region keeps the traffic until it is out, set aside, or an operator says otherwise. Going back to a preferred region is a
 * return in steps, and an active region that turns bad in the middle of it is left at once.
 */
import type { Actor, Instant, RegionId } from "@regent/contract";
import type { OperatorMove, PassiveMemory, Ramp, Settings, TrafficMemory } from "../model.ts";
import type { Candidate } from "./candidate.ts";
import { canReceive, isFit, isOut, isSetAside } from "./candidate.ts";
import { mayReturn, mayStep, pausedText, startRamp, stepText } from "./returning.ts";

export interface PassiveInput {
  readonly candidates: readonly Candidate[];
  /** null before the first decision. */
  readonly memory: PassiveMemory | null;
  readonly traffic: TrafficMemory;
  readonly settings: Settings;
  readonly failback: "manual" | "automatic";
  /** An operator's standing choice: it serves, whatever else would. */
  readonly placement: RegionId | null;
  readonly move: OperatorMove | null;
  readonly actor: Actor;
  /** Of those that can take the traffic this one, before others: its database is writable, or on the way to be. */
  readonly preferred: RegionId | null;
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
  const { candidates, memory, placement, now } = input;
  const placed = candidates.find(({ region }) => region === placement);
  if (placed)
    return answer(
      { active: placed.region, returning: null },
      { waits: [`an operator chose ${placed.region}; it stays until failback`] },
    );
  const active = candidates.find(({ region }) => region === memory?.active);
  if (!memory || !active) return leave(input, null);
  if (!keepsServing(active)) return leave(input, active);
  const better = findMuchBetter(active, candidates);
  const switchAt = active.health.since + SWITCH_AFTER_MS;
  if (better && now >= switchAt) return settle(better.region, [active.region]);
  const served = serve(input, memory, active);
  return better ? { ...served, nextLookAt: Math.min(served.nextLookAt ?? switchAt, switchAt) } : served;
};

const keepsServing = (candidate: Candidate): boolean => !isOut(candidate) && !isSetAside(candidate);

const findMuchBetter = (active: Candidate, candidates: readonly Candidate[]): Candidate | undefined => {
  // A factor below 1 rests on hard evidence; a degraded region with soft evidence keeps factor 1 and its traffic.
  if (active.health.verdict !== "degraded" || active.health.factor >= 1) return undefined;
  const score = active.verdict.score ?? 0;
  return candidates.find(
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
  const { candidates, memory } = input;
  const target = findTarget(input, active);
  // The region on its way back may have failed at the same moment.
  const served = candidates.filter(({ region }) => region === active?.region || region === memory?.returning?.region);
  const left = served.filter(isOut).map(({ region }) => region);
  return target ? settle(target.region, left) : answer(null);
};

const findTarget = ({ candidates, preferred }: PassiveInput, active: Candidate | null): Candidate | undefined => {
  const others = candidates.filter((c) => c.region !== active?.region && canReceive(c));
  const first = others.find(({ region }) => region === preferred);
  if (first) return first;
  const healthy = others.filter((c) => c.health.verdict === "healthy");
  return healthy.find((c) => c.verdict.evidence === "good") ?? healthy[0] ?? others[0];
};

const serve = (input: PassiveInput, memory: PassiveMemory, active: Candidate): PassiveAnswer => {
  const returning = input.candidates.find(({ region }) => region === memory.returning?.region);
  if (memory.returning && returning)
    return keepsServing(returning)
      ? continueReturn(input, active, returning, memory.returning.ramp)
      : abortReturn(input, active, returning);
  const preferred = findPreferred(input, active);
  if (!preferred) return settle(active.region, []);
  return considerReturn(input, active, preferred);
};

/** The region that was coming back is bad again: all of it goes back to the active region in one batch, or to whoever can take it. */
const abortReturn = (input: PassiveInput, active: Candidate, returning: Candidate): PassiveAnswer => {
  const left = isOut(returning) ? [returning.region] : [];
  const target = canReceive(active) ? active : (findTarget(input, active) ?? active);
  return settle(target.region, left);
};

/** Where traffic belongs rather than here: the first that is healthy now, else the first that is fit, so that a person reads what it waits for. */
const findPreferred = ({ candidates }: PassiveInput, active: Candidate): Candidate | undefined => {
  const before = candidates.filter(({ priority }) => priority < active.priority);
  return before.find(mayStep) ?? before.find(isFit);
};

const stay = (active: Candidate, wait: string, nextLookAt: Instant | null = null): PassiveAnswer =>
  answer({ active: active.region, returning: null }, { waits: [wait], nextLookAt });

const considerReturn = (input: PassiveInput, active: Candidate, preferred: Candidate): PassiveAnswer => {
  const { settings, move, now } = input;
  const isAsked = move?.kind === "failback" || (move?.kind === "undrain" && move.region === preferred.region);
  if (!canReceive(preferred)) return stay(active, `${preferred.region} can't take traffic now: ${preferred.verdict.why}`);
  // Who asks for a return gets one to a healthy region, or away from one that isn't; a failover names any other.
  if (isAsked && (mayStep(preferred) || !mayStep(active)))
    return step(input, active, preferred, startRamp(settings, now, input.actor));
  const failback = input.traffic.out[preferred.region]?.isLent ? "automatic" : input.failback;
  const question = mayReturn(preferred, { ...input, failback });
  if (question.kind === "now") return step(input, active, preferred, startRamp(settings, now, input.actor));
  return stay(active, question.wait, question.kind === "later" ? question.at : null);
};

const continueReturn = (input: PassiveInput, active: Candidate, returning: Candidate, ramp: Ramp): PassiveAnswer => {
  const dueAt = ramp.steppedAt + input.settings.rampStepMs;
  const isDue = input.now >= dueAt;
  if (isDue && mayStep(returning)) return step(input, active, returning, { ...ramp, step: ramp.step + 1, steppedAt: input.now });
  return answer(
    { active: active.region, returning: { region: returning.region, ramp } },
    { waits: [isDue ? pausedText(returning, ramp) : stepText(returning.region, ramp)], nextLookAt: isDue ? null : dueAt },
  );
};

const step = ({ now, settings }: PassiveInput, active: Candidate, { region }: Candidate, ramp: Ramp): PassiveAnswer => {
  if (ramp.step >= ramp.steps) return answer({ active: region, returning: null }, { returned: region, isStep: true });
  return answer(
    { active: active.region, returning: { region, ramp } },
    { isStep: true, waits: [stepText(region, ramp)], nextLookAt: now + settings.rampStepMs },
  );
};
