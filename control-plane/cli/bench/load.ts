/**
 * An installation under load: the real server process over embedded Postgres, and agents that sign real reports from this process over loopback, so
 * both share the machine's cores. Profile `standard`.
 */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Report } from "@regent/contract";
import { startRoute53Sandbox } from "@regent/sandbox/route53-sandbox.ts";
import { toKeyId } from "@regent/server/operations/configuration/agent-keys.ts";
import { stringify } from "yaml";
import { BUNDLES } from "../entries.ts";
import { type Part, spawnPart } from "./processes.ts";

export const REPORT_EVERY_MS = 5_000;
/** The most results that one report may hold. */
const LINES_MAX = 500;

export interface Size {
  readonly agents: number;
  readonly services: number;
  readonly regions: number;
}

/** What a report says of its targets: all as before, or each anew. */
export type Lines = "unchanged" | "observations";

export interface Sent {
  readonly ms: number;
  readonly isTaken: boolean;
}

export interface Load {
  readonly server: Part;
  /** Where the server keeps its Postgres. */
  readonly home: string;
  readonly url: string;
  /** Reports that it takes for every agent to tell of every target once. */
  readonly reportsPerRound: number;
  readonly resultsPerRound: number;
  /** The n-th report of the rounds. */
  readonly send: (n: number, lines: Lines) => Promise<Sent>;
  readonly stop: () => Promise<void>;
}

interface LoadAgent {
  readonly id: string;
  readonly region: string;
  readonly network: string;
  readonly privateKey: KeyObject;
  readonly publicKey: string;
  readonly keyId: string;
  sequence: number;
}

export const startLoad = async (size: Size): Promise<Load> => {
  const home = await mkdtemp(join(tmpdir(), "regent-bench-"));
  const credentials = [{ accessKeyId: "AKIABENCHBENCHBENCH1", secretAccessKey: "bench-secret-bench-secret-bench" }];
  const sandbox = await startRoute53Sandbox({ dataDir: join(home, "sandbox"), zones: ["example.test"], credentials });
  const agents = createAgents(size.agents);
  const regions = Array.from({ length: size.regions }, (_, i) => `r${i + 1}`);
  await writeFile(join(home, "regent.yaml"), toDeclaration(agents, size, regions, sandbox.zoneIds["example.test"] ?? ""));
  const server = await spawnPart(BUNDLES.server, {
    REGENT_HOME: home,
    REGENT_CONFIG: join(home, "regent.yaml"),
    REGENT_LISTEN: "127.0.0.1:0",
    REGENT_NAME_SERVERS: `example.test=${sandbox.nameServers.join(",")}`,
    AWS_ENDPOINT_URL_ROUTE_53: sandbox.endpoint,
    AWS_ACCESS_KEY_ID: credentials[0]?.accessKeyId ?? "",
    AWS_SECRET_ACCESS_KEY: credentials[0]?.secretAccessKey ?? "",
    AWS_REGION: "us-east-1",
    REGENT_STOP_WITH_STDIN: "1",
    LOG_LEVEL: "error",
  });
  const url = String(server.ready.url);
  const http = new Agent({ keepAlive: true, maxSockets: 64 });
  const targets = Array.from({ length: size.services }, (_, i) => regions.map((region) => `s${i}/${region}/web`)).flat();
  const parts = Array.from({ length: Math.ceil(targets.length / LINES_MAX) }, (_, i) =>
    targets.slice(i * LINES_MAX, (i + 1) * LINES_MAX),
  );
  const post = createPost(new URL("/v1/reports", url), http);
  const load: Load = {
    server,
    home,
    url,
    reportsPerRound: agents.length * parts.length,
    resultsPerRound: agents.length * targets.length,
    send: (n, lines) => {
      const agent = agents[n % agents.length];
      const part = parts[Math.floor(n / agents.length) % parts.length];
      if (!agent || !part) throw new Error("no agent, or nothing to report");
      return post(agent, part, lines);
    },
    stop: async () => {
      http.destroy();
      await server.stop();
      await sandbox.close();
      await rm(home, { recursive: true, force: true });
    },
  };
  await tellAll(load).catch(async (error: unknown) => {
    await load.stop();
    throw error;
  });
  return load;
};

const IN_FLIGHT = 24;

/** Every check is told once, as agents do when they start. */
const tellAll = async ({ reportsPerRound, send }: Load): Promise<void> => {
  for (let from = 0; from < reportsPerRound; from += IN_FLIGHT) {
    const numbers = Array.from({ length: Math.min(IN_FLIGHT, reportsPerRound - from) }, (_, i) => from + i);
    const answers = await Promise.all(numbers.map((n) => send(n, "observations")));
    if (answers.some(({ isTaken }) => !isTaken)) throw new Error("a report of the warm-up was refused");
  }
};

