/**
 * Everything that `regent up` runs, put together: makes the home, starts the parts in the order that is quickest, keeps them running, kills and
 * starts agents as the sandbox wants, and stops all of it in order.
 */
import { mkdir } from "node:fs/promises";
import { generateAgentKey } from "@regent/agents/runtimes/node/keys.ts";
import { SandboxReady } from "@regent/sandbox/sandbox-config.ts";
import { SHUTDOWN_MS_MAX } from "@regent/server/shutdown.ts";
import * as z from "zod";
import { AGENTS_STOP_MS, PORTS_WAIT_MS } from "../limits.ts";
import { type Door, openDoor } from "./door.ts";
import { followWantedAgents } from "./follow-agents.ts";
import { ensureSecret, type Home, makeHome, readText, writePrivate } from "./home.ts";
import { AGENTS, REGIONS } from "./layout.ts";
import { ensureNativeChecks } from "./native-checks.ts";
import { createPart, type Part, type PartView } from "./part.ts";
import {
  agentSpec,
  hookSpec,
  regionSpec,
  type Secrets,
  sandboxSpec,
  serverSpec,
  url,
  writeAgentFiles,
  writeRegionConfig,
  writeSandboxConfig,
} from "./parts.ts";
import { choosePorts, isFree, Ports, portsIn } from "./ports.ts";
import { toRegentYaml } from "./regent-yaml.ts";
import type { UpState } from "./state.ts";
import { settleStatefulSecrets, writeHookSettings } from "./stateful.ts";

export const ServerReady = z.object({
  ready: z.literal(true),
  url: z.string(),
  configurationKey: z.string(),
  pid: z.int(),
});

export interface Supervisor {
  readonly state: () => UpState;
  /** Ends every part, agents first. Safe to call at any moment, also while starting. */
  readonly stop: () => Promise<void>;
}

export interface SupervisorDeps {
  readonly home: Home;
  /** What a person may want to know while it starts and runs: one line each. */
  readonly say: (line: string) => void;
  /** A pair of databases, its service and its hook as well. A home that was made with them keeps them, asked for or not. */
  readonly isStateful: boolean;
}

/** Resolves when every part runs. Rejects when one can't be started; the caller then stops the rest through `onStarting`. */
export const startSupervisor = async (
  { home, say, isStateful }: SupervisorDeps,
  onStarting: (supervisor: Supervisor) => void,
): Promise<Supervisor> => {
  await makeHome(home);
  const ports = await settlePorts(home, isStateful);
  const secrets = await settleSecrets(home, ports);
  const token = await ensureSecret(home.sandboxToken);
  const following = new AbortController();
  const parts = new Map<string, Part>();
  let zones: UpState["zones"] = [];
  let isReady = false;
  let isStopping = false;
  let door: Door | undefined;
  const startedAt = Date.now();

  const state = (): UpState => ({
    pid: process.pid,
    startedAt,
    isReady,
    server: url(ports.server),
    door: url(ports.up),
    sandbox: url(ports.control),
    route53: url(ports.route53),
    zones,
    nameServers: ports.nameServers.map((port) => `127.0.0.1:${port}`),
    resolver: `127.0.0.1:${ports.resolver}`,
    parts: [...parts.values()].map((part) => part.view()),
  });
  const saved = createSaver(() => writePrivate(home.up, `${JSON.stringify(state(), null, 2)}\n`));
  const onChange = (view: PartView): void => {
    if (view.state === "waiting") say(`${view.name} ended (${view.lastEnd}); starting it again`);
    saved.soon();
  };
  const add = (name: string, spec: Parameters<typeof createPart>[1]["spec"]): Part => {
    const part = createPart(name, { spec, onChange });
    parts.set(name, part);
    return part;
  };
  /** A start that is interrupted must not start anything more. */
  const begin = (part: Part): Promise<unknown> => (isStopping ? Promise.reject(new Error("stopping")) : part.start());
  const stop = async (): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    following.abort();
    const all = [...parts.values()];
    await Promise.all(all.filter(isAgent).map((part) => part.stop(AGENTS_STOP_MS)));
    const budgetOf = (part: Part): number => (part.name === "server" ? SERVER_STOP_MS : PARTS_STOP_MS);
    await Promise.all(all.filter((part) => !isAgent(part)).map((part) => part.stop(budgetOf(part))));
    await door?.close();
    await saved.now();
  };
  const supervisor: Supervisor = { state, stop };
  onStarting(supervisor);

  const server = add("server", () => serverSpec(home, ports, secrets));
  const sandbox = add("sandbox", () => sandboxSpec(home));
  const regions = REGIONS.map(({ id }) => add(`region-${id}`, () => regionSpec(home, id)));
  const hook = secrets.stateful === null ? undefined : add("hook", () => hookSpec(home));
  const agents = AGENTS.map(({ id }) => add(`agent-${id}`, () => agentSpec(home, id)));
  door = await openDoor({ port: ports.up, token, parts, state });
  await Promise.all([
    writeSandboxConfig(home, ports, secrets),
    ...REGIONS.map(({ id }) => writeRegionConfig(home, id, ports, secrets)),
    ...(secrets.stateful === null ? [] : [writeHookSettings(home, ports, secrets.stateful)]),
    ...AGENTS.map(({ id }) => mkdir(home.agent(id).folder, { recursive: true, mode: 0o700 })),
  ]);
  saved.soon();

  // Regions make their databases while the server makes its own; the server needs the sandbox's zone id for its first configuration.
  const regionsReady = Promise.all(regions.map(begin));
  regionsReady.catch(() => undefined);
  const { zoneIds } = SandboxReady.parse(await begin(sandbox));
  zones = Object.entries(zoneIds).map(([name, id]) => ({ id, name }));
  await ensureConfiguration(home, { zoneId: zones[0]?.id ?? "", ports, secrets });
  const { configurationKey } = ServerReady.parse(await begin(server));
  await Promise.all(AGENTS.map((agent) => writeAgentFiles(home, agent, { ports, secrets, configurationKey })));
  await Promise.all(agents.map(begin));
  void followWantedAgents({ url: url(ports.control), token, signal: following.signal, parts });
  if (hook !== undefined) await begin(hook);
  await regionsReady;
  isReady = true;
  await saved.now();
  return supervisor;
};

