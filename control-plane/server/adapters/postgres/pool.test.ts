/**
 * The pool when the way to a real Postgres is cut, refused, black and mended: who is refused, who never is, what is told, and how soon it is
 * well again. And when nothing is wrong but there is much to do.
 */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createGuards, type Guards } from "../guard/guards.ts";
import { connect, DATABASE_GUARD, type Database, type DatabaseOptions, waitForDatabase } from "./database.ts";
import { DatabaseAway } from "./errors.ts";
import { createPostgresLease } from "./lease.ts";
import { createLines } from "./lines.ts";
import { createPoolMonitor } from "./pool-monitor.ts";
import { testDatabase } from "./testing.ts";
import type { HeldWork } from "./work-watch.ts";

/** What is used of the sandbox's links. Loaded by path: the server doesn't depend on the sandbox. */
interface Links {
  readonly state: () => readonly { readonly port: number }[];
  readonly set: (choice: object, mode: "refuse" | "blackhole" | undefined) => Promise<unknown>;
  readonly close: () => Promise<void>;
}

let direct = "";
let links: Links;
let url = "";
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  direct = (await testDatabase()).url;
  const path = new URL("../../../../infra/sandbox/links/links.ts", import.meta.url).href;
  const { createLinks } = (await import(/* @vite-ignore */ path)) as { createLinks: (options: object) => Promise<Links> };
  const target = { name: "postgres", host: "127.0.0.1", port: Number(new URL(direct).port), watch: "dialled" };
  links = await createLinks({ vantages: ["server"], targets: [target], ports: {} });
  url = Object.assign(new URL(direct), { port: String(links.state()[0]!.port) }).href;
});
afterEach(async () => {
  await links.set({}, undefined);
  for (const close of closers.splice(0).reverse()) await close();
});
afterAll(() => links.close());

const open = (options: DatabaseOptions = {}, to = url): { database: Database; guards: Guards } => {
  const guards = createGuards();
  const database = connect(to, { connections: { min: 1, max: 4 }, guard: guards.get(DATABASE_GUARD), ...options });
  closers.push(() => database.close());
  return { database, guards };
};
const one = ({ attempt }: Database): Promise<unknown> => attempt(({ sql }) => sql`select 1`);
const slow = ({ attempt }: Database, seconds: number): Promise<unknown> => attempt(({ sql }) => sql`select pg_sleep(${seconds})`);
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "answered",
    (error: unknown) => (error instanceof DatabaseAway ? error.code : `other: ${error}`),
  );

test("connections grow while all are in use, up to the most, and shrink to the least when idle", async () => {
  const { database } = open();
  expect(database.pool().reports).toMatchObject({ min: 1, max: 4, size: 1 });
  const works = Array.from({ length: 10 }, () => slow(database, 0.4));
  await pause(150);
  expect(database.pool().reports).toMatchObject({ size: 4, inUse: 4, waiting: 6 });
  await Promise.all(works);
  expect(database.pool().reports).toMatchObject({ size: 4, inUse: 0, waiting: 0, waitingMax: 6 });
  const lines = createLines(direct, {}, { min: 1, max: 3 });
  expect(lines.view().size).toBe(1);
  const busy = [await lines.take(), await lines.take(), await lines.take()];
  expect(lines.view()).toMatchObject({ size: 3, inUse: 3 });
  lines.shrink(0);
  expect(lines.view().size).toBe(3);
  for (const line of busy) lines.giveBack(line);
  await pause(2);
  lines.shrink(0);
  expect(lines.view().size).toBe(1);
  await lines.close();
});

test("one cut of all connections in full flow shuts nobody out: the next reports pass at once", async () => {
  const { database, guards } = open();
  const works = Array.from({ length: 200 }, () => codeOf(slow(database, 0.05)));
  await pause(100);
  await links.set({}, "refuse");
  await links.set({}, undefined);
  const codes = await Promise.all(works);
  expect(codes.filter((code) => code !== "answered").length).toBeGreaterThan(50);
  expect(codes.filter((code) => code.startsWith("other"))).toEqual([]);
  expect(guards.views(0)[0]).toMatchObject({ state: "closed" });
  expect(await codeOf(one(database))).toBe("answered");
  expect(database.counters().underWay).toBe(0);
});

test("while it is refused: reports fail at once, the lease is still asked for; when it is back, the lease's answer lets reports in", async () => {
  const { database, guards } = open();
  const lease = createPostgresLease({ database });
  const held = await lease.acquire("one", 60_000, 0);
  await links.set({}, "refuse");
  await expect.poll(() => codeOf(one(database)), { interval: 5, timeout: 5_000 }).toBe("GUARD_OPEN");
  expect(guards.views(0)[0]).toMatchObject({ name: "postgres", state: "open" });
  const begunAt = performance.now();
  for (let n = 0; n < 100; n += 1) await codeOf(one(database));
  expect(performance.now() - begunAt).toBeLessThan(500);
  // Not refused by the guard: really dialled, each time.
  for (let n = 0; n < 10; n += 1) expect(await codeOf(lease.renew("one", held!.term, 60_000))).not.toMatch(/GUARD|answered/);
  await links.set({}, undefined);
  expect(await lease.renew("one", held!.term, 60_000)).toMatchObject({ holder: "one", term: held!.term });
  expect(guards.views(0)[0]!.state).toBe("closed");
  expect(await codeOf(one(database))).toBe("answered");
  await lease.release("one", held!.term);
});

