/**
 * Brings the database to the newest schema: forward only, in order, all or nothing, one replica at a time. Called once at start, before
 * anything else touches the database. Refuses a database that it doesn't understand instead of guessing.
 */
import postgres from "postgres";
import { type Migration, readMigrations } from "../../migrations/index.ts";
import type { Database } from "./database.ts";
import { classifyError, codeOf, DatabaseAway } from "./errors.ts";
import { MIGRATION_LOCK_TIMEOUT_MS } from "./limits.ts";

/** The database and this version of Regent don't fit. The message says what to do. */
export class MigrationRefused extends Error {
  override readonly name = "MigrationRefused";
}

interface AppliedMigration {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
}

// "regent" as a number: any constant that nobody else uses as an advisory lock will do.
const ADVISORY_LOCK = 0x7265_6765;

/** Answers the names of the migrations that it applied. Throws MigrationRefused or DatabaseAway. */
export const migrate = async (database: Database, options: { folder?: string } = {}): Promise<readonly string[]> => {
  const migrations = await readMigrations(options.folder);
  const { url, ...connection } = database.options({ max: 1 });
  const sql = postgres(url, connection);
  try {
    return await applyPending(sql, migrations);
  } catch (error) {
    const kind = classifyError(error);
    throw kind === "lost" || kind === "busy" ? new DatabaseAway(codeOf(error) ?? "unknown", error) : error;
  } finally {
    await sql.end({ timeout: 5 });
  }
};

// `max: 1`: begin, lock, migrations and commit are statements of one connection. A lost connection rolls everything back.
const applyPending = async (
  sql: postgres.Sql<{ bigint: number }>,
  migrations: readonly Migration[],
): Promise<readonly string[]> => {
  await sql`begin`;
  await sql.unsafe(`set local lock_timeout = ${MIGRATION_LOCK_TIMEOUT_MS}`);
  await sql`set local statement_timeout = 0`;
  await sql`select pg_advisory_xact_lock(${ADVISORY_LOCK})`;
  const pending = findPending(migrations, await readApplied(sql));
  for (const migration of pending) {
    await sql.unsafe(migration.text);
    await sql`
      insert into regent.migration (number, name, checksum)
      values (${migration.number}, ${migration.name}, ${migration.checksum})`;
  }
  await sql`commit`;
  return pending.map((migration) => migration.name);
};

const readApplied = async (sql: postgres.Sql<{ bigint: number }>): Promise<readonly AppliedMigration[]> => {
  const [{ exists } = { exists: false }] = await sql<{ exists: boolean }[]>`
    select to_regclass('regent.migration') is not null as exists`;
  if (exists) return sql<AppliedMigration[]>`select number, name, checksum from regent.migration order by number`;
  await sql`create schema if not exists regent`;
  await sql`
    create table regent.migration (
      number integer primary key,
      name text not null,
      checksum text not null,
      applied_at timestamptz not null default clock_timestamp()
    )`;
  return [];
};

/** Pure. Throws MigrationRefused when history was rewritten or belongs to a newer version. */
export const findPending = (migrations: readonly Migration[], applied: readonly AppliedMigration[]): readonly Migration[] => {
  for (const each of applied) {
    const known = migrations[each.number];
    if (known === undefined)
      throw new MigrationRefused(
        `The database holds migration ${each.name}, which this version of Regent doesn't know: a newer one wrote it. Start that version, or restore a backup made before it.`,
      );
    if (known.name !== each.name || known.checksum !== each.checksum)
      throw new MigrationRefused(
        `Migration ${each.name} was applied to this database with other content than that of ${known.name} here. An applied migration is never edited: install an unaltered release.`,
      );
  }
  return migrations.slice(applied.length);
};
