import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { RegionProcessFault } from "../faults.ts";
import { testDial, testFetch, testQuery, testUntil } from "../testing/observe.ts";
import { isAlive } from "./postmaster.ts";
import { createRegionClient, type RegionClient } from "./region-client.ts";
import type { RegionConfigFile, RegionReady } from "./region-config.ts";
import type { RegionState } from "./region-state.ts";
import { type SpawnedRegion, spawnRegion } from "./spawn-region.ts";

const TOKEN = "region-test-token-1234";
const PASSWORD = "it's-a-probe's-password";

let folder: string;
let configFile: string;
let config: RegionConfigFile;
let region: SpawnedRegion;
let ready: RegionReady;
let client: RegionClient;

const start = async (): Promise<void> => {
  region = await spawnRegion(configFile, config);
  ready = region.ready;
  client = createRegionClient({ port: ready.controlPort, token: TOKEN });
};

const state = async (): Promise<RegionState> => {
  const answer = await client.read();
  if (answer.kind !== "answered") throw new Error(`the region does not answer: ${answer.why}`);
  return answer.state;
};

const breakWith = async (fault: RegionProcessFault): Promise<void> => {
  expect(await client.break(fault)).toMatchObject({ kind: "answered" });
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sandbox-region-"));
  // A root caller's Postgres runs as another account, which must be able to pass through.
  await chmod(folder, 0o711);
  configFile = join(folder, "region.json");
  await writeFile(join(folder, "token"), `${TOKEN}\n`, { mode: 0o600 });
  config = { region: "eu-west", dataDir: join(folder, "eu-west"), tokenFile: join(folder, "token"), probePassword: PASSWORD };
  await start();
});

