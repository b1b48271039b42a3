/** What is remembered of a service once a row of ours stands in DNS. */
import type { ServiceRecord, StoredOutboxRow } from "../ports/decision-store.ts";

export const withWritten = (record: ServiceRecord, row: StoredOutboxRow): ServiceRecord => {
  const edit = record.ownership.edit?.isKept ? record.ownership.edit : null;
  const written: ServiceRecord = {
    ...record,
    written: row.weights,
    expected: row.creates,
    epoch: row.ulid,
    blockedBy: null,
    // An edit that this batch carried on stays what a person has to decide about.
    drift: edit ? record.drift : null,
    ownership: { ...record.ownership, edit },
  };
  return isRelease(row) ? { ...written, expected: null, epoch: null } : written;
};

/** A release takes the epoch record away and creates nothing: the members stay as they are. */
export const isRelease = ({ creates }: Pick<StoredOutboxRow, "creates">): boolean => creates.length === 0;
