/** Pages of history, newest first, with the change that an entry tells of and the clocks that it reached since. */
import type { HistoryEvent } from "@regent/contract";
import { and, asc, desc, eq, gt, inArray, lt, or } from "drizzle-orm";
import type { HistoryQuery } from "../../ports/decision-store.ts";
import type { Statements } from "./database.ts";
import { readChanges } from "./decision-read.ts";
import { HISTORY_PAGE_MAX } from "./limits.ts";
import { history } from "./schema.ts";

/** A cursor is the position of the last entry that was given. One that nobody gave out has nothing after it. */
export const readHistory = async (
  line: Statements,
  query: HistoryQuery,
): Promise<{ events: readonly HistoryEvent[]; next: string | null }> => {
  const limit = Math.max(1, Math.min(query.limit, HISTORY_PAGE_MAX));
  const before = query.cursor === undefined ? Number.MAX_SAFE_INTEGER : toPosition(query.cursor);
  const rows = await line.orm
    .select()
    .from(history)
    .where(
      and(
        lt(history.position, before),
        query.service === undefined ? undefined : eq(history.service, query.service),
        query.kinds === undefined ? undefined : inArray(history.kind, [...query.kinds]),
      ),
    )
    .orderBy(desc(history.position))
    .limit(limit + 1);
  const page = rows.slice(0, limit);
  const changeIds = page.flatMap((row) => row.changeId ?? []);
  const changeById = await readChanges(line, changeIds);
  const last = page.at(-1);
  return {
    events: page.map((row) => toHistoryEvent(row, changeById)),
    next: rows.length > limit && last !== undefined ? String(last.position) : null,
  };
};

/** Oldest first: what lies behind `position`, and what is at one of `missing`. */
export const readHistoryAfter = async (
  line: Statements,
  { position, missing, limit }: { readonly position: number; readonly missing: readonly number[]; readonly limit: number },
): Promise<readonly { readonly position: number; readonly event: HistoryEvent }[]> => {
  const behind = gt(history.position, position);
  const rows = await line.orm
    .select()
    .from(history)
    .where(missing.length === 0 ? behind : or(behind, inArray(history.position, [...missing])))
    .orderBy(asc(history.position))
    .limit(Math.min(limit, HISTORY_PAGE_MAX));
  const changeById = await readChanges(
    line,
    rows.flatMap((row) => row.changeId ?? []),
  );
  return rows.map((row) => ({ position: row.position, event: toHistoryEvent(row, changeById) }));
};

const toPosition = (cursor: string): number => (/^[1-9][0-9]{0,15}$/.test(cursor) ? Number(cursor) : 0);

const toHistoryEvent = (row: typeof history.$inferSelect, changeById: Awaited<ReturnType<typeof readChanges>>): HistoryEvent => {
  const change = row.changeId === null ? undefined : changeById.get(row.changeId);
  return {
    id: row.id,
    at: row.at,
    service: row.service,
    sequence: row.sequence,
    kind: row.kind as HistoryEvent["kind"],
    actor: { kind: row.actorKind as HistoryEvent["actor"]["kind"], name: row.actorName },
    why: row.why,
    page: row.page,
    ...(change === undefined ? {} : { change }),
    detail: row.detail as HistoryEvent["detail"],
  };
};
