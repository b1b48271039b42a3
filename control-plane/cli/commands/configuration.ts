/** plan FILE and apply FILE: what the declaration would change, and making it so. Errors are told with file, line, column and a suggestion. */

import type { NameStep } from "@regent/contract";
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
      context.print(plan, () => [
        ...toLines(plan, `Nothing would change: version ${plan.baseVersion} says the same.`),
        ...toNameLines(plan.names),
      ]);
    });

  withCommon(program.command("apply"))
    .description("apply this file over the configuration in force")
    .argument("<file>", "a regent.yaml")
    .option("--takeover <owner>", "take over the names that this other owner marks as its own; stop its installation first")
    .option("--reason <text>", "why it is taken over, for those who read the history (required with --takeover)")
    .option("--base-version <n>", "refuse unless this version is still in force, as `plan --json` told it", Number)
    .action(async (file: string, options: ApplyOptions) => {
      const { takeover, reason } = options;
      if (takeover !== undefined && reason === undefined)
        throw new CommandFailure(EXIT.usage, "--reason is missing: why the names are taken over. It is never guessed.");
      const context = createContext(terminal, options);
      const text = await readValid(file);
      const client = await context.connect();
      const baseVersion = options.baseVersion ?? (await versionInForce(client, context));
      const applied = needValid(
        await client.applyConfiguration(text, baseVersion, takeover === undefined ? {} : { takeover }),
        context,
        file,
      );
      const taken =
        takeover === undefined ? null : await takeOver(client, context, { text, file, takeover, reason: reason ?? "" });
      context.print(taken === null ? applied : { ...applied, taken }, () =>
        toLines(applied, `Nothing changed: version ${applied.version} says the same.`).concat(
          applied.changed ? [`Version ${applied.version} is in force.`] : [],
          taken?.length === 0 ? [`No name of this file is marked as ${takeover}'s.`] : (taken ?? []).map(({ line }) => line),
        ),
      );
      const left = (taken ?? []).filter(({ isTaken }) => !isTaken).length;
      if (left > 0)
        throw new CommandFailure(
          EXIT.refused,
          `The file is applied, and ${left} of ${taken?.length} names were not taken over. Apply it again to go on.`,
        );
    });
};

interface ApplyOptions extends CommonOptions {
  readonly baseVersion?: number;
  readonly takeover?: string;
  readonly reason?: string;
}

interface Taken {
  readonly service: string;
  readonly isTaken: boolean;
  readonly line: string;
}

/** One name after the other, each its own change: what can't be taken over is told, and holds back no other. */
const takeOver = async (
  client: Client,
  context: Context,
  { text, file, takeover, reason }: { text: string; file: string; takeover: string; reason: string },
): Promise<readonly Taken[]> => {
  const { names } = needValid(await client.planConfiguration(text), context, file);
  const owned = names.filter(({ owner }) => owner === takeover);
  const taken: Taken[] = [];
  for (const { service } of owned) {
    const answer = await client.adopt(service, { takeover, reason });
    const line =
      answer.kind === "ok"
        ? `${service} is taken over from ${takeover}: revision ${answer.value.revision}.`
        : `! ${service} is not taken over: ${answer.kind === "problem" ? (answer.problem.detail ?? answer.problem.title) : answer.why}`;
    taken.push({ service, isTaken: answer.kind === "ok", line });
  }
  return taken;
};

const STEP_WORDS = {
  create: "is created",
  keep: "stays",
  adopt: "has to be adopted",
  takeover: "has to be taken over",
  release: "would be left behind",
  refused: "can't be taken",
  unread: "is not known",
} as const satisfies Record<NameStep["step"], string>;

export const toNameLines = (names: readonly NameStep[]): string[] =>
  names
    .filter(({ step }) => step !== "keep")
    .flatMap(({ service, step, lines }) => [`${service}: its name ${STEP_WORDS[step]}`, ...lines.map((line) => `    ${line}`)]);

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

export const needValid = <T>(answer: ClientAnswer<T>, { paint }: Context, file: string): T => {
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

export const toLines = (
  { changed, lines, warnings }: { changed: boolean; lines: string[]; warnings: string[] },
  same: string,
): string[] => [...(changed ? lines : [same]), ...warnings.map((warning) => `! ${warning}`)];
