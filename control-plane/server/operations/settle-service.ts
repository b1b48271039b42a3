/**
 * Reads off DNS what became of a service's outbox rows, whether the name is ours, and how it differs from what we wrote. The error that a send
 * once got decides nothing here: only the epoch record does.
 */
import type { Instant } from "@regent/contract";
import type { Observed, RecordSet, ServiceSpec } from "@regent/engine";
import { findDrift } from "@regent/engine/plan/drift.ts";
import { type OutboxAnswer, resolveOutbox, SIGNATURE_VALID_MS } from "@regent/engine/plan/outbox.ts";
import { preflight } from "@regent/engine/plan/preflight.ts";
import { SEND_FOR_MS } from "../limits.ts";
import type { Ids } from "../ports/clock.ts";
import type { HistoryEntry, ServiceRecord, StoredOutboxRow } from "../ports/decision-store.ts";
import { AUTOMATION } from "./actors.ts";
import type { Draft, Ledger } from "./ledger.ts";
import { expectedMembers, isUnsettled } from "./situation.ts";

export interface Settled {
  readonly observed: Observed;
  /** Rows that could still land; a new batch with the same expectation makes sure that at most one does. */
  readonly open: readonly StoredOutboxRow[];
  /** Changes whose acceptance was only found now. */
  readonly accepted: readonly string[];
}

export interface SettleInput {
  readonly spec: ServiceSpec;
  readonly observed: Observed;
  readonly ledger: Ledger;
  readonly draft: Draft;
  readonly ids: Ids;
  readonly now: Instant;
}

export const settleService = (input: SettleInput): Settled => {
  const { spec, observed, ledger, now } = input;
  // A service that was given another name begins a new life there: what was written at the old one explains nothing here.
  const rows = ledger.outbox(spec.id).filter(({ creates }) => isAtEpochName(spec, creates));
  const answers = new Map(
    resolveOutbox({ rows, observedUlid: observed.epoch?.ulid ?? null, now }).map((answer) => [answer.ulid, answer]),
  );
  const accepted: string[] = [];
  const open: StoredOutboxRow[] = [];
  for (const row of rows) {
    const answer = answers.get(row.ulid);
    if (!answer) continue;
    if (answer.fate === "applied" && row.state !== "accepted") {
      accepted.push(row.changeId);
      noteApplied(input, row);
    }
    if (answer.fate === "lost" && isUnsettled(row)) noteLost(input, row, answer);
    if (answer.fate === "open" && isUnsettled(row)) {
      if (isOver(row, now)) noteAbandoned(input, row);
      else open.push(row);
    }
    if (row.state === "accepted" && isGone(answer, observed)) noteStranded(input, row, answer);
  }
  noteTruth(input, rows);
  return { observed, open, accepted };
};

const isAtEpochName = (spec: ServiceSpec, sets: readonly RecordSet[]): boolean =>
  sets.some(({ name }) => name === spec.epochName);

/** No copy of it can arrive any more, whenever within its time it was last sent. */
const isOver = ({ sentAt, createdAt }: StoredOutboxRow, now: Instant): boolean =>
  now - (sentAt ?? createdAt) > SIGNATURE_VALID_MS + SEND_FOR_MS;

/** Accepted, and DNS stands before it, or came to where it is without it. */
const isGone = ({ fate }: OutboxAnswer, observed: Observed): boolean =>
  fate === "lost" || (fate === "open" && observed.epoch !== null);

/** Late or unheard success: the clocks say when we learned of it, and the row's own send time is kept. */
const noteApplied = ({ draft, now }: SettleInput, row: StoredOutboxRow): void => {
  draft.updateOutbox({ ulid: row.ulid, state: "accepted" });
  draft.stage({
    changeId: row.changeId,
    stage: "accepted",
    at: now,
    clock: "accepted",
    why: "the epoch record in DNS is this change's",
  });
};

