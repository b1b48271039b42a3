/**
 * Overrides: operators' standing decisions with an expiry, laid over whatever strategy a service has. Those that ran out count for nothing from that
 * moment on, whoever leads; what they took out of traffic comes back by a normal return. Pure.
 *
 * `off` is a drain and `freeze` a freeze of the service, each with an end. `on` takes a region as fit: the strategy believes it, and the rules that the
 * override names do; the others ask about evidence as ever. `pin` has a file of its own.
 */

import type { RegionId, RegionVerdict, RuleId } from "@regent/contract";
import type { Control, HealthMemory, Instant, Override, Situation, TrafficMemory } from "../model.ts";
import { clockText, percentText, sharesText } from "../text.ts";
import { heldShares, partsOf, ROUNDING } from "./parts.ts";

/** Oldest first, as they are kept. */
export const inForce = (overrides: readonly Override[], now: Instant): readonly Override[] =>
  overrides.every(({ until }) => now < until) ? overrides : overrides.filter(({ until }) => now < until);

/** As if `off` were drains and `freeze` a freeze; only what is in force is left of the overrides. What was decided without an expiry comes first. */
export const layOverrides = <S extends Pick<Situation, "controls" | "now">>(situation: S): S => {
  const { controls, now } = situation;
  if (controls.overrides.length === 0) return situation;
  const overrides = inForce(controls.overrides, now);
  const off = overrides.flatMap((one) => (one.what.kind === "off" ? [[one.what.region, one] as const] : []));
  const freeze = overrides.find(({ what }) => what.kind === "freeze") ?? null;
  return {
    ...situation,
    controls: {
      ...controls,
      overrides,
      drained: { ...Object.fromEntries(off), ...controls.drained },
      frozen: controls.frozen ?? freeze,
    },
  };
};

/** Of a situation that overrides are laid over. One that leaves no declared region anything counts for nothing. */
export const findPin = ({ controls, spec }: Pick<Situation, "controls" | "spec">): Override | null =>
  controls.overrides.findLast(
    ({ what }) => what.kind === "pin" && spec.endpoints.some(({ region }) => (what.shares[region] ?? 0) > 0),
  ) ?? null;

/** Regions that are to be taken as fit; an `off` beside it counts more. With a rule: only where the override names it. */
const onRegions = ({ controls }: Situation, rule: RuleId | null): ReadonlyMap<RegionId, Override> => {
  const found = new Map<RegionId, Override>();
  for (const one of controls.overrides)
    if (one.what.kind === "on" && !controls.drained[one.what.region] && (rule === null || one.breakGlass.includes(rule)))
      found.set(one.what.region, one);
  return found;
};

/** What a strategy, or a rule that an override names, may believe: the regions that are `on` are well. The same situation when none is. */
export const takenAsFit = (situation: Situation, rule: RuleId | null): Situation => {
  if (situation.controls.overrides.length === 0) return situation;
  const on = onRegions(situation, rule);
  if (on.size === 0) return situation;
  return {
    ...situation,
    health: Object.fromEntries(
      Object.entries(situation.health).map(([region, memory]) => [region, asWell(memory, on.get(region))]),
    ),
    verdicts: situation.verdicts.map((verdict) => asFit(verdict, on.get(verdict.region))),
  };
};

const asWell = (memory: HealthMemory, override: Override | undefined): HealthMemory => {
  if (!override) return memory;
  const isBelieved = memory.verdict === "healthy" && memory.evidence === "good";
  return {
    ...memory,
    verdict: "healthy",
    evidence: "good",
    factor: 1,
    isSuppressed: false,
    since: isBelieved ? memory.since : override.at,
    evidenceSince: isBelieved ? memory.evidenceSince : override.at,
  };
};

const asFit = (verdict: RegionVerdict, override: Override | undefined): RegionVerdict =>
  override ? { ...verdict, verdict: "healthy", evidence: "good", outside: "up", votes: [] } : verdict;

/** That it shouldn't serve, and does: because it is bad, or is being worked on. Null when nothing speaks against it. */
export const againstText = ({ health }: Situation, region: RegionId, share: number): string | null => {
  const verdict = health[region]?.verdict;
  if (share === 0 || (verdict !== "unhealthy" && verdict !== "maintenance")) return null;
  return `${region} is ${verdict === "maintenance" ? "in maintenance" : verdict} and keeps ${percentText(share)}`;
};

