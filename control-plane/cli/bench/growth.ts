/** What services, regions and agents cost as there are ten and a hundred times as many: processor and memory of the server, time of a report. */
import { type Load, type Size, sendSteadily, startLoad } from "./load.ts";
import { median, percentile, type Row, round } from "./measure.ts";
import type { Series } from "./plot.ts";
import { cpuSecondsOf, memoryOf } from "./processes.ts";

const RUN_IN_MS = 10_000;
const MEASURED_MS = 20_000;
const BASE: Size = { agents: 10, services: 10, regions: 2 };

/** A declaration holds at most 20 regions, and the agents stand in four of their own. */
const SIZES: Readonly<Record<keyof Size, readonly number[]>> = {
  services: [10, 100, 1_000],
  regions: [2, 6, 16],
  agents: [10, 100, 1_000],
};

interface Cost {
  readonly count: number;
  readonly resultsPerSecond: number;
  readonly processor: number;
  readonly residentMb: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export const benchGrowth = async (tell: (line: string) => void): Promise<{ rows: readonly Row[]; series: readonly Series[] }> => {
  const rows: Row[] = [];
  const series: Series[] = [];
  for (const [what, counts] of Object.entries(SIZES)) {
    const costs: Cost[] = [];
    for (const count of counts) {
      const cost = await measure({ ...BASE, [what]: count }, count);
      tell(
        `${count} ${what}: processor ${round(cost.processor)} %, ${round(cost.residentMb, 0)} MB, ${round(cost.resultsPerSecond, 0)} results/s, p99 ${round(cost.p99Ms)} ms`,
      );
      costs.push(cost);
    }
    rows.push(...costs.map((cost) => toRow(what, cost)));
    series.push({ name: `processor, % of a core, by ${what}`, points: costs.map(({ count, processor }) => [count, processor]) });
    series.push({ name: `resident memory, MB, by ${what}`, points: costs.map(({ count, residentMb }) => [count, residentMb]) });
  }
  return { rows, series };
};

const measure = async (size: Size, count: number): Promise<Cost> => {
  const load = await startLoad(size);
  try {
    await sendSteadily(load, RUN_IN_MS);
    return await costOf(load, count);
  } finally {
    await load.stop();
  }
};

const costOf = async (load: Load, count: number): Promise<Cost> => {
  const before = await cpuSecondsOf(load.server.pid);
  const started = performance.now();
  const sent = await sendSteadily(load, MEASURED_MS);
  const seconds = (performance.now() - started) / 1000;
  const latencies = sent.filter(({ isTaken }) => isTaken).map(({ ms }) => ms);
  return {
    count,
    resultsPerSecond: (latencies.length * load.resultsPerRound) / load.reportsPerRound / seconds,
    processor: (((await cpuSecondsOf(load.server.pid)) - before) * 100) / seconds,
    residentMb: (await memoryOf(load.server.pid)) / 2 ** 20,
    p50Ms: median(latencies),
    p99Ms: percentile(latencies, 0.99),
  };
};

const toRow = (what: string, { count, resultsPerSecond, processor, residentMb, p50Ms, p99Ms }: Cost): Row => ({
  what: `growth: ${count} ${what} (others: ${Object.entries(BASE)
    .filter(([name]) => name !== what)
    .map(([name, n]) => `${n} ${name}`)
    .join(", ")})`,
  target: "",
  figure: `processor ${round(processor)} % of a core, ${round(residentMb, 0)} MB, ${round(resultsPerSecond, 0)} results/s, p50 ${round(p50Ms)} ms, p99 ${round(p99Ms)} ms`,
  isReached: null,
  numbers: { count, resultsPerSecond, processor, residentMb, p50Ms, p99Ms },
});
