/** What an answer or a failure means for a message. Nothing that a receiver or a driver says is repeated: it may quote what was sent. */
import type { SendResult } from "../../ports/notifier.ts";
import { DeadlinePassed } from "../guard/deadline.ts";
import { GuardRefused } from "../guard/guards.ts";
import type { Answer } from "./post-json.ts";
import { SecretMissing } from "./secrets.ts";
import { TargetRefused } from "./target.ts";

/** By status alone: what a receiver may say yes to later, and what it never will is for `refusals` to name. */
export const toResult = ({ status, retryAfterMs }: Answer, refusals: readonly number[] = []): SendResult => {
  if (status >= 200 && status < 300) return { kind: "taken" };
  if (refusals.includes(status)) return { kind: "refused", why: `the receiver answered ${status}` };
  const why =
    status >= 300 && status < 400
      ? `the receiver answered ${status}, and redirects aren't followed`
      : `the receiver answered ${status}`;
  return { kind: "later", why, ...(retryAfterMs === null ? {} : { retryAfterMs }) };
};

export const toFailure = (error: unknown): SendResult => {
  if (error instanceof GuardRefused) return { kind: "later", why: error.message, retryAfterMs: error.nextTryMs };
  if (error instanceof SecretMissing || error instanceof TargetRefused) return { kind: "later", why: error.message };
  if (error instanceof DeadlinePassed) return { kind: "later", why: "no answer in time" };
  return { kind: "later", why: `it could not be reached (${codeOf(error)})` };
};

/** A code, never a text. */
export const codeOf = (error: unknown): string => {
  const { code } = (error ?? {}) as { code?: unknown };
  const text = typeof code === "string" ? code : error instanceof Error ? error.name : "Error";
  return text.replace(/[^\w-]/g, "").slice(0, 40) || "Error";
};
