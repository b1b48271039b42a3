/** Whoever wants something else at the same moment: automation and a person, or two people. What came of it stands in history, exactly so. */
import type { HistoryEvent } from "@regent/contract";
import { afterEach, describe, expect, test } from "vitest";
import { breakRegion, changesOf, eventsOf, goOn, isHealthy, moveOrder, weightIn } from "../testing/play.ts";
import { testService, testWorld, type World } from "../testing/world.ts";

let world: World;
afterEach(() => world.stop());

const start = async (): Promise<void> => {
  world = await testWorld({ services: [testService("checkout", { kind: "active-passive", failback: "manual" })] });
  await world.until("healthy", () => isHealthy(world));
};

/** Everything but verdicts and the configuration, oldest first: `failover by regent: accepted, eu-west 255 -> us-east 255`. */
const told = async (): Promise<string[]> => {
  const events = (await eventsOf(world)).filter(({ kind }) => kind !== "verdict" && kind !== "configuration");
  return events.map(lineOf);
};

const lineOf = ({ kind, actor, change, why }: HistoryEvent): string => {
  if (!change) return `${kind} by ${actor.name}: ${why.split(":")[0]}`;
  const activeIn = (weights: typeof change.weightsBefore): string =>
    Object.entries(weights.default ?? {})
      .filter(([, weight]) => weight > 0)
      .map(([region]) => region)
      .join(" + ") || "nothing";
  return `${change.kind} by ${change.actor.name}: ${change.times.accepted ? "accepted" : change.stage}, ${activeIn(change.weightsBefore)} -> ${activeIn(change.weightsAfter)}`;
};

const failover = (to: string, by: string) =>
  world.controlPlane.move(
    moveOrder(
      { kind: "failover", to },
      { request: { move: { kind: "failover", to }, by, reason: "I know better", breakGlass: [] } },
    ),
  );

/** The next batch is held on its way until it is let go. */
const holdNextBatch = () => {
  let letGo = (): void => undefined;
  const free = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let isHeld = false;
  world.faults.around = async ({ name }, proceed) => {
    if (name === "dns.send" && !isHeld) {
      isHeld = true;
      await free;
    }
    return proceed();
  };
  return { letGo: () => letGo(), isHeld: () => isHeld };
};

describe("a person moves traffic while automation does", () => {
  test("its batch is on the way: it lands, and the person's is made after it, on what it left", async () => {
    await start();
    const batch = holdNextBatch();
    breakRegion(world, "eu-west");
    await world.until("on the way", batch.isHeld);
    const asked = failover("ap-south", "ada");
    batch.letGo();
    expect(await asked).toMatchObject({ kind: "answered", answer: { allowed: true } });
    await world.until("where ada wants it", async () => (await weightIn(world, "ap-south")) === 255);
    await goOn(world, 500);
    expect(await told()).toEqual([
      "create by regent: accepted, nothing -> eu-west",
      "failover by regent: accepted, eu-west -> us-east",
      "failover by ada: accepted, us-east -> ap-south",
    ]);
  });

  test("its batch got no answer and lands late: the person's is made over it, and neither is made twice", async () => {
    await start();
    world.dns.breakNextSend({ kind: "late", delayMs: 600 });
    breakRegion(world, "eu-west");
    await world.until("written ahead", async () => (await changesOf(world)).length === 2);
    expect(await failover("ap-south", "ada")).toMatchObject({ kind: "answered", answer: { allowed: true } });
    await world.until("where ada wants it", async () => (await weightIn(world, "ap-south")) === 255);
    await goOn(world, 1_200);
    expect(await weightIn(world, "ap-south")).toBe(255);
    const [, own, adas, ...more] = await changesOf(world);
    expect(more).toEqual([]);
    expect(own).toMatchObject({ kind: "failover", actor: { kind: "automation" }, revision: 2 });
    expect(adas).toMatchObject({ kind: "failover", actor: { name: "ada" }, revision: 3 });
    expect(adas?.times.accepted).toBeGreaterThan(0);
  });

  test("the person is first: automation finds nothing to leave any more", async () => {
    await start();
    const batch = holdNextBatch();
    const asked = failover("ap-south", "ada");
    await world.until("on the way", batch.isHeld);
    breakRegion(world, "eu-west");
    await goOn(world, 500);
    batch.letGo();
    expect(await asked).toMatchObject({ kind: "answered", answer: { allowed: true } });
    await world.until("where ada wants it", async () => (await weightIn(world, "ap-south")) === 255);
    await goOn(world, 500);
    expect(await told()).toEqual([
      "create by regent: accepted, nothing -> eu-west",
      "failover by ada: accepted, eu-west -> ap-south",
    ]);
  });
});

describe("two people with opposite wishes", () => {
  test("at once: both are made in the order in which they came, each on what the other left", async () => {
    await start();
    const both = await Promise.all([failover("us-east", "ada"), failover("ap-south", "bob")]);
    expect(both).toMatchObject([{ kind: "answered" }, { kind: "answered" }]);
    await world.until("where bob wants it", async () => (await weightIn(world, "ap-south")) === 255);
    await goOn(world, 500);
    expect(await told()).toEqual([
      "create by regent: accepted, nothing -> eu-west",
      "failover by ada: accepted, eu-west -> us-east",
      "failover by bob: accepted, us-east -> ap-south",
    ]);
  });

  test("who named the revision that they saw is refused when somebody was first", async () => {
    await start();
    const seen = { expectedRevision: 1 };
    const wish = (to: string, by: string) =>
      world.controlPlane.move(
        moveOrder(
          { kind: "failover", to },
          { ...seen, request: { move: { kind: "failover", to }, by, reason: "seen", breakGlass: [] } },
        ),
      );
    const both = await Promise.all([wish("us-east", "ada"), wish("ap-south", "bob")]);
    expect(both).toMatchObject([{ kind: "answered" }, { kind: "stale-revision", revision: 2 }]);
    await world.until("where ada wants it", async () => (await weightIn(world, "us-east")) === 255);
    await goOn(world, 500);
    expect(await told()).toEqual([
      "create by regent: accepted, nothing -> eu-west",
      "failover by ada: accepted, eu-west -> us-east",
    ]);
  });

  test("one freezes while the other moves: the freeze holds automation, and the move is made", async () => {
    await start();
    const [frozen, moved] = await Promise.all([
      world.controlPlane.setFreeze({
        scope: { kind: "service", service: "checkout" },
        isFrozen: true,
        by: "bob",
        reason: "nobody touches it",
      }),
      world.controlPlane.move(
        moveOrder(
          { kind: "failover", to: "us-east" },
          { request: { move: { kind: "failover", to: "us-east" }, by: "ada", reason: "I must", breakGlass: ["A4"] } },
        ),
      ),
    ]);
    expect([frozen.kind, moved.kind]).toEqual(["set", "answered"]);
    await world.until("where ada wants it", async () => (await weightIn(world, "us-east")) === 255);
    await world.until("marked", async () => (await world.controlPlane.service("checkout"))?.frozen !== null);
    breakRegion(world, "us-east");
    await world.until("refused", async () => (await eventsOf(world, "refused")).length > 0);
    expect(await weightIn(world, "us-east")).toBe(255);
  });
});
