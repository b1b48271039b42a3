/**
 * The lease row. Every statement compares with the database's own clock; the row stays for ever, so that terms only grow. Nobody is given more
 * than `ttlMs` from now: a lease that runs for longer was given before the clock was set back, and is free like an expired one.
 */
import { CLOCK_AHEAD_MS } from "../../limits.ts";
import type { Lease, LeaseView } from "../../ports/lease.ts";
import type { Database, Send } from "./database.ts";
import { FENCED_OVERDUE_MS } from "./limits.ts";

export const createPostgresLease = ({ database }: { readonly database: Database }): Lease => ({
  acquire: (holder, ttlMs, termAbove) =>
    database.urgent(async (send) => {
      // Without a lock: whoever only looks disturbs nobody.
      const [seen] = await send<{ isFree: boolean }[]>`
        select expires_at <= regent.now_ms() or holder = ${holder}
          or expires_at > regent.now_ms() + ${ttlMs + CLOCK_AHEAD_MS}::bigint as "isFree"
        from regent.lease where name = 'leader'`;
      if (seen?.isFree === false) return null;
      if (seen) await endOverdue(send);
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

/**
 * Ends the connections of whoever led and still holds the row in an old transaction. A process that is frozen, or cut off without a word, between
 * two messages of one statement is waited for without end: no timeout of the server counts there. What it began under a lease that ran out
 * must not be committed, and its locks on services would hold up the next leader as well.
 */
const endOverdue = async (send: Send): Promise<void> => {
  await send`
    select pg_terminate_backend(held.pid)
    from pg_locks held join pg_stat_activity activity on activity.pid = held.pid
    where held.locktype = 'relation' and held.relation = 'regent.lease'::regclass and held.mode = 'RowShareLock' and held.granted
      and activity.datname = current_database()
      and activity.xact_start < clock_timestamp() - ${FENCED_OVERDUE_MS} * interval '1 millisecond'
      and exists (select 1 from regent.lease where name = 'leader' and expires_at <= regent.now_ms())`;
};

/** Holds the lease row still until the transaction ends; false when this holder and term don't lead any more. */
export const isLeading = async (send: Send, holder: string, term: number): Promise<boolean> => {
  const rows = await send`
    select 1 from regent.lease
    where name = 'leader' and holder = ${holder} and term = ${term} and expires_at > regent.now_ms()
    for share`;
  return rows.length === 1;
};
