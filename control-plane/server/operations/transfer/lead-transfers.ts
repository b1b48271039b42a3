/**
 * Leads each transfer on, at each look: what time, agents and DNS do to it is committed first, and only then is anybody outside asked. The hook
 * is called by the leader alone, outside of any commit, always under the transfer's id; what it answers is committed, or dropped when somebody
 * else leads by then, who asks again.
 */
import type { Hook, Instant } from "@regent/contract";
import type { Decision, ServiceSpec, Situation, StatefulSpec, TransferPhase } from "@regent/engine";
import { heldBackBy, isHalted } from "@regent/engine/safety/hold-transfer.ts";
import { isTargetFit, stepTransfer, type TransferStep, wishOf } from "@regent/engine/stateful/step-transfer.ts";
import { type HookAnswer as Heard, hearHook, noteHookCall, type Told } from "@regent/engine/stateful/transfer.ts";
import { layOverrides, takenAsFit } from "@regent/engine/strategy/overrides.ts";
import type { Logger } from "pino";
import type { Clock, Ids } from "../../ports/clock.ts";
import type { ServiceRecord, StoredTransfer } from "../../ports/decision-store.ts";
import type { HookCaller } from "../../ports/hook-caller.ts";
import { AUTOMATION } from "../memory/actors.ts";
import { type Draft, LeadershipLost, type Ledger, LedgerConflict } from "../memory/ledger.ts";
import { areViewsOld } from "./database-book.ts";
import { createHookPause } from "./hook-pause.ts";
import { activeOf, settle } from "./role.ts";
import { changeOf } from "./transfer-change.ts";
import { toTransferEntry } from "./transfer-state.ts";

export interface TransferDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly ledger: Ledger;
  readonly hooks: HookCaller;
  /** As declared now; null where nobody is to be asked. */
  readonly hookOf: (service: string) => Hook | null;
  readonly isLeading: () => boolean;
  /** This service is to be looked at again. */
  readonly wake: (service: string) => void;
  readonly onFenced: (term: number) => void;
  readonly random?: () => number;
}

export interface TransferLead {
  /** After each decision of a service; answers when time alone asks for another look. */
  readonly look: (spec: ServiceSpec, situation: Situation, decision: Decision) => Instant | null;
  /** Leadership is lost, or begins. */
  readonly forget: () => void;
}

/** DNS says when a change is there, and nothing wakes the loop then. */
const FOLLOW_MS = 500;
const FOLLOWED: readonly TransferPhase[] = ["switch", "verify"];

