/** Gives each request an id and the address it came from, and writes one line when it is answered. Query strings and headers stay out of it. */
import { isIP } from "node:net";
import type { Logger } from "pino";
import { ulid } from "ulid";
import type { Clock } from "../../ports/clock.ts";
import type { HttpContext, HttpMiddleware } from "../env.ts";

/** Steady traffic that nobody reads line by line; its failures are still told. */
const QUIET = new Set(["/v1/reports", "/livez", "/readyz", "/healthz", "/metrics"]);

export const createRequestLog =
  ({ log, clock, isBehindProxy }: { log: Logger; clock: Clock; isBehindProxy: boolean }): HttpMiddleware =>
  async (c, next) => {
    const startedAt = clock.monotonic();
    const requestId = ulid();
    c.set("requestId", requestId);
    c.set("address", toAddress(c, isBehindProxy));
    await next();
    c.res.headers.set("x-request-id", requestId);
    const { status } = c.res;
    const level = status >= 500 ? "warn" : QUIET.has(c.req.path) && status < 400 ? "debug" : "info";
    if (!log.isLevelEnabled(level)) return;
    const principal = c.get("principal") as { name: string } | undefined;
    log[level](
      {
        requestId,
        method: c.req.method,
        path: c.req.path,
        status,
        ms: Math.round((clock.monotonic() - startedAt) * 10) / 10,
        address: c.get("address"),
        ...(principal ? { actor: principal.name } : {}),
      },
      "request",
    );
  };

/** Only what the proxy next to us has added is believed: all before it in the list is the client's own word. */
const toAddress = (c: HttpContext, isBehindProxy: boolean): string => {
  const forwarded = isBehindProxy ? c.req.header("x-forwarded-for")?.split(",").at(-1)?.trim() : undefined;
  if (forwarded !== undefined && isIP(forwarded) !== 0) return forwarded;
  return c.env?.incoming?.socket.remoteAddress ?? "unknown";
};
