/**
 * What every control port of the sandbox shares: loopback only, Host checked (a web page that rebinds a name to 127.0.0.1 gets nothing),
 * bearer token compared in constant time, small bodies, and problem+json for whatever is refused.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type * as z from "zod";
import { isLoopbackHost } from "./loopback-host.ts";
import { CONTROL_BODY_BYTES_MAX } from "./regions/limits.ts";

/** RFC 9457, with all faults of a body listed at once. */
export interface SandboxProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

/** @param slug last part of the type: `urn:regent-sandbox:<slug>` */
export const refuse = (
  context: Context,
  problem: {
    readonly status: ContentfulStatusCode;
    readonly slug: string;
    readonly title: string;
    readonly detail: string;
    readonly errors?: SandboxProblem["errors"];
  },
): Response => {
  const { slug, status, title, detail, errors } = problem;
  const body: SandboxProblem = {
    type: `urn:regent-sandbox:${slug}`,
    title,
    status,
    detail,
    ...(errors === undefined ? {} : { errors }),
  };
  return context.body(JSON.stringify(body), status, { "content-type": "application/problem+json", "cache-control": "no-store" });
};

/** @param owner whose token it is, for the refusal's sentence: "the home" */
export const createControlDoor = (options: { readonly token: string; readonly owner: string }): Hono => {
  const app = new Hono();
  const wanted = digest(options.token);
  app.use("*", async (context, next) => {
    if (!isLoopbackHost(context.req.header("host"))) {
      return refuse(context, {
        status: 421,
        slug: "wrong-host",
        title: "Wrong host",
        detail: "This port answers to 127.0.0.1, localhost and [::1] only.",
      });
    }
    const given = /^Bearer (\S+)$/i.exec(context.req.header("authorization") ?? "")?.[1];
    // Digests have one length, so the comparison tells neither the token's length nor how much of it was right.
    if (given === undefined || !timingSafeEqual(digest(given), wanted)) {
      const detail = `Send the token of ${options.owner} as "authorization: Bearer <token>".`;
      return refuse(context, { status: 401, slug: "token-needed", title: "Token needed", detail });
    }
    return next();
  });
  app.use(
    "*",
    bodyLimit({
      maxSize: CONTROL_BODY_BYTES_MAX,
      onError: (context) =>
        refuse(context, {
          status: 413,
          slug: "too-large",
          title: "Body too large",
          detail: `A body may have ${CONTROL_BODY_BYTES_MAX} bytes.`,
        }),
    }),
  );
  app.notFound((context) =>
    refuse(context, {
      status: 404,
      slug: "no-such-path",
      title: "No such path",
      detail: `There is no ${context.req.method} ${context.req.path} here.`,
    }),
  );
  app.onError((error, context) => {
    process.stderr.write(`${JSON.stringify({ at: "control", path: context.req.path, error: error.message })}\n`);
    return refuse(context, { status: 500, slug: "failed", title: "The change failed", detail: error.message });
  });
  return app;
};

/** Parses a JSON body; an empty one counts as {}. */
export const readBody = async <S extends z.ZodType>(
  context: Context,
  schema: S,
): Promise<
  { readonly kind: "read"; readonly value: z.output<S> } | { readonly kind: "refused"; readonly response: Response }
> => {
  const text = await context.req.text();
  let body: unknown;
  try {
    body = text.trim() === "" ? {} : JSON.parse(text);
  } catch {
    return {
      kind: "refused",
      response: refuse(context, { status: 400, slug: "not-json", title: "Not JSON", detail: "The body must be JSON." }),
    };
  }
  const parsed = schema.safeParse(body);
  return parsed.success ? { kind: "read", value: parsed.data } : { kind: "refused", response: refuseBody(context, parsed.error) };
};

/** 422 with everything that is wrong with a body, in one answer. */
export const refuseBody = (context: Context, error: z.ZodError): Response => {
  const errors = error.issues.map((issue) => ({ path: issue.path.join("."), message: issue.message }));
  const detail = errors.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)).join("; ");
  return refuse(context, { status: 422, slug: "invalid", title: "Not understood", detail, errors });
};

export interface ListeningApp {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** Serves the app on 127.0.0.1. Port 0 chooses one. Rejects when the port is taken. */
export const listenOnLoopback = async (app: Hono, port: number): Promise<ListeningApp> => {
  const server = createAdaptorServer({ fetch: app.fetch, hostname: "127.0.0.1" }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
