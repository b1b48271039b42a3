/** What every request carries with it, and what the doors are built from. */
import type { HttpBindings } from "@hono/node-server";
import type { Context, MiddlewareHandler } from "hono";
import type { Logger } from "pino";
import type { Lanes } from "../access/lanes.ts";
import type { ControlPlane } from "../operations/control-plane.ts";
import type { AccessStore, Role } from "../ports/access-store.ts";
import type { Clock } from "../ports/clock.ts";
import type { Breaker } from "./wire.ts";

/** Who asks, once known. */
export interface Principal {
  readonly kind: "token" | "session";
  readonly hash: string;
  readonly name: string;
  readonly role: Role;
  readonly scope: readonly string[] | null;
  readonly expiresAt: number | null;
  /** What a session must send along with a mutation; a token needs none. */
  readonly csrf: string | null;
}

export interface HttpEnv {
  /** Absent when a test calls the app without a socket. */
  Bindings: Partial<HttpBindings>;
  Variables: { requestId: string; address: string; principal: Principal };
}
export type HttpContext = Context<HttpEnv>;
export type HttpMiddleware = MiddlewareHandler<HttpEnv>;

export interface AppDeps {
  readonly controlPlane: ControlPlane;
  readonly access: AccessStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly listen: {
    /** Host names served besides loopback: `regent.example.net`, or with a port to allow only that one. */
    readonly hostNames: readonly string[];
    /** The last `X-Forwarded-For` entry is then the client's address. */
    readonly isBehindProxy: boolean;
  };
  /** Where the built dashboard is; `/` says how to build it when there is none. */
  readonly staticDir?: string;
  /** True when people reach us by TLS: the cookie is then `Secure`, and HSTS is sent. */
  readonly cookieSecure: boolean;
  /** Who goes first; lanes of its own by default. */
  readonly lanes?: Lanes;
  /** The circuit breakers there are; none by default. */
  readonly breakers?: () => readonly Breaker[];
}
