/** For tests: the example hook as a process of its own, and calls as Regent makes them, or as somebody else would. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../../", import.meta.url);
const HOOK = fileURLToPath(new URL("docs/example/hooks/promote-standby.mjs", ROOT));
const OWN_PACKAGES = new URL("../use-own-packages.mjs", import.meta.url).href;
const KEY = Buffer.alloc(32, "hook");

export interface HookCall {
  readonly transfer: string;
  readonly from: string;
  readonly to: string;
  readonly deadline?: Date;
  /** What a forger or a slow network would change. */
  readonly key?: Buffer;
  readonly sentAt?: Date;
  readonly webhookId?: string;
  readonly type?: string;
}

export interface HookAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface TestHook {
  readonly call: (call: HookCall) => Promise<HookAnswer>;
  readonly kill: () => Promise<void>;
  /** What it said on stderr. */
  readonly log: () => string;
}

export const startTestHook = async (folder: string, databases: Readonly<Record<string, string>>): Promise<TestHook> => {
  const settings = join(folder, "hook.json");
  await writeFile(settings, JSON.stringify({ secret: `whsec_${KEY.toString("base64")}`, databases }), { mode: 0o600 });
  const child: ChildProcess = spawn(process.execPath, ["--import", OWN_PACKAGES, HOOK, settings], {
    env: {},
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  if (child.stdout === null) throw new Error("a spawned hook has a stdout pipe");
  const line = await Promise.race([
    once(createInterface({ input: child.stdout }), "line").then(([text]) => String(text)),
    once(child, "exit").then(() => Promise.reject(new Error(`the hook ended: ${said}`))),
  ]);
  const { port } = JSON.parse(line) as { port: number };
  return {
    log: () => said,
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
    call: async ({ transfer, from, to, deadline = new Date(Date.now() + 60_000), ...other }) => {
      const { key = KEY, sentAt = new Date(), webhookId = transfer, type = "regent.transfer.prepare" } = other;
      const times = { at: new Date().toISOString(), deadline: deadline.toISOString() };
      const body = JSON.stringify({ type, transfer, service: "ledger", from, to, reason: null, ...times });
      const time = String(Math.floor(sentAt.getTime() / 1_000));
      const signature = createHmac("sha256", key).update(`${webhookId}.${time}.${body}`).digest("base64");
      const response = await fetch(`http://127.0.0.1:${port}/`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "webhook-id": webhookId,
          "webhook-timestamp": time,
          "webhook-signature": `v1,${signature}`,
        },
        body,
        signal: AbortSignal.timeout(10_000),
      });
      const text = await response.text();
      return { status: response.status, body: text === "" ? null : (JSON.parse(text) as unknown) };
    },
  };
};
