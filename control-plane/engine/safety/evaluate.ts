/** Asks every rule, keeps every answer: no short cut, so that history shows what would also have stood in the way. Pure. */
import type { RuleAnswer } from "@regent/contract";
import { hasRoleLeft } from "../stateful/transfer.ts";
import { takenAsFit } from "../strategy/overrides.ts";
import { a01RegionsServed } from "./a01-regions-served.ts";
import { a02NeverEmpty } from "./a02-never-empty.ts";
import { a03Goodput } from "./a03-goodput.ts";
import { a04Freezes } from "./a04-freezes.ts";
import { a05Maintenance } from "./a05-maintenance.ts";
import { a06TargetFit } from "./a06-target-fit.ts";
import { a07Writable } from "./a07-writable.ts";
import { a08Cooldown } from "./a08-cooldown.ts";
import { a09Budget } from "./a09-budget.ts";
import { a10Reach } from "./a10-reach.ts";
import { a11OneCause } from "./a11-one-cause.ts";
import { a12FreshChange } from "./a12-fresh-change.ts";
import { a13OneWriter } from "./a13-one-writer.ts";
import { a14Drift } from "./a14-drift.ts";
import { a15Shadow } from "./a15-shadow.ts";
import { a16Steps } from "./a16-steps.ts";
import { a17Velocity } from "./a17-velocity.ts";
import { a18Received } from "./a18-received.ts";
import { isApproved } from "./approved.ts";
import type { Rule, RuleInput, Ruling } from "./rule.ts";

export { isApproved };

/** By number. */
export const RULES: readonly Rule[] = [
  a01RegionsServed,
  a02NeverEmpty,
  a03Goodput,
  a04Freezes,
  a05Maintenance,
  a06TargetFit,
  a07Writable,
  a08Cooldown,
  a09Budget,
  a10Reach,
  a11OneCause,
  a12FreshChange,
  a13OneWriter,
  a14Drift,
  a15Shadow,
  a16Steps,
  a17Velocity,
  a18Received,
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

/** Against where the move leads. A16 and A17 are about its pace, which a smaller step answers. */
export const isAboutTheWhole = ({ rule }: RuleAnswer): boolean => rule !== "A16" && rule !== "A17";

const toAnswer = (rule: Rule, ruling: Ruling, input: RuleInput): RuleAnswer => {
  const { answer, why } = ruling;
  if (answer === "allow") return { rule: rule.id, answer, why, skipped: false };
  const skipped = isSkipped(rule, ruling, input);
  const until = "until" in ruling ? ruling.until : null;
  const told = { rule: rule.id, answer, why: followsRole(rule, input) ? `${why}; ${FOLLOWS_TEXT}` : why, skipped };
  return until === null ? told : { ...told, until };
};

const FOLLOWS_TEXT = "the traffic follows the writable role all the same";

/**
 * The old place may take no writes any more: what only asks automation to wait would wait in an outage. A freeze is a person's word, whomever it binds.
 */
const followsRole = ({ id, binds }: Rule, { proposal, situation: { spec, transfer } }: RuleInput): boolean => {
  if (binds !== "automation" || id === "A4" || proposal.actor.kind === "operator") return false;
  if (spec.stateful === null || !hasRoleLeft(transfer)) return false;
  return proposal.gains.length > 0 && proposal.gains.every((region) => region === transfer.to);
};

/** An operator's override takes a region as fit and names this rule: nothing else is in its way. Whoever moves: it is their word all the same. */
const isWaived = (rule: Rule, input: RuleInput): boolean => {
  if (rule.binds !== "break-glass") return false;
  const situation = takenAsFit(input.situation, rule.id);
  return situation !== input.situation && rule.ask({ ...input, situation }).answer === "allow";
};

const isSkipped = (rule: Rule, { answer }: Ruling, input: RuleInput): boolean => {
  const { proposal, situation } = input;
  const { approved } = situation;
  if (isWaived(rule, input) || followsRole(rule, input)) return true;
  if (isApproved(proposal, approved)) {
    if (answer === "require-approval" && approved.asks.includes(rule.id)) return true;
    // They saw the whole move.
    if (answer === "clamp") return true;
  }
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
