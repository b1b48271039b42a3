import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const LAUNCHER = fileURLToPath(new URL("./regent.mjs", import.meta.url));

const launch = (...args: string[]): Promise<{ code: number | null; out: string; err: string }> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [LAUNCHER, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    child.once("close", (code) => resolve({ code, out, err }));
  });

test("the launcher runs the command and hands on its output and exit code", async () => {
  expect(await launch("--version")).toMatchObject({ code: 0, out: "0.1.0\n" });
  expect(await launch("failover", "checkout", "--reason", "because")).toMatchObject({ code: 2, out: "" });
});
