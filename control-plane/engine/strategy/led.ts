/**
 * Traffic follows the writable role: while it is led somewhere no second target is chosen half-way, and once the hook was called the move is carried out
 * although what it fled from may be well again. As long as the target is fit; a person is called by the transfer when it isn't. Pure.
 */
import type { ChangeKind, RegionId, RuleId } from "@regent/contract";
import type { Control, Situation, Transfer } from "../model.ts";
import { isTargetFit } from "../stateful/step-transfer.ts";
import { hasRoleLeft, isLeading } from "../stateful/transfer.ts";
import type { Placement, WantInput } from "./draft.ts";
import type { Wanted } from "./shares.ts";
import { wantShares } from "./shares.ts";

export interface Led {
  readonly to: RegionId;
  readonly transfer: Transfer;
  readonly kind: ChangeKind;
  /** Of the person who asked for it: the move is theirs, and skips what they named. */
  readonly asked: { readonly control: Control; readonly breakGlass: readonly RuleId[] } | null;
}

/** What must be carried out now, whatever a strategy would choose; null while the strategy may still change its mind. */
export const findLed = (situation: Situation): Led | null => {
  const { spec, transfer } = situation;
  if (spec.stateful === null || !isLeading(transfer)) return null;
  const { to, by, reason, startedAt, breakGlass = [] } = transfer;
  if (!isTargetFit(situation, to, breakGlass)) return null;
  const isAsked = by.kind === "operator";
  if (!isAsked && !hasRoleLeft(transfer)) return null;
  return {
    to,
    transfer,
    kind: isFirst(situation, to) ? "failback" : "failover",
    asked: isAsked ? { control: { by: by.name, reason: reason ?? "", at: startedAt }, breakGlass } : null,
  };
};

/** Shares as wanted where they already follow; else all traffic goes where the role goes. */
export const followLed = (led: Led | null, input: WantInput, wanted: Wanted): Wanted => {
  if (led === null || Object.values(wanted.shares).every((shares) => shares[led.to] === 1)) return wanted;
  const { transfer, to } = led;
  const control: Control = led.asked?.control ?? { by: transfer.by.name, reason: transfer.why, at: transfer.startedAt };
  const followed = wantShares({ ...input, move: null, placement: { ...control, region: to } });
  // Where it isn't at home it stays until failback, if a person sent it there. Who agreed to automation's move leaves the way back to it.
  const placement: Placement = led.asked && !transfer.isAgreed && !isFirst(input.situation, to) ? followed.placement : null;
  return { ...followed, placement, waits: [`traffic goes to ${to} with the writable role: ${transfer.why}`] };
};

/** All that gains is where the role goes. */
export const isLedMove = ({ to }: Pick<Led, "to">, gains: readonly RegionId[]): boolean =>
  gains.length > 0 && gains.every((region) => region === to);

const isFirst = ({ spec }: Situation, region: RegionId): boolean =>
  spec.endpoints.every(
    (one) => one.region === region || one.priority > (spec.endpoints.find((e) => e.region === region)?.priority ?? 0),
  );
