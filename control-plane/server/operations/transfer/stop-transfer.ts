/** An operator ends a transfer: nothing moves any more, and whoever was asked may have acted. */
import type { TransferState } from "@regent/contract";
import type { ServiceSpec } from "@regent/engine";
import { endTransfer } from "@regent/engine/stateful/transfer.ts";
import type { Clock, Ids } from "../../ports/clock.ts";
import type { StoredTransfer } from "../../ports/decision-store.ts";
import { operator } from "../memory/actors.ts";
import { commitAnew, type Ledger } from "../memory/ledger.ts";
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

export const stopTransferNow = (
  { ledger, clock, ids }: { readonly ledger: Ledger; readonly clock: Pick<Clock, "now">; readonly ids: Ids },
  spec: ServiceSpec,
  { by, reason }: TransferStopOrder,
): Promise<TransferStopResult> =>
  commitAnew(ledger, (draft): TransferStopResult => {
    const { transfer } = draft.record(spec.id);
    const now = clock.now();
    const told = transfer && endTransfer(transfer, { by, reason, now });
    if (!transfer || !told || told.tell === null) return { kind: "not-found", what: `transfer of ${spec.id} under way` };
    const stopped: StoredTransfer = { ...told.transfer, settledAt: null };
    draft.update(spec.id, (record) => ({ ...record, transfer: stopped }));
    const { tell: why, page } = told;
    draft.tell(toTransferEntry({ id: ids.ulid(), at: now, spec, transfer: stopped, actor: operator(by), why, page }));
    return { kind: "stopped", transfer: toTransferState(spec.id, stopped, spec.stateful) };
  });
