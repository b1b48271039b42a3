/**
 * The one place that turns a failure into an RFC 9457 problem. What we know goes to the log; what the asker may know goes into the answer.
 */
import { type Evacuation, type MoveAnswer, PROBLEM_BASE, PROBLEMS, type ProblemSlug } from "@regent/contract";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { NoAnswer } from "../operations/approval/find-approval.ts";
import type { DeclarationError } from "../operations/control-plane.ts";
import { runningText } from "../operations/evacuation/evacuation-words.ts";
import type { Stands } from "../operations/memory/standing-overrides.ts";
import { DatabaseAway } from "../ports/database-away.ts";
import type { HttpContext } from "./env.ts";

export interface FieldError {
  readonly path: string;
  readonly message: string;
}

export type Failure =
  | { readonly kind: "invalid-request"; readonly detail: string; readonly errors?: readonly FieldError[] }
  | { readonly kind: "unauthenticated"; readonly why: string }
  | { readonly kind: "clock-skew"; readonly seconds: number; readonly serverTime: number }
  | { readonly kind: "unknown-signer" }
  | { readonly kind: "forbidden"; readonly why: string }
  | { readonly kind: "wrong-place"; readonly why: string }
  | { readonly kind: "not-found"; readonly what: string }
  | { readonly kind: "replayed-report"; readonly ack: number; readonly boot: number }
  | { readonly kind: "stale-revision"; readonly revision: number }
  | Exclude<NoAnswer, { readonly kind: "not-found" }>
  | { readonly kind: "evacuation-running"; readonly running: Evacuation }
  | Stands
  | { readonly kind: "stale-configuration"; readonly version: number }
  | { readonly kind: "stale-rule"; readonly version: number }
  | { readonly kind: "declared-rule"; readonly id: string }
  | { readonly kind: "change-in-flight" }
  | { readonly kind: "request-under-way" }
  | { readonly kind: "idempotency-mismatch" }
  | { readonly kind: "refused-by-rule"; readonly answer: MoveAnswer }
  | { readonly kind: "name-taken"; readonly why: string }
  | { readonly kind: "invalid-configuration"; readonly errors: readonly DeclarationError[] }
  | { readonly kind: "too-large"; readonly bytesMax: number }
  | { readonly kind: "too-many-requests"; readonly why: string; readonly retryAfterMs: number }
  | { readonly kind: "misdirected" }
  | { readonly kind: "database-away" }
  | { readonly kind: "not-leader" }
  | { readonly kind: "dns-away"; readonly why: string }
  | { readonly kind: "not-ready"; readonly why: string }
  | { readonly kind: "broken-invariant" }
  | { readonly kind: "internal" };

interface Told {
  readonly slug: ProblemSlug;
  readonly detail: string;
  readonly retryAfterMs?: number;
  /** Members particular to the type (RFC 9457, 3.2). */
  readonly more?: Readonly<Record<string, unknown>>;
}

const told = (slug: ProblemSlug, detail: string, more?: Readonly<Record<string, unknown>>): Told =>
  more ? { slug, detail, more } : { slug, detail };
const later = (slug: ProblemSlug, detail: string, retryAfterMs: number): Told => ({ slug, detail, retryAfterMs });

