/** What each part of `up` is started with: its program, its environment and its files. */
import { join } from "node:path";
import { NODE_AGENT_ARGS } from "@regent/agents";
import type { NodeAgentConfigInput } from "@regent/agents/runtimes/node/config.ts";
import { PROBE_ROLE } from "@regent/sandbox/regions/region-config.ts";
import type { SandboxConfigFile } from "@regent/sandbox/sandbox-config.ts";
import { dashboardFolder, ENTRIES, EXAMPLE_HOOK, STOP_WITH_STDIN } from "../entries.ts";
import type { Home } from "./home.ts";
import { writePrivate } from "./home.ts";
import {
  AGENTS,
  type AgentLayout,
  apiAddress,
  CANARIES,
  DATABASE_SECRET,
  databaseAddress,
  OWNER,
  REGIONS,
  ZONE,
} from "./layout.ts";
import type { PartSpec } from "./part.ts";
import type { Ports } from "./ports.ts";
import { HALVES, LEDGER_SECRET, ledgerAddress, pairConfig, type StatefulSecrets } from "./stateful.ts";

export interface Secrets {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly probePassword: string;
  /** Null of a home without a pair of databases. */
  readonly stateful: StatefulSecrets | null;
}

const loopback = (port: number): string => `127.0.0.1:${port}`;
export const url = (port: number): string => `http://${loopback(port)}`;

/** The environment that every part gets: ours without what would steer it past its configuration. */
const inherited = (): Record<string, string> => {
  const left = Object.entries(process.env).filter(
    ([name, value]) => value !== undefined && !/^(REGENT_|AWS_|DATABASE_URL$|PG[A-Z]+$|NODE_OPTIONS$)/.test(name),
  );
  return Object.fromEntries(left as [string, string][]);
};

const part = (home: Home, given: Pick<PartSpec, "name" | "command" | "env" | "saysReady">): PartSpec => ({
  ...given,
  env: { ...inherited(), ...given.env, REGENT_STOP_WITH_STDIN: "1" },
  logFile: join(home.logs, `${given.name}.log`),
});

export const writeSandboxConfig = (home: Home, ports: Ports, { accessKeyId, secretAccessKey }: Secrets): Promise<void> => {
  const config: SandboxConfigFile = {
    dataDir: home.sandbox.folder,
    tokenFile: home.sandboxToken,
    zones: [ZONE],
    credentials: [{ accessKeyId, secretAccessKey }],
    regions: REGIONS.map(({ id, publishedAddress }) => {
      const { api, database, control } = portsOf(ports, id);
      const half = ports.pair?.halves[id];
      const pairPort = half === undefined ? {} : { pairPort: half };
      return { id, publishedAddress, apiPort: api, databasePort: database, controlPort: control, ...pairPort };
    }),
    vantages: AGENTS.map(({ vantage }) => vantage),
    agents: AGENTS.map(({ id, vantage }) => ({ id, vantage })),
    controlPlane: { port: ports.server },
    ports: {
      control: ports.control,
      route53: ports.route53,
      nameServers: ports.nameServers,
      resolver: ports.resolver,
      links: ports.links,
    },
  };
  return writePrivate(home.sandbox.config, JSON.stringify(config, null, 2));
};

export const writeRegionConfig = (home: Home, id: string, ports: Ports, { probePassword, stateful }: Secrets): Promise<void> => {
  const { api, database, control } = portsOf(ports, id);
  const { folder, config } = home.region(id);
  return writePrivate(
    config,
    JSON.stringify(
      {
        region: id,
        dataDir: folder,
        apiPort: api,
        databasePort: database,
        controlPort: control,
        tokenFile: home.sandboxToken,
        probePassword,
        pair: pairConfig(home, id, { ports, secrets: stateful }),
      },
      null,
      2,
    ),
  );
};

