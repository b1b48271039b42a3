/**
 * Regions that are left, or returned to, across services: each is one row, rewritten as it goes on, so that the next leader goes on where the last
 * one stood. What is told of it in history is written in the same transaction.
 */
import type { Evacuation } from "@regent/contract";
import type { HistoryEntry } from "./decision-store.ts";

export interface StoredEvacuation extends Evacuation {
  /** Grows with every write; 0 before the first. */
  readonly version: number;
}

export interface EvacuationWrite {
  readonly holder: string;
  readonly term: number;
  /** As it is from now on; `version` is the one that was read, the row gets version + 1. */
  readonly evacuation: StoredEvacuation;
  readonly history: readonly HistoryEntry[];
  /** Of those that are over the newest so many stay. */
  readonly keptMax: number;
}

export interface Evacuations {
  /** Those that run, and stopped ones of which a service is still moving. Oldest first. */
  readonly open: () => Promise<readonly StoredEvacuation[]>;
  readonly read: (id: string) => Promise<StoredEvacuation | null>;
  /** Newest first; `before` is the id to go on from. */
  readonly list: (query: {
    readonly limit: number;
    readonly before?: string;
    readonly region?: string;
  }) => Promise<readonly StoredEvacuation[]>;
  /** Fenced as a commit of decisions. `conflict`: somebody else wrote it since, or another one of its region runs; nothing was written. */
  readonly write: (write: EvacuationWrite) => Promise<"written" | "fenced" | "conflict">;
}
