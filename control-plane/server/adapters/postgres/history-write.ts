/** Appends to history inside a transaction. The counter of a scope is locked until the commit, so its numbers have no gap. */
import type { HistoryEntry } from "../../ports/decision-store.ts";
import type { Send } from "./database.ts";
import { toJsonText } from "./json.ts";

export const appendHistory = async (send: Send, entries: readonly HistoryEntry[]): Promise<void> => {
  if (entries.length === 0) return;
  const countByScope = new Map<string, number>();
  for (const { service } of entries) countByScope.set(service ?? "", (countByScope.get(service ?? "") ?? 0) + 1);
  const lastByScope = await takeNumbers(send, countByScope);
  const rows = entries.map((entry) => {
    const scope = entry.service ?? "";
    const left = countByScope.get(scope) ?? 0;
    countByScope.set(scope, left - 1);
    return { ...entry, sequence: (lastByScope.get(scope) ?? 0) - left + 1 };
  });
  await send`
    insert into regent.history (id, service, sequence, at, kind, actor_kind, actor_name, why, page, change_id, detail)
    select r.id, r.service, r.sequence, r.at, r.kind, r.actor ->> 'kind', r.actor ->> 'name', r.why, r.page, r."changeId", r.detail
    from rows from (jsonb_to_recordset(${toJsonText(rows)}::text::jsonb) as
      (id text, service text, sequence bigint, at bigint, kind text, actor jsonb, why text, page boolean, "changeId" text, detail jsonb))
      with ordinality as r (id, service, sequence, at, kind, actor, why, page, "changeId", detail, place)
    order by r.place`;
};

/** The last number of each scope after taking `count` of them. In the order of scopes, so that two writers never wait for each other. */
const takeNumbers = async (send: Send, countByScope: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, number>> => {
  const wanted = [...countByScope].map(([scope, count]) => ({ scope, count }));
  const rows = await send<{ scope: string; last: number }[]>`
    insert into regent.history_counter as c (scope, last)
    select r.scope, r.count from jsonb_to_recordset(${toJsonText(wanted)}::text::jsonb) as r (scope text, count bigint)
    order by r.scope
    on conflict (scope) do update set last = c.last + excluded.last
    returning scope, last`;
  return new Map(rows.map(({ scope, last }) => [scope, last]));
};
