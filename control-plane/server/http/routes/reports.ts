/** The agents' door: takes signed reports. The raw bytes go to the operation, because the signature is over them. */
import { REPORT_BYTES_MAX, ReportReceipt } from "@regent/contract";
import { createRateLimit } from "../../access/rate-limit.ts";
import {
  ADDRESS_REPORTS_BURST,
  ADDRESS_REPORTS_PER_SECOND,
  AGENT_REPORTS_BURST,
  AGENT_REPORTS_PER_SECOND,
} from "../../limits.ts";
import type { Ingested } from "../../operations/ingest-report.ts";
import type { AppDeps, HttpContext, HttpMiddleware } from "../env.ts";
import { answer, type Mount, mountRoute, type Outcome } from "../mount-route.ts";
import { toProblemResponse } from "../problems.ts";

export const mountReports = (mount: Mount, { controlPlane, clock }: Pick<AppDeps, "controlPlane" | "clock">): void => {
  const limit = createReportLimit(clock, () => controlPlane.countRefusal("reports", "too-many-requests"));
  mountRoute(mount, "POST /v1/reports", {
    summary: "Take a signed report of an agent (headers webhook-id, webhook-timestamp, webhook-signature, regent-key)",
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
      const ingested = await controlPlane.ingestReport({
        id: c.req.header("webhook-id"),
        timestamp: c.req.header("webhook-timestamp"),
        signature: c.req.header("webhook-signature"),
        keyId: c.req.header("regent-key"),
        body: new Uint8Array(await c.req.arrayBuffer()),
      });
      if (ingested.kind !== "unknown-signer") limit.charge(c);
      return toOutcome(ingested, clock.now());
    },
  });
};

const toOutcome = (ingested: Ingested, serverTime: number): Outcome<ReportReceipt> => {
  switch (ingested.kind) {
    case "taken":
      return answer(ingested.receipt);
    case "replayed":
      return { kind: "replayed-report", ack: ingested.sequence };
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
const createReportLimit = (clock: AppDeps["clock"], onRefused: () => void): ReportLimit => {
  const byAddress = createRateLimit({ burst: ADDRESS_REPORTS_BURST, perSecond: ADDRESS_REPORTS_PER_SECOND }, clock);
  const byAgent = createRateLimit({ burst: AGENT_REPORTS_BURST, perSecond: AGENT_REPORTS_PER_SECOND }, clock);
  return {
    check: async (c, next) => {
      const waitMs = byAddress.take(c.get("address")) || byAgent.waitMs(toAgentKey(c));
      if (waitMs === 0) return next();
      onRefused();
      return toProblemResponse(c, { kind: "too-many-requests", why: "too many reports", retryAfterMs: waitMs });
    },
    charge: (c) => void byAgent.take(toAgentKey(c)),
  };
};

const toAgentKey = (c: HttpContext): string =>
  `${c.get("address")} ${c.req.header("webhook-id")?.slice(0, 64).split(".")[0] ?? ""}`;
