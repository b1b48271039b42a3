/**
 * An operator's decision that was taken with DNS alone, found there afterwards: it is obeyed. What stands becomes what is wanted, and the service is
 * frozen until a person unfreezes it; nothing is written. A region that was chosen stays chosen after that, as after a failover. Called by
 * note-truth.ts, which says how this differs from a restored database.
 */
import type { RegionId, Weights } from "@regent/contract";
import type { Control, Controls, Edit, Epoch, ServiceSpec } from "@regent/engine";
import { differencesFromDeclared, isOfflineDecision, placedByOperator } from "@regent/engine/plan/offline.ts";
import { readLargestWeights, readStandingWeights, toDeclaredText, toMembers } from "@regent/engine/plan/record-sets.ts";
import { isAnswering, standingControls, standingTraffic } from "@regent/engine/strategy/standing.ts";
import { decodeTime } from "ulid";
import type { HistoryEntry, ServiceRecord } from "../../ports/decision-store.ts";
import { OFFLINE_OPERATOR } from "../memory/actors.ts";
import type { SettleInput } from "./note-truth.ts";

export interface Obeyed {
  readonly record: ServiceRecord;
  /** Told once, by whoever commits it. */
  readonly entry: HistoryEntry;
}

/** The epoch record in DNS, when it is a decision that was taken without us; null when it isn't. `record` knows every row of ours that stands. */
export const offlineDecision = (
  { spec, observed }: Pick<SettleInput, "spec" | "observed">,
  { epoch, expected }: Pick<ServiceRecord, "epoch" | "expected">,
): Epoch | null => (isOfflineDecision(spec, observed.epoch, { ulid: epoch, sets: expected }) ? observed.epoch : null);

/** `isLegal`: what stands is weighted and ours. Where its weights can't be told, the service is frozen all the same, and a person adopts it. */
export const obeyOffline = (input: SettleInput, record: ServiceRecord, decision: Epoch, isLegal: boolean): Obeyed => {
  const { spec, observed } = input;
  const told = isLegal ? readStandingWeights(spec, observed) : null;
  const weights = told !== null && isAnswering(told) ? told : null;
  const frozen = toFreeze(input, record, decision);
  const differences = weights === null ? [] : differencesFromDeclared(spec, observed);
  const { written: before, expected: sets } = record;
  const placed = weights === null ? null : placedByOperator(spec, { decision, weights, before, sets });
  const kept: ServiceRecord = {
    ...record,
    revision: Math.max(record.revision, decision.revision),
    controls: { ...record.controls, frozen },
  };
  return {
    record: weights === null ? kept : withStanding(input, kept, { decision, weights, differences, placed }),
    entry: toEntry(input, record, { decision, weights, differences, placed }),
  };
};

/** What an operator should know when such a freeze ends, for the sentence that says so. Nothing of any other freeze. */
export const afterOffline = (
  { id, strategy }: Pick<ServiceSpec, "id" | "strategy">,
  { frozen, placement }: Pick<Controls, "frozen" | "placement">,
): string => {
  if (frozen?.by !== OFFLINE_OPERATOR.name) return "";
  if (placement) return `; ${placement.region} keeps the traffic until regent failback ${id} or until it fails`;
  return strategy.failback === "automatic"
    ? "; regions that were left may come back at once, as their stable hold counted on while it was frozen"
    : "";
};

interface Found {
  readonly decision: Epoch;
  /** Null: they can't be told, or nothing would answer. */
  readonly weights: Weights | null;
  readonly differences: readonly string[];
  /** The region that was chosen, else null. */
  readonly placed: RegionId | null;
}

/** It outranks an older freeze, whose end would end this one unseen; what that said is kept in its reason. */
const toFreeze = ({ now }: SettleInput, { controls: { frozen } }: ServiceRecord, { revision }: Epoch): Control => {
  const reason = `frozen in DNS at revision ${revision} while the control plane did not know it`;
  const isRepeated = frozen?.by === OFFLINE_OPERATOR.name;
  const before = frozen === null || isRepeated ? "" : `; ${frozen.by} had frozen it before: ${frozen.reason}`;
  return { by: OFFLINE_OPERATOR.name, reason: `${reason}${before}`.slice(0, REASON_MAX), at: now };
};

