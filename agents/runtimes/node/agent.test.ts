import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentConfiguration, type Assignment, type Report } from "@regent/contract";
import { foldOutcome, STREAK_START, type Streak } from "@regent/engine/streak";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NODE_AGENT_ENTRY } from "../../index.ts";
import { serveHttp, serveTcp, type TestServer } from "../../probes/testing/servers.ts";
import { NodeAgentConfig } from "./config.ts";
import { generateAgentKey } from "./keys.ts";
import { createLog } from "./log.ts";
import { type NodeAgent, runNodeAgent } from "./main.ts";
import { type Received, type TestControlPlane, testControlPlane } from "./testing/control-plane.ts";

const cadence = { intervalMs: 200, recheckMs: 50, timeoutMs: 150, fall: 2, clear: 2, rise: 2 };
const quiet = createLog("test", "silent");

let dir: string;
let controlPlane: TestControlPlane;
let target: TestServer;
let code = 200;
let probedAt = 0;
const agents: NodeAgent[] = [];
const servers: TestServer[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "regent-agent-"));
  const key = await generateAgentKey();
  await writeFile(join(dir, "key.pem"), key.privateKeyPem, { mode: 0o600 });
  controlPlane = await testControlPlane(new Map([[key.keyId, key.publicKey]]));
  code = 200;
  target = await serveHttp((_, response) => {
    response.writeHead(code).end();
    probedAt = performance.timeOrigin + performance.now();
  });
  servers.push(target);
});
afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.stop(200)));
  await controlPlane.stop().catch(() => undefined);
  await Promise.all(servers.splice(0).map((server) => server.close()));
  await rm(dir, { recursive: true, force: true });
});

const configOf = (more: object = {}): NodeAgentConfig =>
  NodeAgentConfig.parse({
    agent: "eu-a",
    region: "eu-west",
    network: "blue",
    controlPlanes: [controlPlane.url],
    aud: "acme",
    privateKeyFile: join(dir, "key.pem"),
    configurationKeys: [controlPlane.configurationKey],
    spoolDir: join(dir, "spool"),
    allowLoopback: true,
    ...more,
  });
const assign = (name: string, address: string): Assignment => ({
  target: `shop/eu-west/${name}`,
  cadence,
  probe: { kind: "http", address, tls: false, path: "/", codes: ["200"], onSlow: "degrade" },
});
const configuration = (version: number, more: object = {}): AgentConfiguration =>
  AgentConfiguration.parse({
    v: 1,
    agent: "eu-a",
    region: "eu-west",
    network: "blue",
    aud: "acme/v1/reports",
    version,
    issuedAt: Date.now(),
    reportIntervalMs: 200,
    canaries: [],
    assignments: [assign("api", target.address)],
    ...more,
  });
const start = async (more: object = {}): Promise<NodeAgent> => {
  const agent = await runNodeAgent(configOf(more), { log: quiet });
  agents.push(agent);
  return agent;
};
const reports = (): readonly Report[] => controlPlane.received.map(({ report }) => report);
const until = (isTrue: () => boolean, timeout = 4_000): Promise<void> => expect.poll(isTrue, { timeout, interval: 5 }).toBe(true);

/** What a control plane believes after the reports, in order of sequence. */
const believed = (all: readonly Report[]): { states: string[]; streak: Streak } => {
  let streak = STREAK_START;
  const states: string[] = [];
  const ordered = [...all].sort((a, b) => a.boot - b.boot || a.sequence - b.sequence);
  for (const { outcome } of ordered.flatMap(({ observations }) => observations)) {
    const after = foldOutcome(streak, outcome, cadence);
    if (after.state !== streak.state) states.push(after.state);
    streak = after;
  }
  return { states, streak };
};
const firstWith = (outcome: string, after: number): Received | undefined =>
  controlPlane.received.find(({ at, report }) => at >= after && report.observations.some((one) => one.outcome === outcome));

