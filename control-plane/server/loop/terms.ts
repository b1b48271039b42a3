/** What happens when leading begins, and when it ends. */
import type { ServiceSpec } from "@regent/engine";
import type { EvidenceCache } from "../operations/evidence/evidence-cache.ts";
import type { Ledger } from "../operations/memory/ledger.ts";
import type { Clock } from "../ports/clock.ts";
import type { Alerting } from "./alerting.ts";
import type { ClockWatch } from "./clock-watch.ts";
import type { Evacuating } from "./evacuating.ts";
import type { LeadershipDeps } from "./leadership.ts";
import type { MaintenanceWatch } from "./maintenance-watch.ts";
import type { Paging } from "./paging.ts";
import type { ReconcileLoop } from "./reconcile-loop.ts";
import type { Stateful } from "./stateful.ts";
import type { Telling } from "./telling.ts";
import type { Writing } from "./writing.ts";
import type { ZoneRounds } from "./zone-rounds.ts";

export interface TermParts {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly cache: EvidenceCache;
  readonly specs: () => ReadonlyMap<string, ServiceSpec>;
  readonly loop: ReconcileLoop;
  readonly clockWatch: ClockWatch;
  readonly maintenance: MaintenanceWatch;
  readonly stateful: Stateful;
  readonly telling: Telling;
  readonly paging: Paging;
  readonly alerting: Alerting;
  readonly evacuating: Evacuating;
  readonly writing: Writing;
  readonly zones: ZoneRounds;
  /** The moment in which it began. */
  readonly onBegun: (at: number) => void;
  readonly emit: () => void;
}

export const createTerms = (parts: TermParts): Pick<LeadershipDeps, "onGained" | "onLost"> => {
  const { clock, ledger, cache, specs, loop, maintenance } = parts;
  return {
    onGained: async (term) => {
      await loop.stop();
      ledger.lead(term);
      parts.onBegun(clock.now());
      parts.telling.gained();
      maintenance.gained();
      parts.stateful.forget();
      await ledger.load(specs());
      cache.clear();
      await cache.refresh();
      await maintenance.read();
      await parts.clockWatch.settle();
      loop.start();
      parts.paging.gained();
      parts.alerting.gained();
      await parts.evacuating.gained();
      parts.writing.followUnseen();
      parts.zones.scanSoon();
      parts.emit();
    },
    onLost: () => {
      void loop.stop();
      loop.forget();
      parts.evacuating.lost();
      parts.emit();
    },
  };
};
