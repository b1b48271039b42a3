/** incident list|show|ack and notify test: what people are told of, and whether it reaches them. */
import type { Incident } from "@regent/contract";
import type { Command } from "commander";
import { type CommonOptions, createContext, need, type Terminal, withCommon } from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import { toIncidentDetail, toIncidentLines } from "../format/incidents.ts";

/** Pages that are looked through for one incident: half a year of them. */
const PAGES_MAX = 50;
const PAGE = 200;

export const addIncidentCommands = (program: Command, terminal: Terminal): void => {
  const incidents = program.command("incident").description("what people were told of: one cause, however many services it hit");

  withCommon(incidents.command("list"))
    .description("newest first")
    .option("--open", "only those that aren't over")
    .option("--cursor <id>", "go on where an earlier answer's `next` says")
    .action(async ({ open, cursor, ...options }: CommonOptions & { open?: boolean; cursor?: string }) => {
      const context = createContext(terminal, options);
      const client = await context.connect();
      const query = { ...(cursor === undefined ? {} : { cursor }), ...(open ? { state: "open" as const } : {}) };
      const page = need(await client.incidents(query), context.paint);
      context.print(page, () => toIncidentLines(page, context.paint));
    });

  withCommon(incidents.command("show"))
    .description("one of them, with what was said")
    .argument("<id>")
    .action(async (id: string, options: CommonOptions) => {
      const context = createContext(terminal, options);
      const client = await context.connect();
      let found: Incident | undefined;
      let cursor: string | null | undefined;
      for (let pages = 0; pages < PAGES_MAX && !found && cursor !== null; pages += 1) {
        const page = need(await client.incidents({ limit: PAGE, ...(cursor === undefined ? {} : { cursor }) }), context.paint);
        found = page.incidents.find((each) => each.id === id);
        cursor = page.next;
      }
      if (!found) throw new CommandFailure(EXIT.notFound, `There is no incident ${id}.`);
      const incident = found;
      context.print(incident, () => toIncidentDetail(incident, context.paint));
    });

  withCommon(incidents.command("ack"))
    .description("say that somebody looks after it: it is not told again")
    .argument("<id>")
    .requiredOption("--reason <text>", "why; it is kept with the incident")
    .action(async (id: string, options: CommonOptions & { reason: string }) => {
      const context = createContext(terminal, options);
      const client = await context.connect();
      const incident = need(await client.acknowledgeIncident(id, options.reason), context.paint);
      context.print(incident, () => toIncidentDetail(incident, context.paint));
    });

  const notify = program.command("notify").description("the ways to tell people");
  withCommon(notify.command("test"))
    .description("tell one notifier something harmless, and whether it was taken")
    .argument("<notifier>")
    .requiredOption("--reason <text>", "what the receiver reads")
    .action(async (id: string, options: CommonOptions & { reason: string }) => {
      const context = createContext(terminal, options);
      const client = await context.connect();
      const answer = need(await client.testNotifier(id, options.reason), context.paint);
      if (!answer.delivered) throw new CommandFailure(EXIT.refused, `${id} took nothing: ${answer.why}`);
      context.print(answer, () => [`${id}: ${answer.why}.`]);
    });
};
