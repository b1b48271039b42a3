/** `regent alert`: what fires, the rules, and what one of them sees. Pure. */
import type { AlertList, AlertRule, AlertRuleList, AlertRuleView, AlertTrial } from "@regent/contract";
import { toSeriesText } from "@regent/server/configuration/alerts/series-text.ts";
import { clockMsText } from "./numbers.ts";
import type { Paint } from "./paint.ts";
import { toTable } from "./table.ts";

export const toAlertLines = ({ alerts, more }: AlertList, paint: Paint): string[] => {
  if (alerts.length === 0) return ["Nothing fires, and nothing is pending."];
  const rows = alerts.map(({ rule, series, state, since, value, severity }) => [
    state === "firing" ? paint.bold(state) : state,
    severity,
    rule,
    `${series}${value === null ? "" : ` = ${value}`}, since ${clockMsText(since)}`,
  ]);
  return [...toTable(rows), ...(more === 0 ? [] : [paint.dim(`And ${more} more.`)])];
};

export const toRuleLines = ({ rules }: AlertRuleList, paint: Paint): string[] => {
  const rows = rules.map((rule) => [paint.bold(rule.id), rule.isOn ? rule.severity : "off", rule.source, toRuleText(rule)]);
  const problems = rules.flatMap(({ id, problem }) => (problem === null ? [] : [`${id} isn't evaluated: ${problem}`]));
  const hidden = rules.filter(({ source, setting }) => source === "declaration" && setting !== null);
  return [
    ...toTable(rows),
    ...problems,
    ...hidden.map(({ id }) => `${id}: what was set by API counts for nothing, as the declaration has it too`),
  ];
};

/** `growth of regent_x{a="b"} within 300 s > 5 for 60 s`. */
export const toRuleText = ({ metric, labels, condition, window, quantile, for: seconds, absent }: AlertRule): string => {
  const series = toSeriesText(metric, labels);
  const lasted = seconds === 0 ? "" : ` for ${seconds} s`;
  if (absent || condition === null) return `${series} is absent${lasted}`;
  const what = quantile !== null ? `p${quantile * 100} of ${series}` : window === null ? series : `growth of ${series}`;
  return `${what}${window === null ? "" : ` within ${window} s`} ${condition.op} ${condition.value}${lasted}`;
};

export const toRuleDetail = (rule: AlertRuleView | null, id: string, paint: Paint): string[] =>
  rule === null
    ? [`${id} is no more.`]
    : [
        `${paint.bold(rule.id)}  ${rule.isOn ? rule.severity : "off"}  ${rule.title}`,
        `  ${toRuleText(rule)}`,
        `  from ${rule.source}, version ${rule.version}; tells ${rule.notifiers?.join(", ") ?? "whom routes name"}`,
      ];

export const toTrialLines = ({ rule, series, more, sentence }: AlertTrial, paint: Paint): string[] => [
  ...toRuleDetail(rule, rule.id, paint),
  ...toTable(
    series.map(({ series: name, value, holds }) => [
      `  ${name}`,
      value === null ? "-" : String(value),
      holds === null ? "can't be said" : holds ? paint.bold("holds") : "doesn't hold",
    ]),
  ),
  ...(more === 0 ? [] : [`  and ${more} more series that are not looked at`]),
  `  ${sentence}.`,
];
