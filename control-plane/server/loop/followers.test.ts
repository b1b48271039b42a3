/** A process that doesn't lead changes nothing and says so, at every door; what it may know, it tells. */
import { MaintenanceRequest } from "@regent/contract";
import { afterEach, expect, test } from "vitest";
import { ulid } from "../ports/suites/examples.ts";
import { eventsOf, isHealthy } from "../testing/play.ts";
import { testWorld, type World } from "../testing/world.ts";
import type { RunningControlPlane } from "./control-plane.ts";

let world: World;
afterEach(() => world.stop());

const by = "ada";
const reason = "rehearsing";
const service = "checkout";
const ORDERS: readonly (readonly [string, (follower: RunningControlPlane) => Promise<object>])[] = [
  [
    "an override",
    (it) =>
      it.setOverride({
        service,
        what: { kind: "off", region: "eu-west" },
        forMs: 60_000,
        until: null,
        by,
        reason,
        breakGlass: [],
        dryRun: false,
        expectedRevision: null,
      }),
  ],
  ["the end of one", (it) => it.endOverride({ service, id: ulid(), by, reason })],
  ["a freeze of a region everywhere", (it) => it.freezeRegion({ region: "eu-west", isFrozen: true, by, reason, scope: null })],
  [
    "an evacuation",
    (it) => it.evacuate({ region: "eu-west", direction: "evacuate", by, reason, breakGlass: [], dryRun: false, scope: null }),
  ],
  ["the stop of one", (it) => it.stopEvacuation({ id: ulid(), by, reason, scope: null })],
  [
    "maintenance",
    (it) => it.planMaintenance({ request: MaintenanceRequest.parse({ regions: ["eu-west"], minutes: 60, reason }), by }),
  ],
  ["the end of it", (it) => it.endMaintenance({ id: ulid(), by, reason })],
  ["the stop of a transfer", (it) => it.stopTransfer({ service, by, reason })],
  [
    "an alert rule",
    (it) => it.changeAlertRule({ id: "agents-missing", by, step: "set", request: { for: 600, expectedVersion: 0, reason } }),
  ],
];

test("a follower refuses every order as not-leader, writes nothing of it, and reads what it is asked", async () => {
  world = await testWorld();
  await world.until("healthy", () => isHealthy(world));
  const { controlPlane: follower } = await world.addReplica();
  await world.until("it knows the services", async () => (await follower.overview()).services.length === 1);
  const before = (await eventsOf(world)).length;
  for (const [what, order] of ORDERS) expect([what, await order(follower)]).toEqual([what, { kind: "not-leader" }]);
  const told = (await eventsOf(world)).slice(before).map(({ kind }) => kind);
  expect(told.filter((kind) => kind !== "verdict")).toEqual([]);
  expect((await follower.alertRules()).length).toBeGreaterThan(10);
  expect(await follower.tryAlertRule("event-loop-late")).toMatchObject({ rule: { source: "default" } });
  expect(await follower.maintenance()).toEqual([]);
  expect(await follower.evacuations({ limit: 5 })).toEqual([]);
  expect(await follower.transfers()).toEqual([]);
  expect((await follower.role(service)).kind).toBe("not-found");
});
