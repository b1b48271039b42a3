/**
 * One service, one moment: what should its traffic look like, may we move it, and why. Pure, total, level-based: run twice, or after a crash,
 * it answers the same. The shell persists what it answers and writes DNS.
 */
import type { ChangeKind, RegionId, Shares, Weights } from "@regent/contract";
import type { Control, Controls, Decision, OperatorRequest, Proposal, Situation, TrafficMemory } from "./model.ts";
import { basisOf } from "./safety/basis.ts";
import { evaluate, isClear } from "./safety/evaluate.ts";
import { AUTOMATION } from "./strategy/admission.ts";
import { firstTraffic } from "./strategy/first.ts";
import type { Wanted } from "./strategy/shares.ts";
import { wantShares } from "./strategy/shares.ts";
import { sharesText } from "./strategy/text.ts";
import { toWeights } from "./strategy/weights.ts";

/** Smaller shifts are not worth a write, unless a region starts or stops serving. */
export const HYSTERESIS = 0.03;

export const decide = (situation: Situation, request: OperatorRequest | null): Decision => {
  if (situation.written === null) return decideFirst(situation);
  const controls = controlsAfter(situation, request);
  const actor = request ? ({ kind: "operator", name: request.by } as const) : AUTOMATION;
  const wanted = wantShares({
    situation: { ...situation, controls },
    move: request?.move ?? null,
    actor,
    placement: controls.placement,
  });
  const weightsAfter = weightsFor(situation, wanted);
  const isSame = sameWeights(situation.written, weightsAfter);
  const controlsKept: Controls = { ...controls, placement: wanted.placement };
  if (isSame && !situation.areRecordsOutdated && !isModeOutdated(situation))
    return standStill(situation, wanted, controlsKept, request);
  const proposal = propose(situation, { wanted, weightsAfter, isSame, request });
  return judge(situation, wanted, controlsKept, proposal);
};

const controlsAfter = ({ controls, now }: Situation, request: OperatorRequest | null): Controls => {
  if (!request) return controls;
  const control: Control = { by: request.by, reason: request.reason, at: now };
  switch (request.move.kind) {
    case "failover":
      return { ...controls, placement: { ...control, region: request.move.to } };
    case "failback":
      return { ...controls, placement: null };
    case "drain":
      return { ...controls, drained: { ...controls.drained, [request.move.region]: control } };
    case "undrain": {
      const { [request.move.region]: _undrained, ...drained } = controls.drained;
      return { ...controls, drained };
    }
  }
};

/** Weights by family; small shifts keep what stands, unless a step, a departure or an operator asks for exactly this. */
const weightsFor = ({ spec, written, traffic }: Situation, wanted: Wanted): Weights => {
  const isDeliberate = wanted.left.length > 0 || wanted.stepped.length > 0;
  return Object.fromEntries(
    spec.families.map((family) => {
      const previous = written?.[family.id] ?? null;
      const shares = wanted.shares[family.id] ?? traffic.shares[family.id] ?? {};
      return [family.id, toWeights(shares, previous, isDeliberate ? 0 : HYSTERESIS)];
    }),
  );
};

const sameWeights = (a: Weights, b: Weights): boolean => {
  const families = Object.keys(b);
  return families.every((family) => {
    const after = b[family] ?? {};
    const before = a[family] ?? {};
    return (
      Object.keys(before).length === Object.keys(after).length &&
      Object.keys(after).every((region) => before[region] === after[region])
    );
  });
};

// ------------------------------------------------------------------------------------------------ nothing to write

const standStill = (situation: Situation, wanted: Wanted, controls: Controls, request: OperatorRequest | null): Decision => ({
  proposal: null,
  rules: [],
  isAllowed: false,
  trafficNow: wanted.traffic,
  trafficAfter: wanted.traffic,
  // An operator's standing decision counts even if DNS already looks like it.
  controlsAfter: request ? controls : { ...situation.controls, placement: controls.placement },
  failStatic: wanted.failStatic,
  sentence:
    wanted.failStatic ?? wanted.waits[0] ?? `serving from ${sharesText(Object.values(situation.traffic.shares)[0] ?? {})}`,
  nextLookAt: wanted.nextLookAt,
});

// ------------------------------------------------------------------------------------------------ a proposal

interface Drafted {
  readonly wanted: Wanted;
  readonly weightsAfter: Weights;
  readonly isSame: boolean;
  readonly request: OperatorRequest | null;
}

