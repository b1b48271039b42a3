/**
 * The agent's own condition, algorithms 6. Pure. It describes the agent and nothing else: no region is judged by it.
 *
 * normal -> degraded: p95 of the last acknowledgements above 2 s, a 429, or 3 failures in a row; back after 5 clean acknowledgements.
 * emergency: nothing acknowledged for 60 s; one acknowledgement leads to degraded. offline: the agent's own network is cut off, or the
 * spool is full; leads to emergency when both are over.
 */
import type { AgentMode } from "@regent/contract";
import {
  MODE_ACKS_KEPT,
  MODE_CLEAN_ACKS_TO_RECOVER,
  MODE_EMERGENCY_AFTER_MS,
  MODE_FAILURES_TO_DEGRADE,
  MODE_SLOW_ACK_MS,
} from "./limits.ts";

export interface ModeState {
  readonly mode: AgentMode;
  readonly lastAckAt: number;
  readonly failuresInRow: number;
  readonly cleanAcks: number;
  /** Time to acknowledge of the last 20 reports, ms. */
  readonly ackMs: readonly number[];
}

export type ModeEvent =
  | { readonly kind: "acknowledged"; readonly tookMs: number }
  | { readonly kind: "failed" }
  | { readonly kind: "told-to-wait" }
  /** A look at the clock and at ourselves. */
  | { readonly kind: "looked"; readonly isIsolated: boolean; readonly isSpoolFull: boolean };

export const modeStart = (now: number): ModeState => ({
  mode: "normal",
  lastAckAt: now,
  failuresInRow: 0,
  cleanAcks: 0,
  ackMs: [],
});

export const foldMode = (state: ModeState, event: ModeEvent, now: number): ModeState => {
  switch (event.kind) {
    case "acknowledged":
      return foldAck(state, event.tookMs, now);
    case "failed": {
      const failed = { ...state, failuresInRow: state.failuresInRow + 1, cleanAcks: 0 };
      return failed.failuresInRow >= MODE_FAILURES_TO_DEGRADE ? degrade(failed) : failed;
    }
    case "told-to-wait":
      return degrade({ ...state, cleanAcks: 0 });
    case "looked":
      return foldLook(state, event, now);
  }
};

const foldAck = (state: ModeState, tookMs: number, now: number): ModeState => {
  const isClean = tookMs <= MODE_SLOW_ACK_MS;
  const after: ModeState = {
    ...state,
    lastAckAt: now,
    failuresInRow: 0,
    cleanAcks: isClean ? state.cleanAcks + 1 : 0,
    ackMs: [...state.ackMs, tookMs].slice(-MODE_ACKS_KEPT),
  };
  switch (state.mode) {
    case "normal":
      return p95(after.ackMs) > MODE_SLOW_ACK_MS ? degrade(after) : after;
    case "degraded":
      // The slow ones that led here would lead here again at once.
      return after.cleanAcks >= MODE_CLEAN_ACKS_TO_RECOVER ? { ...after, mode: "normal", ackMs: [] } : after;
    case "emergency":
      return { ...after, mode: "degraded", cleanAcks: isClean ? 1 : 0 };
    case "offline":
      return after;
  }
};

const foldLook = (
  state: ModeState,
  { isIsolated, isSpoolFull }: { isIsolated: boolean; isSpoolFull: boolean },
  now: number,
): ModeState => {
  if (isIsolated || isSpoolFull) return state.mode === "offline" ? state : { ...state, mode: "offline", cleanAcks: 0 };
  if (state.mode === "offline") return { ...state, mode: "emergency" };
  return now - state.lastAckAt >= MODE_EMERGENCY_AFTER_MS ? { ...state, mode: "emergency", cleanAcks: 0 } : state;
};

const degrade = (state: ModeState): ModeState => (state.mode === "normal" ? { ...state, mode: "degraded", cleanAcks: 0 } : state);

/** Nearest rank. Of one or two acknowledgements it is the slowest. */
const p95 = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(0.95 * sorted.length) - 1] ?? 0;
};
