/** Two regions' real databases, of which one streams to the other over a link of its own. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testQuery, testUntil } from "../testing/observe.ts";
import { PRIMARY, STANDBY, startTestPair, TEST_PROBE_PASSWORD, type TestPair } from "../testing/pair.ts";
import { createPairDatabase } from "./pair-database.ts";

let pair: TestPair;

beforeAll(async () => {
  pair = await startTestPair();
  await pair.untilStreams(STANDBY);
}, 60_000);

afterAll(() => pair?.close());

const notes = async (half: typeof PRIMARY | typeof STANDBY): Promise<unknown> => {
  const seen = await pair.attempt(half, "SELECT coalesce(json_agg(text ORDER BY text), '[]') AS notes FROM note");
  return typeof seen === "string" ? seen : seen.notes;
};

test("a standby that was started before its primary is made as soon as that one answers, and streams", async () => {
  await pair.ask(PRIMARY, "CREATE TABLE note (text text)");
  await pair.ask(PRIMARY, "INSERT INTO note VALUES ('first')");
  expect(
    await testUntil(
      () => notes(STANDBY),
      (seen) => Array.isArray(seen),
    ),
  ).toEqual(["first"]);
});

test("a probe of either half sees by scram which role it has", async () => {
  const query = "SELECT pg_is_in_recovery() AS recovery, pg_has_role('pg_monitor', 'member') AS monitor";
  expect(await testQuery(pair.port(PRIMARY), TEST_PROBE_PASSWORD, query)).toEqual({ recovery: false, monitor: true });
  expect(await testQuery(pair.port(STANDBY), TEST_PROBE_PASSWORD, query)).toEqual({ recovery: true, monitor: true });
  expect(await testQuery(pair.port(STANDBY), "wrong", query)).toBe("28P01");
});

test("replication alone is cut: the standby sees so within seconds, lags, and catches up when it is mended", async () => {
  await pair.cutReplication(true);
  const receivers = async (): Promise<unknown> =>
    (await pair.ask(STANDBY, "SELECT count(*)::int AS n FROM pg_stat_wal_receiver WHERE status = 'streaming'")).n;
  await testUntil(receivers, (n) => n === 0, 8_000);
  await pair.ask(PRIMARY, "INSERT INTO note VALUES ('while it was cut')");
  expect(await notes(STANDBY)).toEqual(["first"]);
  await pair.cutReplication(false);
  await testUntil(
    () => notes(STANDBY),
    (seen) => Array.isArray(seen) && seen.length === 2,
    10_000,
  );
}, 30_000);

test("a dead region takes its half with it, the standby is promoted, and the mended one comes back as it lay", async () => {
  expect(await pair.client(PRIMARY).break({ fault: "dead" })).toMatchObject({ state: { pair: { isRunning: false } } });
  await pair.ask(STANDBY, "SELECT pg_promote()");
  await pair.ask(STANDBY, "INSERT INTO note VALUES ('after the promotion')");
  expect(await pair.client(PRIMARY).mend({})).toMatchObject({ state: { pair: { isRunning: true } } });
  expect(await notes(PRIMARY)).toEqual(["first", "while it was cut"]);
}, 30_000);

test("the promoted one can't be rebuilt from a fenced one, nor from one that is down", async () => {
  await pair.ask(PRIMARY, "ALTER SYSTEM SET default_transaction_read_only = on");
  await pair.ask(PRIMARY, "SELECT pg_reload_conf()");
  await testUntil(
    async () => (await pair.ask(PRIMARY, "SELECT current_setting('transaction_read_only') AS fenced")).fenced,
    (fenced) => fenced === "on",
  );
  expect(await pair.client(STANDBY).rebuildStandby()).toMatchObject({
    kind: "refused",
    why: expect.stringContaining("no writes itself"),
  });
  await pair.client(PRIMARY).break({ fault: "database-down", mode: "fast" });
  expect(await pair.client(STANDBY).rebuildStandby()).toMatchObject({ kind: "refused" });
  await pair.client(PRIMARY).mend({});
  expect(await notes(STANDBY)).toEqual(["after the promotion", "first", "while it was cut"]);
}, 30_000);

test("the old primary is rebuilt as the standby of the new one, without its fence and with the new one's rows", async () => {
  expect(await pair.client(PRIMARY).rebuildStandby()).toMatchObject({ kind: "answered", state: { pair: { isRunning: true } } });
  await pair.untilStreams(PRIMARY);
  expect(await pair.ask(PRIMARY, "SELECT pg_is_in_recovery() AS recovery")).toEqual({ recovery: true });
  await pair.ask(STANDBY, "INSERT INTO note VALUES ('back to the first')");
  await testUntil(
    () => notes(PRIMARY),
    (seen) => Array.isArray(seen) && seen.includes("back to the first") && seen.includes("after the promotion"),
  );
  await pair.ask(PRIMARY, "SELECT pg_promote()");
  expect(await pair.attempt(PRIMARY, "INSERT INTO note VALUES ('and writable again')")).toEqual({});
}, 30_000);

test("a half that another home left where this one's is to be is thrown away: its passwords are nobody's any more", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sandbox-pair-"));
  await chmod(folder, 0o711);
  const make = (ownerPassword: string) =>
    createPairDatabase({
      dataDir: folder,
      probePassword: TEST_PROBE_PASSWORD,
      pair: {
        initially: "primary",
        port: 0,
        otherDataDir: folder,
        otherPort: 1,
        ownerPassword,
        hookPassword: "hook-password-of-it",
      },
    });
  try {
    const first = await make("owner-password-of-one");
    await first.start();
    await first.stop("fast");
    await rm(join(folder, "pair.begun"));
    const second = await make("owner-password-of-another");
    await second.start();
    expect(await testQuery(second.port, TEST_PROBE_PASSWORD, "SELECT 1 AS one")).toEqual({ one: 1 });
    await second.stop("fast");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 30_000);
