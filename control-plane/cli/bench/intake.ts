/**
 * Report intake: signed, deduplicated, folded and committed before the answer, by the real server process over embedded Postgres. The load comes
 * from this process over loopback, so both share the machine's cores. Profile `standard`: 1,000 agents with 20 checks each report every 5 s.
 */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Report } from "@regent/contract";
import { startRoute53Sandbox } from "@regent/sandbox/route53-sandbox.ts";
import { stringify } from "yaml";
import { ENTRIES } from "../entries.ts";
import { median, percentile, type Row, round } from "./measure.ts";
import { memoryOf, spawnPart } from "./processes.ts";

const AGENTS = 1_000;
const CHECKS = 20;
const REPORT_EVERY_MS = 5_000;
/** The same load before it is measured: the first seconds belong to the start, when every agent lists every check and every name is created. */
const RUN_IN_MS = 5_000;
const LOAD_MS = 30_000;
const FULL_MS = 10_000;
const IN_FLIGHT = 24;

interface LoadAgent {
  readonly id: string;
  readonly region: string;
  readonly network: string;
  readonly privateKey: KeyObject;
  readonly publicKey: string;
  readonly keyId: string;
  sequence: number;
}

export const benchIntake = async (): Promise<Row[]> => {
  const home = await mkdtemp(join(tmpdir(), "regent-bench-"));
  const credentials = [{ accessKeyId: "AKIABENCHBENCHBENCH1", secretAccessKey: "bench-secret-bench-secret-bench" }];
  const sandbox = await startRoute53Sandbox({ dataDir: join(home, "sandbox"), zones: ["example.test"], credentials });
  const agents = await createAgents();
  await writeFile(join(home, "regent.yaml"), toDeclaration(agents, sandbox.zoneIds["example.test"] ?? ""));
  const server = await spawnPart(ENTRIES.server, {
    REGENT_HOME: home,
    REGENT_CONFIG: join(home, "regent.yaml"),
    REGENT_LISTEN: "127.0.0.1:0",
    REGENT_NAME_SERVERS: `example.test=${sandbox.nameServers.join(",")}`,
    AWS_ENDPOINT_URL_ROUTE_53: sandbox.endpoint,
    AWS_ACCESS_KEY_ID: credentials[0]?.accessKeyId ?? "",
    AWS_SECRET_ACCESS_KEY: credentials[0]?.secretAccessKey ?? "",
    AWS_REGION: "us-east-1",
    REGENT_STOP_WITH_STDIN: "1",
    LOG_LEVEL: "warn",
  });
  try {
    const url = new URL("/v1/reports", String(server.ready.url));
    const http = new Agent({ keepAlive: true, maxSockets: 64 });
    const send = createSend(url, http);
    await warmUp(agents, send);
    await required(agents, send, RUN_IN_MS);
    const steady = await required(agents, send, LOAD_MS);
    const resident = await memoryOf(server.pid);
    const quiet = await saturate(agents, send, "unchanged");
    const busy = await saturate(agents, send, "observations");
    http.destroy();
    return toRows(steady, quiet, busy, resident);
  } finally {
    await server.stop();
    await sandbox.close();
    await rm(home, { recursive: true, force: true });
  }
};

const toRows = (steady: Measured, quiet: Measured, busy: Measured, resident: number): Row[] => [
  {
    what: `intake, ${AGENTS} agents x ${CHECKS} checks every 5 s (${(AGENTS * CHECKS) / 5} results/s)`,
    target: "p99 < 100 ms",
    figure: `p50 ${round(median(steady.latencies))} ms, p99 ${round(percentile(steady.latencies, 0.99))} ms, ${steady.refused} refused`,
    isReached: percentile(steady.latencies, 0.99) < 100 && steady.refused === 0,
    numbers: {
      p50Ms: median(steady.latencies),
      p99Ms: percentile(steady.latencies, 0.99),
      refused: steady.refused,
      reports: steady.latencies.length,
    },
  },
  saturated("intake flat out, settled checks", "goal 20,000 results/s", quiet, 20_000),
  saturated("intake flat out, every check listed", "", busy, null),
  {
    what: "server memory at the required load",
    target: "",
    figure: `${round(resident / 2 ** 20, 0)} MB resident`,
    isReached: null,
    numbers: { residentBytes: resident },
  },
];

