/** Looks at what the mode rests on, a round at a time, and tells when it changed. What the rounds mean stands in operations/modes.ts. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { DATABASE_SLOW_MS, MODE_TOLD_MAX } from "../limits.ts";
import type { DatabaseHealth } from "../operations/control-plane.ts";
import { AUTOMATION } from "../operations/memory/actors.ts";
import type { Ledger } from "../operations/memory/ledger.ts";
import {
  foldModeRound,
  forbidsWrites,
  isIsolated,
  MODE_START,
  type ModeFacts,
  type ModeRound,
  type ModeView,
  toMode,
} from "../operations/modes.ts";
import type { Clock, Ids } from "../ports/clock.ts";

export interface ModeWatch {
  readonly view: () => ModeView;
  readonly mayWrite: () => boolean;
  readonly mayLead: () => boolean;
  /** What became of a write: a database that answers pings may still refuse what matters (a full disk). */
  readonly noteWrite: (isTaken: boolean) => void;
  /** One round; never throws. */
  readonly look: () => Promise<void>;
}

export interface ModeWatchDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly ledger: Ledger;
  readonly facts: () => ModeFacts;
  readonly databaseHealth: () => Promise<DatabaseHealth>;
  readonly outside: () => Promise<ModeRound["outside"]>;
  /** Before the next leader can be found: give the lease back. */
  readonly onIsolated: () => Promise<void>;
  readonly onChange: () => void;
}

export const createModeWatch = (deps: ModeWatchDeps): ModeWatch => {
  const { clock, ids, log, ledger } = deps;
  let memory = MODE_START;
  // Before the first look nobody is known to lead.
  let before = toMode(memory, { isLeading: false, isLed: false, frozen: null });
  let since = clock.now();
  let writes = { taken: 0, refused: 0 };
  /** A trouble that was told has an end that is told. */
  let wasTold = false;
  const untold: { at: number; why: string; page: boolean; detail: Record<string, unknown> }[] = [];

  const view = (): ModeView => toMode(memory, deps.facts());

  const lookAtDatabase = async (): Promise<ModeRound["database"]> => {
    const { taken, refused } = writes;
    writes = { taken: 0, refused: 0 };
    if (refused > 0 && taken === 0) return "away";
    const health = await Promise.race([deps.databaseHealth(), sleep(DATABASE_SLOW_MS, null, { ref: false })]);
    if (health === null) return "slow";
    if (!health.isUp) return "away";
    // Somebody else may have asked before us: then we waited for the rest of the answer only.
    return (health.latencyMs ?? 0) > DATABASE_SLOW_MS ? "slow" : "fast";
  };

  /** Those who can't write now tell it when they can. Only a leader's entries are taken. */
  const tellUntold = async (): Promise<void> => {
    if (untold.length === 0 || !deps.facts().isLeading) return;
    const entries = untold.splice(0);
    await ledger
      .commit((draft) => {
        for (const { at, why, page, detail } of entries)
          draft.tell({ id: ids.ulid(), at, service: null, kind: "mode", actor: AUTOMATION, why, page, detail });
      })
      .catch((error: unknown) => {
        untold.unshift(...entries);
        log.warn({ err: error }, "mode not told in history yet");
      });
  };

  const noteChange = (): void => {
    const now = view();
    if (now.mode === before.mode) return;
    const at = clock.now();
    // That nobody leads is so for a moment at every start and every change of leader.
    const isBad = forbidsWrites(memory);
    const facts = { mode: now.mode, before: before.mode, lastedMs: at - since };
    if (isBad) log.error({ ...facts, page: true, why: now.why }, `${now.mode}: ${now.why}`);
    else log.info({ ...facts, why: now.why }, `${now.mode}: ${now.why}`);
    if (isBad || wasTold) {
      untold.push({ at, why: `${now.mode}: ${now.why}; before that ${before.mode}`, page: isBad, detail: facts });
      wasTold = isBad;
    }
    if (untold.length > MODE_TOLD_MAX) untold.shift();
    before = now;
    since = at;
    deps.onChange();
  };

  return {
    view,
    mayWrite: () => !forbidsWrites(memory),
    mayLead: () => !isIsolated(memory),
    noteWrite: (isTaken) => {
      if (isTaken) writes.taken += 1;
      else writes.refused += 1;
    },
    look: async () => {
      const [database, outside] = await Promise.all([
        lookAtDatabase().catch(() => "away" as const),
        deps.outside().catch(() => "unknown" as const),
      ]);
      const wasIsolated = isIsolated(memory);
      memory = foldModeRound(memory, { database, outside });
      noteChange();
      await tellUntold();
      if (isIsolated(memory) && !wasIsolated) await deps.onIsolated();
    },
  };
};