const noteLost = ({ spec, draft, ids, now }: SettleInput, row: StoredOutboxRow, { why }: OutboxAnswer): void => {
  draft.updateOutbox({ ulid: row.ulid, state: "lost" });
  draft.stage({ changeId: row.changeId, stage: "lost", at: now, why });
  draft.tell(
    entry({
      ids,
      now,
      service: spec.id,
      kind: "fence-lost",
      page: false,
      why: `revision ${row.revision} did not reach DNS: ${why}`,
    }),
  );
};

/** Nobody sent it in time, and nobody wants it any more: it can't come any more either. */
const noteAbandoned = ({ draft, now }: SettleInput, row: StoredOutboxRow): void => {
  draft.updateOutbox({ ulid: row.ulid, state: "abandoned" });
  draft.stage({
    changeId: row.changeId,
    stage: "abandoned",
    at: now,
    why: "it never reached DNS, and its time to be accepted is over",
  });
};

const noteStranded = ({ spec, draft, ids, now }: SettleInput, row: StoredOutboxRow, { why }: OutboxAnswer): void => {
  const words = `revision ${row.revision} was accepted and is gone from DNS: ${why}`;
  draft.updateOutbox({ ulid: row.ulid, state: "lost" });
  draft.stage({ changeId: row.changeId, stage: "lost", at: now, why: words });
  draft.tell(entry({ ids, now, service: spec.id, kind: "drift", page: true, why: words }));
};

/** What DNS holds now becomes what the record says; who may write follows from it. */
const noteTruth = ({ spec, observed, ledger, draft, ids, now }: SettleInput, rows: readonly StoredOutboxRow[]): void => {
  const before = ledger.record(spec.id);
  const current = rows.find(({ ulid }) => ulid === observed.epoch?.ulid);
  const isHere = before.expected !== null && isAtEpochName(spec, before.expected);
  // A row that only might have arrived is no proof: a first write that was refused, or that nobody sent, is written again.
  const everWritten = isHere || rows.some(({ state }) => state === "accepted");
  const checked = preflight({ spec, observed, everWritten });
  const truth: Partial<ServiceRecord> = current
    ? { written: current.weights, expected: current.creates, epoch: current.ulid }
    : {};
  const after = { ...before, ...truth };
  const blockedBy = blockOf(after, checked, observed);
  const isWritten = after.expected !== null && isAtEpochName(spec, after.expected);
  const drift = blockedBy === null && isWritten ? driftOf(spec, after, observed) : null;
  const next: ServiceRecord = { ...after, blockedBy, drift };
  if (next.blockedBy === before.blockedBy && next.drift === before.drift && next.epoch === before.epoch) return;
  draft.update(spec.id, (record) => ({ ...record, ...truth, blockedBy, drift }));
  const told = blockedBy ?? drift;
  const toldBefore = before.blockedBy ?? before.drift;
  if (told !== toldBefore)
    draft.tell(
      entry({
        ids,
        now,
        service: spec.id,
        kind: "drift",
        page: told !== null,
        why: told ?? (isWritten ? "DNS is again as Regent wrote it" : "nothing stands in the way of the first write any more"),
        detail: { before: toldBefore },
      }),
    );
};

const blockOf = (record: ServiceRecord, checked: ReturnType<typeof preflight>, observed: Observed): string | null => {
  switch (checked.kind) {
    case "refused":
      return `${checked.why} ${checked.fix}`;
    case "create":
      return null;
    case "managed": {
      if (checked.epoch.ulid === record.epoch) return null;
      const { owner, term, revision, ulid } = checked.epoch;
      return `The epoch record ${observed.epochSet?.name} shows revision ${revision} of term ${term} (${owner}, ${ulid}), which this database doesn't know: it was restored or is another installation's. Regent writes nothing here until an operator decides.`;
    }
  }
};

const driftOf = (spec: ServiceSpec, record: ServiceRecord, observed: Observed): string | null => {
  const drift = findDrift({ spec, expected: expectedMembers(spec, record.expected), observed, expectedUlid: record.epoch });
  return drift.length === 0
    ? null
    : drift
        .map(({ class: kind, line }) => `${kind}: ${line}`)
        .slice(0, 5)
        .join(" ");
};

const entry = (of: {
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