const propose = (situation: Situation, drafted: Drafted): Proposal => {
  const { wanted, weightsAfter, request } = drafted;
  const weightsBefore = situation.written ?? {};
  const leaves = regionsThat(weightsBefore, weightsAfter, (before, after) => before > 0 && after === 0);
  const gains = gainers(weightsBefore, weightsAfter);
  const kind = kindOf(situation, drafted, leaves, gains);
  return {
    kind,
    ...whoAsks(situation, kind, request),
    why: whyOf(situation, drafted, kind, leaves),
    detectedAt: request ? situation.now : detectedAt(situation, wanted.left),
    sharesBefore: situation.traffic.shares,
    sharesAfter: wanted.shares,
    weightsBefore,
    weightsAfter,
    leaves,
    gains,
    breakGlass: request?.breakGlass ?? [],
    computedAt: situation.now,
    basis: basisOf(situation),
  };
};

/** A freeze is an operator's act even though the write follows by itself. */
const whoAsks = (
  { controls }: Situation,
  kind: ChangeKind,
  request: OperatorRequest | null,
): Pick<Proposal, "actor" | "reason"> => {
  const freeze = controls.frozen ?? controls.frozenGlobally;
  if (request) return { actor: { kind: "operator", name: request.by }, reason: request.reason };
  return kind === "freeze" && freeze
    ? { actor: { kind: "operator", name: freeze.by }, reason: freeze.reason }
    : { actor: AUTOMATION, reason: null };
};

/** Frozen for automation: the epoch record says so too, for whoever asks DNS. */
export const isFrozen = ({ controls }: Pick<Situation, "controls">): boolean =>
  controls.frozen !== null || controls.frozenGlobally !== null;

const isModeOutdated = (situation: Situation): boolean => (situation.modeWritten === "frozen") !== isFrozen(situation);

const kindOf = (
  situation: Situation,
  { wanted, isSame, request }: Drafted,
  leaves: readonly RegionId[],
  gains: readonly RegionId[],
): ChangeKind => {
  if (request) return request.move.kind;
  if (isSame) return situation.areRecordsOutdated ? "configure" : isFrozen(situation) ? "freeze" : "unfreeze";
  const isDeparture = leaves.some((region) => isBad(situation, region)) || wanted.left.length > 0;
  if (isDeparture) return "failover";
  if (wanted.stepped.length > 0) return situation.spec.strategy.kind === "active-passive" ? "failback" : "return";
  // Shares decided before that DNS doesn't show yet, such as after a lost write: name them by what they do.
  return gains.length > 0 && leaves.length > 0 ? "failback" : "rebalance";
};

const isBad = ({ health }: Situation, region: RegionId): boolean => {
  const verdict = health[region]?.verdict;
  return verdict === "unhealthy" || verdict === "recovering";
};

const whyOf = (situation: Situation, { wanted, request }: Drafted, kind: ChangeKind, leaves: readonly RegionId[]): string => {
  const after = sharesText(Object.values(wanted.shares)[0] ?? {});
  if (request) return `${request.by} asked for ${moveText(request)}: ${request.reason}; traffic goes to ${after}`;
  const bad = [...new Set([...leaves, ...wanted.left])].filter((region) => isBad(situation, region));
  if (bad.length > 0) {
    const causes = bad.map((region) => `${region} is ${situation.health[region]?.verdict}: ${situation.health[region]?.why}`);
    return `${causes.join("; ")}; traffic goes to ${after}`;
  }
  switch (kind) {
    case "freeze":
    case "unfreeze":
      return kind === "freeze"
        ? `the epoch record says that automation is off; traffic stays at ${after}`
        : `automation is on again; traffic stays at ${after}`;
    case "configure":
      return `the declared records changed; traffic stays at ${after}`;
    case "return":
    case "failback":
      return wanted.stepped.length > 0
        ? `${wanted.waits[0] ?? `${wanted.stepped.join(", ")} completes its return`}; traffic goes to ${after}`
        : `traffic goes to ${after}`;
    default:
      return wanted.failStatic
        ? `${wanted.failStatic}; traffic goes to ${after}`
        : `health or capacity changed; traffic goes to ${after}`;
  }
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
  }
};

/** First sign of the fault that this answers. */
const detectedAt = ({ health, now }: Situation, left: readonly RegionId[]): number => {
  const signs = left.map((region) => health[region]?.detectedAt ?? now);
  return signs.length > 0 ? Math.min(...signs) : now;
};

