/** The schema: what the migrations make, what drizzle believes, what the contract allows, and what can never be rewritten. */
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ChangeKind, ChangeStage, DeadLetterKind, EvidenceKind, HistoryKind, Outcome, Verdict } from "@regent/contract";
import { getTableConfig, PgTable } from "drizzle-orm/pg-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Migration, readMigrations } from "../../migrations/index.ts";
import { exampleChange, exampleCommit, exampleEntry, exampleOutboxRow } from "../../ports/suites/examples.ts";
import { describeSchema } from "./catalogue.ts";
import { connect, type Database } from "./database.ts";
import { createPostgresDecisionStore } from "./decision-store.ts";
import { createPostgresLease } from "./lease.ts";
import { findPending, MigrationRefused, migrate } from "./migrate.ts";
import * as schema from "./schema.ts";
import { testDatabase, testEmptyDatabase } from "./testing.ts";

let database: Database;

beforeAll(async () => {
  database = connect((await testDatabase()).url, { connections: 2 });
});

afterAll(() => database.close());

test("the migrations make exactly the schema that was read and kept", async () => {
  await expect(await describeSchema(database)).toMatchFileSnapshot("./schema.golden.txt");
});

test("drizzle's tables are the database's, column by column", async () => {
  const lines = (await describeSchema(database)).split("\n");
  const columns = new Map<string, string[]>();
  for (const line of lines) {
    if (line.startsWith("table ")) columns.set(line.split(" ")[1] as string, []);
    else if (line.startsWith("  column ")) [...columns.values()].at(-1)?.push(line.replace(/ identity| default .*/g, "").trim());
  }
  columns.delete("migration");
  const tables = Object.values(schema)
    .filter((each) => each instanceof PgTable)
    .map((table) => getTableConfig(table));
  const believed = new Map(
    tables.map((table) => [
      table.name,
      table.columns.map((column) => `column ${column.name} ${column.getSQLType()}${column.notNull ? " not null" : ""}`).sort(),
    ]),
  );
  expect(new Map([...believed].sort())).toEqual(new Map([...columns].sort()));
});

test.each([
  ["change_kind_check", ChangeKind.options],
  ["change_stage_stage_check", ChangeStage.options],
  ["history_kind_check", HistoryKind.options],
  ["dead_letter_kind_check", DeadLetterKind.options],
  ["verdict_verdict_check", Verdict.options],
  ["verdict_evidence_check", EvidenceKind.options],
  ["agent_check_outcome_check", Outcome.options],
])("%s allows exactly what the contract does", async (constraint, options) => {
  const line = (await describeSchema(database)).split("\n").find((each) => each.includes(`constraint ${constraint} `)) ?? "";
  const allowed = [...line.matchAll(/'([^']+)'::text/g)].map(([, value]) => value);
  expect(allowed.sort()).toEqual([...options].sort());
});

test("history, changes, their stages and applied configurations are never rewritten or removed", async () => {
  const decisions = createPostgresDecisionStore({ database });
  await createPostgresLease({ database }).acquire("leader", 60_000, 0);
  const change = exampleChange();
  const row = exampleOutboxRow(change);
  await decisions.commit(
    exampleCommit({
      changes: [change],
      outboxInserts: [row],
      stages: [{ changeId: change.id, stage: "sent", at: 1 }],
      history: [exampleEntry({ kind: "change", changeId: change.id })],
    }),
  );
  const refused = [
    "update regent.history set why = 'nicer'",
    "delete from regent.history",
    "truncate regent.history",
    "update regent.change set why = 'nicer'",
    "delete from regent.change",
    "truncate regent.change cascade",
    "update regent.change_stage set at = 0",
    "delete from regent.change_stage",
    "truncate regent.change_stage",
    "update regent.configuration set text = ''",
    "delete from regent.configuration",
    "truncate regent.configuration",
    "delete from regent.outbox",
    "truncate regent.outbox",
    "update regent.outbox set creates = '[]'",
    "update regent.outbox set term = 9",
    "update regent.outbox set expects = null, revision = 9",
  ];
  for (const statement of refused)
    await expect(
      database.attempt(({ sql }) => sql.unsafe(statement)),
      statement,
    ).rejects.toMatchObject({ code: "23001" });
  expect(await decisions.readChange(change.id)).toMatchObject({ why: change.why, stage: "sent" });
  expect((await decisions.load()).outbox).toEqual([{ ...row, createdAt: 100 }]);
});

test("replicas that migrate one empty database at once do it once", async () => {
  const url = await testEmptyDatabase();
  const replicas = [1, 2, 3].map(() => connect(url));
  const all = (await readMigrations()).map(({ name }) => name);
  const applied = await Promise.all(replicas.map((replica) => migrate(replica)));
  expect(applied.map((names) => names.length).sort()).toEqual([0, 0, all.length]);
  expect(applied.flat()).toEqual(all);
  expect(await describeSchema(replicas[0] as Database)).toBe(await describeSchema(database));
  await Promise.all(replicas.map((replica) => replica.close()));
});

test("a migration that fails leaves nothing behind, and an edited or unknown one is refused", async () => {
  const own = connect(await testEmptyDatabase());
  const folder = await mkdtemp(join(tmpdir(), "regent-migrations-"));
  const write = (name: string, text: string) => writeFile(join(folder, name), text);
  try {
    await write("0000_first.sql", "create table regent.kept (n integer);");
    expect(await migrate(own, { folder })).toEqual(["0000_first"]);
    await write("0001_broken.sql", "create table regent.half (n integer); select 1 / 0;");
    await expect(migrate(own, { folder })).rejects.toMatchObject({ code: "22012" });
    const [half] = await own.attempt(({ sql }) => sql`select to_regclass('regent.half') as half`);
    expect(half).toEqual({ half: null });
    await write("0001_broken.sql", "create table regent.half (n integer);");
    expect(await migrate(own, { folder })).toEqual(["0001_broken"]);
    await write("0000_first.sql", "create table regent.kept (n bigint);");
    await expect(migrate(own, { folder })).rejects.toThrow(MigrationRefused);
    await write("0000_first.sql", "create table regent.kept (n integer);");
    await rm(join(folder, "0001_broken.sql"));
    await expect(migrate(own, { folder })).rejects.toThrow("0001_broken, which this version of Regent doesn't know");
    await write("0002_gap.sql", "select 1;");
    await expect(migrate(own, { folder })).rejects.toThrow("Migration 0001 is missing");
  } finally {
    await rm(folder, { recursive: true });
    await own.close();
  }
});

test("what is pending is what comes after the applied ones, unaltered", () => {
  const toMigration = (number: number): Migration => {
    const text = `-- ${number}`;
    return { number, name: `000${number}_x`, text, checksum: createHash("sha256").update(text).digest("hex") };
  };
  const all = [0, 1, 2].map(toMigration);
  expect(findPending(all, [])).toEqual(all);
  expect(findPending(all, all.slice(0, 2))).toEqual([all[2]]);
  expect(findPending(all, all)).toEqual([]);
  expect(() => findPending(all, [{ ...(all[0] as Migration), name: "0000_y" }])).toThrow(MigrationRefused);
});
