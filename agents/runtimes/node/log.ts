/** One line of JSON on stdout for each thing worth knowing. Secrets and keys are never passed to it. */
import { pino } from "pino";

export type Log = Pick<ReturnType<typeof pino>, "debug" | "info" | "warn" | "error">;

const LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"];

export const createLog = (agent: string, level: string | undefined): Log =>
  pino({ level: level !== undefined && LEVELS.includes(level) ? level : "info", base: { agent } });
