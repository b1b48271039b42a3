/** The server as a real process over a real Postgres: it ends in order, gives the lease back, and a second signal ends it at once. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect as dial, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { connect, type Database } from "./adapters/postgres/database.ts";
import { createPostgresLease } from "./adapters/postgres/lease.ts";
import { type TestDatabase, testDatabase } from "./adapters/postgres/testing.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

interface Line {
  readonly msg: string;
  readonly step?: string;
  readonly tookMs?: number;
}

let home: string;
let place: TestDatabase;
let database: Database;
let child: ChildProcess;
let lines: Line[];
let sockets: Socket[];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "shutdown-"));
  place = await testDatabase();
  database = connect(place.url, { connections: 1 });
  lines = [];
  sockets = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  await database.close();
  await place.drop();
  await rm(home, { recursive: true, force: true });
});

/** Answers its address when it is ready. */
const start = async (): Promise<URL> => {
  child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env.PATH,
      REGENT_HOME: home,
      REGENT_LISTEN: "127.0.0.1:0",
      DATABASE_URL: place.url,
      AWS_ENDPOINT_URL_ROUTE_53: "http://127.0.0.1:9",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  createInterface({ input: child.stderr as NodeJS.ReadableStream }).on("line", (line) => {
    if (line.startsWith("{")) lines.push(JSON.parse(line) as Line);
  });
  const [ready] = (await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), "line")) as [string];
  return new URL((JSON.parse(ready) as { url: string }).url);
};

/** Its code, once all that it said is read. */
const ended = async (): Promise<number | null> => {
  const [code] = (await once(child, "close")) as [number | null];
  return code;
};

/** Other work may have a word to say between them. */
const steps = (): readonly (string | undefined)[] =>
  lines.filter(({ step, tookMs }) => step !== undefined && tookMs !== undefined).map(({ step }) => step);

const lease = () => createPostgresLease({ database }).read();

/** A report whose body never comes to its end. */
const hangRequest = async ({ hostname, port }: URL): Promise<void> => {
  const socket = dial(Number(port), hostname);
  sockets.push(socket);
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write("POST /v1/reports HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 100\r\n\r\n{");
  await new Promise((resolve) => setTimeout(resolve, 100));
};

test("every step in its order, each with its time; the lease is free before the connections close", {
  timeout: 60_000,
}, async () => {
  await start();
  await expect.poll(lease, { timeout: 15_000, interval: 50 }).not.toBeNull();
  child.kill("SIGTERM");
  expect(await ended()).toBe(0);
  expect(steps()).toEqual(["not-ready", "door", "leading", "requests", "outside", "database"]);
  expect(await lease()).toBeNull();
});

test("what is under way has its time, and then the end goes on without it", { timeout: 60_000 }, async () => {
  const url = await start();
  await hangRequest(url);
  const at = performance.now();
  child.kill("SIGTERM");
  expect(await ended()).toBe(0);
  expect(performance.now() - at).toBeGreaterThan(1_500);
  expect(lines.find(({ step }) => step === "requests")?.tookMs).toBeGreaterThan(1_500);
  expect(steps().at(-1)).toBe("database");
});

test("a second signal ends it at once", { timeout: 60_000 }, async () => {
  const url = await start();
  await hangRequest(url);
  child.kill("SIGTERM");
  await expect.poll(() => lines.some(({ msg }) => msg === "stopping"), { timeout: 5_000 }).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  child.kill("SIGTERM");
  expect(await ended()).toBe(1);
  expect(lines.at(-1)?.msg).toContain("ending at once");
});
