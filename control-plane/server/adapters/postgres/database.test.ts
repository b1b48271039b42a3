/** The connections survive what Postgres and networks do to them: nothing hangs, nothing is half done, and the process lives on. */
import { createServer, type Server, type Socket } from "node:net";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createDatabaseClock } from "./clock.ts";
import { connect, type Database, Rollback } from "./database.ts";
import { DatabaseAway } from "./errors.ts";
import { createListener, EVIDENCE_CHANNEL } from "./listener.ts";
import { testDatabase } from "./testing.ts";

let url = "";
let database: Database;
let killer: postgres.Sql;

beforeAll(async () => {
  url = (await testDatabase()).url;
  database = connect(url, { connections: 3, applicationName: "under-test" });
  killer = postgres(url, { max: 1, fetch_types: false, connection: { application_name: "killer" } });
  await killer`create table pair (n integer, part integer)`;
});

afterAll(async () => {
  await database.close();
  await killer.end();
});

const cutAll = () =>
  killer`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'under-test'`.then(() => undefined);

test("a port where nobody listens is DatabaseAway, at once", async () => {
  const away = connect("postgres://nobody@127.0.0.1:1/none");
  const error = await away.ping().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DatabaseAway);
  expect(error).toMatchObject({ code: "ECONNREFUSED" });
  expect(away.counters()).toMatchObject({ failed: 1, away: 1, underWay: 0 });
  await away.close();
});

test("a host that isn't this machine is only spoken to over TLS, unless the URL says otherwise", () => {
  expect(connect("postgres://db.example.com/regent").options().ssl).toBe("verify-full");
  expect(connect("postgres://db.example.com/regent?sslmode=disable").options().ssl).toBeUndefined();
  expect(connect("postgres://127.0.0.1/regent").options().ssl).toBeUndefined();
  expect(connect("postgres://ann:p@ss@[::1]:5432/regent").options().ssl).toBeUndefined();
  expect(connect("postgres://localhost:5432,10.0.0.1:5433/regent").options().ssl).toBe("verify-full");
});

test("while connections are cut again and again, each unit of work ends, and no transaction is half done", async () => {
  let isOver = false;
  let done = 0;
  const errors: unknown[] = [];
  const work = async (n: number): Promise<void> => {
    for (let round = 0; !isOver; round += 1) {
      const unit =
        n % 2 === 0
          ? database.attempt(({ sql }) => sql`select repeat('x', 2000)`)
          : database.transaction(async (send) => {
              await send`insert into pair values (${n * 1_000_000 + round}, 1)`;
              await send`insert into pair values (${n * 1_000_000 + round}, 2)`;
            });
      await unit.then(
        () => (done += 1),
        (error: unknown) => errors.push(error),
      );
    }
  };
  const workers = Array.from({ length: 12 }, (_, n) => work(n));
  for (let cut = 0; cut < 8; cut += 1) {
    const before = done;
    await expect.poll(() => done, { timeout: 10_000 }).toBeGreaterThan(before);
    await cutAll();
  }
  isOver = true;
  await Promise.all(workers);
  expect(errors.length).toBeGreaterThan(0);
  expect(errors.filter((error) => !(error instanceof DatabaseAway))).toEqual([]);
  expect(database.counters().underWay).toBe(0);
  expect(await killer`select n from pair group by n having count(*) <> 2`).toHaveLength(0);
  await expect(database.ping()).resolves.toBeGreaterThan(0);
});

test("an error undoes the transaction and comes out; a Rollback undoes it and answers", async () => {
  await killer`truncate pair`;
  const broken = database.transaction(async (send) => {
    await send`insert into pair values (1, 1)`;
    throw new Error("broken invariant");
  });
  await expect(broken).rejects.toThrow("broken invariant");
  const refused = database.transaction(async (send) => send`insert into pair values ('no number', 1)`);
  await expect(refused).rejects.toMatchObject({ code: "22P02" });
  const answer = await database.transaction(async (send) => {
    await send`insert into pair values (1, 1)`;
    throw new Rollback("undone");
  });
  expect(answer).toBe("undone");
  expect(await killer`select * from pair`).toHaveLength(0);
});

