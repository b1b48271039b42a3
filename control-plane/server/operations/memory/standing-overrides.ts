/** Overrides as they stand in a service's record: which of them contradicts what is asked now, and what history is told of them. Pure. */
import type { Instant, OverrideWhat, Override as ShownOverride } from "@regent/contract";
import type { Control, OperatorMove, Override } from "@regent/engine";
import { inForce, overrideText } from "@regent/engine/strategy/overrides.ts";
import { OVERRIDES_MAX } from "../../limits.ts";
import type { Ids } from "../../ports/clock.ts";
import type { HistoryEntry, ServiceRecord } from "../../ports/decision-store.ts";
import { AUTOMATION, operator } from "./actors.ts";

export interface Stands {
  readonly kind: "override-stands";
  /** Names whose word stands, and why. */
  readonly why: string;
  /** Id of the override; null when it is a drain, or when there are too many. */
  readonly override: string | null;
}

/**
 * Another operator's word that a move goes against: whoever comes second is told, and ends it first. A freeze contradicts nobody who moves by hand.
 */
export const findContradiction = ({ controls }: ServiceRecord, now: Instant, move: OperatorMove): Stands | null => {
  const standing = inForce(controls.overrides, now);
  if (move.kind === "override") return againstOverride(standing, controls.drained, move.override.what);
  const pin = standing.find(({ what }) => what.kind === "pin");
  if (pin) return stands(pin);
  const opposed = standing.find(({ what }) => {
    if (what.kind === "off")
      return move.kind === "failover" ? move.to === what.region : move.kind === "undrain" && move.region === what.region;
    return what.kind === "on" && move.kind === "drain" && move.region === what.region;
  });
  return opposed ? stands(opposed) : null;
};

export const againstOverride = (
  standing: readonly Override[],
  drained: Readonly<Record<string, Control>>,
  asked: OverrideWhat | Override["what"],
): Stands | null => {
  const opposed = standing.find(({ what }) => isOpposed(what, asked));
  if (opposed) return stands(opposed);
  const wanted =
    asked.kind === "on"
      ? [asked.region]
      : asked.kind === "pin"
        ? Object.keys(asked.shares).filter((r) => (asked.shares[r] ?? 0) > 0)
        : [];
  const [region] = wanted.filter((one) => drained[one]).sort();
  const drain = region === undefined ? undefined : drained[region];
  if (drain)
    return {
      kind: "override-stands",
      override: null,
      why: `${region} is drained by ${drain.by}: ${drain.reason}; undrain it first`,
    };
  if (standing.length >= OVERRIDES_MAX)
    return {
      kind: "override-stands",
      override: null,
      why: `${standing.length} overrides stand here, and no more may: end one first`,
    };
  return null;
};

/** One word for each region, one pin, one freeze; and beside a pin nothing that moves. */
const isOpposed = (what: Override["what"], asked: OverrideWhat | Override["what"]): boolean => {
  if (what.kind === "freeze" || asked.kind === "freeze") return what.kind === asked.kind;
  if (what.kind === "pin" || asked.kind === "pin") return true;
  return what.region === asked.region;
};

const stands = (override: Override): Stands => ({
  kind: "override-stands",
  override: override.id,
  why: `${overrideText(override)}: ${override.reason}; override ${override.id} has to end first`,
});

/** As the wire carries it. */
export const toShown = (override: Override): ShownOverride => {
  const { what, breakGlass } = override;
  return {
    ...override,
    what: what.kind === "pin" ? { kind: "pin", shares: { ...what.shares } } : what,
    breakGlass: [...breakGlass],
  };
};

/** To be told in the commit that makes, ends or prunes it. */
export const tellOverride = (
  ids: Ids,
  now: Instant,
  service: string,
  told:
    | { readonly step: "made"; readonly override: Override }
    | { readonly step: "ended"; readonly override: Override; readonly by: string; readonly reason: string }
    | { readonly step: "ran-out" | "overruled"; readonly override: Override },
): HistoryEntry => ({
  id: ids.ulid(),
  at: now,
  service,
  kind: "override",
  actor: told.step === "made" ? operator(told.override.by) : told.step === "ended" ? operator(told.by) : AUTOMATION,
  why: whyOf(told),
  // Automation stands still from now on: somebody else should know.
  page: told.step === "made" && (told.override.what.kind === "pin" || told.override.what.kind === "freeze"),
  detail: { step: told.step, override: told.override },
});

const whyOf = (told: Parameters<typeof tellOverride>[3]): string => {
  const { override } = told;
  switch (told.step) {
    case "made": {
      const skipped = override.breakGlass.length > 0 ? `, skipping ${override.breakGlass.join(", ")}` : "";
      return `${overrideText(override)}${skipped}: ${override.reason}`;
    }
    case "ended":
      return `${told.by} ended an override (${overrideText(override)}): ${told.reason}`;
    case "overruled":
      return `an override is over (${overrideText(override)}), because DNS was made to say otherwise: ${override.reason}`;
    case "ran-out":
      return `an override ran out (${overrideText(override)}): ${override.reason}`;
  }
};
