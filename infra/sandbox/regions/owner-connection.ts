/** How a region's process talks to databases of its own making, and the roles that it makes there. */
import postgres from "postgres";
import { PROBE_CONNECTIONS_MAX } from "./limits.ts";
import { OWNER_ROLE } from "./postgres-files.ts";
import { HOOK_ROLE, PROBE_ROLE, REGION_DATABASE } from "./region-config.ts";

export const ownerConnection = (port: number, password: string): postgres.Sql =>
  postgres({
    host: "127.0.0.1",
    port,
    username: OWNER_ROLE,
    password,
    database: REGION_DATABASE,
    max: 1,
    connect_timeout: 5,
    backoff: () => 0,
    fetch_types: false,
    onnotice: () => undefined,
  });

// A plain backslash is an ordinary character here: standard_conforming_strings is on by default and these connections keep it.
const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const ensureRole = async (sql: postgres.Sql, role: string): Promise<void> => {
  const [found] = await sql`SELECT 1 FROM pg_roles WHERE rolname = ${role}`;
  if (found === undefined) await sql.unsafe(`CREATE ROLE ${role}`);
};

/** The role that probes log in as: sees the monitoring views, owns nothing, can't hold the server up. Set again at every start. */
export const grantProbe = async (sql: postgres.Sql, password: string): Promise<void> => {
  await ensureRole(sql, PROBE_ROLE);
  await sql.unsafe(
    `ALTER ROLE ${PROBE_ROLE} LOGIN CONNECTION LIMIT ${PROBE_CONNECTIONS_MAX} PASSWORD ${quote(password)};
     ALTER ROLE ${PROBE_ROLE} SET statement_timeout = '2s';
     ALTER ROLE ${PROBE_ROLE} SET lock_timeout = '500ms';
     GRANT pg_monitor TO ${PROBE_ROLE};`,
  );
};

/** The role of a hook: may fence and promote, and nothing else. docs/example/hooks/promote-standby.mjs names the same grants. */
export const grantHook = async (sql: postgres.Sql, password: string): Promise<void> => {
  await ensureRole(sql, HOOK_ROLE);
  await sql.unsafe(
    `ALTER ROLE ${HOOK_ROLE} LOGIN PASSWORD ${quote(password)};
     GRANT pg_monitor, pg_signal_backend TO ${HOOK_ROLE};
     GRANT ALTER SYSTEM ON PARAMETER default_transaction_read_only TO ${HOOK_ROLE};
     GRANT EXECUTE ON FUNCTION pg_reload_conf(), pg_promote(boolean, integer) TO ${HOOK_ROLE};`,
  );
};
