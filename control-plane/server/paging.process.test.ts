/** The server as a real process over a real Postgres tells a real receiver: signed, once by id, and after `kill -9` what it owed. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
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
let log = "";

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "paging-"));
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
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const [line] = (await once(createInterface({ input: child.stdout! }), "line")) as [string];
  const { url } = JSON.parse(line) as { url: string };
  const token = (await readFile(join(home, "admin.token"), "utf8")).trim();
  const client = createClient({ url, token });
  await expect.poll(async () => (await client.overview()).kind, { timeout: 20_000 }).toBe("ok");
  return client;
};

const bodies = (): string => receiver.taken.map(({ body }) => body).join("\n");

test("a freeze is told within 5 s, what was owed when the process was killed is told by the next, and no secret is logged", async () => {
  const first = await start();
  await expect.poll(async () => (await first.freeze({}, "deploying", {})).kind, { timeout: 20_000 }).toBe("ok");
  await expect.poll(bodies, { timeout: 5_000 }).toContain("deploying");
  const [request] = receiver.taken;
  const signed = `${request?.headers["webhook-id"]}.${request?.headers["webhook-timestamp"]}.${request?.body}`;
  expect(request?.headers["webhook-signature"]).toBe(`v1,${createHmac("sha256", KEY).update(signed).digest("base64")}`);

  await receiver.set("down");
  expect((await first.freeze({ service: "www" }, "while nobody hears", {})).kind).toBe("ok");
  await kill();
  await receiver.set(null);
  const second = await start();
  await expect.poll(bodies, { timeout: 40_000 }).toContain("while nobody hears");
  const ids = receiver.taken.map(({ headers }) => headers["webhook-id"]);
  expect(new Set(ids).size).toBe(ids.length);
  expect(await second.testNotifier("hook", "trying", {})).toMatchObject({ kind: "ok", value: { delivered: true } });
  expect(log).not.toContain(SECRET);
}, 90_000);
