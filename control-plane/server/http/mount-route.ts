/** Mounts one route: admission, limits, parsing, once-only, and the answer or problem. A route itself only parses, calls and maps. */
import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { IdempotencyKey, PROBLEMS, Problem, type ProblemSlug } from "@regent/contract";
import * as z from "zod";
import type { Lanes } from "../access/lanes.ts";
import { OPERATOR_BYTES_MAX } from "../limits.ts";
import type { ControlPlane } from "../operations/control-plane.ts";
import type { HttpContext, HttpEnv, HttpMiddleware } from "./env.ts";
import { type AdmissionDeps, createAdmission } from "./middleware/admission.ts";
import { createBodyLimit } from "./middleware/body-limit.ts";
import type { Once } from "./middleware/once.ts";
import { createOperatorLane } from "./middleware/operator-lane.ts";
import { type Failure, toProblemResponse, toSlug } from "./problems.ts";
import { accessOf, type RouteKey } from "./route-access.ts";

/** A value to answer as JSON, a failure to tell, or a response that is neither. */
export type Outcome<A> =
  | { readonly kind: "answer"; readonly value: A; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: "response"; readonly response: Response }
  | Failure;

export const answer = <A>(value: A): { readonly kind: "answer"; readonly value: A } => ({ kind: "answer", value });

export interface Route<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, A extends z.ZodType> {
  readonly summary: string;
  readonly params?: P;
  readonly query?: Q;
  readonly headers?: z.ZodObject;
  /** A JSON body. */
  readonly body?: B;
  /** A body of another kind, read by the handler itself. */
  readonly rawBody?: { readonly mediaTypes: readonly string[]; readonly bytesMax: number; readonly onTooLarge?: () => void };
  readonly answer: A;
  /** `application/json` when absent. */
  readonly answerType?: string;
  /** Besides those that its admission brings. */
  readonly problems: readonly ProblemSlug[];
  /** Comes before everything else. */
  readonly first?: HttpMiddleware;
  readonly handle: (
    input: { readonly params: z.output<P>; readonly query: z.output<Q>; readonly body: z.output<B> },
    c: HttpContext,
  ) => Outcome<z.input<A>> | Promise<Outcome<z.input<A>>>;
}

export interface Mount {
  readonly app: OpenAPIHono<HttpEnv>;
  readonly admission: AdmissionDeps;
  readonly lanes: Lanes;
  readonly once: Once;
  readonly controlPlane: Pick<ControlPlane, "countRefusal">;
}

/** Nothing was done, and asking again is right: an answer that must not be kept under the key. */
const GIVEN_UP: ReadonlySet<Failure["kind"]> = new Set([
  "change-in-flight",
  "too-many-requests",
  "not-leader",
  "dns-away",
  "not-ready",
]);

export const mountRoute = <P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, A extends z.ZodType>(
  mount: Mount,
  key: RouteKey,
  route: Route<P, Q, B, A>,
): void => {
  const access = accessOf(key);
  const isOnce = access.kind === "role" && access.isOnce;
  const handler = async (c: HttpContext): Promise<Response> => {
    const input = readInput<P, Q, B>(c);
    const run = async () => {
      const outcome = await route.handle(input, c);
      return {
        response: toResponse(mount, c, outcome, access.kind === "signed"),
        isGivenUp: GIVEN_UP.has(outcome.kind as never),
      };
    };
    return isOnce && !isDryRun(input.body) ? mount.once(c, input.body ?? (await c.req.text()), run) : (await run()).response;
  };
  // The routes' own types carry inputs and outputs; the registry is told the same schemas for the document.
  mount.app.openapi(toConfig(mount, key, route), handler as never);
};

/** The validators before have parsed each part that the route declares. */
const readInput = <P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>(c: HttpContext) => {
  const part = (name: string): unknown => c.req.valid(name as never);
  return { params: part("param") as z.output<P>, query: part("query") as z.output<Q>, body: part("json") as z.output<B> };
};

const isDryRun = (body: unknown): boolean =>
  typeof body === "object" && body !== null && "dryRun" in body && body.dryRun === true;

