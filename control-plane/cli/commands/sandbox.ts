/** sandbox …: break things and mend them. Talks to the sandbox's control, and to the supervisor for the parts that are no agents. */
import { LinkCutMode, REGION_FAULT_NAMES, type RegionFaultRequest } from "@regent/sandbox/faults.ts";
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import {
  type CommonOptions,
  type Context,
  createContext,
  needSandbox,
  notRunning,
  type Terminal,
  withCommon,
} from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import { readText } from "../up/home.ts";

const ROUTE53_FAULTS = [
  "throttle",
  "server-error",
  "timeout-before",
  "timeout-after",
  "late-apply",
  "prior-request",
  "slow-propagation",
  "staggered-propagation",
] as const;

export const addSandboxCommands = (program: Command, terminal: Terminal): void => {
  const sandbox = program
    .command("sandbox")
    .description("break and mend the world that `regent up` runs: regions, links, agents, Route 53, our own parts");
  addRegions(sandbox, terminal);
  addLinks(sandbox, terminal);
  addAgents(sandbox, terminal);
  addRoute53(sandbox, terminal);
  addOwnParts(sandbox, terminal);
};

const number = (text: string): number => {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("a number");
  return value;
};

interface BreakOptions extends CommonOptions {
  readonly delayMs?: number;
  readonly rate?: number;
  readonly seed?: number;
  readonly mode?: "fast" | "immediate";
  readonly agents?: boolean | string[];
}

const addRegions = (sandbox: Command, terminal: Terminal): void => {
  withCommon(sandbox.command("break"))
    .description("make a region fail")
    .argument("<region>")
    .addArgument(new Argument("<fault>").choices(REGION_FAULT_NAMES))
    .option("--delay-ms <ms>", "of `slow`", number)
    .option("--rate <0..1>", "of `random`", number)
    .option("--seed <n>", "of `random`", number)
    .addOption(new Option("--mode <mode>", "of `database-down`").choices(["fast", "immediate"]))
    .option("--agents [ids...]", "with `dead`: its agents too; with `agents-dead`: only these")
    .action(async (region: string, fault: string, options: BreakOptions) => {
      const context = createContext(terminal, options);
      const changed = needSandbox(await (await context.sandbox()).breakRegion(region, toFault(fault, options)));
      context.print(changed, () => [`${region}: ${fault}. \`regent sandbox mend ${region}\` mends it.`]);
    });
  withCommon(sandbox.command("mend"))
    .description("mend a region with its agents; without one, everything that was broken in the sandbox")
    .argument("[region]")
    .addOption(new Option("--fault <fault>", "only this fault of the region").choices(REGION_FAULT_NAMES))
    .action(async (region: string | undefined, options: CommonOptions & { fault?: RegionFaultRequest["fault"] }) => {
      const context = createContext(terminal, options);
      const client = await context.sandbox();
      const { fault } = options;
      if (region === undefined) {
        const everything = needSandbox(await client.mendEverything());
        return context.print(everything, () => ["Everything is mended."]);
      }
      const changed = needSandbox(await client.mendRegion(region, fault === undefined ? {} : { fault }));
      context.print(changed, () => [`${region}: mended.`]);
    });
};

/** Numbers that a fault doesn't take are refused by the sandbox itself, which knows them. */
const toFault = (fault: string, { delayMs, rate, seed, mode, agents }: BreakOptions): RegionFaultRequest =>
  ({
    fault,
    ...(delayMs === undefined ? {} : { delayMs }),
    ...(rate === undefined ? {} : { rate }),
    ...(seed === undefined ? {} : { seed }),
    ...(mode === undefined ? {} : { mode }),
    ...(agents === undefined ? {} : { agents }),
  }) as RegionFaultRequest;

interface LinkOptions extends CommonOptions {
  readonly from?: string;
  readonly to?: string;
  readonly mode?: (typeof LinkCutMode.options)[number];
}

const addLinks = (sandbox: Command, terminal: Terminal): void => {
  const ends = (command: Command): Command =>
    withCommon(command)
      .option("--from <vantage>", "such as eu-west/net-a")
      .option("--to <target>", "control-plane, REGION/api or REGION/database");
  const choice = ({ from, to }: LinkOptions): { from?: string; to?: string } => {
    if (from === undefined && to === undefined)
      throw new CommandFailure(EXIT.usage, "Name the link: --from a vantage, --to a target, or both.");
    return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  };
  ends(sandbox.command("cut"))
    .description("cut the links from a vantage, to a target, or the one between both")
    .addOption(new Option("--mode <mode>", "how").choices(LinkCutMode.options).default("blackhole"))
    .action(async (options: LinkOptions) => {
      const cut = { ...choice(options), ...(options.mode === undefined ? {} : { mode: options.mode }) };
      const context = createContext(terminal, options);
      const { links } = needSandbox(await (await context.sandbox()).cutLinks(cut));
      context.print({ links }, () => links.map(({ from, to, cut }) => `${from} -> ${to}: cut (${cut})`));
    });
  ends(sandbox.command("mend-link"))
    .description("mend links")
    .action(async (options: LinkOptions) => {
      const chosen = choice(options);
      const context = createContext(terminal, options);
      const { links } = needSandbox(await (await context.sandbox()).mendLinks(chosen));
      context.print({ links }, () => links.map(({ from, to }) => `${from} -> ${to}: mended`));
    });
};

