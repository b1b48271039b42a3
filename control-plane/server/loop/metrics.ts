/** What Prometheus may ask of this process. Names end in their unit; labels come from closed lists and declared ids only. */

import { type Change, type DeadLetterKind, Overview } from "@regent/contract";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { describeMetric } from "../configuration/alerts/metric-catalogue.ts";
import type { ClockStep } from "../ports/clock.ts";
import type { MetricSource, Sample } from "../ports/metric-source.ts";

export interface Metrics {
  readonly reportTaken: (agent: string) => void;
  readonly refused: (door: "reports" | "operator", problem: string) => void;
  readonly routed: (what: string) => void;
  readonly looked: (measured: { services: number; ms: number }) => void;
  readonly changeAccepted: (change: Change, now: number) => void;
  readonly deadLetterKept: (kept: { kind: DeadLetterKind; dropped: number }) => void;
  readonly deadLettersLeft: (count: number) => void;
  readonly clockJumped: (step: ClockStep) => void;
  /** Exports the mode from now on. */
  readonly watchMode: (mode: () => Overview["mode"]) => void;
  readonly text: () => Promise<string>;
  readonly source: MetricSource;
  readonly registry: Registry;
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export const createMetrics = (isLeading: () => boolean): Metrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const reports = new Counter({
    ...describeMetric("regent_reports_total"),
    registers,
  });
  const refusals = new Counter({
    ...describeMetric("regent_refusals_total"),
    registers,
  });
  const calls = new Counter({
    ...describeMetric("regent_route53_sends_total"),
    registers,
  });
  const looks = new Histogram({
    ...describeMetric("regent_look_seconds"),
    buckets: SECONDS,
    registers,
  });
  const services = new Counter({ ...describeMetric("regent_services_decided_total"), registers });
  const accepted = new Histogram({
    ...describeMetric("regent_decided_to_accepted_seconds"),
    buckets: SECONDS,
    registers,
  });
  const deadLetters = new Counter({
    ...describeMetric("regent_dead_letters_total"),
    registers,
  });
  const deadLettersDropped = new Counter({
    ...describeMetric("regent_dead_letters_dropped_total"),
    registers,
  });
  const deadLettersLeft = new Gauge({
    ...describeMetric("regent_dead_letters"),
    registers,
  });
  const clockJumps = new Counter({
    ...describeMetric("regent_clock_jumps_total"),
    registers,
  });
  const clockJump = new Gauge({
    ...describeMetric("regent_clock_last_jump_seconds"),
    registers,
  });
  new Gauge({
    ...describeMetric("regent_leading"),
    registers,
    collect() {
      this.set(isLeading() ? 1 : 0);
    },
  });
  return {
    reportTaken: (agent) => reports.inc({ agent }),
    refused: (door, problem) => refusals.inc({ door, problem }),
    routed: (answer) => calls.inc({ answer }),
    looked: ({ services: count, ms }) => {
      looks.observe(ms / 1000);
      services.inc(count);
    },
    changeAccepted: ({ kind, times }, now) => accepted.observe({ kind }, Math.max(0, now - times.decided) / 1000),
    deadLetterKept: ({ kind, dropped }) => {
      deadLetters.inc({ kind });
      deadLettersDropped.inc(dropped);
    },
    clockJumped: ({ byMs }) => {
      clockJumps.inc();
      clockJump.set(byMs / 1000);
    },
    deadLettersLeft: (count) => deadLettersLeft.set(count),
    watchMode: (mode) => {
      new Gauge({
        ...describeMetric("regent_mode"),
        registers,
        collect() {
          for (const each of Overview.shape.mode.options) this.set({ mode: each }, each === mode() ? 1 : 0);
        },
      });
    },
    text: () => registry.metrics(),
    source: { read: (names) => readSamples(registry, names) },
    registry,
  };
};

const readSamples = async (registry: Registry, names: readonly string[]): Promise<ReadonlyMap<string, readonly Sample[]>> =>
  new Map(await Promise.all(names.map(async (name) => [name, await samplesOf(registry.getSingleMetric(name))] as const)));

/** Of a histogram its buckets: what they hold is what a quantile is made of. */
const samplesOf = async (metric: ReturnType<Registry["getSingleMetric"]>): Promise<readonly Sample[]> => {
  if (!metric) return [];
  const { name, values } = await metric.get();
  return values.flatMap(({ labels, value, ...rest }): Sample[] => {
    const own = "metricName" in rest ? rest.metricName : undefined;
    if (own !== undefined && own !== name && own !== `${name}_bucket`) return [];
    const texts = Object.entries(labels).flatMap(([key, text]) => (text === undefined ? [] : [[key, String(text)] as const]));
    return [{ labels: Object.fromEntries(texts), value }];
  });
};
