/**
 * `regent offline`: for the night on which there is no control plane and no database. Needs this program, AWS credentials and the configuration file.
 * It shows what DNS says, fails a service over, and freezes; whoever leads afterwards obeys (docs/runbooks/offline.md).
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Observed, ServiceSpec } from "@regent/engine";
import type { OfflineWish } from "@regent/engine/plan/offline.ts";
import { createIds } from "@regent/server/adapters/system/ids.ts";
import { parseDeclaration, toErrorLines } from "@regent/server/configuration/parse-declaration.ts";
import { toServiceSpecs } from "@regent/server/configuration/to-specs.ts";
import type { DnsProvider } from "@regent/server/ports/dns-provider.ts";
import type { Command } from "commander";
import { type Context, createContext, readGiven, type Terminal } from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import { lookAt, openRoute53 } from "../offline/route53.ts";
import { toOfflineView, toOfflineViews } from "../offline/show-offline.ts";
import { writeOffline } from "../offline/write-offline.ts";

interface OfflineOptions {
  readonly config?: string;
  readonly json?: boolean;
}

interface WriteOptions extends OfflineOptions {
  readonly to?: string;
  readonly all?: boolean;
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly record?: string;
}

export const addOfflineCommands = (program: Command, terminal: Terminal): void => {
  const offline = program
    .command("offline")
    .description("without a control plane: show DNS, fail over, freeze; with AWS credentials and the configuration file alone");
  withFile(offline.command("status"))
    .description("what Route 53 holds of every declared service")
    .action((options: OfflineOptions) =>
      withDns(terminal, options, async ({ provider, specs, context }) => {
        const observed = await need(provider, specs);
        const views = specs.flatMap((spec) => {
          const seen = observed.get(spec.id);
          return seen ? [toOfflineView(spec, seen)] : [];
        });
        context.print(views, () => toOfflineViews(views, context.paint));
      }),
    );
  writeCommand(offline.command("failover"))
    .description("send a service's traffic to one region, frozen in DNS")
    .argument("<service>")
    .option("--to <region>", "the region to send it to (required, never guessed)")
    .action((service: string, options: WriteOptions) => {
      const { to } = options;
      if (to === undefined) throw missing("--to", "the region that shall take the traffic");
      return write(terminal, options, { service, wish: { kind: "failover", to } });
    });
  writeCommand(offline.command("freeze"))
    .description("automation off, in DNS: whoever leads later leaves the traffic as it is")
    .argument("[service]")
    .option("--all", "every declared service, one batch each")
    .action((service: string | undefined, options: WriteOptions) => {
      if (service === undefined && options.all !== true) throw missing("the service, or --all", "what shall be frozen");
      if (service !== undefined && options.all === true)
        throw new CommandFailure(EXIT.usage, "Either a service or --all, not both.");
      return write(terminal, options, { service: service ?? null, wish: { kind: "freeze" } });
    });
};

const withFile = (command: Command): Command =>
  command
    .option("--config <file>", "the regent.yaml that is in force, or a copy of it (REGENT_CONFIG)")
    .option("--json", "one JSON value on stdout instead of text");

const writeCommand = (command: Command): Command =>
  withFile(command)
    .option("--reason <text>", "why; AWS keeps it as the change's comment (required, never guessed)")
    .option("--dry-run", "show the exact batch; send nothing")
    .option("--yes", "write it without asking: for scripts, where there is no terminal to ask on")
    .option("--record <file>", "append what is written, why, and what became of it, a JSON line each");

const missing = (option: string, what: string): CommandFailure =>
  new CommandFailure(EXIT.usage, `${option} is missing: ${what}. It is never guessed.`);

interface Dns {
  readonly provider: DnsProvider;
  readonly specs: readonly ServiceSpec[];
  readonly context: Context;
}

const withDns = async (terminal: Terminal, options: OfflineOptions, work: (dns: Dns) => Promise<void>): Promise<void> => {
  const context = createContext(terminal, options);
  const file = options.config ?? terminal.env.REGENT_CONFIG;
  if (!file) throw missing("--config", "the regent.yaml that says which names there are");
  const parsed = parseDeclaration(await readGiven(file), file);
  if (parsed.kind === "invalid") throw new CommandFailure(EXIT.usage, toErrorLines(parsed).join("\n"));
  const provider = openRoute53(terminal.env);
  try {
    await work({ provider, specs: toServiceSpecs(parsed.declaration), context });
  } finally {
    provider.close();
  }
};

const need = async (provider: DnsProvider, specs: readonly ServiceSpec[]): Promise<ReadonlyMap<string, Observed>> => {
  const looked = await lookAt(provider, specs);
  if (looked.kind === "seen") return looked.observed;
  throw new CommandFailure(looked.isDenied ? EXIT.refused : EXIT.unreachable, `Route 53 can't be read: ${looked.why}`);
};

interface Wanted {
  /** Null: all of them. */
  readonly service: string | null;
  readonly wish: OfflineWish;
}

const write = (terminal: Terminal, options: WriteOptions, { service, wish }: Wanted): Promise<void> => {
  const { reason, dryRun = false, yes = false, record } = options;
  if (reason === undefined || reason.trim() === "") throw missing("--reason", "why this is done, for those who look at it later");
  return withDns(terminal, options, async ({ provider, specs, context }) => {
    const chosen = service === null ? specs : specs.filter(({ id }) => id === service);
    const [first] = chosen;
    if (first === undefined) throw notDeclared(`service ${service}`, specs);
    if (wish.kind === "failover" && !first.endpoints.some(({ region }) => region === wish.to))
      throw notDeclared(
        `region ${wish.to} of ${first.id}`,
        first.endpoints.map(({ region: id }) => ({ id })),
      );
    await writeOffline(
      { provider, context, ids: createIds(), monotonic: () => performance.now(), sleep, now: () => new Date() },
      { wish, reason, isDryRun: dryRun, isConfirmed: yes, word: service ?? "all", record },
      chosen,
      await need(provider, chosen),
    );
  });
};

const notDeclared = (what: string, known: readonly { readonly id: string }[]): CommandFailure =>
  new CommandFailure(
    EXIT.notFound,
    `There is no ${what} in this file. It declares ${known.map(({ id }) => id).join(", ") || "none"}.`,
  );
