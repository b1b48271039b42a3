/** What is written down of who may write, read anew at every question: an old answer could make two writers. */
import type { TrafficMemory } from "@regent/engine";
import type { StoredTransfer } from "./decision-store.ts";

export interface RoleRow {
  /** Of the service's row: grows with every commit. */
  readonly version: number;
  readonly passive: TrafficMemory["passive"];
  readonly transfer: StoredTransfer | null;
  /** Everything is frozen because the database was restored: newer words may be lost. */
  readonly isRestored: boolean;
}

export interface RoleReader {
  /** As last committed, by whomever; null where nothing is. Throws DatabaseAway rather than answer from a copy that may lag. */
  readonly read: (service: string) => Promise<RoleRow | null>;
}
