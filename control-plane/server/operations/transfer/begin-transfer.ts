/**
 * The role has to be led elsewhere before traffic may follow: that is written down inside the zone's turn, with whatever else the turn commits.
 * From that commit on nobody is told any more who may write; nothing outside is asked before it stands.
 */
import type { Actor } from "@regent/contract";
import type { Decision, OperatorRequest, ServiceSpec } from "@regent/engine";
import { beginTransfer, isLeading } from "@regent/engine/stateful/transfer.ts";
import type { Clock, Ids } from "../../ports/clock.ts";
import type { ServiceRecord, StoredTransfer } from "../../ports/decision-store.ts";
import { AUTOMATION, operator } from "../memory/actors.ts";
import type { Draft } from "../memory/ledger.ts";
import { toTransferEntry } from "./transfer-state.ts";

export interface BeginDeps {
  readonly clock: Pick<Clock, "now">;
  readonly ids: Ids;
}

/** Whose word it is: automation's unless a person asked for the move, or approved it. */
export interface Asker {
  readonly by: Actor;
  readonly reason: string | null;
  readonly breakGlass: OperatorRequest["breakGlass"];
  /** Automation's move, by their leave. */
  readonly isAgreed: boolean;
}

export const BY_ITSELF: Asker = { by: AUTOMATION, reason: null, breakGlass: [], isAgreed: false };

export const askedBy = ({ by, reason, breakGlass }: Pick<OperatorRequest, "by" | "reason" | "breakGlass">): Asker => ({
  by: operator(by),
  reason,
  breakGlass,
  isAgreed: false,
});

export const agreedBy = (by: string, reason: string): Asker => ({ by: operator(by), reason, breakGlass: [], isAgreed: true });

/** One at a time: what leads elsewhere comes to its end first. */
export const mayLead = (
  { transfer: known }: Pick<ServiceRecord, "transfer">,
  { transfer: wanted }: Pick<Decision, "transfer">,
): boolean => wanted !== null && (!isUnderWay(known) || known.to === wanted.to);

/** The one under way, begun now or before; null when nothing is to be led anywhere. */
export const draftTransfer = (
  { clock, ids }: BeginDeps,
  draft: Draft,
  spec: ServiceSpec,
  decision: Pick<Decision, "transfer">,
  asker: Asker,
): StoredTransfer | null => {
  const { transfer: wanted } = decision;
  const known = draft.record(spec.id).transfer;
  if (wanted === null || !mayLead({ transfer: known }, decision)) return null;
  if (isUnderWay(known)) return known;
  const now = clock.now();
  const transfer: StoredTransfer = { ...beginTransfer({ id: ids.ulid(), ...wanted, ...asker, now }), settledAt: null };
  draft.update(spec.id, (record) => ({ ...record, transfer }));
  const reason = asker.reason === null ? "" : ` (${asker.by.name}: ${asker.reason})`;
  const why = `${transfer.why}${reason}`;
  draft.tell(toTransferEntry({ id: ids.ulid(), at: now, spec, transfer, actor: asker.by, why, page: true, step: "begun" }));
  return transfer;
};

/** What whoever asked for the move is answered. */
export const roleFirst = ({ id, to }: StoredTransfer): string =>
  `the writable role is led to ${to} first, and traffic follows when agents see it there: transfer ${id}`;

export const isUnderWay = (transfer: StoredTransfer | null): transfer is StoredTransfer => isLeading(transfer);
