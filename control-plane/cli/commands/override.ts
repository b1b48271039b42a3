/** override set|list|end: standing decisions with an expiry. Region, length and reason are never guessed. */
import { type OverrideWhat, type RuleId, SKIPPABLE_RULES } from "@regent/contract";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type CommonOptions, createContext, need, type Terminal, withCommon } from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import { toMove } from "../format/move.ts";
import { toOverrideLines } from "../format/overrides.ts";

interface SetOptions extends CommonOptions {
  /** Seconds. */
  readonly for?: number;
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly breakGlass?: RuleId[];
  readonly expectedRevision?: number;
  readonly idempotencyKey?: string;
}

type EndOptions = Pick<SetOptions, "reason" | "idempotencyKey"> & CommonOptions;

export const addOverrideCommands = (program: Command, terminal: Terminal): void => {
  const overrides = program.command("override").description("an operator's standing decision that runs out by itself");

  withCommon(overrides.command("set"))
    .description("take a region as fit (on), take it out (off), pin shares, or freeze, for a while")
    .argument("<service>")
    .argument("<what>", "on REGION, off REGION, pin REGION=SHARE …, or freeze")
    .argument("[regions...]", "the region; or shares, such as eu-west=0.7 us-east=0.3")
    .option("--for <length>", "how long it counts, such as 90m, 4h or 2d, at most 7d (required, never guessed)", toSeconds)
    .option("--reason <text>", "why, for those who read the history (required, never guessed)")
    .option("--dry-run", "show the exact batch and every rule's answer; keep and send nothing")
    .addOption(
      new Option("--break-glass <rule...>", "safety rules that its moves skip, each by its name").choices(SKIPPABLE_RULES),
    )
    .option("--expected-revision <n>", "refuse unless the service is still at this revision", toRevision)
    .option("--idempotency-key <key>", "give the same key to ask for the same answer again")
    .action((service: string, what: string, regions: string[], options: SetOptions) =>
      set(terminal, service, toWhat(what, regions), options),
    );

  withCommon(overrides.command("list"))
    .description("what stands, of one service or of all")
    .argument("[service]")
    .action(async (service: string | undefined, options: CommonOptions) => {
      const context = createContext(terminal, options);
      const overview = need(await (await context.connect()).overview(), context.paint);
      if (service !== undefined && !overview.services.some(({ id }) => id === service))
        throw new CommandFailure(EXIT.notFound, `There is no service ${service}.`);
      const listed = overview.services
        .filter(({ id }) => service === undefined || id === service)
        .flatMap(({ id, overrides: standing = [] }) => standing.map((override) => ({ service: id, override })));
      context.print({ overrides: listed }, () => toOverrideLines(listed, overview.at, context.paint));
    });

  withCommon(overrides.command("end"))
    .description("end one before its time: traffic goes back by a normal change")
    .argument("<id>")
    .option("--reason <text>", "why, for those who read the history (required, never guessed)")
    .option("--idempotency-key <key>", "give the same key to ask for the same answer again")
    .action((id: string, options: EndOptions) => end(terminal, id, options));
};

const set = async (terminal: Terminal, service: string, what: OverrideWhat, options: SetOptions): Promise<void> => {
  const { for: forSeconds, reason, dryRun, breakGlass, expectedRevision, idempotencyKey } = options;
  if (forSeconds === undefined) throw missing("--for", "how long it counts");
  if (reason === undefined) throw missing("--reason", REASON);
  const context = createContext(terminal, options);
  const request = {
    what,
    forSeconds,
    reason,
    ...(dryRun === undefined ? {} : { dryRun }),
    ...(breakGlass === undefined ? {} : { breakGlass }),
    ...(expectedRevision === undefined ? {} : { expectedRevision }),
  };
  const client = await context.connect();
  const answer = await client.setOverride(service, request, idempotencyKey === undefined ? {} : { idempotencyKey });
  const made = need(answer, context.paint);
  const isReplay = answer.kind === "ok" && answer.isReplay;
  context.print(made, () => [
    ...(isReplay ? ["This key was used before for the same request: its answer again, nothing done twice."] : []),
    ...(made.override === null ? [] : [`override ${made.override.id} until ${new Date(made.override.until).toISOString()}`]),
    ...toMove(made, context.paint),
  ]);
};

const end = async (terminal: Terminal, id: string, { reason, idempotencyKey, ...options }: EndOptions): Promise<void> => {
  if (reason === undefined) throw missing("--reason", REASON);
  const context = createContext(terminal, options);
  const client = await context.connect();
  const { services } = need(await client.overview(), context.paint);
  const service = services.find(({ overrides = [] }) => overrides.some((one) => one.id === id));
  if (!service)
    throw new CommandFailure(EXIT.notFound, `There is no override ${id} that stands: regent override list shows those that do.`);
  const key = idempotencyKey === undefined ? {} : { idempotencyKey };
  const ended = need(await client.endOverride(service.id, id, reason, key), context.paint);
  context.print(ended, () => [`${ended.why}.`]);
};

const REASON = "why this is done, in words for those who read the history";

const missing = (option: string, what: string): CommandFailure =>
  new CommandFailure(EXIT.usage, `${option} is missing: ${what}. It is never guessed.`);

const toWhat = (what: string, regions: readonly string[]): OverrideWhat => {
  const [region, ...more] = regions;
  switch (what) {
    case "on":
    case "off":
      if (region === undefined || more.length > 0) throw new CommandFailure(EXIT.usage, `${what} takes one region.`);
      return { kind: what, region };
    case "pin":
      if (region === undefined) throw new CommandFailure(EXIT.usage, "pin takes shares, such as eu-west=0.7 us-east=0.3.");
      return { kind: "pin", shares: Object.fromEntries(regions.map(toShare)) };
    case "freeze":
      if (region !== undefined) throw new CommandFailure(EXIT.usage, "freeze takes no region: regent freeze --region does.");
      return { kind: "freeze" };
    default:
      throw new CommandFailure(EXIT.usage, `${what} is no override: on, off, pin or freeze.`);
  }
};

const toShare = (text: string): readonly [string, number] => {
  const [, region, number, percent] = /^([a-z0-9-]+)=(\d{1,3}(?:\.\d{1,6})?)(%?)$/.exec(text) ?? [];
  if (region === undefined) throw new CommandFailure(EXIT.usage, `${text} is no share: write eu-west=0.7 or eu-west=70%.`);
  return [region, percent === "%" ? Number(number) / 100 : Number(number)];
};

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

const toSeconds = (text: string): number => {
  const [, count, unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError("a length such as 90m, 4h or 2d");
  return Number(count) * (UNIT_SECONDS[unit] ?? 0);
};

const toRevision = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("a whole number from 0");
  return Number(text);
};
