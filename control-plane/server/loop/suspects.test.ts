/** One network that sees everything fail: nothing moves, it loses its vote, and people are told once. */
import { afterEach, expect, test } from "vitest";
import { changesOf, eventsOf, goOn, isHealthy } from "../testing/play.ts";
import { OK, REFUSED, testService, testWorld, type World } from "../testing/world.ts";

let world: World;
afterEach(() => world.stop());

test("it is told when it lost its vote, and when it has it again; traffic stays", async () => {
  const services = ["checkout", "search"].map((id) => testService(id, { kind: "active-passive", failback: "manual" }));
  world = await testWorld({ services });
  await world.until("healthy", () => isHealthy(world));
  const before = (await changesOf(world)).length;
  world.see = (agent) => (agent === "us-east-net-a" ? REFUSED : OK);
  await world.until("told", async () => (await eventsOf(world, "vantage")).length > 0, 15_000);
  const openCauses = async (): Promise<readonly string[]> =>
    (await world.controlPlane.incidents({ limit: 9, state: "open" })).incidents.map(({ cause }) => cause);
  await world.until("somebody is asked to look", async () => (await openCauses()).includes("control-plane:vantages"));
  await goOn(world, 2_500);
  expect(await openCauses()).toContain("control-plane:vantages");
  world.see = () => OK;
  await world.until("told again", async () => (await eventsOf(world, "vantage")).length > 1, 15_000);
  expect((await eventsOf(world, "vantage")).map(({ page, why }) => [page, why.split(":")[0]])).toEqual([
    [true, "us-east/net-a has no vote any more"],
    [false, "us-east/net-a has its vote again"],
  ]);
  await world.until("it is over", async () => !(await openCauses()).includes("control-plane:vantages"));
  expect((await changesOf(world)).length).toBe(before);
}, 60_000);
