/**
 * One service, one moment: what should its traffic look like, may we move it, and why. Pure, total, level-based: run twice, or after a crash,
 * it answers the same. The shell persists what it answers and writes DNS.
 */
import type { Actor, RegionId, RuleAnswer, SafetyMode, Shares, Weights } from "@regent/contract";
import type { Control, Controls, Decision, OperatorMove, OperatorRequest, Proposal, Situation, TrafficMemory } from "./model.ts";
import { meetEdit } from "./plan/meet-edit.ts";
import type { Drafted } from "./propose.ts";
import { isFrozen, isModeOutdated, propose } from "./propose.ts";
import { basisOf, questionOf } from "./safety/basis.ts";
import { departuresAfter, movedPart } from "./safety/departures.ts";
import { evaluate, isAboutTheWhole, isApproved, objections } from "./safety/evaluate.ts";
import { judgeRole } from "./safety/judge-role.ts";
import { isLeading } from "./stateful/transfer.ts";
import type { WantInput } from "./strategy/draft.ts";
import { keptShares } from "./strategy/fail-static.ts";
import { firstTraffic } from "./strategy/first.ts";
import { findLed, followLed, isLedMove } from "./strategy/led.ts";
import { keptOnText, layOverrides, nextExpiry, overridesText, takenAsFit } from "./strategy/overrides.ts";
import { gains, normalised, partsOf, ROUNDING, regionsWhere, sameWeights } from "./strategy/parts.ts";
import { AUTOMATION } from "./strategy/returning.ts";
import type { Wanted } from "./strategy/shares.ts";
import { wantShares } from "./strategy/shares.ts";
import { toWeights } from "./strategy/weights.ts";
import { sharesText } from "./text.ts";

export { isFrozen };

/** Smaller shifts are not worth a write, unless a region starts or stops serving. */
export const HYSTERESIS = 0.03;

export const decide = (given: Situation, request: OperatorRequest | null): Decision => {
  const controls = controlsAfter(given, request);
  // A move is judged by what stood before it; an override that is asked for stands already, so that its own move and the later ones are one.
  const situation = layOverrides(request?.move.kind === "override" ? { ...given, controls } : given);
  const decision = decideLaid(situation, controls, request);
  const expiry = nextExpiry(situation);
  if (expiry === null) return decision;
  const kept = decision.proposal === null && decision.failStatic === null ? keptOnText(situation) : null;
  return {
    ...decision,
    failStatic: kept ?? decision.failStatic,
    sentence: `${kept ?? decision.sentence}${overridesText(situation)}`,
    nextLookAt: Math.min(decision.nextLookAt ?? expiry, expiry),
  };
};

/** `controls`: with what the request asks for, as they are kept. Overrides are laid over `situation`. */
const decideLaid = (situation: Situation, controls: Controls, request: OperatorRequest | null): Decision => {
  if (situation.written === null) return decideFirst(situation, controls);
  const believed = takenAsFit(layOverrides({ ...situation, controls }), null);
  const input: WantInput = {
    situation: believed,
    move: wishOf(request),
    actor: request ? { kind: "operator", name: request.by } : AUTOMATION,
    placement: controls.placement,
  };
  const led = request === null ? findLed(believed) : null;
  const wanted = followLed(led, input, wantShares(input));
  const { how, weightsBefore, weightsAfter } = meetEdit(believed, weightsFor(situation, wanted, request), request);
  const isSame = sameWeights(weightsBefore, weightsAfter);
  const controlsKept: Controls = { ...controls, placement: wanted.placement };
  const isWriteDue = situation.areRecordsOutdated || isModeOutdated(situation);
  if (isSame && !isWriteDue && how !== "replace") return standStill(wanted, controlsKept);
  const met = { ...situation, written: weightsBefore };
  // A mark in DNS doesn't end an edit that is kept: it is written around it.
  const isAround = isSame && how === "hold" && situation.edit?.isKept === true;
  const drafted =
    how === "rebase" ? rebased(wanted, weightsAfter) : { wanted, weightsAfter, isSame, request, isRebased: isAround };
  const isUndone = isSame || sameWeights(situation.written, weightsAfter);
  const isRevert = how === "replace" && request === null && isUndone;
  const decision = judge(met, { ...drafted, isRevert, led }, controlsKept);
  if (decision.isAllowed || isSame || request || !isWriteDue) return decision;
  return decideQuietly(situation, controls, wanted, decision);
};

/** For a strategy, whoever says that a region is fit asks for it back. */
const wishOf = (request: OperatorRequest | null): OperatorMove | null => {
  if (request?.move.kind !== "override") return request?.move ?? null;
  const { what } = request.move.override;
  return what.kind === "on" ? { kind: "undrain", region: what.region } : null;
};

