/** Lets in who may: finds out who asks, whether the role and scope suffice, and whether another site made the browser ask. */
import { getCookie } from "hono/cookie";
import type { CredentialReader } from "../../access/credential-reader.ts";
import type { RateLimit } from "../../access/rate-limit.ts";
import { isAtLeast, isInScope } from "../../access/roles.ts";
import { hashSecret, isSameSecret, isSecretOf, toCsrfToken } from "../../access/secrets.ts";
import type { ControlPlane } from "../../operations/control-plane.ts";
import type { HttpContext, HttpMiddleware, Principal } from "../env.ts";
import { type Failure, toProblemResponse, toSlug } from "../problems.ts";
import type { RouteAccess } from "../route-access.ts";

export interface AdmissionDeps {
  readonly credentials: CredentialReader;
  /** Wrong secrets, per address. */
  readonly failures: RateLimit;
  /** Mutations, per actor. */
  readonly mutations: RateLimit;
  readonly cookieName: string;
  readonly controlPlane: Pick<ControlPlane, "countRefusal">;
}

type RoleAccess = Extract<RouteAccess, { kind: "role" }>;
type Asked = { readonly kind: "principal"; readonly principal: Principal } | Failure;

export const createAdmission =
  (deps: AdmissionDeps, access: RoleAccess): HttpMiddleware =>
  async (c, next) => {
    const failure = await admit(deps, access, c);
    if (failure === null) return next();
    deps.controlPlane.countRefusal("operator", toSlug(failure));
    return toProblemResponse(c, failure);
  };

const admit = async (deps: AdmissionDeps, access: RoleAccess, c: HttpContext): Promise<Failure | null> => {
  const asked = await findPrincipal(deps, c, !access.isMutation);
  if (asked.kind !== "principal") return asked;
  const { principal } = asked;
  c.set("principal", principal);
  return (
    checkSite(c, access, principal) ??
    checkRole(access, principal) ??
    checkScope(access, principal, c.req.param("service")) ??
    (access.isMutation ? checkRate(deps.mutations, principal) : null)
  );
};

/** A token outranks a cookie: no other site can make a browser send one. */
const findPrincipal = async (deps: AdmissionDeps, c: HttpContext, isForReading: boolean): Promise<Asked> => {
  const authorization = c.req.header("authorization");
  if (authorization !== undefined) {
    const token = /^Bearer ([\x21-\x7e]{1,200})$/i.exec(authorization)?.[1] ?? "";
    return identify(deps, { c, kind: "token", secret: token, isForReading });
  }
  const session = getCookie(c, deps.cookieName);
  if (session !== undefined) return identify(deps, { c, kind: "session", secret: session, isForReading });
  return { kind: "unauthenticated", why: "send a token, or sign in with: regent open" };
};

const identify = async (
  { credentials, failures }: AdmissionDeps,
  { c, kind, secret, isForReading }: { c: HttpContext; kind: "token" | "session"; secret: string; isForReading: boolean },
): Promise<Asked> => {
  const address = c.get("address");
  const hash = hashSecret(secret);
  // Who is known to be right isn't locked out by a neighbour who guesses.
  const waitMs = credentials.isKnown(hash) ? 0 : failures.waitMs(address);
  if (waitMs > 0) return { kind: "too-many-requests", why: "too many wrong tokens from this address", retryAfterMs: waitMs };
  const credential = isSecretOf(kind, secret) ? await credentials.find(hash, isForReading) : null;
  if (credential?.kind !== kind) {
    failures.take(address);
    const why = kind === "token" ? "the token is unknown or has expired" : "the session has ended: sign in with: regent open";
    return { kind: "unauthenticated", why };
  }
  const { name, role, scope, expiresAt } = credential;
  const csrf = kind === "session" ? toCsrfToken(secret) : null;
  return { kind: "principal", principal: { kind, hash, name, role, scope, expiresAt, csrf } };
};

/** Only a browser carries a session along by itself, so only there may another site have made the request. */
const checkSite = (c: HttpContext, { isMutation }: RoleAccess, { csrf }: Principal): Failure | null => {
  if (csrf === null || !(isMutation || c.req.method !== "GET")) return null;
  const site = c.req.header("sec-fetch-site");
  if (site !== undefined && site !== "same-origin") return { kind: "forbidden", why: "the request comes from another site" };
  const origin = c.req.header("origin");
  const host = c.req.header("host") ?? new URL(c.req.url).host;
  if (origin !== undefined && URL.parse(origin)?.host !== host.toLowerCase())
    return { kind: "forbidden", why: "the request comes from another origin" };
  if (!isSameSecret(c.req.header("x-regent-csrf") ?? "", csrf))
    return { kind: "forbidden", why: "x-regent-csrf must be the csrf of GET /v1/session" };
  return null;
};

const checkRole = (access: RoleAccess, { name, role }: Principal): Failure | null =>
  isAtLeast(role, access.role) ? null : { kind: "forbidden", why: `${name} is ${role}; this needs ${access.role}` };

const checkScope = ({ reach }: RoleAccess, { name, scope }: Principal, service: string | undefined): Failure | null => {
  if (scope === null || reach === "part") return null;
  if (reach === "service" && service !== undefined && isInScope(scope, service)) return null;
  return { kind: "forbidden", why: `${name} reaches only ${scope.join(", ") || "no service"}` };
};

const checkRate = (mutations: RateLimit, { name }: Principal): Failure | null => {
  const waitMs = mutations.take(name);
  return waitMs === 0 ? null : { kind: "too-many-requests", why: `${name} asks for too many changes`, retryAfterMs: waitMs };
};
