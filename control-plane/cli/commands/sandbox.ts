/** sandbox …: break things and mend them. Talks to the sandbox's control, and to the supervisor for the parts that are no agents. */
import { LinkCutMode, REGION_FAULT_NAMES, type RegionFaultRequest } from "@regent/sandbox/faults.ts";
import { Argument, type Command, Option } from "commander";
import { type CommonOptions, createContext, needSandbox, type Terminal, withCommon } from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import { addFaults } from "./sandbox-faults.ts";
import { toNumber, toWholeNumber } from "./sandbox-numbers.ts";
import { addOwnParts } from "./sandbox-own-parts.ts";
import { addPair, REPLICATION_CUT, toCutMode } from "./sandbox-pair.ts";
import { addPlay } from "./sandbox-play.ts";
import { addPropagation, addRoute53 } from "./sandbox-route53.ts";

export const addSandboxCommands = (program: Command, terminal: Terminal): void => {
  const sandbox = program
    .command("sandbox")
    .description("break and mend the world that `regent up` runs: regions, links, agents, Route 53, our own parts");
  addRegions(sandbox, terminal);
  addLinks(sandbox, terminal);
  addPair(sandbox, terminal);
  addAgents(sandbox, terminal);
  addRoute53(sandbox, terminal);
  addPropagation(sandbox, terminal);
  addOwnParts(sandbox, terminal);
  addPlay(sandbox, terminal);
  addFaults(sandbox, terminal);
};

interface BreakOptions extends CommonOptions {
  readonly delayMs?: number;
  readonly rate?: number;
  readonly seed?: number;
  readonly mode?: string;
  readonly agents?: boolean | string[];
}

const addRegions = (sandbox: Command, terminal: Terminal): void => {
  withCommon(sandbox.command("break"))
    .description("make a region fail")
    .argument("<region>")
    .addArgument(new Argument("<fault>").choices([...REGION_FAULT_NAMES, REPLICATION_CUT]))
    .option("--delay-ms <ms>", "of `slow`", toNumber)
    .option("--rate <0..1>", "of `random`", toNumber)
    .option("--seed <n>", "of `random`", toWholeNumber)
    .option("--mode <mode>", "of `database-down`: fast or immediate; of `replication-cut`: as of `sandbox cut`")
    .option("--agents [ids...]", "with `dead`: its agents too; with `agents-dead`: only these")
    .action(async (region: string, fault: string, options: BreakOptions) => {
      const context = createContext(terminal, options);
      const client = await context.sandbox();
      const isReplication = fault === REPLICATION_CUT;
      const changed = needSandbox(
        isReplication
          ? await client.cutReplication(region, toCutMode(options.mode))
          : await client.breakRegion(region, toFault(fault, options)),
      );
      context.print(changed, () => [`${region}: ${fault}. \`regent sandbox mend ${region}\` mends it.`]);
    });
  withCommon(sandbox.command("mend"))
    .description("mend a region with its agents; without one, everything that was broken in the sandbox")
    .argument("[region]")
    .addOption(new Option("--fault <fault>", "only this fault of the region").choices([...REGION_FAULT_NAMES, REPLICATION_CUT]))
    .action(async (region: string | undefined, options: CommonOptions & { fault?: MendWord }) => {
      const context = createContext(terminal, options);
      const client = await context.sandbox();
      const { fault } = options;
      if (region === undefined) {
        const everything = needSandbox(await client.mendEverything());
        return context.print(everything, () => ["Everything is mended."]);
      }
      const changed = needSandbox(
        fault === REPLICATION_CUT
          ? await client.mendReplication(region)
          : await client.mendRegion(region, fault === undefined ? {} : { fault }),
      );
      context.print(changed, () => [`${region}: mended.`]);
    });
};

type MendWord = RegionFaultRequest["fault"] | typeof REPLICATION_CUT;

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
      .option("--to <target>", "control-plane, REGION/api, REGION/database or REGION/pair");
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
      .description(verb === "kill-agent" ? "kill agents for good" : "start killed agents again")
      .argument("<agents...>", "such as eu-west-a us-east-b; or all")
      .action(async (names: string[], options: CommonOptions) => {
        const context = createContext(terminal, options);
        const client = await context.sandbox();
        const choice = names.length === 1 && names[0] === "all" ? {} : { agents: names };
        const wanted = needSandbox(await (verb === "kill-agent" ? client.killAgents(choice) : client.startAgents(choice)));
        context.print(wanted, () => wanted.agents.map(({ id, vantage, wanted }) => `${id}  ${vantage}  ${wanted}`));
      });
};
