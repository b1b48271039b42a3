/** A Postgres that has no room for as many connections as we may open: bursts wait for those that stand, and nothing fails. */
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { connect } from "./database.ts";
import { testDatabase } from "./testing.ts";

const ROOM = 3;

test("work that would open one too many is done on the others", async () => {
  const place = await testDatabase();
  const owner = connect(place.url, { connections: 1 });
  const role = `small_${process.pid}`;
  await owner.attempt(({ sql }) => sql.unsafe(`create role ${role} login password 'small' connection limit ${ROOM}`));
  const url = new URL(place.url);
  url.username = role;
  url.password = "small";
  const database = connect(url.href, { connections: { min: 2, max: 10 } });
  try {
    const burst = () => Promise.all(Array.from({ length: 20 }, () => database.attempt(({ sql }) => sql`select pg_sleep(0.05)`)));
    for (let n = 0; n < 5; n += 1) {
      await burst();
      await pause(20);
    }
    const { reports } = database.pool();
    expect(reports.size).toBeLessThanOrEqual(ROOM);
    expect(database.counters()).toMatchObject({ failed: 0, done: 100 });
  } finally {
    await database.close();
    await owner.attempt(({ sql }) => sql.unsafe(`drop role ${role}`));
    await owner.close();
    await place.drop();
  }
});