const toResponse = (mount: Mount, c: HttpContext, outcome: Outcome<unknown>, isAgent: boolean): Response => {
  if (outcome.kind === "answer") return c.json(outcome.value, 200, { ...outcome.headers });
  if (outcome.kind === "response") return outcome.response;
  mount.controlPlane.countRefusal(isAgent ? "reports" : "operator", toSlug(outcome));
  return toProblemResponse(c, outcome);
};

/** For bodies that no validator looks at. */
const createTypeCheck =
  (mediaTypes: readonly string[]): HttpMiddleware =>
  async (c, next) => {
    const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
    return mediaTypes.includes(type)
      ? next()
      : toProblemResponse(c, { kind: "invalid-request", detail: `Content-Type must be ${mediaTypes.join(" or ")}` });
  };

const IdempotencyHeader = z.object({ "idempotency-key": IdempotencyKey });

const toConfig = (
  { admission, lanes }: Mount,
  key: RouteKey,
  route: Pick<Route<z.ZodObject, z.ZodObject, z.ZodType, z.ZodType>, Exclude<keyof Route<never, never, never, never>, "handle">>,
) => {
  const access = accessOf(key);
  const [method, path] = key.split(" ") as ["GET" | "POST" | "PUT" | "DELETE", string];
  const isOnce = access.kind === "role" && access.isOnce;
  const headers = isOnce ? IdempotencyHeader.extend(route.headers?.shape ?? {}) : route.headers;
  const bytesMax = route.rawBody?.bytesMax ?? OPERATOR_BYTES_MAX;
  const middleware: HttpMiddleware[] = [
    ...(route.first ? [route.first] : []),
    ...(access.kind === "role" ? [createAdmission(admission, access), createOperatorLane(lanes)] : []),
    ...(method === "GET" ? [] : [createBodyLimit(bytesMax, route.rawBody?.onTooLarge)]),
    ...(route.rawBody && access.kind === "role" ? [createTypeCheck(route.rawBody.mediaTypes)] : []),
  ];
  return createRoute({
    method: method.toLowerCase() as "get" | "post" | "put" | "delete",
    path,
    summary: route.summary,
    tags: [path.split("/")[path.startsWith("/v1/") ? 2 : 1] ?? ""],
    ...(access.kind === "role" ? { security: [{ token: [] }, { session: [] }] } : {}),
    ...(access.kind === "role" ? { description: `Needs role ${access.role}.` } : {}),
    middleware,
    request: {
      ...(route.params ? { params: route.params } : {}),
      ...(route.query ? { query: route.query } : {}),
      ...(headers ? { headers } : {}),
      ...toBody(route),
    },
    responses: {
      200: { description: "Done", content: { [route.answerType ?? "application/json"]: { schema: route.answer } } },
      ...toResponses(key, route.problems),
    },
  });
};

const toBody = ({ body, rawBody }: Pick<Route<z.ZodObject, z.ZodObject, z.ZodType, z.ZodType>, "body" | "rawBody">) => {
  if (body) return { body: { required: true, content: { "application/json": { schema: body } } } };
  if (!rawBody) return {};
  // Given as plain document schemas, so that nothing but the handler reads the body.
  const schema = { type: "string" } as const;
  return { body: { required: true, content: Object.fromEntries(rawBody.mediaTypes.map((type) => [type, { schema }])) } };
};

/** Problems by their number, as the document wants them. */
const toResponses = (key: RouteKey, own: readonly ProblemSlug[]) => {
  const access = accessOf(key);
  const slugs: ProblemSlug[] = [...own, "internal", "misdirected"];
  if (access.kind === "role") slugs.push("unauthenticated", "forbidden", "too-many-requests", "database-away");
  if (access.kind === "role" && access.isOnce)
    slugs.push("invalid-request", "idempotency-mismatch", "change-in-flight", "too-large");
  const toAnswer = (number: number) => ({
    description: [...new Set(slugs)].filter((slug) => PROBLEMS[slug].status === number).join(", "),
    content: { "application/problem+json": { schema: Problem } },
  });
  return Object.fromEntries(slugs.map((slug) => [PROBLEMS[slug].status, toAnswer(PROBLEMS[slug].status)]));
};
