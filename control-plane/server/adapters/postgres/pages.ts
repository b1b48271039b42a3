/** Incidents and pages in Postgres. What leads writes on the connections of decisions, so that no flood of reports holds a page back. */
import type { Delivery, PageCursor, Pages, PagesWrite, StoredIncident } from "../../ports/pages.ts";
import { type Database, Rollback, type Send } from "./database.ts";
import { readHistoryAfter } from "./history-read.ts";
import { toJsonText } from "./json.ts";
import { isLeading } from "./lease.ts";

interface IncidentRow {
  readonly version: number;
  readonly body: Omit<StoredIncident, "version">;
}

interface RankedRow extends Delivery {
  readonly isNext: boolean;
  readonly isSurplus: boolean;
}

export const createPostgresPages = ({ database }: { readonly database: Database }): Pages => ({
  read: () =>
    database.urgent(async (send) => {
      const [cursor] = await send<PageCursor[]>`select position, missing from regent.page_cursor`;
      const rows = await send<IncidentRow[]>`select version, body from regent.incident where state = 'open' order by id`;
      return { cursor: cursor ?? { position: 0, missing: [] }, open: rows.map(toIncident) };
    }),
  entriesAfter: ({ position, missing }, limit) =>
    database.attempt((line) => readHistoryAfter(line, { position, missing: missing.map((each) => each.position), limit })),
  write: (write) => database.transaction((send) => writePages(send, write)),
  list: ({ limit, before, state }) =>
    database.attempt(async ({ sql }) => {
      const rows = await sql<IncidentRow[]>`
        select version, body from regent.incident
        where (${before ?? null}::text is null or id < ${before ?? null}::text)
          and (${state ?? null}::text is null or state = ${state ?? null}::text)
        order by id desc limit ${limit}`;
      return rows.map(toIncident);
    }),
  waiting: ({ now, each, most }) =>
    database.urgent(async (send) => {
      const rows = await send<RankedRow[]>`
        with urgent as (
          select position, bool_or(severity = 'critical')
            over (partition by notifier, incident order by position desc) as is_urgent
          from regent.page_delivery
        ), timed as (
          select d.position, d.notifier, d.severity, max(case when u.is_urgent then null else d.due_at end)
            over (partition by d.notifier, d.incident order by d.position) as due_at
          from regent.page_delivery d join urgent u using (position)
        ), ranked as (
          select position,
            row_number() over (partition by notifier order by position) as place,
            row_number() over (partition by notifier
              order by array_position(array['critical', 'warning', 'info'], severity), position desc) as worth,
            count(*) over (partition by notifier) as many
          from timed where due_at is null or due_at <= ${now}
        ), judged as (
          select position, place, worth > greatest(${most}::bigint, many - ${each}::bigint) as "isSurplus" from ranked
        )
        select d.notifier, d.due_at as "dueAt", d.created_at as "createdAt", d.attempts, d.notice,
          r.place <= ${each} as "isNext", r."isSurplus"
        from judged r join regent.page_delivery d using (position)
        where r.place <= ${each} or r."isSurplus"
        order by d.notifier, d.position`;
      const of = (isWanted: (row: RankedRow) => boolean): Delivery[] =>
        rows.filter(isWanted).map(({ isNext: _, isSurplus: __, ...delivery }) => delivery);
      return {
        deliveries: of(({ isNext, isSurplus }) => isNext && !isSurplus),
        surplus: of(({ isSurplus }) => isSurplus),
      };
    }),
  settle: ({ done, tried }) =>
    database.urgent(async (send) => {
      if (done.length > 0)
        await send`
          delete from regent.page_delivery where id in (select jsonb_array_elements_text(${toJsonText(done)}::text::jsonb))`;
      if (tried.length > 0)
        await send`
          update regent.page_delivery set attempts = attempts + 1
          where id in (select jsonb_array_elements_text(${toJsonText(tried)}::text::jsonb))`;
    }),
});

const toIncident = ({ version, body }: IncidentRow): StoredIncident => ({ ...body, version });

type Written = Awaited<ReturnType<Pages["write"]>>;

const writePages = async (send: Send, write: PagesWrite): Promise<Written> => {
  if (!(await isLeading(send, write.holder, write.term))) throw new Rollback<Written>("fenced");
  if (!(await writeIncidents(send, write.incidents))) throw new Rollback<Written>("conflict");
  if (write.overtaken.length > 0)
    await send`
      delete from regent.page_delivery as d
      where due_at > ${write.at} and incident in (select jsonb_array_elements_text(${toJsonText(write.overtaken)}::text::jsonb))
        and exists (select from regent.page_delivery as first where first.notifier = d.notifier and first.incident = d.incident
          and first.notice ->> 'action' = 'open' and first.due_at > ${write.at})
        and not exists (select from regent.page_delivery as loud where loud.notifier = d.notifier and loud.incident = d.incident
          and loud.severity = 'critical')`;
  if (write.deliveries.length > 0)
    await send`
      insert into regent.page_delivery (id, notifier, incident, severity, due_at, created_at, attempts, notice)
      select r.notice ->> 'id', r.notifier, r.notice -> 'incident' ->> 'id', r.notice -> 'incident' ->> 'severity', r."dueAt",
        r."createdAt", r.attempts, r.notice
      from rows from (jsonb_to_recordset(${toJsonText(write.deliveries)}::text::jsonb) as
        (notifier text, "dueAt" bigint, "createdAt" bigint, attempts integer, notice jsonb))
        with ordinality as r (notifier, "dueAt", "createdAt", attempts, notice, place)
      order by r.place on conflict (id) do nothing`;
  if (write.cursor) await moveCursor(send, write.cursor);
  if (write.forgetBefore !== undefined)
    await send`delete from regent.incident where state = 'closed' and closed_at < ${write.forgetBefore}`;
  return "written";
};

const moveCursor = (send: Send, { position, missing }: PageCursor): Promise<unknown> =>
  send`
    insert into regent.page_cursor (position, missing) values (${position}, ${toJsonText(missing)}::text::jsonb)
    on conflict (is_only) do update set position = excluded.position, missing = excluded.missing`;

/** False when one of them was written by somebody else since it was read. */
const writeIncidents = async (send: Send, incidents: readonly StoredIncident[]): Promise<boolean> => {
  if (incidents.length === 0) return true;
  // Those that close first: another of the same cause may open in the same write.
  const rows = incidents
    .map(({ version, ...body }) => ({ ...body, version: version + 1, body }))
    .sort((a, b) => (a.state === b.state ? 0 : a.state === "closed" ? -1 : 1));
  const written = await Promise.all(
    rows.map(
      (row) => send<{ id: string }[]>`
        insert into regent.incident as i (id, cause, state, severity, opened_at, closed_at, version, body)
        values (${row.id}, ${row.cause}, ${row.state}, ${row.severity}, ${row.openedAt}, ${row.closedAt}, ${row.version},
          ${toJsonText(row.body)}::text::jsonb)
        on conflict (id) do update set
          state = excluded.state, severity = excluded.severity, closed_at = excluded.closed_at, version = excluded.version,
          body = excluded.body
        where i.version = excluded.version - 1
        returning i.id`,
    ),
  );
  return written.every((returned) => returned.length === 1);
};
