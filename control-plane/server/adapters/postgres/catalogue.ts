/** Describes the schema as Postgres itself knows it, one line per thing, so that a change of it shows as a difference of text. */
import type { Database } from "./database.ts";

export const describeSchema = (database: Database): Promise<string> =>
  database.attempt(async ({ sql }) => {
    const rows = await sql<{ line: string }[]>`
      with tables as (
        select c.oid as id, c.relname, c.reloptions from pg_class c where c.relnamespace = 'regent'::regnamespace and c.relkind = 'r'
      ), lines (place, kind, line) as (
        select relname, 0, 'table ' || relname || coalesce(' with ' || reloptions::text, '') from tables
        union all
        select relname, 1, format('  column %s %s%s%s%s', attname, format_type(atttypid, atttypmod),
          case when attnotnull then ' not null' end, case when attidentity <> '' then ' identity' end,
          ' default ' || pg_get_expr(adbin, adrelid))
        from tables join pg_attribute a on attrelid = id and attnum > 0 and not attisdropped
          left join pg_attrdef on adrelid = id and adnum = attnum
        union all
        select relname, 2, format('  constraint %s %s', conname, pg_get_constraintdef(k.oid))
        from tables join pg_constraint k on conrelid = id and contype <> 'n'
        union all
        select relname, 3, '  index ' || indexdef from tables join pg_indexes on schemaname = 'regent' and tablename = relname
        union all
        select relname, 4, '  trigger ' || pg_get_triggerdef(t.oid)
        from tables join pg_trigger t on tgrelid = id and not tgisinternal
        union all
        select 'zz', 5, format('function %s(%s) %s', proname, pg_get_function_identity_arguments(oid), md5(pg_get_functiondef(oid)))
        from pg_proc where pronamespace = 'regent'::regnamespace
      )
      select line from lines order by place collate "C", kind, line collate "C"`;
    return `${rows.map(({ line }) => line).join("\n")}\n`;
  });
