/** The right to lead for a while, judged by the database's clock alone. For efficiency; the fence in DNS is for safety. */
import type { Instant } from "@regent/contract";

export interface LeaseView {
  readonly holder: string;
  readonly term: number;
  readonly expiresAt: Instant;
}

export interface Lease {
  /**
   * Takes the lease when it is free, expired or already this holder's, with a term above both the last one and `termAbove` (so an earlier
   * self is fenced out); null when somebody else holds it.
   */
  readonly acquire: (holder: string, ttlMs: number, termAbove: number) => Promise<LeaseView | null>;
  /** Extends; null when it was lost. May raise the term (`termAbove`) when DNS shows a higher one. */
  readonly renew: (holder: string, term: number, ttlMs: number, termAbove?: number) => Promise<LeaseView | null>;
  readonly release: (holder: string, term: number) => Promise<void>;
  /** Null when nobody leads: never taken, released or expired. */
  readonly read: () => Promise<LeaseView | null>;
}
