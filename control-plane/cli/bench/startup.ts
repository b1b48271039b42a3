/** From `regent up` in an empty home to the first verdicts of every region, on everything that `npm start` runs. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Row, round } from "./measure.ts";

const LAUNCHER = fileURLToPath(new URL("../bin/regent.mjs", import.meta.url));
const READY = /^Ready in ([0-9.]+) s/;
const READY_MS_MAX = 90_000;

export const benchStartUp = async (): Promise<Row[]> => {
  const home = await mkdtemp(join(tmpdir(), "regent-bench-"));
  try {
    const first = await startOnce(home);
    const again = await startOnce(home);
    return [row("start, empty home, to first verdicts", first), row("start again, same home", again)];
  } finally {
    await rm(home, { recursive: true, force: true });
  }
};

const row = (what: string, ms: number): Row => ({
  what,
  target: "< 10 s",
  figure: `${round(ms / 1000, 1)} s`,
  isReached: ms < 10_000,
  numbers: { ms },
});

const startOnce = async (home: string): Promise<number> => {
  const started = performance.now();
  const child = spawn(process.execPath, [LAUNCHER, "up", "--no-watch"], {
    env: { PATH: process.env.PATH, REGENT_HOME: home },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  try {
    return await untilReady(child.stdout, started);
  } finally {
    child.kill("SIGTERM");
    await ended;
  }
};

const untilReady = (output: NodeJS.ReadableStream, started: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready in ${READY_MS_MAX / 1000} s`)), READY_MS_MAX);
    createInterface({ input: output }).on("line", (line) => {
      if (!READY.test(line)) return;
      clearTimeout(timer);
      resolve(performance.now() - started);
    });
  });
