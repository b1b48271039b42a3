/** Each service's last transfer, those under way in front, then the newest. Pure. */
import type { TransferState } from "@regent/contract";
import type { ServiceSpec } from "@regent/engine";
import type { ServiceRecord } from "../../ports/decision-store.ts";
import { toTransferState } from "./transfer-state.ts";

const ENDED: readonly TransferState["phase"][] = ["done", "stopped"];

export const listTransfers = (
  specs: readonly ServiceSpec[],
  recordOf: (service: string) => ServiceRecord,
): readonly TransferState[] =>
  specs
    .flatMap((spec) => {
      const { transfer } = recordOf(spec.id);
      return transfer ? [toTransferState(spec.id, transfer, spec.stateful)] : [];
    })
    .sort((a, b) => Number(ENDED.includes(a.phase)) - Number(ENDED.includes(b.phase)) || b.phaseAt - a.phaseAt);
