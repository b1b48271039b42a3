/** What a safety rule is: a pure function from a proposal to an answer with its numbers. All rules are asked, always. */
import type { Instant, RegionId, RuleId, Weights } from "@regent/contract";
import type { Proposal, ServiceSpec, Situation } from "../model.ts";

export interface RuleInput {
  readonly proposal: Proposal;
  readonly situation: Situation;
}

export type Ruling =
  | { readonly answer: "allow" | "deny"; readonly why: string }
  /** `until`: when it may go without a person, if time alone brings that. */
  | { readonly answer: "defer" | "require-approval"; readonly why: string; readonly until: Instant | null }
  /** Only this part of the way now, 0..1; the rest is asked for again. */
  | { readonly answer: "clamp"; readonly why: string; readonly part: number };

export interface Rule {
  readonly id: RuleId;
  /**
   * Whom it binds (DESIGN 7): `everyone` can't be skipped by anybody; `break-glass` binds operators until they name it; `automation` only
   * informs operators.
   */
  readonly binds: "everyone" | "break-glass" | "automation";
  readonly ask: (input: RuleInput) => Ruling;
}

export const allow = (why: string): Ruling => ({ answer: "allow", why });
export const deny = (why: string): Ruling => ({ answer: "deny", why });
export const requireApproval = (why: string, until: Instant | null = null): Ruling => ({
  answer: "require-approval",
  why,
  until,
});
export const clamp = (part: number, why: string): Ruling => ({ answer: "clamp", why, part });
export const defer = (why: string, until: Instant | null): Ruling => ({ answer: "defer", why, until });

/** A change that only writes the epoch record anew, or creates what isn't there yet, moves no traffic. */
export const movesTraffic = ({ kind }: Proposal): boolean =>
  kind !== "freeze" && kind !== "unfreeze" && kind !== "create" && kind !== "configure";

/** Without the families that the declared panic policy serves: it serves regions that nobody vouches for, that is its meaning. */
export const calmWeights = ({
  weightsBefore,
  weightsAfter,
  panicFamilies,
}: Proposal): { readonly before: Weights; readonly after: Weights } => {
  if (panicFamilies.length === 0) return { before: weightsBefore, after: weightsAfter };
  const others = (weights: Weights): Weights =>
    Object.fromEntries(Object.entries(weights).filter(([family]) => !panicFamilies.includes(family)));
  return { before: others(weightsBefore), after: others(weightsAfter) };
};

/** Sorted: a sentence doesn't change with the order of a declaration. */
export const regionsOf = ({ endpoints }: ServiceSpec): readonly RegionId[] => endpoints.map(({ region }) => region).sort();

/** `1 region`, `2 regions`. */
export const countText = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
