/**
 * A process that stops in the middle of a fenced transaction, between the parsing of a statement and its execution: the server then waits for
 * the rest of the message, counts neither statement nor idle time, and keeps the lease row locked for as long as the connection stands.
 */
import { connect as dial, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Lease } from "../../ports/lease.ts";
import { connect, type Database, type Send } from "./database.ts";
import { createPostgresLease, isLeading } from "./lease.ts";
import { FENCED_OVERDUE_MS, IDLE_IN_TRANSACTION_TIMEOUT_MS, LOCK_TIMEOUT_MS, STATEMENT_TIMEOUT_MS } from "./limits.ts";
import { type TestDatabase, testDatabase } from "./testing.ts";

let place: TestDatabase;
let database: Database;
let leader: ReturnType<typeof openFreezing>;

beforeEach(async () => {
  place = await testDatabase();
  database = connect(place.url, { connections: 1 });
  leader = openFreezing(new URL(place.url));
});

afterEach(async () => {
  await leader.close();
  await database.close();
  await place.drop();
});

/** A connection whose process sends one more message and is heard no more after that. */
const openFreezing = (url: URL) => {
  let left = Number.POSITIVE_INFINITY;
  const open = async (): Promise<Socket> => {
    const socket = dial(Number(url.port), url.hostname);
    const write = socket.write.bind(socket);
    socket.write = ((...args: Parameters<typeof write>) => {
      left -= 1;
      return left < 0 || write(...args);
    }) as typeof socket.write;
    return socket;
  };
  const sql = postgres(url.href, {
    max: 1,
    fetch_types: false,
    connection: {
      statement_timeout: STATEMENT_TIMEOUT_MS,
      lock_timeout: LOCK_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    },
    // The driver's types don't know this option.
    ...({ socket: open } as object),
  });
  const send = ((template: TemplateStringsArray, ...parameters: never[]) => sql(template, ...parameters)) as unknown as Send;
  return {
    send,
    freezeAfterNext: () => {
      left = 1;
    },
    close: () => sql.end({ timeout: 0 }),
  };
};

/** A transaction of who leads; it holds the lease row. */
const beginFenced = async (ttlMs: number): Promise<Lease> => {
  const lease = createPostgresLease({ database });
  const { term } = (await lease.acquire("leader", ttlMs, 0)) ?? { term: 0 };
  await leader.send`begin`;
  expect(await isLeading(leader.send, "leader", term)).toBe(true);
  return lease;
};

test("the lease is taken as soon as it has run out, whatever a frozen leader holds", async () => {
  const lease = await beginFenced(FENCED_OVERDUE_MS + 500);
  leader.freezeAfterNext();
  const said = leader.send`select ${"only half of it arrives"} as said`.catch((error: unknown) => error);
  await sleep(FENCED_OVERDUE_MS);
  const waiting = await database.attempt(
    ({ sql }) => sql`
      select state, wait_event from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null`,
  );
  expect(waiting).toEqual([{ state: "active", wait_event: "ClientRead" }]);
  expect(await lease.acquire("next", 60_000, 0)).toBeNull();
  await sleep(600);
  const askedAt = performance.now();
  expect(await lease.acquire("next", 60_000, 0)).toMatchObject({ holder: "next", term: 2 });
  expect(performance.now() - askedAt).toBeLessThan(LOCK_TIMEOUT_MS);
  expect(await said).toBeInstanceOf(Error);
}, 30_000);