/** What is wanted is then what the weights amount to: most of them are somebody else's. */
const rebased = (wanted: Wanted, weightsAfter: Weights): Omit<Drafted, "isRevert" | "led"> => {
  const shares = Object.fromEntries(Object.entries(weightsAfter).map(([family, weights]) => [family, partsOf(weights)]));
  const traffic = { ...wanted.traffic, shares };
  return { wanted: { ...wanted, shares, traffic }, weightsAfter, isSame: false, request: null, isRebased: true };
};

const controlsAfter = ({ controls, now }: Situation, request: OperatorRequest | null): Controls => {
  if (!request) return controls;
  const control: Control = { by: request.by, reason: request.reason, at: now };
  switch (request.move.kind) {
    case "failover":
      // Only break-glass leads to a drained region (A6); then the newer word of an operator counts.
      return {
        ...controls,
        drained: without(controls.drained, request.move.to),
        placement: { ...control, region: request.move.to },
      };
    case "failback":
      return { ...controls, placement: null };
    case "drain":
      return { ...controls, drained: { ...controls.drained, [request.move.region]: control } };
    case "undrain":
      return { ...controls, drained: without(controls.drained, request.move.region) };
    case "override":
      return { ...controls, overrides: [...controls.overrides, request.move.override] };
  }
};

const without = <T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> => {
  const { [key]: _removed, ...rest } = record;
  return rest;
};

/** Weights by family; small shifts keep what stands, unless a step, a departure or an operator asks for exactly this. */
const weightsFor = ({ spec, written }: Situation, wanted: Wanted, request: OperatorRequest | null): Weights => {
  const isDeliberate = wanted.left.length > 0 || wanted.stepped.length > 0 || request !== null;
  return Object.fromEntries(
    spec.families.map(({ id }) => [id, toWeights(wanted.shares[id] ?? {}, written?.[id] ?? null, isDeliberate ? 0 : HYSTERESIS)]),
  );
};

// ------------------------------------------------------------------------------------------------ nothing to move

const standStill = (wanted: Wanted, controls: Controls): Decision => ({
  proposal: null,
  rules: [],
  isAllowed: false,
  asks: [],
  transfer: null,
  trafficNow: wanted.traffic,
  trafficAfter: wanted.traffic,
  // An operator's standing decision counts even if DNS already looks like it.
  controlsAfter: controls,
  failStatic: wanted.failStatic,
  sentence: wanted.failStatic ?? wanted.waits[0] ?? `serving from ${sharesText(Object.values(wanted.shares)[0] ?? {})}`,
  nextLookAt: wanted.nextLookAt,
});

/**
 * A move that may not be made doesn't keep a freeze, or records that were declared anew, out of DNS: they are written with today's weights. Where these
 * can't stay, because a region that is declared no more carries traffic, a quiet write would be a move past every rule, and the refusal stands.
 */
const decideQuietly = (situation: Situation, controls: Controls, wanted: Wanted, refused: Decision): Decision => {
  const shares = Object.fromEntries(situation.spec.families.map(({ id }) => [id, keptShares(situation, id)]));
  const weightsAfter = Object.fromEntries(
    situation.spec.families.map(({ id }) => [id, toWeights(shares[id] ?? {}, situation.written?.[id] ?? null, HYSTERESIS)]),
  );
  if (movesQuietly(situation, weightsAfter)) return { ...refused, sentence: `${refused.sentence}${removedText(situation)}` };
  const traffic = { ...situation.traffic, failStaticSince: wanted.traffic.failStaticSince };
  const quiet: Wanted = { ...wanted, shares, traffic, left: [], stepped: [], panicFamilies: [] };
  const decision = judge(
    situation,
    {
      wanted: quiet,
      weightsAfter,
      isSame: true,
      request: null,
      isRebased: situation.edit?.isKept === true,
      isRevert: false,
      led: null,
    },
    controls,
  );
  return decision.isAllowed
    ? { ...decision, sentence: `${decision.sentence}; ${refused.sentence}`, nextLookAt: refused.nextLookAt }
    : refused;
};

/** Somebody would get traffic by it, or a little of it would land where nobody vouches for anything. */
const movesQuietly = ({ written, health }: Situation, weightsAfter: Weights): boolean => {
  const isFit = (region: RegionId): boolean => health[region]?.verdict === "healthy" || health[region]?.verdict === "degraded";
  const gaining = regionsWhere(written ?? {}, weightsAfter, gains);
  return movedPart(written ?? {}, weightsAfter) > ROUNDING || gaining.some((region) => !isFit(region));
};