afterAll(async () => {
  await region?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe("a healthy region", () => {
  test("names itself in body and header", async () => {
    expect(await testFetch(ready.apiPort)).toMatchObject({
      kind: "answered",
      code: 200,
      region: "eu-west",
      body: { region: "eu-west" },
    });
    expect(await testFetch(ready.apiPort, "/healthz")).toMatchObject({ code: 200, body: { status: "pass", region: "eu-west" } });
    expect(await testFetch(ready.apiPort, "/nowhere")).toMatchObject({ code: 404 });
  });

  test("its deep health answer has asked its own Postgres", async () => {
    expect(await testFetch(ready.apiPort, "/healthz/deep")).toMatchObject({
      code: 200,
      body: { status: "pass", region: "eu-west", version: "sandbox", checks: { db: { status: "pass", ms: expect.any(Number) } } },
    });
  });

  test("its Postgres lets the probe log in with scram and see the monitoring views", async () => {
    const query = `SELECT pg_is_in_recovery() AS recovery, current_setting('transaction_read_only') AS read_only,
      pg_has_role('pg_monitor', 'member') AS monitor, current_setting('is_superuser') AS super`;
    expect(await testQuery(ready.databasePort, PASSWORD, query)).toEqual({
      recovery: false,
      read_only: "off",
      monitor: true,
      super: "off",
    });
    expect(await testQuery(ready.databasePort, "wrong", "SELECT 1")).toBe("28P01");
  });
});

describe("a broken region", () => {
  afterEach(async () => {
    expect(await client.mend({})).toMatchObject({
      kind: "answered",
      state: { faults: [], api: { isListening: true }, database: { isRunning: true } },
    });
    expect(await testFetch(ready.apiPort, "/healthz/deep")).toMatchObject({ code: 200 });
  });

  test("refuse: a dial is refused and the database goes on", async () => {
    await breakWith({ fault: "refuse" });
    expect(await testDial(ready.apiPort)).toBe("ECONNREFUSED");
    expect(await testQuery(ready.databasePort, PASSWORD, "SELECT 1 AS one")).toEqual({ one: 1 });
  });

  test("hang: the dial opens and no answer comes", async () => {
    await breakWith({ fault: "hang" });
    expect(await testDial(ready.apiPort)).toBe("opened");
    expect(await testFetch(ready.apiPort, "/", 300)).toEqual({ kind: "silent" });
  });

  test.runIf(process.platform === "linux")("blackhole: a dial stays unanswered", async () => {
    await breakWith({ fault: "blackhole" });
    expect(await testDial(ready.apiPort)).toBe("unanswered");
    expect((await state()).api.isListening).toBe(false);
  });

  test("503: every path answers 503", async () => {
    await breakWith({ fault: "503" });
    for (const path of ["/", "/healthz", "/healthz/deep"])
      expect(await testFetch(ready.apiPort, path)).toMatchObject({ code: 503 });
  });

  test("slow: the right answer comes late", async () => {
    await breakWith({ fault: "slow", delayMs: 250 });
    const seen = await testFetch(ready.apiPort, "/", 2_000);
    expect(seen).toMatchObject({ code: 200, body: { region: "eu-west" } });
    expect(seen.kind === "answered" && seen.ms).toBeGreaterThanOrEqual(245);
  });

  test("alternate: even seconds pass, odd ones fail", async () => {
    await breakWith({ fault: "alternate" });
    const seen = new Map<number, number>();
    await testUntil(
      async () => {
        const second = Math.floor(Date.now() / 1_000) % 2;
        const answer = await testFetch(ready.apiPort);
        // An answer that straddles two seconds belongs to neither.
        if (Math.floor(Date.now() / 1_000) % 2 === second && answer.kind === "answered") seen.set(second, answer.code);
        return seen.size;
      },
      (size) => size === 2,
    );
    expect([seen.get(0), seen.get(1)]).toEqual([200, 503]);
  });

  test("random: the same seed fails the same requests, about as often as asked", async () => {
    const draw = async (): Promise<number[]> => {
      await breakWith({ fault: "random", rate: 0.3, seed: 7 });
      const codes: number[] = [];
      for (let request = 0; request < 60; request++) {
        const seen = await testFetch(ready.apiPort, "/", 1_000);
        codes.push(seen.kind === "answered" ? seen.code : 0);
      }
      return codes;
    };
    const codes = await draw();
    const failed = codes.filter((code) => code === 503).length;
    expect(failed).toBeGreaterThan(8);
    expect(failed).toBeLessThan(30);
    expect(codes.filter((code) => code === 200)).toHaveLength(60 - failed);
    expect(await draw()).toEqual(codes);
  });

  test.each(["fast", "immediate"] as const)(
    "database-down (%s): Postgres is gone, the API answers, the deep check fails",
    async (mode) => {
      const { pid } = (await state()).database;
      await breakWith({ fault: "database-down", mode });
      expect(isAlive(pid ?? 0)).toBe(false);
      expect(await testDial(ready.databasePort)).toBe("ECONNREFUSED");
      expect(await testFetch(ready.apiPort, "/healthz")).toMatchObject({ code: 200 });
      expect(await testFetch(ready.apiPort, "/healthz/deep")).toMatchObject({
        code: 503,
        body: { status: "fail", checks: { db: { status: "fail", why: "ECONNREFUSED" } } },
      });
    },
  );

  test("read-only: Postgres answers, takes no write, and the deep check says so", async () => {
    await breakWith({ fault: "read-only" });
    expect(await testQuery(ready.databasePort, PASSWORD, "CREATE TEMPORARY TABLE t(); CREATE TABLE t()")).toBe("25006");
    expect(await testFetch(ready.apiPort, "/healthz/deep")).toMatchObject({
      code: 503,
      body: { checks: { db: { why: "read-only" } } },
    });
  });

  test("dead: API and database are refused", async () => {
    await breakWith({ fault: "dead" });
    expect(await testDial(ready.apiPort)).toBe("ECONNREFUSED");
    expect(await testDial(ready.databasePort)).toBe("ECONNREFUSED");
    expect((await state()).faults).toEqual([{ fault: "refuse" }, { fault: "database-down", mode: "immediate" }]);
  });

  test("one part is mended alone", async () => {
    await breakWith({ fault: "dead" });
    await client.mend({ part: "api" });
    expect(await testFetch(ready.apiPort, "/healthz")).toMatchObject({ code: 200 });
    expect(await testFetch(ready.apiPort, "/healthz/deep")).toMatchObject({ code: 503 });
  });

  test("a fault replaces the one before it, also one that held the port", async () => {
    await breakWith({ fault: "blackhole" });
    await breakWith({ fault: "503" });
    expect(await testFetch(ready.apiPort)).toMatchObject({ code: 503 });
    await breakWith({ fault: "refuse" });
    expect(await testDial(ready.apiPort)).toBe("ECONNREFUSED");
  });
});

describe("the region's process", () => {
  test("its control takes nothing without the token, nor a fault it doesn't know", async () => {
    const url = `http://127.0.0.1:${ready.controlPort}/v1/region/break`;
    expect((await fetch(url, { method: "POST", body: '{"fault":"hang"}' })).status).toBe(401);
    const unknown = await fetch(url, {
      method: "POST",
      body: '{"fault":"explode"}',
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    expect([unknown.status, unknown.headers.get("content-type")]).toEqual([422, "application/problem+json"]);
    expect(await testFetch(ready.apiPort)).toMatchObject({ code: 200 });
  });

  test("a deep check of a frozen Postgres fails in time, and passes when it thaws", async () => {
    const { pid } = (await state()).database;
    if (pid === undefined) throw new Error("Postgres runs");
    await breakWith({ fault: "database-down", mode: "fast" });
    await client.mend({});
    const fresh = (await state()).database.pid ?? 0;
    process.kill(fresh, "SIGSTOP");
    const seen = await testFetch(ready.apiPort, "/healthz/deep", 800);
    process.kill(fresh, "SIGCONT");
    expect(seen).toMatchObject({ code: 503, body: { status: "fail" } });
    await testUntil(
      () => testFetch(ready.apiPort, "/healthz/deep", 800),
      (answer) => answer.kind === "answered" && answer.code === 200,
    );
  });

  test("kill -9 leaves its Postgres running; the next start takes over folder, port and password", async () => {
    const orphan = (await state()).database.pid ?? 0;
    region.child.kill("SIGKILL");
    await testUntil(
      () => region.child.signalCode,
      (signal) => signal === "SIGKILL",
    );
    expect(isAlive(orphan)).toBe(true);
    config = { ...config, apiPort: ready.apiPort, databasePort: ready.databasePort };
    await start();
    expect(isAlive(orphan)).toBe(false);
    expect(await testQuery(ready.databasePort, PASSWORD, "SELECT 1 AS one")).toEqual({ one: 1 });
    expect(await testFetch(ready.apiPort, "/healthz/deep")).toMatchObject({ code: 200 });
  });

  test("SIGTERM stops its Postgres with it, within 3 s", async () => {
    const { pid } = (await state()).database;
    const startedAt = performance.now();
    await region.stop();
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(region.child.exitCode).toBe(0);
    expect(isAlive(pid ?? 0)).toBe(false);
  });

  test("a configuration with mistakes is refused with all of them", async () => {
    const wrong = { ...config, region: "EU West", probePassword: "short" };
    await expect(spawnRegion(configFile, wrong)).rejects.toThrow(/region[\s\S]*probePassword|probePassword[\s\S]*region/);
  });
});
