/** Moving traffic by hand: failover, failback, drain, undrain. With `dryRun` the answer shows the exact batch and nothing is sent. */
import { DrainRequest, FailbackRequest, FailoverRequest, MoveAnswer, type ProblemSlug, ServiceId } from "@regent/contract";
import type { OperatorMove } from "@regent/engine";
import type { Logger } from "pino";
import * as z from "zod";
import type { ControlPlane, NotHere } from "../../operations/control-plane.ts";
import type { MoveOrder, MoveResult } from "../../operations/zone/request-move.ts";
import type { HttpContext } from "../env.ts";
import { answer, type Mount, mountRoute, type Outcome } from "../mount-route.ts";

const ServicePath = z.object({ service: ServiceId });

const PROBLEMS_OF_A_MOVE: readonly ProblemSlug[] = [
  "not-found",
  "stale-revision",
  "refused-by-rule",
  "override-stands",
  "name-taken",
  "not-leader",
  "dns-away",
];

interface MoveDeps {
  readonly controlPlane: ControlPlane;
  readonly log: Logger;
}

export const mountMoves = (mount: Mount, deps: MoveDeps): void => {
  const base = { params: ServicePath, answer: MoveAnswer, problems: PROBLEMS_OF_A_MOVE };
  mountRoute(mount, "POST /v1/services/{service}/failover", {
    ...base,
    summary: "Send the service's traffic to one region",
    body: FailoverRequest,
    handle: ({ params, body }, c) => move(deps, c, toOrder(c, params.service, { kind: "failover", to: body.to }, body)),
  });
  mountRoute(mount, "POST /v1/services/{service}/failback", {
    ...base,
    summary: "Give the traffic back to the strategy's first choice",
    body: FailbackRequest,
    handle: ({ params, body }, c) => move(deps, c, toOrder(c, params.service, { kind: "failback" }, body)),
  });
  mountRoute(mount, "POST /v1/services/{service}/drain", {
    ...base,
    summary: "Take a region out of the answers",
    body: DrainRequest,
    handle: ({ params, body }, c) => move(deps, c, toOrder(c, params.service, { kind: "drain", region: body.region }, body)),
  });
  mountRoute(mount, "POST /v1/services/{service}/undrain", {
    ...base,
    summary: "Let a drained region take traffic again",
    body: DrainRequest,
    handle: ({ params, body }, c) => move(deps, c, toOrder(c, params.service, { kind: "undrain", region: body.region }, body)),
  });
};

const toOrder = (c: HttpContext, service: string, move: OperatorMove, asked: FailbackRequest): MoveOrder => ({
  service,
  request: { move, by: c.get("principal").name, reason: asked.reason, breakGlass: asked.breakGlass },
  dryRun: asked.dryRun,
  expectedRevision: asked.expectedRevision ?? null,
});

const move = async ({ controlPlane, log }: MoveDeps, c: HttpContext, order: MoveOrder): Promise<Outcome<MoveAnswer>> => {
  const result = await controlPlane.move(order);
  if (result.kind === "broken-invariant")
    log.error(
      { requestId: c.get("requestId"), service: order.service, violations: result.violations },
      "a batch breaks an invariant",
    );
  return toOutcome(result);
};

export const toOutcome = (result: MoveResult | NotHere): Outcome<MoveAnswer> => {
  switch (result.kind) {
    case "answered":
      return answer(result.answer);
    case "too-many":
      return { kind: "too-many-requests", why: "too many changes of this zone are waiting", retryAfterMs: 5_000 };
    case "broken-invariant":
    case "stale-revision":
    case "refused-by-rule":
    case "change-in-flight":
    case "override-stands":
    case "dns-away":
    case "name-taken":
    case "not-leader":
    case "not-found":
      return result;
  }
};