const removedText = ({ spec, written }: Situation): string => {
  const declared = new Set(spec.endpoints.map(({ region }) => region));
  const carrying = Object.values(written ?? {}).flatMap((weights) =>
    Object.keys(weights).filter((region) => (weights[region] ?? 0) > 0),
  );
  const removed = [...new Set(carrying)].filter((region) => !declared.has(region)).sort();
  return removed.length === 0
    ? ""
    : `; the declared records wait too: ${removed.join(", ")} is declared no more and still carries traffic`;
};

// ------------------------------------------------------------------------------------------------ may we

const judge = (situation: Situation, drafted: Drafted, controls: Controls, isClamped = false): Decision => {
  const { wanted } = drafted;
  const proposal = propose(situation, drafted);
  const { answers: rules, part } = evaluate({ proposal, situation });
  const standing = objections(rules);
  // Once: what a rule clamps a second time it holds back. What is refused as a whole isn't done in small steps, which may be too small to be seen.
  if (part !== null && !isClamped && !standing.some(isAboutTheWhole))
    return judge(situation, clamped(situation, drafted, part), controls, true);
  const mode = isAskedFor(situation, proposal, wanted) ? "automatic" : situation.spec.mode;
  const isBound = mode === "advisory" || (mode === "approve" && !isModeApproved(situation, proposal));
  const isAllowed = standing.length === 0 && !isBound;
  const role = judgeRole({ proposal, situation });
  const lead = role.kind === "lead" && standing.some(({ rule }) => rule === "A7") ? role : null;
  const looks = [wanted.nextLookAt, ...rules.map(({ until }) => until)].filter((at) => typeof at === "number");
  return {
    proposal,
    rules,
    isAllowed,
    asks: asksOf(lead ? standing.filter(({ rule }) => rule !== "A7") : standing, mode, isBound),
    transfer: lead && standing.length === 1 && !isBound ? { from: lead.from, to: lead.to } : null,
    trafficNow: { ...situation.traffic, failStaticSince: wanted.traffic.failStaticSince },
    trafficAfter: afterMove(
      situation,
      isAllowed && wasAsked(rules, mode) ? agreedTo(situation, drafted, proposal) : wanted.traffic,
      proposal,
    ),
    controlsAfter: controls,
    failStatic: wanted.failStatic,
    sentence: isAllowed
      ? `${proposal.why}${approvalText(situation, proposal, wasAsked(rules, mode))}`
      : refusalText(proposal, standing, isBound ? mode : null),
    nextLookAt: looks.length > 0 ? Math.min(...looks) : null,
  };
};

/** The same move, this part of the way: a voluntary one, which leaves no region and takes no step of a return. */
const clamped = (situation: Situation, drafted: Drafted, part: number): Drafted => {
  const { spec, written } = situation;
  const { wanted } = drafted;
  const shares = Object.fromEntries(
    Object.entries(wanted.shares).map(([family, after]) => {
      const before = partsOf(written?.[family] ?? {});
      const moved = Object.entries(after).map(([region, share]) => [region, between(before[region] ?? 0, share, part)] as const);
      return [family, normalised(Object.fromEntries(moved))];
    }),
  );
  const weightsAfter = Object.fromEntries(spec.families.map(({ id }) => [id, toWeights(shares[id] ?? {}, null, 0)]));
  // So small a step that whole weights can't hold it: the smallest that they can.
  if (part < 1 && sameWeights(written ?? {}, weightsAfter)) return clamped(situation, drafted, Math.min(1, 2 * part));
  return { ...drafted, wanted: { ...wanted, shares, traffic: { ...wanted.traffic, shares } }, weightsAfter };
};

const between = (before: number, after: number, part: number): number => before + (after - before) * part;

/** Nothing but a person's word lacks: who agrees to a move as a whole agrees to its size. */
const asksOf = (standing: readonly RuleAnswer[], mode: SafetyMode, isBound: boolean): Decision["asks"] => {
  const asking = standing.filter(({ answer }) => answer === "require-approval");
  const others = standing.filter(({ answer }) => answer !== "require-approval" && answer !== "clamp");
  if (mode === "advisory" || others.length > 0) return [];
  return [...asking.map(({ rule }) => rule), ...(isBound ? (["mode"] as const) : [])];
};

/** In other modes than automatic only operators move traffic: by a request, or by the further steps of a return that they asked for. */
const isAskedFor = ({ traffic }: Situation, { actor, kind }: Proposal, { left, stepped }: Wanted): boolean => {
  if (actor.kind === "operator" || kind === "unfreeze") return true;
  const ramps = Object.values(traffic.passive).flatMap(({ returning }) => (returning ? [returning] : []));
  const rampOf = (region: string) => traffic.ramps[region] ?? ramps.find((one) => one.region === region)?.ramp;
  return left.length === 0 && stepped.length > 0 && stepped.every((region) => rampOf(region)?.startedBy.kind === "operator");
};

