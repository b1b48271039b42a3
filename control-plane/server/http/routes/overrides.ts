/** Standing decisions with an expiry: made with their move shown first, listed, ended. */
import {
  OverrideAnswer,
  OverrideEnded,
  OverrideEndRequest,
  OverrideList,
  OverrideRequest,
  ServiceId,
  Ulid,
} from "@regent/contract";
import type { Logger } from "pino";
import * as z from "zod";
import type { OverrideResult } from "../../operations/control/set-override.ts";
import type { ControlPlane, NotHere } from "../../operations/control-plane.ts";
import { answer, type Mount, mountRoute, type Outcome } from "../mount-route.ts";

const ServicePath = z.object({ service: ServiceId });
const OverridePath = z.object({ service: ServiceId, override: Ulid });

export const mountOverrides = (mount: Mount, { controlPlane, log }: { controlPlane: ControlPlane; log: Logger }): void => {
  mountRoute(mount, "GET /v1/services/{service}/overrides", {
    summary: "The overrides that stand for a service, oldest first",
    params: ServicePath,
    answer: OverrideList,
    problems: ["not-found"],
    handle: async ({ params: { service } }) => {
      const state = await controlPlane.service(service);
      return state ? answer({ overrides: state.overrides ?? [] }) : { kind: "not-found", what: `service ${service}` };
    },
  });
  mountRoute(mount, "POST /v1/services/{service}/overrides", {
    summary: "Take a region as fit or out of the answers, pin shares or freeze, until a moment",
    params: ServicePath,
    body: OverrideRequest,
    answer: OverrideAnswer,
    problems: [
      "invalid-request",
      "not-found",
      "stale-revision",
      "refused-by-rule",
      "override-stands",
      "name-taken",
      "not-leader",
      "dns-away",
    ],
    handle: async ({ params: { service }, body }, c) => {
      const { what, forSeconds, until, reason, breakGlass, dryRun, expectedRevision } = body;
      const result = await controlPlane.setOverride({
        service,
        what,
        forMs: forSeconds === undefined ? null : forSeconds * 1_000,
        until: until ?? null,
        by: c.get("principal").name,
        reason,
        breakGlass,
        dryRun,
        expectedRevision: expectedRevision ?? null,
      });
      if (result.kind === "broken-invariant")
        log.error({ requestId: c.get("requestId"), service, violations: result.violations }, "a batch breaks an invariant");
      return toOutcome(result);
    },
  });
  mountRoute(mount, "DELETE /v1/services/{service}/overrides/{override}", {
    summary: "End an override; traffic goes back by a normal change",
    params: OverridePath,
    body: OverrideEndRequest,
    answer: OverrideEnded,
    problems: ["not-found", "not-leader"],
    handle: async ({ params: { service, override }, body: { reason } }, c) => {
      const result = await controlPlane.endOverride({ service, id: override, by: c.get("principal").name, reason });
      return result.kind === "ended" ? answer({ why: result.why }) : result;
    },
  });
};

const toOutcome = (result: OverrideResult | NotHere): Outcome<OverrideAnswer> => {
  switch (result.kind) {
    case "set":
      return answer(result.answer);
    case "invalid-override":
      return {
        kind: "invalid-request",
        detail: result.problems.map(({ message }) => message).join("; "),
        errors: result.problems,
      };
    case "too-many":
      return { kind: "too-many-requests", why: "too many changes of this zone are waiting", retryAfterMs: 5_000 };
    default:
      return result;
  }
};
