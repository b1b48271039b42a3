/** Does an operator's freeze, committed after this batch was decided, stand in its way? Only what automation moves is held. */
import type { Instant } from "@regent/contract";
import type { Control } from "@regent/engine";
import { layOverrides } from "@regent/engine/strategy/overrides.ts";
import { changes, regionsWhere } from "@regent/engine/strategy/parts.ts";
import type { StoredOutboxRow } from "../../ports/decision-store.ts";
import type { Ledger } from "./ledger.ts";

export const findFreeze = (ledger: Ledger, row: StoredOutboxRow, now: Instant): Control | null => {
  const change = ledger.change(row.changeId);
  if (!change || change.actor.kind === "operator") return null;
  const everything = ledger.freeze();
  if (everything?.cause === "restored") return everything;
  if (change.kind === "create") return null;
  const moved = regionsWhere(change.weightsBefore, change.weightsAfter, changes);
  if (moved.length === 0) return null;
  const { controls } = layOverrides({ controls: { ...ledger.record(row.service).controls, frozenGlobally: everything }, now });
  const { frozen, frozenRegions } = controls;
  return everything ?? frozen ?? moved.flatMap((region) => frozenRegions[region] ?? [])[0] ?? null;
};
