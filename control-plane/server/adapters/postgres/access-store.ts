/** Credentials and idempotency keys in Postgres, judged by its clock. Each call sweeps a little, so that nothing grows for ever. */
import { and, eq, gt, isNull, lt, or } from "drizzle-orm";
import type { AccessStore, Credential, IdempotencyBegin } from "../../ports/access-store.ts";
import type { Database, Statements } from "./database.ts";
import { toJsonText, toPlainText } from "./json.ts";
import { IDEMPOTENCY_KEPT_MS, SWEEP_ROWS_MAX } from "./limits.ts";
import { credentials, idempotency, NOW } from "./schema.ts";

const isInForce = or(isNull(credentials.expiresAt), gt(credentials.expiresAt, NOW));

export const createPostgresAccessStore = ({ database }: { readonly database: Database }): AccessStore => ({
  find: (hash) =>
    database.attempt(async (line) => {
      const [row] = await line.orm
        .select()
        .from(credentials)
        .where(and(eq(credentials.hash, hash), isInForce));
      return (row as Credential | undefined) ?? null;
    }),
  put: (credential) => database.attempt((line) => put(line, credential)),
  consume: (hash) =>
    database.attempt(async (line) => {
      const [row] = await line.orm
        .delete(credentials)
        .where(and(eq(credentials.hash, hash), eq(credentials.kind, "code"), isInForce))
        .returning();
      return (row as Credential | undefined) ?? null;
    }),
  remove: (hash) =>
    database.attempt(async (line) => {
      await line.orm.delete(credentials).where(eq(credentials.hash, hash));
    }),
  begin: (key, digest, staleAfterMs) => database.attempt((line) => begin(line, { key, digest, staleAfterMs })),
  finish: (key, digest, answer) =>
    database.attempt(async ({ sql }) => {
      if (answer === null)
        await sql`delete from regent.idempotency where key = ${key} and digest = ${digest} and http_status is null`;
      else
        await sql`
          update regent.idempotency
          set http_status = ${answer.httpStatus}, body = ${toJsonText(answer.body ?? null)}::text::json
          where key = ${key} and digest = ${digest} and http_status is null`;
    }),
});

const put = async (line: Statements, credential: Credential): Promise<void> => {
  const row = { ...credential, name: toPlainText(credential.name) };
  const { hash: _, ...rest } = row;
  await line.orm.insert(credentials).values(row).onConflictDoUpdate({ target: credentials.hash, set: rest });
  await line.orm.delete(credentials).where(lt(credentials.expiresAt, NOW));
};

const begin = async (
  line: Statements,
  { key, digest, staleAfterMs }: { key: string; digest: string; staleAfterMs: number },
): Promise<IdempotencyBegin> => {
  const { sql } = line;
  const [begun] = await sql`
    with swept as (
      delete from regent.idempotency where key in (
        select key from regent.idempotency
        where begun_at < regent.now_ms() - ${IDEMPOTENCY_KEPT_MS}::bigint and key <> ${key} limit ${SWEEP_ROWS_MAX}
        for update skip locked)
    )
    insert into regent.idempotency as i (key, digest, begun_at) values (${key}, ${digest}, regent.now_ms())
    on conflict (key) do update set begun_at = excluded.begun_at
    where i.digest = excluded.digest and i.http_status is null and i.begun_at < regent.now_ms() - ${staleAfterMs}::bigint
    returning 1`;
  if (begun !== undefined) return { kind: "fresh" };
  const [known] = await line.orm.select().from(idempotency).where(eq(idempotency.key, key));
  // Swept away by another replica in between: more than a day old, and so as good as never begun.
  if (known === undefined) return begin(line, { key, digest, staleAfterMs });
  if (known.digest !== digest) return { kind: "mismatch" };
  if (known.httpStatus === null) return { kind: "under-way" };
  return { kind: "answered", httpStatus: known.httpStatus, body: known.body };
};
