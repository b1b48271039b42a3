/** Alert rules of the declaration: metrics, labels and notifiers that there aren't, what a rule lacks, and rules that are declared twice. Pure. */
import type { Declaration } from "@regent/contract";
import { findNotifierProblems, type RuleProblem, resolveRule } from "../alerts/resolve-rule.ts";
import type { ConfigurationProblem } from "../problem-path.ts";
import { findDuplicates } from "./duplicates.ts";

export const findAlertProblems = ({ alerts = [], notify }: Declaration): ConfigurationProblem[] => {
  const notifiers = notify?.notifiers ?? [];
  const place = (at: number, { path, message, suggestion }: RuleProblem): ConfigurationProblem => ({
    path: ["alerts", at, ...path.map((part) => (/^[0-9]+$/.test(part) ? Number(part) : part))],
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
  return [
    ...findDuplicates(
      alerts.map(({ id }, at) => ({ key: id, path: ["alerts", at, "id"] })),
      (id) => `alert rule "${id}"`,
    ),
    ...alerts.flatMap((setting, at) => {
      const resolved = resolveRule(setting);
      return [
        ...(resolved.kind === "invalid" ? resolved.problems.map((problem) => place(at, problem)) : []),
        ...findNotifierProblems(setting, notifiers).map((problem) => ({
          ...place(at, problem),
          restsOn: [["notify", "notifiers"]],
        })),
      ];
    }),
  ];
};
