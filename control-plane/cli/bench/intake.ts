/** Report intake: signed, deduplicated, folded and committed before the answer, by the real server process over embedded Postgres. */
import { REPORT_EVERY_MS, type Sent, sendFlatOut, sendSteadily, startLoad } from "./load.ts";
import { median, percentile, type Row, round } from "./measure.ts";
import { memoryOf } from "./processes.ts";

/** The required load: 4,000 results a second. */
export const REQUIRED = { agents: 1_000, services: 10, regions: 2 } as const;
const CHECKS = REQUIRED.services * REQUIRED.regions;
/** The same load before it is measured: the first seconds belong to the start, when every agent lists every check and every name is created. */
const RUN_IN_MS = 5_000;
const LOAD_MS = 30_000;
const FULL_MS = 10_000;

export const benchIntake = async (): Promise<Row[]> => {
  const load = await startLoad(REQUIRED);
  try {
    await sendSteadily(load, RUN_IN_MS);
    const steady = await sendSteadily(load, LOAD_MS);
    const resident = await memoryOf(load.server.pid);
    const quiet = await sendFlatOut(load, FULL_MS, "unchanged");
    const busy = await sendFlatOut(load, FULL_MS, "observations");
    return toRows(steady, quiet, busy, resident);
  } finally {
    await load.stop();
  }
};

const toRows = (steady: readonly Sent[], quiet: readonly Sent[], busy: readonly Sent[], resident: number): Row[] => {
  const { latencies, refused } = toMeasured(steady);
  return [
    {
      what: `intake, ${REQUIRED.agents} agents x ${CHECKS} checks every ${REPORT_EVERY_MS / 1000} s (${(REQUIRED.agents * CHECKS * 1000) / REPORT_EVERY_MS} results/s)`,
      target: "p99 < 100 ms",
      figure: `p50 ${round(median(latencies))} ms, p99 ${round(percentile(latencies, 0.99))} ms, ${refused} refused`,
      isReached: percentile(latencies, 0.99) < 100 && refused === 0,
      numbers: { p50Ms: median(latencies), p99Ms: percentile(latencies, 0.99), refused, reports: latencies.length },
    },
    saturated("intake flat out, settled checks", "goal 20,000 results/s", quiet, 20_000),
    saturated("intake flat out, every check listed", "", busy, null),
    {
      what: "server memory at the required load",
      target: "",
      figure: `${round(resident / 2 ** 20, 0)} MB resident`,
      isReached: null,
      numbers: { residentBytes: resident },
    },
  ];
};

const saturated = (what: string, target: string, sent: readonly Sent[], goal: number | null): Row => {
  const { latencies, refused } = toMeasured(sent);
  const perSecond = (latencies.length * CHECKS * 1000) / FULL_MS;
  return {
    what,
    target,
    figure: `${round(perSecond, 0)} results/s, p50 ${round(median(latencies))} ms, p99 ${round(percentile(latencies, 0.99))} ms`,
    isReached: goal === null ? null : perSecond >= goal,
    numbers: { resultsPerSecond: perSecond, p50Ms: median(latencies), p99Ms: percentile(latencies, 0.99), refused },
  };
};

const toMeasured = (sent: readonly Sent[]) => ({
  latencies: sent.filter(({ isTaken }) => isTaken).map(({ ms }) => ms),
  refused: sent.filter(({ isTaken }) => !isTaken).length,
});