const tell = (failure: Failure): Told => {
  switch (failure.kind) {
    case "invalid-request":
      return told("invalid-request", failure.detail, failure.errors && { errors: failure.errors });
    case "unauthenticated":
    case "forbidden":
    case "wrong-place":
    case "name-taken":
      return told(failure.kind, failure.why);
    case "clock-skew":
      return told(
        "clock-skew",
        `the report is ${Math.abs(failure.seconds)} s ${failure.seconds > 0 ? "old" : "ahead"}: set the agent's clock`,
        {
          serverTime: failure.serverTime,
        },
      );
    case "unknown-signer":
      return told("unknown-signer", "no declared agent has signed this with that key");
    case "not-found":
      return told("not-found", `there is no ${failure.what}`);
    case "replayed-report":
      return told(
        "replayed-report",
        `sequence ${failure.ack} was taken before, or boot ${failure.boot} has begun since: go on with the next`,
        {
          ack: failure.ack,
          boot: failure.boot,
        },
      );
    case "stale-revision":
      return told("stale-revision", `the service is at revision ${failure.revision}: look again, then ask again`, {
        revision: failure.revision,
      });
    case "stale-approval":
      return told("stale-approval", failure.why, { approval: failure.next });
    case "approval-closed":
      return told("approval-closed", failure.why, { state: failure.state, by: failure.by, answeredAt: failure.answeredAt });
    case "evacuation-running":
      return told("evacuation-running", runningText(failure.running), { evacuation: failure.running.id });
    case "override-stands":
      return told("override-stands", failure.why, { override: failure.override });
    case "stale-configuration":
      return told("stale-configuration", `version ${failure.version} is in force: plan again on it`, {
        version: failure.version,
      });
    case "stale-rule":
      return told("stale-alert-rule", `the rule is at version ${failure.version}: look again, then ask again`, {
        version: failure.version,
      });
    case "declared-rule":
      return told(
        "declared-alert-rule",
        `${failure.id} stands under \`alerts\` in regent.yaml, which outranks the API: change it there and apply it`,
      );
    case "change-in-flight":
      return later("change-in-flight", "another change of this service is under way: try again when it is settled", 2_000);
    case "request-under-way":
      return later("change-in-flight", "the same request is under way: ask again with the same key for its answer", 2_000);
    case "idempotency-mismatch":
      return told("idempotency-mismatch", "this Idempotency-Key came with another request before: use a new one");
    case "refused-by-rule":
      return told("refused-by-rule", failure.answer.why, { answer: failure.answer });
    case "invalid-configuration":
      return told("invalid-configuration", `${failure.errors.length} errors; the configuration in force stays`, {
        errors: failure.errors,
      });
    case "too-large":
      return told("too-large", `at most ${failure.bytesMax} bytes are taken here`);
    case "too-many-requests":
      return later("too-many-requests", failure.why, failure.retryAfterMs);
    case "misdirected":
      return told("misdirected", "use the address or a name that this listener was given");
    case "database-away":
      return later("database-away", "nothing can be kept now: try again; traffic stays as it is", 5_000);
    case "not-leader":
      return later("not-leader", "no leader can take this now: try again in a few seconds", 3_000);
    case "dns-away":
      return later("dns-away", `DNS could not be read, and nothing was sent: ${failure.why}`, 5_000);
    case "not-ready":
      return later("not-ready", failure.why, 2_000);
    case "broken-invariant":
      return told("internal", "the batch would have broken an invariant of ours, and nothing was sent");
    case "internal":
      return told("internal", "look for the request id in the server's log");
  }
};

/** The problem type of a failure. */
export const toSlug = (failure: Failure): ProblemSlug => tell(failure).slug;

export const toProblemResponse = (c: HttpContext, failure: Failure): Response => {
  const { slug, detail, retryAfterMs, more } = tell(failure);
  const { status, title } = PROBLEMS[slug];
  const body = { type: PROBLEM_BASE + slug, title, status, detail, ...more, requestId: c.get("requestId") };
  const headers: Record<string, string> = { "content-type": "application/problem+json" };
  if (retryAfterMs !== undefined) headers["retry-after"] = String(Math.max(1, Math.ceil(retryAfterMs / 1_000)));
  if (failure.kind === "unauthenticated") headers["www-authenticate"] = 'Bearer realm="regent"';
  return c.body(JSON.stringify(body), status as ContentfulStatusCode, headers);
};

/** What was thrown: a database that is away and a body that is no JSON are expected, all else is ours to mend. */
export const toFailure = (error: unknown): Failure => {
  if (error instanceof DatabaseAway) return { kind: "database-away" };
  if (error instanceof HTTPException && error.status === 400)
    return { kind: "invalid-request", detail: "the body is not valid JSON" };
  if (error instanceof HTTPException && error.status === 415)
    return { kind: "invalid-request", detail: "this content type is not taken here" };
  return { kind: "internal" };
};