const addAgents = (sandbox: Command, terminal: Terminal): void => {
  for (const verb of ["kill-agent", "start-agent"] as const)
    withCommon(sandbox.command(verb))
      .description(verb === "kill-agent" ? "kill an agent for good" : "start a killed agent again")
      .argument("<agent>", "such as eu-west-a")
      .action(async (agent: string, options: CommonOptions) => {
        const context = createContext(terminal, options);
        const client = await context.sandbox();
        const wanted = needSandbox(await (verb === "kill-agent" ? client.killAgent(agent) : client.startAgent(agent)));
        context.print(wanted, () => wanted.agents.map(({ id, vantage, wanted }) => `${id}  ${vantage}  ${wanted}`));
      });
};

interface Route53Options extends CommonOptions {
  readonly count?: number;
  readonly forMs?: number;
  readonly delayMs?: number;
  readonly perServerMs?: string[];
  readonly operations?: string[];
  readonly applied?: boolean;
}

const addRoute53 = (sandbox: Command, terminal: Terminal): void => {
  withCommon(sandbox.command("route53"))
    .description("make the sandbox's Route 53 API or its propagation fail; `mend` ends all of it")
    .addArgument(new Argument("<fault>").choices([...ROUTE53_FAULTS, "mend"]))
    .option("--count <n>", "calls that it takes", number)
    .option("--for-ms <ms>", "how long it stands", number)
    .option("--delay-ms <ms>", "of `late-apply` and `slow-propagation`", number)
    .option("--per-server-ms <ms...>", "of `staggered-propagation`, one number for each name server")
    .option("--operations <names...>", "calls that it fits; * is all, ChangeResourceRecordSets the default")
    .option("--applied", "of `server-error`: the change is made nevertheless")
    .action(async (fault: string, options: Route53Options) => {
      const context = createContext(terminal, options);
      const client = await context.sandbox();
      const answer = needSandbox(
        await (fault === "mend" ? client.mendRoute53() : client.breakRoute53(toRoute53Fault(fault, options))),
      );
      context.print(answer, () => [
        fault === "mend" ? "Route 53: mended." : `Route 53: ${fault}. \`regent sandbox route53 mend\` ends it.`,
      ]);
    });
};

const toRoute53Fault = (kind: string, { count, forMs, delayMs, perServerMs, operations, applied }: Route53Options): object => ({
  kind,
  ...(count === undefined ? {} : { count }),
  ...(forMs === undefined ? {} : { forMs }),
  ...(delayMs === undefined ? {} : { delayMs }),
  ...(perServerMs === undefined ? {} : { perServerMs: perServerMs.map(number) }),
  ...(operations === undefined ? {} : { operations }),
  ...(applied === undefined ? {} : { isApplied: applied }),
});

/** Our own parts: with the server stopped one sees that the answers stay, and that native checks still leave a dead primary. */
const addOwnParts = (sandbox: Command, terminal: Terminal): void => {
  for (const verb of ["stop", "kill", "start"] as const)
    withCommon(sandbox.command(verb))
      .description(
        {
          stop: "stop a part of `regent up` in order, and leave it stopped",
          kill: "kill -9 a part of `regent up`, and leave it dead",
          start: "start a stopped part again",
        }[verb],
      )
      .argument("<part>", "server, sandbox, region-REGION or agent-AGENT")
      .action(async (part: string, options: CommonOptions) => {
        const context = createContext(terminal, options);
        const view = await tellSupervisor(context, `/v1/up/parts/${encodeURIComponent(part)}/${verb}`);
        context.print(view, () => [`${part}: ${view.state}`]);
      });
};

const tellSupervisor = async ({ home, up }: Context, path: string): Promise<{ readonly state?: string }> => {
  const state = await up();
  const token = await readText(home.sandboxToken);
  if (state === null || token === null) throw notRunning(home);
  const response = await fetch(new URL(path, state.door), {
    method: "POST",
    headers: { authorization: `Bearer ${token.trim()}` },
  }).catch(() => {
    throw notRunning(home);
  });
  const body = (await response.json()) as { readonly state?: string; readonly detail?: string };
  if (response.ok) return body;
  throw new CommandFailure(response.status === 404 ? EXIT.notFound : EXIT.refused, body.detail ?? response.statusText);
};
