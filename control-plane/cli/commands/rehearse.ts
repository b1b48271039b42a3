/** rehearse FILE...: timelines through the real agents' core, control plane and engine on virtual time. With `expect:` a test of the policy. */
import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { type CommonOptions, type Context, createContext, type Terminal } from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import { toCheckLines, toRehearsalJson, toTimelineLines } from "./rehearse-lines.ts";
import type { Rehearsed } from "./rehearse-run.ts";

interface RehearseOptions extends CommonOptions {
  readonly svg?: string;
  readonly timeline?: boolean;
  readonly whatIf?: readonly string[];
  /** True where no folder is named. */
  readonly sensitivity?: string | true;
  readonly all?: boolean;
  /** An incident or a change. */
  readonly fromHistory?: string;
  readonly out?: string;
}

export const addRehearse = (program: Command, terminal: Terminal): void => {
  program
    .command("rehearse")
    .alias("test")
    .description("run a timeline of outages against a configuration on virtual time; with `expect:` it is a test")
    .argument("[file...]", "rehearsals; docs/REHEARSAL.md says how one looks, docs/rehearsals has some")
    .option("--json", "one JSON value on stdout instead of text")
    .option("--from-history <id>", "make a rehearsal of a recorded incident or change, from a server that runs, and print it")
    .option("--out <file>", "with --from-history: write it into this file")
    .option(
      "--home <dir>",
      "with --from-history: home of the installation (REGENT_HOME, else the clone's .regent, else ~/.regent)",
    )
    .option("--url <url>", "with --from-history: address of the server (REGENT_URL, else the home's)")
    .option("--svg <file>", "draw the timeline into this file; for one rehearsal")
    .option("--timeline", "tell what happened of several files, too")
    .option(
      "--what-if <key=value>",
      "run it again with another setting, such as settings.fall=5, and compare; may be repeated",
      collect,
    )
    .option(
      "--sensitivity [dir]",
      "which defaults of the profile `standard` the rehearsals of a folder hold; those that ship by default",
    )
    .option("--all", "with --sensitivity: name every rehearsal that fails, not only the one that is listed")
    .action(async (files: readonly string[], options: RehearseOptions) => {
      const context = createContext(terminal, options);
      if (options.fromHistory !== undefined) return writeRecorded(context, files, options.fromHistory, options.out);
      if (options.sensitivity !== undefined) return tellSensitivity(context, files, options);
      if (files.length === 0) throw new CommandFailure(EXIT.usage, "Name a rehearsal; docs/REHEARSAL.md says how one looks.");
      if (options.whatIf !== undefined) return tellWhatIf(context, files, options.whatIf);
      if (options.svg !== undefined && files.length > 1)
        throw new CommandFailure(EXIT.usage, "--svg draws one rehearsal: name one file");
      const { draw, readAll, rehearse } = await import("./rehearse-run.ts");
      // All are read before the first is run: a typing error costs no minute.
      const rehearsals = await readAll(files);
      const isTold = options.timeline === true || files.length === 1;
      const rehearsed: Rehearsed[] = [];
      for (const rehearsal of rehearsals) {
        const one = await rehearse(rehearsal);
        rehearsed.push(one);
        if (!context.isJson) tell(context, one, isTold);
        if (options.svg !== undefined) await writeDrawing(options.svg, draw(one));
      }
      if (context.isJson) context.print(rehearsed.map(toRehearsalJson), () => []);
      const failed = rehearsed.flatMap(({ checked }) => checked).filter(({ isMet }) => !isMet).length;
      if (failed > 0)
        throw new CommandFailure(EXIT.refused, `${failed} ${failed === 1 ? "expectation" : "expectations"} not met.`);
    });
};

const writeRecorded = async (context: Context, files: readonly string[], id: string, out: string | undefined): Promise<void> => {
  if (files.length > 0)
    throw new CommandFailure(EXIT.usage, "--from-history makes a rehearsal of what was recorded: name no files");
  const { readRecorded } = await import("./rehearse-recorded.ts");
  const text = await readRecorded(context, id);
  if (out === undefined) return context.print({ id, rehearsal: text }, () => [text.trimEnd()]);
  await writeFile(out, text, { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
    throw new CommandFailure(EXIT.refused, `${out} can't be written: ${error.code ?? error.message}`);
  });
  context.print({ id, file: out }, () => [`${out} is written; run it with \`regent rehearse ${out}\`.`]);
};

const collect = (one: string, all: readonly string[] = []): readonly string[] => [...all, one];

const tellWhatIf = async (context: Context, files: readonly string[], assignments: readonly string[]): Promise<void> => {
  const { askWhatIf, toWhatIfJson, toWhatIfLines } = await import("./rehearse-what-if.ts");
  const answers: object[] = [];
  for (const file of files) {
    const answer = await askWhatIf(file, assignments);
    answers.push(toWhatIfJson(answer));
    if (!context.isJson) context.terminal.out(`${toWhatIfLines(answer, context.paint).join("\n")}\n`);
  }
  if (context.isJson) context.print(answers, () => []);
};

const tellSensitivity = async (context: Context, files: readonly string[], options: RehearseOptions): Promise<void> => {
  const { judgeDefaults, needMet, openFolder, SHIPPED_REHEARSALS, toVerdictJson, toVerdictLine } = await import(
    "./rehearse-sensitivity.ts"
  );
  if (files.length > 0) throw new CommandFailure(EXIT.usage, "--sensitivity is about a folder: --sensitivity DIR, and no files");
  const folder = await openFolder(typeof options.sensitivity === "string" ? options.sensitivity : SHIPPED_REHEARSALS);
  await needMet(folder);
  const told: object[] = [];
  let strange = 0;
  for await (const verdict of judgeDefaults(folder, options.all === true)) {
    told.push(toVerdictJson(verdict));
    if (!verdict.isAsListed) strange += 1;
    if (!context.isJson) context.terminal.out(`${toVerdictLine(verdict, context.paint)}\n`);
  }
  if (context.isJson) context.print(told, () => []);
  if (strange > 0)
    throw new CommandFailure(
      EXIT.refused,
      `${strange} of ${told.length} changed defaults are held by nothing, or aren't as listed.`,
    );
};

const writeDrawing = (file: string, svg: string): Promise<void> =>
  writeFile(file, svg).catch((error: NodeJS.ErrnoException) => {
    throw new CommandFailure(EXIT.refused, `${file} can't be written: ${error.code ?? error.message}`);
  });

const tell = ({ terminal, paint }: Context, one: Rehearsed, isTold: boolean): void => {
  const lines = [...(isTold ? toTimelineLines(one, paint) : []), ...toCheckLines(one, paint, isTold)];
  terminal.out(`${lines.join("\n")}\n`);
};
