/**
 * What time, agents and DNS do to a transfer: one phase at most in one step, so that history has each. Pure and level-based: it is stepped at every look,
 * and a step that has been taken isn't taken again. Before the hook is called a transfer may end as if nothing had been; afterwards it goes through, or a
 * person is called.
 */
import type { Instant, RegionId, RuleId } from "@regent/contract";
import type { DatabaseView, Decision, ServiceSpec, Situation, StatefulSpec, Transfer } from "../model.ts";
import { durationText } from "../text.ts";
import { isHookCalled, stopTransfer, type Told, timesText, unfitText } from "./transfer.ts";

export interface TransferInput {
  readonly transfer: Transfer;
  readonly spec: Pick<ServiceSpec, "stateful">;
  readonly databases: readonly DatabaseView[];
  /** Traffic may land there: see isTargetFit. */
  readonly isTargetFit: boolean;
  /** What the last decision thinks of it: see wishOf. */
  readonly wish: TransferWish;
  /** Why the traffic doesn't follow the role, where time alone won't change it: see safety/hold-transfer.ts. */
  readonly heldBack: string | null;
  /** Nobody is to be asked to promote, not again either: see safety/hold-transfer.ts. */
  readonly isHalted: boolean;
  /** What became of the change that brings the traffic to `to`; `accepted` too where DNS gave it the traffic already. */
  readonly change: "none" | "accepted" | "visible";
  readonly now: Instant;
}

/** `held`: the traffic is wanted there, and more than the role stands in the way. */
export type TransferWish = "wanted" | "held" | "unwanted";

export interface TransferStep extends Told {
  /** Call the hook now, after noteHookCall was kept. */
  readonly isHookDue: boolean;
  readonly nextLookAt: Instant | null;
}

/** Between two calls that brought no final answer: long enough for a promotion to get on, short against `prepareMs`. */
const HOOK_AGAIN_MS = 2_000;

export const stepTransfer = (input: TransferInput): TransferStep => {
  const { transfer, spec, now } = input;
  if (transfer.phase === "stopped") return stay(transfer);
  if (transfer.phase === "done") return stepDone(input);
  if (spec.stateful === null)
    return moved(stopTransfer(transfer, { why: "the service is declared without a database", stoppedFor: "failed", now }));
  switch (transfer.phase) {
    case "prepare":
      return stepPrepare(input, spec.stateful);
    case "role":
      return stepRole(input, spec.stateful);
    case "switch":
      return stepSwitch(input, spec.stateful);
    default:
      return stepVerify(input);
  }
};

export const wishOf = (decision: Decision, { to }: Transfer): TransferWish => {
  if (decision.transfer?.to === to) return "wanted";
  return decision.proposal?.gains.includes(to) ? "held" : "unwanted";
};

/** As A5 and A6 ask; not of whoever named one of them. To a drained region nobody is led: taking the drain back comes first. */
export const isTargetFit = (
  { verdicts, controls }: Pick<Situation, "verdicts" | "controls">,
  region: RegionId,
  breakGlass: readonly RuleId[] = [],
): boolean => {
  const found = verdicts.find((one) => one.region === region);
  if (!found || controls.drained[region] !== undefined) return false;
  if (breakGlass.includes("A5") || breakGlass.includes("A6")) return true;
  const isBelieved = found.verdict === "healthy" || found.verdict === "degraded";
  return isBelieved && (found.evidence === "good" || found.evidence === "soft");
};

// ------------------------------------------------------------------------------------------------ steps

const stay = (transfer: Transfer, nextLookAt: Instant | null = null, isHookDue = false): TransferStep => ({
  transfer,
  tell: null,
  page: false,
  isHookDue,
  nextLookAt,
});

const moved = (told: Told, nextLookAt: Instant | null = null): TransferStep => ({ ...told, isHookDue: false, nextLookAt });

const enter = (transfer: Transfer, phase: Transfer["phase"], why: string, now: Instant): TransferStep =>
  moved({ transfer: { ...transfer, phase, phaseAt: now, why }, tell: why, page: false }, phase === "done" ? null : now);

