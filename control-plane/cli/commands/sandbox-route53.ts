/** sandbox route53 and sandbox propagation: the API misbehaves, changes travel slowly. */
import { ROUTE53_FAULT_KINDS } from "@regent/sandbox/route53/faults.ts";
import { Argument, type Command, Option } from "commander";
import { type CommonOptions, createContext, needSandbox, type Terminal, withCommon } from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import { toNumber } from "./sandbox-numbers.ts";

interface Route53Options extends CommonOptions {
  readonly id?: string;
  readonly count?: number;
  readonly forMs?: number;
  readonly delayMs?: number;
  readonly perServerMs?: string[];
  readonly perSecond?: number;
  readonly operations?: string[];
  readonly status?: number;
  readonly applied?: boolean;
  readonly form?: string;
  readonly answered?: string;
}

export const addRoute53 = (sandbox: Command, terminal: Terminal): void => {
  withCommon(sandbox.command("route53"))
    .description("make the sandbox's Route 53 API or its propagation fail; `mend` ends all of it")
    .addArgument(new Argument("<fault>").choices([...ROUTE53_FAULT_KINDS, "mend"]))
    .option("--count <n>", "calls that it takes", toNumber)
    .option("--for-ms <ms>", "how long it stands", toNumber)
    .option("--operations <names...>", "calls that it fits; * is all, ChangeResourceRecordSets the default")
    .option("--delay-ms <ms>", "of `late-apply`, `strand`, `slow-propagation` and `duplicate`", toNumber)
    .option("--per-server-ms <ms...>", "of `staggered-propagation`, one number for each name server")
    .option("--status <code>", "of `server-error`: 500 or 503", toNumber)
    .option("--applied", "of `server-error`: the change is made nevertheless")
    .option("--no-applied", "of `truncated`, `empty` and `garbage`: the change is not made")
    .option("--form <form>", "of `truncated`: document or connection; of `empty`: body or document; of `garbage`: bytes or page")
    .addOption(new Option("--answered <which>", "of `duplicate`").choices(["first", "second"]))
    .option("--per-second <n>", "of `other-traffic`: calls that somebody else makes", toNumber)
    .option("--id <id>", "of `mend`: only this fault")
    .action(async (fault: string, options: Route53Options) => {
      const context = createContext(terminal, options);
      const client = await context.sandbox();
      if (fault === "mend") {
        const { id } = options;
        const mended = needSandbox(await client.mendRoute53(id === undefined ? {} : { id }));
        return context.print(mended, () => [`Route 53: ${id ?? "everything"} mended.`]);
      }
      const broken = needSandbox(await client.breakRoute53(toFault(fault, options)));
      context.print(broken, () => [`Route 53: ${fault}. \`regent sandbox route53 mend --id ${broken.id}\` ends it.`]);
    });
};

/** What a fault doesn't take is refused by the sandbox itself, which knows. */
const toFault = (kind: string, options: Route53Options): object => {
  const { count, forMs, delayMs, perServerMs, perSecond, operations, status, applied, form, answered } = options;
  const given = {
    count,
    forMs,
    delayMs,
    perServerMs: perServerMs?.map(toNumber),
    perSecond,
    operations,
    status,
    isApplied: applied,
    form,
    answered,
  };
  return { kind, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
};

interface PropagationOptions extends CommonOptions {
  readonly minMs?: number;
  readonly maxMs?: number;
  readonly perServerMs?: string[];
}

export const addPropagation = (sandbox: Command, terminal: Terminal): void => {
  withCommon(sandbox.command("propagation"))
    .description("set how long accepted changes take to reach the name servers; a setting, which `mend` leaves")
    .option("--min-ms <ms>", "drawn for each server and change, from here", toNumber)
    .option("--max-ms <ms>", "to here", toNumber)
    .option("--per-server-ms <ms...>", "instead: one number for each name server, the last for all further ones")
    .action(async (options: PropagationOptions) => {
      const context = createContext(terminal, options);
      const { minMs, maxMs, perServerMs } = options;
      if ((perServerMs === undefined) === (minMs === undefined || maxMs === undefined))
        throw new CommandFailure(EXIT.usage, "Give --min-ms and --max-ms, or --per-server-ms.");
      const wanted = perServerMs === undefined ? { minMs, maxMs } : { perServerMs: perServerMs.map(toNumber) };
      const answer = needSandbox(await (await context.sandbox()).setPropagation(wanted));
      context.print(answer, () => ["Set for all changes from now on, and for those on their way."]);
    });
};
