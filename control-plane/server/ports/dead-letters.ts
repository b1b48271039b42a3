/**
 * What was acknowledged and could not be processed, kept until a person tries it again or drops it. Bounded: the oldest go. Keeping one proves
 * that the database is there, so nothing comes here while it is away.
 */
import type { DeadLetter, DeadLetterDetail, Instant } from "@regent/contract";

export interface DeadLetterBounds {
  readonly countMax: number;
  readonly bytesMax: number;
  /** Older ones go. */
  readonly keptSince: Instant;
}

export interface DeadLetters {
  /** Keeps it, whatever goes for it; answers how many older ones went. `bytes` is worked out here. */
  readonly keep: (letter: Omit<DeadLetterDetail, "bytes">, bounds: DeadLetterBounds) => Promise<number>;
  /** Newest first, without what came; `before` is the id to go on from. */
  readonly list: (query: { limit: number; before?: string }) => Promise<readonly DeadLetter[]>;
  readonly read: (id: string) => Promise<DeadLetterDetail | null>;
  /** Another try failed. */
  readonly note: (id: string, tried: { at: Instant; why: string }) => Promise<void>;
  /** False when it is gone already. */
  readonly drop: (id: string) => Promise<boolean>;
  /** Drops what is beyond the bounds, oldest first; says how many that were and what is left. */
  readonly prune: (bounds: DeadLetterBounds) => Promise<{ dropped: number; count: number; bytes: number }>;
}
