/** `regent change`: moves that wait for a person, and what became of them. Pure. */
import type { Approval } from "@regent/contract";
import { toRules } from "./explanation.ts";
import { clockText, sharesText, weightsText } from "./numbers.ts";
import type { Paint } from "./paint.ts";

export const toApprovalLines = (approvals: readonly Approval[], paint: Paint): string[] =>
  approvals.length === 0 ? ["Nothing waits for a person."] : approvals.flatMap((approval) => toApproval(approval, paint));

export const toApprovalDetail = (approval: Approval, paint: Paint): string[] => [
  ...toApproval(approval, paint),
  `shares  ${sharesText(approval.sharesBefore)} -> ${sharesText(approval.sharesAfter)}`,
  `weights ${weightsText(approval.weightsBefore)} -> ${weightsText(approval.weightsAfter)}`,
  ...(approval.rules.length === 0 ? [] : [paint.bold("rules"), ...toRules(approval.rules, paint)]),
];

export const toRefused = (approval: Approval, paint: Paint): string[] => [
  `${paint.good("✓")} refused: traffic of ${approval.service} stays, and this move isn't asked for again as long as it is wanted.`,
];

const toApproval = (approval: Approval, paint: Paint): string[] => [
  `${paint.bold(approval.id)}  ${approval.service}  ${approval.kind}  ${toState(approval, paint)}`,
  `  ${approval.why}`,
  `  asked at ${clockText(approval.askedAt)} by ${approval.asks.map((ask) => (ask === "mode" ? "the mode approve" : ask)).join(", ")}`,
  ...(approval.state === "waiting" ? [`  answer with: ${answerText(approval)}`] : []),
];

const toState = ({ state, lapsesAt, onLapse, answeredAt, by, reason }: Approval, paint: Paint): string => {
  switch (state) {
    case "waiting":
      return paint.warn(`! waits until ${clockText(lapsesAt)}, then ${onLapse === "proceed" ? "it is done" : "traffic stays"}`);
    case "lapsed":
      return `lapsed at ${clockText(lapsesAt)}, traffic stays`;
    case "stale":
      return "stale, what it rested on has changed";
    case "approved":
    case "refused":
      return `${state} by ${by ?? "nobody"}${answeredAt === null ? "" : ` at ${clockText(answeredAt)}`}${reason === null ? "" : `: ${reason}`}`;
  }
};

const answerText = ({ id }: Approval): string => `regent change approve ${id} --reason … (or refuse)`;

/** For the line of a service that waits. */
export const toWaitingMark = (approval: Approval | null): string | null =>
  approval?.state === "waiting" ? `! waits for a person until ${clockText(approval.lapsesAt)}: ${answerText(approval)}` : null;