const regionsThat = (before: Weights, after: Weights, holds: (before: number, after: number) => boolean): readonly RegionId[] => {
  const found = new Set<RegionId>();
  for (const [family, weights] of Object.entries(after))
    for (const [region, weight] of Object.entries(weights)) if (holds(before[family]?.[region] ?? 0, weight)) found.add(region);
  return [...found].sort();
};

/** Regions whose part of a family grows. Weights are compared as parts: 127 of 254 is no more than 1 of 2. */
const gainers = (before: Weights, after: Weights): readonly RegionId[] => {
  const found = new Set<RegionId>();
  for (const [family, weights] of Object.entries(after)) {
    const old = before[family] ?? {};
    const sumBefore = sum(old) || 1;
    const sumAfter = sum(weights) || 1;
    for (const [region, weight] of Object.entries(weights))
      if (weight / sumAfter > (old[region] ?? 0) / sumBefore + ROUNDING) found.add(region);
  }
  return [...found].sort();
};

/** Integer weights can't hold a share exactly; less than this is not a gain. */
const ROUNDING = 0.01;

const sum = (weights: Readonly<Record<string, number>>): number => Object.values(weights).reduce((a, b) => a + b, 0);

// ------------------------------------------------------------------------------------------------ may we

const judge = (situation: Situation, wanted: Wanted, controls: Controls, proposal: Proposal): Decision => {
  const rules = evaluate({ proposal, situation });
  const isBound = proposal.actor.kind === "automation" && situation.spec.mode === "advisory";
  const isAllowed = isClear(rules) && !isBound;
  const deferred = rules.map(({ until }) => until).filter((until) => until !== undefined);
  const looks = [...deferred, ...(wanted.nextLookAt === null ? [] : [wanted.nextLookAt])];
  return {
    proposal,
    rules,
    isAllowed,
    trafficNow: { ...situation.traffic, failStaticSince: wanted.traffic.failStaticSince },
    trafficAfter: afterMove(situation, wanted.traffic, proposal),
    controlsAfter: controls,
    failStatic: wanted.failStatic,
    sentence: isAllowed ? proposal.why : refusalText(proposal, rules, isBound),
    nextLookAt: looks.length > 0 ? Math.min(...looks) : null,
  };
};

const afterMove = ({ now }: Situation, traffic: TrafficMemory, { kind, actor }: Proposal): TrafficMemory =>
  kind === "failover" && actor.kind === "automation" ? { ...traffic, lastAutomaticFailoverAt: now } : traffic;

const refusalText = ({ why }: Proposal, rules: Decision["rules"], isAdvisory: boolean): string => {
  const standing = rules
    .filter(({ answer, skipped }) => answer !== "allow" && !skipped)
    .map((rule) => `${rule.rule} (${rule.why})`);
  const because = [...standing, ...(isAdvisory ? ["the service is in advisory mode"] : [])];
  return `would move: ${why}; held back by ${because.join(" and ")}`;
};

// ------------------------------------------------------------------------------------------------ first write

/** A declared name with nothing in DNS: every region taken as healthy; A6 and A8 don't apply (DESIGN 8). */
const decideFirst = (situation: Situation): Decision => {
  const traffic = firstTraffic(situation.spec);
  const shares: Shares = traffic.shares;
  const weightsAfter = Object.fromEntries(Object.entries(shares).map(([family, byRegion]) => [family, toWeights(byRegion)]));
  const proposal: Proposal = {
    kind: "create",
    actor: AUTOMATION,
    reason: null,
    why: `${situation.spec.name} is declared and has no record yet; traffic goes to ${sharesText(Object.values(shares)[0] ?? {})}`,
    detectedAt: null,
    sharesBefore: {},
    sharesAfter: shares,
    weightsBefore: {},
    weightsAfter,
    leaves: [],
    gains: [],
    breakGlass: [],
    computedAt: situation.now,
    basis: basisOf(situation),
  };
  const rules = evaluate({ proposal, situation });
  return {
    proposal,
    rules,
    isAllowed: isClear(rules),
    trafficNow: traffic,
    trafficAfter: traffic,
    controlsAfter: situation.controls,
    failStatic: null,
    sentence: isClear(rules) ? proposal.why : refusalText(proposal, rules, false),
    nextLookAt: null,
  };
};
