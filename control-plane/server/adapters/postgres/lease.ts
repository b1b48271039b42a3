/**
 * The lease row. Every statement compares with the database's own clock; the row stays for ever, so that terms only grow. Nobody is given more
 * than `ttlMs` from now: a lease that runs for longer was given before the clock was set back, and is free like an expired one.
 */
import { CLOCK_AHEAD_MS } from "../../limits.ts";
import type { Lease, LeaseView } from "../../ports/lease.ts";
import type { Database, Send } from "./database.ts";

export const createPostgresLease = ({ database }: { readonly database: Database }): Lease => ({
  acquire: (holder, ttlMs, termAbove) =>
    database.urgent(async (send) => {
      const [taken] = await send<LeaseView[]>`
        insert into regent.lease as l (name, holder, term, expires_at)
        values ('leader', ${holder}, ${termAbove + 1}, regent.now_ms() + ${ttlMs}::bigint)
        on conflict (name) do update set
          holder = excluded.holder, term = greatest(l.term + 1, excluded.term), expires_at = excluded.expires_at
        where l.expires_at <= regent.now_ms() or l.holder = excluded.holder
          or l.expires_at > regent.now_ms() + ${ttlMs + CLOCK_AHEAD_MS}::bigint
        returning holder, term, expires_at as "expiresAt"`;
      return taken ?? null;
    }),
  renew: (holder, term, ttlMs, termAbove = 0) =>
    database.urgent(async (send) => {
      const [renewed] = await send<LeaseView[]>`
        update regent.lease set
          term = greatest(term, ${termAbove >= term ? termAbove + 1 : term}), expires_at = regent.now_ms() + ${ttlMs}::bigint
        where name = 'leader' and holder = ${holder} and term = ${term} and expires_at > regent.now_ms()
        returning holder, term, expires_at as "expiresAt"`;
      return renewed ?? null;
    }),
  release: (holder, term) =>
    database.urgent(async (send) => {
      await send`
        update regent.lease set expires_at = 0 where name = 'leader' and holder = ${holder} and term = ${term}`;
    }),
  read: () =>
    database.urgent(async (send) => {
      const [held] = await send<LeaseView[]>`
        select holder, term, expires_at as "expiresAt" from regent.lease where name = 'leader' and expires_at > regent.now_ms()`;
      return held ?? null;
    }),
});

/** Holds the lease row still until the transaction ends; false when this holder and term don't lead any more. */
export const isLeading = async (send: Send, holder: string, term: number): Promise<boolean> => {
  const rows = await send`
    select 1 from regent.lease
    where name = 'leader' and holder = ${holder} and term = ${term} and expires_at > regent.now_ms()
    for share`;
  return rows.length === 1;
};
