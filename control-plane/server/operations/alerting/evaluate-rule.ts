/**
 * What one rule says of each of its series now: it holds, it doesn't, or that can't be said. A series that isn't there, a window that wasn't
 * watched for long enough, a histogram without an observation: none of them ever fires by itself. Pure.
 */
import type { AlertCondition, AlertRule } from "@regent/contract";
import { findMetric } from "../../configuration/alerts/metric-catalogue.ts";
import { ALERT_SERIES_MAX } from "../../limits.ts";
import type { Sample } from "../../ports/metric-source.ts";
import type { SampleBook } from "./sample-book.ts";
import type { KeyedSample, Series } from "./series.ts";

export interface Finding {
  readonly labels: Sample["labels"];
  readonly value: number | null;
  /** Null: it can't be said. */
  readonly holds: boolean | null;
}

export interface Evaluation {
  readonly findings: readonly Finding[];
  /** Series beyond those that are looked at. */
  readonly more: number;
}

export const evaluateRule = (
  rule: AlertRule,
  series: readonly Series[],
  { book, atMs }: { readonly book: Pick<SampleBook, "growth">; readonly atMs: number },
): Evaluation => {
  const matching = series.filter(({ labels }) => matches(rule.labels, labels));
  if (rule.absent) return { findings: [{ labels: rule.labels, value: null, holds: matching.length === 0 }], more: 0 };
  const isHistogram = findMetric(rule.metric)?.kind === "histogram";
  const findings = matching.slice(0, ALERT_SERIES_MAX).map(({ labels, samples }) => ({
    labels,
    ...(isHistogram ? quantileOf(rule, samples, book, atMs) : numberOf(rule, samples[0], book, atMs)),
  }));
  return { findings, more: matching.length - findings.length };
};

const matches = (wanted: Sample["labels"], labels: Sample["labels"]): boolean => {
  for (const name in wanted) if (labels[name] !== wanted[name]) return false;
  return true;
};

type Judged = Pick<Finding, "value" | "holds">;
const UNKNOWN: Judged = { value: null, holds: null };

const numberOf = (rule: AlertRule, sample: KeyedSample | undefined, book: Pick<SampleBook, "growth">, atMs: number): Judged => {
  if (!sample || rule.condition === null) return UNKNOWN;
  if (rule.window === null) return judge(rule.condition, sample.value);
  const growth = book.growth(rule.metric, sample.key, rule.window * 1_000, atMs);
  if (!growth) return UNKNOWN;
  if (growth.isWhole) return judge(rule.condition, growth.value);
  // It grew by at least so much: that can be enough to say yes, and never to say no.
  const isEnough = (rule.condition.op === ">" || rule.condition.op === ">=") && holds(rule.condition, growth.value);
  return { value: growth.value, holds: isEnough ? true : null };
};

const judge = (condition: AlertCondition, value: number): Judged =>
  Number.isFinite(value) ? { value, holds: holds(condition, value) } : UNKNOWN;

export const holds = ({ op, value: bound }: AlertCondition, value: number): boolean => {
  switch (op) {
    case ">":
      return value > bound;
    case ">=":
      return value >= bound;
    case "<":
      return value < bound;
    case "<=":
      return value <= bound;
    case "==":
      return value === bound;
    case "!=":
      return value !== bound;
  }
};

/** As Prometheus' `histogram_quantile` over the growth of the buckets: straight lines within one, its lower end in the last. */
const quantileOf = (rule: AlertRule, buckets: readonly KeyedSample[], book: Pick<SampleBook, "growth">, atMs: number): Judged => {
  if (rule.condition === null || rule.window === null || rule.quantile === null) return UNKNOWN;
  const windowMs = rule.window * 1_000;
  const grown = buckets
    .map((bucket) => ({ le: toBound(bucket.labels.le), growth: book.growth(rule.metric, bucket.key, windowMs, atMs) }))
    .sort((a, b) => a.le - b.le);
  if (grown.some(({ growth }) => growth === null || !growth.isWhole)) return UNKNOWN;
  const counts = grown.map(({ le, growth }) => ({ le, count: growth?.value ?? 0 }));
  const all = counts.at(-1)?.count ?? 0;
  if (all <= 0 || counts.at(-1)?.le !== Number.POSITIVE_INFINITY) return UNKNOWN;
  const rank = rule.quantile * all;
  const at = counts.findIndex(({ count }) => count >= rank);
  const [lower, upper] = [counts[at - 1] ?? { le: 0, count: 0 }, counts[at]];
  if (!upper) return UNKNOWN;
  if (upper.le === Number.POSITIVE_INFINITY) return judge(rule.condition, lower.le);
  const part = upper.count === lower.count ? 1 : (rank - lower.count) / (upper.count - lower.count);
  return judge(rule.condition, lower.le + (upper.le - lower.le) * part);
};

const toBound = (le: string | undefined): number => (le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le));
