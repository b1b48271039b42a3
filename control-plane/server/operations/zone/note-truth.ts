/**
 * What DNS holds of a service, against what is remembered: whether the name is ours, who is older, the database or the zone, and what somebody
 * else edited. Decides what follows by the drift policy; moves nothing.
 *
 * An epoch record of ours that this database doesn't know, beyond what it knows, is one of two things. `m=auto`: somebody automates this name who
 * isn't us, so this database is old or a copy; everything is held, as nobody knows what else it lacks. `m=frozen`: whoever wrote it wanted that
 * nobody automates it, and we can only agree: that service is frozen (note-offline.ts), and no other one. A restored database that finds a frozen
 * record is no exception: of this service it does the same by itself as the hold would, and of the others each speaks for itself.
 */
import type { Change, Instant, Weights } from "@regent/contract";
import type { DriftPolicy, Edit, Epoch, Observed, RecordSet, ServiceSpec } from "@regent/engine";
import { type Drift, driftPolicyOf, findDrift } from "@regent/engine/plan/drift.ts";
import { preflight } from "@regent/engine/plan/preflight.ts";
import { readLargestWeights, readStandingWeights, toDeclaredText, toMembers } from "@regent/engine/plan/record-sets.ts";
import { isAnswering, standingControls, standingTraffic } from "@regent/engine/strategy/standing.ts";
import type { Ids } from "../../ports/clock.ts";
import type { HistoryEntry, ServiceRecord, StoredOutboxRow } from "../../ports/decision-store.ts";
import { AUTOMATION } from "../memory/actors.ts";
import type { Draft, Ledger } from "../memory/ledger.ts";
import { expectedMembers, standingEdit } from "../memory/situation.ts";
import { obeyOffline, offlineDecision } from "./note-offline.ts";
import { keptUnder, withWritten } from "./written-record.ts";

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
 * `isReleasing`: a release of the name may still arrive. `wentBack`: why nobody may write because DNS stands before what was in force.
 */
export const noteTruth = (
  input: SettleInput,
  rows: readonly StoredOutboxRow[],
  { isReleasing, wentBack }: { readonly isReleasing: boolean; readonly wentBack: string | null },
): void => {
  const { spec, observed, ledger, draft } = input;
  const before = draft.record(spec.id);
  const current = rows.find(({ ulid }) => ulid === observed.epoch?.ulid);
  const checked = preflight({ spec, observed, everWritten: wasWritten(spec, before, rows) });
  const known = current && current.ulid !== before.epoch ? withWritten(before, current) : before;
  const decision = wentBack === null && current === undefined ? offlineDecision(input, known) : null;
  const obeyed = decision && obeyOffline(input, known, decision, checked.kind === "managed");
  const isUnknown = decision === null && checked.kind === "managed" && checked.epoch.ulid !== known.epoch;
  const lag = isUnknown ? whoLags(known, checked.epoch) : null;
  const isHeld = lag === "database" && ledger.freeze()?.cause === "restored";
  if (lag === "database" && !isHeld) input.onRestored(restoredText(spec, observed, known));
  const restored = isHeld ? takeOver(input, known) : null;
  const after = withReleaseUndone(obeyed?.record ?? restored ?? known, observed, isReleasing);
  const blockedBy = wentBack ?? blockOf(input, after, checked);
  const isWritten = after.expected !== null && isAtEpochName(spec, after.expected);
  const found =
    blockedBy === null && isWritten
      ? findDrift({ spec, expected: expectedMembers(spec, after.expected), observed, expectedUlid: after.epoch })
      : [];
  const edited = blockedBy === null ? withEdit(input, after, found) : { ...after, drift: null };
  const next: ServiceRecord = { ...edited, blockedBy };
  if (isSameRecord(before, next)) return;
  draft.update(spec.id, () => next);
  if (obeyed !== null) draft.tell(obeyed.entry);
  else if (restored !== null && blockedBy === null) tellRestored(input, next, found);
  // The hold on everything is told once, for all services; this one waits for it.
  else if (lag !== "database" || isHeld) tellTruth(input, before, next, { found, isWritten });
};

/** A row that only might have arrived is no proof: a first write that was refused, or that nobody sent, is written again. */
export const wasWritten = (
  spec: ServiceSpec,
  { expected, ownership }: Pick<ServiceRecord, "expected" | "ownership">,
  rows: readonly StoredOutboxRow[],
): boolean =>
  (expected !== null && isAtEpochName(spec, expected)) ||
  ownership.released !== null ||
  rows.some(({ state, creates }) => state === "accepted" && isAtEpochName(spec, creates));

interface Told {
  readonly found: readonly Drift[];
  /** Something of ours stands at the name. */
  readonly isWritten: boolean;
}

const tellTruth = (input: SettleInput, before: ServiceRecord, next: ServiceRecord, { found, isWritten }: Told): void => {
  const told = next.blockedBy ?? next.drift;
  const toldBefore = before.blockedBy ?? before.drift;
  if (told === toldBefore) return;
  const { edit, released } = next.ownership;
  const isAdopted = edit?.policy === "adopt" && edit.isKept;
  const back = isWritten ? "DNS is again as Regent wrote it" : "nothing stands in the way of the first write any more";
  tell(input, told === null ? back : isAdopted ? `adopted what another hand wrote, and froze the service: ${told}` : told, {
    // A person who gave the name up needs no page to know it.
    page: told !== null && !(released !== null && input.observed.epoch === null),
    before: toldBefore,
    policy: edit?.policy ?? null,
    lines: found.map(({ line }) => line),
  });
};

