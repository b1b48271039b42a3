/** From what a person wrote to a rule with everything filled in, or all that is wrong with it. Pure. */
import type { AlertRule, AlertSetting, NotifierDeclaration, Severity } from "@regent/contract";
import { suggestDeclared } from "../nearest.ts";
import { DEFAULT_RULES } from "./default-rules.ts";
import { findMetric, METRICS, type MetricEntry } from "./metric-catalogue.ts";
import { toSeriesText } from "./series-text.ts";

export interface RuleProblem {
  /** The key that is wrong; empty for what is missing. */
  readonly path: readonly string[];
  readonly message: string;
  readonly suggestion?: string;
}

export type ResolvedRule =
  | { readonly kind: "rule"; readonly rule: AlertRule }
  | { readonly kind: "invalid"; readonly problems: readonly RuleProblem[] };

export const findDefault = (id: string) => DEFAULT_RULES.find((each) => each.id === id) ?? null;

export const resolveRule = (setting: AlertSetting): ResolvedRule => {
  const base = findDefault(setting.id);
  // Of another metric, a default's labels, window and bound would be somebody else's; a misspelt one is the default's, and told as misspelt.
  const isOther =
    base !== null && setting.metric !== undefined && setting.metric !== base.metric && findMetric(setting.metric) !== null;
  const own = isOther ? null : base;
  const isMissing = (key: string, or = ""): RuleProblem => ({
    path: [],
    message: `"${key}" is missing${or}: ${base === null ? "no shipped rule has this id" : `the shipped rule is about ${base.metric}`}`,
  });
  const metric = setting.metric ?? own?.metric;
  const absent = setting.absent ?? own?.absent ?? false;
  const labels = setting.labels ?? own?.labels ?? {};
  const condition = absent ? (setting.condition ?? null) : (setting.condition ?? own?.condition ?? null);
  const window = setting.window ?? (absent ? null : (own?.window ?? null));
  const quantile = setting.quantile ?? (absent ? null : (own?.quantile ?? null));
  const seconds = setting.for ?? base?.for;
  const severity = setting.severity ?? base?.severity;
  const missing: RuleProblem[] = [
    ...(metric === undefined ? [isMissing("metric")] : []),
    ...(condition === null && !absent ? [isMissing("condition", ", or `absent: true`")] : []),
    ...(seconds === undefined ? [isMissing("for")] : []),
    ...(severity === undefined ? [isMissing("severity")] : []),
  ];
  const problems = [
    ...missing,
    ...(metric === undefined ? [] : findMetricProblems({ metric, labels, window, quantile, absent })),
    ...(absent && condition !== null
      ? [{ path: ["condition"], message: "a rule that fires when a series is absent has no condition" }]
      : []),
  ];
  if (problems.length > 0 || metric === undefined || seconds === undefined || severity === undefined)
    return { kind: "invalid", problems };
  const { title = own?.title ?? toTitle({ metric, labels, condition, window, quantile }) } = setting;
  return {
    kind: "rule",
    rule: {
      id: setting.id,
      metric,
      labels,
      condition,
      window,
      quantile,
      absent,
      for: seconds,
      severity,
      notifiers: setting.notifiers ?? null,
      title,
      isOn: setting.isOn ?? true,
    },
  };
};

type AboutMetric = Pick<AlertRule, "metric" | "labels" | "window" | "quantile" | "absent">;

const findMetricProblems = (rule: AboutMetric): readonly RuleProblem[] => {
  const entry = findMetric(rule.metric);
  if (entry === null) {
    const suggestion = suggestDeclared(rule.metric, Object.keys(METRICS)) ?? suggestSharing(rule.metric);
    return [
      { path: ["metric"], message: `unknown metric "${rule.metric}"`, ...(suggestion === undefined ? {} : { suggestion }) },
    ];
  }
  return [...findLabelProblems(rule, entry), ...findKindProblems(rule, entry)];
};

const SHOWN_MAX = 3;

