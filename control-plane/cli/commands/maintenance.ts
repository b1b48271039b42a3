/** maintenance plan|list|end: when regions are worked on. Region, time and reason are never guessed. */
import { MAINTENANCE_MINUTES_MAX, type MaintenanceRequest, OffsetTime } from "@regent/contract";
import { type Command, InvalidArgumentError } from "commander";
import { type CommonOptions, createContext, need, type Terminal, withCommon } from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import { toPlanned, toWindowLines } from "../format/maintenance.ts";

interface PlanOptions extends CommonOptions {
  readonly region?: string[];
  readonly service?: string[];
  readonly from?: number;
  readonly to?: number;
  readonly for?: number;
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly idempotencyKey?: string;
}

export const addMaintenanceCommands = (program: Command, terminal: Terminal): void => {
  const maintenance = program.command("maintenance").description("when regions are worked on, and so get no traffic");

  withCommon(maintenance.command("plan"))
    .description("plan a window: traffic leaves before it begins, and returns after its end")
    .option("--region <region...>", "the regions that are worked on (required, never guessed)")
    .option("--service <service...>", "only these services")
    .option("--from <time>", "when it begins, such as 2026-12-01T03:00+01:00 (now when absent)", toInstant)
    .option("--to <time>", "when it ends", toInstant)
    .option("--for <length>", "instead of --to: how long it lasts, such as 90m, 2h or 1d", toMinutes)
    .option("--reason <text>", "why, for those who read the history (required, never guessed)")
    .option("--dry-run", "show what would be planned, and what stands against it; plan nothing")
    .option("--idempotency-key <key>", "give the same key to ask for the same answer again")
    .action((options: PlanOptions) => plan(terminal, options));

  withCommon(maintenance.command("list"))
    .description("windows in force or to come, declared and planned")
    .action(async (options: CommonOptions) => {
      const context = createContext(terminal, options);
      const list = need(await (await context.connect()).maintenance(), context.paint);
      context.print(list, () => toWindowLines(list.windows, context.paint));
    });

  withCommon(maintenance.command("end"))
    .description("take a planned window back, or end it early; one of the configuration ends there")
    .argument("<id>")
    .option("--reason <text>", "why, for those who read the history (required, never guessed)")
    .option("--idempotency-key <key>", "give the same key to ask for the same answer again")
    .action(async (id: string, { reason, idempotencyKey, ...options }: PlanOptions) => {
      if (reason === undefined) throw missing("--reason", REASON);
      const context = createContext(terminal, options);
      const key = idempotencyKey === undefined ? {} : { idempotencyKey };
      const ended = need(await (await context.connect()).endMaintenance(id, reason, key), context.paint);
      context.print(ended, () => [`${ended.why}.`]);
    });
};

const REASON = "why this is done, in words for those who read the history";

const missing = (option: string, what: string): CommandFailure =>
  new CommandFailure(EXIT.usage, `${option} is missing: ${what}. It is never guessed.`);

const plan = async (terminal: Terminal, options: PlanOptions): Promise<void> => {
  const { region, service, from, to, for: minutes, reason, dryRun, idempotencyKey } = options;
  if (region === undefined) throw missing("--region", "the regions that are worked on");
  if ((to === undefined) === (minutes === undefined)) throw missing("one of --to and --for", "when the window ends");
  if (reason === undefined) throw missing("--reason", REASON);
  const context = createContext(terminal, options);
  const request: Omit<MaintenanceRequest, "dryRun"> & { readonly dryRun?: boolean } = {
    regions: region,
    reason,
    ...(service === undefined ? {} : { services: service }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(minutes === undefined ? {} : { minutes }),
    ...(dryRun === undefined ? {} : { dryRun }),
  };
  const key = idempotencyKey === undefined ? {} : { idempotencyKey };
  const answered = await (await context.connect()).planMaintenance(request, key);
  const planned = need(answered, context.paint);
  const isReplay = answered.kind === "ok" && answered.isReplay;
  context.print(planned, () => [
    ...(isReplay ? ["This key was used before for the same request: its answer again, nothing done twice."] : []),
    ...toPlanned(planned, context.paint),
  ]);
};

const toInstant = (text: string): number => {
  const read = OffsetTime.safeParse(text);
  if (!read.success) throw new InvalidArgumentError(read.error.issues[0]?.message ?? "a moment with its offset");
  return Date.parse(read.data);
};

const MINUTES = { m: 1, h: 60, d: 1_440 } as const;

const toMinutes = (text: string): number => {
  const [, count, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  const minutes = Number(count) * MINUTES[(unit ?? "m") as keyof typeof MINUTES];
  if (!(minutes >= 1 && minutes <= MAINTENANCE_MINUTES_MAX))
    throw new InvalidArgumentError("a length from 1m to 7d, such as 90m, 2h or 1d");
  return minutes;
};
