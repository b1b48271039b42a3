/**
 * `npm run bench [-- --only NAME --repetitions N --soak-minutes N --soak-factor N]`: every figure that this code can reach, as a table, as JSON
 * and as pictures in .bench/.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { benchAgent } from "./agent.ts";
import { benchDecide } from "./decide.ts";
import { benchDisk } from "./disk.ts";
import { benchFailover } from "./failover.ts";
import { benchGrowth } from "./growth.ts";
import { benchIntake } from "./intake.ts";
import { machine, type Row, toTable } from "./measure.ts";
import { type Plot, toSvg } from "./plot.ts";
import { benchSoak } from "./soak.ts";
import { benchStartUp } from "./startup.ts";
import { benchVirtualDays } from "./virtual-days.ts";
import { benchWholeRegion } from "./whole-region.ts";

const FOLDER = fileURLToPath(new URL("../../../.bench/", import.meta.url));

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    repetitions: { type: "string", default: "20" },
    "soak-minutes": { type: "string", default: "3" },
    "soak-factor": { type: "string", default: "1" },
  },
});
const toCount = (name: "repetitions" | "soak-minutes" | "soak-factor"): number => {
  const count = Number(values[name]);
  if (!Number.isInteger(count) || count < 1) throw new Error(`--${name} takes a whole number from 1`);
  return count;
};
const repetitions = toCount("repetitions");
const soakMinutes = toCount("soak-minutes");
const soakFactor = toCount("soak-factor");

/** Seeds of each virtual day: ten seconds of a core each. */
const DAYS = 5;

const draw = async (name: string, plot: Plot): Promise<void> => {
  await mkdir(FOLDER, { recursive: true });
  await writeFile(join(FOLDER, `${name}.svg`), toSvg(plot));
};

const tell = (line: string): void => void process.stderr.write(`  ${line}\n`);
const BENCHES: Readonly<Record<string, () => readonly Row[] | Promise<readonly Row[]>>> = {
  decide: benchDecide,
  startup: benchStartUp,
  failover: () => benchFailover(repetitions, tell),
  intake: benchIntake,
  disk: benchDisk,
  agent: benchAgent,
  region: () => benchWholeRegion(tell),
  days: () => benchVirtualDays(DAYS, tell),
  growth: async () => {
    const { rows, series } = await benchGrowth(tell);
    await draw("growth", { title: "Cost of the server as it grows", xName: "count", isLog: true, series });
    return rows;
  },
  soak: async () => {
    const { rows, series } = await benchSoak(soakMinutes, soakFactor, tell);
    const load = soakFactor === 1 ? "the required load" : `${soakFactor} x the required load`;
    await draw("soak", { title: `${soakMinutes} minutes at ${load}`, xName: "minutes", isLog: false, series });
    return rows;
  },
};

const wanted = values.only ?? Object.keys(BENCHES);
const rows: Row[] = [];
for (const name of wanted) {
  const bench = BENCHES[name];
  if (!bench) throw new Error(`no benchmark ${name}; there are ${Object.keys(BENCHES).join(", ")}`);
  process.stderr.write(`${name} …\n`);
  rows.push(...(await bench()));
}
console.log(`${machine()}\n\n${toTable(rows)}`);
await mkdir(FOLDER, { recursive: true });
await writeFile(
  join(FOLDER, "results.json"),
  `${JSON.stringify({ at: new Date().toISOString(), machine: machine(), rows }, null, 2)}\n`,
);
const missed = rows.filter(({ isReached }) => isReached === false);
console.log(missed.length === 0 ? "\nEvery target is reached." : `\nMissed: ${missed.map(({ what }) => what).join("; ")}`);
process.exit(0);