/** Every report in its own slot of each period, as real agents are spread by their phase. `factor` 2 sends all of it twice as often. */
export const sendSteadily = async (
  load: Load,
  loadMs: number,
  { factor = 1, onSent }: { readonly factor?: number; readonly onSent?: (sent: Sent) => void } = {},
): Promise<readonly Sent[]> => {
  const started = performance.now();
  const answers: Promise<Sent>[] = [];
  const gapMs = REPORT_EVERY_MS / load.reportsPerRound / factor;
  for (let n = 0; n * gapMs < loadMs; n++) {
    const wait = started + n * gapMs - performance.now();
    if (wait > 1) await sleep(wait);
    const answer = load.send(n, "unchanged");
    if (onSent) void answer.then(onSent, () => onSent({ ms: Number.NaN, isTaken: false }));
    else answers.push(answer);
  }
  return Promise.all(answers);
};

export const sendFlatOut = async (load: Load, loadMs: number, lines: Lines): Promise<readonly Sent[]> => {
  const started = performance.now();
  const answers: Sent[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() - started < loadMs) answers.push(await load.send(next++, lines));
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return answers;
};

const createPost =
  (url: URL, http: Agent) =>
  (agent: LoadAgent, targets: readonly string[], lines: Lines): Promise<Sent> => {
    agent.sequence += 1;
    const body = JSON.stringify(toReport(agent, targets, lines));
    const id = `${agent.id}.1.${agent.sequence}`;
    const timestamp = String(Math.floor(Date.now() / 1000));
    const signature = sign(null, Buffer.from(`${id}.${timestamp}.${body}`), agent.privateKey).toString("base64");
    const started = performance.now();
    return new Promise((resolve, reject) => {
      const call = request(url, {
        method: "POST",
        agent: http,
        headers: {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          "webhook-id": id,
          "webhook-timestamp": timestamp,
          "webhook-signature": `v1a,${signature}`,
          "regent-key": agent.keyId,
        },
      });
      call.on("response", (answer) => {
        answer.resume();
        answer.on("end", () => resolve({ ms: performance.now() - started, isTaken: answer.statusCode === 200 }));
      });
      call.on("error", reject);
      call.end(body);
    });
  };

const toReport = (agent: LoadAgent, targets: readonly string[], lines: Lines): Report => ({
  v: 1,
  aud: "bench/v1/reports",
  agent: agent.id,
  region: agent.region,
  network: agent.network,
  boot: 1,
  sequence: agent.sequence,
  sentAt: Date.now(),
  build: "bench",
  runtime: "node",
  configurationVersion: 1,
  self: { healthy: true, mode: "normal", overruns: 0, spooled: 0, dropped: 0 },
  observations: lines === "observations" ? targets.map((target) => ({ target, ageMs: 20, outcome: "ok", latencyMs: 12 })) : [],
  unchanged: lines === "unchanged" ? targets.map((target) => ({ target, ageMs: 20, latencyMs: 12 })) : [],
  backfill: [],
});

const createAgents = (count: number): LoadAgent[] =>
  Array.from({ length: count }, (_, i) => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64");
    return {
      id: `a${i}`,
      region: `v${i % 4}`,
      network: `n${i % 2}`,
      privateKey,
      publicKey: raw,
      keyId: toKeyId(raw),
      sequence: 0,
    };
  });

/** Agents stand in regions of their own, so that every one of them probes every endpoint from outside. */
const toDeclaration = (agents: readonly LoadAgent[], { services }: Size, regions: readonly string[], zoneId: string): string =>
  stringify({
    regent: 1,
    owner: "bench",
    profile: "standard",
    zones: [{ id: zoneId, name: "example.test" }],
    regions: [...regions, "v0", "v1", "v2", "v3"].map((id) => ({ id })),
    agents: agents.map(({ id, region, network, publicKey }) => ({ id, region, network, publicKeys: [publicKey] })),
    services: Array.from({ length: services }, (_, i) => ({
      id: `s${i}`,
      name: `s${i}.example.test`,
      zone: "example.test",
      strategy: { kind: "active-passive" },
      endpoints: regions.map((region, r) => ({
        region,
        A: [`192.0.2.${r + 1}`],
        probe: { address: `127.0.0.1:${9_000 + r}` },
      })),
      checks: [{ id: "web", kind: "http", path: "/healthz" }],
    })),
  });
