/** The days that may not move traffic in the profile `standard` (DESIGN §15), and a worse one. Shared by the tests and the benchmark. */
import { REGIONS } from "./installation.ts";
import { blips, errors, type Fault } from "./weather.ts";

const HOUR_MS = 3_600_000;

export interface QuietDay {
  readonly title: string;
  /** Made anew for each run: blips count. */
  readonly faults: () => readonly Fault[];
}

/**
 * Failed probes in a row, at every vantage, each hour: of all regions at once, vantages within a minute of each other, and of each region alone.
 * The last is the hardest, as there is somewhere to go: where all regions fail together, nothing is moved whatever the streaks say.
 */
export const hourlyBlips = (count: number): readonly Fault[] => [
  blips({ everyMs: HOUR_MS, count }),
  blips({ everyMs: HOUR_MS, count, offsetMs: 10 * 60_000, staggerMs: 60_000 }),
  ...REGIONS.map((region, index) => blips({ everyMs: HOUR_MS, count, region, offsetMs: (20 + 10 * index) * 60_000 })),
];

export const REQUIRED_DAYS: readonly QuietDay[] = [
  { title: "1 % of all probes fail at every vantage", faults: () => [errors({ rate: 0.01 })] },
  { title: "2 % of all probes fail at every vantage", faults: () => [errors({ rate: 0.02 })] },
  { title: "hourly blips of exactly two failed probes in a row at every vantage", faults: () => hourlyBlips(2) },
];

/** Harder than what is required: a blip leaves each check one error away from down. */
export const WORST_DAY: QuietDay = {
  title: "2 % of all probes fail, and the hourly blips on top",
  faults: () => [errors({ rate: 0.02 }), ...hourlyBlips(2)],
};