test("a deadlock is tried again, and both transactions are done", async () => {
  await killer`truncate pair`;
  await killer`insert into pair values (1, 0), (2, 0)`;
  const before = database.counters().retried;
  let arrived = 0;
  const update = (first: number, second: number): Promise<void> =>
    database.transaction(async (send) => {
      await send`update pair set part = part + 1 where n = ${first}`;
      arrived += 1;
      // Both hold their first row before either asks for its second; a repetition doesn't wait.
      if (arrived <= 2) await expect.poll(() => arrived, { interval: 2 }).toBeGreaterThanOrEqual(2);
      await send`update pair set part = part + 1 where n = ${second}`;
    });
  await Promise.all([update(1, 2), update(2, 1)]);
  expect(database.counters().retried).toBeGreaterThan(before);
  expect(await killer`select sum(part)::integer as parts from pair`).toEqual([{ parts: 4 }]);
});

test("a statement that takes too long is DatabaseAway, and its connection is used again", async () => {
  const impatient = connect(url, { connections: 1, statementTimeoutMs: 50 });
  await expect(impatient.attempt(({ sql }) => sql`select pg_sleep(5)`)).rejects.toMatchObject({
    name: "DatabaseAway",
    code: "57014",
  });
  await impatient.ping();
  expect(impatient.counters().connectionsLost).toBe(0);
  await impatient.close();
});

test("urgent work doesn't wait behind reports", async () => {
  const reports = Array.from({ length: 6 }, () => database.attempt(({ sql }) => sql`select pg_sleep(0.4)`));
  const urgent = await Promise.race([
    database.urgent(async (send) => (await send`select 1 as one`).length),
    Promise.all(reports).then(() => "waited"),
  ]);
  expect(urgent).toBe(1);
  await Promise.all(reports);
});

test("a listener whose connection was cut listens again and says that it may have missed something", async () => {
  const heard: string[] = [];
  const listener = createListener(database);
  const stop = await listener.listen(EVIDENCE_CHANNEL, (payload) => heard.push(payload));
  await killer`select pg_notify(${EVIDENCE_CHANNEL}, 'before')`;
  await expect.poll(() => heard).toEqual(["before"]);
  await cutAll();
  await expect.poll(() => heard, { timeout: 10_000 }).toEqual(["before", ""]);
  await killer`select pg_notify(${EVIDENCE_CHANNEL}, 'after')`;
  await expect.poll(() => heard).toEqual(["before", "", "after"]);
  await stop();
  await listener.close();
});

test("a listener that can't connect says so", async () => {
  const away = connect("postgres://nobody@127.0.0.1:1/none");
  const listener = createListener(away);
  await expect(listener.listen(EVIDENCE_CHANNEL, () => undefined)).rejects.toBeInstanceOf(DatabaseAway);
  await listener.close();
  await away.close();
});

test("the clock tells the database's time within its stated error, and never goes back", async () => {
  const clock = createDatabaseClock(database, 5);
  expect(() => clock.now()).toThrow("before it was started");
  await clock.start();
  let last = 0;
  for (let look = 0; look < 50; look += 1) {
    const before = clock.now();
    const [row] = await database.urgent((send) => send<{ now: number }[]>`select regent.now_ms() as now`);
    const after = clock.now();
    expect(before).toBeGreaterThanOrEqual(last);
    expect(row?.now).toBeGreaterThanOrEqual(before - clock.accuracy().errorMs - 2);
    expect(row?.now).toBeLessThanOrEqual(after + clock.accuracy().errorMs + 2);
    last = after;
  }
  expect(clock.accuracy().ageMs).toBeLessThan(5_000);
  clock.stop();
});

test("a server that takes the connection and never says a word is given up", async () => {
  const { server, sockets, port } = await openDeafServer();
  const deaf = connect(`postgres://nobody@127.0.0.1:${port}/none`, { connections: 1, connectTimeoutSeconds: 0.2 });
  await expect(deaf.ping()).rejects.toMatchObject({ name: "DatabaseAway", code: "CONNECT_TIMEOUT" });
  for (const socket of sockets) socket.destroy();
  await deaf.close();
  await new Promise((closed) => server.close(closed));
});

/** Takes connections and never says a word. */
const openDeafServer = async (): Promise<{ server: Server; sockets: Set<Socket>; port: number }> => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  return { server, sockets, port: typeof address === "object" && address !== null ? address.port : 0 };
};
