/** Turns what is wanted into a proposal that says what it is, who asks for it and why. Pure; called by decide. */
import type { ChangeKind, RegionId, RuleId, Weights } from "@regent/contract";
import type { Control, OperatorMove, OperatorRequest, Override, Proposal, Situation } from "./model.ts";
import { basisOf, questionOf } from "./safety/basis.ts";
import { isLedMove, type Led } from "./strategy/led.ts";
import { findPin, inForce, overrideText } from "./strategy/overrides.ts";
import { gains, leaves, regionsWhere } from "./strategy/parts.ts";
import { AUTOMATION, isReturning } from "./strategy/returning.ts";
import type { Wanted } from "./strategy/shares.ts";
import { sharesText } from "./text.ts";

export interface Drafted {
  readonly wanted: Wanted;
  readonly weightsAfter: Weights;
  /** No weight changes: records or mode do. */
  readonly isSame: boolean;
  readonly request: OperatorRequest | null;
  /** Around somebody else's edit: bad regions lose weight, or nobody does. */
  readonly isRebased: boolean;
  /** Somebody else's edit is taken back, and nothing else is wanted. */
  readonly isRevert: boolean;
  /** The writable role is led somewhere, and the traffic follows. */
  readonly led: Led | null;
}

/**
 * Frozen by a person: the epoch record says so too, for whoever asks DNS. A restored database writes nothing by itself, not even that: the
 * records may be another installation's.
 */
export const isFrozen = ({ controls, now }: Pick<Situation, "controls" | "now">): boolean =>
  controls.frozen !== null ||
  controls.frozenGlobally?.cause === "operator" ||
  inForce(controls.overrides, now).some(({ what }) => what.kind === "freeze");

export const isModeOutdated = (situation: Situation): boolean => (situation.modeWritten === "frozen") !== isFrozen(situation);

export const propose = (situation: Situation, drafted: Drafted): Proposal => {
  const { wanted, weightsAfter, request } = drafted;
  const weightsBefore = situation.written ?? {};
  const moved: Moved = {
    leaves: regionsWhere(weightsBefore, weightsAfter, leaves),
    gains: regionsWhere(weightsBefore, weightsAfter, gains),
  };
  const standing = request ? null : findStanding(situation, drafted, moved);
  const kind = standing?.kind ?? kindOf(situation, drafted, moved);
  const bad = badOnes(situation, wanted, moved);
  return {
    kind,
    ...whoAsks(request, standing?.control ?? null),
    why: whyOf(situation, drafted, { kind, bad, standing }),
    detectedAt: request ? situation.now : Math.min(standing?.control.at ?? situation.now, detectedAt(situation, bad)),
    sharesBefore: situation.traffic.shares,
    sharesAfter: wanted.shares,
    weightsBefore,
    weightsAfter,
    leaves: moved.leaves,
    gains: moved.gains,
    panicFamilies: wanted.panicFamilies,
    breakGlass: request?.breakGlass ?? standing?.breakGlass ?? [],
    computedAt: situation.now,
    basis: basisOf(situation),
    question: questionOf(situation, { kind, leaves: moved.leaves, gains: moved.gains }),
    isRebased: drafted.isRebased,
    isAsked: request !== null,
  };
};

interface Moved {
  readonly leaves: readonly RegionId[];
  readonly gains: readonly RegionId[];
}

/** An operator's decision of before that this carries out: a freeze, or a move whose write didn't arrive or wasn't possible yet. */
interface Standing {
  readonly kind: ChangeKind;
  readonly control: Control;
  /** Rules that it skips: a standing decision keeps what its operator named. */
  readonly breakGlass: readonly RuleId[];
}

const standingOf = (kind: ChangeKind, controls: readonly (Control | Override)[]): Standing | null => {
  const [control] = controls;
  const named = controls.map((one) => ("breakGlass" in one ? one.breakGlass : []));
  // Of several, only what all of them name.
  return control
    ? { kind, control, breakGlass: (named[0] ?? []).filter((rule) => named.every((all) => all.includes(rule))) }
    : null;
};

const findStanding = (situation: Situation, drafted: Drafted, moved: Moved): Standing | null => {
  const { wanted, isSame, isRebased, isRevert, led } = drafted;
  if ((isRebased && !isSame) || isRevert) return null;
  const { controls } = situation;
  const freeze = controls.frozen ?? (controls.frozenGlobally?.cause === "operator" ? controls.frozenGlobally : null);
  if (isSame) return freeze && !situation.areRecordsOutdated ? standingOf("freeze", [freeze]) : null;
  const pin = findPin(situation);
  if (pin) return standingOf("rebalance", [pin]);
  if (led?.asked && isLedMove(led, moved.gains)) return { kind: led.kind, ...led.asked };
  if (wanted.left.length > 0 || wanted.stepped.length > 0 || moved.leaves.some((region) => isBad(situation, region))) return null;
  const { placement } = wanted;
  if (placement && moved.gains.length > 0 && moved.gains.every((region) => region === placement.region))
    return standingOf("failover", [placement]);
  const drains = moved.leaves.flatMap((region) => controls.drained[region] ?? []);
  return drains.length === moved.leaves.length ? standingOf("drain", drains) : null;
};