const viewOf = ({ databases }: TransferInput, region: RegionId): DatabaseView | undefined =>
  databases.find((one) => one.region === region);

const stepPrepare = (input: TransferInput, spec: StatefulSpec): TransferStep => {
  const { transfer, wish, now } = input;
  const { from, to, hook } = transfer;
  const leaseEndsAt = transfer.phaseAt + spec.leaseMs;
  const deadline = leaseEndsAt + spec.prepareMs;
  const isCalled = isHookCalled(transfer);
  const isWritable = viewOf(input, to)?.role === "writable";
  if (!isCalled && !isWritable) {
    if (!input.isTargetFit) {
      // Who asked for it wants to know; automation chooses another.
      const stoppedFor = transfer.by.kind === "operator" ? "failed" : "unwanted";
      return moved(stopTransfer(transfer, { why: `${to} can't take traffic any more`, stoppedFor, now }));
    }
    if (wish === "unwanted" && viewOf(input, from)?.role === "writable")
      return moved(
        stopTransfer(transfer, { why: `${from} writes, and nothing is to leave it any more`, stoppedFor: "unwanted", now }),
      );
  }
  if (now < leaseEndsAt) return stay(transfer, leaseEndsAt);
  // By the hook whose answer was lost, or by a person.
  if (isWritable)
    return enter({ ...transfer, mayBePromoted: true }, "role", `${to} is seen to write; looking whether nobody else does`, now);
  if (now >= deadline) return moved(stopTransfer(transfer, { ...whyNotPrepared(input, spec), now }));
  if (!spec.hasHook) return waitForPerson(transfer, deadline);
  const warned = isCalled && !input.isTargetFit ? warnUnfit(transfer) : null;
  if (warned) return moved(warned, now);
  const againAt = hook.lastAt === null ? now : hook.lastAt + HOOK_AGAIN_MS;
  const mayCall = !input.isHalted && (isCalled || wish === "wanted");
  return stay(transfer, mayCall && againAt > now ? Math.min(againAt, deadline) : deadline, mayCall && now >= againAt);
};

const whyNotPrepared = (
  { transfer, wish }: TransferInput,
  spec: StatefulSpec,
): Pick<Parameters<typeof stopTransfer>[1], "why" | "stoppedFor"> => {
  const { to, hook } = transfer;
  const within = `within ${durationText(spec.prepareMs)}`;
  if (!spec.hasHook) return { why: `nobody promoted ${to} ${within}`, stoppedFor: "failed" };
  if (hook.attempts > 0)
    return {
      why: `the hook was called ${timesText(hook.attempts)} and promoted nobody ${within}, it last ${lastText(hook)}`,
      stoppedFor: "failed",
    };
  if (wish === "unwanted") return { why: `nothing is to go to ${to} any more`, stoppedFor: "unwanted" };
  return { why: `something else stood in the way of calling the hook ${within}`, stoppedFor: "failed" };
};

const lastText = ({ answer, why }: Transfer["hook"]): string => {
  const because = why === "" ? "" : `: ${why}`;
  if (answer === "none") return "gave no answer";
  return answer === "working" ? `was at work${because}` : `failed${because}`;
};

const waitForPerson = (transfer: Transfer, deadline: Instant): TransferStep => {
  const why = `waiting until somebody promotes ${transfer.to}: no hook is declared`;
  if (transfer.why === why) return stay(transfer, deadline);
  return moved({ transfer: { ...transfer, why, mayBePromoted: true }, tell: why, page: true }, deadline);
};

/** It may be promoted already, and there is no way back that Regent knows. Told once. */
const warnUnfit = (transfer: Transfer): Told | null => {
  const mark = unfitText(transfer);
  if (transfer.why.includes(mark)) return null;
  const why = `${mark}: it goes on, look whether it should`;
  return { transfer: { ...transfer, why }, tell: why, page: true };
};

