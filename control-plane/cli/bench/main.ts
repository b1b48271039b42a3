/** `npm run bench [-- --only NAME --repetitions N]`: every figure that this code can reach, as a table and as JSON in .bench/. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { benchDecide } from "./decide.ts";
import { benchFailover } from "./failover.ts";
import { benchIntake } from "./intake.ts";
import { machine, type Row, toTable } from "./measure.ts";
import { benchStartUp } from "./startup.ts";
import { benchVirtualDays } from "./virtual-days.ts";

const FOLDER = fileURLToPath(new URL("../../../.bench/", import.meta.url));

const { values } = parseArgs({
  options: { only: { type: "string", multiple: true }, repetitions: { type: "string", default: "20" } },
});
const repetitions = Number(values.repetitions);
if (!Number.isInteger(repetitions) || repetitions < 1) throw new Error("--repetitions takes a whole number from 1");

/** Seeds of each virtual day: ten seconds of a core each. */
const DAYS = 5;

const tell = (line: string): void => void process.stderr.write(`  ${line}\n`);
const BENCHES: Readonly<Record<string, () => Row[] | Promise<Row[]>>> = {
  decide: benchDecide,
  startup: benchStartUp,
  failover: () => benchFailover(repetitions, tell),
  intake: benchIntake,
  days: () => benchVirtualDays(DAYS, tell),
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
