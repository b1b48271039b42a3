/** `regent transfer`: where the writable role is led, and what the hook said. Pure. */
import type { RoleAnswer, TransferList, TransferState } from "@regent/contract";
import { clockMsText, durationText } from "./numbers.ts";
import type { Paint } from "./paint.ts";

export const toTransferLines = ({ transfers }: TransferList, paint: Paint): string[] =>
  transfers.length === 0 ? ["No writable role was led anywhere."] : transfers.flatMap((transfer) => toHead(transfer, paint));

export const toTransferDetail = (transfer: TransferState, role: RoleAnswer, paint: Paint): string[] => {
  const { hook, by, reason } = transfer;
  const fenced = hook.fenced === null ? "" : `, ${transfer.from} ${hook.fenced ? "is" : "is not"} fenced`;
  const told = hook.why === "" ? "" : `: ${hook.why}`;
  const asked = `asked ${hook.attempts} times, last ${hook.lastAt === null ? "never" : clockMsText(hook.lastAt)}`;
  return [
    ...toHead(transfer, paint),
    `  begun by ${by.name}${reason === null ? "" : `: ${reason}`}`,
    hook.isDeclared ? `  hook: ${asked}; answered ${hook.answer}${fenced}${told}` : "  hook: none is declared, a person promotes",
    `  may write: ${role.writer ?? paint.warn("nobody")}; ${role.why}`,
  ];
};

/** In `regent status`, while it is on its way or needs somebody. */
export const toTransferMark = (transfer: TransferState | null): string | null =>
  transfer === null || transfer.phase === "done" ? null : `transfer to ${transfer.to}, ${transfer.phase}: ${transfer.why}`;

const toHead = (transfer: TransferState, paint: Paint): string[] => {
  const { id, service, from, to, phase, startedAt, phaseAt, why } = transfer;
  const word = phase === "done" ? paint.good(phase) : phase === "stopped" ? paint.bad(phase) : paint.warn(phase);
  return [
    `${paint.bold(service)}  ${from} -> ${to}  ${word}  ${id}`,
    `  begun ${clockMsText(startedAt)}, ${phase} since ${clockMsText(phaseAt)} (${durationText(phaseAt - startedAt)} later)`,
    `  ${why}`,
  ];
};
