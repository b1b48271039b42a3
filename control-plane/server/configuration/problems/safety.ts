/** Limits of safety rules that contradict each other, or that nothing could ever hold to. Pure. */
import type { Declaration, Safety as DeclaredSafety, RuleId } from "@regent/contract";
import type { SafetyLimits } from "@regent/engine";
import { DEPARTURES_KEPT_MS } from "@regent/engine/safety/departures.ts";
import type { ConfigurationProblem } from "../problem-path.ts";
import { findSafetyHolders, RULES_THAT_ASK, RULES_THAT_MAY_PROCEED, type SafetyHolder } from "../safety-holders.ts";

export const findSafetyProblems = (declaration: Declaration): ConfigurationProblem[] =>
  findSafetyHolders(declaration).flatMap((holder) => [
    ...CONTRADICTIONS.flatMap((contradiction) => contradict(contradiction, holder)),
    ...findWrongAnswers(holder),
  ]);

interface Contradiction {
  /** Where to point: the last of these that is declared here. When none is, it is told where they are. */
  readonly names: readonly (keyof DeclaredSafety)[];
  readonly isBroken: (limits: SafetyLimits) => boolean;
  readonly message: (limits: SafetyLimits) => string;
  readonly suggestion: (limits: SafetyLimits) => string;
}

const KEPT_SECONDS = DEPARTURES_KEPT_MS / 1_000;

const CONTRADICTIONS: readonly Contradiction[] = [
  {
    names: ["failoversPerDay", "failoversPerHour"],
    isBroken: ({ failoversPerHour: hour, failoversPerDay: day }) => hour !== null && day !== null && hour > day,
    message: ({ failoversPerHour: hour, failoversPerDay: day }) =>
      `failoversPerHour, ${hour}, is above failoversPerDay, ${day}: the hour's budget can never be spent`,
    suggestion: ({ failoversPerHour: hour, failoversPerDay: day }) =>
      `failoversPerHour at most ${day}, or failoversPerDay at least ${hour}`,
  },
  {
    names: ["receivedSeconds"],
    isBroken: ({ receivedMs }) => receivedMs > DEPARTURES_KEPT_MS,
    message: ({ receivedMs }) =>
      `receivedSeconds is ${receivedMs / 1_000}, and moves are remembered for a day: A18 can't look further back`,
    suggestion: () => `receivedSeconds at most ${KEPT_SECONDS}`,
  },
  {
    names: ["removedSeconds"],
    isBroken: ({ removedMs }) => removedMs > DEPARTURES_KEPT_MS,
    message: ({ removedMs }) =>
      `removedSeconds is ${removedMs / 1_000}, and moves are remembered for a day: A17 can't look further back`,
    suggestion: () => `removedSeconds at most ${KEPT_SECONDS}`,
  },
];

const contradict = (
  { names, isBroken, message, suggestion }: Contradiction,
  { path, declared, limits }: SafetyHolder,
): ConfigurationProblem[] => {
  const name = names.findLast((candidate) => declared[candidate] !== undefined);
  if (name === undefined || !isBroken(limits)) return [];
  const restsOn = [["profile"], ["safety"], path, [...path.slice(0, -1), "profile"]];
  return [{ path: [...path, name], message: message(limits), suggestion: suggestion(limits), restsOn }];
};

/** `proceed` can only follow where a person was asked, and where the move may be made without one. */
const findWrongAnswers = ({ path, declared }: SafetyHolder): ConfigurationProblem[] =>
  Object.entries(declared.onApprovalTimeout ?? {})
    .filter(([rule, answer]) => answer === "proceed" && rule !== "mode" && !RULES_THAT_MAY_PROCEED.includes(rule as RuleId))
    .map(([rule]) => ({
      path: [...path, "onApprovalTimeout", rule],
      ...(RULES_THAT_ASK.includes(rule as RuleId)
        ? {
            message:
              `${rule} can't proceed without a person: a region that turns bad under the traffic it was just given may be dying ` +
              "of it, and the next one would get it too",
            suggestion: `leave ${rule} out or say stay; receivedSeconds: 0 turns the rule off`,
          }
        : {
            message: `${rule} never asks a person, so no approval of it can time out and nothing can proceed`,
            suggestion: `leave ${rule} out; these ask: ${RULES_THAT_ASK.join(", ")}, and mode`,
          }),
      isAboutKey: true,
    }));
