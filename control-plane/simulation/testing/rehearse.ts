/** Rehearsals for tests: read with the shop's configuration of docs/rehearsals, run, checked. */
import { readFileSync } from "node:fs";
import { type Checked, checkAll } from "../rehearsal/check.ts";
import { type ReadRehearsal, readRehearsal } from "../rehearsal/read-rehearsal.ts";
import type { Rehearsal } from "../rehearsal/rehearsal.ts";
import { type RehearsalRun, runRehearsal } from "../rehearsal/run-rehearsal.ts";

export const REHEARSALS = new URL("../../../docs/rehearsals/", import.meta.url);

export const readShipped = (name: string): string => readFileSync(new URL(name, REHEARSALS), "utf8");

export const read = (text: string, fileName = "tonight.yaml"): Promise<ReadRehearsal> =>
  readRehearsal(text, fileName, async (path) =>
    path === "shop.yaml" || path === "mall.yaml" || path === "bank.yaml" ? { text: readShipped(path), fileName: path } : null,
  );

/** A rehearsal of the shop, with these lines after its head. */
export const tonight = (lines: string, length = "10m"): string =>
  `rehearsal: 1\nname: tonight\nconfig: shop.yaml\nfor: ${length}\n${lines}`;

export interface Ran {
  readonly rehearsal: Rehearsal;
  readonly run: RehearsalRun;
  readonly checked: readonly Checked[];
}

export const run = async (text: string, fileName?: string): Promise<Ran> => {
  const found = await read(text, fileName);
  if (found.kind === "invalid") throw new Error(found.lines.join("\n"));
  const { rehearsal } = found;
  const ran = await runRehearsal(rehearsal);
  return { rehearsal, run: ran, checked: checkAll(rehearsal.expect, ran.told, rehearsal.stepMs) };
};
