/** `regent explain`: why a service is as it is, in the order a person asks. Pure. */
import type { Explanation, RuleAnswer, Vote } from "@regent/contract";
import { toChangeLine } from "./history.ts";
import { type Paint, verdictText } from "./paint.ts";
import { toTable, wrap } from "./table.ts";

export const toExplanationText = (explanation: Explanation, paint: Paint, width = 120): string[] => {
  const { service, sentences, rules, changes } = explanation;
  return [
    ...sentences.flatMap((sentence) => wrap(sentence, width, "  ")),
    ...service.regions.flatMap((region) => [
      "",
      `${paint.bold(region.region)}  ${verdictText(region.verdict, paint)}  inside ${region.inside}  outside ${region.outside}`,
      ...toVotes(region.votes, paint),
    ]),
    ...(rules.length === 0 ? [] : ["", paint.bold("rules"), ...toRules(rules, paint)]),
    ...(changes.length === 0
      ? []
      : ["", paint.bold("changes under way or lately made"), ...changes.map((change) => `  ${toChangeLine(change)}`)]),
  ];
};

const VOTES: Readonly<Record<Vote["vote"], string>> = { up: "▲ up", down: "▼ down", none: "· none" };

const toVotes = (votes: readonly Vote[], paint: Paint): string[] =>
  toTable(
    votes.map(({ vantage, view, vote, because, suspect }) => [
      vantage,
      view,
      vote === "down" ? paint.bad(VOTES.down) : vote === "up" ? paint.good(VOTES.up) : paint.dim(VOTES.none),
      suspect ? `${because} (suspect: no vote)` : because,
    ]),
  ).map((line) => `  ${line}`);

export const toRules = (rules: readonly RuleAnswer[], paint: Paint): string[] =>
  toTable(
    rules.map(({ rule, answer, why, skipped }) => [
      rule,
      answer === "allow" ? paint.good("✓ allow") : paint.warn(`! ${answer}`),
      skipped ? `${why} (skipped: by break-glass, or approved)` : why,
    ]),
  ).map((line) => `  ${line}`);
