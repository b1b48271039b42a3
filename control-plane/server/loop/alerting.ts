/**
 * Alert rules at work. Every process measures itself, so that a new leader knows what its counters grew by; the leader alone judges, by what its
 * own process measures, and writes what fires. What it remembers is what is written; after any doubt it is read again.
 */
import { setImmediate as turn } from "node:timers/promises";
import type { AlertList, AlertRuleView, AlertTrial, Declaration } from "@regent/contract";
import type { Logger } from "pino";
import { findMetric } from "../configuration/alerts/metric-catalogue.ts";
import { toSeriesText } from "../configuration/alerts/series-text.ts";
import { ALERTS_SHOWN_MAX } from "../limits.ts";
import { changeRule, type RuleOrder, type RuleResult } from "../operations/alerting/change-rule.ts";
import { type Evaluation, evaluateRule } from "../operations/alerting/evaluate-rule.ts";
import { foldAlerts, type Judged, type LiveAlert, recallAlerts } from "../operations/alerting/fold-alerts.ts";
import { rulesInForce, toRule } from "../operations/alerting/rules-in-force.ts";
import { createSampleBook } from "../operations/alerting/sample-book.ts";
import { type Series, toSeries } from "../operations/alerting/series.ts";
import { tellAlerts } from "../operations/alerting/tell-alerts.ts";
import type { AlertStore, StoredAlertRule } from "../ports/alert-store.ts";
import type { Clock, Ids } from "../ports/clock.ts";
import type { MetricSource } from "../ports/metric-source.ts";

export interface AlertingDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Pick<Logger, "warn">;
  readonly holder: string;
  readonly store: AlertStore;
  readonly metrics: MetricSource;
  readonly term: () => number;
  readonly isLeading: () => boolean;
  readonly declaration: () => Declaration | null;
  /** Something was written that people are told of. */
  readonly onTold: () => void;
}

export interface Alerting {
  /** One look at all rules; never throws. */
  readonly round: () => Promise<void>;
  /** Another leader may have written: nothing remembered counts. */
  readonly gained: () => void;
  readonly rules: () => Promise<readonly AlertRuleView[]>;
  readonly alerts: () => Promise<AlertList>;
  /** What a rule sees in this process now; null when there is none. */
  readonly attempt: (id: string) => Promise<AlertTrial | null>;
  readonly change: (order: RuleOrder) => Promise<RuleResult>;
}

