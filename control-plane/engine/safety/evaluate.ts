/** Asks every rule, keeps every answer: no short cut, so that history shows what would also have stood in the way. Pure. */
import type { RuleAnswer } from "@regent/contract";
import { a01RegionsServed } from "./a01-regions-served.ts";
import { a02NeverEmpty } from "./a02-never-empty.ts";
import { a04Gates } from "./a04-gates.ts";
import { a06TargetFit } from "./a06-target-fit.ts";
import { a08Cooldown } from "./a08-cooldown.ts";
import { a12FreshChange } from "./a12-fresh-change.ts";
import { a13OneWriter } from "./a13-one-writer.ts";
import type { Rule, RuleInput } from "./rule.ts";

export const RULES: readonly Rule[] = [
  a01RegionsServed,
  a02NeverEmpty,
  a04Gates,
  a06TargetFit,
  a08Cooldown,
  a12FreshChange,
  a13OneWriter,
];

export const evaluate = (input: RuleInput): readonly RuleAnswer[] => RULES.map((rule) => askOne(rule, input));

/** True when nothing stands in the way any more. */
export const isClear = (answers: readonly RuleAnswer[]): boolean =>
  answers.every(({ answer, skipped }) => answer === "allow" || skipped);

const askOne = (rule: Rule, input: RuleInput): RuleAnswer => {
  const ruling = rule.ask(input);
  const base = { rule: rule.id, answer: ruling.answer, why: ruling.why };
  const until = ruling.answer === "defer" && ruling.until !== null ? { until: ruling.until } : {};
  return { ...base, ...until, skipped: ruling.answer !== "allow" && isSkipped(rule, input) };
};

const isSkipped = (rule: Rule, { proposal }: RuleInput): boolean => {
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
