/** What every write to DNS has in common, whoever asked for it: the next epoch record, the row that is committed first, and the change that it tells. */
import { createHash } from "node:crypto";
import type { Change, Instant, Weights } from "@regent/contract";
import { type Controls, type Epoch, isFrozen, type Observed, type RecordSet, type ServiceSpec } from "@regent/engine";
import { toCanonicalText } from "@regent/engine/plan/record-sets.ts";
import type { Ids } from "../../ports/clock.ts";
import type { ServiceRecord, StoredOutboxRow } from "../../ports/decision-store.ts";
import type { Draft } from "../memory/ledger.ts";

/** Number, leadership and unique name of one write. */
export interface WriteMark {
  readonly revision: number;
  readonly term: number;
  readonly ulid: string;
}

/** Beyond what we decided and beyond what DNS shows, whoever wrote that. */
export const nextRevision = ({ revision }: Pick<ServiceRecord, "revision">, { epoch }: Observed): number =>
  Math.max(revision, epoch?.revision ?? 0) + 1;

/** `members`: what the batch creates beside the epoch record. */
export const toEpoch = (
  spec: ServiceSpec,
  { revision, term, ulid }: WriteMark,
  mode: Epoch["mode"],
  members: readonly RecordSet[],
): Epoch => ({
  owner: spec.owner,
  term,
  revision,
  ulid,
  mode,
  digest: createHash("sha256").update(toCanonicalText(members)).digest("hex").slice(0, 16),
});

/** What the epoch record says of automation, for whoever asks DNS. */
export const modeOf = (controls: Controls, now: Instant): Epoch["mode"] => (isFrozen({ controls, now }) ? "frozen" : "auto");

export interface IntentInput {
  readonly spec: ServiceSpec;
  readonly observed: Observed;
  readonly mark: WriteMark;
  readonly changeId: string;
  readonly deletes: readonly RecordSet[];
  readonly creates: readonly RecordSet[];
  readonly weights: Weights;
  /** The decision's own moment, which its departure bears too; now when there was none. */
  readonly decidedAt?: Instant;
  readonly now: Instant;
}

export const toIntent = ({
  spec,
  observed,
  mark,
  changeId,
  deletes,
  creates,
  weights,
  now,
  decidedAt = now,
}: IntentInput): StoredOutboxRow => ({
  ...mark,
  service: spec.id,
  expects: observed.epoch?.ulid ?? null,
  state: "intent",
  changeId,
  zoneId: spec.zoneId,
  deletes,
  creates,
  weights,
  createdAt: decidedAt,
  // From here on the batch may have been sent: a crash leaves no time to write it down.
  sentAt: now,
  changeInfoId: null,
});

/** The change, its row and its one history entry go into the commit that is being built: nothing leaves before that stands. */
export const insertWrite = (
  ids: Ids,
  draft: Draft,
  {
    row,
    change,
    page,
    lines,
  }: { readonly row: StoredOutboxRow; readonly change: Change; readonly page: boolean; readonly lines?: readonly string[] },
): void => {
  draft.insertOutbox(row);
  draft.insertChange(change);
  draft.tell({
    id: ids.ulid(),
    at: change.times.decided,
    service: change.service,
    kind: "change",
    actor: change.actor,
    why: change.why,
    page,
    changeId: change.id,
    detail: { kind: change.kind, revision: change.revision, ...(lines ? { lines: [...lines] } : {}) },
  });
};
