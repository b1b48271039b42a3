/** What is remembered of a service once a row of ours stands in DNS. */
import type { Edit } from "@regent/engine";
import { standingControls } from "@regent/engine/strategy/standing.ts";
import type { ServiceRecord, StoredOutboxRow } from "../../ports/decision-store.ts";

export const withWritten = (record: ServiceRecord, row: StoredOutboxRow): ServiceRecord => {
  const { ownership } = record;
  const edit = keptUnder(ownership.edit, row.ulid);
  const written: ServiceRecord = {
    ...record,
    written: row.weights,
    expected: row.creates,
    epoch: row.ulid,
    blockedBy: null,
    // An edit that this batch carried on stays what a person has to decide about.
    drift: edit?.carried?.text ?? null,
    ownership: { ...ownership, edit },
  };
  if (isRelease(row)) return { ...written, expected: null, epoch: null };
  const { adopting } = ownership;
  return adopting?.ulid === row.ulid
    ? {
        ...written,
        traffic: adopting.traffic,
        controls: standingControls(record.controls, row.weights),
        ownership: { edit: null, reverts: [], released: null, adopting: null },
      }
    : written;
};

/** The edit as it was kept under this epoch record; null when it wasn't. What was edited since then is gone. */
export const keptUnder = (edit: Edit | null, ulid: string | null): Edit | null =>
  edit?.carried && ulid !== null && edit.carried.by.includes(ulid)
    ? { ...edit, policy: edit.carried.policy, isKept: true }
    : null;

/** A release takes the epoch record away and creates nothing: the members stay as they are. */
export const isRelease = ({ creates }: Pick<StoredOutboxRow, "creates">): boolean => creates.length === 0;
