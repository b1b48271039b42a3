/** An allowed proposal becomes a write-ahead row with the exact batch, a change and its one history entry. Nothing is sent here. */
import type { Change, Instant, RegionVerdict } from "@regent/contract";
import type { Decision, Edit, Observed, Proposal, RecordSet, ServiceBatch, ServiceSpec } from "@regent/engine";
import { checkBatch, checkShares } from "@regent/engine/invariants.ts";
import { buildServiceBatch } from "@regent/engine/plan/batch.ts";
import { renderMembers, toMembers } from "@regent/engine/plan/record-sets.ts";
import { toSetKey } from "@regent/engine/plan/record-values.ts";
import { movesTraffic } from "@regent/engine/safety/rule.ts";
import type { Ids } from "../../ports/clock.ts";
import type { Ownership, ServiceRecord, StoredApproval, StoredOutboxRow } from "../../ports/decision-store.ts";
import { approvedText } from "../approval/approval-words.ts";
import { type Draft, OUTBOX_ROWS_KEPT } from "../memory/ledger.ts";
import { expectedMembers } from "../memory/situation.ts";
import { REVERTS_MAX } from "./note-truth.ts";
import { insertWrite, modeOf, nextRevision, toEpoch, toIntent } from "./write-ahead.ts";

export interface DraftedChange {
  readonly spec: ServiceSpec;
  readonly decision: Decision;
  readonly proposal: Proposal;
  readonly batch: ServiceBatch;
  readonly row: StoredOutboxRow;
  readonly change: Change;
  /** Sentences of broken invariants: never sent when there is one. */
  readonly violations: readonly string[];
}

export interface DraftInput {
  readonly spec: ServiceSpec;
  readonly record: ServiceRecord;
  readonly observed: Observed;
  readonly decision: Decision;
  readonly proposal: Proposal;
  /** What lets it through, where a person's word was needed. */
  readonly approval: StoredApproval | null;
  /** A change was made of it before, that never arrived. */
  readonly isApprovalMade: boolean;
  readonly verdicts: readonly RegionVerdict[];
  readonly term: number;
  readonly ids: Ids;
  readonly now: Instant;
}

export const draftChange = (input: DraftInput): DraftedChange => {
  const { spec, record, observed, decision, proposal, approval, term, ids, now } = input;
  const mark = { revision: nextRevision(record, observed), term, ulid: ids.ulid() };
  const order = toRenderOrder(input);
  const { removed } = order;
  const epoch = toEpoch(spec, mark, modeOf(decision.controlsAfter, now), renderMembers(order));
  const members = buildServiceBatch({ ...order, epoch });
  const retired = retiredSets(input);
  const batch = { ...members, deletes: [...members.deletes, ...retired] };
  // One thread leads from the question to DNS.
  const id = approval && !input.isApprovalMade ? approval.id : ids.ulid();
  const change = toChange(input, { id, revision: mark.revision });
  const weights = proposal.weightsAfter;
  const row = toIntent({
    spec,
    observed,
    mark,
    changeId: change.id,
    deletes: batch.deletes,
    creates: batch.creates,
    weights,
    decidedAt: proposal.computedAt,
    now,
  });
  const violations = [
    ...checkBatch({ spec, batch, removed, retired, keepsEdit: order.edit === "keep" }),
    ...checkShares(proposal.sharesAfter),
  ];
  return { spec, decision, proposal, batch, row, change, violations };
};

/** Around somebody else's edit, or over it. What an edit added goes only where its policy is to revert: it may be a region that is being set up. */
const toRenderOrder = ({ spec, record, observed, proposal }: DraftInput) => {
  const standing = record.ownership.edit;
  const expected = expectedMembers(spec, record.expected);
  const isReverted = standing?.policy === "revert" && !proposal.isRebased;
  const added = toMembers(spec, observed).filter((set) => !expected.some((known) => toSetKey(known) === toSetKey(set)));
  return {
    spec,
    observed,
    weights: proposal.weightsAfter,
    removed: [...removedRegions(spec, record), ...(isReverted ? added.flatMap(({ setIdentifier }) => setIdentifier ?? []) : [])],
    edit: proposal.isRebased ? ("keep" as const) : ("replace" as const),
    ...(isReverted ? { expected } : {}),
  };
};

const removedRegions = (spec: ServiceSpec, { written }: ServiceRecord): readonly string[] => {
  const declared = new Set(spec.endpoints.map(({ region }) => region));
  const known = Object.values(written ?? {}).flatMap((weights) => Object.keys(weights));
  return [...new Set(known)].filter((region) => !declared.has(region));
};

/** Sets that we wrote for a type that is declared no longer: nobody else would ever take them away. */
const retiredSets = ({ spec, record, observed }: DraftInput): readonly RecordSet[] => {
  const isRetired = ({ type }: RecordSet): boolean => !spec.types.some((declared) => declared === type);
  const retired = new Set(expectedMembers(spec, record.expected).filter(isRetired).map(toSetKey));
  return observed.sets.filter((set) => retired.has(toSetKey(set)));
};

const toChange = (
  { spec, proposal, approval, decision, verdicts, now }: DraftInput,
  { id, revision }: { id: string; revision: number },
): Change => ({
  id,
  service: spec.id,
  revision,
  kind: proposal.kind,
  stage: "decided",
  actor: proposal.actor,
  reason: proposal.reason,
  why: approval ? `${proposal.why}${approvedText(approval)}` : proposal.why,
  sharesBefore: proposal.sharesBefore,
  sharesAfter: proposal.sharesAfter,
  weightsBefore: proposal.weightsBefore,
  weightsAfter: proposal.weightsAfter,
  rules: [...decision.rules],
  evidence: [...verdicts],
  times: { ...(proposal.detectedAt === null ? {} : { detected: proposal.detectedAt }), decided: now },
});

/** Into the commit that is being built, with what the service's record says from then on. */
export const writeAhead = (ids: Ids, draft: Draft, { spec, decision, proposal, row, change }: DraftedChange): void => {
  const { frozenGlobally: _global, ...controls } = decision.controlsAfter;
  draft.update(spec.id, (record) => ({
    ...record,
    revision: row.revision,
    traffic: decision.trafficAfter,
    controls,
    // What was told of a standstill is no news again because a mark or a record was written meanwhile.
    lastRefusal: movesTraffic(proposal) ? null : record.lastRefusal,
    ownership: afterDraft(record, proposal.isRebased ? row.ulid : null, change),
  }));
  insertWrite(ids, draft, { row, change, page: change.kind === "failover" });
};

/** An edit that a batch carries on is still there when that batch stands; any other batch writes over it. Which of them arrives, DNS tells. */
const afterDraft = ({ ownership, drift }: ServiceRecord, carrier: string | null, { kind, times }: Change): Ownership => {
  const { edit, reverts } = ownership;
  const carried = edit && carrier !== null ? carry(edit, carrier, drift ?? "") : null;
  return {
    ...ownership,
    edit: carried ?? edit,
    reverts: kind === "revert" ? [...reverts, times.decided].slice(-REVERTS_MAX) : reverts,
  };
};

const carry = (edit: Edit, ulid: string, text: string): Edit => ({
  ...edit,
  carried: { by: [...(edit.carried?.by ?? []), ulid].slice(-OUTBOX_ROWS_KEPT), policy: edit.policy, text },
});
