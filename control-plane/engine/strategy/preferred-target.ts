/** Which standby traffic goes to, where several could take it. Pure. */
import type { RegionId } from "@regent/contract";
import type { Situation } from "../model.ts";
import { isLeading } from "../stateful/transfer.ts";

/** The region that the role is on its way to; else the only one that has it. */
export const preferredTarget = ({ spec, transfer, databases }: Situation): RegionId | null => {
  if (spec.stateful === null) return null;
  if (isLeading(transfer)) return transfer.to;
  const [writable, ...more] = databases.filter(({ role }) => role === "writable");
  return writable && more.length === 0 ? writable.region : null;
};
