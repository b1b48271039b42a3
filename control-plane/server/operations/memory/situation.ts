/** Puts together what the engine is given to decide one service. */
import type { Instant, RegionVerdict } from "@regent/contract";
import type { Approved, DatabaseView, Edit, RecordSet, Release, ServiceSpec, Situation } from "@regent/engine";
import { readEpochSet } from "@regent/engine/plan/epoch.ts";
import { renderMembers, toCanonicalText, toDeclaredText } from "@regent/engine/plan/record-sets.ts";
import type { Declared, ServiceRecord } from "../../ports/decision-store.ts";
import { declaredNow, releasesOf } from "./declared.ts";
import { healthOf, type Ledger } from "./ledger.ts";

export interface SituationInput {
  readonly spec: ServiceSpec;
  readonly configurationVersion: number;
  readonly record: ServiceRecord;
  readonly verdicts: readonly RegionVerdict[];
  readonly ledger: Ledger;
  /** When an agent's build last changed, as far as this leader knows; null when it doesn't. */
  readonly agentsReleasedAt?: Instant | null;
  /** What is seen of a stateful service's databases; none of others. */
  readonly databases?: readonly DatabaseView[];
  readonly now: Instant;
}

export const toSituation = (input: SituationInput): Situation => {
  const { spec, configurationVersion, record, verdicts, ledger, agentsReleasedAt = null, databases = [], now } = input;
  const edit = standingEdit(spec, record);
  const declared = declaredNow(record, spec, { version: configurationVersion, now });
  return {
    spec,
    configurationVersion,
    verdicts,
    health: healthOf(spec.endpoints, record.health),
    traffic: record.traffic,
    controls: { ...record.controls, frozenGlobally: ledger.freeze() },
    written: record.written,
    areRecordsOutdated: !edit?.isKept && areRecordsOutdated(spec, record),
    epoch: record.epoch,
    isChangeInFlight: ledger.outbox(spec.id).some(isUnsettled),
    blockedBy: record.blockedBy,
    drift: edit || record.ownership.edit === null ? record.drift : null,
    edit,
    modeWritten: modeWritten(record.expected),
    surroundings: {
      ...ledger.departures(now, record),
      releases: releasesBefore(declared, agentsReleasedAt),
      declaredAt: declared.since,
    },
    approved: toApproved(record, spec, now),
    databases,
    transfer: record.transfer,
    now,
  };
};

const releasesBefore = (declared: Declared, agentsAt: Instant | null): readonly Release[] =>
  [
    ...(agentsAt === null ? [] : [{ kind: "agents", at: agentsAt } as const]),
    ...releasesOf(declared).map(({ at, version = null }) => ({ kind: "configuration", at, version }) as const),
  ].sort((one, other) => other.at - one.at);

/** An approval of no time would be asked and lapse at every look. */
const APPROVAL_MS_MIN = 500;

/** How long a question waits, and how long its answer counts. */
export const approvalMs = ({ safety }: Pick<ServiceSpec, "safety">): number => Math.max(safety.approvalMs, APPROVAL_MS_MIN);

/**
 * What a person agreed to, until it is made or something else is asked for; and no longer than the question would have waited: while nobody can look
 * at DNS, the fault that they saw may end, and another one may look the same.
 */
export const toApproved = (
  { approval }: Pick<ServiceRecord, "approval">,
  spec: Pick<ServiceSpec, "safety">,
  now: Instant,
): Approved | null =>
  approval?.state === "approved" && !approval.isOver && now < (approval.answeredAt ?? approval.askedAt) + approvalMs(spec)
    ? {
        question: approval.question,
        weights: approval.weightsAfter,
        asks: approval.asks as Approved["asks"],
        by: approval.by ?? "",
        reason: approval.reason ?? "",
        at: approval.answeredAt ?? approval.askedAt,
      }
    : null;

/** Somebody's edit that was kept ends when what they edited is declared anew. */
export const standingEdit = (spec: ServiceSpec, { ownership: { edit } }: Pick<ServiceRecord, "ownership">): Edit | null =>
  edit?.isKept && edit.declared !== toDeclaredText(spec) ? null : edit;

export const isUnsettled = ({ state }: { readonly state: string }): boolean =>
  state === "intent" || state === "sent" || state === "unknown";

/** The members of the last batch that stands in DNS, without the epoch record. */
export const expectedMembers = (spec: ServiceSpec, expected: readonly RecordSet[] | null): readonly RecordSet[] =>
  (expected ?? []).filter(({ name, type }) => !(name === spec.epochName && type === "TXT"));

/** Same weights, other records: the declaration was changed since the last write. */
const areRecordsOutdated = (spec: ServiceSpec, record: ServiceRecord): boolean => {
  if (!record.written || !record.expected) return false;
  const declared = new Set(spec.endpoints.map(({ region }) => region));
  const written = new Set(Object.values(record.written).flatMap((weights) => Object.keys(weights)));
  if ([...written].some((region) => !declared.has(region)) || [...declared].some((region) => !written.has(region))) return true;
  const standing = expectedMembers(spec, record.expected);
  const rendered = renderMembers({ spec, observed: { epochSet: null, epoch: null, sets: standing }, weights: record.written });
  return toCanonicalText(rendered) !== toCanonicalText(standing);
};

export const modeWritten = (expected: readonly RecordSet[] | null): "auto" | "frozen" | null => {
  for (const set of expected ?? []) {
    const epoch = set.type === "TXT" ? readEpochSet(set) : null;
    if (epoch) return epoch.mode;
  }
  return null;
};
