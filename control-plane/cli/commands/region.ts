/** region evacuate|return|stop|list|show: a region left, or returned to, at every service. Region and reason are never guessed. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Evacuation, type RuleId, SKIPPABLE_RULES } from "@regent/contract";
import type { Client } from "@regent/server/http/client.ts";
import { type Command, Option } from "commander";
import { type CommonOptions, type Context, createContext, need, type Terminal, withCommon } from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import {
  isLeftBehind,
  toEvacuation,
  toEvacuationAnswer,
  toEvacuationHead,
  toEvacuationPage,
  toNews,
} from "../format/evacuation.ts";
import { EVACUATION_LOOK_MS, EVACUATION_LOOKS_FAILED_MAX } from "../limits.ts";

interface EvacuateOptions extends CommonOptions {
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly breakGlass?: RuleId[];
  readonly watch?: boolean;
  readonly idempotencyKey?: string;
}

const REASON = "--reason is missing: why this is done, in words for those who read the history. It is never guessed.";

export const addRegionCommands = (program: Command, terminal: Terminal): void => {
  const region = program.command("region").description("a region left, or returned to, at every service that runs there");
  for (const verb of ["evacuate", "return"] as const)
    withCommon(region.command(verb))
      .description(
        verb === "evacuate"
          ? "drain a region at every service, in order of priority"
          : "take back what evacuations of a region drained",
      )
      .argument("<region>")
      .option("--reason <text>", "why, for those who read the history (required, never guessed)")
      .option("--dry-run", "show what would become of each service, with every rule's answer; move nothing")
      .addOption(
        new Option("--break-glass <rule...>", "safety rules to skip at every service, each by its name").choices(SKIPPABLE_RULES),
      )
      .option("--watch", "follow it to its end, a line for each service (without it only in a terminal)")
      .option("--no-watch", "answer as soon as it has begun")
      .option("--idempotency-key <key>", "give the same key to ask for the same answer again")
      .action((id: string, options: EvacuateOptions) => evacuate(terminal, verb, id, options));

  withCommon(region.command("stop"))
    .description("move no more: what moved stays where it is")
    .argument("<id>")
    .option("--reason <text>", "why, for those who read the history (required, never guessed)")
    .action(async (id: string, options: CommonOptions & { reason?: string }) => {
      if (options.reason === undefined) throw new CommandFailure(EXIT.usage, REASON);
      const context = createContext(terminal, options);
      const stopped = need(await (await context.connect()).stopEvacuation(id, options.reason), context.paint);
      context.print(stopped, () => toEvacuation(stopped, context.paint));
    });

  withCommon(region.command("list"))
    .description("evacuations and returns, newest first")
    .option("--region <region>", "only of this region")
    .option("--cursor <id>", "go on where an earlier answer's `next` says")
    .action(async ({ region: of, cursor, ...options }: CommonOptions & { region?: string; cursor?: string }) => {
      const context = createContext(terminal, options);
      const query = { ...(of === undefined ? {} : { region: of }), ...(cursor === undefined ? {} : { cursor }) };
      const page = need(await (await context.connect()).evacuations(query), context.paint);
      context.print(page, () => toEvacuationPage(page, context.paint));
    });

  withCommon(region.command("show"))
    .description("one of them, with what became of each service")
    .argument("<id>")
    .option("--watch", "follow it to its end")
    .action(async (id: string, options: CommonOptions & { watch?: boolean }) => {
      const context = createContext(terminal, options);
      const client = await context.connect();
      const known = need(await client.evacuation(id), context.paint);
      if (options.watch) await follow(context, client, known);
      else context.print(known, () => toEvacuation(known, context.paint));
    });
};

const evacuate = async (
  terminal: Terminal,
  verb: "evacuate" | "return",
  region: string,
  options: EvacuateOptions,
): Promise<void> => {
  const { reason, dryRun, breakGlass, idempotencyKey, watch = terminal.isInteractive && options.json !== true } = options;
  if (reason === undefined) throw new CommandFailure(EXIT.usage, REASON);
  const context = createContext(terminal, options);
  const client = await context.connect();
  const asked = { reason, ...(dryRun === undefined ? {} : { dryRun }), ...(breakGlass === undefined ? {} : { breakGlass }) };
  const key = idempotencyKey === undefined ? {} : { idempotencyKey };
  const begun = need(await client[verb === "evacuate" ? "evacuate" : "returnTo"](region, asked, key), context.paint);
  if (begun.evacuation && watch) return follow(context, client, begun.evacuation);
  context.print(begun, () => [
    ...toEvacuationAnswer(begun, context.paint),
    ...(begun.evacuation ? [`Follow it: regent region show ${begun.evacuation.id} --watch`] : []),
  ]);
};

/** To its end. Whoever looks away stops nothing: it goes on in the server. A server that is away for a moment may have lost the lead. */
const follow = async (context: Context, client: Client, begun: Evacuation): Promise<void> => {
  const { paint, isJson, terminal } = context;
  const say = (lines: readonly string[]): void => {
    if (!isJson && lines.length > 0) terminal.out(`${lines.join("\n")}\n`);
  };
  say([...toEvacuationHead(begun, paint), ...toNews(null, begun, paint)]);
  let known = begun;
  for (let failed = 0; isOpen(known); ) {
    await sleep(EVACUATION_LOOK_MS);
    const answer = await client.evacuation(begun.id);
    if (answer.kind !== "ok" && ++failed < EVACUATION_LOOKS_FAILED_MAX) continue;
    const next = need(answer, paint);
    failed = 0;
    say(toNews(known, next, paint));
    known = next;
  }
  if (isJson) context.print(known, () => []);
  else say(toEvacuationHead(known, paint));
  if (isLeftBehind(known))
    throw new CommandFailure(EXIT.refused, `Not every service moved: regent region show ${known.id} says which and why.`);
};

const isOpen = ({ state, services }: Evacuation): boolean =>
  state === "running" || services.some((each) => each.state === "moving");
