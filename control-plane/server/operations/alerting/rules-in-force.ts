/** The shipped rules, those of the declaration and those by API, as one list. The declaration outranks the API, and both a default. Pure. */
import type { AlertRule, AlertRuleView, AlertSetting } from "@regent/contract";
import { DEFAULT_RULES } from "../../configuration/alerts/default-rules.ts";
import { findDefault, resolveRule } from "../../configuration/alerts/resolve-rule.ts";
import type { StoredAlertRule } from "../../ports/alert-store.ts";

export const rulesInForce = (declared: readonly AlertSetting[], stored: readonly StoredAlertRule[]): readonly AlertRuleView[] => {
  const byFile = new Map(declared.map((setting) => [setting.id, setting]));
  const byApi = new Map(stored.map((each) => [each.setting.id, each]));
  const ids = new Set([...DEFAULT_RULES.map(({ id }) => id), ...byFile.keys(), ...byApi.keys()]);
  return [...ids].flatMap((id): readonly AlertRuleView[] => {
    const kept = byApi.get(id);
    const setting = byFile.get(id) ?? kept?.setting;
    const shipped = findDefault(id);
    const rest = { version: kept?.version ?? 0, setting: kept?.setting ?? null, why: shipped?.why ?? null };
    if (setting === undefined) return shipped === null ? [] : [{ ...shipped, ...rest, source: "default", problem: null }];
    const source = byFile.has(id) ? "declaration" : "api";
    const resolved = resolveRule(setting);
    if (resolved.kind === "rule") return [{ ...resolved.rule, ...rest, source, problem: null }];
    // Taken by a version of Regent that had this metric; whoever wrote it must see that it says nothing any more.
    const problem = resolved.problems.map(({ message }) => message).join("; ");
    return [{ ...asWritten(setting), ...rest, source, problem }];
  });
};

/** A rule that can't be evaluated still has a name and a place in the list. */
const asWritten = (setting: AlertSetting): AlertRule => ({
  id: setting.id,
  metric: setting.metric ?? "",
  labels: setting.labels ?? {},
  condition: setting.condition ?? null,
  window: setting.window ?? null,
  quantile: setting.quantile ?? null,
  absent: setting.absent ?? false,
  for: setting.for ?? 0,
  severity: setting.severity ?? "warning",
  notifiers: setting.notifiers ?? null,
  title: setting.title ?? setting.id,
  isOn: setting.isOn ?? true,
});

/** The rule itself, without what is known about it. */
export const toRule = ({ source: _, version: _v, setting: _s, why: _w, problem: _p, ...rule }: AlertRuleView): AlertRule => rule;
