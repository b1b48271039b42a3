/**
 * Reads off DNS what became of a service's outbox rows, whether the name is ours, and how it differs from what we wrote. The error that a send
 * once got decides nothing here: only the epoch record does.
 */

import type { Instant } from "@regent/contract";
import type { Observed } from "@regent/engine";
import { isOvertaken } from "@regent/engine/plan/offline.ts";
import { type OutboxAnswer, resolveOutbox, SIGNATURE_VALID_MS } from "@regent/engine/plan/outbox.ts";
import { SEND_FOR_MS } from "../../limits.ts";
import type { ServiceRecord, StoredOutboxRow } from "../../ports/decision-store.ts";
import { withDeparture, withoutDeparture } from "../memory/departed.ts";
import type { Draft } from "../memory/ledger.ts";
import { isUnsettled } from "../memory/situation.ts";
import { tellOverride } from "../memory/standing-overrides.ts";
import { offlineDecision } from "./note-offline.ts";
import { entry, isAtEpochName, noteTruth, type SettleInput, whyWentBack } from "./note-truth.ts";
import { isRelease, withWritten } from "./written-record.ts";

export interface Settled {
  readonly observed: Observed;
  /** Rows that could still land; a new batch with the same expectation makes sure that at most one does. */
  readonly open: readonly StoredOutboxRow[];
  /** Changes whose acceptance was only found now. */
  readonly accepted: readonly string[];
}

export const settleService = (input: SettleInput): Settled => {
  const { spec, observed, ledger, draft, now } = input;
  // A service that was given another name begins a new life there: what was written at the old one explains nothing here.
  const { overrides } = draft.record(spec.id).controls;
  const all = ledger.outbox(spec.id);
  const rows = all.filter(({ creates }) => isAtEpochName(spec, creates));
  const answers = new Map(
    resolveOutbox({ rows, observedUlid: observed.epoch?.ulid ?? null, now }).map((answer) => [answer.ulid, answer]),
  );
  const wentBack = whyWentBack(input, rows);
  const isOurs = rows.some(({ ulid }) => ulid === observed.epoch?.ulid);
  const decision = wentBack === null && !isOurs ? offlineDecision(input, draft.record(spec.id)) : null;
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
    if (answer.fate === "unknown" && isUnsettled(row)) {
      if (decision && isOvertaken(row, decision))
        noteLost(input, row, { why: `an operator wrote revision ${decision.revision} without the control plane first` });
      else if (isOver(row, now)) noteAbandoned(input, row, answer.why);
    }
    if (wentBack === null && row.state === "accepted" && isGone(row, answer, observed)) noteStranded(input, row, answer);
  }
  for (const row of all.filter((one) => isRelease(one) && isUnsettled(one) && isAtEpochName(spec, one.deletes))) {
    if (observed.epochSet === null) {
      accepted.push(row.changeId);
      noteApplied(input, row);
      draft.update(spec.id, (record) => withWritten(record, row));
    } else if (observed.epoch?.ulid !== row.expects)
      noteLost(input, row, { why: "the epoch record that it takes away was replaced first" });
    else if (isOver(row, now)) noteAbandoned(input, row);
    else open.push(row);
  }
  // At a name that the service had before, nobody looks any more.
  for (const row of all.filter((one) => isUnsettled(one) && !isAtEpochName(spec, isRelease(one) ? one.deletes : one.creates)))
    if (isOver(row, now)) noteAbandoned(input, row, "it was written for another name; whether it reached that isn't known");
  noteTruth(input, rows, { isReleasing: open.some(isRelease), wentBack });
  const { overrides: left } = draft.record(spec.id).controls;
  for (const override of overrides)
    if (!left.includes(override)) draft.tell(tellOverride(input.ids, now, spec.id, { step: "overruled", override }));
  return { observed, open, accepted };
};

/** No copy of it can arrive any more, whenever within its time it was last sent. */
const isOver = ({ sentAt, createdAt }: StoredOutboxRow, now: Instant): boolean =>
  now - (sentAt ?? createdAt) > SIGNATURE_VALID_MS + SEND_FOR_MS;

/** Accepted, and DNS stands before it. What stands after it explains itself: a name that was released, taken over or adopted begins anew. */
const isGone = ({ revision }: StoredOutboxRow, { fate }: OutboxAnswer, { epoch }: Observed): boolean =>
  (fate === "lost" || fate === "open") && epoch !== null && epoch.revision < revision;

/** Late or unheard success: the clocks say when we learned of it, and the row's own send time is kept. */
const noteApplied = ({ spec, ledger, draft, now }: SettleInput, row: StoredOutboxRow): void => {
  // It was given up before, and arrived all the same.
  if (!isUnsettled(row))
    noteTraffic(draft, spec.id, (record) => withDeparture(record, ledger.change(row.changeId), row.createdAt));
  draft.updateOutbox({ ulid: row.ulid, state: "accepted" });
  draft.stage({
    changeId: row.changeId,
    stage: "accepted",
    at: now,
    clock: "accepted",
    why: "the epoch record in DNS is this change's",
  });
};

const noteLost = ({ spec, draft, ids, now }: SettleInput, row: StoredOutboxRow, { why }: Pick<OutboxAnswer, "why">): void => {
  noteTraffic(draft, spec.id, (record) => withoutDeparture(record, row.createdAt));
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

/** Writes nothing where nothing is remembered of it. */
const noteTraffic = (draft: Draft, service: string, change: (record: ServiceRecord) => ServiceRecord): void => {
  const before = draft.record(service);
  const after = change(before);
  if (after !== before) draft.update(service, () => after);
};

/** Nobody saw it in time, and nobody wants it any more: it can't come any more either. */
const noteAbandoned = ({ spec, draft, now }: SettleInput, row: StoredOutboxRow, why = "it never reached DNS"): void => {
  noteTraffic(draft, spec.id, (record) => withoutDeparture(record, row.createdAt));
  draft.updateOutbox({ ulid: row.ulid, state: "abandoned" });
  draft.stage({
    changeId: row.changeId,
    stage: "abandoned",
    at: now,
    why: `${why.replace(/\.$/, "")}, and its time to be accepted is over`,
  });
};

const noteStranded = ({ spec, draft, ids, now }: SettleInput, row: StoredOutboxRow, { why }: OutboxAnswer): void => {
  const words = `revision ${row.revision} was accepted and is gone from DNS: ${why}`;
  draft.updateOutbox({ ulid: row.ulid, state: "lost" });
  draft.stage({ changeId: row.changeId, stage: "lost", at: now, why: words });
  draft.tell(entry({ ids, now, service: spec.id, kind: "drift", page: true, why: words }));
};
