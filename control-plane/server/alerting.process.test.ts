/** Alert rules in a real process over a real Postgres: what fires is told once, also over a `kill -9`, and its end by who comes after. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startWebReceiver, type WebReceiver } from "./adapters/notify/testing/web-receiver.ts";
import { type TestDatabase, testDatabase } from "./adapters/postgres/testing.ts";
import { SMALL_TEXT } from "./configuration/testing/example.ts";
import { createClient } from "./http/client.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
const KEY = Buffer.alloc(32, 9);
const SECRET = `whsec_${KEY.toString("base64")}`;

let home: string;
let place: TestDatabase;
let receiver: WebReceiver;
let child: ChildProcess;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "alerting-"));
  place = await testDatabase();
  receiver = await startWebReceiver({ status: 204, body: "" });
  const where = `http://127.0.0.1:${receiver.port}/regent`;
  const notify = `notify: { notifiers: [{ id: hook, kind: webhook, where: "${where}", secret: { env: REGENT_SECRET_HOOK } }] }`;
  await writeFile(join(home, "regent.yaml"), `${SMALL_TEXT.trimEnd()}\n${notify}\n`);
});

afterEach(async () => {
  await kill();
  await receiver.close();
  await place.drop();
  await rm(home, { recursive: true, force: true });
});

const kill = async (): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
};

const start = async () => {
  child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env.PATH,
      REGENT_HOME: home,
      REGENT_CONFIG: join(home, "regent.yaml"),
      REGENT_LISTEN: "127.0.0.1:0",
      REGENT_NOTIFY_LOOPBACK: "1",
      REGENT_SECRET_HOOK: SECRET,
      DATABASE_URL: place.url,
      AWS_ENDPOINT_URL_ROUTE_53: "http://127.0.0.1:9",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stderr?.resume();
  const [line] = (await once(createInterface({ input: child.stdout! }), "line")) as [string];
  const { url } = JSON.parse(line) as { url: string };
  const token = (await readFile(join(home, "admin.token"), "utf8")).trim();
  const client = createClient({ url, token });
  await expect.poll(async () => (await client.overview()).kind, { timeout: 20_000 }).toBe("ok");
  return client;
};

const titlesOf = (action: string): number =>
  receiver.taken.filter(({ body }) => {
    const told = JSON.parse(body) as { type: string; data: { incident: { cause: string } } };
    return told.type === `incident.${action}` && told.data.incident.cause === "alert:leads";
  }).length;

test("what fires is told once over a kill, and its end by the next process", async () => {
  const first = await start();
  const rule = { metric: "regent_leading", condition: { op: "==" as const, value: 1 }, for: 0, severity: "critical" as const };
  const request = { ...rule, expectedVersion: 0, reason: "a test of it" };
  await expect.poll(async () => (await first.setAlertRule("leads", request)).kind, { timeout: 20_000 }).toBe("ok");
  await expect.poll(() => titlesOf("open"), { timeout: 20_000 }).toBe(1);
  expect(await first.alerts()).toMatchObject({ kind: "ok", value: { alerts: [{ rule: "leads", state: "firing", value: 1 }] } });
  expect(await first.tryAlertRule("deciding-slow")).toMatchObject({ kind: "ok", value: { rule: { source: "default" } } });
  expect(await first.setAlertRule("leads", request)).toMatchObject({ kind: "problem", problem: { status: 409, version: 1 } });
  await kill();
  const second = await start();
  const drop = { expectedVersion: 1, reason: "seen enough" };
  await expect.poll(async () => (await second.dropAlertRule("leads", drop)).kind, { timeout: 40_000 }).toBe("ok");
  await expect.poll(() => titlesOf("close"), { timeout: 20_000 }).toBe(1);
  expect(titlesOf("open")).toBe(1);
  expect(await second.alerts()).toMatchObject({ kind: "ok", value: { alerts: [] } });
}, 120_000);
