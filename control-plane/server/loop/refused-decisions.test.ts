/**
 * A region dies while Postgres answers every question and writes nothing: a standby, a full disk. What can't be written down isn't done: nothing
 * moves, nothing is lost, it is said, and the failover follows once when there is room.
 */
import { afterEach, expect, test } from "vitest";
import { DatabaseAway } from "../ports/database-away.ts";
import { breakRegion, changesOf, goOn, isHealthy, weightIn } from "../testing/play.ts";
import { testWorld, type World } from "../testing/world.ts";

let world: World;
afterEach(() => world.stop());

/** Writes of a leader; agents' reports are refused as well, as on the real thing. */
const WRITES = ["decisions.commit", "decisions.setFreeze", "evidence.ingest", "deadLetters.keep", "lease.renew", "lease.acquire"];
/** The same while there is room for small rows, and none for a decision. */
const DECISIONS = ["decisions.commit", "decisions.setFreeze"];

test.for([
  ["25006", WRITES],
  ["53100", WRITES],
  ["53100", DECISIONS],
] as const)("%s for %s", async ([code, refused]) => {
  world = await testWorld();
  await world.until("healthy", () => isHealthy(world));
  const before = await changesOf(world);
  let sends = 0;
  let refusals = 0;
  world.faults.around = async ({ name }, proceed) => {
    if (name === "dns.send") sends += 1;
    if (!refused.some((each) => each === name)) return proceed();
    refusals += 1;
    throw new DatabaseAway(code, null);
  };
  breakRegion(world, "eu-west");
  await goOn(world, 2_500);
  expect(refusals).toBeGreaterThan(0);
  expect(sends).toBe(0);
  expect(await weightIn(world, "eu-west")).toBe(255);
  expect((await changesOf(world)).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
  world.faults.around = async ({ name }, proceed) => {
    if (name === "dns.send") sends += 1;
    return proceed();
  };
  for (const end = performance.now() + 15_000; performance.now() < end && (await weightIn(world, "eu-west")) !== 0; )
    await goOn(world, 100);
  expect(await weightIn(world, "eu-west")).toBe(0);
  expect(sends).toBe(1);
  expect((await changesOf(world)).map(({ kind }) => kind)).toEqual([...before.map(({ kind }) => kind), "failover"]);
});
