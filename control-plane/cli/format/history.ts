/** `regent history`: what happened, each change as a timeline with its cause, weights and clocks. Pure. */
import type { Change, ChangeTimes, HistoryEvent } from "@regent/contract";
import { clockMsText, laterText, weightsText } from "./numbers.ts";
import type { Paint } from "./paint.ts";

/** The clocks of a change in the order in which they can happen. */
const CLOCKS: readonly { readonly name: string; readonly at: keyof ChangeTimes }[] = [
  { name: "detected", at: "detected" },
  { name: "decided", at: "decided" },
  { name: "accepted", at: "accepted" },
  { name: "in sync", at: "inSync" },
  { name: "visible", at: "visible" },
  { name: "resolved", at: "resolved" },
];

/** Oldest first, as time runs down the screen. */
export const toHistory = (events: readonly HistoryEvent[], paint: Paint): string[] =>
  [...events].sort((a, b) => a.at - b.at || a.sequence - b.sequence).flatMap((event) => toEvent(event, paint));

export const toEvent = (event: HistoryEvent, paint: Paint): string[] => {
  const page = event.page ? paint.warn(" ! page") : "";
  const head = `${clockMsText(event.at)}  ${paint.bold(event.service ?? "all services")}  ${event.change?.kind ?? event.kind}${page}`;
  const by = event.actor.kind === "operator" ? ` (${event.actor.name})` : "";
  return [
    head,
    `  ${event.why}${by}`,
    ...(event.change === undefined ? [] : toChange(event.change, paint).map((line) => `  ${line}`)),
  ];
};

/** One change by itself, as `change show` tells it. */
export const toChangeDetail = (change: Change, paint: Paint): string[] => [
  `${paint.bold(change.id)}  ${change.service}  ${change.kind}`,
  `  ${change.why}`,
  ...toChange(change, paint).map((line) => `  ${line}`),
];

const toChange = (change: Change, paint: Paint): string[] => [
  ...(change.reason === null ? [] : [`reason: ${change.reason}`]),
  `weights ${weightsText(change.weightsBefore)} -> ${weightsText(change.weightsAfter)}  (revision ${change.revision}, ${change.stage})`,
  paint.dim(toClocks(change.times)),
];

/** `detected 12:00:00.000Z, decided +0.80 s, accepted +0.92 s, …`: the first as time of day, the others as the distance to it. */
export const toClocks = (times: ChangeTimes): string => {
  const known = CLOCKS.flatMap(({ name, at }) => (times[at] === undefined ? [] : [{ name, at: times[at] }]));
  const first = known[0];
  if (first === undefined) return "";
  return known.map(({ name, at }, index) => `${name} ${index === 0 ? clockMsText(at) : laterText(at - first.at)}`).join(", ");
};

/** A change on one line, for lists. */
export const toChangeLine = ({ kind, stage, why, times }: Change): string =>
  `${clockMsText(times.decided)}  ${kind} ${stage}  ${why}`;

/** An event on one line, for the live view. */
export const toEventLine = (event: HistoryEvent): string =>
  `${clockMsText(event.at).slice(0, 8)}  ${event.service ?? "all"}  ${event.change?.kind ?? event.kind}: ${event.why}`;
