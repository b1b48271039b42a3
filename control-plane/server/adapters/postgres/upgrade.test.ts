/** A database that an older release wrote: brought to the newest schema, its rows are read as records of today, and written on. */
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import type { ServiceRecord } from "../../ports/decision-store.ts";
import { exampleCommit, exampleEntry, exampleService } from "../../ports/suites/examples.ts";
import { createPostgresAlertStore } from "./alert-store.ts";
import { connect, type Database } from "./database.ts";
import { createPostgresDecisionStore } from "./decision-store.ts";
import { createPostgresEvacuations } from "./evacuations.ts";
import { createPostgresLease } from "./lease.ts";
import { createPostgresMaintenanceStore } from "./maintenance-store.ts";
import { migrate } from "./migrate.ts";
import { testEmptyDatabase } from "./testing.ts";

const MIGRATIONS = fileURLToPath(new URL("../../migrations", import.meta.url));

let database: Database | null = null;
let folder: string | null = null;
afterEach(async () => {
  await database?.close();
  if (folder !== null) await rm(folder, { recursive: true });
  database = null;
  folder = null;
});

/** As the release left it whose last migration has this number. */
const openOld = async (last: number): Promise<Database> => {
  database = connect(await testEmptyDatabase(), { connections: 2 });
  folder = await mkdtemp(join(tmpdir(), "regent-upgrade-"));
  const names = (await readdir(MIGRATIONS)).filter((name) => name.endsWith(".sql") && Number(name.slice(0, 4)) <= last);
  await Promise.all(names.map((name) => cp(join(MIGRATIONS, name), join(folder as string, name))));
  await migrate(database, { folder });
  return database;
};

const { transfer: _transfer, databases: _databases, ...example } = exampleService();
const { overrides: _overrides, ...controls } = example.controls;
const { shares, ...traffic } = example.traffic;

/** What a service had in migration 0004, none of it more. */
const insertService = (old: Database, more: Readonly<Record<string, unknown>>): Promise<unknown> =>
  old.attempt(async ({ sql }) => {
    const row = {
      service: "web",
      version: 3,
      revision: 1,
      controls,
      traffic,
      is_written: true,
      expected: example.expected,
      epoch: example.epoch,
      blocked_by: null,
      drift: example.drift,
      seen: null,
      last_refusal: null,
      ...more,
    };
    await sql.unsafe("insert into regent.service select * from jsonb_populate_record(null::regent.service, $1::text::jsonb)", [
      JSON.stringify(row),
    ]);
    await sql.unsafe(
      "insert into regent.share (service, family, region, wanted, written, seen) values ('web', 'default', 'eu', 0, 0, null), ('web', 'default', 'us', 1, 255, null)",
    );
  });

const today: ServiceRecord = {
  ...example,
  version: 3,
  health: {},
  controls: { ...controls, overrides: [] },
  traffic: { ...traffic, shares: { default: shares.default ?? {} } },
  written: { default: example.written?.default ?? {} },
  seen: null,
  transfer: null,
  databases: [],
};

test("what migration 0004 left: drains and approvals stand, no override does, and no database was ever seen", async () => {
  const old = await openOld(4);
  await insertService(old, { ownership: example.ownership, approval: example.approval, declared: example.declared });
  expect((await migrate(old)).length).toBeGreaterThan(0);
  const decisions = createPostgresDecisionStore({ database: old });
  const { services } = await decisions.load();
  expect(services).toEqual([today]);
  await createPostgresLease({ database: old }).acquire("leader", 60_000, 0);
  const override = { id: "1", by: "ann", reason: "", at: 1, until: 2, what: { kind: "freeze" }, breakGlass: [] } as const;
  const written = { ...today, controls: { ...today.controls, overrides: [override] } };
  const committed = await decisions.commit(
    exampleCommit({ services: [written], history: [exampleEntry({ kind: "override", service: "web" })] }),
  );
  expect(committed).toMatchObject({ kind: "committed" });
  expect((await decisions.load()).services).toEqual([{ ...written, version: 4 }]);
});

test("what the first migration left, written before names, approvals and departures were thought of", async () => {
  const old = await openOld(0);
  const { departures: _departures, ...first } = traffic;
  await insertService(old, { traffic: first });
  await migrate(old);
  const { services } = await createPostgresDecisionStore({ database: old }).load();
  expect(services).toEqual([
    {
      ...today,
      traffic: { ...today.traffic, departures: [] },
      ownership: { edit: null, reverts: [], released: null },
      approval: null,
      declared: null,
    },
  ]);
});

test("what came with later migrations is there, and empty", async () => {
  const old = await openOld(4);
  await migrate(old);
  expect(await createPostgresMaintenanceStore({ database: old }).standing(0)).toEqual([]);
  expect(await createPostgresEvacuations({ database: old }).open()).toEqual([]);
  expect(await createPostgresAlertStore({ database: old }).readRules()).toEqual([]);
});
