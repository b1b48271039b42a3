/** Alert rules set and dropped by an operator. What stands in the declaration is changed there; a default is changed or turned off by its id. */
import type { AlertRuleDropRequest, AlertRuleRequest, AlertRuleView, AlertSetting, Declaration } from "@regent/contract";
import { findNotifierProblems, type RuleProblem, resolveRule } from "../../configuration/alerts/resolve-rule.ts";
import { ALERT_RULES_MAX } from "../../limits.ts";
import type { AlertRuleWrite, AlertStore } from "../../ports/alert-store.ts";
import type { Clock, Ids } from "../../ports/clock.ts";
import { operator } from "../memory/actors.ts";
import { rulesInForce } from "./rules-in-force.ts";

export interface ChangeRuleDeps {
  readonly store: AlertStore;
  readonly clock: Pick<Clock, "now">;
  readonly ids: Ids;
  readonly holder: string;
  readonly term: () => number;
  readonly declaration: () => Declaration | null;
}

export type RuleOrder = { readonly id: string; readonly by: string } & (
  | { readonly step: "set"; readonly request: AlertRuleRequest }
  | { readonly step: "drop"; readonly request: AlertRuleDropRequest }
);

export type RuleResult =
  | { readonly kind: "changed"; readonly rule: AlertRuleView | null }
  | { readonly kind: "invalid-rule"; readonly problems: readonly RuleProblem[] }
  | { readonly kind: "declared-rule"; readonly id: string }
  | { readonly kind: "stale-rule"; readonly version: number }
  | { readonly kind: "not-leader" };

export const changeRule = async (deps: ChangeRuleDeps, order: RuleOrder): Promise<RuleResult> => {
  const { id, by, request } = order;
  const declaration = deps.declaration();
  const declared = declaration?.alerts ?? [];
  if (order.step === "set" && declared.some((each) => each.id === id)) return { kind: "declared-rule", id };
  const stored = await deps.store.readRules();
  const before = rulesInForce(declared, stored);
  const setting = order.step === "set" ? toSetting(id, order.request) : null;
  if (setting) {
    const problems = findProblems(setting, before, declaration);
    if (problems.length > 0) return { kind: "invalid-rule", problems };
  }
  const write = toWrite(deps, { id, by, reason: request.reason, expectedVersion: request.expectedVersion, setting });
  const written = await deps.store.writeRule(write);
  if (written.kind === "fenced") return { kind: "not-leader" };
  if (written.kind === "stale") return { kind: "stale-rule", version: written.version };
  const others = stored.filter((each) => each.setting.id !== id);
  const after = rulesInForce(declared, setting ? [...others, { setting, version: written.version }] : others);
  return { kind: "changed", rule: after.find((rule) => rule.id === id) ?? null };
};

const toSetting = (id: string, { expectedVersion: _, reason: _r, ...fields }: AlertRuleRequest): AlertSetting => ({
  ...fields,
  id,
});

const findProblems = (
  setting: AlertSetting,
  before: readonly AlertRuleView[],
  declaration: Declaration | null,
): readonly RuleProblem[] => {
  const resolved = resolveRule(setting);
  const isNew = !before.some(({ id }) => id === setting.id);
  const notifiers = declaration?.notify?.notifiers ?? [];
  return [
    ...(resolved.kind === "invalid" ? resolved.problems : []),
    ...findNotifierProblems(setting, notifiers),
    ...(isNew && before.length >= ALERT_RULES_MAX ? [{ path: [], message: `there are ${before.length} rules already` }] : []),
  ];
};

type Change = Pick<AlertRuleWrite, "id" | "expectedVersion" | "setting"> & { readonly by: string; readonly reason: string };

const toWrite = ({ clock, ids, holder, term }: ChangeRuleDeps, { by, reason, ...change }: Change): AlertRuleWrite => ({
  ...change,
  holder,
  term: term(),
  entry: {
    id: ids.ulid(),
    at: clock.now(),
    service: null,
    kind: "alert",
    actor: operator(by),
    why: `${by} ${change.setting === null ? "dropped what was set of" : "set"} the alert rule ${change.id}: ${reason}`,
    page: false,
    detail: { step: change.setting === null ? "dropped" : "set", rule: change.id, setting: change.setting },
  },
});
