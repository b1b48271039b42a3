/** What another limit or mode means for automation, in words: numbers alone are agreed to without being understood. Pure. Called by the difference files. */
import type { Safety as DeclaredSafety, SafetyMode } from "@regent/contract";
import type { SafetyLimits } from "@regent/engine";
import { toFieldText } from "./field-lines.ts";

interface Words {
  /** What holds from now on. */
  readonly limits: SafetyLimits;
  /** For the declaration's own block: whom it concerns, and what a value that was taken out leaves. */
  readonly isForAll?: boolean;
}

/** One line a limit that is declared otherwise than before: `safety.failoversPerHour: 3 -> 5; A9 lets automation act in ...`. */
export const toSafetyLines = (before: DeclaredSafety = {}, after: DeclaredSafety = {}, words: Words): string[] => {
  const names = [...new Set([...Object.keys(after), ...Object.keys(before)])] as Name[];
  return names.flatMap((name) => {
    if (name === "onApprovalTimeout") return toTimeoutLines(before, after, words);
    const [from, to] = [before[name], after[name]];
    if (from === to) return [];
    return [`safety.${name}: ${toLimitText(from)} -> ${toLimitText(to)}; ${meaningOf(name, to === undefined, words)}`];
  });
};

export const toModeLine = (before: SafetyMode, after: SafetyMode): string[] =>
  before === after ? [] : [`mode: ${before} -> ${after}; ${MODE_MEANINGS[after]}`];

type Name = keyof DeclaredSafety;

const MODE_MEANINGS: Readonly<Record<SafetyMode, string>> = {
  advisory: "automation moves nothing and tells what it would do",
  approve: "automation moves what a person approves",
  automatic: "automation moves by itself, within the safety rules",
};

const toLimitText = (value: unknown): string => (value === null ? "no limit" : toFieldText(value));

const meaningOf = (
  name: Exclude<Name, "onApprovalTimeout">,
  isTakenOut: boolean,
  { limits, isForAll = false }: Words,
): string => {
  if (!isForAll) return MEANINGS[name](limits);
  return isTakenOut
    ? "each service's profile says it, unless the service does"
    : `${MEANINGS[name](limits)}, for every service that doesn't say otherwise`;
};

const toTimeoutLines = (before: DeclaredSafety, after: DeclaredSafety, { limits }: Words): string[] => {
  const [from, to] = [before.onApprovalTimeout ?? {}, after.onApprovalTimeout ?? {}];
  const rules = [...new Set([...Object.keys(to), ...Object.keys(from)])] as (keyof typeof to)[];
  return rules.flatMap((rule) => {
    if (from[rule] === to[rule]) return [];
    const asked = rule === "mode" ? "in the mode approve" : `when ${rule} asks`;
    const follows = limits.onApprovalTimeout[rule] === "proceed" ? "the move is made" : "traffic stays";
    return [
      `safety.onApprovalTimeout.${rule}: ${toFieldText(from[rule])} -> ${toFieldText(to[rule])}; ` +
        `${asked} and nobody answers within ${limits.approvalMs / 1_000} s, ${follows}`,
    ];
  });
};

const percent = (part: number): string => `${Math.round(part * 1_000) / 10} %`;
const seconds = (ms: number): string => `${ms / 1_000} s`;

const incidents = (rule: string, count: number | null, within: string): string => {
  if (count === null) return `${rule} doesn't count incidents ${within}`;
  if (count === 0) return `${rule} asks a person about every failover`;
  return `${rule} lets automation act in ${count} incident${count === 1 ? "" : "s"} ${within}, and asks a person about the next`;
};

const removed = ({ removedMax, removedMs }: SafetyLimits): string =>
  `A17 asks a person when automation would have taken away more than ${percent(removedMax)} of the traffic within ${seconds(removedMs)}`;

const MEANINGS: Readonly<Record<Exclude<Name, "onApprovalTimeout">, (limits: SafetyLimits) => string>> = {
  capacityMin: ({ capacityMin }) =>
    capacityMin === 0
      ? "A3 counts no capacity and lets every move pass"
      : `A3 asks a person about a move that leaves less than ${percent(capacityMin)} of the capacity, unless it leaves a dead region`,
  failoversPerHour: ({ failoversPerHour }) => incidents("A9", failoversPerHour, "of one service an hour"),
  failoversPerDay: ({ failoversPerDay }) => incidents("A9", failoversPerDay, "of one service a day"),
  failoversPerHourOfAll: ({ failoversPerHourOfAll }) => incidents("A9", failoversPerHourOfAll, "of all services an hour"),
  regionsOutMax: ({ regionsOutMax: most }) => {
    if (most === null) return "A10 doesn't count the regions that automation has left";
    if (most === 0) return "A10 asks a person about every failover";
    return `A10 lets automation keep ${most} region${most === 1 ? "" : "s"} out at a time, and asks a person about the next`;
  },
  incidentsMax: ({ incidentsMax }) => incidents("A10", incidentsMax, "of all services in 5 minutes"),
  correlationSeconds: ({ correlationMs }) =>
    correlationMs === 0
      ? "A11 takes nothing for one cause"
      : `A11 takes regions that turn bad within ${seconds(correlationMs)} of each other, or of a release, for one cause`,
  shadowSeconds: ({ shadowMs }) =>
    shadowMs === 0
      ? "A15 puts a changed service in force at once"
      : `A15 shows a changed service for ${seconds(shadowMs)} before it moves healthy traffic`,
  stepMax: ({ stepMax }) =>
    stepMax === 1 ? "A16 limits no move" : `A16 lets a voluntary move take along ${percent(stepMax)} of the traffic at a time`,
  removedMax: removed,
  removedSeconds: removed,
  receivedSeconds: ({ receivedMs }) =>
    receivedMs === 0
      ? "A18 never takes received traffic for the cause of a fault"
      : `A18 asks a person before automation moves traffic on from a region that turns bad within ${seconds(receivedMs)} of receiving it`,
  approvalSeconds: ({ approvalMs }) => `an approval waits ${seconds(approvalMs)} for a person`,
};
