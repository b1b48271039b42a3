/** Maintenance windows of a whole control plane: planned by an operator, begun and ended by time alone, told once whatever restarts. */
import { Declaration } from "@regent/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { breakRegion, changesOf, eventsOf, goOn, isHealthy, moveOrder, rest, weightIn } from "../testing/play.ts";
import { testWorld, type World } from "../testing/world.ts";

let world: World;
beforeEach(async () => {
  world = await testWorld({
    notify: {
      notifiers: [{ id: "desk", kind: "webhook", where: "https://desk.example.test/", secret: { env: "REGENT_SECRET_DESK" } }],
    },
  });
  await world.until("healthy", () => isHealthy(world));
});
afterEach(() => world.stop());

const REASON = "new disks";
const verdictOf = async (region: string) => {
  const { services } = await world.controlPlane.overview();
  return services[0]?.regions.find((one) => one.region === region);
};
const plan = async ({
  regions = ["eu-west"],
  fromMs = 0,
  lastsMs = 60_000,
  dryRun = false,
}: {
  regions?: string[];
  fromMs?: number;
  lastsMs?: number;
  dryRun?: boolean;
} = {}) => {
  const from = world.clock.now() + fromMs;
  const request = { regions, from, to: from + lastsMs, reason: REASON, dryRun };
  const result = await world.controlPlane.planMaintenance({ request, by: "ada" });
  if (result.kind !== "answered") throw new Error(JSON.stringify(result));
  return result.answer;
};
const end = (id: string) => world.controlPlane.endMaintenance({ id, by: "ada", reason: "done early" });
const told = async (): Promise<string[]> => (await eventsOf(world, "maintenance")).map(({ detail }) => String(detail.step));
const paged = async () => (await eventsOf(world)).filter(({ page }) => page).map(({ why }) => why);

describe("a window that an operator plans", () => {
  test("empties its region before it begins, and by its end the region recovers and gets its traffic back", async () => {
    const { window } = await plan({ fromMs: 10_600, lastsMs: 900 });
    // TTL and 5 s in the profile sandbox: half a second from now.
    await goOn(world, 200);
    expect(await weightIn(world, "eu-west")).toBe(255);
    expect((await world.controlPlane.maintenance())[0]).toMatchObject({ id: window.id, state: "planned" });
    await world.until("left", async () => (await weightIn(world, "eu-west")) === 0);
    expect(world.clock.now()).toBeLessThan(window.from);
    expect(await verdictOf("eu-west")).toMatchObject({ verdict: "maintenance", evidence: "good" });
    expect((await verdictOf("eu-west"))?.why).toContain(`(window ${window.id} of ada: ${REASON})`);
    world.jump(10_000);
    await world.until("over", async () => (await told()).includes("ends"), 8_000);
    await world.until("back", async () => (await weightIn(world, "eu-west")) === 255, 12_000);
    expect(await told()).toEqual(["planned", "begins", "ends"]);
    const turns = (await eventsOf(world, "verdict"))
      .filter(({ detail }) => detail.region === "eu-west")
      .map(({ detail }) => detail.to);
    expect(turns.slice(-3)).toEqual(["maintenance", "recovering", "healthy"]);
    expect(await paged()).toEqual([]);
  }, 40_000);

  test("begins without a report arriving", async () => {
    await plan();
    for (const deadline = performance.now() + 5_000; (await weightIn(world, "eu-west")) !== 0; await rest(40))
      if (performance.now() > deadline) throw new Error("it never began");
  });

  test("is told once, whatever restarts, and an end that came while nobody led is told afterwards", async () => {
    await plan({ lastsMs: 2_500 });
    await world.until("begun", async () => (await told()).includes("begins"));
    await world.restart();
    await goOn(world, 600);
    expect(await told()).toEqual(["planned", "begins"]);
    expect((await verdictOf("eu-west"))?.verdict).toBe("maintenance");
    await world.restart(2_500);
    await world.until("ended", async () => (await told()).includes("ends"), 8_000);
    await world.restart();
    await goOn(world, 1_200);
    expect(await told()).toEqual(["planned", "begins", "ends"]);
  }, 30_000);

  test("that is ended early is over at once, and told so", async () => {
    const { window } = await plan();
    await world.until("left", async () => (await weightIn(world, "eu-west")) === 0);
    await world.until("begun", async () => (await told()).includes("begins"));
    expect(await end(window.id)).toMatchObject({ kind: "ended" });
    expect(await end(window.id)).toEqual({ kind: "not-found", what: `planned maintenance window ${window.id}` });
    await world.until("back", async () => (await weightIn(world, "eu-west")) === 255, 12_000);
    expect(await told()).toEqual(["planned", "begins", "taken-back"]);
    expect(await world.controlPlane.maintenance()).toEqual([]);
  }, 20_000);

  test("tried dry plans nothing, and names what it would leave without a region", async () => {
    await plan({ regions: ["eu-west", "us-east"], fromMs: 3_600_000 });
    const { why, warnings } = await plan({ regions: ["ap-south"], fromMs: 3_600_000, dryRun: true });
    expect(why).toContain("would plan ap-south of every service");
    expect(warnings).toEqual([expect.stringMatching(/^checkout has no region left from .*: its traffic stays where it is$/)]);
    expect((await world.controlPlane.maintenance()).length).toBe(1);
  });

  test.each([
    [
      "that is over",
      (now: number) => ({ from: now - 120_000, to: now - 60_000 }),
      /was over at .*: what is past can't be planned/,
    ],
    ["that began long ago", (now: number) => ({ from: now - 120_000, to: now + 60_000 }), /begins in the past/],
    ["that ends before it begins", (now: number) => ({ from: now + 2, to: now + 1 }), /ends before it begins/],
    ["of more than a week", (now: number) => ({ from: now, to: now + 8 * 86_400_000 }), /lasts 7 days at most/],
    ["in years", (now: number) => ({ from: now + 800 * 86_400_000, minutes: 5 }), /more than a year/],
    ["without an end", (now: number) => ({ from: now }), /either an end or a length/],
    ["with two ends", (now: number) => ({ to: now + 60_000, minutes: 1 }), /either an end or a length/],
  ])("%s is refused", async (_, times, detail) => {
    const request = { regions: ["eu-west"], reason: REASON, dryRun: false, ...times(world.clock.now()) };
    expect(await world.controlPlane.planMaintenance({ request, by: "ada" })).toEqual({
      kind: "invalid-request",
      detail: expect.stringMatching(detail),
    });
    expect(await told()).toEqual([]);
  });

  test("of what isn't declared is refused by name", async () => {
    const ask = (more: object) =>
      world.controlPlane.planMaintenance({
        request: { regions: ["eu-west"], minutes: 5, reason: REASON, dryRun: false, ...more },
        by: "ada",
      });
    expect(await ask({ regions: ["mars"] })).toEqual({ kind: "not-found", what: "region mars" });
    expect(await ask({ services: ["cart"] })).toEqual({ kind: "not-found", what: "service cart" });
  });
});

