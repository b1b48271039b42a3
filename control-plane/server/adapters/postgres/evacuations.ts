/** Evacuations in Postgres: a row each, rewritten by the leader alone. */
import type { Evacuations, EvacuationWrite, StoredEvacuation } from "../../ports/evacuations.ts";
import { type Database, Rollback, type Send } from "./database.ts";
import { appendHistory } from "./history-write.ts";
import { toJsonText } from "./json.ts";
import { isLeading } from "./lease.ts";

interface Row {
  readonly version: number;
  readonly body: Omit<StoredEvacuation, "version">;
}

export const createPostgresEvacuations = ({ database }: { readonly database: Database }): Evacuations => ({
  open: () =>
    database.urgent(async (send) => {
      const rows = await send<Row[]>`
        select version, body from regent.evacuation
        where state = 'running' or body @> '{"services": [{"state": "moving"}]}' order by id`;
      return rows.map(toEvacuation);
    }),
  read: (id) =>
    database.attempt(async ({ sql }) => {
      const [row] = await sql<Row[]>`select version, body from regent.evacuation where id = ${id}`;
      return row ? toEvacuation(row) : null;
    }),
  list: ({ limit, before, region }) =>
    database.attempt(async ({ sql }) => {
      const rows = await sql<Row[]>`
        select version, body from regent.evacuation
        where (${before ?? null}::text is null or id < ${before ?? null}::text)
          and (${region ?? null}::text is null or region = ${region ?? null}::text)
        order by id desc limit ${limit}`;
      return rows.map(toEvacuation);
    }),
  write: (write) => database.transaction((send) => writeEvacuation(send, write)),
});

const toEvacuation = ({ version, body }: Row): StoredEvacuation => ({ ...body, version });

const writeEvacuation = async (
  send: Send,
  { holder, term, evacuation, history, keptMax }: EvacuationWrite,
): ReturnType<Evacuations["write"]> => {
  if (!(await isLeading(send, holder, term))) throw new Rollback("fenced" as const);
  const { version, ...body } = evacuation;
  const { id, region, direction, state, at } = body;
  if (state === "running") {
    // The index says so too; asked first, it is an answer and no error.
    const others = await send`select 1 from regent.evacuation where state = 'running' and region = ${region} and id <> ${id}`;
    if (others.length > 0) throw new Rollback("conflict" as const);
  }
  const written = await send`
    insert into regent.evacuation as e (id, region, direction, state, at, version, body)
    select ${id}, ${region}, ${direction}, ${state}, ${at}::bigint, ${version + 1}::bigint, ${toJsonText(body)}::text::jsonb
    where ${version}::bigint = 0 or exists (select 1 from regent.evacuation known where known.id = ${id})
    on conflict (id) do update set state = excluded.state, version = excluded.version, body = excluded.body
    where e.version = excluded.version - 1
    returning 1`;
  if (written.length === 0) throw new Rollback("conflict" as const);
  await send`
    delete from regent.evacuation where id in (
      select id from regent.evacuation
      where state <> 'running' and not body @> '{"services": [{"state": "moving"}]}'
      order by id desc offset ${keptMax}::bigint)`;
  await appendHistory(send, history);
  return "written";
};
