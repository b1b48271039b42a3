/** Deciding 1,000 services x 5 regions from scratch: the engine alone, one process, one core. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { median, type Row, round } from "./measure.ts";

const SCRIPT = fileURLToPath(new URL("../../engine/testing/bench-decide.ts", import.meta.url));

export const benchDecide = (): Row[] => {
  const result = spawnSync(process.execPath, [SCRIPT, "--json"], { encoding: "utf8", env: { PATH: process.env.PATH } });
  if (result.status !== 0) throw new Error(`bench-decide failed: ${result.stderr}`);
  const ms = (JSON.parse(result.stdout) as { runsMs: number[] }).runsMs;
  return [
    {
      what: `deciding 1,000 services x 5 regions from scratch (${ms.length}x)`,
      target: "< 100 ms",
      figure: `median ${round(median(ms))} ms, best ${round(Math.min(...ms))} ms, first ${round(ms[0] ?? Number.NaN)} ms`,
      isReached: median(ms) < 100,
      numbers: { medianMs: median(ms), minMs: Math.min(...ms), firstMs: ms[0] ?? Number.NaN },
    },
  ];
};
