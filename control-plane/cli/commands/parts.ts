/** server and agent: one part alone, configured by environment and file as production runs it. This process becomes that part. */
import { spawn } from "node:child_process";
import type { Command } from "commander";
import type { Terminal } from "../context.ts";
import { ENTRIES } from "../entries.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";

export const addPartCommands = (program: Command, terminal: Terminal): void => {
  program
    .command("server")
    .description("run the control plane alone")
    .addHelpText("after", SERVER_HELP)
    .action(() => run(ENTRIES.server, terminal));
  program
    .command("agent")
    .description("run one agent alone")
    .addHelpText("after", "\nConfigured by the JSON file that REGENT_AGENT_CONFIG names.")
    .action(() => {
      if (!terminal.env.REGENT_AGENT_CONFIG)
        throw new CommandFailure(EXIT.usage, "REGENT_AGENT_CONFIG must name the agent's configuration file.");
      return run(ENTRIES.agent, terminal);
    });
};

const SERVER_HELP = `
Configured by the environment:
  REGENT_HOME            where it keeps its keys and, without DATABASE_URL, its own Postgres
  REGENT_CONFIG          regent.yaml, read at the first start only
  REGENT_LISTEN          address and port, 127.0.0.1:7420
  DATABASE_URL           a Postgres 15 or newer
  REGENT_NAME_SERVERS    <zone>=ip:port,ip:port;…  where they aren't those of the delegation
  REGENT_RESOLVERS       ip:port,…  whose caches are watched too
  REGENT_ROUTE53_RATE    calls a second and burst, 5/10
  AWS_…                  endpoint and credentials, as the AWS SDK takes them`;

/** A process of its own, because a part ends its process when it is done; signals and the exit code are handed on. */
const run = async (entry: string, { env }: Terminal): Promise<void> => {
  const child = spawn(process.execPath, [entry], { env, stdio: "inherit" });
  const handOn = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, handOn);
  const { code, signal } = await new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  if (signal !== null || code !== 0)
    throw new CommandFailure(code === 2 ? EXIT.usage : EXIT.refused, `It ended with ${signal ?? `exit code ${code}`}.`);
};
