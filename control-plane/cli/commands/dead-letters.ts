/** dead-letters list|show|retry|drop: what was taken and could not be processed. */
import type { Command } from "commander";
import { type CommonOptions, createContext, need, type Terminal, withCommon } from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import { toLetterDetail, toLetterLines } from "../format/dead-letters.ts";

export const addDeadLetterCommands = (program: Command, terminal: Terminal): void => {
  const letters = program
    .command("dead-letters")
    .description("reports, clocks and pages that could not be processed or delivered");

  withCommon(letters.command("list"))
    .description("newest first, with why")
    .option("--cursor <id>", "go on where an earlier answer's `next` says")
    .action(async (options: CommonOptions & { cursor?: string }) => {
      const context = createContext(terminal, options);
      const { cursor } = options;
      const client = await context.connect();
      const page = need(await client.deadLetters(cursor === undefined ? {} : { cursor }), context.paint);
      context.print(page, () => toLetterLines(page, context.paint));
    });

  withCommon(letters.command("show"))
    .description("one of them, with what came")
    .argument("<id>")
    .action(async (id: string, options: CommonOptions) => {
      const context = createContext(terminal, options);
      const letter = need(await (await context.connect()).deadLetter(id), context.paint);
      context.print(letter, () => toLetterDetail(letter, context.paint));
    });

  const mutations = [
    { verb: "retry", told: "process it again; a report feeds history and moves no verdict" },
    { verb: "drop", told: "throw it away" },
  ] as const;
  for (const { verb, told } of mutations)
    withCommon(letters.command(verb))
      .description(told)
      .argument("<id>")
      .requiredOption("--reason <text>", "why; it is kept in history")
      .action(async (id: string, options: CommonOptions & { reason: string }) => {
        const context = createContext(terminal, options);
        const client = await context.connect();
        const ask = verb === "retry" ? client.retryDeadLetter : client.dropDeadLetter;
        const answer = need(await ask(id, options.reason), context.paint);
        if (!answer.done) throw new CommandFailure(EXIT.refused, `It stays: ${answer.why}`);
        context.print(answer, () => [`Done: ${answer.why}.`]);
      });
};
