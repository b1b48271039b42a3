/** Dead letters in Postgres. Single statements: each stands or falls alone. */
import type { DeadLetter, DeadLetterDetail } from "@regent/contract";
import type { DeadLetterBounds, DeadLetters } from "../../ports/dead-letters.ts";
import type { Database, Statements } from "./database.ts";
import { toPlainText } from "./json.ts";

type Row = DeadLetter & { readonly payload: string };

export const createPostgresDeadLetters = ({ database }: { readonly database: Database }): DeadLetters => ({
  keep: ({ id, at, kind, subject, why, attempts, triedAt, payload }, bounds) =>
    database.attempt(async (line) => {
      // JSON text escapes what a text column refuses.
      const text = JSON.stringify(payload ?? null);
      const bytes = Buffer.byteLength(text);
      const went = await prune(line, { ...bounds, countMax: bounds.countMax - 1, bytesMax: bounds.bytesMax - bytes });
      await line.sql`
        insert into regent.dead_letter (id, at, kind, subject, why, attempts, tried_at, bytes, payload)
        values (${id}, ${at}, ${kind}, ${toPlainText(subject)}, ${toPlainText(why)}, ${attempts}, ${triedAt}, ${bytes}, ${text})
        on conflict (id) do nothing`;
      return went;
    }),
  list: ({ limit, before }) =>
    database.attempt(async ({ sql }) => [
      ...(await sql<DeadLetter[]>`
        select id, at, kind, subject, why, attempts, tried_at as "triedAt", bytes
        from regent.dead_letter where ${before ?? null}::text is null or id < ${before ?? null}::text
        order by id desc limit ${limit}`),
    ]),
  read: (id) =>
    database.attempt(async ({ sql }) => {
      const [row] = await sql<Row[]>`
        select id, at, kind, subject, why, attempts, tried_at as "triedAt", bytes, payload
        from regent.dead_letter where id = ${id}`;
      return row ? ({ ...row, payload: JSON.parse(row.payload) as unknown } satisfies DeadLetterDetail) : null;
    }),
  note: (id, { at, why }) =>
    database.attempt(async ({ sql }) => {
      await sql`
        update regent.dead_letter set attempts = attempts + 1, tried_at = ${at}, why = ${toPlainText(why)} where id = ${id}`;
    }),
  drop: (id) =>
    database.attempt(async ({ sql }) => (await sql`delete from regent.dead_letter where id = ${id} returning 1`).length > 0),
  prune: (bounds) =>
    database.attempt(async (line) => {
      const dropped = await prune(line, bounds);
      const [left] = await line.sql<{ count: number; bytes: number }[]>`
        select count(*) as count, coalesce(sum(bytes), 0)::bigint as bytes from regent.dead_letter`;
      return { dropped, count: left?.count ?? 0, bytes: left?.bytes ?? 0 };
    }),
});

const prune = async ({ sql }: Statements, { countMax, bytesMax, keptSince }: DeadLetterBounds): Promise<number> => {
  const gone = await sql`
    delete from regent.dead_letter where id in (
      select id from (
        select id, at, row_number() over newest as place, sum(bytes) over newest as total
        from regent.dead_letter window newest as (order by id desc)
      ) as ranked where place > ${countMax}::bigint or total > ${bytesMax}::bigint or at < ${keptSince}::bigint)
    returning 1`;
  return gone.length;
};
