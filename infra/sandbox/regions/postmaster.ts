/** What postmaster.pid says, whether that process is really the postmaster of this folder, and how to stop it. Unix only. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { POSTGRES_POLL_MS, POSTGRES_STOP_STEP_MS } from "./limits.ts";

const run = promisify(execFile);

export interface PostmasterFile {
  readonly pid: number;
  readonly isReady: boolean;
}

/** Line 1 is the pid, line 8 the state, written once connections are accepted. undefined when the file is absent or half written. */
export const readPostmasterFile = async (folder: string): Promise<PostmasterFile | undefined> => {
  const text = await readFile(join(folder, "postmaster.pid"), "utf8").catch(() => "");
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  return Number.isInteger(pid) && pid > 1 ? { pid, isReady: lines[7]?.trim() === "ready" } : undefined;
};

/** A zombie counts as gone: in a container without an init nobody ever reaps an orphan, and it holds nothing any more. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return process.platform !== "linux" || !isZombie(pid);
};

// The state follows the program's name in brackets, which may itself hold brackets and spaces.
const isZombie = (pid: number): boolean => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.charAt(text.lastIndexOf(")") + 2) === "Z";
  } catch {
    return true;
  }
};

/** A pid may have been given to another program since; only a command line that names this folder is our postmaster. */
const isPostmasterOf = async (pid: number, folder: string): Promise<boolean> => {
  if (!isAlive(pid)) return false;
  const line =
    process.platform === "linux"
      ? (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " ")
      : (await run("ps", ["-o", "command=", "-p", String(pid)]).catch(() => ({ stdout: "" }))).stdout;
  return line.includes(`-D ${folder} `);
};

/** Waits until the process is gone. False when it still lives after `ms`. */
export const isGoneWithin = async (pid: number, ms: number): Promise<boolean> => {
  const deadline = performance.now() + ms;
  while (isAlive(pid)) {
    if (performance.now() > deadline) return false;
    await pause(POSTGRES_POLL_MS);
  }
  return true;
};

/** Sends ever harder stops (from the given one on) until the postmaster is gone. */
export const stopPostmaster = async (pid: number, mode: "fast" | "immediate"): Promise<void> => {
  const signals: NodeJS.Signals[] = mode === "fast" ? ["SIGINT", "SIGQUIT", "SIGKILL"] : ["SIGQUIT", "SIGKILL"];
  for (const signal of signals) {
    if (!isAlive(pid)) return;
    process.kill(pid, signal);
    if (await isGoneWithin(pid, POSTGRES_STOP_STEP_MS)) return;
  }
  throw new Error(`Postgres (pid ${pid}) does not end, even on SIGKILL.`);
};

/**
 * Stops a postmaster that outlived its region process (kill -9 of the parent leaves it running and holding the folder), and removes a
 * lock file whose pid now belongs to another program, which Postgres itself would take for a rival.
 */
export const stopOrphan = async (folder: string): Promise<{ readonly stoppedPid: number | undefined }> => {
  const found = await readPostmasterFile(folder);
  if (found === undefined) return { stoppedPid: undefined };
  if (await isPostmasterOf(found.pid, folder)) {
    await stopPostmaster(found.pid, "fast");
    return { stoppedPid: found.pid };
  }
  await rm(join(folder, "postmaster.pid"), { force: true });
  return { stoppedPid: undefined };
};
