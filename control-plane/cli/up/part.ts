/**
 * One supervised process: started, waited for until it says that it is ready, started again when it ends unasked, stopped in order. Each part has
 * its own process group, so that Ctrl-C in the terminal reaches the supervisor alone, and a pipe that ends the part if the supervisor is gone.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, renameSync, statSync } from "node:fs";
import { createInterface } from "node:readline";
import {
  LOG_BYTES_MAX,
  PART_READY_MS,
  PART_STOP_MS,
  RESTART_FORGET_MS,
  RESTART_MS_MAX,
  RESTART_MS_MIN,
  STARTS_MAX,
} from "../limits.ts";

export interface PartSpec {
  readonly name: string;
  /** Arguments of `process.execPath`: options of Node, then the program. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Gets everything that the part says on stderr. */
  readonly logFile: string;
  /** Whether it prints a JSON line on stdout when it is ready; otherwise running is ready. */
  readonly saysReady: boolean;
}

export type PartState = "starting" | "ready" | "waiting" | "stopping" | "stopped";

export interface PartView {
  readonly name: string;
  readonly state: PartState;
  readonly pid: number | null;
  /** Times it was started again after it had ended unasked. */
  readonly restarts: number;
  /** How it last ended: an exit code or a signal. */
  readonly lastEnd: string | null;
}

export interface Part {
  readonly name: string;
  readonly view: () => PartView;
  /** Wants it running. Resolves with the next ready line (null for a part without one); rejects when it ended young STARTS_MAX times. */
  readonly start: () => Promise<unknown>;
  /** Wants it stopped: SIGTERM, and SIGKILL when it hasn't ended within `withinMs`. Resolves when it is gone. */
  readonly stop: (withinMs?: number) => Promise<void>;
  /** Wants it stopped, and gives it no chance to end well. */
  readonly kill: () => Promise<void>;
}

export interface PartDeps {
  readonly spec: () => PartSpec;
  readonly onChange: (view: PartView) => void;
}

/** `spec` is asked at every start, as a restart may find another configuration. */
export const createPart = (name: string, { spec, onChange }: PartDeps): Part => {
  let isWanted = false;
  let state: PartState = "stopped";
  let child: ChildProcess | undefined;
  let restarts = 0;
  let lastEnd: string | null = null;
  let waitMs = RESTART_MS_MIN;
  let timer: NodeJS.Timeout | undefined;
  let failures = 0;
  let waiting: { readonly resolve: (line: unknown) => void; readonly reject: (error: Error) => void }[] = [];
  const settle = (outcome: { readonly line: unknown } | { readonly error: Error }): void => {
    const told = waiting;
    waiting = [];
    for (const one of told) "error" in outcome ? one.reject(outcome.error) : one.resolve(outcome.line);
  };

  const view = (): PartView => ({ name, state, pid: child?.pid ?? null, restarts, lastEnd });
  const become = (next: PartState): void => {
    state = next;
    onChange(view());
  };

  const launch = (): void => {
    try {
      launchNow();
    } catch (error) {
      // No process, no file: a log that can't be opened, a machine without a free process. Tried again like any other end.
      failedToLaunch(error instanceof Error ? error.message : String(error));
    }
  };

  const tryAgain = (how: string): void => {
    lastEnd = how;
    restarts += 1;
    become("waiting");
    timer = setTimeout(launch, waitMs);
    waitMs = Math.min(RESTART_MS_MAX, waitMs * 2);
  };

  const failedToLaunch = (why: string): void => {
    tryAgain(why);
    failures += 1;
    if (failures >= STARTS_MAX) settle({ error: new Error(`${name} can't be started: ${why}`) });
  };

  const launchNow = (): void => {
    const { command, env, logFile, saysReady } = spec();
    const startedAt = performance.now();
    const log = openLog(logFile);
    const started = spawn(process.execPath, command, { env, stdio: ["pipe", "pipe", log], detached: true });
    closeSync(log);
    child = started;
    become("starting");
    started.stdin?.on("error", () => undefined);
    const ended = (how: string): void => {
      if (child !== started) return;
      child = undefined;
      lastEnd = how;
      if (!isWanted) {
        become("stopped");
        return;
      }
      if (performance.now() - startedAt > RESTART_FORGET_MS) waitMs = RESTART_MS_MIN;
      tryAgain(how);
    };
    started.once("error", (error) => ended(error.message));
    started.once("exit", (code, signal) => ended(signal ?? `exit code ${code}`));
    const ready = saysReady ? readyLine(started, name, logFile) : runsAlready(started);
    ready.then(
      (line) => {
        failures = 0;
        if (child === started && state === "starting") become("ready");
        settle({ line });
      },
      (error: Error) => {
        failures += 1;
        if (failures >= STARTS_MAX || !isWanted) settle({ error });
      },
    );
  };

  const end = async (signal: "SIGTERM" | "SIGKILL", withinMs: number): Promise<void> => {
    isWanted = false;
    clearTimeout(timer);
    const ending = child;
    if (ending === undefined) {
      settle({ error: new Error(`${name} was stopped before it was ready`) });
      if (state !== "stopped") become("stopped");
      return;
    }
    const gone = new Promise<void>((resolve) => ending.once("exit", () => resolve()));
    become("stopping");
    ending.kill(signal);
    const hard = setTimeout(() => ending.kill("SIGKILL"), withinMs);
    await gone;
    clearTimeout(hard);
  };

  return {
    name,
    view,
    start: async () => {
      if (isWanted && state === "ready") return null;
      const next = new Promise<unknown>((resolve, reject) => waiting.push({ resolve, reject }));
      if (!isWanted) {
        isWanted = true;
        failures = 0;
        waitMs = RESTART_MS_MIN;
        // One that is still being stopped ends first, and is then started as if it had ended unasked.
        if (child === undefined) launch();
      }
      return next;
    },
    stop: (withinMs = PART_STOP_MS) => end("SIGTERM", withinMs),
    kill: () => end("SIGKILL", PART_STOP_MS),
  };
};

/** Nothing to wait for; what it prints is dropped. */
const runsAlready = (child: ChildProcess): Promise<null> => {
  child.stdout?.resume();
  return Promise.resolve(null);
};

const openLog = (path: string): number => {
  try {
    if (statSync(path).size > LOG_BYTES_MAX) renameSync(path, `${path}.1`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  return openSync(path, "a", 0o600);
};

/** The first line of stdout; what follows is read and dropped, so that the pipe never fills. */
const readyLine = (child: ChildProcess, name: string, logFile: string): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`${name} ${why}; its log is ${logFile}`));
    const timer = setTimeout(() => {
      fail(`was not ready within ${PART_READY_MS / 1_000} s`);
      child.kill("SIGTERM");
    }, PART_READY_MS);
    child.once("error", (error) => fail(`can't be started: ${error.message}`));
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      fail(`ended at its start (${signal ?? `exit code ${code}`})`);
    });
    if (child.stdout === null) throw new Error("a part has a stdout pipe");
    const lines = createInterface({ input: child.stdout });
    lines.on("line", (line) => {
      clearTimeout(timer);
      try {
        resolve(JSON.parse(line));
      } catch {
        fail(`said something else than its ready line: ${line.slice(0, 200)}`);
      }
    });
  });
