/** A repeated mutation does nothing twice: the first answer is kept under the actor's key and given again. */
import { createHash } from "node:crypto";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { IDEMPOTENCY_STALE_MS } from "../../limits.ts";
import type { AccessStore } from "../../ports/access-store.ts";
import type { HttpContext } from "../env.ts";
import { type Failure, toProblemResponse } from "../problems.ts";

/** Given up: nothing was done, and the same key may be tried again. */
export type Answered = { readonly response: Response; readonly isGivenUp: boolean };

export type Once = (c: HttpContext, request: unknown, run: () => Promise<Answered>) => Promise<Response>;

export const createOnce =
  (access: Pick<AccessStore, "begin" | "finish">): Once =>
  async (c, request, run) => {
    const { key, digest } = toKey(c, request);
    const begun = await access.begin(key, digest, IDEMPOTENCY_STALE_MS);
    if (begun.kind === "answered") return replay(c, begun.httpStatus, begun.body);
    if (begun.kind !== "fresh") return toProblemResponse(c, toFailure(begun.kind));
    const { response, isGivenUp } = await run();
    // Free for every replica: whoever isn't led here asks the next one under the same key.
    const kept = isGivenUp ? null : { httpStatus: response.status, body: await response.clone().json() };
    await access.finish(key, digest, kept);
    return response;
  };

/** Each actor has keys of its own, so that nobody reads another's answer or stands in its way. */
const toKey = (c: HttpContext, request: unknown): { key: string; digest: string } => {
  const { name } = c.get("principal");
  const hash = (parts: readonly unknown[]) => createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  return {
    key: hash([name, c.req.header("idempotency-key")]),
    digest: hash([name, c.req.method, c.req.path, c.req.header("if-match") ?? null, request]),
  };
};

const toFailure = (kind: "mismatch" | "under-way"): Failure =>
  kind === "mismatch" ? { kind: "idempotency-mismatch" } : { kind: "request-under-way" };

const replay = (c: HttpContext, httpStatus: number, body: unknown): Response =>
  c.body(JSON.stringify(body), httpStatus as ContentfulStatusCode, {
    "content-type": httpStatus < 400 ? "application/json" : "application/problem+json",
    "idempotent-replay": "true",
  });
