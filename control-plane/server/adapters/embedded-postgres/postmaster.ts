/** One postmaster process: what its lock file says, whether it is really ours, how it is started and stopped. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { open, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { placeOf } from "./account.ts";
import { CLUSTER_ENVIRONMENT, type Cluster } from "./cluster.ts";
import { POLL_MS, START_MS_MAX, STOP_STEP_MS } from "./limits.ts";

const run = promisify(execFile);

/** Larger than any pid that a system gives. */
const NOBODYS_PID = "99999999";

export interface LockFile {
  readonly pid: number;
  readonly port: number;
  /** Connections are accepted. */
  readonly isReady: boolean;
}

/** postmaster.pid: line 1 is the pid, line 4 the port, line 8 the state. Null when absent or half written. */
export const readLockFile = async (folder: string): Promise<LockFile | null> => {
  const lines = (await readFile(join(folder, "postmaster.pid"), "utf8").catch(() => "")).split("\n");
  const pid = Number(lines[0]);
  return Number.isInteger(pid) && pid > 1 ? { pid, port: Number(lines[3]), isReady: lines[7]?.trim() === "ready" } : null;
};

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};

/** The command line of the running postmaster of this folder; null when the process is gone or is another program with its pid. */
export const readCommand = async (pid: number, folder: string): Promise<readonly string[] | null> => {
  if (!isAlive(pid)) return null;
  if (process.platform !== "linux") return readCommandByName(pid, folder);
  // A postmaster works in its data folder.
  const place = await readlink(`/proc/${pid}/cwd`).catch(() => null);
  const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0").slice(0, -1);
  return place === folder && words[0]?.endsWith("/postgres") ? words : null;
};

const readCommandByName = async (pid: number, folder: string): Promise<readonly string[] | null> => {
  const { stdout } = await run("ps", ["-o", "command=", "-p", String(pid)]).catch(() => ({ stdout: "" }));
  return stdout.includes(`postgres -D ${folder} `) ? stdout.trim().split(" ") : null;
};

/**
 * A lock file whose pid was given to another program since would keep Postgres from starting. Only the pid is struck out: the rest of the
 * file tells Postgres of the shared memory that backends may still hold.
 */
export const strikeOutPid = async (folder: string): Promise<void> => {
  const file = join(folder, "postmaster.pid");
  const text = await readFile(file, "utf8");
  await writeFile(file, text.replace(/^\d+/, NOBODYS_PID));
};

export const toCommand = (cluster: Cluster, port: number, settings: Readonly<Record<string, string>>): readonly string[] => [
  join(cluster.binaries, "postgres"),
  "-D",
  placeOf(cluster.folder, cluster.account).dataFolder,
  "-p",
  String(port),
  ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
];

/** Resolves once it accepts connections; throws with the tail of its log when it doesn't. It outlives this process unless it is stopped. */
export const startPostmaster = async (cluster: Cluster, command: readonly string[]): Promise<ChildProcess> => {
  const log = await open(cluster.logFile, "a", 0o600);
  const [file = "", ...words] = command;
  const child = spawn(file, words, {
    ...cluster.account,
    cwd: placeOf(cluster.folder, cluster.account).cwd,
    env: CLUSTER_ENVIRONMENT,
    stdio: ["ignore", log.fd, log.fd],
    // Its own process group: Ctrl-C in a terminal stops the server, and the server stops its database.
    detached: true,
  });
  child.unref();
  let failure: Error | null = null;
  child.once("error", (error) => {
    failure = error;
  });
  await log.close();
  for (const deadline = performance.now() + START_MS_MAX; performance.now() < deadline; await pause(POLL_MS)) {
    const found = await readLockFile(cluster.folder);
    if (found?.pid === child.pid && found?.isReady) return child;
    if (failure !== null) throw failure;
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`Postgres did not start: ${await tailOf(cluster.logFile)}`);
  }
  child.kill("SIGQUIT");
  throw new Error(`Postgres was not ready within ${START_MS_MAX} ms: ${await tailOf(cluster.logFile)}`);
};

/** In order at first (open transactions are rolled back, one checkpoint), ever harder afterwards. */
export const stopPostmaster = async (pid: number): Promise<void> => {
  for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
    if (!isAlive(pid)) return;
    process.kill(pid, signal);
    for (const deadline = performance.now() + STOP_STEP_MS; performance.now() < deadline; await pause(POLL_MS))
      if (!isAlive(pid)) return;
  }
  throw new Error(`Postgres (process ${pid}) doesn't end, even when killed.`);
};

const tailOf = async (path: string): Promise<string> => {
  const lines = (await readFile(path, "utf8").catch(() => "")).trim().split("\n").slice(-5).join(" | ");
  return lines === "" ? "its log is empty" : lines;
};
