/** What changes in who is told, as lines that a person reads in review. Pure. Called by difference.ts. */
import type { NotifierDeclaration, Notify, NotifyRoute } from "@regent/contract";
import { toFieldLines } from "./field-lines.ts";
import { type Pair, pairById } from "./pair-by-id.ts";

export const toNotifyLines = (before: Notify | undefined, after: Notify | undefined): string[] => [
  ...pairById(before?.notifiers ?? [], after?.notifiers ?? [], ({ id }) => id).flatMap(toNotifierLines),
  ...toRouteLines(before?.routes ?? [], after?.routes ?? []),
  ...toFieldLines(restOf(before), restOf(after)).map((line) => `notify ${line}`),
];

const toNotifierLines = (pair: Pair<NotifierDeclaration>): string[] => {
  switch (pair.kind) {
    case "added":
      return [`notifier ${pair.id}: added (${pair.after.kind})`];
    case "removed":
      return [`notifier ${pair.id}: removed; what waits for it is dropped`];
    case "kept":
      return toFieldLines(pair.before, pair.after).map((line) => `notifier ${pair.id}: ${line}`);
  }
};

const restOf = ({ notifiers: _, routes: _routes, ...rest }: Partial<Notify> = {}): object => rest;

const toRouteLines = (before: readonly NotifyRoute[], after: readonly NotifyRoute[]): string[] => {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (after.length === 0) return ["notify: no route any more; every notifier is told everything that it lets through"];
  return after.map(({ severities, services, notifiers }) => {
    const what = `${severities?.join(", ") ?? "everything"}${services ? ` of ${services.join(", ")}` : ""}`;
    return `notify route: ${what} to ${notifiers.join(", ")}`;
  });
};
