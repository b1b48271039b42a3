/** Reads, runs and checks rehearsals for the command. Loaded only when one is rehearsed: no other command waits for a virtual world. */
import { readFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { toPicture } from "@regent/simulation/picture/picture.ts";
import { type Checked, checkAll } from "@regent/simulation/rehearsal/check.ts";
import { readRehearsal } from "@regent/simulation/rehearsal/read-rehearsal.ts";
import type { Rehearsal } from "@regent/simulation/rehearsal/rehearsal.ts";
import { type RehearsalRun, runRehearsal } from "@regent/simulation/rehearsal/run-rehearsal.ts";
import { readGiven } from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";

export interface Rehearsed {
  readonly rehearsal: Rehearsal;
  readonly run: RehearsalRun;
  readonly checked: readonly Checked[];
}

/** `vary` makes another configuration of the one that each file has. */
export const readAll = async (files: readonly string[], vary?: (written: unknown) => unknown): Promise<readonly Rehearsal[]> => {
  const rehearsals: Rehearsal[] = [];
  const errors: string[] = [];
  for (const file of files) {
    const read = await readRehearsal(await readGiven(file), file, besideFile(file), vary);
    if (read.kind === "valid") rehearsals.push(read.rehearsal);
    else errors.push(...read.lines);
  }
  if (errors.length === 0) return rehearsals;
  const count = `${errors.length} ${errors.length === 1 ? "error" : "errors"}; nothing was rehearsed.`;
  throw new CommandFailure(EXIT.usage, [...errors, count].join("\n"));
};

/** A configuration is named as seen from the rehearsal's file; whoever runs it named both. */
export const besideFile = (file: string) => async (path: string) => {
  const full = resolve(dirname(file), path);
  const text = await readFile(full, "utf8").catch(() => null);
  return text === null ? null : { text, fileName: relative(process.cwd(), full) || full };
};

export const rehearse = async (rehearsal: Rehearsal): Promise<Rehearsed> => {
  const run = await runRehearsal(rehearsal);
  return { rehearsal, run, checked: checkAll(rehearsal.expect, run.told, rehearsal.stepMs) };
};

export const draw = ({ rehearsal, run }: Rehearsed): string => toPicture(rehearsal, run);
