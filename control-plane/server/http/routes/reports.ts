/**
 * The agents' door: takes signed reports, each in the lane that its header `regent-lane` claims and its contents confirm. The raw bytes go to
 * the operation, because the signature is over them.
 */
import { REPORT_BYTES_MAX, type Report, ReportReceipt } from "@regent/contract";
import type { Lane, Lanes } from "../../access/lanes.ts";
import { createRateLimit } from "../../access/rate-limit.ts";
import {
  ADDRESS_REPORTS_BURST,
  ADDRESS_REPORTS_PER_SECOND,
  AGENT_REPORTS_BURST,
  AGENT_REPORTS_PER_SECOND,
} from "../../limits.ts";
import type { Ingested } from "../../operations/evidence/ingest-report.ts";
import type { AppDeps, HttpContext, HttpMiddleware } from "../env.ts";
import { answer, type Mount, mountRoute, type Outcome } from "../mount-route.ts";
import { toProblemResponse } from "../problems.ts";

export const mountReports = (
  mount: Mount,
  { controlPlane, clock, lanes }: Pick<AppDeps, "controlPlane" | "clock"> & { readonly lanes: Lanes },
): void => {
  const limit = createReportLimit(clock, lanes, controlPlane);
  mountRoute(mount, "POST /v1/reports", {
    summary:
      "Take a signed report of an agent (headers webhook-id, webhook-timestamp, webhook-signature, regent-key; regent-lane: transition, live or backlog)",
    first: limit.check,
    rawBody: {
      mediaTypes: ["application/json"],
      bytesMax: REPORT_BYTES_MAX,
      onTooLarge: () => controlPlane.countRefusal("reports", "too-large"),
    },
    answer: ReportReceipt,
    problems: [
      "invalid-request",
      "unknown-signer",
      "clock-skew",
      "wrong-place",
      "replayed-report",
      "too-large",
      "too-many-requests",
      "database-away",
      "not-ready",
    ],
    handle: async (_, c) => {
      const body = new Uint8Array(await c.req.arrayBuffer());
      const pass = await lanes.enter(claimedLane(c), body.byteLength);
      if (pass.kind === "refused") return { ...pass, kind: "too-many-requests" };
      let isTaken = false;
      try {
        const ingested = await controlPlane.ingestReport(
          {
            id: c.req.header("webhook-id"),
            timestamp: c.req.header("webhook-timestamp"),
            signature: c.req.header("webhook-signature"),
            keyId: c.req.header("regent-key"),
            body,
          },
          async (report) => {
            const refused = isBacklog(report) ? await pass.moveTo("backlog") : null;
            return refused && { ...refused, kind: "busy" };
          },
        );
        if (ingested.kind !== "unknown-signer") limit.charge(c);
        isTaken = ingested.kind === "taken";
        return toOutcome(ingested, clock.now());
      } finally {
        pass.leave(isTaken);
      }
    },
  });
};

/** Agents that claim nothing are taken for live: their contents tell. */
const claimedLane = (c: HttpContext): Lane => {
  const claim = c.req.header("regent-lane");
  return claim === "transition" || claim === "backlog" ? claim : "live";
};

/** It tells nothing of the present. An empty report is a sign of life, and that is present. */
const isBacklog = ({ observations, unchanged, backfill }: Report): boolean =>
  backfill.length > 0 && observations.length + unchanged.length === 0;

const toOutcome = (ingested: Ingested, serverTime: number): Outcome<ReportReceipt> => {
  switch (ingested.kind) {
    case "taken":
      return answer(ingested.receipt);
    case "replayed":
      return { kind: "replayed-report", ack: ingested.sequence, boot: ingested.boot };
    case "too-large":
      return { kind: "too-large", bytesMax: REPORT_BYTES_MAX };
    case "clock-skew":
      return { kind: "clock-skew", seconds: ingested.seconds, serverTime };
    case "invalid-request":
      return { kind: "invalid-request", detail: "the report doesn't have the form of the contract", errors: ingested.errors };
    case "unconfigured":
      return { kind: "not-ready", why: "no configuration is in force yet" };
    case "busy":
      return { kind: "too-many-requests", why: ingested.why, retryAfterMs: ingested.retryAfterMs };
    case "unknown-signer":
    case "wrong-place":
      return ingested;
  }
};

interface ReportLimit {
  readonly check: HttpMiddleware;
  /** Counts a report that the claimed agent's key has signed: nobody else can use up an agent's room. */
  readonly charge: (c: HttpContext) => void;
}

/** Generous: it stops a loop gone wild and a flood, and never an agent that empties its spool. */
const createReportLimit = (
  clock: AppDeps["clock"],
  lanes: Lanes,
  { countRefusal, isDeclaredKey }: Pick<AppDeps["controlPlane"], "countRefusal" | "isDeclaredKey">,
): ReportLimit => {
  const byAddress = createRateLimit({ burst: ADDRESS_REPORTS_BURST, perSecond: ADDRESS_REPORTS_PER_SECOND }, clock);
  const byAgent = createRateLimit({ burst: AGENT_REPORTS_BURST, perSecond: AGENT_REPORTS_PER_SECOND }, clock);
  return {
    check: async (c, next) => {
      const waitMs = byAddress.take(c.get("address")) || byAgent.waitMs(toAgentKey(c));
      // Before the body is read: whoever names no key of ours gets neither memory nor a place that an agent may need.
      if (waitMs === 0 && !isDeclaredKey(claimedAgent(c), c.req.header("regent-key") ?? "")) {
        countRefusal("reports", "unknown-signer");
        return toProblemResponse(c, { kind: "unknown-signer" });
      }
      // Before the body is read, so that a full lane costs nothing more.
      const full = waitMs === 0 ? lanes.check(claimedLane(c)) : null;
      if (waitMs === 0 && full === null) return next();
      countRefusal("reports", "too-many-requests");
      const { why, retryAfterMs } = full ?? { why: "too many reports", retryAfterMs: waitMs };
      return toProblemResponse(c, { kind: "too-many-requests", why, retryAfterMs });
    },
    charge: (c) => void byAgent.take(toAgentKey(c)),
  };
};

const claimedAgent = (c: HttpContext): string => c.req.header("webhook-id")?.slice(0, 128).split(".")[0] ?? "";

const toAgentKey = (c: HttpContext): string => `${c.get("address")} ${claimedAgent(c)}`;
