/**
 * What DNS holds of a service, against what is remembered: whether the name is ours, who is older, the database or the zone, and what somebody
 * else edited. Decides what follows by the drift policy; moves nothing.
 */
import type { Change, Instant, Weights } from "@regent/contract";
import type { Edit, Epoch, Observed, RecordSet, ServiceSpec } from "@regent/engine";
import { type Drift, driftPolicyOf, findDrift } from "@regent/engine/plan/drift.ts";
import { preflight } from "@regent/engine/plan/preflight.ts";
import { readStandingWeights, toDeclaredText, toMembers } from "@regent/engine/plan/record-sets.ts";
import { standingTraffic } from "@regent/engine/strategy/standing.ts";
import type { Ids } from "../ports/clock.ts";
import type { HistoryEntry, ServiceRecord, StoredOutboxRow } from "../ports/decision-store.ts";
import { AUTOMATION } from "./actors.ts";
import type { Draft, Ledger } from "./ledger.ts";
import { expectedMembers, standingEdit } from "./situation.ts";

export interface SettleInput {
  readonly spec: ServiceSpec;
  readonly observed: Observed;
  readonly ledger: Ledger;
  readonly draft: Draft;
  readonly ids: Ids;
  readonly now: Instant;
  /** DNS knows more than this database does. */
  readonly onRestored: (why: string) => void;
}

/**
 * What DNS holds now becomes what the record says; who may write follows from it. `rows`: those of the name that the service has now.
 * `isReleasing`: a release of the name may still arrive.
 */
export const noteTruth = (input: SettleInput, rows: readonly StoredOutboxRow[], isReleasing: boolean): void => {
  const { spec, observed, ledger, draft } = input;
  const before = draft.record(spec.id);
  const current = rows.find(({ ulid }) => ulid === observed.epoch?.ulid);
  const isHere = before.expected !== null && isAtEpochName(spec, before.expected);
  // A row that only might have arrived is no proof: a first write that was refused, or that nobody sent, is written again.
  const everWritten = isHere || rows.some(({ state }) => state === "accepted");
  const checked = preflight({ spec, observed, everWritten });
  const known: ServiceRecord =
    current && current.ulid !== before.epoch
      ? { ...before, written: current.weights, expected: current.creates, epoch: current.ulid }
      : before;
  const lag = checked.kind === "managed" && checked.epoch.ulid !== known.epoch ? whoLags(known, checked.epoch) : null;
  const restored = lag === "database" && ledger.freeze()?.cause === "restored" ? takeOver(input, known) : null;
  if (lag === "database" && restored === null) input.onRestored(restoredText(spec, observed, known));
  const after = withReleaseUndone(restored ?? known, observed, isReleasing);
  const blockedBy = wentBack(input, rows) ?? blockOf(input, after, checked);
  const isWritten = after.expected !== null && isAtEpochName(spec, after.expected);
  const found =
    blockedBy === null && isWritten
      ? findDrift({ spec, expected: expectedMembers(spec, after.expected), observed, expectedUlid: after.epoch })
      : [];
  const edited = blockedBy === null ? withEdit(input, after, found) : { ...after, drift: null };
  const next: ServiceRecord = { ...edited, blockedBy };
  if (isSameRecord(before, next)) return;
  draft.update(spec.id, () => next);
  if (restored)
    tell(
      input,
      `the database was older than DNS: what it lacks of ${spec.id}'s history is lost, up to revision ${next.revision}; DNS is taken as it stands`,
      {},
    );
  const told = next.blockedBy ?? next.drift;
  const toldBefore = before.blockedBy ?? before.drift;
  if (told === toldBefore) return;
  const isAdopted = next.ownership.edit?.policy === "adopt" && next.ownership.edit.isKept;
  const back = isWritten ? "DNS is again as Regent wrote it" : "nothing stands in the way of the first write any more";
  tell(input, told === null ? back : isAdopted ? `adopted what another hand wrote, and froze the service: ${told}` : told, {
    page: told !== null,
    before: toldBefore,
    policy: next.ownership.edit?.policy ?? null,
    lines: found.map(({ line }) => line),
  });
};

const isSameRecord = (a: ServiceRecord, b: ServiceRecord): boolean =>
  a === b ||
  (a.blockedBy === b.blockedBy &&
    a.drift === b.drift &&
    a.epoch === b.epoch &&
    a.revision === b.revision &&
    JSON.stringify(a.ownership) === JSON.stringify(b.ownership));

// ------------------------------------------------------------------------------------------------ older than the other

/** An epoch record of ours that this database doesn't know: DNS is ahead, or it went back to where we no longer remember. */
const whoLags = ({ revision }: ServiceRecord, epoch: Epoch): "database" | "zone" =>
  epoch.revision > revision ? "database" : "zone";

const restoredText = (spec: ServiceSpec, { epoch }: Observed, { revision }: ServiceRecord): string =>
  `DNS shows revision ${epoch?.revision} of ${spec.id}, and the database knows ${revision}: it was restored from an older state, or another installation writes as ${spec.owner}. Automation is off until a person confirms with unfreeze --global`;

/** DNS is taken as it stands; null when its weights can't be told. */
const takeOver = ({ spec, observed, now }: SettleInput, record: ServiceRecord): ServiceRecord | null => {
  const weights = readStandingWeights(spec, observed);
  if (weights === null || observed.epoch === null || observed.epochSet === null) return null;
  return {
    ...record,
    revision: Math.max(record.revision, observed.epoch.revision),
    traffic: { ...standingTraffic(spec, weights, now), failedReturns: record.traffic.failedReturns },
    written: weights,
    expected: [observed.epochSet, ...toMembers(spec, observed)],
    epoch: observed.epoch.ulid,
  };
};

