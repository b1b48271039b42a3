/** What changes in alert rules, as lines that a person reads in review. Pure. Called by difference.ts. */
import type { AlertSetting } from "@regent/contract";
import { findDefault, resolveRule } from "./alerts/resolve-rule.ts";
import { toFieldLines } from "./field-lines.ts";
import { type Pair, pairById } from "./pair-by-id.ts";

export const toAlertLines = (before: readonly AlertSetting[] | undefined, after: readonly AlertSetting[] | undefined): string[] =>
  pairById(before ?? [], after ?? [], ({ id }) => id).flatMap(toLines);

const toLines = (pair: Pair<AlertSetting>): string[] => {
  switch (pair.kind) {
    case "added":
      return toAddedLines(pair.after);
    case "removed":
      return [
        `alert rule ${pair.id}: removed; ${findDefault(pair.id) ? "what is shipped counts again, or what was set by API" : "it ends, unless it was set by API too"}`,
      ];
    case "kept":
      return toFieldLines(pair.before, pair.after).map((line) => `alert rule ${pair.id}: ${line}`);
  }
};

/** Of a default that is changed, what differs; of a new one, what it says. */
const toAddedLines = (setting: AlertSetting): string[] => {
  if (setting.isOn === false) return [`alert rule ${setting.id}: off`];
  const resolved = resolveRule(setting);
  const title = resolved.kind === "rule" ? resolved.rule.title : setting.id;
  if (findDefault(setting.id) === null) return [`alert rule ${setting.id}: added (${title})`];
  const said = Object.keys(setting).filter((key) => key !== "id");
  return [`alert rule ${setting.id}: ${said.length === 0 ? "as shipped" : `shipped, with its own ${said.join(", ")}`}`];
};