export const createTransferLead = (deps: TransferDeps): TransferLead => {
  const { clock, ledger, log } = deps;
  const pause = createHookPause(deps);
  const committing = new Set<string>();
  const calling = new Set<string>();

  const look: TransferLead["look"] = (spec, situation, decision) => {
    const record = ledger.record(spec.id);
    const { transfer } = record;
    const { databases, now } = situation;
    if (spec.stateful === null && transfer === null) return null;
    if (transfer?.phase === "prepare") pause.note(transfer);
    const step = transfer && stepOf(spec, situation, decision, record, transfer);
    const waitMs = transfer && step?.isHookDue ? pause.waitMs(transfer, spec.stateful?.leaseMs ?? 0) : null;
    const isCall = waitMs === 0 && !calling.has(spec.id);
    const settled = transfer && settleNow(spec, record, transfer, databases);
    const isNews =
      (step !== null && step.transfer !== transfer) ||
      settled !== transfer ||
      areViewsOld(record.databases, databases, spec.stateful);
    if ((isNews || isCall) && !committing.has(spec.id)) {
      committing.add(spec.id);
      void commitLook({ spec, situation, record, step, isCall, settled })
        .catch((error: unknown) => fail(error, spec.id))
        .finally(() => committing.delete(spec.id));
    }
    return nextLook(transfer, step, waitMs, now);
  };

  const stepOf = (
    spec: ServiceSpec,
    situation: Situation,
    decision: Decision,
    record: ServiceRecord,
    transfer: StoredTransfer,
  ): TransferStep => {
    const laid = layOverrides(situation);
    return stepTransfer({
      transfer,
      spec,
      databases: situation.databases,
      // As the decision believes: what an operator's override takes as fit isn't unfit here.
      isTargetFit: isTargetFit(takenAsFit(laid, null), transfer.to, transfer.breakGlass),
      wish: wishOf(decision, transfer),
      heldBack: heldBackBy(decision, transfer),
      isHalted: isHalted(laid, transfer),
      change: changeOf(record, ledger.lastChange(spec.id), transfer),
      now: situation.now,
    });
  };

  interface Looked {
    readonly spec: ServiceSpec;
    readonly situation: Situation;
    readonly record: ServiceRecord;
    readonly step: TransferStep | null;
    readonly isCall: boolean;
    readonly settled: StoredTransfer | null;
  }

  /** Nothing of it counts when the transfer was changed since: it is looked at again. */
  const commitLook = async ({ spec, situation, record, step, isCall, settled }: Looked): Promise<void> => {
    const asked = await ledger.commit((draft) => {
      if (draft.record(spec.id).transfer !== record.transfer) return null;
      draft.update(spec.id, (known) => ({ ...known, databases: situation.databases }));
      if (step === null || settled === null) return null;
      if (settled.settledAt !== record.transfer?.settledAt) tellSettled(draft, spec, settled);
      const told = keep(draft, spec, settled, step);
      if (!isCall) return null;
      const noted = { ...told, ...noteHookCall(told, clock.now()) };
      draft.update(spec.id, (known) => ({ ...known, transfer: noted }));
      return noted;
    });
    if (asked !== null) void callHook(spec, asked).catch((error: unknown) => fail(error, spec.id));
    deps.wake(spec.id);
  };

  const tellSettled = (draft: Draft, spec: ServiceSpec, transfer: StoredTransfer): void => {
    const why = `${transfer.settledAt} alone is seen to write since the transfer stopped: who asks for the role is told so`;
    draft.tell(
      toTransferEntry({
        id: deps.ids.ulid(),
        at: clock.now(),
        spec,
        transfer,
        actor: AUTOMATION,
        why,
        page: false,
        step: "settled",
      }),
    );
  };

  /** The same one where nothing of who may write is new. */
  const settleNow = (
    { stateful }: ServiceSpec,
    { traffic }: ServiceRecord,
    transfer: StoredTransfer,
    databases: Situation["databases"],
  ): StoredTransfer => {
    const { phaseAt } = transfer;
    const deadline = stateful === null ? phaseAt : deadlineOf(transfer, stateful);
    const settledAt = settle(transfer, databases, deadline);
    if (settledAt === null || transfer.isFollowed) return transfer;
    if (activeOf(traffic) === settledAt) return { ...transfer, settledAt, isFollowed: true };
    return settledAt === transfer.settledAt ? transfer : { ...transfer, settledAt };
  };

  /** What the engine made of it, with what only the shell remembers. */
  const keep = (
    draft: Draft,
    spec: ServiceSpec,
    { settledAt, isFollowed, phase }: Pick<StoredTransfer, "settledAt" | "isFollowed" | "phase">,
    { transfer, tell, page }: Told,
  ): StoredTransfer => {
    const next: StoredTransfer = { ...transfer, settledAt, ...(isFollowed ? { isFollowed } : {}) };
    draft.update(spec.id, (known) => ({ ...known, transfer: next }));
    if (tell !== null)
      draft.tell(
        toTransferEntry({
          ...{ id: deps.ids.ulid(), at: clock.now(), spec, transfer: next, actor: AUTOMATION, why: tell, page },
          ...(phase === "done" ? { step: page ? "doubled" : "settled" } : {}),
        }),
      );
    return next;
  };

  const callHook = async (spec: ServiceSpec, transfer: StoredTransfer): Promise<void> => {
    const hook = deps.hookOf(spec.id);
    if (hook === null || spec.stateful === null || calling.has(spec.id) || !deps.isLeading()) return;
    calling.add(spec.id);
    const { id, from, to, reason, startedAt } = transfer;
    try {
      const heard = await deps.hooks.call(hook, {
        transfer: id,
        service: spec.id,
        from,
        to,
        reason,
        at: startedAt,
        deadline: deadlineOf(transfer, spec.stateful),
      });
      pause.heard(id, heard.answer);
      await hear(spec, id, { kind: heard.answer, isFenced: heard.isFenced, why: heard.why });
    } finally {
      calling.delete(spec.id);
    }
    deps.wake(spec.id);
  };

  /** An answer to a transfer that another one followed is nobody's. */
  const hear = (spec: ServiceSpec, id: string, heard: Heard): Promise<void> =>
    ledger.commit((draft) => {
      const { transfer } = draft.record(spec.id);
      if (transfer?.id !== id) return;
      const told = hearHook(transfer, heard, clock.now());
      if (told.transfer === transfer) return;
      // Promoted after all: who was seen to write alone before may not be alone any more.
      const isReopened = transfer.phase === "stopped";
      const { isFollowed: _known, ...news } = told.transfer as StoredTransfer;
      if (isReopened) keep(draft, spec, { settledAt: null, phase: "stopped" }, { ...told, transfer: news });
      else keep(draft, spec, transfer, told);
    });

  const fail = (error: unknown, service: string): void => {
    if (error instanceof LeadershipLost) deps.onFenced(error.term);
    else if (!(error instanceof LedgerConflict))
      log.warn({ err: error, service }, "a transfer could not be led on; the next look does it");
  };

  return { look, forget: pause.forget };
};

/** The hook promises nothing after it. */
const deadlineOf = ({ startedAt }: StoredTransfer, { leaseMs, prepareMs }: StatefulSpec): Instant =>
  startedAt + leaseMs + prepareMs;

/** The sooner of what the engine waits for and when the hook may be asked. */
const nextLook = (
  transfer: StoredTransfer | null,
  step: TransferStep | null,
  waitMs: number | null,
  now: Instant,
): Instant | null => {
  if (transfer === null || step === null) return null;
  const moments = [
    ...(step.nextLookAt === null ? [] : [step.nextLookAt]),
    ...(waitMs === null ? [] : [now + Math.max(1, waitMs)]),
    ...(FOLLOWED.includes(transfer.phase) ? [now + FOLLOW_MS] : []),
  ];
  return moments.length === 0 ? null : Math.min(...moments);
};