describe("node agent", () => {
  it("reports at once at the start, takes its configuration from the answer, and says so in the next report", async () => {
    controlPlane.configure(configuration(7));
    const agent = await start();
    await until(() => reports().some((report) => report.configurationVersion === 7 && report.observations.length > 0));
    const [first] = reports();
    expect(first).toMatchObject({
      aud: "acme/v1/reports",
      agent: "eu-a",
      sequence: 1,
      configurationVersion: 0,
      observations: [],
      runtime: "node",
    });
    expect(first!.boot).toBe(agent.boot);
    expect(controlPlane.refusals).toEqual([]);
    expect(believed(reports()).states).toEqual(["up"]);
  });

  it("lists a settled check by its age only, and never older than its interval and a report", async () => {
    controlPlane.configure(configuration(1));
    await start();
    await until(() => reports().filter((report) => report.unchanged.length === 1).length >= 2);
    const ages = reports().flatMap(({ unchanged }) => unchanged.map(({ ageMs }) => ageMs));
    expect(Math.max(...ages)).toBeLessThan(2 * cadence.intervalMs);
  });

  it("pushes a transition within 100 ms of the probe that decided, and no sooner than two failures", async () => {
    controlPlane.configure(configuration(1, { reportIntervalMs: 60_000 }));
    await start();
    await until(() => believed(reports()).states.length === 1);
    const delays: number[] = [];
    for (const [next, state] of [
      [503, "down"],
      [200, "up"],
      [503, "down"],
      [200, "up"],
    ] as const) {
      const count = believed(reports()).states.length;
      code = next;
      await until(() => believed(reports()).states.length > count);
      const { at } = controlPlane.received.at(-1)!;
      delays.push(at - probedAt);
      expect(believed(reports()).states.at(-1)).toBe(state);
    }
    expect(Math.max(...delays)).toBeLessThan(100);
  });

  it("loses no transition over an outage of the control plane, though one report arrived whose answer did not", async () => {
    // Fresh for 3.5 s, so nothing becomes history while the control plane is away.
    const lasting = { ...assign("api", target.address), cadence: { ...cadence, intervalMs: 1_000, timeoutMs: 500 } };
    controlPlane.configure(configuration(1, { assignments: [lasting] }));
    await start();
    await until(() => reports().some((report) => report.unchanged.length > 0));
    controlPlane.manner = "take-silently";
    code = 503;
    await until(() => believed(reports()).states.at(-1) === "down");
    await controlPlane.stop();
    code = 200;
    const during = reports().length;
    await expect.poll(() => agents[0]!.gauges().reportsFailed, { timeout: 4_000 }).toBeGreaterThan(3);
    controlPlane.manner = "take";
    await controlPlane.start();
    await until(() => believed(reports()).states.at(-1) === "up");
    expect(reports().length).toBeGreaterThan(during);
    expect(believed(reports()).states).toEqual(["up", "down", "up"]);
    expect(controlPlane.refusals).toContain("replayed-report");
    await until(() => reports().at(-1)!.unchanged.length === 1);
  });

  it("tells what grew old in an outage as history, and its state anew as observations", async () => {
    controlPlane.configure(configuration(1));
    await start();
    await until(() => reports().some((report) => report.unchanged.length > 0));
    controlPlane.manner = "refuse-503";
    code = 503;
    await expect.poll(() => agents[0]!.gauges().spooled, { timeout: 5_000 }).toBeGreaterThanOrEqual(2);
    controlPlane.manner = "take";
    await until(() => reports().some(({ backfill }) => backfill.length >= 2));
    await until(() => believed(reports()).streak.state === "down");
    const history = reports().flatMap(({ backfill }) => backfill);
    expect(history.every(({ observation }) => observation.ageMs > 3 * cadence.intervalMs)).toBe(true);
    expect(agents[0]!.gauges().dropped).toBe(0);
    await until(() => reports().at(-1)!.unchanged.length === 1);
  });

  it("keeps probing while reports fail, and starts with its last configuration while the control plane is away", async () => {
    controlPlane.configure(configuration(3));
    await start();
    await until(() => reports().some((report) => report.configurationVersion === 3));
    await agents.pop()!.stop(200);
    await controlPlane.stop();
    probedAt = 0;
    const again = await start();
    await until(() => probedAt > 0);
    const { runs } = again.gauges();
    await until(() => again.gauges().runs > runs + 3);
    expect(again.gauges().configurationVersion).toBe(3);
    await controlPlane.start();
    await until(() => reports().at(-1)!.boot === again.boot);
    const boots = [...new Set(reports().map(({ boot }) => boot))];
    expect(boots).toEqual([...boots].sort((a, b) => a - b));
    expect(boots.length).toBe(2);
  });

  it("refuses a configuration that is forged, older, or meant for another", async () => {
    controlPlane.configure(configuration(5, { reportIntervalMs: 100 }));
    const agent = await start();
    await until(() => agent.gauges().configurationVersion === 5);
    const evil = { assignments: [assign("evil", target.address)] };
    const offers = [
      [configuration(6, evil), controlPlane.signConfiguration(configuration(6, evil), generateKeyPairSync("ed25519").privateKey)],
      [configuration(6, evil), { ...controlPlane.signConfiguration(configuration(6, evil)), keyId: "0123456789abcdef" }],
      [configuration(6, evil), controlPlane.signConfiguration(configuration(4, evil))],
      [configuration(6, evil), controlPlane.signConfiguration(configuration(6, { ...evil, agent: "eu-b" }))],
      [configuration(6, evil), controlPlane.signConfiguration(configuration(6, { ...evil, region: "us-east" }))],
      [configuration(6, evil), controlPlane.signConfiguration(configuration(6, { ...evil, aud: "rival/v1/reports" }))],
      [configuration(6, evil), controlPlane.signConfiguration({ ...configuration(6, evil), assignments: "all" })],
    ] as const;
    for (const [offer, signed] of offers) {
      controlPlane.configure(offer, signed);
      const count = reports().length;
      await until(() => reports().length >= count + 3);
    }
    expect(agent.gauges().configurationVersion).toBe(5);
    expect(reports().some(({ observations }) => observations.some((one) => one.target.endsWith("/evil")))).toBe(false);
    controlPlane.configure(configuration(6));
    await until(() => agent.gauges().configurationVersion === 6);
  });

  it("keeps the streak of a target that stays, drops the one that goes, and looks at once at the one that comes", async () => {
    controlPlane.configure(configuration(1, { assignments: [assign("api", target.address), assign("old", target.address)] }));
    const agent = await start();
    await until(() => reports().some((report) => report.unchanged.length === 2));
    controlPlane.configure(configuration(2, { assignments: [assign("api", target.address), assign("new", target.address)] }));
    await until(() => agent.gauges().configurationVersion === 2);
    const appliedAt = performance.timeOrigin + performance.now();
    await until(() => controlPlane.received.some(({ report }) => report.observations.some((one) => one.target.endsWith("/new"))));
    const came = controlPlane.received.find(({ report }) => report.observations.some((one) => one.target.endsWith("/new")))!;
    expect(came.at - appliedAt).toBeLessThan(cadence.intervalMs + 150);
    expect(
      believed(
        reports().map((report) => ({
          ...report,
          observations: report.observations.filter((one) => one.target.endsWith("/api")),
        })),
      ).states,
    ).toEqual(["up"]);
    const last = reports().at(-1)!;
    expect([...last.observations, ...last.unchanged].some((one) => one.target.endsWith("/old"))).toBe(false);
  });

  it("takes the control plane's time when its own clock is off", async () => {
    controlPlane.manner = "skewed";
    controlPlane.configure(configuration(1));
    await start();
    await until(() => reports().length >= 2);
    expect(controlPlane.refusals).toEqual(["clock-skew"]);
    const stamp = Number(controlPlane.received[0]!.headers["webhook-timestamp"]) * 1_000;
    expect(Math.abs(stamp - Date.now() - 3_600_000)).toBeLessThan(10_000);
    expect(Math.abs(reports()[0]!.sentAt - Date.now())).toBeLessThan(10_000);
  });

  it("goes to the next replica when one is away", async () => {
    const away = await serveTcp(() => undefined);
    await away.close();
    controlPlane.configure(configuration(1));
    const agent = await start({ controlPlanes: [`http://${away.address}`, controlPlane.url] });
    await until(() => agent.gauges().configurationVersion === 1, 1_000);
  });

  it("lists every observation again until streaks must agree when the control plane asks", async () => {
    controlPlane.configure(configuration(1));
    await start();
    await until(() => reports().at(-1)?.unchanged.length === 1);
    controlPlane.extra = { listAll: true };
    const count = reports().length;
    await until(() => reports().length > count);
    controlPlane.extra = {};
    const from = reports().length;
    await until(
      () =>
        reports()
          .slice(from)
          .flatMap(({ observations }) => observations).length >= 2,
    );
    await until(() => reports().at(-1)!.unchanged.length === 1);
  });

  it("says that it has no voice when every canary is unreachable, and only then", async () => {
    const canary = await serveTcp(() => undefined);
    const dead = await serveTcp(() => undefined);
    servers.push(canary);
    await dead.close();
    controlPlane.configure(configuration(1, { canaries: [dead.address, canary.address] }));
    const agent = await start();
    await until(() => reports().length >= 4);
    expect(reports().every(({ self }) => self.healthy)).toBe(true);
    await canary.close();
    await until(() => reports().at(-1)!.self.healthy === false);
    expect(agent.gauges().mode).toBe("offline");
  });

  it("shows metrics and readiness on loopback, to loopback names only", async () => {
    controlPlane.configure(configuration(1));
    const agent = await start({ httpPort: 0 });
    await until(() => agent.gauges().reportsTaken > 1);
    const get = async (path: string, headers: Record<string, string> = {}): Promise<[number, string]> => {
      const { request } = await import("node:http");
      return new Promise((resolve) => {
        request({ port: agent.httpPort, path, headers }, async (response) => {
          let text = "";
          for await (const chunk of response) text += chunk;
          resolve([response.statusCode ?? 0, text]);
        }).end();
      });
    };
    expect((await get("/readyz"))[0]).toBe(200);
    const [, metrics] = await get("/metrics");
    expect(metrics).toMatch(/^regent_agent_targets 1$/m);
    expect(metrics).toMatch(/^regent_agent_mode\{mode="normal"\} 1$/m);
    expect((await get("/metrics", { host: "attacker.example" }))[0]).toBe(421);
  });

  it("does not start with a key that others can read", async () => {
    await chmod(join(dir, "key.pem"), 0o644);
    await expect(start()).rejects.toThrow(/chmod 600/);
  });
});

