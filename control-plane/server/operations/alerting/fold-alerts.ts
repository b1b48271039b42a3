/**
 * From what every rule says now to which alerts are pending, fire and end. `for` is measured by the process's own clock, so that a jump of the
 * database's fires nothing; since when is noted in the database's, so that the next leader goes on where this one stopped. Pure.
 */
import type { AlertRule, Instant } from "@regent/contract";
import { toAlertKey, toSeriesText } from "../../configuration/alerts/series-text.ts";
import { ALERT_GAP_MS, ALERT_NOTE_MS, ALERT_QUIET_MS, ALERT_UNKNOWN_MS } from "../../limits.ts";
import type { StoredAlert } from "../../ports/alert-store.ts";
import type { Evaluation, Finding } from "./evaluate-rule.ts";

export interface LiveAlert extends StoredAlert {
  /** Monotonic: when its state began. */
  readonly sinceMs: number;
  /** Monotonic: since when nothing is known of it; null while something is. */
  readonly unknownMs: number | null;
  /** Monotonic: since when it fires without holding; null while it holds. */
  readonly quietMs: number | null;
}

export interface Judged {
  readonly rule: AlertRule;
  readonly evaluation: Evaluation;
}

export interface AlertFold {
  readonly alerts: ReadonlyMap<string, LiveAlert>;
  readonly put: readonly StoredAlert[];
  readonly drop: readonly string[];
  readonly fired: readonly LiveAlert[];
  readonly ended: readonly { readonly alert: LiveAlert; readonly why: string }[];
}

interface Moment {
  /** Monotonic. */
  readonly atMs: number;
  readonly now: Instant;
}

/** What a leader before us left: what fired fires on; what was pending goes on unless nobody looked at it for a while. */
export const recallAlerts = (stored: readonly StoredAlert[], { atMs, now }: Moment): ReadonlyMap<string, LiveAlert> =>
  new Map(
    stored
      .filter(({ state, seenAt }) => state === "firing" || Math.abs(now - seenAt) <= ALERT_GAP_MS)
      .map((alert) => [alert.key, { ...alert, sinceMs: atMs - Math.max(0, now - alert.since), unknownMs: null, quietMs: null }]),
  );

export const foldAlerts = (known: ReadonlyMap<string, LiveAlert>, judged: readonly Judged[], moment: Moment): AlertFold => {
  const alerts = new Map<string, LiveAlert>();
  const put: StoredAlert[] = [];
  const fired: LiveAlert[] = [];
  const ended: { alert: LiveAlert; why: string }[] = [];
  const rules = new Map(judged.map(({ rule }) => [rule.id, rule]));
  const standing = new Map<string, LiveAlert>();
  for (const [key, alert] of known) {
    const rule = rules.get(alert.rule.id);
    if (rule && isSame(rule, alert.rule)) standing.set(key, alert);
    else if (alert.state === "firing")
      ended.push({ alert, why: rule ? "its rule was changed" : "its rule was dropped or turned off" });
  }
  const busy = new Set([...standing.values()].map(({ rule }) => rule.id));
  const keep = (alert: LiveAlert, isNews: boolean): void => {
    alerts.set(alert.key, alert);
    if (isNews) put.push(toStored(alert));
  };
  for (const { rule, evaluation } of judged) {
    for (const finding of evaluation.findings) {
      // Most of what is looked at is quiet and was: that needs no name.
      if (finding.holds !== true && !busy.has(rule.id)) continue;
      const key = toAlertKey(rule.id, finding.labels);
      const before = standing.get(key) ?? null;
      standing.delete(key);
      const step = stepOf(rule, before, finding, moment);
      if (step.kind === "quiet") continue;
      if (step.kind === "ended") {
        ended.push(step);
        continue;
      }
      const alert = step.alert(key);
      if (step.isFired) fired.push(alert);
      keep(alert, step.isNews);
    }
  }
  // Series that are gone.
  for (const before of standing.values()) {
    const step = goneStep(before, moment);
    if (step.kind === "ended") ended.push(step);
    if (step.kind === "kept") keep(step.alert(before.key), false);
  }
  return { alerts, put, fired, ended, drop: [...known.keys()].filter((key) => !alerts.has(key)) };
};

type Step =
  | { readonly kind: "quiet" }
  | { readonly kind: "ended"; readonly alert: LiveAlert; readonly why: string }
  | {
      readonly kind: "kept";
      readonly alert: (key: string) => LiveAlert;
      /** Something that the next leader must know. */
      readonly isNews: boolean;
      readonly isFired: boolean;
    };

const QUIET: Step = { kind: "quiet" };

const stepOf = (rule: AlertRule, before: LiveAlert | null, finding: Finding, moment: Moment): Step => {
  if (finding.holds === null) return before ? goneStep(before, moment) : QUIET;
  const { atMs, now } = moment;
  if (!finding.holds) {
    if (before?.state !== "firing") return QUIET;
    const quietMs = before.quietMs ?? atMs;
    if (atMs - quietMs < ALERT_QUIET_MS) return kept({ ...before, unknownMs: null, quietMs }, false);
    return { kind: "ended", alert: before, why: `${before.series} is ${toValueText(finding.value)} now` };
  }
  if (before?.state === "firing") return kept({ ...before, unknownMs: null, quietMs: null, seenAt: now }, false);
  const beganMs = before?.sinceMs ?? atMs;
  if (atMs - beganMs >= rule.for * 1_000) return kept(begin(rule, finding, moment, "firing"), true, true);
  if (before === null) return kept(begin(rule, finding, moment, "pending"), true);
  const isDue = Math.abs(now - before.seenAt) >= ALERT_NOTE_MS;
  return kept({ ...before, unknownMs: null, ...(isDue ? { seenAt: now } : {}) }, isDue);
};

/** What was only pending begins anew when it is seen again; what fires does so a while longer, as silence says nothing. */
const goneStep = (before: LiveAlert, { atMs }: Moment): Step => {
  if (before.state === "pending") return QUIET;
  const unknownMs = before.unknownMs ?? atMs;
  if (atMs - unknownMs < ALERT_UNKNOWN_MS + (before.rule.window ?? 0) * 1_000) return kept({ ...before, unknownMs }, false);
  return { kind: "ended", alert: before, why: `nothing is known of ${before.series} any more` };
};

const kept = (alert: Omit<LiveAlert, "key">, isNews: boolean, isFired = false): Step => ({
  kind: "kept",
  alert: (key) => ({ ...alert, key }),
  isNews,
  isFired,
});

const begin = (
  rule: AlertRule,
  { labels, value }: Finding,
  { atMs, now }: Moment,
  state: LiveAlert["state"],
): Omit<LiveAlert, "key"> => ({
  state,
  since: now,
  sinceMs: atMs,
  rule,
  series: toSeriesText(rule.metric, labels),
  value,
  seenAt: now,
  unknownMs: null,
  quietMs: null,
});

const toStored = ({ sinceMs: _, unknownMs: _u, quietMs: _q, ...alert }: LiveAlert): StoredAlert => alert;

/** Written in one order by `resolveRule`, but the database keeps none. */
const isSame = (a: AlertRule, b: AlertRule): boolean => toComparable(a) === toComparable(b);
const toComparable = ({ condition, labels, ...rest }: AlertRule): string =>
  JSON.stringify([
    Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1)),
    condition === null ? null : [condition.op, condition.value],
    Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)),
  ]);

/** Numbers as a person reads them. */
export const toValueText = (value: number | null): string => (value === null ? "absent" : String(Number(value.toPrecision(6))));
