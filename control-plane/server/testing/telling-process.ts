/** The server as a real process over a real Postgres that tells a real receiver; to be killed and started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { startWebReceiver, type WebReceiver } from "../adapters/notify/testing/web-receiver.ts";
import { testDatabase } from "../adapters/postgres/testing.ts";
import { SMALL_TEXT } from "../configuration/testing/example.ts";
import { createClient } from "../http/client.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
export const WEBHOOK_KEY = Buffer.alloc(32, 9);
export const WEBHOOK_SECRET = `whsec_${WEBHOOK_KEY.toString("base64")}`;

export interface TellingProcess {
  readonly receiver: WebReceiver;
  /** A client of the process, once it answers. */
  readonly start: () => Promise<ReturnType<typeof createClient>>;
  /** `kill -9`. */
  readonly kill: () => Promise<void>;
  /** All that its processes logged. */
  readonly log: () => string;
  readonly end: () => Promise<void>;
}

export const prepareTellingProcess = async (): Promise<TellingProcess> => {
  const home = await mkdtemp(join(tmpdir(), "telling-"));
  const place = await testDatabase();
  const receiver = await startWebReceiver({ status: 204, body: "" });
  const where = `http://127.0.0.1:${receiver.port}/regent`;
  const notify = `notify: { notifiers: [{ id: hook, kind: webhook, where: "${where}", secret: { env: REGENT_SECRET_HOOK } }] }`;
  await writeFile(join(home, "regent.yaml"), `${SMALL_TEXT.trimEnd()}\n${notify}\n`);
  let child: ChildProcess | undefined;
  let log = "";

  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };

  return {
    receiver,
    start: async () => {
      const started = spawn(process.execPath, [MAIN], {
        env: {
          PATH: process.env.PATH,
          REGENT_HOME: home,
          REGENT_CONFIG: join(home, "regent.yaml"),
          REGENT_LISTEN: "127.0.0.1:0",
          REGENT_NOTIFY_LOOPBACK: "1",
          REGENT_SECRET_HOOK: WEBHOOK_SECRET,
          DATABASE_URL: place.url,
          AWS_ENDPOINT_URL_ROUTE_53: "http://127.0.0.1:9",
          AWS_ACCESS_KEY_ID: "test",
          AWS_SECRET_ACCESS_KEY: "test",
        },
        stdio: ["ignore", "pipe", "pipe"],
      });
      child = started;
      started.stderr.setEncoding("utf8").on("data", (text: string) => {
        log += text;
      });
      const [line] = (await once(createInterface({ input: started.stdout }), "line")) as [string];
      const { url } = JSON.parse(line) as { url: string };
      const token = (await readFile(join(home, "admin.token"), "utf8")).trim();
      const client = createClient({ url, token });
      await expect.poll(async () => (await client.overview()).kind, { timeout: 20_000 }).toBe("ok");
      return client;
    },
    kill,
    log: () => log,
    end: async () => {
      await kill();
      await receiver.close();
      await place.drop();
      await rm(home, { recursive: true, force: true });
    },
  };
};
