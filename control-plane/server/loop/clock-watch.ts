/**
 * What a jump of the database's clock does to what a leader remembers: nothing. The moments move along with it (follow-clock.ts) before anything
 * is decided by the new time; evidence is heard anew.
 */
import type { ServiceSpec } from "@regent/engine";
import type { Logger } from "pino";
import { CLOCK_STEP_COUNTS_MS } from "../limits.ts";
import { AUTOMATION } from "../operations/memory/actors.ts";
import { followClock } from "../operations/memory/follow-clock.ts";
import type { Ledger } from "../operations/memory/ledger.ts";
import { createSlices } from "../operations/memory/slices.ts";
import type { Clock, ClockStep, Ids } from "../ports/clock.ts";

export interface ClockWatch {
  /**
   * For whoever begins to lead, before the first look: writes the moments that have to move, and tells history once of a jump. A jump that
   * another leader has already taken into account makes clocks begin anew, never run out.
   */
  readonly settle: () => Promise<void>;
}

export interface ClockWatchDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly ledger: Ledger;
  readonly specs: () => ReadonlyMap<string, ServiceSpec>;
  readonly onStep: (step: ClockStep) => void;
}

/** A commit's worth of services. */
const SERVICES_MAX = 25;

export const createClockWatch = ({ clock, ids, log, ledger, specs, onStep }: ClockWatchDeps): ClockWatch => {
  /** Not yet taken into account by this process. */
  let pending: { readonly forwardMs: number; readonly byMs: number; readonly noticedAt: number } | null = null;

  const recent = () => (pending && clock.monotonic() - pending.noticedAt < CLOCK_STEP_COUNTS_MS ? pending : null);

  clock.onStep?.((step) => {
    const before = recent();
    pending = {
      forwardMs: (before?.forwardMs ?? 0) + Math.max(0, step.byMs),
      byMs: (before?.byMs ?? 0) + step.byMs,
      noticedAt: clock.monotonic(),
    };
    log.warn({ byMs: step.byMs }, "the database's clock jumped: nothing moves by it, and agents are heard anew");
    onStep(step);
  });

  const settle = async (): Promise<void> => {
    const jump = recent();
    const now = clock.now();
    const services = [...specs().keys()];
    const rest = createSlices();
    for (let from = 0; from < services.length; from += SERVICES_MAX) {
      if (from > 0) await rest();
      await ledger.commit((draft) => {
        for (const service of services.slice(from, from + SERVICES_MAX)) {
          const record = draft.record(service);
          const next = followClock(record, { forwardMs: jump?.forwardMs ?? 0, now });
          if (next !== record) draft.update(service, () => next);
        }
      });
    }
    if (jump === null) return;
    await ledger.commit((draft) =>
      draft.tell({
        id: ids.ulid(),
        at: now,
        service: null,
        kind: "mode",
        actor: AUTOMATION,
        why: `the database's clock jumped by ${Math.round(jump.byMs / 1000)} s; holds, cool-downs and ramps go on as if it hadn't, and agents are heard anew`,
        page: false,
        detail: { byMs: jump.byMs },
      }),
    );
    if (pending === jump) pending = null;
  };

  return { settle };
};
