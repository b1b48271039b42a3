/** transfer list|show|stop: the writable role of stateful services on its way. */
import type { Command } from "commander";
import { type CommonOptions, createContext, need, type Terminal, withCommon } from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import { toTransferDetail, toTransferLines } from "../format/transfers.ts";

export const addTransferCommands = (program: Command, terminal: Terminal): void => {
  const transfers = program.command("transfer").description("the writable role of stateful services, led from region to region");

  withCommon(transfers.command("list"))
    .description("each service's last one, those under way in front")
    .action(async (options: CommonOptions) => {
      const context = createContext(terminal, options);
      const answer = need(await (await context.connect()).transfers(), context.paint);
      context.print(answer, () => toTransferLines(answer, context.paint));
    });

  withCommon(transfers.command("show"))
    .description("a service's last one, and who may write now")
    .argument("<service>")
    .action(async (service: string, options: CommonOptions) => {
      const context = createContext(terminal, options);
      const client = await context.connect();
      const { transfers: known } = need(await client.transfers(), context.paint);
      const transfer = known.find((one) => one.service === service);
      if (!transfer) throw new CommandFailure(EXIT.notFound, `There was no transfer of ${service}.`);
      const role = need(await client.role(service), context.paint);
      context.print({ transfer, role }, () => toTransferDetail(transfer, role, context.paint));
    });

  withCommon(transfers.command("stop"))
    .description("end it: traffic stays where it is; a hook that was asked may have acted")
    .argument("<service>")
    .requiredOption("--reason <text>", "why; it is kept in history")
    .option("--idempotency-key <key>", "the same key asks for the answer of the same request again")
    .action(async (service: string, options: CommonOptions & { reason: string; idempotencyKey?: string }) => {
      const context = createContext(terminal, options);
      const { reason, idempotencyKey } = options;
      const client = await context.connect();
      const stopped = await client.stopTransfer(service, reason, idempotencyKey === undefined ? {} : { idempotencyKey });
      const transfer = need(stopped, context.paint);
      context.print(transfer, () => toTransferLines({ transfers: [transfer] }, context.paint));
    });
};