const whoAsks = (request: OperatorRequest | null, standing: Control | null): Pick<Proposal, "actor" | "reason"> => {
  const asked = request ?? standing;
  return asked ? { actor: { kind: "operator", name: asked.by }, reason: asked.reason } : { actor: AUTOMATION, reason: null };
};

const kindOf = (situation: Situation, drafted: Drafted, moved: Moved): ChangeKind => {
  const { wanted, isSame, request, isRebased, isRevert, led } = drafted;
  if (request) return kindOfMove(request.move);
  if (isRebased && !isSame) return "failover";
  if (isRevert) return "revert";
  if (isSame) return situation.areRecordsOutdated ? "configure" : "unfreeze";
  if (wanted.left.length > 0) return "failover";
  if (wanted.failStatic !== null) return "rebalance";
  if (moved.leaves.some((region) => isBad(situation, region))) return "failover";
  if (led && isLedMove(led, moved.gains)) return led.kind;
  const isPassive = situation.spec.strategy.kind === "active-passive";
  if (wanted.stepped.length > 0 || moved.gains.some((region) => isReturning(wanted.traffic, region)))
    return isPassive ? "failback" : "return";
  if (moved.leaves.length > 0 && moved.leaves.every((region) => situation.health[region]?.verdict === "maintenance"))
    return "drain";
  // A return whose last write didn't arrive.
  return isPassive && moved.gains.length > 0 && moved.leaves.length > 0 ? "failback" : "rebalance";
};

const kindOfMove = (move: OperatorMove): ChangeKind => {
  if (move.kind !== "override") return move.kind;
  return OVERRIDE_KINDS[move.override.what.kind];
};

const OVERRIDE_KINDS: Readonly<Record<Override["what"]["kind"], ChangeKind>> = {
  on: "undrain",
  off: "drain",
  pin: "rebalance",
  freeze: "freeze",
};

const isBad = ({ health }: Situation, region: RegionId): boolean => {
  const verdict = health[region]?.verdict;
  return verdict === "unhealthy" || verdict === "recovering";
};

const badOnes = (situation: Situation, wanted: Wanted, moved: Moved): readonly RegionId[] => [
  ...new Set([...moved.leaves.filter((region) => isBad(situation, region)), ...wanted.left]),
];

/** First sign of the fault that this answers. */
const detectedAt = ({ health, now }: Situation, bad: readonly RegionId[]): number =>
  Math.min(now, ...bad.map((region) => health[region]?.detectedAt ?? now));

interface Said {
  readonly kind: ChangeKind;
  readonly bad: readonly RegionId[];
  readonly standing: Standing | null;
}

const whyOf = (situation: Situation, { wanted, request, isRebased }: Drafted, { kind, bad, standing }: Said): string => {
  const after = sharesText(Object.values(wanted.shares)[0] ?? {});
  if (request) return `${request.by} asked for ${moveText(request)}: ${request.reason}; traffic goes to ${after}`;
  if (kind === "freeze") return `the epoch record says that automation is off; traffic stays at ${after}`;
  if (kind === "unfreeze") return `automation is on again; traffic stays at ${after}`;
  if (kind === "revert")
    return `DNS was edited by another hand, and its policy is to revert: ${situation.drift?.replace(/\.$/, "")}; traffic goes to ${after}`;
  if (kind === "configure") return `the declared records changed; traffic stays at ${after}`;
  if (standing) return `${standing.control.by} asked for it: ${standing.control.reason}; traffic goes to ${after}`;
  const around = isRebased ? "; everything else stays as another hand wrote it" : "";
  return `${causeText(situation, wanted, bad)}; traffic goes to ${after}${around}`;
};

const causeText = ({ health }: Situation, wanted: Wanted, bad: readonly RegionId[]): string => {
  if (bad.length > 0) return bad.map((region) => `${region} is ${health[region]?.verdict}: ${health[region]?.why}`).join("; ");
  if (wanted.failStatic) return wanted.failStatic;
  if (wanted.stepped.length > 0) return wanted.waits[0] ?? `${wanted.stepped.join(", ")} completes its return`;
  return "the strategy asks for other shares";
};

const moveText = ({ move }: OperatorRequest): string => {
  switch (move.kind) {
    case "failover":
      return `failover to ${move.to}`;
    case "failback":
      return "failback";
    case "drain":
      return `drain of ${move.region}`;
    case "undrain":
      return `undrain of ${move.region}`;
    case "override":
      return `an override (${overrideText(move.override)})`;
  }
};
