/** What an agent costs that runs 1,000 HTTP checks a second, beside a bare loop that only asks. Real server, real agent, as they ship. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { generateAgentKey, NODE_AGENT_ARGS } from "@regent/agents";
import { startRoute53Sandbox } from "@regent/sandbox/route53-sandbox.ts";
import { stringify } from "yaml";
import { BUNDLES } from "../entries.ts";
import { type Row, round } from "./measure.ts";
import { cpuSecondsOf, memoryOf, type Part, spawnPart } from "./processes.ts";

const SERVICES = 500;
const CHECKS = SERVICES * 2;
/** Until configuration has arrived, every check has run and the compiler has settled. */
const RUN_IN_MS = 20_000;
const MEASURED_MS = 30_000;
const LIFE_LINE = { REGENT_STOP_WITH_STDIN: "1" } as const;

export const benchAgent = async (): Promise<Row[]> => {
  const home = await mkdtemp(join(tmpdir(), "regent-bench-"));
  const credentials = { accessKeyId: "AKIABENCHBENCHBENCH1", secretAccessKey: "bench-secret-bench-secret-bench" };
  const parts: Part[] = [];
  const start = async (...given: Parameters<typeof spawnPart>): Promise<Part> => {
    const part = await spawnPart(...given);
    parts.unshift(part);
    return part;
  };
  const sandbox = await startRoute53Sandbox({ zones: ["example.test"], credentials: [credentials] });
  try {
    const target = await start(here("echo-target.ts"), {});
    const port = Number(target.ready.port);
    const bare = await measure(await start(here("bare-loop.ts"), {}, [], [String(port), String(CHECKS)]));
    await parts[0]?.stop();
    const key = await generateAgentKey();
    await writeFile(join(home, "regent.yaml"), toDeclaration(key.publicKey, port, sandbox.zoneIds["example.test"] ?? ""));
    const server = await start(BUNDLES.server, {
      ...LIFE_LINE,
      REGENT_HOME: home,
      REGENT_CONFIG: join(home, "regent.yaml"),
      REGENT_LISTEN: "127.0.0.1:0",
      REGENT_NAME_SERVERS: `example.test=${sandbox.nameServers.join(",")}`,
      AWS_ENDPOINT_URL_ROUTE_53: sandbox.endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_REGION: "us-east-1",
      LOG_LEVEL: "error",
    });
    const agent = await measure(await startAgent(start, home, key.privateKeyPem, server));
    return toRows(agent, bare);
  } finally {
    for (const part of parts) await part.stop();
    await sandbox.close();
    await rm(home, { recursive: true, force: true });
  }
};

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

interface Cost {
  /** Of one core, 0..1. */
  readonly processor: number;
  readonly residentMb: number;
}

const measure = async ({ pid }: Part): Promise<Cost> => {
  await sleep(RUN_IN_MS);
  const before = await cpuSecondsOf(pid);
  const started = performance.now();
  await sleep(MEASURED_MS);
  const seconds = (performance.now() - started) / 1000;
  return { processor: ((await cpuSecondsOf(pid)) - before) / seconds, residentMb: (await memoryOf(pid)) / 2 ** 20 };
};

const toRows = (agent: Cost, bare: Cost): Row[] => [
  {
    what: `agent with ${CHECKS} HTTP checks at 1 s: processor`,
    target: "<= 30 % of a core, at most twice a bare loop",
    figure: `${round(agent.processor * 100, 0)} %; control, a bare loop: ${round(bare.processor * 100, 0)} %`,
    isReached: agent.processor <= 0.3 && agent.processor <= 2 * bare.processor,
    numbers: { processor: agent.processor, bareProcessor: bare.processor },
  },
  {
    what: `agent with ${CHECKS} HTTP checks at 1 s: memory`,
    target: "<= 120 MB, at most twice a bare loop",
    figure: `${round(agent.residentMb, 0)} MB; control, a bare loop: ${round(bare.residentMb, 0)} MB`,
    isReached: agent.residentMb <= 120 && agent.residentMb <= 2 * bare.residentMb,
    numbers: { residentMb: agent.residentMb, bareResidentMb: bare.residentMb },
  },
];

const startAgent = async (start: typeof spawnPart, home: string, privateKeyPem: string, { ready }: Part): Promise<Part> => {
  const folder = join(home, "agent");
  await mkdir(folder, { mode: 0o700 });
  await writeFile(join(folder, "key.pem"), privateKeyPem, { mode: 0o600 });
  const config = {
    agent: "prober",
    region: "witness",
    network: "n1",
    controlPlanes: [String(ready.url)],
    aud: "bench",
    privateKeyFile: join(folder, "key.pem"),
    configurationKeys: [String(ready.configurationKey)],
    spoolDir: join(folder, "spool"),
    allowLoopback: true,
  };
  await writeFile(join(folder, "agent.json"), JSON.stringify(config));
  const env = { ...LIFE_LINE, REGENT_AGENT_CONFIG: join(folder, "agent.json"), LOG_LEVEL: "info", MALLOC_ARENA_MAX: "2" };
  return start(BUNDLES.agent, env, NODE_AGENT_ARGS);
};

const toDeclaration = (publicKey: string, port: number, zoneId: string): string =>
  stringify({
    regent: 1,
    owner: "bench",
    profile: "sandbox",
    zones: [{ id: zoneId, name: "example.test" }],
    regions: ["r1", "r2", "witness"].map((id) => ({ id })),
    agents: [{ id: "prober", region: "witness", network: "n1", publicKeys: [publicKey] }],
    services: Array.from({ length: SERVICES }, (_, i) => ({
      id: `s${i}`,
      name: `s${i}.example.test`,
      zone: "example.test",
      strategy: { kind: "active-passive" },
      endpoints: ["r1", "r2"].map((region, r) => ({
        region,
        A: [`192.0.2.${r + 1}`],
        probe: { address: `127.0.0.1:${port}` },
      })),
      checks: [{ id: "web", kind: "http", path: "/", codes: ["200"] }],
    })),
  });
