/** What changes in declared maintenance, as lines that a person reads in review. Pure. Called by difference.ts. */
import type { MaintenanceDeclaration } from "@regent/contract";
import { toFieldLines } from "./field-lines.ts";
import { type Pair, pairById } from "./pair-by-id.ts";

export const toMaintenanceLines = (
  before: readonly MaintenanceDeclaration[] = [],
  after: readonly MaintenanceDeclaration[] = [],
): string[] => pairById(before, after, ({ id }) => id).flatMap(toLines);

const toLines = (pair: Pair<MaintenanceDeclaration>): string[] => {
  switch (pair.kind) {
    case "added":
      return [`maintenance ${pair.id}: added, ${pair.after.regions.join(", ")} ${whenText(pair.after)}`];
    case "removed":
      return [`maintenance ${pair.id}: removed; if it is in force, its regions recover and return`];
    case "kept":
      return toFieldLines(pair.before, pair.after).map((line) => `maintenance ${pair.id}: ${line}`);
  }
};

const whenText = ({ from, to, cron, minutes, timeZone }: MaintenanceDeclaration): string =>
  cron === undefined ? `from ${from} to ${to}` : `for ${minutes} min at "${cron}" ${timeZone}`;
