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

const writeDrawing = (file: string, svg: string): Promise<void> =>
  writeFile(file, svg).catch((error: NodeJS.ErrnoException) => {
    throw new CommandFailure(EXIT.refused, `${file} can't be written: ${error.code ?? error.message}`);
  });

const tell = ({ terminal, paint }: Context, one: Rehearsed, isTold: boolean): void => {
  const lines = [...(isTold ? toTimelineLines(one, paint) : []), ...toCheckLines(one, paint, isTold)];
  terminal.out(`${lines.join("\n")}\n`);
};
