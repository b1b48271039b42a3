import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import {
  CreateHealthCheckCommand,
  GetHealthCheckStatusCommand,
  ListHostedZonesCommand,
  Route53Client,
} from "@aws-sdk/client-route-53";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSandboxClient, type SandboxClient } from "./control-client.ts";
import { SANDBOX_ENTRY } from "./index.ts";
import { isAlive } from "./regions/postmaster.ts";
import { type SandboxConfigFile, SandboxReady } from "./sandbox-config.ts";
import type { SandboxRegion } from "./sandbox-state.ts";
import { testDial, testFetch, testQuery, testUntil } from "./testing/observe.ts";

const TOKEN = "sandbox-test-token-1234";
const PASSWORD = "probe-password";
const CREDENTIALS = { accessKeyId: "SANDBOX", secretAccessKey: "sandbox-secret" };

let folder: string;
let controlPlane: Server;
let config: SandboxConfigFile;
let child: ChildProcess;
let ready: SandboxReady;
let client: SandboxClient;

const start = async (): Promise<void> => {
  const configFile = join(folder, "sandbox.json");
  await writeFile(configFile, JSON.stringify(config), { mode: 0o600 });
  child = spawn(process.execPath, [fileURLToPath(SANDBOX_ENTRY)], {
    env: { ...process.env, REGENT_SANDBOX_CONFIG: configFile },
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (child.stdout === null) throw new Error("stdout is a pipe");
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  ready = SandboxReady.parse(JSON.parse(line));
  client = createSandboxClient({ url: `http://127.0.0.1:${ready.ports.control}`, token: TOKEN });
};

const region = async (): Promise<Extract<SandboxRegion, { process: "running" }>> => {
  const answer = await client.read();
  const found = answer.kind === "answered" ? answer.value.regions[0] : undefined;
  if (found?.process !== "running") throw new Error(`the region does not run: ${JSON.stringify(answer)}`);
  return found;
};

const link = (vantage: string, target: string): number => ready.links[vantage]?.[target] ?? 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sandbox-main-"));
  await chmod(folder, 0o711);
  await writeFile(join(folder, "token"), TOKEN, { mode: 0o600 });
  controlPlane = createServer((_, response) => response.end("{}")).listen(0, "127.0.0.1");
  await once(controlPlane, "listening");
  config = {
    dataDir: join(folder, "sandbox"),
    tokenFile: join(folder, "token"),
    zones: ["example.test"],
    credentials: [CREDENTIALS],
    regions: [
      { id: "eu-west", apiPort: 0, databasePort: 0, controlPort: 0, publishedAddress: "192.0.2.10", probePassword: PASSWORD },
    ],
    vantages: ["eu-west/net-a", "us-east/net-b"],
    controlPlane: { port: (controlPlane.address() as AddressInfo).port },
    healthCheckTimeScale: 20,
    spawnRegions: true,
  };
  await start();
});

afterAll(async () => {
  child?.kill("SIGKILL");
  controlPlane?.close();
  await rm(folder, { recursive: true, force: true });
});

