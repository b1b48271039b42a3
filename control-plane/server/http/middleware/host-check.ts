/**
 * Answers only requests for a host that is ours. Without this, a page of any site could have its own name resolve to 127.0.0.1 and read our answers
 * with a person's browser.
 */
import type { HttpMiddleware } from "../env.ts";
import { toProblemResponse } from "../problems.ts";

const LOOPBACK = /^(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])$/;

export const createHostCheck = (hostNames: readonly string[]): HttpMiddleware => {
  const allowed = new Set(hostNames.map((name) => name.toLowerCase()));
  return async (c, next) => {
    const { host, hostname } = new URL(c.req.url);
    // The header is compared as well, because an absolute request target may name another host than it does.
    const header = c.req.header("host")?.toLowerCase() ?? host;
    const isOurs = LOOPBACK.test(hostname) || allowed.has(hostname) || allowed.has(host);
    return isOurs && isSameHost(header, host) ? next() : toProblemResponse(c, { kind: "misdirected" });
  };
};

/** A URL leaves the port out when it is the scheme's own. */
const isSameHost = (header: string, host: string): boolean =>
  header.replace(/:(?:80|443)$/, "") === host.replace(/:(?:80|443)$/, "");