describe("two agents with one key", () => {
  const readyz = async ({ httpPort }: NodeAgent): Promise<string> => (await fetch(`http://127.0.0.1:${httpPort}/readyz`)).text();

  it("the one that began earlier says so, with both boots, and stops being ready; the other goes on", async () => {
    controlPlane.configure(configuration(1));
    const first = await start({ httpPort: 0 });
    await until(() => reports().some((report) => report.unchanged.length > 0));
    const second = await start({ httpPort: 0, spoolDir: join(dir, "copy") });
    await expect.poll(() => readyz(first), { timeout: 4_000 }).toMatch(`boot ${second.boot}, ours is ${first.boot}`);
    await until(() => reports().some((report) => report.boot === second.boot && report.unchanged.length > 0));
    expect(await readyz(second)).toBe("ok\n");
    expect(second.gauges().twin).toBeNull();
    // It asks again rarely: nothing but a person can change the answer.
    const refused = controlPlane.refusals.length;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(controlPlane.refusals.length).toBe(refused);
  });

  it("that count as one boot too say so when what they never sent is taken for sent", async () => {
    controlPlane.configure(configuration(1));
    const agent = await start({ httpPort: 0 });
    await until(() => reports().some((report) => report.unchanged.length > 0));
    controlPlane.manner = "taken-by-a-copy";
    await expect.poll(() => readyz(agent), { timeout: 4_000 }).toMatch(`counts as boot ${agent.boot} too`);
  });
});

