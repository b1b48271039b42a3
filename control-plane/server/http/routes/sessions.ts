/** How a browser signs in: a token's holder gets a single-use code, the browser gives it for a cookie, and the code is gone from the URL. */
import { deleteCookie, setCookie } from "hono/cookie";
import * as z from "zod";
import type { CredentialReader } from "../../access/credential-reader.ts";
import type { RateLimit } from "../../access/rate-limit.ts";
import { createSignIn } from "../../access/sign-in.ts";
import { SESSION_TTL_MS } from "../../limits.ts";
import type { AppDeps, HttpContext } from "../env.ts";
import { answer, type Mount, mountRoute, type Outcome } from "../mount-route.ts";
import { toPage } from "../page.ts";
import { CodeAnswer, SessionEnded, SessionState } from "../wire.ts";

/** The `__Host-` prefix makes the browser insist on Secure, on the whole site and on this host alone; it needs TLS. */
export const toCookieName = (isSecure: boolean): string => (isSecure ? "__Host-regent" : "regent_session");

interface SessionDeps extends Pick<AppDeps, "access" | "clock" | "cookieSecure"> {
  readonly credentials: CredentialReader;
  readonly failures: RateLimit;
}

export const mountSessions = (mount: Mount, deps: SessionDeps): void => {
  mountOwnSession(mount, deps);
  mountCodes(mount, deps);
  mountRoute(mount, "GET /open", {
    summary: "Give a single-use code for a session cookie, and go on to the dashboard",
    query: z.object({ code: z.string().max(100).optional() }),
    answer: z.string(),
    answerType: "text/html",
    problems: ["too-many-requests", "database-away"],
    handle: ({ query }, c) => openSession(deps, c, query.code ?? ""),
  });
};

const mountOwnSession = (mount: Mount, { access, credentials, cookieSecure }: SessionDeps): void => {
  mountRoute(mount, "GET /v1/session", {
    summary: "Who am I, and what must a browser send along",
    answer: SessionState,
    problems: [],
    handle: (_, c) => {
      const { hash: _hash, scope, ...rest } = c.get("principal");
      return answer({ ...rest, scope: scope && [...scope] });
    },
  });
  mountRoute(mount, "POST /v1/session/end", {
    summary: "Sign out",
    answer: SessionEnded,
    problems: [],
    handle: async (_, c) => {
      const { kind, hash } = c.get("principal");
      if (kind !== "session") return { kind: "forbidden", why: "a token isn't a session: it ends when it is removed or expires" };
      await access.remove(hash);
      credentials.forget(hash);
      deleteCookie(c, toCookieName(cookieSecure), { path: "/", secure: cookieSecure });
      return answer({ ended: true as const });
    },
  });
};

const mountCodes = (mount: Mount, { access, clock }: SessionDeps): void => {
  const signIn = createSignIn(access, clock);
  mountRoute(mount, "POST /v1/session/codes", {
    summary: "A single-use code, good for a minute, with which a browser signs in as this token",
    answer: CodeAnswer,
    problems: [],
    handle: async (_, c) => {
      const principal = c.get("principal");
      // A session that could make codes could renew itself for ever.
      if (principal.kind !== "token") return { kind: "forbidden", why: "only a token makes sign-in codes" };
      const { code, expiresAt } = await signIn.createCode(principal);
      return answer({ code, path: `/open?code=${code}`, expiresAt });
    },
  });
};

const openSession = async (deps: SessionDeps, c: HttpContext, code: string): Promise<Outcome<string>> => {
  const address = c.get("address");
  const waitMs = deps.failures.waitMs(address);
  if (waitMs > 0) return { kind: "too-many-requests", why: "too many wrong codes from this address", retryAfterMs: waitMs };
  if (isNotAPersonsOwn(c)) return refuse(c, "Open this address from the terminal or type it: it isn't followed from elsewhere.");
  const session = await createSignIn(deps.access, deps.clock).openSession(code);
  if (!session) {
    deps.failures.take(address);
    return refuse(c, "This sign-in code was used before, or is older than a minute. Run “regent open” again.");
  }
  setCookie(c, toCookieName(deps.cookieSecure), session.secret, {
    path: "/",
    httpOnly: true,
    sameSite: "Strict",
    secure: deps.cookieSecure,
    maxAge: SESSION_TTL_MS / 1_000,
  });
  return { kind: "response", response: c.redirect("/", 303) };
};

/** A preview must not use the code up, and another site must not sign a person in as somebody else. */
const isNotAPersonsOwn = (c: HttpContext): boolean => {
  const site = c.req.header("sec-fetch-site");
  const isPreview =
    c.req.method === "HEAD" || /prefetch|preview/i.test(c.req.header("sec-purpose") ?? c.req.header("purpose") ?? "");
  return isPreview || (site !== undefined && site !== "none" && site !== "same-origin");
};

const refuse = (c: HttpContext, sentence: string): Outcome<string> => ({
  kind: "response",
  response: c.html(toPage("Sign in", [sentence]), 403),
});