const saturated = (what: string, target: string, measured: Measured, goal: number | null): Row => {
  const perSecond = (measured.latencies.length * CHECKS * 1000) / measured.ms;
  return {
    what,
    target,
    figure: `${round(perSecond, 0)} results/s, p50 ${round(median(measured.latencies))} ms, p99 ${round(percentile(measured.latencies, 0.99))} ms`,
    isReached: goal === null ? null : perSecond >= goal,
    numbers: {
      resultsPerSecond: perSecond,
      p50Ms: median(measured.latencies),
      p99Ms: percentile(measured.latencies, 0.99),
      refused: measured.refused,
    },
  };
};

// ------------------------------------------------------------------------------------------------ load

interface Measured {
  readonly latencies: readonly number[];
  readonly refused: number;
  readonly ms: number;
}

type Send = (agent: LoadAgent, lines: "unchanged" | "observations") => Promise<{ ms: number; isTaken: boolean }>;

const warmUp = async (agents: readonly LoadAgent[], send: Send): Promise<void> => {
  for (let from = 0; from < agents.length; from += IN_FLIGHT) {
    const answers = await Promise.all(agents.slice(from, from + IN_FLIGHT).map((agent) => send(agent, "observations")));
    if (answers.some(({ isTaken }) => !isTaken)) throw new Error("a report of the warm-up was refused");
  }
};

/** Every agent in its own slot of each period, as real agents are spread by their phase. */
const required = async (agents: readonly LoadAgent[], send: Send, loadMs: number): Promise<Measured> => {
  const started = performance.now();
  const answers: Promise<{ ms: number; isTaken: boolean }>[] = [];
  const gapMs = REPORT_EVERY_MS / agents.length;
  for (let n = 0; n * gapMs < loadMs; n++) {
    const wait = started + n * gapMs - performance.now();
    if (wait > 1) await sleep(wait);
    const agent = agents[n % agents.length];
    if (agent) answers.push(send(agent, "unchanged"));
  }
  return toMeasured(await Promise.all(answers), performance.now() - started);
};

const saturate = async (agents: readonly LoadAgent[], send: Send, lines: "unchanged" | "observations"): Promise<Measured> => {
  const started = performance.now();
  const answers: { ms: number; isTaken: boolean }[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() - started < FULL_MS) {
      const agent = agents[next++ % agents.length];
      if (agent) answers.push(await send(agent, lines));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return toMeasured(answers, performance.now() - started);
};

const toMeasured = (answers: readonly { ms: number; isTaken: boolean }[], ms: number): Measured => ({
  latencies: answers.filter(({ isTaken }) => isTaken).map((answer) => answer.ms),
  refused: answers.filter(({ isTaken }) => !isTaken).length,
  ms,
});

const createSend =
  (url: URL, http: Agent): Send =>
  (agent, lines) => {
    agent.sequence += 1;
    const body = JSON.stringify(toReport(agent, lines));
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

const targets = Array.from({ length: CHECKS / 2 }, (_, i) => ["r1", "r2"].map((region) => `s${i}/${region}/web`)).flat();

const toReport = (agent: LoadAgent, lines: "unchanged" | "observations"): Report => ({
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

// ------------------------------------------------------------------------------------------------ declaration

const createAgents = async (): Promise<LoadAgent[]> => {
  const { toKeyId } = await import("@regent/server/operations/verify-report.ts");
  return Array.from({ length: AGENTS }, (_, i) => {
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
};

/** Agents stand in regions of their own, so that every one of them probes every endpoint from outside. */
const toDeclaration = (agents: readonly LoadAgent[], zoneId: string): string =>
  stringify({
    regent: 1,
    owner: "bench",
    profile: "standard",
    zones: [{ id: zoneId, name: "example.test" }],
    regions: ["r1", "r2", "v0", "v1", "v2", "v3"].map((id) => ({ id })),
    agents: agents.map(({ id, region, network, publicKey }) => ({ id, region, network, publicKeys: [publicKey] })),
    services: Array.from({ length: CHECKS / 2 }, (_, i) => ({
      id: `s${i}`,
      name: `s${i}.example.test`,
      zone: "example.test",
      strategy: { kind: "active-passive" },
      endpoints: ["r1", "r2"].map((region, r) => ({
        region,
        A: [`192.0.2.${r + 1}`],
        probe: { address: `127.0.0.1:${9_000 + r}` },
      })),
      checks: [{ id: "web", kind: "http", path: "/healthz" }],
    })),
  });
