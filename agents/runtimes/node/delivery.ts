/**
 * The loop that gets reports to a control plane: at once on a transition, otherwise every report interval, again after a failure. It runs
 * beside the probes and never holds them up. One report is under way at a time.
 */
import type { ReportReceipt } from "@regent/contract";
import type { Batch } from "../../core/batch.ts";
import { isHistory, laneOf, type Part } from "../../core/part.ts";
import { createAlarm } from "./alarm.ts";
import { backoffMs } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import {
  COALESCE_MS,
  FATAL_WAIT_MS,
  PUSH_GAP_MS,
  REFRESH_MAX_MS,
  REPORT_JITTER,
  RETRY_MAX_MS,
  RETRY_URGENT_MAX_MS,
} from "./limits.ts";
import type { Answer } from "./transport.ts";

export interface DeliveryDeps {
  readonly clock: Clock;
  readonly batch: Batch;
  readonly controlPlanes: readonly string[];
  readonly reportIntervalMs: () => number;
  readonly chance: () => number;
  /** Signs the part, with ages of now, and sends it. */
  readonly send: (controlPlane: string, part: Part) => Promise<Answer>;
  readonly onReceipt: (receipt: ReportReceipt) => Promise<void>;
  readonly onSkew: (serverTime: number) => void;
  /** `isFirstTry`: nothing of this part was sent before. */
  readonly onAnswer: (answer: Answer, tookMs: number, isFirstTry: boolean) => void;
}

export interface Delivery {
  /** A transition waits. */
  readonly push: () => void;
  /** Sends what there is until `deadline` (monotonic, ms), then ends. */
  readonly stop: (deadline: number) => Promise<void>;
}

interface Wait {
  readonly ms: number;
  /** A new transition does not cut it short. */
  readonly isFirm: boolean;
  /** What waits was surely not taken: it goes again together with a transition that comes meanwhile, and in its lane. */
  readonly givesWay?: boolean;
}

export const createDelivery = (deps: DeliveryDeps): Delivery => {
  const { clock, batch, controlPlanes } = deps;
  const alarm = createAlarm(clock);
  let isUrgent = false;
  let stopBy = Number.POSITIVE_INFINITY;
  let lastBegun = Number.NEGATIVE_INFINITY;
  let partsInRound = 0;
  let preferred = 0;
  let failures = 0;
  /** The last part of which a try may have arrived, though no answer said so. */
  let perhapsTaken = 0;
  let partMax = Number.POSITIVE_INFINITY;

  const isStopping = (): boolean => stopBy < Number.POSITIVE_INFINITY;

  /** One try with the preferred control plane. Returns how long to wait before the next try or part. */
  const attempt = async (part: Part): Promise<Wait> => {
    const begun = clock.now();
    const answer = await deps.send(controlPlanes[preferred]!, part);
    // A full lane for history says nothing of the way for what is live.
    if (answer.kind === "wait" && isHistory(part)) {
      batch.postponeHistory(clock.now() + answer.afterMs, clock.now());
      return { ms: 0, isFirm: false };
    }
    deps.onAnswer(answer, clock.now() - begun, failures === 0);
    if (answer.kind === "taken" || answer.kind === "taken-before") {
      failures = 0;
      batch.delivered(clock.now());
      if (answer.kind === "taken") await deps.onReceipt(answer.receipt);
      return { ms: 0, isFirm: false };
    }
    if (!(answer.kind === "wait" && answer.isTurnedAway)) perhapsTaken = part.sequence;
    batch.failed();
    failures += 1;
    return waitAfter(answer, part);
  };

  /** Another replica is tried at once; the wait comes when all of them failed. */
  const waitAfter = (answer: Exclude<Answer, { kind: "taken" | "taken-before" }>, part: Part): Wait => {
    const isLastReplica = failures % controlPlanes.length === 0;
    const tried = Math.ceil(failures / controlPlanes.length);
    const slowest = batch.hasTransition()
      ? RETRY_URGENT_MAX_MS
      : Math.max(RETRY_URGENT_MAX_MS, Math.min(RETRY_MAX_MS, deps.reportIntervalMs()));
    const turn = (ms: number, isFirm = false): Wait => {
      preferred = (preferred + 1) % controlPlanes.length;
      return { ms: isLastReplica ? ms : 0, isFirm };
    };
    switch (answer.kind) {
      case "retry":
        return turn(backoffMs(tried, slowest, deps.chance()));
      case "wait":
        // A full lane says nothing of the lane for changes. Once, as what goes then is itself a change.
        return answer.isTurnedAway && part.sequence !== perhapsTaken && laneOf(part) !== "transition"
          ? { ...turn(answer.afterMs), givesWay: true }
          : turn(answer.afterMs, true);
      case "refresh":
        return turn(backoffMs(tried, REFRESH_MAX_MS, deps.chance()), true);
      case "displaced":
      case "fatal":
        return turn(FATAL_WAIT_MS, true);
      case "skewed":
        if (answer.serverTime !== undefined) deps.onSkew(answer.serverTime);
        // The first is answered at once with the right time; if that is refused too, waiting is all that is left.
        return answer.serverTime !== undefined && failures === 1
          ? { ms: 0, isFirm: false }
          : turn(backoffMs(tried, slowest, deps.chance()));
      case "too-large":
        return shrink(part);
      case "unreadable":
        batch.giveUp("lose", clock.now());
        return { ms: backoffMs(tried, slowest, deps.chance()), isFirm: true };
    }
  };

  const shrink = (part: Part): Wait => {
    const size = part.observations.length + part.unchanged.length + part.backfill.length;
    partMax = Math.max(1, Math.floor(Math.min(partMax, size) / 2));
    batch.limitPart(partMax);
    batch.giveUp(size > 1 ? "requeue" : "lose", clock.now());
    return { ms: 0, isFirm: false };
  };

  /** Tells everything there is to tell, however many parts and tries that takes. */
  const round = async (): Promise<void> => {
    // What is pushed from here on may miss this round, and then the next comes at once.
    isUrgent = false;
    batch.beginRound();
    partsInRound = 0;
    for (let part = batch.take(clock.now()); part !== undefined; part = batch.take(clock.now())) {
      lastBegun = clock.now();
      partsInRound += 1;
      const wait = await attempt(part);
      await sleep(wait);
      if (wait.givesWay && batch.hasTransition()) batch.giveUp("requeue", clock.now());
      if (clock.now() >= stopBy) return;
    }
  };

  /** News cuts a wait short, unless the control plane asked for it. */
  const sleep = async ({ ms, isFirm }: Wait): Promise<void> => {
    const at = clock.now() + ms;
    if (ms > 0) await alarm.until(Math.min(stopBy, at));
    while (isFirm && !isStopping() && clock.now() < at) await alarm.until(at);
  };

  const untilDue = async (): Promise<void> => {
    const interval = deps.reportIntervalMs() * (1 - REPORT_JITTER * deps.chance());
    const dueAt = isUrgent ? pushAt() : lastBegun + interval;
    if (!isStopping()) await alarm.until(dueAt);
  };

  const pushAt = (): number => Math.max(clock.now() + COALESCE_MS, lastBegun + PUSH_GAP_MS * Math.max(1, partsInRound));

  const run = async (): Promise<void> => {
    while (!isStopping()) {
      await round();
      await untilDue();
    }
    if (clock.now() < stopBy) await round();
  };

  const ended = run();

  return {
    push: () => {
      isUrgent = true;
      alarm.ringAt(pushAt());
    },
    stop: async (deadline) => {
      stopBy = deadline;
      alarm.ringAt(clock.now());
      await ended;
    },
  };
};
