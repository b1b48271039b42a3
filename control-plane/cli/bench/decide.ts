/** Deciding 1,000 services x 5 regions from scratch: the engine alone, one process, one core. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { median, type Row, round } from "./measure.ts";

const SCRIPT = fileURLToPath(new URL("../../engine/testing/bench-decide.ts", import.meta.url));

export const benchDecide = (): Row[] => {
  const result = spawnSync(process.execPath, [SCRIPT, "--json"], { encoding: "utf8", env: { PATH: process.env.PATH } });
  if (result.status !== 0) throw new Error(`bench-decide failed: ${result.stderr}`);
  const measured = JSON.parse(result.stdout) as readonly Measured[];
  return measured.map(({ title, runsMs, processorMs, results }) => ({
    what: `deciding 1,000 services x 5 regions from ${results.toLocaleString("en")} results, ${title} (${runsMs.length}x)`,
    target: "< 100 ms",
    figure: `median ${round(median(runsMs))} ms, best ${round(Math.min(...runsMs))} ms, processor ${round(processorMs)} ms`,
    isReached: median(runsMs) < 100,
    numbers: { medianMs: median(runsMs), minMs: Math.min(...runsMs), processorMs },
  }));
};

interface Measured {
  readonly title: string;
  readonly results: number;
  readonly runsMs: readonly number[];
  readonly processorMs: number;
}
