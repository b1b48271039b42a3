/** The approval that somebody answers, or why there is nothing to answer: it waits no longer, or what was seen is not what would be done. */
import type { Approval, Instant } from "@regent/contract";
import type { FormerApproval, ServiceRecord, StoredApproval } from "../../ports/decision-store.ts";
import { closedText } from "./approval-words.ts";

export interface ApprovalOrder {
  readonly id: string;
  readonly by: string;
  readonly reason: string;
  /** Services that the one who answers reaches; null: all. */
  readonly scope: readonly string[] | null;
}

export type NoAnswer =
  | { readonly kind: "not-found"; readonly what: string }
  | {
      readonly kind: "approval-closed";
      readonly why: string;
      readonly state: Approval["state"];
      readonly by: string | null;
      readonly answeredAt: Instant | null;
    }
  | {
      readonly kind: "stale-approval";
      readonly why: string;
      /** What is asked instead. */
      readonly next: string | null;
    };

export type FoundApproval = { readonly kind: "waiting"; readonly approval: StoredApproval } | NoAnswer;

/** Of all services: the one whose approval this is or was. Null when nobody knows it, or it isn't for these eyes. */
export const serviceOf = (records: Iterable<ServiceRecord>, { id, scope }: ApprovalOrder): string | null => {
  for (const { service, approval } of records) {
    const isItsOwn = approval?.id === id || approval?.former.some((former) => former.id === id);
    if (isItsOwn) return scope === null || scope.includes(service) ? service : null;
  }
  return null;
};

export const findApproval = ({ approval }: Pick<ServiceRecord, "approval">, id: string): FoundApproval => {
  if (approval?.id === id) return approval.state === "waiting" ? { kind: "waiting", approval } : toNoAnswer(approval, null);
  const former = approval?.former.find((one) => one.id === id);
  if (!approval || !former) return unknownApproval(id);
  return toNoAnswer(former, approval.state === "waiting" ? approval.id : null);
};

export const unknownApproval = (id: string): NoAnswer => ({ kind: "not-found", what: `approval ${id}` });

const toNoAnswer = (former: FormerApproval, next: string | null): NoAnswer => {
  const { id, state, by, answeredAt } = former;
  if (state !== "stale") return { kind: "approval-closed", why: closedText(former), state, by, answeredAt };
  const now = next === null ? "nothing is asked now" : `${next} is asked now: look at it, and answer that`;
  return { kind: "stale-approval", why: `what ${id} rested on has changed; ${now}`, next };
};