export const createAlerting = (deps: AlertingDeps): Alerting => {
  const { clock, store } = deps;
  const book = createSampleBook();
  /** By API; null until they were read once: a leader that doesn't know its rules yet would end what they fired. */
  let stored: readonly StoredAlertRule[] | null = null;
  let memory: ReadonlyMap<string, LiveAlert> | null = null;

  const inForce = (): readonly AlertRuleView[] => rulesInForce(deps.declaration()?.alerts ?? [], stored ?? []);
  const evaluated = (): readonly AlertRuleView[] => inForce().filter(({ isOn, problem }) => isOn && problem === null);

  const read = async (rules: readonly AlertRuleView[]): Promise<ReadonlyMap<string, readonly Series[]>> => {
    const samples = await deps.metrics.read([...new Set(rules.map(({ metric }) => metric))]);
    return new Map([...samples].map(([metric, of]) => [metric, toSeries(of, findMetric(metric)?.kind === "histogram")]));
  };

  /** Of everything that a rule names, and of these alone. */
  const measure = async (rules: readonly AlertRuleView[]): Promise<ReadonlyMap<string, readonly Series[]>> => {
    const series = await read(rules);
    const atMs = clock.monotonic();
    const windows = new Map<string, number>();
    for (const { metric, window } of rules)
      if (window !== null) windows.set(metric, Math.max(window * 1_000, windows.get(metric) ?? 0));
    book.keepOnly(new Set(windows.keys()));
    for (const [metric, keepMs] of windows) book.take(metric, series.get(metric) ?? [], atMs, keepMs);
    return series;
  };

  const judge = (rule: AlertRuleView, series: ReadonlyMap<string, readonly Series[]>): Evaluation =>
    evaluateRule(rule, series.get(rule.metric) ?? [], { book, atMs: clock.monotonic() });

  const lead = async (rules: readonly AlertRuleView[], series: ReadonlyMap<string, readonly Series[]>): Promise<void> => {
    const moment = { atMs: clock.monotonic(), now: clock.now() };
    const recalled = memory ? null : await store.readAlerts();
    const known = memory ?? recallAlerts(recalled ?? [], moment);
    const judged: Judged[] = [];
    for (const rule of rules) {
      judged.push({ rule: toRule(rule), evaluation: judge(rule, series) });
      // A thousand series take milliseconds: whatever moves traffic goes in between.
      await turn();
    }
    const fold = foldAlerts(known, judged, moment);
    const history = tellAlerts(fold, { newId: deps.ids.ulid, now: moment.now });
    // What was too old to go on from isn't remembered, and goes as well.
    const left = (recalled ?? []).flatMap(({ key }) => (fold.alerts.has(key) || known.has(key) ? [] : [key]));
    const drop = [...fold.drop, ...left];
    memory = null;
    if (fold.put.length + drop.length + history.length > 0) {
      const written = await store.writeAlerts({ holder: deps.holder, term: deps.term(), put: fold.put, drop, history });
      if (written === "fenced") return;
      if (history.length > 0) deps.onTold();
    }
    memory = fold.alerts;
  };

  return {
    round: async () => {
      try {
        stored = await store.readRules().catch((error: unknown) => {
          // What this process measures goes on: a window with a hole in it would say nothing for as long as it is.
          deps.log.warn({ err: error }, "alert rules not read; those known are used");
          return stored;
        });
        const rules = evaluated();
        const series = await measure(rules);
        if (deps.isLeading() && stored !== null && deps.declaration() !== null) await lead(rules, series);
      } catch (error) {
        memory = null;
        deps.log.warn({ err: error }, "alert rules not evaluated; the next round does it");
      }
    },
    gained: () => {
      memory = null;
    },
    rules: async () => {
      stored = await store.readRules();
      return inForce();
    },
    alerts: async () => {
      const all = (await store.readAlerts()).toSorted(
        (a, b) => Number(b.state === "firing") - Number(a.state === "firing") || a.since - b.since,
      );
      const shown = all.slice(0, ALERTS_SHOWN_MAX).map(({ rule, series, state, since, value }) => ({
        rule: rule.id,
        series,
        state,
        since,
        value,
        severity: rule.severity,
        title: rule.title,
      }));
      return { alerts: shown, more: all.length - shown.length };
    },
    attempt: async (id) => {
      stored = await store.readRules();
      const rule = inForce().find((each) => each.id === id);
      if (!rule) return null;
      if (rule.problem !== null) return { rule, series: [], more: 0, sentence: `it isn't evaluated: ${rule.problem}` };
      const evaluation = judge(rule, await read([rule]));
      return { rule, ...toTrial(rule, evaluation) };
    },
    change: async (order) => {
      if (!deps.isLeading()) return { kind: "not-leader" };
      return changeRule(deps, order);
    },
  };
};

const toTrial = (rule: AlertRuleView, { findings, more }: Evaluation): Omit<AlertTrial, "rule"> => {
  const holding = findings.filter(({ holds }) => holds === true).length;
  const unknown = findings.filter(({ holds }) => holds === null).length;
  const off = rule.isOn ? "" : "; it is off";
  const which =
    findings.length === 0 ? "there is no such series, so it can't be said" : `it holds for ${holding} of ${findings.length}`;
  const dark = unknown === 0 ? "" : `, and can't be said for ${unknown}`;
  const then = holding === 0 ? "" : rule.for === 0 ? "; that fires at once" : `; that fires after ${rule.for} s`;
  return {
    series: findings.map(({ labels, value, holds }) => ({ series: toSeriesText(rule.metric, labels), value, holds })),
    more,
    sentence: `${which}${dark}${then}${off}`,
  };
};