/** A region that died, or is worked on, since it is `on`, and serves all the same; null when none does. Whoever says it of such a one knows. */
export const keptOnText = (situation: Situation): string | null => {
  const parts = Object.entries(situation.written ?? {}).map(([, weights]) => partsOf(weights));
  const kept = [...onRegions(situation, null)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([region, override]) => {
      const against = againstText(situation, region, Math.max(0, ...parts.map((each) => each[region] ?? 0)));
      if (against === null || (situation.health[region]?.since ?? 0) < override.at) return [];
      return [`${against}: ${overrideText(override)}: ${override.reason}`];
    });
  return kept.length === 0 ? null : kept.join("; ");
};

/**
 * A region that an override takes the traffic from is remembered as taken out, so that its end is a return in steps; and as lent, so that no failback
 * is waited for: whoever took it out said until when. One that is bad is left for that, and comes back as such.
 */
export const noteLent = (situation: Situation, traffic: TrafficMemory, aside: readonly Override[]): TrafficMemory => {
  const back = Object.values(traffic.passive).flatMap(({ active, returning }) => [
    active,
    ...(returning ? [returning.region] : []),
  ]);
  const kept = Object.entries(traffic.out).filter(([region, { isLent }]) => !(isLent && back.includes(region)));
  const lent = situation.spec.endpoints.flatMap(({ region }) => {
    const override = aside.find(({ what }) => what.kind === "pin" || (what.kind === "off" && what.region === region));
    if (!override || traffic.out[region] || !isEmptied(situation, traffic, region)) return [];
    return [[region, { since: situation.now, why: overrideText(override), isLent: true as const }] as const];
  });
  if (lent.length === 0 && kept.length === Object.keys(traffic.out).length) return traffic;
  return { ...traffic, out: Object.fromEntries([...kept, ...lent]) };
};

/**
 * An override that ended before its write arrived took nothing away: who still holds the traffic serves on, and no return begins, which would first
 * take traffic from it.
 */
export const withoutUnmade = (situation: Situation): TrafficMemory => {
  const { traffic, controls, isChangeInFlight, spec } = situation;
  if (isChangeInFlight || findPin(situation)) return traffic;
  const held = spec.families.map(({ id }) => [id, heldShares(situation, id)] as const);
  const unmade = Object.entries(traffic.out).flatMap(([region, { isLent }]) =>
    isLent && !controls.drained[region] && held.some(([, shares]) => (shares[region] ?? 0) > 0) ? [region] : [],
  );
  if (unmade.length === 0) return traffic;
  const passive = Object.entries(traffic.passive).map(([family, memory]) => {
    const shares = held.find(([id]) => id === family)?.[1] ?? {};
    const whole = unmade.find((region) => (shares[region] ?? 0) > 1 - ROUNDING);
    return [family, whole === undefined ? memory : { active: whole, returning: null }] as const;
  });
  const out = Object.entries(traffic.out).filter(([region]) => !unmade.includes(region));
  return { ...traffic, passive: Object.fromEntries(passive), out: Object.fromEntries(out) };
};

const isEmptied = (situation: Situation, { shares }: TrafficMemory, region: RegionId): boolean => {
  const verdict = situation.health[region]?.verdict;
  if (verdict === "unhealthy" || verdict === "recovering") return false;
  const families = situation.spec.families.map(({ id }) => id);
  return (
    families.some((id) => (heldShares(situation, id)[region] ?? 0) > 0) &&
    families.every((id) => (shares[id]?.[region] ?? 0) === 0)
  );
};

/** `r2 is off by ann until 12:00:00Z`. */
export const overrideText = (override: Override): string =>
  `${whatText(override)} by ${override.by} until ${clockText(override.until)}`;

/** Whose word keeps a region empty: a drain's, or that of an `off` which is laid over as one. */
export const asideText = (region: RegionId, control: Control | Override): string =>
  `${"until" in control ? overrideText(control) : `${region} is drained by ${control.by}`}: ${control.reason}`;

const whatText = ({ what }: Override): string => {
  switch (what.kind) {
    case "on":
    case "off":
      return `${what.region} is ${what.kind}`;
    case "pin":
      return `shares are pinned at ${sharesText(what.shares)}`;
    case "freeze":
      return "automation is off";
  }
};

/** More than these a sentence can't carry; the explanation lists all. */
const TOLD_MAX = 3;

/** What stands, for the end of a sentence; empty when nothing does. */
export const overridesText = ({ controls: { overrides } }: Pick<Situation, "controls">): string => {
  const told = overrides.slice(0, TOLD_MAX).map((override) => `; ${overrideText(override)}`);
  const more = overrides.length - told.length;
  return `${told.join("")}${more > 0 ? `; and ${more} more` : ""}`;
};

/** When the first of them runs out. */
export const nextExpiry = ({ controls: { overrides } }: Pick<Situation, "controls">): Instant | null =>
  overrides.length === 0 ? null : Math.min(...overrides.map(({ until }) => until));
