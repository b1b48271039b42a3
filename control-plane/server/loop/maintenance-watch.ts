/** Maintenance windows of a running control plane: read as operators plan them, looked up by whoever judges, told by the leader. */
import type { Declaration, MaintenanceWindow } from "@regent/contract";
import type { Logger } from "pino";
import { MAINTENANCE_KEPT_MS } from "../limits.ts";
import { type EndWindowOrder, type EndWindowResult, endWindow } from "../operations/maintenance/end-window.ts";
import { createMaintenanceBook, type LookAtMaintenance } from "../operations/maintenance/maintenance-book.ts";
import { type PlanWindowOrder, type PlanWindowResult, planWindow } from "../operations/maintenance/plan-window.ts";
import { createTellWindows } from "../operations/maintenance/tell-windows.ts";
import type { Ledger } from "../operations/memory/ledger.ts";
import { type Clock, type Ids, surelyPast } from "../ports/clock.ts";
import type { DecisionStore } from "../ports/decision-store.ts";
import type { MaintenanceStore } from "../ports/maintenance-store.ts";

export interface MaintenanceWatch {
  readonly look: LookAtMaintenance;
  readonly list: () => readonly MaintenanceWindow[];
  /** Takes over what operators planned; before the first look of a term, and again and again. */
  readonly read: () => Promise<void>;
  /** A new term: what was told is read from history again. */
  readonly gained: () => void;
  /** Reads, and tells what begins and ends. */
  readonly round: () => Promise<void>;
  readonly prune: () => Promise<number>;
  readonly plan: (order: PlanWindowOrder) => Promise<PlanWindowResult>;
  readonly end: (order: EndWindowOrder) => Promise<EndWindowResult>;
}

export interface MaintenanceWatchDeps {
  readonly holder: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly maintenance: MaintenanceStore;
  readonly decisions: Pick<DecisionStore, "readHistory">;
  readonly ledger: Ledger;
  /** Null before the first configuration. */
  readonly declared: () => Declaration | null;
  readonly isLeading: () => boolean;
  /** Other windows are known: what rests on them is looked at. */
  readonly onNew: () => void;
}

export const createMaintenanceWatch = (deps: MaintenanceWatchDeps): MaintenanceWatch => {
  const { clock, log, maintenance: store, declared, isLeading } = deps;
  const book = createMaintenanceBook(declared);
  let tell = createTellWindows({ ...deps, book });
  const planDeps = {
    ...deps,
    store,
    book,
    declaration: (): Declaration => {
      const declaration = declared();
      if (!declaration) throw new Error("no configuration is applied yet");
      return declaration;
    },
  };

  const read = async (): Promise<void> => {
    if (book.keep(await store.standing(clock.now()))) deps.onNew();
  };
  /** It stands already; that it isn't read yet is no failure of what was asked. */
  const readSafely = (): Promise<void> =>
    read().catch((error: unknown) => log.warn({ err: error }, "maintenance not read; the next round reads it again"));

  return {
    look: book.look,
    list: () => book.list(clock.now()),
    read,
    gained: () => {
      tell = createTellWindows({ ...deps, book });
    },
    round: async () => {
      await read();
      if (isLeading()) await tell();
    },
    prune: () => store.prune(surelyPast(clock) - MAINTENANCE_KEPT_MS),
    plan: async (order) => {
      const result = await planWindow(planDeps, order);
      if (result.kind === "answered" && !result.answer.dryRun) await readSafely();
      return result;
    },
    end: async (order) => {
      const result = await endWindow(planDeps, order);
      if (result.kind === "ended") await readSafely();
      return result;
    },
  };
};
