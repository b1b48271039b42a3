/** Days on virtual time in the profile `standard` that may not move traffic, over several seeds, with a twin that must move. Ten seconds each. Then the pace of a rehearsal. */
import { readFile } from "node:fs/promises";

import { SERVICES } from "@regent/simulation/days/installation.ts";
import { REQUIRED_DAYS, WORST_DAY } from "@regent/simulation/days/quiet-days.ts";
import { type Day, type DayOptions, runDay } from "@regent/simulation/days/run-day.ts";
import { errors, outage } from "@regent/simulation/days/weather.ts";
import { readRehearsal } from "@regent/simulation/rehearsal/read-rehearsal.ts";
import { runRehearsal } from "@regent/simulation/rehearsal/run-rehearsal.ts";
import { type Row, round } from "./measure.ts";

const HOURS = 24;
const HOUR_MS = 3_600_000;
const STRATEGIES = "active-passive, active-active and round-robin";

export const benchVirtualDays = async (seeds: number, tell: (line: string) => void): Promise<Row[]> => {
  const rows: Row[] = [];
  for (const { title, faults } of [...REQUIRED_DAYS, WORST_DAY]) {
    const days = await runSeeds(seeds, tell, (seed) => ({ seed, hours: HOURS, faults: faults() }));
    const moves = sum(days, ({ moves }) => moves.length);
    rows.push({
      what: `standard, ${seeds} virtual days: ${title} (${STRATEGIES})`,
      target: "0 moves",
      figure: `${moves} moves; ${sum(days, ({ downs }) => downs)} checks went down, ${sum(days, ({ badEvidence }) => badEvidence)} times a region looked bad, ${paceText(days)}`,
      isReached: moves === 0,
      numbers: { moves, days: seeds, ...numbersOf(days) },
    });
  }
  return [...rows, await benchTwin(seeds, tell), await benchRehearsal(tell)];
};

const REHEARSALS = new URL("../../../docs/rehearsals/", import.meta.url);

/** One service, six agents, a day in the profile `standard`: a region that dies, returns, and dies again. */
const benchRehearsal = async (tell: (line: string) => void): Promise<Row> => {
  const shop = await readFile(new URL("shop.yaml", REHEARSALS), "utf8");
  const lines = [
    "rehearsal: 1",
    "name: a day",
    "config: shop.yaml",
    `for: ${HOURS}h`,
    "configuration:",
    "  - { at: 0s, set: services.checkout.strategy.failback=automatic }",
    "outcomes:",
    "  - { what: random 1% }",
    "  - { regions: eu-west, what: -*6h timeout*1h -*6h timeout*1h - }",
  ];
  const read = await readRehearsal(lines.join("\n"), "day.yaml", async () => ({ text: shop, fileName: "shop.yaml" }));
  if (read.kind === "invalid") throw new Error(read.lines.join("\n"));
  const { told, probes, tookMs, pace } = await runRehearsal(read.rehearsal);
  tell(`rehearsal: ${told.changes.length} changes, ${probes} probes, ${round(tookMs / 1_000)} s`);
  return {
    what: `a rehearsal of ${HOURS} h: one service, 6 agents, profile standard, 1 % of errors, two outages`,
    target: "> 2,000 x real time on one core",
    figure: `${Math.round(pace).toLocaleString("en")} x; ${told.changes.length} changes, ${probes} probes`,
    isReached: pace > 2_000,
    numbers: { pace: Math.round(pace), changes: told.changes.length, probes, processorMs: Math.round(tookMs) },
  };
};

/** Without it, code that never moves would look best. */
const benchTwin = async (seeds: number, tell: (line: string) => void): Promise<Row> => {
  const days = await runSeeds(seeds, tell, (seed) => ({
    seed,
    hours: HOURS,
    faults: [errors({ rate: 0.02 }), outage({ region: "r1", from: 12 * HOUR_MS, to: 12 * HOUR_MS + 60_000 })],
  }));
  const moves = days.flatMap((day) => day.moves);
  const latestMs = Math.max(...moves.map(({ at }) => at - 12 * HOUR_MS));
  return {
    what: `the twin, ${seeds} virtual days: 2 % of errors, and a region that refuses for 60 s at noon`,
    target: "1 move of each service",
    figure: `${moves.length} moves of ${SERVICES.length * seeds}, the last ${round(latestMs / 1_000)} s after the fault`,
    isReached: days.every((day) => SERVICES.every((id) => day.moves.filter(({ service }) => service === id).length === 1)),
    numbers: { moves: moves.length, latestMs, ...numbersOf(days) },
  };
};

const runSeeds = async (
  seeds: number,
  tell: (line: string) => void,
  optionsOf: (seed: number) => DayOptions,
): Promise<readonly Day[]> => {
  const days: Day[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    const day = await runDay(optionsOf(seed));
    days.push(day);
    tell(`seed ${seed}: ${day.moves.length} moves, ${day.probes} probes, ${day.failures} failed, ${round(day.tookMs / 1_000)} s`);
  }
  return days;
};

const sum = (days: readonly Day[], of: (day: Day) => number): number => days.reduce((total, day) => total + of(day), 0);

const numbersOf = (days: readonly Day[]) => ({
  probes: sum(days, ({ probes }) => probes),
  failures: sum(days, ({ failures }) => failures),
  downs: sum(days, ({ downs }) => downs),
  badEvidence: sum(days, ({ badEvidence }) => badEvidence),
  suspectLooks: sum(days, ({ suspectLooks }) => suspectLooks),
  processorMs: Math.round(sum(days, ({ tookMs }) => tookMs)),
});

const paceText = (days: readonly Day[]): string => {
  const pace = (days.length * HOURS * HOUR_MS) / sum(days, ({ tookMs }) => tookMs);
  return `${Math.round(pace).toLocaleString("en")} x real time on one core`;
};
