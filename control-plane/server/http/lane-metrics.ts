/** What Prometheus may ask of the lanes. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { LANES, type Lane, type LaneCounts, type Lanes } from "../access/lanes.ts";

const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Answers what to call when somebody has waited. */
export const exportLanes = (registry: Registry, lanes: () => Lanes): ((lane: Lane, ms: number) => void) => {
  const gauge = (name: string, help: string, of: (counts: LaneCounts) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: ["lane"],
      registers: [registry],
      collect() {
        const counts = lanes().counts();
        for (const lane of LANES) this.set({ lane }, of(counts[lane]));
      },
    });
  };
  gauge("regent_lane_waiting", "Requests that wait for a place, by lane", ({ waiting }) => waiting);
  gauge("regent_lane_under_way", "Requests that have a place, by lane", ({ underWay }) => underWay);
  const counter = (name: string, help: string, of: (counts: LaneCounts) => number): void => {
    new Counter({
      name,
      help,
      labelNames: ["lane"],
      registers: [registry],
      collect() {
        const counts = lanes().counts();
        this.reset();
        for (const lane of LANES) this.inc({ lane }, of(counts[lane]));
      },
    });
  };
  counter("regent_lane_admitted_total", "Requests that got a place, by lane", ({ admitted }) => admitted);
  counter("regent_lane_refused_total", "Requests that were told to come back, by lane", ({ refused }) => refused);
  const waits = new Histogram({
    name: "regent_lane_wait_seconds",
    help: "Time until a place was free, by lane",
    labelNames: ["lane"],
    buckets: SECONDS,
    registers: [registry],
  });
  return (lane, ms) => waits.observe({ lane }, ms / 1_000);
};
