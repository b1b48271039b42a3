/** Refuses a body that is too large before anything reads it; one without a declared length is counted while it comes in. */
import { bodyLimit } from "hono/body-limit";
import type { HttpMiddleware } from "../env.ts";
import { toProblemResponse } from "../problems.ts";

export const createBodyLimit = (bytesMax: number, onTooLarge?: () => void): HttpMiddleware => {
  const refuse = (c: Parameters<HttpMiddleware>[0]): Response => {
    onTooLarge?.();
    return toProblemResponse(c, { kind: "too-large", bytesMax });
  };
  const count = bodyLimit({ maxSize: bytesMax, onError: (c) => refuse(c as never) });
  return async (c, next) => {
    const length = c.req.header("content-length");
    // Asking for the body makes a stream of it, so the declared length is looked at first.
    if (length === undefined || c.req.header("transfer-encoding") !== undefined) return count(c as never, next);
    return Number(length) <= bytesMax ? next() : refuse(c);
  };
};
