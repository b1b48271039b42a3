/** What each mode does to a whole control plane. Rounds are two seconds apart, so these tests wait for real ones. */
import { afterEach, expect, test } from "vitest";
import { DatabaseAway } from "../ports/database-away.ts";
import { breakRegion, changesOf, eventsOf, goOn, isHealthy, moveOrder } from "../testing/play.ts";
import { testWorld, type World } from "../testing/world.ts";

let world: World;
afterEach(() => world.stop());

const LONG_MS = 15_000;
const mode = () => world.controlPlane.readiness().mode;

/** Their clocks go on striking. */
const movesOf = async () => (await changesOf(world)).map(({ id }) => id);

const start = async (): Promise<void> => {
  world = await testWorld();
  await world.until("healthy", () => isHealthy(world));
};

test("normal while it leads, and exported", async () => {
  await start();
  expect(mode()).toBe("normal");
  expect((await world.controlPlane.overview()).mode).toBe("normal");
  const metrics = await world.controlPlane.metrics();
  expect(metrics).toContain('regent_mode{mode="normal"} 1');
  expect(metrics).toContain('regent_mode{mode="isolated"} 0');
});

test("emergency while everything is frozen: automation rests and a person can move", async () => {
  await start();
  await world.controlPlane.setFreeze({ scope: { kind: "global" }, isFrozen: true, by: "ada", reason: "an incident" });
  expect(mode()).toBe("emergency");
  expect(world.controlPlane.readiness().isReady).toBe(true);
  expect(await world.controlPlane.move(moveOrder({ kind: "failover", to: "us-east" }))).toMatchObject({ kind: "answered" });
  await world.controlPlane.setFreeze({ scope: { kind: "global" }, isFrozen: false, by: "ada", reason: "over" });
  expect(mode()).toBe("normal");
});

test("isolated when no canary answers: another takes the lead, it isn't ready, nothing moves, and it is told", {
  timeout: 40_000,
}, async () => {
  await start();
  const other = await world.addReplica();
  const before = await movesOf();
  world.faults.isCutOff = true;
  await world.until("isolated", () => mode() === "isolated", LONG_MS);
  await world.until("the other leads", () => other.controlPlane.readiness().isLeader, LONG_MS);
  expect(world.controlPlane.readiness()).toMatchObject({ isReady: false, isLeader: false });
  expect(world.controlPlane.readiness().missing).toContain("nothing outside answers");
  expect(await movesOf()).toEqual(before);
  expect(await eventsOf(world, "mode")).toMatchObject([{ page: true, detail: { mode: "isolated", before: "normal" } }]);
  // Reports are taken all the same: they reached us.
  expect(await world.report("us-east-net-a")).toMatchObject({ kind: "taken" });
  world.faults.isCutOff = false;
  await world.until("back", () => mode() === "read-only", LONG_MS);
  expect(world.controlPlane.readiness().isReady).toBe(true);
});

test("alone and isolated it leads no more, and again when a canary answers; the end is told", { timeout: 40_000 }, async () => {
  await start();
  world.faults.isCutOff = true;
  await world.until("isolated", () => mode() === "isolated", LONG_MS);
  expect(world.controlPlane.readiness().isLeader).toBe(false);
  const before = await movesOf();
  breakRegion(world, "eu-west");
  await goOn(world, 3_000);
  expect(await movesOf()).toEqual(before);
  world.faults.isCutOff = false;
  await world.until("leads again", () => world.controlPlane.readiness().isLeader, LONG_MS);
  await world.until("and moves", async () => (await movesOf()).length > before.length, LONG_MS);
  await world.until("told", async () => (await eventsOf(world, "mode")).length >= 2, LONG_MS);
  const told = await eventsOf(world, "mode");
  expect(told.map(({ page }) => page)).toEqual([true, ...told.slice(1).map(() => false)]);
});

test("degraded when reports can't be written, though every question is answered; nothing moves until it is over", {
  timeout: 40_000,
}, async () => {
  await start();
  const before = await movesOf();
  world.faults.around = async ({ name }, proceed) => {
    if (name === "evidence.ingest") throw new DatabaseAway("53100", null);
    return proceed();
  };
  for (let i = 0; i < 200 && mode() !== "degraded"; i += 1) await goOn(world, 50);
  expect(mode()).toBe("degraded");
  expect(await world.controlPlane.metrics()).toContain('regent_mode{mode="degraded"} 1');
  expect((await world.controlPlane.deadLetters({ limit: 9 })).letters).toEqual([]);
  expect(await movesOf()).toEqual(before);
  world.faults.around = (_, proceed) => proceed();
  await world.until("normal", () => mode() === "normal", LONG_MS);
});

test("a replica that retires isn't ready and still works", async () => {
  await start();
  world.controlPlane.retire();
  expect(world.controlPlane.readiness()).toMatchObject({ isReady: false, missing: ["it is stopping"], isLeader: true });
  expect(await world.report("us-east-net-a")).toMatchObject({ kind: "taken" });
});
