/** dig NAME: what every authoritative server and the resolver answer now, what the epoch record says, and answers counted. */
import { parseEpoch } from "@regent/engine/plan/epoch.ts";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type CommonOptions, type Context, createContext, type Terminal, withCommon } from "../context.ts";
import { type Asked, ask, type QuestionType } from "../dns/ask.ts";
import { sample } from "../dns/sample.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import { type DigReport, toDig } from "../format/dig.ts";
import { DIG_COUNT, DIG_COUNT_MAX } from "../limits.ts";

interface DigOptions extends CommonOptions {
  readonly count: number;
  readonly type: QuestionType;
  readonly server?: string[];
}

export const addDig = (program: Command, terminal: Terminal): void => {
  withCommon(program.command("dig"))
    .description("ask DNS itself: each authoritative server and resolver, the epoch record, and answers counted")
    .argument("<name>", "such as shop.example.test; a service's id will do where `regent up` runs")
    .option("--count <n>", `questions to count the answers of, 1 to ${DIG_COUNT_MAX}`, toCount, DIG_COUNT)
    .addOption(new Option("--type <type>", "record type").choices(["A", "AAAA", "CNAME"]).default("A"))
    .option("--server <address...>", "ask these (ip:port) instead of the home's or REGENT_NAME_SERVERS")
    .action(async (given: string, options: DigOptions) => {
      const context = createContext(terminal, options);
      const { servers, resolvers, zone } = await findServers(context, options.server, given);
      const name = given.includes(".") ? given : `${given}.${zone}`;
      const report = await look({ name, type: options.type, count: options.count, servers, resolvers });
      if (report.servers.every(({ answer }) => answer.kind === "silent"))
        throw new CommandFailure(EXIT.unreachable, `None of ${servers.join(", ")} answers.`);
      context.print(report, () => toDig(report, context.paint));
    });
};

const toCount = (text: string): number => {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > DIG_COUNT_MAX)
    throw new InvalidArgumentError(`a whole number from 1 to ${DIG_COUNT_MAX}`);
  return count;
};

interface Servers {
  readonly servers: readonly string[];
  readonly resolvers: readonly string[];
  readonly zone: string;
}

/** `--server`, else REGENT_NAME_SERVERS and REGENT_RESOLVERS as the server reads them, else the running sandbox's. */
const findServers = async ({ terminal, up }: Context, given: string[] | undefined, name: string): Promise<Servers> => {
  const resolvers = list(terminal.env.REGENT_RESOLVERS);
  if (given !== undefined) return { servers: given, resolvers, zone: "" };
  const byZone = (terminal.env.REGENT_NAME_SERVERS ?? "").split(";").flatMap((part) => {
    const [zone = "", servers = ""] = part.split("=");
    return zone.trim() === "" ? [] : [{ zone: zone.trim(), servers: list(servers) }];
  });
  const named = byZone
    .filter(({ zone }) => name === zone || name.endsWith(`.${zone}`))
    .sort((a, b) => b.zone.length - a.zone.length)[0];
  if (named !== undefined) return { ...named, resolvers };
  const state = await up();
  if (state === null)
    throw new CommandFailure(
      EXIT.usage,
      `Nobody to ask about ${name}: no \`regent up\` runs here. Name servers with --server 127.0.0.1:5301, or REGENT_NAME_SERVERS.`,
    );
  return { servers: state.nameServers, resolvers: [state.resolver], zone: state.zones[0]?.name ?? "" };
};

const list = (text: string | undefined): string[] =>
  (text ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

interface Look extends Omit<Servers, "zone"> {
  readonly name: string;
  readonly type: QuestionType;
  readonly count: number;
}

const look = async ({ name, type, count, servers, resolvers }: Look): Promise<DigReport> => {
  const epochName = name.startsWith("*.") ? `_regent-wildcard.${name.slice(2)}` : `_regent.${name}`;
  const each = async (server: string, role: "authoritative" | "resolver") => {
    const [answer, epoch] = await Promise.all([ask(server, name, type), ask(server, epochName, "TXT")]);
    return { server, role, answer, ...epochOf(epoch) };
  };
  const [answers, counted] = await Promise.all([
    Promise.all([...servers.map((one) => each(one, "authoritative")), ...resolvers.map((one) => each(one, "resolver"))]),
    sample(servers, { name, type, count }),
  ]);
  return { name, type, epochName, servers: answers, counted };
};

const epochOf = (asked: Asked): Pick<DigReport["servers"][number], "epoch" | "epochText"> => {
  const text = asked.kind === "answered" ? (asked.values[0] ?? null) : null;
  return { epochText: text, epoch: text === null ? null : parseEpoch(text) };
};