describe("node agent's process", () => {
  it("starts from its file, probes, and on SIGTERM sends what is left and exits 0 without printing its key", async () => {
    controlPlane.configure(configuration(1, { reportIntervalMs: 60_000 }));
    const path = join(dir, "agent.json");
    await writeFile(path, JSON.stringify(configOf()));
    const child = spawn(process.execPath, [NODE_AGENT_ENTRY], {
      env: { ...process.env, REGENT_AGENT_CONFIG: path, LOG_LEVEL: "debug" },
    });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
    await until(() => firstWith("ok", 0) !== undefined, 8_000);
    const before = reports().length;
    child.kill("SIGTERM");
    expect(await exit).toBe(0);
    expect(reports().length).toBeGreaterThan(before);
    for (const line of output.trim().split("\n")) expect(() => JSON.parse(line)).not.toThrow();
    expect(output).not.toContain("PRIVATE");
    expect(output).toMatch(/"msg":"agent stopped"/);
  });

  it("exits 1 and names every problem of its file", async () => {
    const path = join(dir, "agent.json");
    await writeFile(path, JSON.stringify({ ...configOf(), agent: "No Good", controlPlanes: ["ftp://x"] }));
    const child = spawn(process.execPath, [NODE_AGENT_ENTRY], { env: { ...process.env, REGENT_AGENT_CONFIG: path } });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    expect(await new Promise((resolve) => child.once("exit", resolve))).toBe(1);
    expect(output).toMatch(/agent: agent id/);
    expect(output).toMatch(/controlPlanes/);
  });
});
