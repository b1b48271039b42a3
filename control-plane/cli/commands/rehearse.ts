/** rehearse FILE...: timelines through the real agents' core, control plane and engine on virtual time. With `expect:` a test of the policy. */
import { readFile, writeFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { toPicture } from "@regent/simulation/picture/picture.ts";
import { type Checked, checkAll } from "@regent/simulation/rehearsal/check.ts";
import { readRehearsal } from "@regent/simulation/rehearsal/read-rehearsal.ts";
import type { Rehearsal } from "@regent/simulation/rehearsal/rehearsal.ts";
import { type RehearsalRun, runRehearsal } from "@regent/simulation/rehearsal/run-rehearsal.ts";
import type { Command } from "commander";
import { type CommonOptions, type Context, createContext, readGiven, type Terminal } from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import { toCheckLines, toRehearsalJson, toTimelineLines } from "./rehearse-lines.ts";

interface RehearseOptions extends CommonOptions {
  readonly svg?: string;
  readonly timeline?: boolean;
}

export const addRehearse = (program: Command, terminal: Terminal): void => {
  program
    .command("rehearse")
    .alias("test")
    .description("run a timeline of outages against a configuration on virtual time; with `expect:` it is a test")
    .argument("<file...>", "rehearsals; docs/REHEARSAL.md says how one looks, docs/rehearsals has some")
    .option("--json", "one JSON value on stdout instead of text")
    .option("--svg <file>", "draw the timeline into this file; for one rehearsal")
    .option("--timeline", "tell what happened of several files, too")
    .action(async (files: readonly string[], options: RehearseOptions) => {
      const context = createContext(terminal, options);
      if (options.svg !== undefined && files.length > 1)
        throw new CommandFailure(EXIT.usage, "--svg draws one rehearsal: name one file");
      // All are read before the first is run: a typing error costs no minute.
      const rehearsals = await readAll(files);
      const isTold = options.timeline === true || files.length === 1;
      const rehearsed: Rehearsed[] = [];
      for (const rehearsal of rehearsals) {
        const one = await rehearse(rehearsal);
        rehearsed.push(one);
        if (!context.isJson) tell(context, one, isTold);
        if (options.svg !== undefined) await writeFile(options.svg, toPicture(rehearsal, one.run));
      }
      if (context.isJson) context.print(rehearsed.map(toRehearsalJson), () => []);
      const failed = rehearsed.flatMap(({ checked }) => checked).filter(({ isMet }) => !isMet).length;
      if (failed > 0)
        throw new CommandFailure(EXIT.refused, `${failed} ${failed === 1 ? "expectation" : "expectations"} not met.`);
    });
};

export interface Rehearsed {
  readonly rehearsal: Rehearsal;
  readonly run: RehearsalRun;
  readonly checked: readonly Checked[];
}

const readAll = async (files: readonly string[]): Promise<readonly Rehearsal[]> => {
  const rehearsals: Rehearsal[] = [];
  const errors: string[] = [];
  for (const file of files) {
    const read = await readRehearsal(await readGiven(file), file, besideFile(file));
    if (read.kind === "valid") rehearsals.push(read.rehearsal);
    else errors.push(...read.lines);
  }
  if (errors.length === 0) return rehearsals;
  const count = `${errors.length} ${errors.length === 1 ? "error" : "errors"}; nothing was rehearsed.`;
  throw new CommandFailure(EXIT.usage, [...errors, count].join("\n"));
};

/** A configuration is named as seen from the rehearsal's file; whoever runs it named both. */
const besideFile = (file: string) => async (path: string) => {
  const full = resolve(dirname(file), path);
  const text = await readFile(full, "utf8").catch(() => null);
  return text === null ? null : { text, fileName: relative(process.cwd(), full) || full };
};

const rehearse = async (rehearsal: Rehearsal): Promise<Rehearsed> => {
  const run = await runRehearsal(rehearsal);
  return { rehearsal, run, checked: checkAll(rehearsal.expect, run.told, rehearsal.stepMs) };
};

const tell = ({ terminal, paint }: Context, one: Rehearsed, isTold: boolean): void => {
  const lines = [...(isTold ? toTimelineLines(one, paint) : []), ...toCheckLines(one, paint, isTold)];
  terminal.out(`${lines.join("\n")}\n`);
};
