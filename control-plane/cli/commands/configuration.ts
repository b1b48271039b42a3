/** plan FILE and apply FILE: what the declaration would change, and making it so. Errors are told with file, line, column and a suggestion. */

import { parseDeclaration, toErrorLines } from "@regent/server/configuration/parse-declaration.ts";
import type { Client, ClientAnswer } from "@regent/server/http/client.ts";
import type { Command } from "commander";
import {
  type CommonOptions,
  type Context,
  createContext,
  need,
  problemText,
  readGiven,
  type Terminal,
  withCommon,
} from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";

export const addConfigurationCommands = (program: Command, terminal: Terminal): void => {
  withCommon(program.command("plan"))
    .description("what applying this file would change; all its errors at once")
    .argument("<file>", "a regent.yaml")
    .action(async (file: string, options: CommonOptions) => {
      const context = createContext(terminal, options);
      const text = await readValid(file);
      const plan = needValid(await (await context.connect()).planConfiguration(text), context, file);
      context.print(plan, () => toLines(plan, `Nothing would change: version ${plan.baseVersion} says the same.`));
    });

  withCommon(program.command("apply"))
    .description("apply this file over the configuration in force")
    .argument("<file>", "a regent.yaml")
    .option("--base-version <n>", "refuse unless this version is still in force, as `plan --json` told it", Number)
    .action(async (file: string, options: CommonOptions & { baseVersion?: number }) => {
      const context = createContext(terminal, options);
      const text = await readValid(file);
      const client = await context.connect();
      const baseVersion = options.baseVersion ?? (await versionInForce(client, context));
      const applied = needValid(await client.applyConfiguration(text, baseVersion), context, file);
      context.print(applied, () =>
        toLines(applied, `Nothing changed: version ${applied.version} says the same.`).concat(
          applied.changed ? [`Version ${applied.version} is in force.`] : [],
        ),
      );
    });
};

/** Read here first, so that a mistake is told without a server; the server reads it again. */
const readValid = async (file: string): Promise<string> => {
  const text = await readGiven(file);
  const parsed = parseDeclaration(text, file);
  if (parsed.kind === "valid") return text;
  const lines = toErrorLines(parsed);
  throw new CommandFailure(
    EXIT.usage,
    [...lines, `${lines.length} ${lines.length === 1 ? "error" : "errors"}; nothing was changed.`].join("\n"),
  );
};

const needValid = <T>(answer: ClientAnswer<T>, { paint }: Context, file: string): T => {
  if (answer.kind === "problem" && answer.problem.type.endsWith("/invalid-configuration"))
    throw new CommandFailure(EXIT.usage, problemText(answer.problem, paint, file));
  return need(answer, paint);
};

const versionInForce = async (client: Client, { paint }: Context): Promise<number> => {
  const answer = await client.configuration();
  // None is in force before the first one is applied.
  if (answer.kind === "problem" && answer.problem.status === 404) return 0;
  return need(answer, paint).version;
};

const toLines = (
  { changed, lines, warnings }: { changed: boolean; lines: string[]; warnings: string[] },
  same: string,
): string[] => [...(changed ? lines : [same]), ...warnings.map((warning) => `! ${warning}`)];
