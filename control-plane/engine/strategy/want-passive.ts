/** active-passive over all families of a service: who is active in each, and what the standbys get. Pure. */
import type { FamilyId, Instant, RegionId } from "@regent/contract";
import type { PassiveMemory, ServiceSpec, Situation, TrafficMemory } from "../model.ts";
import type { PassiveAnswer } from "./active-passive.ts";
import { choose } from "./active-passive.ts";
import type { Candidate } from "./candidate.ts";
import { candidatesOf, canReceive, isUndecided } from "./candidate.ts";
import type { StrategyDraft, WantInput } from "./draft.ts";
import { earliest, forgive } from "./draft.ts";
import { preferredTarget } from "./preferred-target.ts";
import { hasFailedReturn, withFailedReturn } from "./returning.ts";

export const wantPassive = (input: WantInput): StrategyDraft => {
  const { situation, move } = input;
  const { spec, traffic } = situation;
  const shares: Record<FamilyId, Record<RegionId, number>> = {};
  const stuck: Record<FamilyId, string> = {};
  const passive: Record<FamilyId, PassiveMemory> = {};
  const answers: PassiveAnswer[] = [];
  for (const family of spec.families) {
    const candidates = candidatesOf(situation, family);
    const memory = traffic.passive[family.id] ?? null;
    const chosen = chooseFor(input, candidates, memory);
    if (!chosen.memory) {
      stuck[family.id] = "no region can take the traffic";
      if (memory) passive[family.id] = memory;
      continue;
    }
    answers.push(chosen);
    passive[family.id] = chosen.memory;
    shares[family.id] = passiveShares(chosen.memory, candidates, trickleOf(spec));
  }
  const left = unique(answers.flatMap((a) => a.left));
  const returned = unique(answers.flatMap((a) => (a.returned === null ? [] : [a.returned])));
  const returns = noteReturns(situation, { left, returned });
  return {
    shares,
    stuck,
    traffic: { ...traffic, passive, ...returns, failedReturns: forgive(returns.failedReturns, move) },
    left,
    stepped: unique(answers.flatMap((a) => (a.isStep && a.memory ? [a.memory.returning?.region ?? a.memory.active] : []))),
    waits: unique(answers.flatMap((a) => a.waits)),
    nextLookAt: earliest(answers.flatMap((a) => (a.nextLookAt === null ? [] : [a.nextLookAt]))),
  };
};

const unique = <T>(items: readonly T[]): readonly T[] => [...new Set(items)];

const chooseFor = (
  { situation, move, actor, placement }: WantInput,
  candidates: readonly Candidate[],
  memory: PassiveMemory | null,
): PassiveAnswer => {
  const { spec, traffic, now } = situation;
  const isStateful = spec.stateful !== null;
  return choose({
    candidates,
    memory,
    traffic,
    // Its data can't be written in two places: it goes back as a whole.
    settings: isStateful ? { ...spec.settings, rampMs: 0 } : spec.settings,
    failback: isStateful && move?.kind === "undrain" ? "manual" : spec.strategy.failback,
    placement: placement?.region ?? null,
    // To take a drain back is no move of the role; a return, later, or a failback is.
    move: isStateful && move?.kind === "undrain" ? null : move,
    actor,
    preferred: preferredTarget(situation),
    now,
  });
};

interface Returns {
  readonly left: readonly RegionId[];
  readonly returned: readonly RegionId[];
}

const noteReturns = ({ traffic, spec, now }: Situation, { left, returned }: Returns) => {
  const failedReturns: Record<RegionId, readonly Instant[]> = { ...traffic.failedReturns };
  const returnedAt: Record<RegionId, Instant> = { ...traffic.returnedAt };
  for (const region of returned) returnedAt[region] = now;
  for (const region of left) {
    if (!hasFailedReturn(traffic, region, spec.settings, now)) continue;
    failedReturns[region] = withFailedReturn(traffic, region, now);
    // A return fails once.
    delete returnedAt[region];
  }
  return { failedReturns, returnedAt } satisfies Partial<TrafficMemory>;
};

/** Twenty standbys of 20 % would leave nothing: all of them together get half at most, 0..0.2 each. */
export const trickleOf = ({ strategy, endpoints }: ServiceSpec): number => {
  const trickle = strategy.kind === "active-passive" ? strategy.trickle : 0;
  return endpoints.length > 1 ? Math.min(trickle, 0.5 / (endpoints.length - 1)) : 0;
};

/** Everybody fit gets its trickle; what is left goes to the active region, or is divided with the one that returns. */
const passiveShares = (memory: PassiveMemory, candidates: readonly Candidate[], trickle: number): Record<RegionId, number> => {
  const { active, returning } = memory;
  const level = returning ? returning.ramp.step / returning.ramp.steps : 0;
  const serving = returning ? [active, returning.region] : [active];
  const shares: Record<RegionId, number> = {};
  for (const c of candidates) shares[c.region] = serving.includes(c.region) ? 0 : standbyShare(c, trickle);
  const rest = candidates.reduce((left, { region }) => left - (shares[region] ?? 0), 1);
  if (!returning) return { ...shares, [active]: rest };
  // Both keep a standby's trickle, so that the first step of a return is more than nothing and the last one less than all.
  const [own, pool] = [trickle, rest - 2 * trickle];
  return { ...shares, [active]: own + pool * (1 - level), [returning.region]: own + pool * level };
};

/** A trickle starts only where traffic may land, and ends only when the region is known to be bad: silence takes nothing away. */
const standbyShare = (c: Candidate, trickle: number): number => {
  if (isUndecided(c)) return Math.min(trickle, c.held);
  return canReceive(c) ? trickle : 0;
};
