/** A transfer as it is shown, and as history tells of it. Pure. */
import type { Actor, Instant, TransferState } from "@regent/contract";
import type { DatabaseView, ServiceSpec } from "@regent/engine";
import type { HistoryEntry, StoredTransfer } from "../../ports/decision-store.ts";

export const toTransferState = (
  service: string,
  { hook, id, from, to, phase, startedAt, phaseAt, by, reason, why }: StoredTransfer,
  stateful: ServiceSpec["stateful"],
): TransferState => ({
  id,
  service,
  from,
  to,
  phase,
  startedAt,
  phaseAt,
  by,
  reason,
  hook: {
    isDeclared: stateful?.hasHook ?? false,
    attempts: hook.attempts,
    lastAt: hook.lastAt,
    answer: hook.answer,
    fenced: hook.isFenced,
    why: hook.why,
  },
  why,
});

/** `doubled`: two databases take writes. `settled`: after that, or after a stop that left it open, it is known again who writes. */
export type TransferStep = "begun" | "goes-on" | "stopped" | "done" | "doubled" | "settled";

export interface Telling {
  readonly step?: Extract<TransferStep, "begun" | "doubled" | "settled">;
  readonly id: string;
  readonly at: Instant;
  readonly spec: Pick<ServiceSpec, "id" | "stateful">;
  readonly transfer: StoredTransfer;
  readonly actor: Actor;
  readonly why: string;
  readonly page: boolean;
}

export const toTransferEntry = ({ id, at, spec, transfer, actor, why, page, step }: Telling): HistoryEntry => ({
  id,
  at,
  service: spec.id,
  kind: "transfer",
  actor,
  why,
  page,
  // Paging reads it.
  detail: { step: step ?? stepOf(transfer), transfer: toTransferState(spec.id, transfer, spec.stateful) },
});

const stepOf = ({ phase }: StoredTransfer): TransferStep => (phase === "done" || phase === "stopped" ? phase : "goes-on");

/** Where the data can be written, as agents see it, and what became of leading that elsewhere. */
export const toTransferText = (transfer: TransferState | null, databases: readonly DatabaseView[]): readonly string[] => [
  ...(databases.length === 0 ? [] : [`Databases: ${databases.map(({ why }) => why).join("; ")}`]),
  ...(transfer === null
    ? []
    : [`Transfer ${transfer.id} from ${transfer.from} to ${transfer.to}, ${transfer.phase}: ${transfer.why}`]),
];
