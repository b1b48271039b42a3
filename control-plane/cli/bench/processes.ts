/** Starts parts as processes of their own, as production does, and reads what they cost. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";

export interface Part {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly ready: Readonly<Record<string, unknown>>;
  readonly stop: () => Promise<void>;
}

const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 10_000;

/** Waits for the part's one line of JSON. Its pipe to us is its life line: it stops when we do. */
export const spawnPart = async (
  entry: string,
  env: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
  args: readonly string[] = [],
): Promise<Part> => {
  const child = spawn(process.execPath, [...flags, entry, ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ready = await firstLine(child, entry).catch((error: unknown) => {
    child.kill("SIGKILL");
    throw error;
  });
  return { pid: child.pid ?? 0, child, ready, stop: () => stopChild(child) };
};

const firstLine = (child: ChildProcess, entry: string): Promise<Record<string, unknown>> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${entry} was not ready in ${READY_MS_MAX / 1000} s`)), READY_MS_MAX);
    child.once("exit", (code) => reject(new Error(`${entry} ended with ${code} before it was ready`)));
    if (!child.stdout) throw new Error("no output to read");
    createInterface({ input: child.stdout }).once("line", (line) => {
      clearTimeout(timer);
      resolve(JSON.parse(line));
    });
  });

const stopChild = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
  await ended;
  clearTimeout(timer);
};

/** Resident bytes; NaN where /proc is absent. */
export const memoryOf = async (pid: number): Promise<number> => {
  const text = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const kib = /VmRSS:\s+(\d+) kB/.exec(text)?.[1];
  return kib === undefined ? Number.NaN : Number(kib) * 1024;
};

/** Processor seconds used so far; NaN where /proc is absent. */
export const cpuSecondsOf = async (pid: number): Promise<number> => {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
};
