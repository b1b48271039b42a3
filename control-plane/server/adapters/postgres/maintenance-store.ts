/** Planned maintenance windows in Postgres. A window that is taken back keeps its row until it is forgotten, and says by whom. */
import type { MaintenanceStore, StoredWindow } from "../../ports/maintenance-store.ts";
import { type Database, Rollback, type Send, type Statements } from "./database.ts";
import { appendHistory } from "./history-write.ts";
import { toJsonText } from "./json.ts";
import { isLeading } from "./lease.ts";

type Plan = Parameters<MaintenanceStore["plan"]>[0];
type Planned = Awaited<ReturnType<MaintenanceStore["plan"]>>;
type End = Parameters<MaintenanceStore["end"]>[0];
type Ended = Awaited<ReturnType<MaintenanceStore["end"]>>;

export const createPostgresMaintenanceStore = ({ database }: { readonly database: Database }): MaintenanceStore => ({
  standing: (now) => database.attempt((line) => readStanding(line, now)),
  plan: (write) => database.transaction((send) => plan(send, write)),
  end: (write) => database.transaction((send) => end(send, write)),
  prune: (before) =>
    database.attempt(
      async ({ sql }) => (await sql`delete from regent.maintenance_window where to_at < ${before} returning 1`).length,
    ),
});

interface Row {
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly body: Omit<StoredWindow, "id" | "from" | "to">;
}

const readStanding = async ({ sql }: Statements, now: number): Promise<readonly StoredWindow[]> => {
  const rows = await sql<Row[]>`
    select id, from_at as "from", to_at as "to", body from regent.maintenance_window
    where to_at > ${now} and body -> 'ended' is null
    order by from_at, id`;
  return rows.map(({ id, from, to, body: { regions, services, by, reason, plannedAt } }) => ({
    id,
    from,
    to,
    regions,
    services,
    by,
    reason,
    plannedAt,
  }));
};

/** Two operators at once are counted one after the other. */
const plan = async (send: Send, { holder, term, entry, window, now, standingMax }: Plan): Promise<Planned> => {
  if (!(await isLeading(send, holder, term))) throw new Rollback<Planned>("fenced");
  await send`lock table regent.maintenance_window in share row exclusive mode`;
  const { id, from, to, ...body } = window;
  const rows = await send`
    insert into regent.maintenance_window (id, from_at, to_at, body)
    select ${id}, ${from}::bigint, ${to}::bigint, ${toJsonText(body)}::text::jsonb
    where (select count(*) from regent.maintenance_window where to_at > ${now}::bigint and body -> 'ended' is null) < ${standingMax}::bigint
    returning 1`;
  if (rows.length === 0) throw new Rollback<Planned>("full");
  await appendHistory(send, [entry]);
  return "planned";
};

const end = async (send: Send, { holder, term, entry, id, now, ended }: End): Promise<Ended> => {
  if (!(await isLeading(send, holder, term))) throw new Rollback<Ended>("fenced");
  const rows = await send`
    update regent.maintenance_window set body = body || ${toJsonText({ ended })}::text::jsonb
    where id = ${id} and to_at > ${now}::bigint and body -> 'ended' is null
    returning 1`;
  if (rows.length === 0) throw new Rollback<Ended>("gone");
  await appendHistory(send, [entry]);
  return "ended";
};
