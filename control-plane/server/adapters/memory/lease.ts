/** The lease in memory, judged by the clock that it is given: in simulation that is the database's. */
import { CLOCK_AHEAD_MS } from "../../limits.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Lease, LeaseView } from "../../ports/lease.ts";

export interface MemoryLease extends Lease {
  /** What a fenced transaction asks: do this holder and term lead now? */
  readonly isLeading: (holder: string, term: number) => boolean;
}

export const createMemoryLease = ({ clock }: { readonly clock: Pick<Clock, "now"> }): MemoryLease => {
  let row: LeaseView | null = null;
  const isInForce = (view: LeaseView | null): view is LeaseView => view !== null && view.expiresAt > clock.now();
  const isLeading = (holder: string, term: number): boolean => isInForce(row) && row.holder === holder && row.term === term;

  return {
    acquire: async (holder, ttlMs, termAbove) => {
      // Longer than anybody is given: from before the clock was set back.
      const isFree = !isInForce(row) || row.expiresAt > clock.now() + ttlMs + CLOCK_AHEAD_MS;
      if (!isFree && row?.holder !== holder) return null;
      row = { holder, term: Math.max((row?.term ?? 0) + 1, termAbove + 1), expiresAt: clock.now() + ttlMs };
      return row;
    },
    renew: async (holder, term, ttlMs, termAbove = 0) => {
      if (!isLeading(holder, term)) return null;
      row = { holder, term: Math.max(term, termAbove >= term ? termAbove + 1 : term), expiresAt: clock.now() + ttlMs };
      return row;
    },
    release: async (holder, term) => {
      if (row !== null && row.holder === holder && row.term === term) row = { ...row, expiresAt: 0 };
    },
    read: async () => (isInForce(row) ? row : null),
    isLeading,
  };
};
