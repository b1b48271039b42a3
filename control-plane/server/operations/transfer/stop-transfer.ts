/** An operator ends a transfer: nothing moves any more, and whoever was asked may have acted. */
import type { TransferState } from "@regent/contract";
import type { OperatorRequest, ServiceSpec } from "@regent/engine";
import { endTransfer, isOpen } from "@regent/engine/stateful/transfer.ts";
import type { Clock, Ids } from "../../ports/clock.ts";
import type { StoredTransfer } from "../../ports/decision-store.ts";
import { operator } from "../memory/actors.ts";
import { commitAnew, type Draft, type Ledger } from "../memory/ledger.ts";
import { toTransferEntry, toTransferState } from "./transfer-state.ts";

export interface TransferStopOrder {
  readonly service: string;
  readonly by: string;
  readonly reason: string;
}

export type TransferStopResult =
  | { readonly kind: "stopped"; readonly transfer: TransferState }
  /** There is none, or it has ended. */
  | { readonly kind: "not-found"; readonly what: string };

interface StopDeps {
  readonly clock: Pick<Clock, "now">;
  readonly ids: Ids;
}

export const stopTransferNow = (
  deps: StopDeps & { readonly ledger: Ledger },
  spec: ServiceSpec,
  order: TransferStopOrder,
): Promise<TransferStopResult> =>
  commitAnew(deps.ledger, (draft): TransferStopResult => {
    const stopped = stopIn(deps, draft, spec, order);
    if (stopped === null) return { kind: "not-found", what: `transfer of ${spec.id} under way` };
    return { kind: "stopped", transfer: toTransferState(spec.id, stopped, spec.stateful) };
  });

/**
 * A newer word of an operator's: traffic stays where it is, or goes back there, and the role with it, as long as nobody was asked to promote.
 * Afterwards the move goes through, and `stop` is there for whoever knows better.
 */
export const takeBack = (
  deps: StopDeps,
  draft: Draft,
  spec: ServiceSpec,
  { move, by, reason }: Pick<OperatorRequest, "move" | "by" | "reason">,
): void => {
  const { transfer } = draft.record(spec.id);
  if (transfer?.phase !== "prepare" || isOpen(transfer)) return;
  const isStaying =
    move.kind === "failback" ||
    (move.kind === "failover" && move.to !== transfer.to) ||
    (move.kind === "undrain" && move.region === transfer.from);
  if (isStaying) stopIn(deps, draft, spec, { by, reason: `${move.kind}: ${reason}` });
};

const stopIn = (
  { clock, ids }: StopDeps,
  draft: Draft,
  spec: ServiceSpec,
  { by, reason }: Pick<TransferStopOrder, "by" | "reason">,
): StoredTransfer | null => {
  const { transfer } = draft.record(spec.id);
  const now = clock.now();
  const told = transfer && endTransfer(transfer, { by, reason, now });
  if (!told || told.tell === null) return null;
  const stopped: StoredTransfer = { ...told.transfer, settledAt: null };
  draft.update(spec.id, (record) => ({ ...record, transfer: stopped }));
  const { tell: why, page } = told;
  draft.tell(toTransferEntry({ id: ids.ulid(), at: now, spec, transfer: stopped, actor: operator(by), why, page }));
  return stopped;
};
