/** A zone's record sets in the order in which Route 53 lists them. Pure; sorted once for each version of a zone. */
import type { RecordSet, Records } from "./model.ts";
import { sortKeyOf } from "./names.ts";

const sortedByRecords = new WeakMap<Records, readonly RecordSet[]>();

/** By labels from the right, then type, then set identifier. */
export const listedSets = (records: Records): readonly RecordSet[] => {
  const known = sortedByRecords.get(records);
  if (known) return known;
  const sorted = [...records]
    .map(([name, sets]) => ({ key: sortKeyOf(name), sets }))
    .sort((a, b) => compareText(a.key, b.key))
    .flatMap(({ sets }) => [...sets].sort(compareInName));
  sortedByRecords.set(records, sorted);
  return sorted;
};

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const compareInName = (a: RecordSet, b: RecordSet): number =>
  compareText(a.type, b.type) || compareText(a.setIdentifier ?? "", b.setIdentifier ?? "");