const stepRole = (input: TransferInput, spec: StatefulSpec): TransferStep => {
  const { transfer, databases, now } = input;
  const { to, phaseAt } = transfer;
  const others = databases.filter(({ region }) => region !== to);
  // What was seen before the phase began is the past.
  const again = others.find(({ role, seenAt }) => role === "writable" && seenAt !== null && seenAt > phaseAt);
  if (again)
    return moved(
      stopTransfer(transfer, {
        why: `${again.region} is seen to write while the role is at ${to}: ${again.why}`,
        stoppedFor: "failed",
        now,
      }),
    );
  const isClear = others.every(({ role }) => role !== "writable" && role !== "split");
  const view = viewOf(input, to);
  if (view?.role === "writable" && isClear)
    return enter(transfer, "switch", `${to} is seen to write and nobody else: traffic follows`, now);
  const deadline = phaseAt + spec.roleMs;
  if (now < deadline) return stay(transfer, deadline);
  const seen = view === undefined || view.role !== "writable" ? (view?.why ?? `nothing is seen of ${to}`) : notClear(others);
  return moved(
    stopTransfer(transfer, {
      why: `${to} was not seen to write alone within ${durationText(spec.roleMs)}: ${seen}`,
      stoppedFor: "failed",
      now,
    }),
  );
};

const notClear = (others: readonly DatabaseView[]): string =>
  others
    .filter(({ role }) => role === "writable" || role === "split")
    .map(({ why }) => why)
    .join("; ");

/** Told once: what holds it back may be worded anew at each look. */
const stepSwitch = ({ transfer, change, heldBack, now }: TransferInput, spec: StatefulSpec): TransferStep => {
  const { to, phaseAt } = transfer;
  if (change !== "none") return enter(transfer, "verify", `DNS gives the traffic to ${to}: following until it is seen`, now);
  const lateAt = phaseAt + spec.roleMs;
  const mark = `the writable role has moved to ${to}, and the traffic hasn't`;
  if (transfer.why.startsWith(mark)) return stay(transfer);
  if (now < lateAt && heldBack === null) return stay(transfer, lateAt);
  const why = `${mark}: ${heldBack ?? `DNS doesn't say so ${durationText(spec.roleMs)} later`}`;
  return moved({ transfer: { ...transfer, why }, tell: why, page: true });
};

const stepVerify = ({ transfer, change, wish, now }: TransferInput): TransferStep => {
  const { to, from, startedAt } = transfer;
  // A newer word than this one's, or another fault: nobody leads the traffic back.
  if (change === "none" && wish === "unwanted")
    return moved(stopTransfer(transfer, { why: "the traffic was led elsewhere since", stoppedFor: "unwanted", now }));
  if (change === "none") return enter(transfer, "switch", `the change that gave ${to} the traffic is gone: once more`, now);
  if (change === "accepted") return stay(transfer);
  return enter(
    transfer,
    "done",
    `the writable role and the traffic went from ${from} to ${to} in ${durationText(now - startedAt)}`,
    now,
  );
};

/** The old one came back as it was: nothing moves for that, and somebody has to end one of them. Told when it begins, and when it is over. */
const stepDone = ({ transfer, databases }: TransferInput): TransferStep => {
  const { from, to, phaseAt } = transfer;
  const writing = databases.filter(({ role, seenAt }) => role === "writable" && (seenAt ?? 0) > phaseAt);
  const isSeen = [from, to].every((region) => databases.some((one) => one.region === region && one.role !== "unseen"));
  const { isDoubled = false, ...single } = transfer;
  if (!isDoubled && writing.length > 1) {
    const names = writing.map(({ region }) => region).sort();
    const tell = `the databases of ${names.join(" and ")} can both be written to, since the role went to ${to}: end one of them`;
    return moved({ transfer: { ...transfer, isDoubled: true }, tell, page: true });
  }
  if (!isDoubled || writing.length > 1 || !isSeen) return stay(transfer);
  const [only] = writing;
  return moved({
    transfer: single,
    tell: `${only ? `${only.region} alone` : "no database"} is seen to write again`,
    page: false,
  });
};
