/** Asks every rule, keeps every answer: no short cut, so that history shows what would also have stood in the way. Pure. */
import type { RuleAnswer } from "@regent/contract";
import type { Approved, Proposal } from "../model.ts";
import { sameWeights } from "../strategy/parts.ts";
import { a01RegionsServed } from "./a01-regions-served.ts";
import { a02NeverEmpty } from "./a02-never-empty.ts";
import { a04Gates } from "./a04-gates.ts";
import { a06TargetFit } from "./a06-target-fit.ts";
import { a08Cooldown } from "./a08-cooldown.ts";
import { a12FreshChange } from "./a12-fresh-change.ts";
import { a13OneWriter } from "./a13-one-writer.ts";
import type { Rule, RuleInput, Ruling } from "./rule.ts";

export const RULES: readonly Rule[] = [
  a01RegionsServed,
  a02NeverEmpty,
  a04Gates,
  a06TargetFit,
  a08Cooldown,
  a12FreshChange,
  a13OneWriter,
];

export interface Evaluation {
  readonly answers: readonly RuleAnswer[];
  /** How much of the way may be gone now, 0..1, when a rule clamps the move. */
  readonly part: number | null;
}

export const evaluate = (input: RuleInput): Evaluation => {
  const asked = RULES.map((rule) => ({ rule, ruling: rule.ask(input) }));
  const parts = asked.flatMap(({ rule, ruling }) =>
    ruling.answer === "clamp" && !isSkipped(rule, ruling, input) ? [ruling.part] : [],
  );
  return {
    answers: asked.map(({ rule, ruling }) => toAnswer(rule, ruling, input)),
    part: parts.length > 0 ? Math.min(...parts) : null,
  };
};

/** What stands in the way, answers that were skipped left out. */
export const objections = (answers: readonly RuleAnswer[]): readonly RuleAnswer[] =>
  answers.filter(({ answer, skipped }) => answer !== "allow" && !skipped);

/** A person agreed to what this says, for the reasons that still stand. */
export const isApproved = ({ basis, weightsAfter }: Proposal, approved: Approved | null): boolean =>
  approved !== null && approved.basis === basis && sameWeights(approved.weights, weightsAfter);

const toAnswer = (rule: Rule, ruling: Ruling, input: RuleInput): RuleAnswer => {
  const base = { rule: rule.id, answer: ruling.answer, why: ruling.why };
  const until = ruling.answer === "defer" && ruling.until !== null ? { until: ruling.until } : {};
  return { ...base, ...until, skipped: ruling.answer !== "allow" && isSkipped(rule, ruling, input) };
};

const isSkipped = (rule: Rule, { answer }: Ruling, { proposal, situation }: RuleInput): boolean => {
  if (answer === "require-approval" && isApproved(proposal, situation.approved)) return true;
  if (proposal.actor.kind !== "operator") return false;
  switch (rule.binds) {
    case "everyone":
      return false;
    case "automation":
      return true;
    case "break-glass":
      return proposal.breakGlass.includes(rule.id);
  }
};