/** Paged once, for everything, when automation was held. */
const tellRestored = (input: SettleInput, { revision }: ServiceRecord, found: readonly Drift[]): void =>
  tell(
    input,
    `the database was older than DNS: what it lacks of ${input.spec.id}'s history is lost, up to revision ${revision}; DNS is taken as it stands`,
    { page: false, lines: found.map(({ line }) => line) },
  );

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

/** DNS is taken as it stands. Where its weights can't be told or nothing would answer, it is left to a person to adopt it, and holds back no other. */
const takeOver = ({ spec, observed, now }: SettleInput, record: ServiceRecord): ServiceRecord => {
  const { epoch, epochSet } = observed;
  const weights = readStandingWeights(spec, observed);
  if (epoch === null || epochSet === null) return record;
  const revision = Math.max(record.revision, epoch.revision);
  if (weights === null || !isAnswering(weights)) return { ...record, revision };
  return {
    ...record,
    revision,
    traffic: { ...standingTraffic(spec, weights, now), failedReturns: record.traffic.failedReturns },
    controls: standingControls(record.controls, weights),
    written: weights,
    expected: [epochSet, ...toMembers(spec, observed)],
    epoch: epoch.ulid,
  };
};

/** A write that was in force is gone: not dropped by Route 53 in its first minutes, but a zone that was restored. Null when that isn't so. */
export const whyWentBack = (
  { spec, observed, ledger, now }: Pick<SettleInput, "spec" | "observed" | "ledger" | "now">,
  rows: readonly StoredOutboxRow[],
): string | null => {
  const { epoch } = observed;
  if (epoch === null || epoch.owner !== spec.owner) return null;
  const gone = rows.findLast((row) => row.revision > epoch.revision && wasInForce(row, ledger.change(row.changeId), now));
  return gone
    ? `The epoch record ${spec.epochName} went back to revision ${epoch.revision}, and revision ${gone.revision} had been in force: the zone was restored from an older state. Regent writes nothing here until an operator adopts what stands (regent adopt ${spec.id}).`
    : null;
};

/**
 * Route 53 may drop what it accepted until it says INSYNC; what it never said so of, but every server has shown for long, is as good. Of changes
 * that were settled before this process began to lead, only the row is known.
 */
const wasInForce = ({ state, createdAt }: StoredOutboxRow, change: Change | null, now: Instant): boolean => {
  if (state !== "accepted" && state !== "lost") return false;
  if (change === null) return state === "accepted" && createdAt < now - SHOWN_FOR_MS;
  return change.times.inSync !== undefined || (change.times.visible ?? now) < now - SHOWN_FOR_MS;
};

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
  const kept = keptUnder(standing, record.epoch);
  if (found.length === 0) return { ...record, drift: kept?.carried?.text ?? null, ownership: { ...ownership, edit: kept } };
  const recent = ownership.reverts.filter((at) => now - at < REVERTS_WITHIN_MS).length;
  const declared = carefulOf(driftPolicyOf(spec, found), kept?.carried?.policy);
  const isWar = declared === "revert" && recent >= REVERTS_MAX;
  const told = readStandingWeights(spec, observed);
  const adoptable = told !== null && isAnswering(told) ? told : null;
  const policy = isWar || (declared === "adopt" && adoptable === null) ? "report" : declared;
  const text = [
    ...found.slice(0, LINES_TOLD_MAX).map(({ class: kind, line }) => `${kind}: ${line}`),
    ...(found.length > LINES_TOLD_MAX ? [`And ${found.length - LINES_TOLD_MAX} more.`] : []),
    ...(isWar ? [`It was reverted ${recent} times within an hour; now it is reported.`] : []),
    ...(kept?.carried ? [`Before that: ${kept.carried.text}`] : []),
  ].join(" ");
  const edit: Edit = {
    policy,
    weights: readLargestWeights(spec, observed),
    declared: toDeclaredText(spec),
    isKept: false,
    carried: standing?.carried ?? null,
    since: standing?.since ?? now,
  };
  const edited: ServiceRecord = { ...record, drift: text.slice(0, TEXT_MAX), ownership: { ...ownership, edit } };
  return policy === "adopt" && adoptable !== null ? keepEdit(input, edited, edit, adoptable) : edited;
};

/** A sentence, not a listing; history has every line. */
const LINES_TOLD_MAX = 5;
/** An edit upon an edit upon an edit is still one text on a page. */
const TEXT_MAX = 2_000;

/** An edit upon one that is kept: what was decided about the first isn't undone by what is decided about the second. */
const carefulOf = (policy: DriftPolicy, kept: DriftPolicy | undefined): DriftPolicy => {
  if (kept === undefined) return policy;
  return policy === "report" || kept === "report" ? "report" : "adopt";
};

/** What they wrote becomes what is expected and wanted, and automation is off: it would lead the traffic elsewhere. */
const keepEdit = ({ spec, observed, now }: SettleInput, record: ServiceRecord, edit: Edit, weights: Weights): ServiceRecord => ({
  ...record,
  written: weights,
  expected: [...(observed.epochSet ? [observed.epochSet] : []), ...toMembers(spec, observed)],
  traffic: { ...standingTraffic(spec, weights, now), failedReturns: record.traffic.failedReturns },
  controls: {
    ...standingControls(record.controls, weights),
    frozen: record.controls.frozen ?? {
      by: AUTOMATION.name,
      reason: `DNS was edited, and its policy is to adopt: ${record.drift}`,
      at: now,
    },
  },
  ownership: {
    ...record.ownership,
    edit: {
      ...edit,
      isKept: true,
      carried: { by: record.epoch === null ? [] : [record.epoch], policy: edit.policy, text: record.drift ?? "" },
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
