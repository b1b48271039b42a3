/**
 * Adopting a name that stands in DNS, and releasing one: steps that a person asks for, with the batch shown first. Neither moves traffic. Decided
 * on DNS as just read, in the zone's turn; answered when the intent is committed.
 */
import type { Change, ChangeKind, MoveAnswer, Weights } from "@regent/contract";
import type { Observed, RecordSet, ServiceSpec } from "@regent/engine";
import { checkBatch } from "@regent/engine/invariants.ts";
import { type Adoptable, planAdoption } from "@regent/engine/plan/adoption.ts";
import { toBatchLines } from "@regent/engine/plan/batch.ts";
import { toEpochSet } from "@regent/engine/plan/epoch.ts";
import { partsOf } from "@regent/engine/strategy/parts.ts";
import { standingTraffic } from "@regent/engine/strategy/standing.ts";
import type { ServiceRecord, StoredOutboxRow } from "../../ports/decision-store.ts";
import { operator } from "../memory/actors.ts";
import type { Draft } from "../memory/ledger.ts";
import { wasWritten } from "./note-truth.ts";
import type { MoveDeps, Moved, MoveResult } from "./request-move.ts";
import { toUnmovedAnswer } from "./unmoved-answer.ts";
import { insertWrite, modeOf, nextRevision, toEpoch, toIntent, type WriteMark } from "./write-ahead.ts";

export interface OwnOrder {
  readonly service: string;
  readonly verb: "adopt" | "release";
  /** Owner to take the name over from. */
  readonly takeover: string | null;
  readonly by: string;
  readonly reason: string;
  readonly dryRun: boolean;
  readonly expectedRevision: number | null;
}

export const requestOwnership = async (deps: MoveDeps, order: OwnOrder): Promise<Moved> => {
  const spec = deps.specs().get(order.service);
  if (!spec) throw new Error(`no service ${order.service}`);
  const read = await deps.reader.read(spec.zoneId, [order.service], { lane: "read", rank: 0 });
  const away = (why: string): Moved => ({ result: { kind: "dns-away", why }, rows: [], accepted: [] });
  if (read.kind === "unread") return away(read.why);
  return deps.ledger.commit((draft) => {
    const settled = deps.reader.settleInto(draft, read).get(order.service);
    if (!settled) return away("leadership changed while the zone was read");
    const { revision } = draft.record(order.service);
    const isStale = order.expectedRevision !== null && order.expectedRevision !== revision;
    const decided = isStale
      ? { result: { kind: "stale-revision", revision } as const, rows: [] }
      : order.verb === "adopt"
        ? adopt(deps, draft, order, spec, settled.observed)
        : release(deps, draft, order, spec, settled.observed);
    return { ...decided, accepted: settled.accepted };
  });
};

type Decided = Omit<Moved, "accepted">;

const done = (result: MoveResult): Decided => ({ result, rows: [] });

const adopt = (deps: MoveDeps, draft: Draft, order: OwnOrder, spec: ServiceSpec, observed: Observed): Decided => {
  const record = draft.record(spec.id);
  const isOurs = observed.epoch !== null && observed.epoch.ulid === record.epoch && observed.epoch.owner === spec.owner;
  if (isOurs && record.blockedBy === null && record.drift === null)
    return done({
      kind: "answered",
      answer: toUnmovedAnswer(record, {
        dryRun: order.dryRun,
        why: "nothing to change: the name is ours, and DNS is as Regent wrote it",
      }),
    });
  const everWritten = wasWritten(spec, record, deps.ledger.outbox(spec.id));
  const adoption = planAdoption({ spec, observed, marks: observed.marks ?? [], takeover: order.takeover, everWritten });
  if (adoption.kind === "refused") return done({ kind: "name-taken", why: `${adoption.why} ${adoption.fix}` });
  const made = makeRow(deps, order, {
    spec,
    record,
    observed,
    weights: adoption.weights,
    ...toSets(deps, spec, record, observed, adoption),
  });
  const violations = checkBatch({ spec, batch: made.row, adopts: true });
  if (violations.length > 0) return done({ kind: "broken-invariant", violations });
  const { failedReturns } = record.traffic;
  const traffic = { ...standingTraffic(spec, adoption.weights, made.change.times.decided), failedReturns };
  return answerAndWrite(deps, draft, order, made, adoption.lines, (before) => ({
    ...before,
    ownership: { ...before.ownership, adopting: { ulid: made.row.ulid, traffic } },
    lastRefusal: null,
  }));
};

