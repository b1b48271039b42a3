/**
 * What this control plane can do now, as one word. Pure: rounds of looking go in, latches with hysteresis are kept, and the word follows from
 * them and from who leads. The worst that is true is said.
 *
 *   isolated   nothing outside answers us: we can't tell the world's failure from our own, so we don't lead
 *   degraded   the database is away, refuses writes or is slow, or nobody leads: nothing can be decided safely
 *   emergency  everything is frozen, by an operator or because the database is older than DNS: only people move traffic
 *   read-only  somebody else leads: reports are taken, questions answered
 *   normal     we lead
 */
import type { Overview } from "@regent/contract";

export type Mode = Overview["mode"];

/** What one round of looking found. */
export interface ModeRound {
  readonly database: "fast" | "slow" | "away";
  /** `unknown`: there is nothing to look at. */
  readonly outside: "reached" | "unreached" | "unknown";
}

/** How many rounds in a row speak against what is believed. */
interface Latch {
  readonly isBad: boolean;
  readonly against: number;
}

export interface ModeMemory {
  readonly database: Latch;
  readonly outside: Latch;
  /** As last seen while it was bad, or now. */
  readonly databaseSeen: ModeRound["database"];
}

export interface ModeFacts {
  readonly isLeading: boolean;
  /** Somebody is known to lead, we or another. */
  readonly isLed: boolean;
  /** Reason of the global freeze; null when there is none. */
  readonly frozen: string | null;
}

export interface ModeView {
  readonly mode: Mode;
  /** One sentence. */
  readonly why: string;
}

/** Rounds are 2 s apart. One lost ping is no news; a failing write is told by its own error anyway. */
export const DATABASE_BAD_ROUNDS = 2;
/** It must have held for a while before it is trusted with decisions again. */
export const DATABASE_GOOD_ROUNDS = 3;
/** Stepping down costs a change of leader: three rounds in which no canary answers. */
export const OUTSIDE_BAD_ROUNDS = 3;
export const OUTSIDE_GOOD_ROUNDS = 3;

const GOOD: Latch = { isBad: false, against: 0 };
export const MODE_START: ModeMemory = { database: GOOD, outside: GOOD, databaseSeen: "fast" };

export const foldModeRound = (memory: ModeMemory, { database, outside }: ModeRound): ModeMemory => ({
  database: turn(memory.database, database !== "fast", DATABASE_BAD_ROUNDS, DATABASE_GOOD_ROUNDS),
  // Canaries that were taken away by a new configuration can't hold anybody isolated.
  outside: turn(memory.outside, outside === "unreached", OUTSIDE_BAD_ROUNDS, OUTSIDE_GOOD_ROUNDS),
  databaseSeen: database === "fast" && memory.database.isBad ? memory.databaseSeen : database,
});

const turn = ({ isBad, against }: Latch, looksBad: boolean, toBad: number, toGood: number): Latch => {
  if (looksBad === isBad) return { isBad, against: 0 };
  const next = against + 1;
  return next >= (isBad ? toGood : toBad) ? { isBad: looksBad, against: 0 } : { isBad, against: next };
};

export const isIsolated = ({ outside }: ModeMemory): boolean => outside.isBad;

/** No batch is begun: what would be decided could not be written down in time, or rests on nothing. */
export const forbidsWrites = ({ database, outside }: ModeMemory): boolean => database.isBad || outside.isBad;

export const toMode = (memory: ModeMemory, { isLeading, isLed, frozen }: ModeFacts): ModeView => {
  if (memory.outside.isBad) return { mode: "isolated", why: "nothing outside answers this process, so it doesn't lead" };
  if (memory.database.isBad)
    return {
      mode: "degraded",
      why: memory.databaseSeen === "slow" ? "the database is slow: no DNS writes" : "the database is away or refuses writes",
    };
  if (!isLed) return { mode: "degraded", why: "nobody is known to lead" };
  if (frozen !== null) return { mode: "emergency", why: `everything is frozen: ${frozen}` };
  return isLeading ? { mode: "normal", why: "this process leads" } : { mode: "read-only", why: "another process leads" };
};
