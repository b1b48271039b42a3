/**
 * configuration list|show|rollback: what was in force, and going back to it. Going back is applying an older text over the version in force, with
 * every check of today and a version of its own: nothing is ever taken out of the list.
 */
import type { ApplyAnswer, PlanAnswer } from "@regent/contract";
import { parseDeclaration, toErrorLines } from "@regent/server/configuration/parse-declaration.ts";
import type { Client } from "@regent/server/http/client.ts";
import type { Command } from "commander";
import { type CommonOptions, type Context, createContext, need, type Terminal, withCommon } from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import { toVersionLines } from "../format/configuration-versions.ts";
import { needValid, toLines, toNameLines } from "./configuration.ts";

interface RollbackOptions extends CommonOptions {
  readonly to?: number;
  readonly reason: string;
  readonly dryRun?: boolean;
}

export const addConfigurationVersionCommands = (program: Command, terminal: Terminal): void => {
  const configuration = program.command("configuration").description("versions that were applied, and going back to one");

  withCommon(configuration.command("list"))
    .description("newest first: who applied it, when, and what it changed")
    .option("--cursor <version>", "go on where an earlier answer's `next` says", toVersion)
    .action(async ({ cursor, ...options }: CommonOptions & { cursor?: number }) => {
      const context = createContext(terminal, options);
      const client = await context.connect();
      const page = need(await client.configurationVersions(cursor === undefined ? {} : { cursor }), context.paint);
      context.print(page, () => toVersionLines(page, context.paint));
    });

  withCommon(configuration.command("show"))
    .description("the text of one version, exactly as it was applied")
    .argument("<version>", "its number", toVersion)
    .action(async (version: number, options: CommonOptions) => {
      const context = createContext(terminal, options);
      const detail = need(await (await context.connect()).configurationVersion(version), context.paint);
      if (context.isJson) context.print(detail, () => []);
      else terminal.out(detail.text);
    });

  withCommon(configuration.command("rollback"))
    .description("apply the text of an older version over the one in force")
    .option("--to <version>", "the version before the one in force, unless it is named", toVersion)
    .requiredOption("--reason <text>", "why; it is kept in history")
    .option("--dry-run", "what would change; nothing is applied")
    .action(async (options: RollbackOptions) => {
      const context = createContext(terminal, options);
      const client = await context.connect();
      const back = await planBack(client, context, options.to);
      const told = toNameLines(back.plan.names);
      if (options.dryRun) return context.print(back, () => [...toLines(back.plan, ""), ...told]);
      const reason = `back to version ${back.to}: ${options.reason}`;
      const applied: ApplyAnswer = needValid(
        await client.applyConfiguration(back.text, back.from, { reason }),
        context,
        `version ${back.to}`,
      );
      context.print({ ...applied, from: back.from, to: back.to }, () => [
        ...toLines(applied, ""),
        ...told,
        `Version ${applied.version} is in force. It says what version ${back.to} said; --to ${back.from} goes forward again.`,
      ]);
    });
};

interface Back {
  readonly from: number;
  readonly to: number;
  readonly text: string;
  readonly plan: PlanAnswer;
}

/** Refused here where a sentence about versions says more than the server's about a text; the server looks at everything again. */
const planBack = async (client: Client, context: Context, named: number | undefined): Promise<Back> => {
  const inForce = need(await client.configuration(), context.paint);
  const from = inForce.version;
  const to = named ?? from - 1;
  if (to < 1) throw refused("Version 1 is in force, and none was before it.");
  if (to === from) throw refused(`Version ${from} is in force already.`);
  const { text } = need(await client.configurationVersion(to), context.paint);
  const older = parseDeclaration(text, `version ${to}`);
  if (older.kind === "invalid")
    throw refused([...toErrorLines(older), `Version ${to} isn't valid today; nothing was changed.`].join("\n"));
  const current = parseDeclaration(inForce.text, `version ${from}`);
  if (current.kind === "valid" && current.declaration.owner !== older.declaration.owner)
    throw refused(
      `Version ${to} is of the owner ${older.declaration.owner}, and version ${from} of ${current.declaration.owner}, as every epoch record in DNS says. ` +
        `Save its text with \`regent configuration show ${to}\` and apply it with --takeover ${current.declaration.owner}.`,
    );
  const plan = needValid(await client.planConfiguration(text), context, `version ${to}`);
  if (plan.baseVersion !== from)
    throw refused(`Version ${plan.baseVersion} is in force by now, and not ${from} any more: look again.`);
  if (!plan.changed) throw refused(`Version ${to} says the same as version ${from}, which is in force.`);
  return { from, to, text, plan };
};

const refused = (why: string): CommandFailure => new CommandFailure(EXIT.refused, why);

const toVersion = (text: string): number => {
  if (/^[1-9][0-9]{0,14}$/.test(text)) return Number(text);
  throw new CommandFailure(EXIT.usage, `A version is a number from 1, not ${text}.`);
};
