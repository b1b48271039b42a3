/** Commands that only look: status, explain, history. */
import { type Evacuation, HistoryKind, type Overview } from "@regent/contract";
import type { Client } from "@regent/server/http/client.ts";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type CommonOptions, type Context, createContext, need, type Terminal, withCommon } from "../context.ts";
import { toExplanationText } from "../format/explanation.ts";
import { toHistory } from "../format/history.ts";
import { toServiceLine, toStatus } from "../format/overview.ts";
import { HISTORY_LIMIT, HISTORY_LIMIT_MAX, WATCH_PERIOD_MS } from "../limits.ts";
import { watchStatus } from "../view/watch-status.ts";

export const addLookCommands = (program: Command, terminal: Terminal): void => {
  withCommon(program.command("status"))
    .description("every service and region: verdict, score, and the weights wanted, written and seen")
    .option("--watch", "keep looking; in a terminal with keys for the common actions")
    .action(async (options: CommonOptions & { watch?: boolean }) => {
      const context = createContext(terminal, options);
      const client = await context.connect();
      if (options.watch !== true) {
        const overview = need(await client.overview(), context.paint);
        const running = context.isJson ? [] : await findRunning(client);
        return context.print(overview, () => toStatus(overview, context.paint, running));
      }
      if (terminal.isInteractive && !context.isJson) return watchStatus(context, client);
      return printForEver(context, client);
    });

  withCommon(program.command("explain"))
    .description("why a service is as it is: votes, rules, changes, and what comes next")
    .argument("<service>")
    .action(async (service: string, options: CommonOptions) => {
      const context = createContext(terminal, options);
      const explanation = need(await (await context.connect()).explain(service), context.paint);
      context.print(explanation, () => toExplanationText(explanation, context.paint, terminal.columns()));
    });

  withCommon(program.command("history"))
    .description("what happened and why; changes with their weights and clocks")
    .option("--service <id>", "of one service only")
    .addOption(new Option("--kind <kind...>", "of these kinds only").choices(HistoryKind.options))
    .option("--limit <n>", `at most so many events, 1 to ${HISTORY_LIMIT_MAX}`, toLimit, HISTORY_LIMIT)
    .option("--cursor <cursor>", "go on where an earlier answer's `next` says")
    .action(async (options: CommonOptions & HistoryOptions) => {
      const context = createContext(terminal, options);
      const { service, kind: kinds, limit, cursor } = options;
      const page = need(
        await (await context.connect()).history({
          limit,
          ...(service === undefined ? {} : { service }),
          ...(kinds === undefined ? {} : { kinds }),
          ...(cursor === undefined ? {} : { cursor }),
        }),
        context.paint,
      );
      context.print(page, () => (page.events.length === 0 ? ["Nothing has happened."] : toHistory(page.events, context.paint)));
    });
};

/** What can't be asked now is left out: whoever asks how things are wants the rest all the same. */
const findRunning = async (client: Client): Promise<readonly Evacuation[]> => {
  const page = await client.evacuations({});
  return page.kind === "ok" ? page.value.evacuations.filter(({ state }) => state === "running") : [];
};

interface HistoryOptions {
  readonly service?: string;
  readonly kind?: HistoryKind[];
  readonly limit: number;
  readonly cursor?: string;
}

const toLimit = (text: string): number => {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > HISTORY_LIMIT_MAX)
    throw new InvalidArgumentError(`a whole number from 1 to ${HISTORY_LIMIT_MAX}`);
  return limit;
};

/** For pipes and logs: a line for each service that changed, or a JSON value a line. */
const printForEver = async ({ terminal, isJson, paint }: Context, client: Client): Promise<void> => {
  let before = "";
  for (;;) {
    const overview: Overview = need(await client.overview(), paint);
    const text = isJson ? JSON.stringify(overview) : overview.services.map(toServiceLine).join("\n");
    if (isJson || text !== before) terminal.out(`${text}\n`);
    before = text;
    await new Promise((resolve) => setTimeout(resolve, WATCH_PERIOD_MS));
  }
};
