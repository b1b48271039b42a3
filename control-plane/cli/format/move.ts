/** What a move does or would do: weights before and after, every rule's answer, the exact batch. Pure. */
import type { BatchLine, MoveAnswer } from "@regent/contract";
import { toRules } from "./explanation.ts";
import { sharesText, weightsText } from "./numbers.ts";
import type { Paint } from "./paint.ts";

export const toMove = (answer: MoveAnswer, paint: Paint): string[] => [
  answer.dryRun ? paint.bold("Dry run: nothing was sent.") : toDone(answer, paint),
  answer.why,
  `shares  ${sharesText(answer.sharesBefore)} -> ${sharesText(answer.sharesAfter)}`,
  `weights ${weightsText(answer.weightsBefore)} -> ${weightsText(answer.weightsAfter)}`,
  ...(answer.rules.length === 0 ? [] : [paint.bold("rules"), ...toRules(answer.rules, paint)]),
  ...(answer.batch.length === 0 ? [] : [paint.bold("batch"), ...answer.batch.map(toBatchLine)]),
];

/** A refusal comes as a problem, so that what isn't allowed here had nothing to send: that is no warning. */
const toDone = ({ allowed, revision, changeId }: MoveAnswer, paint: Paint): string =>
  allowed
    ? `${paint.good("✓")} revision ${revision}${changeId === null ? "" : `, change ${changeId}`}`
    : `· revision ${revision}, nothing was sent`;

/** `  DELETE checkout.example.test A 5 [eu-west] weight 255 192.0.2.10`, as in a zone file with Route 53's words. */
export const toBatchLine = ({ action, set }: BatchLine): string =>
  [
    ` ${action}`,
    set.name,
    set.type,
    ...(set.ttl === undefined ? [] : [String(set.ttl)]),
    ...(set.setIdentifier === undefined ? [] : [`[${set.setIdentifier}]`]),
    ...(set.weight === undefined ? [] : [`weight ${set.weight}`]),
    ...(set.values ?? []),
    ...(set.alias === undefined ? [] : [`alias ${set.alias.name} in ${set.alias.hostedZoneId}`]),
    ...(set.healthCheckId === undefined ? [] : [`health check ${set.healthCheckId}`]),
  ].join(" ");
