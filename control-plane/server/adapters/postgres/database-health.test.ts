/** What is told of the database's health, over real Postgres: it speaks of decisions, costs one statement, and quotes nobody. */
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createGuards } from "../guard/guards.ts";
import { connect, DATABASE_GUARD, type Database } from "./database.ts";
import { createDatabaseHealth } from "./database-health.ts";
import { createPoolMonitor } from "./pool-monitor.ts";
import { type TestDatabase, testDatabase } from "./testing.ts";

let place: TestDatabase;
const opened: Database[] = [];

beforeEach(async () => {
  place = await testDatabase();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.close()));
  await place.drop();
});

const open = (url = place.url, failures = 5) => {
  const guard = createGuards().get({ ...DATABASE_GUARD, breaker: { failures, successes: 2, openMs: 60_000 } });
  const database = connect(url, { connections: 1, guard });
  opened.push(database);
  const monitor = createPoolMonitor({ database, everyMs: 60_000 });
  let at = 0;
  const health = createDatabaseHealth({ database, pool: monitor.view, now: Date.now, monotonic: () => at });
  return {
    database,
    guard,
    health,
    pass: (ms: number) => {
      at += ms;
    },
  };
};

test("reports that fill their connections don't make the database look slow", async () => {
  const { database, health } = open();
  const flood = database.attempt(({ sql }) => sql`select pg_sleep(2)`);
  await pause(100);
  const begunAt = performance.now();
  expect(await health()).toMatchObject({ isUp: true, why: null });
  expect(performance.now() - begunAt).toBeLessThan(1_500);
  await flood;
});

test("an open guard of the reports doesn't make it look away, and its answer closes that guard", async () => {
  const { database, guard, health } = open(place.url, 1);
  const lost = Object.assign(new Error("cut"), { code: "ECONNRESET" });
  await expect(database.attempt(() => Promise.reject(lost))).rejects.toThrow();
  expect(guard.view(0).state).toBe("open");
  expect(await health()).toMatchObject({ isUp: true });
  expect(guard.view(0).state).toBe("closed");
});

test("whoever asks at once or within a second shares one statement", async () => {
  const { database, health, pass } = open();
  await health();
  const before = database.counters().done;
  await Promise.all(Array.from({ length: 500 }, health));
  expect(database.counters().done - before).toBe(0);
  pass(1_000);
  await Promise.all(Array.from({ length: 500 }, health));
  expect(database.counters().done - before).toBe(1);
});

test("a database that refuses us is told by its code, never by words that name users, hosts or databases", async () => {
  const gone = new URL(place.url);
  gone.pathname = "/secret_name";
  gone.username = "secret_user";
  const { isUp, why } = await open(gone.href).health();
  expect(isUp).toBe(false);
  expect(why).toMatch(/^The database is away \(\w{5}\)\.$/);
});
