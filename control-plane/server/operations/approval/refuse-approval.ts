/** A person says no: traffic stays, and the same question isn't asked again. One commit; DNS isn't read for it. */
import type { Approval } from "@regent/contract";
import type { ServiceSpec } from "@regent/engine";
import type { Clock, Ids } from "../../ports/clock.ts";
import type { StoredApproval } from "../../ports/decision-store.ts";
import { operator } from "../memory/actors.ts";
import { commitAnew, type Draft, type Ledger } from "../memory/ledger.ts";
import { answeredText } from "./approval-words.ts";
import { toEntry } from "./ask-approval.ts";
import { type ApprovalOrder, findApproval, type NoAnswer, serviceOf, unknownApproval } from "./find-approval.ts";
import { shown } from "./review-approval.ts";

export interface RefuseDeps {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly specs: () => ReadonlyMap<string, ServiceSpec>;
}

export type RefuseResult = { readonly kind: "refused"; readonly approval: Approval } | NoAnswer;

/** Throws LeadershipLost when somebody else leads by now. A no that comes before the lapse was acted on still counts. */
export const refuseApproval = ({ ledger, clock, ids, specs }: RefuseDeps, order: ApprovalOrder): Promise<RefuseResult> =>
  commitAnew(ledger, (draft): RefuseResult => {
    const service = serviceOf([...specs().keys()].map(draft.record), order);
    if (service === null) return unknownApproval(order.id);
    const found = findApproval(draft.record(service), order.id);
    if (found.kind !== "waiting") return found;
    const approval = answer({ ids, draft }, found.approval, { ...order, state: "refused", at: clock.now() });
    return { kind: "refused", approval: shown(approval) };
  });

/** Into the commit that is being built. */
export const answer = (
  { ids, draft }: { readonly ids: Ids; readonly draft: Draft },
  waiting: StoredApproval,
  { state, by, reason, at }: { state: "approved" | "refused"; by: string; reason: string; at: number },
): StoredApproval => {
  const approval: StoredApproval = { ...waiting, state, by, reason, answeredAt: at };
  draft.update(approval.service, (record) => ({ ...record, approval }));
  draft.tell(toEntry(ids.ulid(), at, { approval: shown(approval), why: answeredText(approval), page: false }, operator(by)));
  return approval;
};