const release = (deps: MoveDeps, draft: Draft, order: OwnOrder, spec: ServiceSpec, observed: Observed): Decided => {
  const record = draft.record(spec.id);
  const { epochSet, epoch } = observed;
  if (epochSet === null || epoch === null || epoch.owner !== spec.owner || record.written === null)
    return done({
      kind: "name-taken",
      why: record.blockedBy ?? `There is no epoch record of ${spec.owner} at ${spec.epochName}: nothing to release.`,
    });
  const made = makeRow(deps, order, {
    spec,
    record,
    observed,
    weights: record.written,
    mark: markOf(deps, record, observed),
    deletes: [epochSet],
    creates: [],
  });
  const lines = [
    `${spec.epochName} TXT is deleted: nothing says any more that ${spec.name} is ${spec.owner}'s.`,
    "The other records stay as they are; Regent doesn't write them again until the name is adopted.",
  ];
  return answerAndWrite(deps, draft, order, made, lines, (before) => ({
    ...before,
    ownership: { ...before.ownership, released: { by: order.by, reason: order.reason, at: made.change.times.decided } },
  }));
};

// ------------------------------------------------------------------------------------------------ what is written

interface Made {
  readonly row: StoredOutboxRow;
  readonly change: Change;
}

interface RowInput {
  readonly spec: ServiceSpec;
  readonly record: ServiceRecord;
  readonly observed: Observed;
  readonly weights: Weights;
  readonly mark: WriteMark;
  readonly deletes: readonly RecordSet[];
  readonly creates: readonly RecordSet[];
}

const markOf = ({ ids, ledger }: MoveDeps, record: ServiceRecord, observed: Observed): WriteMark => ({
  revision: nextRevision(record, observed),
  term: ledger.term(),
  ulid: ids.ulid(),
});

const toSets = (
  deps: MoveDeps,
  spec: ServiceSpec,
  record: ServiceRecord,
  observed: Observed,
  { replaces, creates }: Adoptable,
): Pick<RowInput, "mark" | "deletes" | "creates"> => {
  const mark = markOf(deps, record, observed);
  const mode = modeOf({ ...record.controls, frozenGlobally: deps.ledger.freeze() }, deps.clock.now());
  const epoch = toEpoch(spec, mark, mode, creates);
  return {
    mark,
    deletes: [...(observed.epochSet ? [observed.epochSet] : []), ...replaces],
    creates: [toEpochSet(spec, epoch), ...creates],
  };
};

const makeRow = (deps: MoveDeps, order: OwnOrder, input: RowInput): Made => {
  const { spec, record, observed, weights, mark, deletes, creates } = input;
  const now = deps.clock.now();
  const shares = Object.fromEntries(Object.entries(weights).map(([family, byRegion]) => [family, partsOf(byRegion)]));
  const change: Change = {
    id: deps.ids.ulid(),
    service: spec.id,
    revision: mark.revision,
    kind: order.verb satisfies ChangeKind,
    stage: "decided",
    actor: operator(order.by),
    reason: order.reason,
    why: `${order.by} asked to ${order.verb} ${spec.name}${order.takeover === null ? "" : ` from ${order.takeover}`}: ${order.reason}; traffic stays as it is`,
    sharesBefore: record.traffic.shares,
    sharesAfter: shares,
    weightsBefore: record.written ?? {},
    weightsAfter: weights,
    rules: [],
    evidence: [...deps.verdictsOf(spec.id)],
    times: { detected: now, decided: now },
  };
  const row = toIntent({ spec, observed, mark, changeId: change.id, deletes, creates, weights, now });
  return { row, change };
};

const answerAndWrite = (
  deps: MoveDeps,
  draft: Draft,
  order: OwnOrder,
  { row, change }: Made,
  lines: readonly string[],
  update: (record: ServiceRecord) => ServiceRecord,
): Decided => {
  const answer: MoveAnswer = {
    dryRun: order.dryRun,
    allowed: true,
    why: lines.join(" "),
    changeId: order.dryRun ? null : change.id,
    revision: order.dryRun ? draft.record(order.service).revision : row.revision,
    sharesBefore: change.sharesBefore,
    sharesAfter: change.sharesAfter,
    weightsBefore: change.weightsBefore,
    weightsAfter: change.weightsAfter,
    rules: [],
    batch: toBatchLines({ service: row.service, deletes: row.deletes, creates: row.creates }),
  };
  if (order.dryRun) return done({ kind: "answered", answer });
  draft.update(order.service, (record) => ({ ...update(record), revision: row.revision }));
  insertWrite(deps.ids, draft, { row, change, page: false, lines });
  return { result: { kind: "answered", answer }, rows: [row] };
};
