/** What became of the change that brings the traffic to where the role is. Pure. */
import type { Change } from "@regent/contract";
import type { ServiceRecord, StoredTransfer } from "../../ports/decision-store.ts";

export const changeOf = (
  { written }: Pick<ServiceRecord, "written">,
  last: Change | null,
  { to }: Pick<StoredTransfer, "to">,
): "none" | "accepted" | "visible" => {
  if (written === null || !Object.values(written).every((weights) => isAlone(weights, to))) return "none";
  // A name that stood like this before Regent wrote it has nothing to wait for.
  return last === null || last.times.visible !== undefined ? "visible" : "accepted";
};

const isAlone = (weights: Readonly<Record<string, number>>, region: string): boolean =>
  Object.entries(weights).every(([each, weight]) => weight > 0 === (each === region));