/** Agents took AGENTS_STOP_MS at most; together with this the whole stays within 5 s. */
const PARTS_STOP_MS = 3_600;

/** It ends itself before this, and within a second as a rule. Killed earlier, it would leave its Postgres running. */
const SERVER_STOP_MS = SHUTDOWN_MS_MAX + 1_000;

const isAgent = ({ name }: Part): boolean => name.startsWith("agent-");

/** Ports are kept over restarts. Children of a supervisor that was killed may hold theirs for some seconds more. */
const settlePorts = async (home: Home, isStateful: boolean): Promise<Ports> => {
  const text = await readText(home.ports);
  const parsed = text === null ? undefined : Ports.safeParse(JSON.parse(text));
  const kept = parsed?.success ? parsed.data : null;
  const deadline = performance.now() + PORTS_WAIT_MS;
  while (kept !== null && performance.now() < deadline) {
    const free = await Promise.all(portsIn(kept).map(isFree));
    if (free.every(Boolean)) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const hasPair = kept?.pair !== undefined;
  // Its regent.yaml was applied at the first start, and is the operator's since: nothing is added to it behind anybody's back.
  if (isStateful && !hasPair && (await readText(home.configuration)) !== null)
    throw new Error(`${home.folder} was made without a pair of databases: add --fresh, which empties it, or use another --home.`);
  const ports = await choosePorts(kept, isStateful || hasPair);
  await writePrivate(home.ports, `${JSON.stringify(ports, null, 2)}\n`);
  return ports;
};

const settleSecrets = async (home: Home, { pair }: Ports): Promise<Secrets> => ({
  accessKeyId: "REGENTSANDBOX",
  secretAccessKey: await ensureSecret(home.aws),
  probePassword: await ensureSecret(home.probePassword),
  stateful: pair === undefined ? null : await settleStatefulSecrets(home),
});

/** At the first start: the native checks, the agents' keys and regent.yaml. Afterwards the file is the operator's. */
const ensureConfiguration = async (
  home: Home,
  { zoneId, ports, secrets }: { readonly zoneId: string; readonly ports: Ports; readonly secrets: Secrets },
): Promise<void> => {
  if ((await readText(home.configuration)) !== null) return;
  const [healthCheckIds, agents] = await Promise.all([
    ensureNativeChecks({ endpoint: url(ports.route53), ...secrets }),
    Promise.all(
      AGENTS.map(async (agent) => {
        const { privateKeyPem, publicKey } = await generateAgentKey();
        await writePrivate(home.agent(agent.id).key, privateKeyPem);
        return { ...agent, publicKey };
      }),
    ),
  ]);
  await writePrivate(home.configuration, toRegentYaml({ zoneId, agents, healthCheckIds, hookPort: ports.pair?.hook }));
};

/** Writes at most one at a time, and the newest last. */
const createSaver = (write: () => Promise<void>) => {
  let running: Promise<void> = Promise.resolve();
  let isQueued = false;
  const now = (): Promise<void> => {
    if (isQueued) return running;
    isQueued = true;
    running = running
      .then(() => {
        isQueued = false;
        return write();
      })
      // A home that was removed under a running `up` can't be written to; the parts go on.
      .catch(() => undefined);
    return running;
  };
  return { now, soon: (): void => void now() };
};
