/** change list|show|approve|refuse: moves that wait for a person. Which one is meant, and why, is never guessed. */
import type { Client } from "@regent/server/http/client.ts";
import type { Command } from "commander";
import { type CommonOptions, createContext, need, type Terminal, withCommon } from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import { toApprovalDetail, toApprovalLines, toRefused } from "../format/approvals.ts";
import { toChangeDetail } from "../format/history.ts";
import { toMove } from "../format/move.ts";

interface AnswerOptions extends CommonOptions {
  readonly reason?: string;
  readonly idempotencyKey?: string;
}

export const addChangeCommands = (program: Command, terminal: Terminal): void => {
  const changes = program.command("change").description("moves that wait for a person, and what became of one");

  withCommon(changes.command("list"))
    .description("those that wait, the first to lapse in front; then each service's last answer")
    .option("--waiting", "only those that wait")
    .action(async (options: CommonOptions & { waiting?: boolean }) => {
      const context = createContext(terminal, options);
      const answer = need(await (await context.connect()).approvals(), context.paint);
      const approvals = answer.approvals.filter(({ state }) => options.waiting !== true || state === "waiting");
      context.print({ approvals }, () => toApprovalLines(approvals, context.paint));
    });

  withCommon(changes.command("show"))
    .description("one of them: what would be done, and what asks; or a change that was made")
    .argument("<id>")
    .action(async (id: string, options: CommonOptions) => {
      const context = createContext(terminal, options);
      const client = await context.connect();
      const { approvals } = need(await client.approvals(), context.paint);
      const approval = approvals.find((one) => one.id === id);
      // An approved one becomes the change of the same id.
      const change = approval === undefined || approval.state === "approved" ? await client.change(id) : null;
      if (approval !== undefined && change?.kind !== "ok")
        return context.print(approval, () => toApprovalDetail(approval, context.paint));
      if (change !== null) {
        const made = need(change, context.paint);
        context.print(made, () => toChangeDetail(made, context.paint));
      }
    });

  answerCommand(changes, "approve")
    .description("make the move, if it is still what would be done")
    .action((id: string, options: AnswerOptions) =>
      answer(terminal, options, async (client, reason, key) => {
        const answered = await client.approve(id, reason, key);
        return { answered, lines: toMove };
      }),
    );
  answerCommand(changes, "refuse")
    .description("leave the traffic where it is; this move isn't asked for again")
    .action((id: string, options: AnswerOptions) =>
      answer(terminal, options, async (client, reason, key) => {
        const answered = await client.refuse(id, reason, key);
        return { answered, lines: toRefused };
      }),
    );
};

const answerCommand = (changes: Command, name: string): Command =>
  withCommon(changes.command(name))
    .argument("<id>")
    .option("--reason <text>", "why, for those who read the history (required, never guessed)")
    .option("--idempotency-key <key>", "give the same key to ask for the same answer again");

type Answered<T> = {
  readonly answered: Parameters<typeof need<T>>[0];
  readonly lines: (value: T, paint: Parameters<typeof need>[1]) => string[];
};

const answer = async <T>(
  terminal: Terminal,
  { reason, idempotencyKey, ...options }: AnswerOptions,
  send: (client: Client, reason: string, key: { idempotencyKey?: string }) => Promise<Answered<T>>,
): Promise<void> => {
  if (reason === undefined)
    throw new CommandFailure(
      EXIT.usage,
      "--reason is missing: why this is done, in words for those who read the history. It is never guessed.",
    );
  const context = createContext(terminal, options);
  const { answered, lines } = await send(await context.connect(), reason, idempotencyKey === undefined ? {} : { idempotencyKey });
  const value = need(answered, context.paint);
  const isReplay = answered.kind === "ok" && answered.isReplay;
  context.print(value, () => [
    ...(isReplay ? ["This key was used before for the same request: its answer again, nothing done twice."] : []),
    ...lines(value, context.paint),
  ]);
};
