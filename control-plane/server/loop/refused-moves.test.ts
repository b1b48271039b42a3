/** A move that Route 53 refuses: nobody received its traffic, so it is remembered as none until it is sent again and arrives. */
import { afterEach, expect, test } from "vitest";
import { breakRegion, changesOf, isHealthy, weightIn } from "../testing/play.ts";
import { testWorld, type World } from "../testing/world.ts";

let world: World;
afterEach(() => world.stop());

const traffic = async () => {
  const record = (await world.database.decisions.load()).services[0];
  if (!record) throw new Error("no service");
  return record.traffic;
};

test("a failover that is denied is none; sent again it is one change, and one departure of the moment at which it was decided", async () => {
  world = await testWorld();
  await world.until("healthy", () => isHealthy(world));
  world.dns.breakNextSend({ kind: "denied" });
  const counts: number[] = [];
  world.faults.around = async ({ name }, proceed) => {
    const result = await proceed();
    if (name === "decisions.commit") counts.push((await traffic()).departures.length);
    return result;
  };
  breakRegion(world, "eu-west");
  await world.until("left", async () => (await weightIn(world, "eu-west")) === 0, 9_000);
  // Written ahead, denied, sent again.
  expect(counts.filter((count, at) => count !== counts[at - 1]).join(" ")).toMatch(/^(0 )?1 0 1$/);
  const { departures, lastAutomaticFailoverAt } = await traffic();
  expect(departures).toMatchObject([{ left: ["eu-west"], received: ["us-east"] }]);
  expect(lastAutomaticFailoverAt).toBe(departures[0]?.at);
  expect((await changesOf(world)).filter(({ kind }) => kind === "failover")).toHaveLength(1);
});
