/** What the agent knows of itself: mode, counts, and how far its clock is off. One place, read by reports and metrics alike. */
import { foldMode, type ModeEvent, type ModeState, modeStart } from "../../core/mode.ts";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import type { Answer } from "./transport.ts";

export interface Condition {
  readonly mode: () => ModeState;
  readonly reportsTaken: () => number;
  readonly reportsFailed: () => number;
  /** What to add to the wall clock to have the control plane's, ms. */
  readonly skewMs: () => number;
  readonly answered: (answer: Answer, tookMs: number) => void;
  readonly looked: (self: { readonly isIsolated: boolean; readonly isSpoolFull: boolean }) => void;
  readonly adoptTime: (serverTime: number) => void;
}

export const createCondition = (clock: Clock, log: Log): Condition => {
  let mode = modeStart(clock.now());
  let taken = 0;
  let failed = 0;
  let skewMs = 0;

  const fold = (event: ModeEvent): void => {
    const before = mode.mode;
    mode = foldMode(mode, event, clock.now());
    if (mode.mode !== before) log.info({ from: before, to: mode.mode }, "agent mode changed");
  };

  return {
    mode: () => mode,
    reportsTaken: () => taken,
    reportsFailed: () => failed,
    skewMs: () => skewMs,
    answered: (answer, tookMs) => {
      if (answer.kind === "taken" || answer.kind === "taken-before") {
        taken += 1;
        fold({ kind: "acknowledged", tookMs });
        return;
      }
      failed += 1;
      fold({ kind: answer.kind === "wait" ? "told-to-wait" : "failed" });
      log.warn({ kind: answer.kind, ...("why" in answer ? { why: answer.why } : {}) }, "a report was not taken");
    },
    looked: (self) => fold({ kind: "looked", ...self }),
    adoptTime: (serverTime) => {
      skewMs = serverTime - clock.wall();
      log.warn({ skewMs }, "the clock differs from the control plane's");
    },
  };
};
