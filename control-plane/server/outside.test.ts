/** A whole server whose way to Postgres is cut and mended: what its doors tell of guards and pool meanwhile, and how it comes back. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testDatabase } from "./adapters/postgres/testing.ts";
import { loadConfig } from "./config.ts";
import { BreakersAnswer, DatabaseAnswer } from "./http/wire.ts";
import { type RunningServer, startServer } from "./main.ts";

/** What is used of the sandbox's links. Loaded by path: the server doesn't depend on the sandbox. */
interface Links {
  readonly state: () => readonly { readonly port: number }[];
  readonly set: (choice: object, mode: "refuse" | undefined) => Promise<unknown>;
  readonly close: () => Promise<void>;
}

let home = "";
let links: Links;
let server: RunningServer;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "regent-outside-"));
  const direct = new URL((await testDatabase()).url);
  const path = new URL("../../infra/sandbox/links/links.ts", import.meta.url).href;
  const { createLinks } = (await import(/* @vite-ignore */ path)) as { createLinks: (options: object) => Promise<Links> };
  const target = { name: "postgres", host: "127.0.0.1", port: Number(direct.port), watch: "dialled" };
  links = await createLinks({ vantages: ["server"], targets: [target], ports: {} });
  const config = loadConfig({
    REGENT_HOME: home,
    REGENT_LISTEN: "127.0.0.1:0",
    DATABASE_URL: Object.assign(direct, { port: String(links.state()[0]!.port) }).href,
    REGENT_DATABASE_CHECK_MS: "100",
    REGENT_DATABASE_POOL: "1/4",
    // Nobody listens: no test of ours talks to AWS.
    AWS_ENDPOINT_URL_ROUTE_53: "http://127.0.0.1:1",
  });
  server = await startServer(config, pino({ level: "silent" }));
});

afterAll(async () => {
  await links.set({}, undefined);
  await server.stop();
  await links.close();
  await rm(home, { recursive: true });
});

const get = async (path: string): Promise<Response> => fetch(`${server.url}${path}`, { signal: AbortSignal.timeout(20_000) });
const pool = async () => DatabaseAnswer.parse(await (await get("/healthz/database")).json()).pool!;
const breaker = async (name: string) =>
  BreakersAnswer.parse(await (await get("/healthz/breakers")).json()).breakers.find((each) => each.name === name)!;

test("well: every guard is closed, the pool is healthy, and both say by which limits", async () => {
  expect(await breaker("postgres")).toMatchObject({ state: "closed", limits: { failures: 5, successes: 2, openMs: 1_000 } });
  expect(await breaker("route53-change")).toMatchObject({ state: "closed", limits: { failures: 3, openMs: 1_000, atOnce: 8 } });
  await expect.poll(async () => (await pool()).checkedAt).not.toBeNull();
  expect(await pool()).toMatchObject({ state: "healthy", reports: { min: 1, max: 4 }, decisions: { max: 3 }, held: 0 });
});

test("cut: the doors answer at once and say so; mended: all is well again without anybody's help", async () => {
  await links.set({}, "refuse");
  const authorization = `Bearer ${(await readFile(join(home, "admin.token"), "utf8")).trim()}`;
  const isOpen = async (): Promise<string> => {
    await Promise.all([1, 2, 3].map(() => fetch(`${server.url}/v1/history`, { headers: { authorization } })));
    return (await breaker("postgres")).state;
  };
  await expect.poll(isOpen, { timeout: 10_000, interval: 10 }).toBe("open");
  expect(await breaker("postgres")).toMatchObject({
    openUntil: expect.any(Number),
    lastFailure: expect.stringMatching(/^(ECONN|CONN)/),
  });
  const isUp = async (): Promise<boolean> => DatabaseAnswer.parse(await (await get("/healthz/database")).json()).isUp;
  await expect.poll(isUp, { timeout: 5_000 }).toBe(false);
  const begunAt = performance.now();
  expect(await isUp()).toBe(false);
  expect(performance.now() - begunAt).toBeLessThan(500);
  await expect.poll(async () => (await pool()).state, { timeout: 10_000 }).toBe("unhealthy");
  await links.set({}, undefined);
  await expect.poll(async () => (await pool()).state, { timeout: 10_000 }).toBe("healthy");
  expect(await breaker("postgres")).toMatchObject({ state: "closed", failures: 0 });
  await expect.poll(isUp, { timeout: 5_000 }).toBe(true);
});

test("metrics tell of both", async () => {
  const token = (await readFile(join(home, "admin.token"), "utf8")).trim();
  const answer = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  const lines = (await answer.text()).split("\n");
  expect(lines).toContain('regent_database_state{state="healthy"} 1');
  expect(lines).toContain('regent_guards{guard="postgres",state="closed"} 1');
  expect(lines.some((line) => /^regent_guard_changes_total\{guard="postgres",state="open"\} [1-9]/.test(line))).toBe(true);
  expect(lines.some((line) => /^regent_database_seconds_count\{lane="decisions",outcome="done"\} [1-9]/.test(line))).toBe(true);
});
