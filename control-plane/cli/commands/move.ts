/** Commands that move traffic or stop it from moving. Region and reason are never guessed. */
import { type RuleId, SKIPPABLE_RULES } from "@regent/contract";
import type { Client, ClientAnswer } from "@regent/server/http/client.ts";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type CommonOptions, createContext, need, type Terminal, withCommon } from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import { toMove } from "../format/move.ts";

interface MoveOptions extends CommonOptions {
  readonly to?: string;
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly breakGlass?: RuleId[];
  readonly expectedRevision?: number;
  readonly idempotencyKey?: string;
}

export const addMoveCommands = (program: Command, terminal: Terminal): void => {
  moveCommand(program, "failover")
    .description("send a service's traffic to one region")
    .argument("<service>")
    .option("--to <region>", "the region to send it to (required, never guessed)")
    .action((service: string, options: MoveOptions) => {
      if (options.to === undefined) throw missing("--to", "the region that shall take the traffic");
      const { to } = options;
      return move(terminal, options, (client, asked, key) => client.failover(service, { to, ...asked }, key));
    });
  moveCommand(program, "failback")
    .description("give a service's traffic back to its strategy's first choice")
    .argument("<service>")
    .action((service: string, options: MoveOptions) =>
      move(terminal, options, (client, asked, key) => client.failback(service, asked, key)),
    );
  for (const verb of ["drain", "undrain"] as const)
    moveCommand(program, verb)
      .description(verb === "drain" ? "take a region out of a service's answers" : "let a drained region take traffic again")
      .argument("<service>")
      .argument("<region>")
      .action((service: string, region: string, options: MoveOptions) =>
        move(terminal, options, (client, asked, key) => client[verb](service, { region, ...asked }, key)),
      );
  addNames(program, terminal);
  addFreezes(program, terminal);
};

interface NameOptions extends Omit<MoveOptions, "breakGlass" | "to"> {
  readonly takeover?: string;
}

const addNames = (program: Command, terminal: Terminal): void => {
  nameCommand(program, "adopt")
    .description("make the records that stand at a service's name Regent's, with the traffic that they have")
    .option("--takeover <owner>", "whose epoch record stands there; stop that installation first")
    .action((service: string, options: NameOptions) =>
      move(terminal, options, (client, { breakGlass: _none, ...asked }, key) =>
        client.adopt(service, { ...asked, ...(options.takeover === undefined ? {} : { takeover: options.takeover }) }, key),
      ),
    );
  nameCommand(program, "release")
    .description("give a service's name up: its records stay as they are, and Regent no longer writes them")
    .action((service: string, options: NameOptions) =>
      move(terminal, options, (client, { breakGlass: _none, ...asked }, key) => client.release(service, asked, key)),
    );
};

const nameCommand = (program: Command, name: string): Command =>
  withCommon(program.command(name))
    .argument("<service>")
    .option("--reason <text>", "why, for those who read the history (required, never guessed)")
    .option("--dry-run", "show the exact batch; send nothing")
    .option("--expected-revision <n>", "refuse unless the service is still at this revision", toRevision)
    .option("--idempotency-key <key>", "give the same key to ask for the same answer again");

const moveCommand = (program: Command, name: string): Command =>
  withCommon(program.command(name))
    .option("--reason <text>", "why, for those who read the history (required, never guessed)")
    .option("--dry-run", "show the exact batch and every rule's answer; send nothing")
    .addOption(new Option("--break-glass <rule...>", "safety rules to skip, each by its name").choices(SKIPPABLE_RULES))
    .option("--expected-revision <n>", "refuse unless the service is still at this revision", toRevision)
    .option("--idempotency-key <key>", "give the same key to ask for the same answer again");

const toRevision = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("a whole number from 0");
  return Number(text);
};

const missing = (option: string, what: string): CommandFailure =>
  new CommandFailure(EXIT.usage, `${option} is missing: ${what}. It is never guessed.`);

const REASON = "why this is done, in words for those who read the history";

type Asked = { reason: string; dryRun?: boolean; breakGlass?: RuleId[]; expectedRevision?: number };
type Answered = ReturnType<Client["failover"]>;

const move = async (
  terminal: Terminal,
  options: MoveOptions,
  send: (client: Client, asked: Asked, key: { idempotencyKey?: string }) => Answered,
): Promise<void> => {
  const { reason, dryRun, breakGlass, expectedRevision, idempotencyKey } = options;
  if (reason === undefined) throw missing("--reason", REASON);
  const context = createContext(terminal, options);
  const asked: Asked = {
    reason,
    ...(dryRun === undefined ? {} : { dryRun }),
    ...(breakGlass === undefined ? {} : { breakGlass }),
    ...(expectedRevision === undefined ? {} : { expectedRevision }),
  };
  const answer = await send(await context.connect(), asked, idempotencyKey === undefined ? {} : { idempotencyKey });
  const made = need(answer, context.paint);
  const isReplay = answer.kind === "ok" && answer.isReplay;
  context.print(made, () => [
    ...(isReplay ? ["This key was used before for the same request: its answer again, nothing done twice."] : []),
    ...toMove(made, context.paint),
  ]);
};

interface FreezeOptions extends CommonOptions {
  readonly region?: string;
  readonly global?: boolean;
  readonly reason?: string;
}

const addFreezes = (program: Command, terminal: Terminal): void => {
  for (const verb of ["freeze", "unfreeze"] as const)
    withCommon(program.command(verb))
      .description(verb === "freeze" ? "automation off, in DNS too" : "automation on again")
      .argument("[service]")
      .option("--region <region>", "only this region of the service; without a service, this region at every service")
      .option("--global", "every service")
      .option("--reason <text>", "why, for those who read the history (required, never guessed)")
      .action(async (service: string | undefined, options: FreezeOptions) => {
        const target = toTarget(service, options);
        if (options.reason === undefined) throw missing("--reason", REASON);
        const context = createContext(terminal, options);
        const answer: ClientAnswer<{ why: string }> = await (await context.connect())[verb](target, options.reason);
        const set = need(answer, context.paint);
        context.print(set, () => [set.why]);
      });
};

/** Everything is frozen only by whoever says so. */
const toTarget = (service: string | undefined, { region, global }: FreezeOptions): { service?: string; region?: string } => {
  if (service === undefined && region === undefined && global !== true)
    throw missing("the service, --region or --global", "what shall be frozen");
  if (service !== undefined && global === true) throw new CommandFailure(EXIT.usage, "Either a service or --global, not both.");
  if (global === true && region !== undefined)
    throw new CommandFailure(
      EXIT.usage,
      "Either --region or --global, not both: --region without a service is that region at every service.",
    );
  return { ...(service === undefined ? {} : { service }), ...(region === undefined ? {} : { region }) };
};
