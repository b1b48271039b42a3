/** What Prometheus may ask of the lanes. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { LANES, type Lane, type LaneCounts, type Lanes } from "../access/lanes.ts";
import { describeMetric, type OwnMetricName } from "../configuration/alerts/metric-catalogue.ts";

const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Answers what to call when somebody has waited. */
export const exportLanes = (registry: Registry, lanes: () => Lanes): ((lane: Lane, ms: number) => void) => {
  const gauge = (name: OwnMetricName, of: (counts: LaneCounts) => number): void => {
    new Gauge({
      ...describeMetric(name),
      registers: [registry],
      collect() {
        const counts = lanes().counts();
        for (const lane of LANES) this.set({ lane }, of(counts[lane]));
      },
    });
  };
  gauge("regent_lane_waiting", ({ waiting }) => waiting);
  gauge("regent_lane_under_way", ({ underWay }) => underWay);
  const counter = (name: OwnMetricName, of: (counts: LaneCounts) => number): void => {
    new Counter({
      ...describeMetric(name),
      registers: [registry],
      collect() {
        const counts = lanes().counts();
        this.reset();
        for (const lane of LANES) this.inc({ lane }, of(counts[lane]));
      },
    });
  };
  counter("regent_lane_admitted_total", ({ admitted }) => admitted);
  counter("regent_lane_refused_total", ({ refused }) => refused);
  const waits = new Histogram({
    ...describeMetric("regent_lane_wait_seconds"),
    buckets: SECONDS,
    registers: [registry],
  });
  return (lane, ms) => waits.observe({ lane }, ms / 1_000);
};
