/**
 * Brings the database to the newest schema: forward only, in order, all or nothing, one replica at a time. Called once at start, before
 * anything else touches the database. Refuses a database that it doesn't understand instead of guessing.
 */
import { type Migration, readMigrations } from "../../migrations/index.ts";
import type { Database } from "./database.ts";
import { DatabaseAway, toDatabaseAway, UNANSWERED } from "./errors.ts";
import { MIGRATION_LOCK_TIMEOUT_MS } from "./limits.ts";
import { createLines } from "./lines.ts";

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
  const { url, ...connection } = database.options();
  const lines = createLines(url, connection, { min: 1, max: 1 });
  const line = lines.pick();
  // A line that is lost would dial again, and do the rest outside the transaction.
  const run: Run = async (text, parameters = []) => {
    if (line.isLost) throw new DatabaseAway(UNANSWERED, new Error("The connection was lost while migrating."));
    return line.sql.unsafe(text, [...parameters]);
  };
  try {
    return await applyPending(run, migrations);
  } catch (error) {
    throw toDatabaseAway(error);
  } finally {
    await lines.close();
  }
};

type Run = (text: string, parameters?: readonly (string | number)[]) => Promise<readonly Record<string, unknown>[]>;

// One transaction for all: what fails half-way, or loses its connection, leaves nothing behind.
const applyPending = async (run: Run, migrations: readonly Migration[]): Promise<readonly string[]> => {
  await run(`begin; set local lock_timeout = ${MIGRATION_LOCK_TIMEOUT_MS}; set local statement_timeout = 0`);
  await run("select pg_advisory_xact_lock($1)", [ADVISORY_LOCK]);
  const pending = findPending(migrations, await readApplied(run));
  for (const { number, name, text, checksum } of pending) {
    await run(text);
    await run("insert into regent.migration (number, name, checksum) values ($1, $2, $3)", [number, name, checksum]);
  }
  await run("commit");
  return pending.map((migration) => migration.name);
};

const readApplied = async (run: Run): Promise<readonly AppliedMigration[]> => {
  const [found] = await run("select to_regclass('regent.migration') is not null as exists");
  if (found?.exists)
    return (await run("select number, name, checksum from regent.migration order by number")) as unknown as AppliedMigration[];
  await run(`
    create schema if not exists regent;
    create table regent.migration (
      number integer primary key,
      name text not null,
      checksum text not null,
      applied_at timestamptz not null default clock_timestamp()
    )`);
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