/** Where no name is a few letters away: those that share the most words with it. */
const suggestSharing = (name: string): string | undefined => {
  const words = new Set(name.toLowerCase().split(/[^a-z0-9]+/));
  words.delete("regent");
  const ranked = Object.keys(METRICS)
    .map((known) => ({ known, shared: known.split("_").filter((word) => word.length > 2 && words.has(word)).length }))
    .filter(({ shared }) => shared > 0)
    .sort((a, b) => b.shared - a.shared)
    .slice(0, SHOWN_MAX);
  return ranked.length === 0 ? undefined : `near: ${ranked.map(({ known }) => known).join(", ")}`;
};

const findLabelProblems = ({ metric, labels }: AboutMetric, entry: MetricEntry): readonly RuleProblem[] =>
  Object.keys(labels).flatMap((label) => {
    if (entry.labels.includes(label)) return [];
    const suggestion = suggestDeclared(label, entry.labels);
    const message = entry.labels.length === 0 ? `${metric} has no labels` : `${metric} has no label "${label}"`;
    return [{ path: ["labels", label], message, ...(suggestion === undefined ? {} : { suggestion }) }];
  });

const findKindProblems = ({ metric, window, quantile, absent }: AboutMetric, { kind }: MetricEntry): readonly RuleProblem[] => {
  const needsWindow = kind !== "gauge" && !absent;
  const needsQuantile = kind === "histogram" && !absent;
  return [
    ...(needsWindow && window === null
      ? [{ path: [], message: `"window" is missing: ${metric} is a ${kind}, and the rule is about the last so many seconds` }]
      : []),
    ...(!needsWindow && window !== null
      ? [{ path: ["window"], message: absent ? "what is absent has no window" : `${metric} is a gauge and has no window` }]
      : []),
    ...(needsQuantile && quantile === null ? [{ path: [], message: `"quantile" is missing: ${metric} is a histogram` }] : []),
    ...(!needsQuantile && quantile !== null
      ? [{ path: ["quantile"], message: `${absent ? "what is absent" : `${metric} is a ${kind} and`} has no quantile` }]
      : []),
  ];
};

type Titled = Pick<AlertRule, "metric" | "labels" | "condition" | "window" | "quantile">;

/** Titles have a line. */
const TITLE_MAX = 120;

const toTitle = ({ metric, labels, condition, window, quantile }: Titled): string => {
  const series = toSeriesText(metric, labels);
  const what = quantile !== null ? `p${quantile * 100} of ${series}` : window === null ? series : `growth of ${series}`;
  const within = window === null ? "" : ` within ${window} s`;
  return `${what}${within} ${condition === null ? "is absent" : `${condition.op} ${condition.value}`}`.slice(0, TITLE_MAX).trim();
};

/** Names that nobody declared; and where none of those named is told of anything as bad as this, that nobody would be. */
export const findNotifierProblems = (
  setting: AlertSetting,
  notifiers: readonly NotifierDeclaration[],
): readonly RuleProblem[] => {
  const named = setting.notifiers ?? [];
  const declared = notifiers.map(({ id }) => id);
  const unknown = named.flatMap((id, at): readonly RuleProblem[] => {
    if (declared.includes(id)) return [];
    const suggestion = suggestDeclared(id, declared);
    const problem = { path: ["notifiers", String(at)], message: `unknown notifier "${id}"` };
    return [suggestion === undefined ? problem : { ...problem, suggestion }];
  });
  const resolved = resolveRule(setting);
  if (named.length === 0 || unknown.length > 0 || resolved.kind === "invalid") return unknown;
  const { severity } = resolved.rule;
  const isDeaf = ({ severities }: { readonly severities?: readonly Severity[] | undefined }): boolean =>
    severities !== undefined && !severities.includes(severity);
  if (!notifiers.filter(({ id }) => named.includes(id)).every(isDeaf)) return [];
  return [
    { path: ["notifiers"], message: `nobody would be told: severity ${severity} isn't among those of ${named.join(" and ")}` },
  ];
};
