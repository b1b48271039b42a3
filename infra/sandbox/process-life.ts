/** What the sandbox's process entries share: read a config file named by the environment, say ready, stop in order and in time. */
import { readFile } from "node:fs/promises";
import * as z from "zod";
import { STOP_MS_MAX } from "./regions/limits.ts";

/** Reads and checks the JSON file that the variable names. Throws one sentence that lists everything wrong in it. */
export const readConfigFile = async <S extends z.ZodType>(variable: string, schema: S): Promise<z.output<S>> => {
  const path = process.env[variable];
  if (path === undefined || path === "") throw new Error(`${variable} must name the JSON configuration file.`);
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new Error(`${path} can't be read as JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = schema.safeParse(content);
  if (!parsed.success) throw new Error(`${path} is not a valid configuration:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
};

export const sayReady = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

/**
 * Runs a process entry: stops on SIGTERM or SIGINT, and, where REGENT_STOP_WITH_STDIN is 1, when whoever started it is gone (its end of
 * the pipe closes). Exit code 0 after an ordered stop, 1 when it failed or took longer than 3 s.
 */
export const runProcess = async (start: () => Promise<{ readonly close: () => Promise<void> }>): Promise<void> => {
  const asked = new Promise<void>((resolve) => {
    process.once("SIGTERM", resolve);
    process.once("SIGINT", resolve);
    if (process.env.REGENT_STOP_WITH_STDIN === "1") process.stdin.once("end", resolve).once("error", resolve).resume();
  });
  try {
    // A stop asked for during the start waits for its end: a half-started database would be left running otherwise.
    const running = await start();
    await asked;
    setTimeout(() => process.exit(1), STOP_MS_MAX).unref();
    await running.close();
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
};