test("a flood of reports and an open guard never hold up the lease", async () => {
  const { database, guards } = open({ connections: { min: 1, max: 2 } });
  const lease = createPostgresLease({ database });
  await lease.acquire("two", 60_000, 0);
  const term = (await lease.read())!.term;
  const flood = Array.from({ length: 60 }, () => slow(database, 0.05));
  const guard = guards.get(DATABASE_GUARD);
  for (let n = 0; n < 5; n += 1)
    await guard.run({ work: () => Promise.reject(Object.assign(new Error(), { code: "ECONNRESET" })) }).catch(() => 0);
  expect(guards.views(0)[0]!.state).toBe("open");
  const begunAt = performance.now();
  expect(await lease.renew("two", term, 60_000)).toMatchObject({ term });
  const tookMs = performance.now() - begunAt;
  expect(database.pool().reports.waiting).toBeGreaterThan(10);
  expect(tookMs).toBeLessThan(1_000);
  await Promise.all(flood);
});

test("idle connections that died without a word are found before work meets them", async () => {
  const { database } = open();
  await Promise.all([one(database), database.urgent((send) => send`select 1`)]);
  const lostBefore = database.pool().connectionsLost;
  await links.set({}, "blackhole");
  await database.tend();
  await links.set({}, undefined);
  const begunAt = performance.now();
  expect(await codeOf(one(database))).toBe("answered");
  expect(await codeOf(database.urgent((send) => send`select 1`))).toBe("answered");
  expect(performance.now() - begunAt).toBeLessThan(1_500);
  expect(database.pool().connectionsLost).toBeGreaterThan(lostBefore);
});

test("the monitor says healthy, degraded, unhealthy, recovering, healthy through an outage, with the reason", async () => {
  const { database } = open({ connectTimeoutSeconds: 1 });
  const states: string[] = [];
  const monitor = createPoolMonitor({ database, everyMs: 30, onChange: ({ state }) => states.push(state) });
  monitor.start();
  await expect.poll(() => monitor.view(1_000_000).checkedAt).not.toBeNull();
  expect(monitor.view(1_000_000)).toMatchObject({ state: "healthy", lastError: null });
  await links.set({}, "refuse");
  await expect.poll(() => states, { timeout: 10_000 }).toEqual(["degraded", "unhealthy"]);
  expect(monitor.view(1_000_000)).toMatchObject({
    state: "unhealthy",
    lastError: expect.stringMatching(/^(ECONN|CONNECTION|CONNECT)/),
  });
  expect(monitor.view(1_000_000).since).toBeLessThanOrEqual(1_000_000);
  await links.set({}, undefined);
  await expect.poll(() => states, { timeout: 10_000 }).toEqual(["degraded", "unhealthy", "recovering", "healthy"]);
  expect(await monitor.look()).toBeGreaterThan(0);
  expect(monitor.view(1_000_000)).toMatchObject({ responseMsP50: expect.any(Number), responseMsP95: expect.any(Number) });
  monitor.stop();
});

test("a look at a database that says nothing ends, and says so", async () => {
  const { database } = open();
  const monitor = createPoolMonitor({ database, everyMs: 60_000 });
  expect(await monitor.look()).not.toBeNull();
  await links.set({}, "blackhole");
  const begunAt = performance.now();
  expect(await Promise.all([monitor.look(), monitor.look()])).toEqual([null, null]);
  expect(performance.now() - begunAt).toBeLessThan(4_000);
  expect(monitor.view(0)).toMatchObject({ state: "degraded", lastError: "UNANSWERED" });
});

test("a transaction that holds its connection for too long is told once, with who asked and what it does; one that waits isn't", async () => {
  const told: HeldWork[] = [];
  const { database } = open({ heldMs: 150, onHeld: (held) => told.push(held) }, direct);
  const monitor = createPoolMonitor({ database, everyMs: 60_000 });
  const sleepInTransaction = (seconds: number): Promise<unknown> =>
    database.transaction(
      async (send) => send`select pg_sleep(${seconds}),
      'no parameters'`,
    );
  const works = [sleepInTransaction(0.6), database.transaction(async (send) => send`select 1`)];
  await expect.poll(() => told.length).toBe(1);
  await monitor.look();
  expect(monitor.view(0)).toMatchObject({ held: 1, heldEver: 1 });
  expect(told[0]).toMatchObject({ lane: "decisions", statement: "select pg_sleep(?), 'no parameters'" });
  expect(told[0]!.what).toMatch(/^sleepInTransaction \(pool\.test\.ts:\d+:\d+\)/);
  expect(told[0]!.heldMs).toBeGreaterThanOrEqual(150);
  await Promise.all(works);
  // Three hold a connection for less than it takes to be told, and three wait for them.
  await Promise.all(Array.from({ length: 6 }, () => sleepInTransaction(0.1)));
  expect(told).toHaveLength(1);
  expect(database.pool()).toMatchObject({ held: 0, heldEver: 1 });
  expect(database.pool().decisions.waitingMax).toBeGreaterThanOrEqual(3);
});

test("a start before the database is up waits for it", async () => {
  await links.set({}, "refuse");
  const { database } = open();
  let retries = 0;
  const waited = waitForDatabase(database, () => {
    retries += 1;
  });
  await expect.poll(() => retries, { timeout: 5_000 }).toBeGreaterThan(0);
  await links.set({}, undefined);
  await waited;
  expect(await codeOf(one(database))).toBe("answered");
});