/** An agent dials every declared address through the links of its own vantage, so that each can be cut alone. */
export const writeAgentFiles = async (
  home: Home,
  agent: AgentLayout,
  { ports, secrets, configurationKey }: { readonly ports: Ports; readonly secrets: Secrets; readonly configurationKey: string },
): Promise<void> => {
  const files = home.agent(agent.id);
  const links = ports.links[agent.vantage] ?? {};
  const link = (target: string): string => {
    const port = links[target];
    if (port === undefined) throw new Error(`${agent.vantage} has no link to ${target}`);
    return loopback(port);
  };
  const config: NodeAgentConfigInput = {
    agent: agent.id,
    region: agent.region,
    network: agent.network,
    controlPlanes: [`http://${link("control-plane")}`],
    aud: OWNER,
    privateKeyFile: files.key,
    configurationKeys: [configurationKey],
    spoolDir: files.spool,
    secretsFile: files.secrets,
    allowLoopback: true,
    connectTo: {
      ...Object.fromEntries(
        REGIONS.flatMap(({ id }) => [
          [apiAddress(id), link(`${id}/api`)],
          [databaseAddress(id), link(`${id}/database`)],
        ]),
      ),
      ...(secrets.stateful === null ? {} : Object.fromEntries(HALVES.map((id) => [ledgerAddress(id), link(`${id}/pair`)]))),
      ...Object.fromEntries(CANARIES.map((canary, index) => [canary, loopback(ports.nameServers[index] ?? 0)])),
    },
  };
  const login = { user: PROBE_ROLE, password: secrets.probePassword };
  const known = {
    [DATABASE_SECRET]: { ...login, hosts: [databaseAddress(agent.region)] },
    ...(secrets.stateful === null ? {} : { [LEDGER_SECRET]: { ...login, hosts: [ledgerAddress(agent.region)] } }),
  };
  await writePrivate(files.secrets, JSON.stringify(known, null, 2));
  await writePrivate(files.config, JSON.stringify(config, null, 2));
};

export const sandboxSpec = (home: Home): PartSpec =>
  part(home, {
    name: "sandbox",
    command: [ENTRIES.sandbox],
    env: { REGENT_SANDBOX_CONFIG: home.sandbox.config },
    saysReady: true,
  });

export const regionSpec = (home: Home, id: string): PartSpec =>
  part(home, {
    name: `region-${id}`,
    command: [ENTRIES.region],
    env: { REGENT_REGION_CONFIG: home.region(id).config },
    saysReady: true,
  });

export const hookSpec = (home: Home): PartSpec =>
  part(home, {
    name: "hook",
    command: ["--import", STOP_WITH_STDIN, "--import", EXAMPLE_HOOK.packages, EXAMPLE_HOOK.program, home.pair.hookSettings],
    env: {},
    saysReady: true,
  });

export const serverSpec = (home: Home, ports: Ports, { accessKeyId, secretAccessKey, stateful }: Secrets): PartSpec => {
  const dashboard = dashboardFolder();
  return part(home, {
    name: "server",
    command: [ENTRIES.server],
    env: {
      REGENT_HOME: home.folder,
      REGENT_CONFIG: home.configuration,
      REGENT_LISTEN: loopback(ports.server),
      REGENT_NAME_SERVERS: `${ZONE}=${ports.nameServers.map(loopback).join(",")}`,
      REGENT_RESOLVERS: loopback(ports.resolver),
      AWS_ENDPOINT_URL_ROUTE_53: url(ports.route53),
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_REGION: "us-east-1",
      // The example hook stands on loopback, as everything here does.
      ...(stateful === null ? {} : { REGENT_NOTIFY_LOOPBACK: "1" }),
      ...kept("DATABASE_URL", "LOG_LEVEL", "REGENT_ROUTE53_RATE"),
      ...(dashboard === null ? {} : { REGENT_STATIC_DIR: dashboard }),
    },
    saysReady: true,
  });
};

export const agentSpec = (home: Home, id: string): PartSpec =>
  part(home, {
    name: `agent-${id}`,
    command: [...NODE_AGENT_ARGS, "--import", STOP_WITH_STDIN, ENTRIES.agent],
    env: { REGENT_AGENT_CONFIG: home.agent(id).config, MALLOC_ARENA_MAX: "2", ...kept("LOG_LEVEL") },
    saysReady: false,
  });

/** What the operator set on purpose and the server takes as it is. */
const kept = (...names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));

const portsOf = (ports: Ports, region: string): Ports["regions"][string] => {
  const found = ports.regions[region];
  if (found === undefined) throw new Error(`region ${region} has no ports`);
  return found;
};
