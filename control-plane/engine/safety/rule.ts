/** What a safety rule is: a pure function from a proposal to an answer with its numbers. All rules are asked, always. */
import type { Instant, RuleId } from "@regent/contract";
import type { Proposal, Situation } from "../model.ts";

export interface RuleInput {
  readonly proposal: Proposal;
  readonly situation: Situation;
}

export type Ruling =
  | { readonly answer: "allow" | "require-approval" | "deny"; readonly why: string }
  | { readonly answer: "defer"; readonly why: string; readonly until: Instant | null }
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
export const requireApproval = (why: string): Ruling => ({ answer: "require-approval", why });
export const clamp = (part: number, why: string): Ruling => ({ answer: "clamp", why, part });
export const defer = (why: string, until: Instant | null): Ruling => ({ answer: "defer", why, until });

/** A change that only writes the epoch record anew, or creates what isn't there yet, moves no traffic. */
export const movesTraffic = ({ kind }: Proposal): boolean =>
  kind !== "freeze" && kind !== "unfreeze" && kind !== "create" && kind !== "configure";
