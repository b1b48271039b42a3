/** What runs in the background of every control plane, and how often. Each task says itself what only the leader does. */
import { setInterval as every } from "node:timers/promises";
import type { Logger } from "pino";
import {
  AGGREGATES_KEPT_MS,
  ALERT_ROUND_MS,
  DEAD_LETTERS_LOOK_MS,
  DRIFT_SCAN_MS,
  EVACUATION_POLL_MS,
  MODE_ROUND_MS,
  PAGE_POLL_MS,
  POLL_MS,
  RETENTION_EVERY_MS,
  SUSPECTS_LOOK_MS,
  TRANSITIONS_KEPT_MS,
} from "../limits.ts";
import { type Clock, surelyPast } from "../ports/clock.ts";
import type { EvidenceStore } from "../ports/evidence-store.ts";
import type { Alerting } from "./alerting.ts";
import type { Evacuating } from "./evacuating.ts";
import type { Following } from "./following.ts";
import type { MaintenanceWatch } from "./maintenance-watch.ts";
import type { ModeWatch } from "./mode-watch.ts";
import type { Paging } from "./paging.ts";
import { SEEN_PERIOD_MS } from "./seen-watch.ts";
import type { Telling } from "./telling.ts";
import type { Writing } from "./writing.ts";
import type { ZoneRounds } from "./zone-rounds.ts";

export interface BackgroundParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly evidence: EvidenceStore;
  readonly following: Following;
  readonly zones: ZoneRounds;
  readonly writing: Writing;
  readonly modes: ModeWatch;
  readonly paging: Paging;
  readonly alerting: Alerting;
  readonly evacuating: Evacuating;
  readonly telling: Telling;
  readonly maintenance: MaintenanceWatch;
  readonly signal: AbortSignal;
}

/** Until the signal. Answers what waits for the end of each. */
export const startBackground = (parts: BackgroundParts): readonly (() => Promise<void>)[] => {
  const { log, signal } = parts;

  const start = (name: string, periodMs: number, work: () => Promise<unknown>): (() => Promise<void>) => {
    const run = async (): Promise<void> => {
      for await (const _ of every(periodMs, undefined, { signal, ref: false })) {
        await work().catch((error: unknown) => log.warn({ err: error, task: name }, "background task failed; it is repeated"));
      }
    };
    const running = run().catch(() => undefined);
    return () => running;
  };

  return [
    start("follow", POLL_MS, parts.following.round),
    start("drift scan", DRIFT_SCAN_MS, parts.zones.scanAll),
    start("seen", SEEN_PERIOD_MS, parts.writing.lookAtAll),
    start("mode", MODE_ROUND_MS, parts.modes.look),
    start("pages", PAGE_POLL_MS, parts.paging.round),
    start("alerts", ALERT_ROUND_MS, parts.alerting.round),
    start("evacuations", EVACUATION_POLL_MS, parts.evacuating.round),
    start("suspects", SUSPECTS_LOOK_MS, parts.telling.lookAtSuspects),
    start("dead letters", DEAD_LETTERS_LOOK_MS, parts.telling.lookAtDeadLetters),
    start("maintenance", POLL_MS, parts.maintenance.round),
    start("retention", RETENTION_EVERY_MS, () => dropOld(parts)),
  ];
};

const dropOld = async ({ clock, maintenance, evidence }: BackgroundParts): Promise<void> => {
  const past = surelyPast(clock);
  await maintenance.prune();
  await evidence.prune({ aggregates: past - AGGREGATES_KEPT_MS, transitions: past - TRANSITIONS_KEPT_MS });
};