describe("the sandbox as one process", () => {
  test("every vantage reaches every target over its own link", async () => {
    for (const vantage of ["eu-west/net-a", "us-east/net-b"]) {
      expect(await testFetch(link(vantage, "eu-west/api"))).toMatchObject({ code: 200, region: "eu-west" });
      expect(await testQuery(link(vantage, "eu-west/database"), PASSWORD, "SELECT 1 AS one")).toEqual({ one: 1 });
      expect(await testFetch(link(vantage, "control-plane"))).toMatchObject({ code: 200 });
    }
  });

  test("a refusing region is refused over its links too, at once, and comes back with it", async () => {
    await client.breakRegion("eu-west", { fault: "refuse" });
    const isRefused = (seen: string): boolean => seen === "ECONNREFUSED";
    await testUntil(() => testDial(link("us-east/net-b", "eu-west/api")), isRefused, 300);
    expect(await testQuery(link("us-east/net-b", "eu-west/database"), PASSWORD, "SELECT 1 AS one")).toEqual({ one: 1 });
    await client.mendRegion("eu-west");
    await testUntil(
      () => testFetch(link("us-east/net-b", "eu-west/api"), "/", 300),
      (seen) => seen.kind === "answered",
      500,
    );
  });

  test("a database that is down refuses its links and leaves the API's", async () => {
    await client.breakRegion("eu-west", { fault: "database-down" });
    await testUntil(
      () => testDial(link("eu-west/net-a", "eu-west/database")),
      (seen) => seen === "ECONNREFUSED",
      300,
    );
    expect(await testFetch(link("eu-west/net-a", "eu-west/api"), "/healthz/deep", 800)).toMatchObject({ code: 503 });
    await client.mendRegion("eu-west");
    await testUntil(
      () => testDial(link("eu-west/net-a", "eu-west/database")),
      (seen) => seen === "opened",
      500,
    );
  });

  test("through a link, a region that never accepts opens and stays silent", async () => {
    await client.breakRegion("eu-west", { fault: "blackhole" });
    await testUntil(
      () => testFetch(link("us-east/net-b", "eu-west/api"), "/", 300),
      (seen) => seen.kind === "silent",
    );
    expect(await testDial(link("us-east/net-b", "eu-west/api"))).toBe("opened");
    await client.mendRegion("eu-west");
    expect(await testFetch(link("us-east/net-b", "eu-west/api"))).toMatchObject({ code: 200 });
  });

  test("one cut link harms one vantage", async () => {
    await client.cutLinks({ from: "us-east/net-b", to: "eu-west/api", mode: "refuse" });
    expect(await testDial(link("us-east/net-b", "eu-west/api"))).toBe("ECONNREFUSED");
    expect(await testFetch(link("eu-west/net-a", "eu-west/api"))).toMatchObject({ code: 200 });
  });

  test("a dead region with its agents: nothing answers, its agents are wanted dead, others' live; one mend undoes all", async () => {
    const broken = await client.breakRegion("eu-west", { fault: "dead", agents: true });
    expect(broken).toMatchObject({
      value: {
        region: { api: { isListening: false }, database: { isRunning: false } },
        agents: {
          agents: [
            { id: "eu-west-net-a", wanted: "killed" },
            { id: "us-east-net-b", wanted: "running" },
          ],
        },
      },
    });
    const mended = await client.mendEverything();
    expect(mended).toMatchObject({
      value: { regions: [{ faults: [], api: { isListening: true }, database: { isRunning: true } }] },
    });
    expect(mended.kind === "answered" && mended.value.links.filter((each) => each.cut !== undefined)).toEqual([]);
    expect(mended.kind === "answered" && mended.value.agents.agents.map((agent) => agent.wanted)).toEqual(["running", "running"]);
  });

  test("Route 53 is there, and its native checks follow the published address to the region's API", async () => {
    const route53 = new Route53Client({
      region: "us-east-1",
      endpoint: `http://127.0.0.1:${ready.ports.route53}`,
      credentials: CREDENTIALS,
      maxAttempts: 1,
    });
    const { HostedZones = [] } = await route53.send(new ListHostedZonesCommand({}));
    expect(HostedZones.map((zone) => zone.Name)).toEqual(["example.test."]);
    const { HealthCheck } = await route53.send(
      new CreateHealthCheckCommand({
        CallerReference: "main-test",
        HealthCheckConfig: {
          Type: "HTTP",
          IPAddress: "192.0.2.10",
          Port: 80,
          ResourcePath: "/healthz",
          RequestInterval: 10,
          FailureThreshold: 1,
        },
      }),
    );
    const opinions = async (): Promise<(string | undefined)[]> => {
      const { HealthCheckObservations = [] } = await route53.send(
        new GetHealthCheckStatusCommand({ HealthCheckId: HealthCheck?.Id }),
      );
      return HealthCheckObservations.map((each) => each.StatusReport?.Status);
    };
    const all =
      (start: string) =>
      (seen: (string | undefined)[]): boolean =>
        seen.length > 0 && seen.every((each) => each?.startsWith(start));
    await testUntil(opinions, all("Success"), 5_000);
    await client.breakRegion("eu-west", { fault: "refuse" });
    await testUntil(opinions, all("Failure"), 5_000);
    await client.mendRegion("eu-west");
    route53.destroy();
  });

  test("faults of the Route 53 API reach it through the control", async () => {
    const route53 = new Route53Client({
      region: "us-east-1",
      endpoint: `http://127.0.0.1:${ready.ports.route53}`,
      credentials: CREDENTIALS,
      maxAttempts: 1,
    });
    expect(await client.breakRoute53({ kind: "throttle", count: 1, operations: ["*"] })).toMatchObject({ kind: "answered" });
    await expect(route53.send(new ListHostedZonesCommand({}))).rejects.toMatchObject({ name: "Throttling" });
    expect(await route53.send(new ListHostedZonesCommand({}))).toMatchObject({ IsTruncated: false });
    expect(await client.setPropagation({ minMs: 5, maxMs: 1 })).toMatchObject({ kind: "refused", code: 422 });
    route53.destroy();
  });
});

describe("its end", () => {
  test("kill -9 takes its regions with it, and the next start takes everything up again", async () => {
    const { pid, database } = await region();
    child.kill("SIGKILL");
    await testUntil(
      () => isAlive(pid) || isAlive(database.pid ?? 0),
      (isLeft) => !isLeft,
    );
    await start();
    expect(await testQuery(link("eu-west/net-a", "eu-west/database"), PASSWORD, "SELECT 1 AS one")).toEqual({ one: 1 });
  });

  test("SIGTERM ends it and everything it started within 3 s, in order", async () => {
    const { pid, database } = await region();
    const startedAt = performance.now();
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect([isAlive(pid), isAlive(database.pid ?? 0)]).toEqual([false, false]);
    expect(await testDial(ready.ports.control)).toBe("ECONNREFUSED");
  });

  test("a port that is taken ends the start with a sentence, and nothing it had started stays", async () => {
    const [{ databasePort = 0 } = {}] = ready.regions;
    const taken = (controlPlane.address() as AddressInfo).port;
    const configFile = join(folder, "taken.json");
    const regions = config.regions.map((each) => ({ ...each, databasePort }));
    await writeFile(configFile, JSON.stringify({ ...config, regions, ports: { control: taken } }), { mode: 0o600 });
    const failing = spawn(process.execPath, [fileURLToPath(SANDBOX_ENTRY)], {
      env: { ...process.env, REGENT_SANDBOX_CONFIG: configFile },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    failing.stderr?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    expect(await once(failing, "close")).toEqual([1, null]);
    expect(said).toContain(`EADDRINUSE: address already in use 127.0.0.1:${taken}`);
    expect(await testDial(databasePort)).toBe("ECONNREFUSED");
  });
});
