/** Who declares limits of the safety rules, and what comes of it: the whole declaration, and each service that has a word of its own. Pure. */
import type { Declaration, Safety as DeclaredSafety, RuleId, Service } from "@regent/contract";
import type { SafetyLimits } from "@regent/engine";
import type { Path } from "./problem-path.ts";
import { resolveSafety } from "./profiles.ts";
import { toServiceSafety } from "./service-settings.ts";

/** Rules that may leave a move to a person; the others allow, clamp, defer or deny. safety-page.test.ts compares them with the engine. */
export const RULES_THAT_ASK: readonly RuleId[] = ["A3", "A7", "A9", "A10", "A11", "A17", "A18"];

/** A18 waits however long it takes: a cascade that goes on for want of an answer is what it is there to stop. */
export const RULES_THAT_MAY_PROCEED: readonly RuleId[] = RULES_THAT_ASK.filter((rule) => rule !== "A18");

export interface SafetyHolder {
  /** Of the `safety` block. */
  readonly path: Path;
  readonly declared: DeclaredSafety;
  /** Everything resolved; for the declaration as a service without a word of its own has it. */
  readonly limits: SafetyLimits;
  /** null for the declaration's own block. */
  readonly service: Service | null;
}

/** The declaration's block first, then those of services in declared order; who declares none isn't listed. */
export const findSafetyHolders = (declaration: Declaration): SafetyHolder[] => {
  const { safety, profile, services } = declaration;
  const all =
    safety === undefined ? [] : [{ path: ["safety"], declared: safety, limits: resolveSafety(profile, safety), service: null }];
  const own = services.flatMap((service, at) =>
    service.safety === undefined
      ? []
      : [{ path: ["services", at, "safety"], declared: service.safety, limits: toServiceSafety(declaration, service), service }],
  );
  return [...all, ...own];
};
