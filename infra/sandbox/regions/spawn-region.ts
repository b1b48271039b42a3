/** Starts a region's process and waits for its ready line. Used by the sandbox where it supervises regions itself, and by tests. */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { POSTGRES_INIT_MS_MAX, STOP_MS_MAX } from "./limits.ts";
import { type RegionConfigFile, RegionReady } from "./region-config.ts";

/** Entry file of a region's process; run it with process.execPath and REGENT_REGION_CONFIG. */
export const REGION_PROCESS_ENTRY = new URL("./region-process.ts", import.meta.url);

export interface SpawnedRegion {
  readonly ready: RegionReady;
  readonly child: ChildProcess;
  /** SIGTERM, and SIGKILL when it hasn't ended in time. Resolves when it is gone. */
  readonly stop: () => Promise<void>;
}

/** Writes the configuration (mode 0600, it holds the probe's password) and starts the process. Rejects with its last words if it can't. */
export const spawnRegion = async (configFile: string, config: RegionConfigFile): Promise<SpawnedRegion> => {
  await writeFile(configFile, JSON.stringify(config), { mode: 0o600 });
  const child = spawn(process.execPath, [fileURLToPath(REGION_PROCESS_ENTRY)], {
    // Its stdin is our pipe: when we are gone, however we went, the region stops too.
    env: { ...process.env, REGENT_REGION_CONFIG: configFile, REGENT_STOP_WITH_STDIN: "1" },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin?.on("error", () => undefined);
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX + 500);
    await exited;
    clearTimeout(timer);
  };
  try {
    return { ready: await readyLine(child), child, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

const readyLine = (child: ChildProcess): Promise<RegionReady> =>
  new Promise((resolve, reject) => {
    let lastWords = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      lastWords = (lastWords + chunk.toString()).slice(-2_000);
    });
    const timer = setTimeout(() => reject(new Error("The region was not ready in time.")), POSTGRES_INIT_MS_MAX);
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      reject(new Error(`The region's process ended (${code ?? signal}): ${lastWords.trim()}`));
    });
    if (child.stdout === null) throw new Error("a spawned region has a stdout pipe");
    createInterface({ input: child.stdout }).once("line", (line) => {
      clearTimeout(timer);
      const ready = RegionReady.safeParse(JSON.parse(line));
      if (ready.success) resolve(ready.data);
      else reject(new Error(`The region's first line is not its ready line: ${line.slice(0, 200)}`));
    });
  });
