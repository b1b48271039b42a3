/** What a control plane that runs keeps of a region's death can be read afterwards. */
import { afterEach, expect, test } from "vitest";
import { breakRegion, eventsOf, isHealthy } from "../testing/play.ts";
import { testWorld, type World } from "../testing/world.ts";

let world: World;
afterEach(() => world.stop());

test("the turns of its checks, the agents that were heard, and the configuration in force", async () => {
  world = await testWorld();
  await world.until("healthy", () => isHealthy(world));
  const from = world.clock.now();
  breakRegion(world, "eu-west");
  await world.until("failed over", async () =>
    (await eventsOf(world, "change")).some(({ change }) => change?.kind === "failover"),
  );
  const recording = await world.controlPlane.recording({ from, to: world.clock.now() });
  expect(recording.configuration).toMatchObject({ version: 1 });
  const downs = recording.turns.filter(({ to }) => to === "down");
  expect(downs.length).toBeGreaterThan(1);
  for (const { target, at, outcome } of downs) {
    expect(target).toMatch(/^checkout\/eu-west\//);
    expect(at).toBeGreaterThanOrEqual(from - 1_000);
    expect(outcome).toBe("fail");
  }
  expect(recording.before.some(({ target, to }) => target.startsWith("checkout/eu-west/") && to === "up")).toBe(true);
});
