/** Alert rules and what fires: read by whoever may look, changed by operators. A rule of the declaration is changed there. */
import {
  AlertList,
  AlertRuleAnswer,
  AlertRuleDropRequest,
  AlertRuleId,
  AlertRuleList,
  AlertRuleRequest,
  AlertTrial,
} from "@regent/contract";
import * as z from "zod";
import type { RuleProblem } from "../../configuration/alerts/resolve-rule.ts";
import type { RuleResult } from "../../operations/alerting/change-rule.ts";
import type { ControlPlane } from "../../operations/control-plane.ts";
import { answer, type Mount, mountRoute, type Outcome } from "../mount-route.ts";

const RuleParams = z.object({ id: AlertRuleId });

export const mountAlerts = (mount: Mount, { controlPlane }: { controlPlane: ControlPlane }): void => {
  mountRoute(mount, "GET /v1/alerts", {
    summary: "What fires, then what is pending",
    answer: AlertList,
    problems: [],
    handle: async () => answer(await controlPlane.alerts()),
  });
  mountRoute(mount, "GET /v1/alert-rules", {
    summary: "All alert rules: shipped, declared and by API, with where each stands",
    answer: AlertRuleList,
    problems: [],
    handle: async () => answer({ rules: [...(await controlPlane.alertRules())] }),
  });
  mountRoute(mount, "GET /v1/alert-rules/{id}/trial", {
    summary: "What one rule sees now in the process that answers",
    params: RuleParams,
    answer: AlertTrial,
    problems: ["invalid-request", "not-found"],
    handle: async ({ params: { id } }) => {
      const trial = await controlPlane.tryAlertRule(id);
      return trial ? answer(trial) : { kind: "not-found", what: `alert rule ${id}` };
    },
  });
  mountRoute(mount, "PUT /v1/alert-rules/{id}", {
    summary: "Set a rule, or what of a shipped one is to differ",
    params: RuleParams,
    body: AlertRuleRequest,
    answer: AlertRuleAnswer,
    problems: ["declared-alert-rule", "stale-alert-rule", "not-leader"],
    handle: async ({ params: { id }, body: request }, c) =>
      toOutcome(await controlPlane.changeAlertRule({ id, by: c.get("principal").name, step: "set", request })),
  });
  mountRoute(mount, "DELETE /v1/alert-rules/{id}", {
    summary: "Drop what was set by API: a shipped rule is as shipped again",
    params: RuleParams,
    body: AlertRuleDropRequest,
    answer: AlertRuleAnswer,
    problems: ["stale-alert-rule", "not-leader"],
    handle: async ({ params: { id }, body: request }, c) =>
      toOutcome(await controlPlane.changeAlertRule({ id, by: c.get("principal").name, step: "drop", request })),
  });
};

const toOutcome = (result: RuleResult): Outcome<z.input<typeof AlertRuleAnswer>> => {
  switch (result.kind) {
    case "changed":
      return answer({ rule: result.rule });
    case "invalid-rule":
      return { kind: "invalid-request", detail: toText(result.problems[0]), errors: result.problems.map(toFieldError) };
    default:
      return result;
  }
};

const toText = (problem: RuleProblem | undefined): string =>
  problem === undefined ? "not valid" : toFieldError(problem).message;

const toFieldError = ({ path, message, suggestion }: RuleProblem) => ({
  path: path.join("."),
  message: suggestion === undefined ? message : `${message}; ${suggestion}`,
});
