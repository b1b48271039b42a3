/** Says what a failed statement means to us. The one place that knows the codes of Postgres, of the driver and of the sockets below it. */

import { DatabaseAway } from "../../ports/database-away.ts";

export { DatabaseAway };

export type ErrorClass =
  /** Nothing was done; the same transaction may be tried again at once. */
  | "retry"
  /** The connection is gone: nothing more may be said on it. */
  | "lost"
  /** There is no connection to be had, and nothing was sent: those that stand may take it. */
  | "no-room"
  /** The connection stands, but the server refuses or is too slow. */
  | "busy"
  | "other";

/** Our own code: a connection that doesn't answer is treated as lost. */
export const UNANSWERED = "UNANSWERED";

/** Told instead of a greeting. */
export const NO_CONNECTION_SLOT = "53300";

/** Our own code: work that was put on a connection to which Postgres never said a word but that. */
const NO_ROOM = "NO_ROOM";
export const noRoom = (cause: unknown): Error =>
  Object.assign(new Error("Postgres has no room for another connection.", { cause }), { code: NO_ROOM });

const RETRY = new Set(["40001", "40P01"]);

const LOST = new Set([
  "57P01", // the server is being shut down
  "57P02", // another process of the server crashed
  "57P03", // starting up or shutting down
  "57P05", // idle session ended
  "25P03", // idle in a transaction for too long
  NO_CONNECTION_SLOT,
  UNANSWERED,
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
]);

const BUSY = new Set([
  "57014", // statement_timeout
  "55P03", // lock_timeout
  "53100", // disk full
  "53200", // out of memory
  "58030", // the server's disk fails
  "25006", // read-only: this is a standby, a failover is under way
  // The schema isn't the one that this program was made for: a restored database, a rolling update, a right that was taken away.
  "42501",
  "42P01",
  "42703",
  "42883",
  "3F000",
]);

/** Whole classes that speak of the server, whatever was asked: resources, state, operator, its system, and damage within. */
const BUSY_CLASSES = new Set(["53", "55", "57", "58", "XX"]);
const SQLSTATE = /^[0-9A-Z]{5}$/;

/** The code of the first error in the chain that has one; drizzle and AggregateError (both loopback addresses refused) hide it below. */
export const codeOf = (error: unknown): string | null => {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; depth += 1) {
    const code = (each as { code?: unknown }).code;
    if (typeof code === "string") return code;
    each = each instanceof AggregateError ? each.errors[0] : each.cause;
  }
  return null;
};

export const classifyError = (error: unknown): ErrorClass => {
  const code = codeOf(error);
  if (code === null) return "other";
  if (code === NO_ROOM) return "no-room";
  if (RETRY.has(code)) return "retry";
  if (LOST.has(code) || code.startsWith("08")) return "lost";
  return BUSY.has(code) || (SQLSTATE.test(code) && BUSY_CLASSES.has(code.slice(0, 2))) ? "busy" : "other";
};

/** The error as DatabaseAway when it means that, else as it is. One that ought to be tried again, and was in vain, means it too. */
export const toDatabaseAway = (error: unknown): unknown => {
  const kind = classifyError(error);
  return kind !== "other" ? new DatabaseAway(codeOf(error) ?? "unknown", error) : error;
};
