/**
 * What the server holds on to: memory, processor and Postgres over a long time at the required load. Real time by default; a factor sends all reports
 * so many times as often, so that a shorter run sees as many reports as an hour does. What goes by the clock (retention, aggregates of a
 * minute, leases) is not compressed by it.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { REQUIRED } from "./intake.ts";
import { type Load, sendSteadily, startLoad } from "./load.ts";
import { percentile, type Row, round } from "./measure.ts";
import type { Series } from "./plot.ts";
import { cpuSecondsOf, memoryOf } from "./processes.ts";

export interface Soak {
  readonly rows: readonly Row[];
  readonly series: readonly Series[];
}

interface Sample {
  readonly minutes: number;
  readonly residentMb: number;
  readonly processor: number;
  readonly postgresMb: number;
  readonly p99Ms: number;
}

/** The first part belongs to the start: caches fill, the compiler learns. */
const SETTLED_AFTER = 0.25;
const SAMPLES = 60;

export const benchSoak = async (minutes: number, factor: number, tell: (line: string) => void): Promise<Soak> => {
  const load = await startLoad(REQUIRED);
  try {
    const samples = await watch(load, minutes * 60_000, factor, tell);
    return { rows: toRows(samples, minutes, factor), series: toSeries(samples) };
  } finally {
    await load.stop();
  }
};

const watch = async (load: Load, ms: number, factor: number, tell: (line: string) => void): Promise<readonly Sample[]> => {
  const samples: Sample[] = [];
  const everyMs = ms / SAMPLES;
  let latencies: number[] = [];
  let refused = 0;
  const sending = sendSteadily(load, ms, {
    factor,
    onSent: ({ ms: took, isTaken }) => (isTaken ? latencies.push(took) : refused++),
  });
  const started = performance.now();
  let cpuBefore = await cpuSecondsOf(load.server.pid);
  for (let n = 1; n <= SAMPLES; n++) {
    await sleep(Math.max(0, started + n * everyMs - performance.now()));
    const cpu = await cpuSecondsOf(load.server.pid);
    const sample = {
      minutes: (performance.now() - started) / 60_000,
      residentMb: (await memoryOf(load.server.pid)) / 2 ** 20,
      processor: ((cpu - cpuBefore) * 100_000) / everyMs,
      postgresMb: (await sizeOf(join(load.home, "postgres"))) / 2 ** 20,
      p99Ms: percentile(latencies, 0.99),
    };
    samples.push(sample);
    cpuBefore = cpu;
    latencies = [];
    tell(
      `${round(sample.minutes)} min: ${round(sample.residentMb, 0)} MB, processor ${round(sample.processor, 0)} %, Postgres ${round(sample.postgresMb, 0)} MB on disk, p99 ${round(sample.p99Ms)} ms, ${refused} refused`,
    );
  }
  await sending;
  return samples;
};

/** Bytes of all files below; what vanishes meanwhile counts nothing. */
const sizeOf = async (folder: string): Promise<number> => {
  const files = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    files
      .filter((each) => each.isFile())
      .map((each) =>
        stat(join(each.parentPath, each.name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
};

const toRows = (samples: readonly Sample[], minutes: number, factor: number): Row[] => {
  const settled = samples.slice(Math.floor(samples.length * SETTLED_AFTER));
  const third = Math.floor(settled.length / 3);
  const mean = (part: readonly Sample[]): number => part.reduce((sum, { residentMb }) => sum + residentMb, 0) / part.length;
  const first = mean(settled.slice(0, third));
  const last = mean(settled.slice(-third));
  const growth = last / first - 1;
  const how = factor === 1 ? `${minutes} min` : `${minutes} min at ${factor} x the required load`;
  return [
    {
      what: `soak, ${how}: memory of the last third against the first, once settled`,
      target: "< 10 % growth",
      figure: `${round(first, 0)} MB -> ${round(last, 0)} MB (${round(growth * 100)} %), highest ${round(Math.max(...samples.map(({ residentMb }) => residentMb)), 0)} MB`,
      isReached: growth < 0.1,
      numbers: { firstMb: first, lastMb: last, growth },
    },
  ];
};

const toSeries = (samples: readonly Sample[]): Series[] => [
  { name: "resident memory, MB", points: samples.map(({ minutes, residentMb }) => [minutes, residentMb]) },
  { name: "processor, % of a core", points: samples.map(({ minutes, processor }) => [minutes, processor]) },
  { name: "Postgres on disk, MB", points: samples.map(({ minutes, postgresMb }) => [minutes, postgresMb]) },
  { name: "p99 of a report, ms", points: samples.map(({ minutes, p99Ms }) => [minutes, p99Ms]) },
];
