/** What the agent knows of itself: mode, counts, and how far its clock is off. One place, read by reports and metrics alike. */
import { foldMode, type ModeEvent, type ModeState, modeStart } from "../../core/mode.ts";
import type { Clock } from "./clock.ts";
import { TWIN_REPLAYS, TWIN_WITHIN_MS } from "./limits.ts";
import type { Log } from "./log.ts";
import type { Answer } from "./transport.ts";

export interface Condition {
  readonly mode: () => ModeState;
  readonly reportsTaken: () => number;
  readonly reportsFailed: () => number;
  /** What to add to the wall clock to have the control plane's, ms. */
  readonly skewMs: () => number;
  readonly answered: (answer: Answer, tookMs: number, isFirstTry: boolean) => void;
  /** Why another process seems to report as this agent; null when none does. */
  readonly twin: () => string | null;
  readonly looked: (self: { readonly isIsolated: boolean; readonly isSpoolFull: boolean }) => void;
  readonly adoptTime: (serverTime: number) => void;
}

export const createCondition = (clock: Clock, log: Log, boot: number): Condition => {
  let mode = modeStart(clock.now());
  let taken = 0;
  let failed = 0;
  let skewMs = 0;
  let twin: string | null = null;
  let replayedAt: readonly number[] = [];

  /** Said aloud once each time; it stands in /readyz as long as it is so. */
  const noteTwin = (answer: Answer, isFirstTry: boolean): void => {
    const now = clock.now();
    if (answer.kind === "taken-before" && isFirstTry) replayedAt = [...replayedAt, now].slice(-TWIN_REPLAYS);
    replayedAt = replayedAt.filter((at) => now - at < TWIN_WITHIN_MS);
    const before = twin;
    if (answer.kind === "displaced")
      twin = `another process with this agent's key began later and is heard instead: boot ${answer.boot}, ours is ${boot}; stop one of them, or give the copy a key of its own`;
    else if (replayedAt.length >= TWIN_REPLAYS)
      twin = `reports that were sent once are taken for sent before: another process with this agent's key counts as boot ${boot} too, or something on the way sends twice`;
    else if (answer.kind === "taken") twin = null;
    if (twin !== null && twin !== before) log.error({ boot }, twin);
  };

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
    twin: () => twin,
    answered: (answer, tookMs, isFirstTry) => {
      noteTwin(answer, isFirstTry);
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