describe("a region in maintenance", () => {
  test("that really dies is no incident, and pages nobody", async () => {
    await plan();
    await world.until("left", async () => (await weightIn(world, "eu-west")) === 0);
    breakRegion(world, "eu-west");
    await goOn(world, 1_500);
    expect(await verdictOf("eu-west")).toMatchObject({ verdict: "maintenance", evidence: "bad" });
    expect(await paged()).toEqual([]);
    const { incidents } = await world.controlPlane.incidents({ limit: 9, state: "open" });
    expect(incidents.filter(({ severity }) => severity !== "info")).toEqual([]);
  });

  test("isn't failed over to, until an operator names the rule", async () => {
    await plan({ regions: ["us-east"] });
    await world.until("begun", async () => (await verdictOf("us-east"))?.verdict === "maintenance");
    const refused = await world.controlPlane.move(moveOrder({ kind: "failover", to: "us-east" }));
    expect(refused).toMatchObject({ kind: "refused-by-rule" });
    breakRegion(world, "eu-west");
    await world.until("around it", async () => (await weightIn(world, "ap-south")) === 255);
    expect((await changesOf(world)).at(-1)?.why).not.toContain("us-east");
  });

  test("that is the only fit one keeps the traffic, and somebody is told", async () => {
    world.see = (_, target) =>
      target.split("/")[1] === "eu-west"
        ? { outcome: "ok", latencyMs: 5 }
        : { outcome: "fail", reason: "tcp_refused", latencyMs: 1 };
    await world.until(
      "alone",
      async () => (await verdictOf("us-east"))?.verdict === "unhealthy" && (await verdictOf("ap-south"))?.verdict === "unhealthy",
    );
    await plan();
    await world.until(
      "said",
      async () =>
        (await world.controlPlane.overview()).services[0]?.now.includes(
          "so eu-west keeps its part although it is in maintenance",
        ) ?? false,
    );
    await goOn(world, 500);
    expect(await weightIn(world, "eu-west")).toBe(255);
    await world.until("told", async () => (await eventsOf(world, "fail-static")).length === 1);
  });
});

test("windows at every region leave traffic where it is, quietly, and the service says why", async () => {
  await plan({ regions: ["eu-west", "us-east", "ap-south"] });
  await world.until(
    "said",
    async () =>
      (await world.controlPlane.overview()).services[0]?.now.startsWith(
        "every region is in maintenance or drained: traffic stays",
      ) ?? false,
  );
  await goOn(world, 800);
  expect(await weightIn(world, "eu-west")).toBe(255);
  expect(await paged()).toEqual([]);
});

test("a declared window comes with its configuration and goes with it, and isn't ended by command", async () => {
  const now = world.clock.now();
  const text = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z/, "Z");
  const window = { id: "disks", regions: ["eu-west"], reason: REASON, from: text(now - 1_000), to: text(now + 3_600_000) };
  const before = world.declaration;
  await world.apply(Declaration.parse({ ...before, maintenance: [window] }));
  await world.until("left", async () => (await weightIn(world, "eu-west")) === 0);
  expect((await verdictOf("eu-west"))?.why).toContain("window disks of the configuration");
  expect(await end("disks")).toMatchObject({ kind: "invalid-request" });
  await world.until("begun", async () => (await told()).includes("begins"));
  await world.apply(before);
  await world.until("told", async () => (await told()).includes("ends"));
  expect((await eventsOf(world, "maintenance")).at(-1)?.why).toContain("is declared no more");
  await world.until("back", async () => (await weightIn(world, "eu-west")) === 255, 12_000);
}, 25_000);