/** A write that was in force is gone: not dropped by Route 53 in its first minutes, but a zone that was restored. */
const wentBack = ({ spec, observed, ledger, now }: SettleInput, rows: readonly StoredOutboxRow[]): string | null => {
  const { epoch } = observed;
  if (epoch === null || epoch.owner !== spec.owner) return null;
  const gone = rows.findLast(
    ({ revision, changeId, state }) =>
      revision > epoch.revision && (state === "accepted" || state === "lost") && isDurable(ledger.change(changeId), now),
  );
  return gone
    ? `The epoch record ${spec.epochName} went back to revision ${epoch.revision}, and revision ${gone.revision} had been in force: the zone was restored from an older state. Regent writes nothing here until an operator adopts what stands (regent adopt ${spec.id}).`
    : null;
};

/** Route 53 may drop what it accepted until it says INSYNC; what it never said so of, but every server has shown for long, is as good. */
const isDurable = (change: Change | null, now: Instant): boolean =>
  change?.times.inSync !== undefined || (change?.times.visible ?? now) < now - SHOWN_FOR_MS;

const SHOWN_FOR_MS = 900_000;

// ------------------------------------------------------------------------------------------------ whose

/** The epoch record that was given up still stands, and nothing is under way to take it: it was not given up. */
const withReleaseUndone = (record: ServiceRecord, { epoch }: Observed, isReleasing: boolean): ServiceRecord =>
  record.ownership.released && epoch !== null && epoch.ulid === record.epoch && !isReleasing
    ? { ...record, ownership: { ...record.ownership, released: null } }
    : record;

const blockOf = (
  { spec, observed }: SettleInput,
  record: ServiceRecord,
  checked: ReturnType<typeof preflight>,
): string | null => {
  const { released } = record.ownership;
  if (released && observed.epoch === null)
    return `${released.by} released the name: ${released.reason}. Regent writes nothing here until it is adopted again (regent adopt ${spec.id}).`;
  switch (checked.kind) {
    case "refused":
      return `${checked.why} ${checked.fix}`;
    case "create":
      return null;
    case "managed": {
      if (checked.epoch.ulid === record.epoch) return null;
      const { owner, term, revision, ulid } = checked.epoch;
      return `The epoch record ${observed.epochSet?.name} shows revision ${revision} of term ${term} (${owner}, ${ulid}), which this database doesn't know. Regent writes nothing here until an operator adopts what stands (regent adopt ${spec.id}).`;
    }
  }
};

// ------------------------------------------------------------------------------------------------ what somebody else wrote

/** So many reverts within an hour and somebody else means it: then it is reported. */
export const REVERTS_MAX = 3;
const REVERTS_WITHIN_MS = 3_600_000;

const withEdit = (input: SettleInput, record: ServiceRecord, found: readonly Drift[]): ServiceRecord => {
  const { spec, observed, now } = input;
  const { ownership } = record;
  const standing = standingEdit(spec, record);
  if (found.length === 0) return standing?.isKept ? record : { ...record, drift: null, ownership: { ...ownership, edit: null } };
  const recent = ownership.reverts.filter((at) => now - at < REVERTS_WITHIN_MS).length;
  const declared = driftPolicyOf(spec, found);
  const isWar = declared === "revert" && recent >= REVERTS_MAX;
  const weights = readStandingWeights(spec, observed);
  const policy = isWar || (declared === "adopt" && weights === null) ? "report" : declared;
  const text = `${found
    .slice(0, 5)
    .map(({ class: kind, line }) => `${kind}: ${line}`)
    .join(" ")}${isWar ? ` It was reverted ${recent} times within an hour; now it is reported.` : ""}`;
  const since = ownership.edit?.since ?? now;
  const edit: Edit = { policy, weights, declared: toDeclaredText(spec), isKept: policy === "adopt", since };
  const edited: ServiceRecord = { ...record, drift: text, ownership: { ...ownership, edit } };
  return policy === "adopt" && weights !== null ? keepEdit(input, edited, weights) : edited;
};

/** What they wrote becomes what is expected and wanted, and automation is off: it would lead the traffic elsewhere. */
const keepEdit = ({ spec, observed, now }: SettleInput, record: ServiceRecord, weights: Weights): ServiceRecord => ({
  ...record,
  written: weights,
  expected: [...(observed.epochSet ? [observed.epochSet] : []), ...toMembers(spec, observed)],
  traffic: { ...standingTraffic(spec, weights, now), failedReturns: record.traffic.failedReturns },
  controls: {
    ...record.controls,
    placement: null,
    frozen: record.controls.frozen ?? {
      by: AUTOMATION.name,
      reason: `DNS was edited, and its policy is to adopt: ${record.drift}`,
      at: now,
    },
  },
});

const tell = (
  { spec, draft, ids, now }: SettleInput,
  why: string,
  { page = true, ...detail }: { readonly page?: boolean } & HistoryEntry["detail"],
): void => draft.tell(entry({ ids, now, service: spec.id, kind: "drift", page, why, detail }));

export const entry = (of: {
  ids: Ids;
  now: Instant;
  service: string;
  kind: HistoryEntry["kind"];
  page: boolean;
  why: string;
  detail?: HistoryEntry["detail"];
}): HistoryEntry => ({
  id: of.ids.ulid(),
  at: of.now,
  service: of.service,
  kind: of.kind,
  actor: AUTOMATION,
  why: of.why,
  page: of.page,
  detail: of.detail ?? {},
});

export const isAtEpochName = (spec: ServiceSpec, sets: readonly RecordSet[]): boolean =>
  sets.some(({ name }) => name === spec.epochName);
