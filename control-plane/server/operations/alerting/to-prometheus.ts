/** Alert rules as a rules file of Prometheus, for who pages by Alertmanager, or watches Regent from outside as well. Pure. */
import type { AlertRule, AlertRuleView } from "@regent/contract";
import { toLabelText, toSeriesText } from "../../configuration/alerts/series-text.ts";
import { ALERT_QUIET_MS } from "../../limits.ts";

const HEAD = [
  "# Alert rules of Regent, as `regent alert rules --prometheus` prints them. docs/ALERTS.md says what each is for.",
  "# Prometheus asks every process, Regent's leader itself alone; so an alert here names the instance.",
];

/** Rules that are off, or that can't be evaluated, aren't in it. */
export const toPrometheusRules = (rules: readonly AlertRuleView[]): string => {
  const on = rules.filter(({ isOn, problem }) => isOn && problem === null);
  const groups = on.length === 0 ? ["groups: []"] : ["groups:", "  - name: regent", "    rules:", ...on.flatMap(toLines)];
  return `${[...HEAD, ...groups].join("\n")}\n`;
};

const toLines = (rule: AlertRuleView): readonly string[] => [
  `      - alert: ${toAlertName(rule.id)}`,
  `        expr: ${quoted(toExpression(rule))}`,
  `        for: ${rule.for}s`,
  `        keep_firing_for: ${ALERT_QUIET_MS / 1_000}s`,
  "        labels:",
  `          severity: ${rule.severity}`,
  `          rule: ${quoted(rule.id)}`,
  "        annotations:",
  `          summary: ${quoted(rule.title)}`,
  ...(rule.why === null ? [] : [`          description: ${quoted(rule.why)}`]),
];

/** `agents-missing` is `RegentAgentsMissing`, as such names are written there. */
const toAlertName = (id: string): string =>
  `Regent${id
    .split("-")
    .map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`)
    .join("")}`;

export const toExpression = ({ metric, labels, condition, window, quantile }: AlertRule): string => {
  if (condition === null) return `absent(${toSeriesText(metric, labels)})`;
  const bound = `${condition.op} ${condition.value}`;
  if (window === null) return `${toSeriesText(metric, labels)} ${bound}`;
  const range = `${toLabelText(labels)}[${window}s]`;
  if (quantile === null) return `increase(${metric}${range}) ${bound}`;
  return `histogram_quantile(${quantile}, rate(${metric}_bucket${range})) ${bound}`;
};

/** JSON's quotes are YAML's. */
const quoted = (text: string): string => JSON.stringify(text);
