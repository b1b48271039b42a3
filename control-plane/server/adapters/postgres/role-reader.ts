/** Who may write, from Postgres itself: one statement, no memory. A standby may lag, so it is as good as away. */
import type { RoleReader, RoleRow } from "../../ports/role-reader.ts";
import type { Database } from "./database.ts";
import { DatabaseAway } from "./errors.ts";

const READ_ONLY = "25006";

/** Nulls where nothing is written down. */
type Row = { readonly isReadOnly: boolean } & (RoleRow | { readonly version: null });

export const createPostgresRoleReader = ({ database }: { readonly database: Database }): RoleReader => ({
  read: async (service) => {
    const [row] = await database.urgent(
      (send) => send<Row[]>`
        select current_setting('transaction_read_only') = 'on' as "isReadOnly", s.version, s.traffic->'passive' as passive, s.transfer,
          exists (select from regent.global_freeze where cause = 'restored') as "isRestored"
        from (select ${service}::text as service) asked left join regent.service s using (service)`,
    );
    if (row === undefined || row.isReadOnly) throw new DatabaseAway(READ_ONLY, new Error("the database is read-only"));
    if (row.version === null) return null;
    const { version, passive, transfer, isRestored } = row;
    return { version, passive, transfer, isRestored };
  },
});
