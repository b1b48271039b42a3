/**
 * Alert rules: what of the control plane's own metrics a person wants to be told, and since when it has been so. Written in the declaration or by
 * API; what a setting leaves out of a shipped default is the default's.
 */
import * as z from "zod";
import { Instant } from "./ids.ts";
import { NotifierId, Severity } from "./notification.ts";
import { OperatorReason } from "./operator.ts";

export const AlertRuleId = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$/, 'alert rule: 1 to 48 of a-z, 0-9 and "-", not starting or ending with "-"');
export type AlertRuleId = z.infer<typeof AlertRuleId>;

export const AlertCondition = z.strictObject({
  op: z.enum([">", ">=", "<", "<=", "==", "!="]),
  value: z.number().min(-1e15).max(1e15),
});
export type AlertCondition = z.infer<typeof AlertCondition>;

/** It is shown in terminals and pages. */
const OneLine = z.string().regex(/^[^\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]*$/u, "one line, without control characters");

const LabelName = z.string().regex(/^[a-z][a-z0-9_]{0,40}$/, "the name of a label, such as `agent`");

const settingFields = {
  /** One of those that `/metrics` exports. */
  metric: z.string().min(1).max(100),
  /** Series that have exactly these; all of the metric where nothing is said. */
  labels: z.record(LabelName, OneLine.max(100)).refine((labels) => Object.keys(labels).length <= 10, "at most 10 labels"),
  condition: AlertCondition,
  /** Seconds. Of a counter: what it grew by within them; of a histogram: what was observed within them. */
  window: z.int().min(10).max(3_600),
  /** Of a histogram: the value that this part of the observations doesn't exceed. */
  quantile: z.number().min(0.5).max(0.999),
  /** Fires when there is no such series, instead of by a condition. */
  absent: z.boolean(),
  /** Seconds for which it must hold without a break. */
  for: z.int().min(0).max(86_400),
  severity: Severity,
  /** These instead of those that routes name. */
  notifiers: z.array(NotifierId).min(1).max(20),
  /** What a page says. */
  title: OneLine.trim().min(3).max(120),
  isOn: z.boolean(),
};

const Fields = z.strictObject(settingFields).partial();

/** As a person writes it. Of an id that no default has, metric, condition (or `absent`), for and severity must be said. */
export const AlertSetting = Fields.extend({ id: AlertRuleId });
export type AlertSetting = z.infer<typeof AlertSetting>;

/** With everything filled in. */
export const AlertRule = z.object({
  id: AlertRuleId,
  metric: z.string(),
  labels: z.record(z.string(), z.string()),
  /** Null for a rule that is about what is absent. */
  condition: AlertCondition.nullable(),
  window: z.int().nullable(),
  quantile: z.number().nullable(),
  absent: z.boolean(),
  for: z.int(),
  severity: Severity,
  /** Null: by routes. */
  notifiers: z.array(NotifierId).nullable(),
  title: z.string(),
  isOn: z.boolean(),
});
export type AlertRule = z.infer<typeof AlertRule>;

export const AlertRuleView = AlertRule.extend({
  /** Where it stands. The declaration outranks the API, and both a default. */
  source: z.enum(["default", "declaration", "api"]),
  /** Of the setting by API, to be given with the next change of it; 0 where there is none. */
  version: z.int(),
  /** What was said by API, also where the declaration outranks it. */
  setting: AlertSetting.nullable(),
  /** Why the default is there; null where it is none. */
  why: z.string().nullable(),
  /** Why it isn't evaluated although it is on, such as a metric that is no more; null when it is. */
  problem: z.string().nullable(),
});
export type AlertRuleView = z.infer<typeof AlertRuleView>;

export const AlertRuleList = z.object({ rules: z.array(AlertRuleView) });
export type AlertRuleList = z.infer<typeof AlertRuleList>;

export const Alert = z.object({
  rule: AlertRuleId,
  /** Metric and labels, as Prometheus writes them. */
  series: z.string(),
  state: z.enum(["pending", "firing"]),
  since: Instant,
  /** When the state began; null where nothing is. */
  value: z.number().nullable(),
  severity: Severity,
  title: z.string(),
});
export type Alert = z.infer<typeof Alert>;

/** Firing ones first, each kind oldest first. */
export const AlertList = z.object({ alerts: z.array(Alert), more: z.int() });
export type AlertList = z.infer<typeof AlertList>;

export const AlertRuleRequest = Fields.extend({
  /** The version that it is a change of; 0 for the first. */
  expectedVersion: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  reason: OperatorReason,
});
export type AlertRuleRequest = z.infer<typeof AlertRuleRequest>;

export const AlertRuleDropRequest = z.strictObject({
  expectedVersion: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  reason: OperatorReason,
});
export type AlertRuleDropRequest = z.infer<typeof AlertRuleDropRequest>;

/** The rule as it is now: a default or nothing after its setting was dropped. */
export const AlertRuleAnswer = z.object({ rule: AlertRuleView.nullable() });
export type AlertRuleAnswer = z.infer<typeof AlertRuleAnswer>;

/** What one rule sees now, in the process that answers. */
export const AlertTrial = z.object({
  rule: AlertRuleView,
  series: z.array(
    z.object({
      series: z.string(),
      value: z.number().nullable(),
      /** Null: it can't be said, and by itself that never fires. */
      holds: z.boolean().nullable(),
    }),
  ),
  /** Series beyond those that are looked at. */
  more: z.int(),
  sentence: z.string(),
});
export type AlertTrial = z.infer<typeof AlertTrial>;
