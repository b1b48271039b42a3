/** `regent region`: a region left, or returned to, across services. Pure. */
import type { EvacuatedService, Evacuation, EvacuationAnswer, EvacuationPage, EvacuationPreview } from "@regent/contract";
import { toRules } from "./explanation.ts";
import { clockMsText, sharesText } from "./numbers.ts";
import type { Paint } from "./paint.ts";

type State = EvacuatedService["state"];

const ORDER: readonly State[] = ["moved", "moving", "waiting", "refused", "failed", "nothing"];
const wordByState: Readonly<Record<State, string>> = {
  moved: "moved",
  moving: "moving",
  waiting: "waiting",
  refused: "refused",
  failed: "failed",
  nothing: "nothing to move",
};

/** A person has to look at one of them. */
export const isLeftBehind = ({ services, state }: Evacuation): boolean =>
  services.some((each) => each.state === "refused" || each.state === "failed") || state === "stopped";

export const toEvacuation = (evacuation: Evacuation, paint: Paint): string[] => [
  ...toEvacuationHead(evacuation, paint),
  ...evacuation.services.map((each) => toServiceLine(each, paint)),
];

export const toEvacuationHead = (evacuation: Evacuation, paint: Paint): string[] => {
  const { id, region, direction, state, by, reason, at, endedAt, stopped } = evacuation;
  const over = endedAt === null ? "" : `, over ${clockMsText(endedAt)}`;
  return [
    `${paint.bold(id)}  ${direction === "evacuate" ? "evacuate" : "return to"} ${region}  ${state}  ${countsText(evacuation.services)}`,
    `  ${by}: ${reason}; since ${clockMsText(at)}${over}`,
    ...(stopped === null ? [] : [`  stopped by ${stopped.by}: ${stopped.reason}`]),
  ];
};

/** For `regent status`, while it runs. */
export const toEvacuationMark = ({ id, by, direction, region, reason, services }: Evacuation): string =>
  `! ${by} ${direction === "evacuate" ? "is evacuating" : "is returning to"} ${region} (${reason}): ${countsText(services)}; regent region show ${id} --watch`;

const toServiceLine = ({ service, state, changeId, why }: EvacuatedService, paint: Paint): string => {
  const change = changeId === null ? "" : `  change ${changeId}`;
  return `  ${markOf(state, paint)} ${service}  ${wordByState[state]}${change}${why === null ? "" : `  ${why}`}`;
};

/** Those whose state is another than it was, as a person follows them. */
export const toNews = (before: Evacuation | null, { services }: Evacuation, paint: Paint): string[] => {
  const known = new Map(before?.services.map(({ service, state }) => [service, state]));
  return services
    .filter(({ service, state }) => state !== (known.get(service) ?? "waiting"))
    .map((each) => toServiceLine(each, paint));
};

export const toEvacuationAnswer = ({ evacuation, preview }: EvacuationAnswer, paint: Paint): string[] =>
  evacuation
    ? toEvacuationHead(evacuation, paint)
    : [
        paint.bold("Dry run: nothing was moved."),
        ...(preview.length === 0 ? ["No service has anything to do there."] : preview.flatMap((each) => toPreview(each, paint))),
      ];

export const toEvacuationPage = ({ evacuations, next }: EvacuationPage, paint: Paint): string[] => [
  ...(evacuations.length === 0
    ? ["No region was evacuated, and none returned to."]
    : evacuations.flatMap((each) => toEvacuationHead(each, paint))),
  ...(next === null ? [] : [paint.dim(`More: regent region list --cursor ${next}`)]),
];

const toPreview = ({ service, state, why, answer }: EvacuationPreview, paint: Paint): string[] => [
  `  ${markOf(state, paint)} ${service}  ${state === "moved" ? "would move" : wordByState[state]}  ${why}`,
  ...(answer === null ? [] : [`      shares ${sharesText(answer.sharesBefore)} -> ${sharesText(answer.sharesAfter)}`]),
  ...(answer === null ? [] : toRules(answer.rules, paint).map((line) => `      ${line.trimStart()}`)),
];

const countsText = (services: readonly EvacuatedService[]): string =>
  ORDER.flatMap((state) => {
    const count = services.filter((each) => each.state === state).length;
    return count === 0 ? [] : [`${count} ${wordByState[state]}`];
  }).join(", ") || "no service";

const markOf = (state: State, paint: Paint): string => {
  switch (state) {
    case "moved":
      return paint.good("✓");
    case "refused":
    case "failed":
      return paint.warn("!");
    case "moving":
    case "waiting":
    case "nothing":
      return "·";
  }
};
