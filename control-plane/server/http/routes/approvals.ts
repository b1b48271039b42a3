/** Moves that wait for a person: what they are, yes and no. An approved one is decided anew on DNS as it is then. */
import { Approval, ApprovalList, ApprovalRequest, MoveAnswer, Ulid } from "@regent/contract";
import * as z from "zod";
import { isInScope } from "../../access/roles.ts";
import type { ApprovalOrder } from "../../operations/approval/find-approval.ts";
import type { ControlPlane, NotHere } from "../../operations/control-plane.ts";
import type { ApproveResult } from "../../operations/zone/approve-move.ts";
import type { HttpContext } from "../env.ts";
import { answer, type Mount, mountRoute, type Outcome } from "../mount-route.ts";
import { toOutcome } from "./moves.ts";

const ApprovalPath = z.object({ id: Ulid });

export const mountApprovals = (mount: Mount, { controlPlane }: { readonly controlPlane: ControlPlane }): void => {
  mountRoute(mount, "GET /v1/approvals", {
    summary: "Moves that wait for a person, the first to lapse in front; then the last answers, newest first",
    answer: ApprovalList,
    problems: [],
    handle: async (_, c) => {
      const { scope } = c.get("principal");
      const approvals = await controlPlane.approvals();
      return answer({ approvals: approvals.filter(({ service }) => isInScope(scope, service)) });
    },
  });
  const base = {
    params: ApprovalPath,
    body: ApprovalRequest,
    problems: ["not-found", "approval-closed", "stale-approval", "not-leader"] as const,
  };
  mountRoute(mount, "POST /v1/approvals/{id}/approve", {
    ...base,
    problems: [...base.problems, "refused-by-rule", "dns-away", "not-ready"],
    summary: "Make the move, if it is still what would be done",
    answer: MoveAnswer,
    handle: async ({ params, body }, c) => toMade(await controlPlane.approve(toOrder(c, params, body))),
  });
  mountRoute(mount, "POST /v1/approvals/{id}/refuse", {
    ...base,
    summary: "Leave the traffic where it is, and don't ask about this move again",
    answer: Approval,
    handle: async ({ params, body }, c) => {
      const result = await controlPlane.refuse(toOrder(c, params, body));
      return result.kind === "refused" ? answer(result.approval) : result;
    },
  });
};

const toOrder = (c: HttpContext, { id }: { readonly id: string }, { reason }: ApprovalRequest): ApprovalOrder => {
  const { name, scope } = c.get("principal");
  return { id, by: name, reason, scope };
};

const toMade = (result: ApproveResult | NotHere): Outcome<MoveAnswer> => {
  switch (result.kind) {
    case "approval-closed":
    case "stale-approval":
    case "not-ready":
      return result;
    default:
      return toOutcome(result);
  }
};
