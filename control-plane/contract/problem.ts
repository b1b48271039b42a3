/** RFC 9457 problems. The `type` URIs are documented in docs/problems/ and never reused for another meaning. */
import * as z from "zod";

export const PROBLEM_BASE = "https://regent.invalid/problems/";

/** slug -> status and title. Add, never change. */
export const PROBLEMS = {
  "invalid-request": { status: 400, title: "The request is not valid" },
  unauthenticated: { status: 401, title: "Not signed in" },
  "clock-skew": { status: 401, title: "The sender's clock is too far from ours" },
  "unknown-signer": { status: 401, title: "The report is not signed by a declared agent" },
  forbidden: { status: 403, title: "Not allowed" },
  "wrong-place": { status: 403, title: "The report claims another agent, region or network than declared" },
  "not-found": { status: 404, title: "Not found" },
  "replayed-report": { status: 409, title: "The report was taken before" },
  "stale-revision": { status: 409, title: "The service has moved on" },
  "stale-approval": { status: 409, title: "What would be done has changed since it was asked" },
  "approval-closed": { status: 409, title: "The approval waits no longer" },
  "evacuation-running": { status: 409, title: "The region is being left or returned to already" },
  "override-stands": { status: 409, title: "Another operator's decision stands" },
  "stale-alert-rule": { status: 409, title: "The alert rule has moved on" },
  "declared-alert-rule": { status: 409, title: "The alert rule stands in the declaration" },
  "stale-configuration": { status: 412, title: "The configuration has moved on" },
  "change-in-flight": { status: 409, title: "Another change is under way" },
  "idempotency-mismatch": { status: 422, title: "The idempotency key was used for another request" },
  "refused-by-rule": { status: 409, title: "A safety rule stands in the way" },
  "name-taken": { status: 409, title: "The name already has records that Regent doesn't own" },
  "invalid-configuration": { status: 422, title: "The configuration has errors" },
  "too-large": { status: 413, title: "The request is too large" },
  "too-many-requests": { status: 429, title: "Too many requests" },
  misdirected: { status: 421, title: "This host name is not served here" },
  "database-away": { status: 503, title: "The database can't be reached" },
  "not-leader": { status: 503, title: "No leader can take this now" },
  "dns-away": { status: 503, title: "DNS can't be read now" },
  "not-ready": { status: 503, title: "Not ready yet" },
  internal: { status: 500, title: "An error on our side" },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemSlug = keyof typeof PROBLEMS;

export const Problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  /** What happened here, in one sentence, with what to do. */
  detail: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string(), line: z.int().optional() })).optional(),
});
export type Problem = z.infer<typeof Problem>;
