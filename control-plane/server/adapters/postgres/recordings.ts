/** Recordings in Postgres: four plain reads. What is over changes no more, so they need no common snapshot. */
import type { Instant, RecordedTurn } from "@regent/contract";
import type { Recordings } from "../../ports/recordings.ts";
import type { Database } from "./database.ts";

export const createPostgresRecordings = ({ database }: { readonly database: Database }): Recordings => ({
  read: ({ from, to, limit }) =>
    database.attempt(async ({ sql }) => {
      const turns = await sql<RecordedTurn[]>`
        select agent, target, at, to_state as "to", outcome, reason from regent.transition
        where at >= ${from} and at <= ${to} and not is_backfill order by at, id limit ${limit + 1}`;
      const before = await sql<RecordedTurn[]>`
        select agent, target, at, to_state as "to", outcome, reason from (
          select distinct on (agent, target) agent, target, at, to_state, outcome, reason from regent.transition
          where at < ${from} and not is_backfill order by agent, target, at desc, id desc) as newest
        order by agent collate "C", target collate "C" limit ${limit + 1}`;
      // The minute in which it begins counts.
      const heard = await sql<{ agent: string; minutes: string }[]>`
        select agent, string_agg(minute::text, ',' order by minute) as minutes from (
          select distinct agent, minute from regent.minute_aggregate where minute >= ${from - MINUTE_MS} and minute <= ${to}) as counted
        group by agent order by agent collate "C"`;
      const versions = await sql<{ version: number; at: Instant; text: string }[]>`
        select version, at, text from regent.configuration
        where at <= ${to} and version >= coalesce((select max(version) from regent.configuration where at <= ${from}), 0)
        order by version`;
      const inForce = versions.find(({ at }) => at <= from) ?? null;
      return {
        from,
        to,
        configuration: inForce && { version: inForce.version, at: inForce.at, text: inForce.text },
        appliedAt: versions.flatMap(({ at }) => (at > from ? [at] : [])),
        before: before.slice(0, limit).map((one) => ({ ...one })),
        turns: turns.slice(0, limit).map((one) => ({ ...one })),
        heard: heard.map(({ agent, minutes }) => ({ agent, minutes: minutes.split(",").map(Number) })),
        isCut: turns.length > limit || before.length > limit,
      };
    }),
});

const MINUTE_MS = 60_000;
