/**
 * The life of a transfer but for time: how it begins, what the hook says, how a person ends it. Pure. What time and agents do to it is in
 * step-transfer.ts. Each answer is kept before anything else is done, so that a crash repeats it and never forgets it.
 */
import type { Actor, Instant, RegionId, RuleId } from "@regent/contract";
import type { Transfer, TransferPhase } from "../model.ts";
import { durationText } from "../text.ts";

export interface TransferStart {
  /** ULID */
  readonly id: string;
  readonly from: RegionId;
  readonly to: RegionId;
  readonly by: Actor;
  readonly reason: string | null;
  readonly breakGlass?: readonly RuleId[];
  readonly isAgreed?: boolean;
  readonly now: Instant;
}

/** `tell`: a sentence for history, when something is new; `page`: a person should look at it now. */
export interface Told {
  readonly transfer: Transfer;
  readonly tell: string | null;
  readonly page: boolean;
}

export interface HookAnswer {
  readonly kind: "promoted" | "working" | "refused" | "failed";
  /** Whether the old one can't write any more; null when the hook doesn't say. */
  readonly isFenced: boolean | null;
  readonly why: string;
}

/** From this moment nobody who asks for the role is told that a region writes. */
export const beginTransfer = ({ id, from, to, by, reason, breakGlass = [], isAgreed = false, now }: TransferStart): Transfer => ({
  id,
  from,
  to,
  phase: "prepare",
  startedAt: now,
  phaseAt: now,
  by,
  reason,
  hook: { attempts: 0, lastAt: null, answer: "none", isFenced: null, why: "" },
  why: `the writable role goes from ${from} to ${to}: nobody is told any more that ${from} writes`,
  ...(breakGlass.length > 0 ? { breakGlass } : {}),
  ...(isAgreed ? { isAgreed } : {}),
});

/** The role is on its way, or it is there and the traffic isn't: nothing else may be led anywhere. */
export const isLeading = (transfer: Transfer | null): transfer is Transfer => transfer !== null && LEADING.has(transfer.phase);

const LEADING: ReadonlySet<TransferPhase> = new Set(["prepare", "role", "switch"]);

/** It may have fenced or promoted somebody already: it can't be taken back by changing one's mind. */
export const isHookCalled = ({ hook }: Transfer): boolean => hook.attempts > 0;

/** Who writes isn't known from what Regent did: the new one may be promoted, now or later. */
export const isOpen = (transfer: Transfer): boolean => isHookCalled(transfer) || transfer.mayBePromoted === true;

/** The role is on its way or there, and the old place may be fenced: the traffic has nowhere else to go. */
export const hasRoleLeft = (transfer: Transfer | null): transfer is Transfer =>
  isLeading(transfer) && (transfer.phase !== "prepare" || isHookCalled(transfer));

/** Kept before each call: whether an answer comes or not, the hook may have acted. */
export const noteHookCall = (transfer: Transfer, now: Instant): Transfer =>
  transfer.phase === "prepare"
    ? { ...transfer, hook: { ...transfer.hook, attempts: transfer.hook.attempts + 1, lastAt: now } }
    : transfer;

/**
 * While it prepares each answer counts. Once the role is seen or waited for, agents count and the hook no more: a second answer changes nothing. One
 * that says after the end that it did promote is told, because somebody must look at two databases then.
 */
export const hearHook = (transfer: Transfer, answer: HookAnswer, now: Instant): Told => {
  if (transfer.phase === "prepare") return hearInPrepare(transfer, answer, now);
  const isLate = transfer.phase === "stopped" && answer.kind === "promoted" && transfer.hook.answer !== "promoted";
  if (!isLate) return { transfer, tell: null, page: false };
  const { to } = transfer;
  const hook = { ...transfer.hook, answer: answer.kind, isFenced: answer.isFenced, why: answer.why };
  const tell = `the hook promoted ${to} ${durationText(now - transfer.phaseAt)} after its transfer had stopped (${fenceText(transfer, answer)}): traffic stays where it is, look which database writes`;
  // What was seen of databases before that is the past.
  return { transfer: { ...transfer, hook, phaseAt: now, why: `${transfer.why}; ${tell}` }, tell, page: true };
};

const hearInPrepare = (transfer: Transfer, answer: HookAnswer, now: Instant): Told => {
  const { kind, isFenced, why } = answer;
  const { attempts } = transfer.hook;
  // Whoever answers was called, even if the call wasn't kept.
  const hook = { ...transfer.hook, attempts: Math.max(1, attempts), answer: kind, isFenced, why };
  switch (kind) {
    case "working":
    case "failed": {
      const isNews = transfer.hook.answer !== kind || transfer.hook.why !== why;
      const text = kind === "working" ? "is at work" : "failed and is called again";
      const said = why === "" ? `the hook ${text}` : `the hook ${text}: ${why}`;
      if (!isNews) return { transfer: { ...transfer, hook }, tell: null, page: false };
      const mark = unfitText(transfer);
      // What somebody was called for isn't forgotten, or they would be called again.
      const kept = transfer.why.includes(mark) ? `${said}; ${mark}` : said;
      return { transfer: { ...transfer, hook, why: kept }, tell: said, page: false };
    }
    case "refused":
      return stopTransfer({ ...transfer, hook }, { why: `the hook refused: ${why}`, stoppedFor: "failed", now });
    case "promoted": {
      const tell = `the hook promoted ${transfer.to} (${fenceText(transfer, answer)}); waiting until agents see it write`;
      return {
        transfer: { ...transfer, hook, phase: "role", phaseAt: now, why: tell },
        tell,
        // Whatever comes back there writes beside the new one.
        page: isFenced !== true,
      };
    }
  }
};

const fenceText = ({ from }: Transfer, { isFenced }: HookAnswer): string => {
  if (isFenced === null) return `it doesn't say whether ${from} is fenced`;
  return isFenced ? `${from} is fenced` : `${from} is not fenced, see that it stays down`;
};

export const unfitText = ({ to }: Transfer): string => `${to} can't take traffic any more while the role is led there`;

/** An operator's word. What was ended before stays as it ended. */
export const endTransfer = (
  transfer: Transfer,
  { by, reason, now }: { readonly by: string; readonly reason: string; readonly now: Instant },
): Told => {
  if (transfer.phase === "stopped" || transfer.phase === "done") return { transfer, tell: null, page: false };
  const { attempts } = transfer.hook;
  const called = attempts > 0 ? `; the hook was called ${timesText(attempts)} and may have acted` : "; the hook was not called";
  const ended = stopTransfer(transfer, { why: `${by} ended it: ${reason}${called}`, stoppedFor: "operator", now });
  // Who ends it knows, unless something may be left half-way.
  return { ...ended, page: isOpen(transfer) };
};

/** `once`, `2 times`. */
export const timesText = (count: number): string => (count === 1 ? "once" : `${count} times`);

export interface Stop {
  readonly why: string;
  readonly stoppedFor: NonNullable<Transfer["stoppedFor"]>;
  readonly now: Instant;
}

/** Nothing moves. What nobody wanted any more wakes nobody. */
export const stopTransfer = (transfer: Transfer, { why, stoppedFor, now }: Stop): Told => {
  const { from, to, phase } = transfer;
  const tell = `the transfer of the writable role from ${from} to ${to} stopped in ${phase}: ${why}`;
  return {
    transfer: { ...transfer, phase: "stopped", phaseAt: now, why: tell, stoppedFor },
    tell,
    page: stoppedFor !== "unwanted",
  };
};
