/** The role is read as the suite says from memory and from a real server, and never from a database that may lag. */
import { expect, test } from "vitest";
import { exampleCommit, exampleService, ulid } from "../../ports/suites/examples.ts";
import { type RoleBench, roleReaderSuite } from "../../ports/suites/role-reader.suite.ts";
import { createMemoryDatabase } from "../memory/database.ts";
import { createMemoryRoleReader } from "../memory/role-reader.ts";
import { connect } from "./database.ts";
import { createPostgresDecisionStore } from "./decision-store.ts";
import { createPostgresLease } from "./lease.ts";
import { createPostgresRoleReader } from "./role-reader.ts";
import { testDatabase } from "./testing.ts";

const open = async (): Promise<RoleBench & { readonly url: string }> => {
  const { url, drop } = await testDatabase();
  const database = connect(url, { connections: 2 });
  return {
    url,
    roles: createPostgresRoleReader({ database }),
    decisions: createPostgresDecisionStore({ database }),
    lease: createPostgresLease({ database }),
    close: async () => {
      await database.close();
      await drop();
    },
  };
};

roleReaderSuite("postgres", open);

roleReaderSuite("memory", async () => {
  const { decisions, lease } = createMemoryDatabase({ clock: { now: () => 1_700_000_000_000 }, ids: { ulid } });
  return { roles: createMemoryRoleReader(decisions), decisions, lease, close: async () => undefined };
});

test("a database that is read-only, as a standby is, answers nothing", async () => {
  const { roles, decisions, lease, url, close } = await open();
  await lease.acquire("leader", 60_000, 0);
  await decisions.commit(exampleCommit({ services: [exampleService()] }));
  const owner = connect(url, { connections: 1 });
  await owner.attempt(({ sql }) =>
    sql.unsafe(
      "do $$ begin execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$",
    ),
  );
  const readOnly = connect(url, { connections: 1 });
  await expect(createPostgresRoleReader({ database: readOnly }).read("web")).rejects.toMatchObject({ code: "25006" });
  await expect(createPostgresRoleReader({ database: readOnly }).read("never")).rejects.toMatchObject({ code: "25006" });
  expect(await roles.read("web")).toMatchObject({ version: 1 });
  await Promise.all([owner.close(), readOnly.close()]);
  await close();
});
