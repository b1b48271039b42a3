/** A configuration of ours makes a region look bad: nothing moves, the question names the version and the way back, and going back ends it. */
import type { Declaration } from "@regent/contract";
import { afterEach, expect, test } from "vitest";
import { changesOf, eventsOf, isHealthy, weightIn } from "../testing/play.ts";
import { FAST_SETTINGS, OK, REFUSED, testService, testWorld, type World } from "../testing/world.ts";

let world: World;
afterEach(() => world.stop());

const WRONG = 4321;
const HOLD = { ...FAST_SETTINGS, holdMinSeconds: 0.4, holdMaxSeconds: 0.4, reportSeconds: 0.5, freshnessSeconds: 4 };

/** As an operator would, by its text. */
const apply = async (text: string, baseVersion: number, reason?: string): Promise<void> => {
  const result = await world.controlPlane.applyConfiguration({
    text,
    fileName: "regent.yaml",
    baseVersion,
    author: "ada",
    ...(reason === undefined ? {} : { reason }),
  });
  expect(result).toMatchObject({ kind: "applied", answer: { version: baseVersion + 1, changed: true } });
  world.declaration = world.controlPlane.configuration() === null ? world.declaration : (JSON.parse(text) as Declaration);
};

const withDatabaseAt = (port: number): string =>
  JSON.stringify({
    ...world.declaration,
    services: world.declaration.services.map((service) => ({
      ...service,
      endpoints: service.endpoints.map((one) =>
        one.region === "eu-west" ? { ...one, targets: { db: `127.0.0.1:${port}` } } : one,
      ),
    })),
  });

const waiting = async () => (await world.controlPlane.approvals()).find(({ state }) => state === "waiting");

test("a region that turns bad after a new version keeps its traffic, and is well again after the version before", async () => {
  const safety = { correlationSeconds: 60, approvalSeconds: 60 };
  const strategy = { kind: "active-passive", failback: "automatic" };
  world = await testWorld({ services: [testService("checkout", strategy, { settings: HOLD, safety })] });
  // Its own agents look where they are told to, and nobody listens at the wrong port. From outside it is fine.
  const isWrong = () => JSON.stringify(world.declaration).includes(`:${WRONG}`);
  world.see = (_, target) => (target === "checkout/eu-west/db" && isWrong() ? REFUSED : OK);
  await world.until("healthy", () => isHealthy(world));
  await apply(withDatabaseAt(9_150), 1);
  await apply(withDatabaseAt(WRONG), 2);
  await world.until("asked", async () => (await waiting()) !== undefined);
  const words = / of configuration version 3 \(regent configuration rollback --to 2 goes back\)/;
  expect((await waiting())?.asks).toEqual(["A11"]);
  const [told] = await eventsOf(world, "approval");
  expect(told?.why).toMatch(words);
  expect((await world.controlPlane.explain("checkout"))?.rules.find(({ rule }) => rule === "A11")?.why).toMatch(words);

  const before = await world.controlPlane.configurationVersion(2);
  await apply(before?.text ?? "", 3, "back to version 2: a wrong port");
  await world.until("healthy", () => isHealthy(world));
  await world.until("nothing is asked", async () => (await waiting()) === undefined);
  expect(await weightIn(world, "eu-west")).toBe(255);
  expect((await changesOf(world)).map(({ kind }) => kind)).not.toContain("failover");
  const versions = await world.controlPlane.configurationVersions({ limit: 3 });
  expect(versions.map(({ version, lines }) => [version, lines.length > 0])).toEqual([4, 3, 2].map((one) => [one, true]));
  expect((await eventsOf(world, "configuration")).at(-1)?.why).toBe(
    "ada applied configuration version 4: back to version 2: a wrong port",
  );
});