const REASON_MAX = 500;

/** What automation did before stays counted: an operator's decision doesn't give it back its budget. */
const withStanding = (
  input: SettleInput,
  record: ServiceRecord,
  { decision, weights, differences, placed }: Found & { readonly weights: Weights },
): ServiceRecord => {
  const { spec, observed, now } = input;
  const { failedReturns, departures, lastAutomaticFailoverAt } = record.traffic;
  const edit = differences.length === 0 ? null : toEdit(input, record, decision, differences);
  const standing = standingControls(record.controls, weights);
  const { frozen } = standing;
  // Without it, automatic failback would move the traffic back as soon as automation is on again. A region that failed after it was chosen may be
  // left, also if it did before anybody here knew: it was chosen when the record was made, by the operator's clock.
  const at = Math.min(now, decodeTime(decision.ulid));
  const controls = placed === null || frozen === null ? standing : { ...standing, placement: { ...frozen, at, region: placed } };
  return {
    ...record,
    traffic: { ...standingTraffic(spec, weights, now), failedReturns, departures, lastAutomaticFailoverAt },
    controls,
    written: weights,
    expected: [...(observed.epochSet ? [observed.epochSet] : []), ...toMembers(spec, observed)],
    epoch: decision.ulid,
    drift: edit?.carried?.text ?? null,
    ownership: { ...record.ownership, edit },
  };
};

/** Records that aren't as declared would be written anew even while frozen: they are kept, as an edit that is adopted is, until the freeze ends. */
const toEdit = (
  { spec, observed, now }: SettleInput,
  { ownership }: ServiceRecord,
  { ulid }: Epoch,
  lines: readonly string[],
): Edit => ({
  policy: "adopt",
  weights: readLargestWeights(spec, observed),
  declared: toDeclaredText(spec),
  isKept: true,
  carried: { by: [ulid], policy: "adopt", text: lines.join(" ").slice(0, TEXT_MAX) },
  since: ownership.edit?.since ?? now,
});

const TEXT_MAX = 2_000;

const toEntry = (
  { spec, ids, now }: SettleInput,
  record: ServiceRecord,
  { decision, weights, differences, placed }: Found,
): HistoryEntry => {
  const { revision, term, ulid } = decision;
  const what = `${OFFLINE_OPERATOR.name} froze ${spec.id} in DNS at revision ${revision} while the control plane did not know it`;
  const traffic =
    weights === null
      ? `its weights can't be told, so Regent writes nothing there until an operator adopts what stands (regent adopt ${spec.id})`
      : `its traffic is taken as it stands there, ${toText(weights)} (${record.written === null ? "nothing was known" : `it was ${toText(record.written)}`})`;
  const stays =
    placed === null
      ? ""
      : `; ${placed} keeps the traffic after that, as after a failover, until regent failback ${spec.id} or until it fails`;
  const kept = differences.length === 0 ? "" : `; what isn't as declared stays until it is unfrozen: ${differences.join(" ")}`;
  return {
    id: ids.ulid(),
    at: now,
    service: spec.id,
    kind: "freeze",
    actor: OFFLINE_OPERATOR,
    why: `${what}; ${traffic}; automation is off until regent unfreeze ${spec.id}${stays}${kept}`.slice(0, TEXT_MAX),
    page: true,
    detail: {
      cause: "offline",
      revision,
      term,
      ulid,
      weightsBefore: record.written ?? {},
      weightsAfter: weights ?? {},
      lines: [...differences],
    },
  };
};

const toText = (weights: Weights): string =>
  Object.values(weights)
    .map((family) =>
      Object.entries(family)
        .map(([region, weight]) => `${region} ${weight}`)
        .join(", "),
    )
    .join("; ");