/** Whoever agreed to a return's step agreed to the return: they asked for its further steps, as if they had begun it. */
const agreedTo = ({ approved }: Situation, { wanted }: Drafted, proposal: Proposal): TrafficMemory => {
  const { traffic, stepped } = wanted;
  if (approved === null || stepped.length === 0 || !isApproved(proposal, approved)) return traffic;
  const startedBy: Actor = { kind: "operator", name: approved.by };
  const ramps = Object.entries(traffic.ramps).map(([region, ramp]) => [
    region,
    stepped.includes(region) ? { ...ramp, startedBy } : ramp,
  ]);
  const passive = Object.entries(traffic.passive).map(([family, memory]) => {
    const { returning } = memory;
    return [
      family,
      returning && stepped.includes(returning.region)
        ? { ...memory, returning: { ...returning, ramp: { ...returning.ramp, startedBy } } }
        : memory,
    ];
  });
  return { ...traffic, ramps: Object.fromEntries(ramps), passive: Object.fromEntries(passive) };
};

/** What a person agreed to is automation's, in the name of whoever agreed where the writable role had to be led there first. */
const afterMove = (situation: Situation, traffic: TrafficMemory, proposal: Proposal): TrafficMemory => {
  const { transfer } = situation;
  const isAgreed = isLeading(transfer) && transfer.isAgreed === true && isLedMove(transfer, proposal.gains);
  if (proposal.isAsked || (proposal.actor.kind !== "automation" && !isAgreed)) return traffic;
  const departures = departuresAfter(situation, proposal);
  return proposal.kind === "failover"
    ? { ...traffic, departures, lastAutomaticFailoverAt: situation.now }
    : { ...traffic, departures };
};

const refusalText = ({ why }: Proposal, standing: readonly RuleAnswer[], mode: SafetyMode | null): string => {
  const because = [...standing.map((rule) => `${rule.rule} (${rule.why})`), ...(mode ? [MODE_TEXT[mode]] : [])];
  return `would move: ${why}; held back by ${because.join(" and ")}`;
};

/** A rule or the mode wanted a person's word. */
const wasAsked = (rules: readonly RuleAnswer[], mode: SafetyMode): boolean =>
  mode === "approve" || rules.some(({ answer, skipped }) => answer === "require-approval" && skipped);

const approvalText = ({ approved }: Situation, proposal: Proposal, isNeeded: boolean): string =>
  approved && isNeeded && isApproved(proposal, approved) ? `; approved by ${approved.by}: ${approved.reason}` : "";

const isModeApproved = ({ approved }: Situation, proposal: Proposal): boolean =>
  isApproved(proposal, approved) && approved.asks.includes("mode");

const MODE_TEXT: Readonly<Record<SafetyMode, string>> = {
  advisory: "the mode advisory",
  approve: "the mode approve",
  automatic: "",
};

// ------------------------------------------------------------------------------------------------ first write

/** A declared name with nothing in DNS: every region taken as healthy; A6 and A8 don't apply (DESIGN 8). */
const decideFirst = (situation: Situation, controls: Controls): Decision => {
  const { spec, now } = situation;
  const maintained = Object.keys(situation.health).filter((region) => situation.health[region]?.verdict === "maintenance");
  const traffic = firstTraffic(spec, [...Object.keys(situation.controls.drained), ...maintained]);
  const shares: Shares = traffic.shares;
  const served = sharesText(Object.values(shares)[0] ?? {});
  const proposal: Proposal = {
    kind: "create",
    actor: AUTOMATION,
    reason: null,
    why: `${spec.name} is declared and has no record yet; traffic goes to ${served}`,
    detectedAt: null,
    sharesBefore: {},
    sharesAfter: shares,
    weightsBefore: {},
    weightsAfter: Object.fromEntries(Object.entries(shares).map(([family, byRegion]) => [family, toWeights(byRegion)])),
    leaves: [],
    gains: [],
    panicFamilies: [],
    breakGlass: [],
    computedAt: now,
    basis: basisOf(situation),
    question: questionOf(situation, { kind: "create", leaves: [], gains: [] }),
    isRebased: false,
    isAsked: false,
  };
  const { answers: rules } = evaluate({ proposal, situation });
  const standing = objections(rules);
  // Whoever applied the declaration asked for the name, in advisory mode too.
  const isAllowed = standing.length === 0;
  return {
    proposal,
    rules,
    isAllowed,
    asks: [],
    transfer: null,
    trafficNow: traffic,
    trafficAfter: traffic,
    controlsAfter: controls,
    failStatic: null,
    sentence: isAllowed ? proposal.why : refusalText(proposal, standing, null),
    nextLookAt: null,
  };
};
