/** Maintenance windows that operators planned; those of the declaration stand in the configuration. */
import type { Instant } from "@regent/contract";
import type { HistoryEntry } from "./decision-store.ts";

export interface StoredWindow {
  /** ULID. */
  readonly id: string;
  readonly from: Instant;
  readonly to: Instant;
  readonly regions: readonly string[];
  /** null: all. */
  readonly services: readonly string[] | null;
  readonly by: string;
  readonly reason: string;
  readonly plannedAt: Instant;
}

/** Fenced by the leader's term, and told in history in the same transaction. */
export interface WindowWrite {
  readonly holder: string;
  readonly term: number;
  readonly entry: HistoryEntry;
}

export interface MaintenanceStore {
  /** Not taken back, and not over at this moment; the first to begin in front. */
  readonly standing: (now: Instant) => Promise<readonly StoredWindow[]>;
  /** `full`: so many stand at this moment already. */
  readonly plan: (
    write: WindowWrite & { readonly window: StoredWindow; readonly now: Instant; readonly standingMax: number },
  ) => Promise<"planned" | "full" | "fenced">;
  /** `gone`: it is over, taken back, or was never there. */
  readonly end: (
    write: WindowWrite & {
      readonly id: string;
      readonly now: Instant;
      readonly ended: { readonly by: string; readonly reason: string; readonly at: Instant };
    },
  ) => Promise<"ended" | "gone" | "fenced">;
  /** Forgets those that were over before this moment; says how many. */
  readonly prune: (before: Instant) => Promise<number>;
}
