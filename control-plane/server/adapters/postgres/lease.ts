/** The lease row. Every statement compares with the database's own clock; the row stays for ever, so that terms only grow. */
import type { Lease, LeaseView } from "../../ports/lease.ts";
import type { Database, Transaction } from "./database.ts";

export const createPostgresLease = ({ database }: { readonly database: Database }): Lease => ({
  acquire: (holder, ttlMs, termAbove) =>
    database.attempt(async () => {
      const [taken] = await database.sql()<LeaseView[]>`
        insert into regent.lease as l (name, holder, term, expires_at)
        values ('leader', ${holder}, ${termAbove + 1}, regent.now_ms() + ${ttlMs}::bigint)
        on conflict (name) do update set
          holder = excluded.holder, term = greatest(l.term + 1, excluded.term), expires_at = excluded.expires_at
        where l.expires_at <= regent.now_ms() or l.holder = excluded.holder
        returning holder, term, expires_at as "expiresAt"`;
      return taken ?? null;
    }),
  renew: (holder, term, ttlMs, termAbove = 0) =>
    database.attempt(async () => {
      const [renewed] = await database.sql()<LeaseView[]>`
        update regent.lease set
          term = greatest(term, ${termAbove >= term ? termAbove + 1 : term}), expires_at = regent.now_ms() + ${ttlMs}::bigint
        where name = 'leader' and holder = ${holder} and term = ${term} and expires_at > regent.now_ms()
        returning holder, term, expires_at as "expiresAt"`;
      return renewed ?? null;
    }),
  release: (holder, term) =>
    database.attempt(async () => {
      await database.sql()`
        update regent.lease set expires_at = 0 where name = 'leader' and holder = ${holder} and term = ${term}`;
    }),
  read: () =>
    database.attempt(async () => {
      const [held] = await database.sql()<LeaseView[]>`
        select holder, term, expires_at as "expiresAt" from regent.lease where name = 'leader' and expires_at > regent.now_ms()`;
      return held ?? null;
    }),
});

/** Holds the lease row still until the transaction ends; false when this holder and term don't lead any more. */
export const isLeading = async (sql: Transaction, holder: string, term: number): Promise<boolean> => {
  const rows = await sql`
    select 1 from regent.lease
    where name = 'leader' and holder = ${holder} and term = ${term} and expires_at > regent.now_ms()
    for share`;
  return rows.length === 1;
};
