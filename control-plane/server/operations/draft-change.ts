/** An allowed proposal becomes a write-ahead row with the exact batch, a change and its one history entry. Nothing is sent here. */
import { createHash } from "node:crypto";
import type { Change, Instant, RegionVerdict } from "@regent/contract";
import type { Decision, Observed, Proposal, RecordSet, ServiceBatch, ServiceSpec } from "@regent/engine";
import { isFrozen } from "@regent/engine";
import { checkBatch, checkShares } from "@regent/engine/invariants.ts";
import { buildServiceBatch } from "@regent/engine/plan/batch.ts";
import { renderMembers, toCanonicalText, toMembers } from "@regent/engine/plan/record-sets.ts";
import { toSetKey } from "@regent/engine/plan/record-values.ts";
import type { Ids } from "../ports/clock.ts";
import type { ServiceRecord, StoredOutboxRow } from "../ports/decision-store.ts";
import { expectedMembers } from "./situation.ts";

export interface PlannedChange {
  readonly spec: ServiceSpec;
  readonly decision: Decision;
  readonly proposal: Proposal;
  readonly batch: ServiceBatch;
  readonly row: StoredOutboxRow;
  readonly change: Change;
  /** Sentences of broken invariants: never sent when there is one. */
  readonly violations: readonly string[];
}

export interface PlanInput {
  readonly spec: ServiceSpec;
  readonly record: ServiceRecord;
  readonly observed: Observed;
  readonly decision: Decision;
  readonly proposal: Proposal;
  readonly verdicts: readonly RegionVerdict[];
  readonly term: number;
  readonly ids: Ids;
  readonly now: Instant;
}

export const planChange = (input: PlanInput): PlannedChange => {
  const { spec, record, observed, decision, proposal, term, ids, now } = input;
  const ulid = ids.ulid();
  const revision = Math.max(record.revision, observed.epoch?.revision ?? 0) + 1;
  const order = toRenderOrder(input);
  const { removed } = order;
  const rendered = renderMembers(order);
  const epoch = {
    owner: spec.owner,
    term,
    revision,
    ulid,
    mode: isFrozen({ controls: decision.controlsAfter }) ? ("frozen" as const) : ("auto" as const),
    digest: createHash("sha256").update(toCanonicalText(rendered)).digest("hex").slice(0, 16),
  };
  const members = buildServiceBatch({ ...order, epoch });
  const batch = { ...members, deletes: [...members.deletes, ...retiredSets(input)] };
  const change = toChange(input, { id: ids.ulid(), revision });
  const row: StoredOutboxRow = {
    ulid,
    service: spec.id,
    revision,
    term,
    expects: observed.epoch?.ulid ?? null,
    state: "intent",
    changeId: change.id,
    zoneId: spec.zoneId,
    deletes: batch.deletes,
    creates: batch.creates,
    weights: proposal.weightsAfter,
    createdAt: now,
    // From here on the batch may have been sent: a crash leaves no time to write it down.
    sentAt: now,
    changeInfoId: null,
  };
  const violations = [
    ...checkBatch({ spec, batch: members, removed, keepsEdit: order.edit === "keep" }),
    ...checkShares(proposal.sharesAfter),
  ];
  return { spec, decision, proposal, batch, row, change, violations };
};

/** Around somebody else's edit, or over it. What an edit added goes only where its policy is to revert: it may be a region that is being set up. */
const toRenderOrder = ({ spec, record, observed, proposal }: PlanInput) => {
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
const retiredSets = ({ spec, record, observed }: PlanInput): readonly RecordSet[] => {
  const isRetired = ({ type }: RecordSet): boolean => !spec.types.some((declared) => declared === type);
  const retired = new Set(expectedMembers(spec, record.expected).filter(isRetired).map(toSetKey));
  return observed.sets.filter((set) => retired.has(toSetKey(set)));
};

const toChange = (
  { spec, proposal, decision, verdicts, now }: PlanInput,
  { id, revision }: { id: string; revision: number },
): Change => ({
  id,
  service: spec.id,
  revision,
  kind: proposal.kind,
  stage: "decided",
  actor: proposal.actor,
  reason: proposal.reason,
  why: proposal.why,
  sharesBefore: proposal.sharesBefore,
  sharesAfter: proposal.sharesAfter,
  weightsBefore: proposal.weightsBefore,
  weightsAfter: proposal.weightsAfter,
  rules: [...decision.rules],
  evidence: [...verdicts],
  times: { ...(proposal.detectedAt === null ? {} : { detected: proposal.detectedAt }), decided: now },
});
