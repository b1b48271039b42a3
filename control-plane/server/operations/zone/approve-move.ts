/**
 * A person says yes to a move that waits. Inside the zone's turn, on DNS as just read: the service is decided anew, and the yes lets exactly that
 * through that was asked for. Nothing that was kept is sent. Answered when the intent is committed.
 */
import type { MoveAnswer } from "@regent/contract";
import type { Decision } from "@regent/engine";
import { toBatchLines } from "@regent/engine/plan/batch.ts";
import type { StoredApproval } from "../../ports/decision-store.ts";
import { askApproval, isHeard } from "../approval/ask-approval.ts";
import { type ApprovalOrder, findApproval, type NoAnswer, serviceOf, unknownApproval } from "../approval/find-approval.ts";
import { answer } from "../approval/refuse-approval.ts";
import type { Draft } from "../memory/ledger.ts";
import { toApproved } from "../memory/situation.ts";
import { agreedBy, draftTransfer, mayLead, roleFirst } from "../transfer/begin-transfer.ts";
import { type DecideDeps, decideNow, draftNow, type OneService } from "./decide-service.ts";
import { type DraftedChange, writeAhead } from "./draft-change.ts";
import type { MoveDeps, Moved, MoveResult } from "./request-move.ts";

export type ApproveResult = MoveResult | NoAnswer | { readonly kind: "not-ready"; readonly why: string };

export const approveMove = async (deps: MoveDeps, order: ApprovalOrder): Promise<Moved<ApproveResult>> => {
  const nothing = (result: ApproveResult): Moved<ApproveResult> => ({ result, rows: [], accepted: [] });
  const service = serviceOf([...deps.specs().keys()].map(deps.ledger.record), order);
  const spec = service === null ? undefined : deps.specs().get(service);
  if (!spec) return nothing(unknownApproval(order.id));
  const found = findApproval(deps.ledger.record(spec.id), order.id);
  if (found.kind !== "waiting") return nothing(found);
  const read = await deps.reader.read(spec.zoneId, [spec.id], { lane: "read", rank: 0 });
  if (read.kind === "unread") return nothing({ kind: "dns-away", why: read.why });
  return deps.ledger.commit((draft) => {
    const settled = deps.reader.settleInto(draft, read).get(spec.id);
    if (!settled) return nothing({ kind: "dns-away", why: "leadership changed while the zone was read" });
    return { ...approveNow(deps, draft, order, { spec, ...settled }), accepted: settled.accepted };
  });
};

type Approved = Omit<Moved<ApproveResult>, "accepted">;

const approveNow = (deps: DecideDeps, draft: Draft, order: ApprovalOrder, one: OneService): Approved => {
  const done = (result: ApproveResult): Approved => ({ result, rows: [] });
  const { spec } = one;
  const found = findApproval(draft.record(spec.id), order.id);
  if (found.kind !== "waiting") return done(found);
  if (!isHeard(spec, { leadingSince: deps.leadingSince(), now: deps.clock.now() }))
    return done({ kind: "not-ready", why: "a new leader waits for the first reports of all agents" });
  // What is true now may be another question, or none, or the time for an answer may be over: that is written down first, and answered.
  if (askApproval(deps, draft, spec, decideNow(deps, draft, spec, null))) {
    const now = findApproval(draft.record(spec.id), order.id);
    return done(now.kind === "waiting" ? unknownApproval(order.id) : now);
  }
  const at = deps.clock.now();
  const approval: StoredApproval = { ...found.approval, state: "approved", by: order.by, reason: order.reason, answeredAt: at };
  const decision = decideNow(deps, draft, spec, null, { approved: toApproved({ approval }, spec, at) });
  if (mayLead(draft.record(spec.id), decision)) {
    answer({ ids: deps.ids, draft }, found.approval, { state: "approved", by: order.by, reason: order.reason, at });
    const transfer = draftTransfer(deps, draft, spec, decision, agreedBy(order.by, order.reason));
    const why = transfer ? roleFirst(transfer) : decision.sentence;
    return done({ kind: "answered", answer: { ...toAnswer(draft, one, decision, null), allowed: true, why } });
  }
  if (!decision.proposal || !decision.isAllowed)
    return done({ kind: "refused-by-rule", answer: toAnswer(draft, one, decision, null) });
  const planned = draftNow(deps, draft, one, decision, approval);
  if (planned.violations.length > 0) return done({ kind: "broken-invariant", violations: planned.violations });
  answer({ ids: deps.ids, draft }, found.approval, { state: "approved", by: order.by, reason: order.reason, at });
  writeAhead(deps.ids, draft, planned);
  return { result: { kind: "answered", answer: toAnswer(draft, one, decision, planned) }, rows: [planned.row] };
};

const toAnswer = (
  draft: Draft,
  { spec }: OneService,
  { proposal, sentence, rules, isAllowed }: Decision,
  planned: DraftedChange | null,
): MoveAnswer => {
  const { traffic, written, revision } = draft.record(spec.id);
  return {
    dryRun: false,
    allowed: isAllowed,
    why: planned?.change.why ?? sentence,
    changeId: planned?.change.id ?? null,
    revision: planned?.row.revision ?? revision,
    sharesBefore: proposal?.sharesBefore ?? traffic.shares,
    sharesAfter: proposal?.sharesAfter ?? traffic.shares,
    weightsBefore: proposal?.weightsBefore ?? written ?? {},
    weightsAfter: proposal?.weightsAfter ?? written ?? {},
    rules: [...rules],
    batch: planned ? toBatchLines(planned.batch) : [],
  };
};
