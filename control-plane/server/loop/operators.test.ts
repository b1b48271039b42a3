/** What operators decide, twice or at the wrong moment, and what they are told again and again, or only once. */
import { afterEach, describe, expect, test } from "vitest";
import { breakRegion, changesOf, eventsOf, goOn, isHealthy, moveOrder, weightIn } from "../testing/play.ts";
import { FAST_SETTINGS, OK, REFUSED, testService, testWorld, type World } from "../testing/world.ts";

let world: World;
afterEach(() => world.stop());

const start = async (settings: object = {}): Promise<void> => {
  const service = testService(
    "checkout",
    { kind: "active-passive", failback: "automatic" },
    { settings: { ...FAST_SETTINGS, ...settings } },
  );
  world = await testWorld({ services: [service] });
  await world.until("healthy", () => isHealthy(world));
};

const freeze = (isFrozen: boolean) =>
  world.controlPlane.setFreeze({ scope: { kind: "service", service: "checkout" }, isFrozen, by: "ada", reason: "release night" });

describe("standing decisions", () => {
  test("draining a region that has nothing, twice: DNS is left alone, and it gets nothing when its turn comes", async () => {
    await start();
    const sends = world.dns.sends();
    for (let i = 0; i < 2; i++)
      expect(await world.controlPlane.move(moveOrder({ kind: "drain", region: "us-east" }))).toMatchObject({
        kind: "answered",
        answer: { changeId: null, revision: 1, batch: [] },
      });
    expect(world.dns.sends()).toBe(sends);
    breakRegion(world, "eu-west");
    await world.until("moved", async () => (await weightIn(world, "ap-south")) === 255);
    expect(await weightIn(world, "us-east")).toBe(0);
  });

  test("thawing what isn't frozen, and freezing again with the same words, tells nothing new", async () => {
    await start();
    await freeze(false);
    expect((await eventsOf(world, "freeze", "unfreeze")).length).toBe(0);
    await freeze(true);
    await freeze(true);
    expect((await eventsOf(world, "freeze", "unfreeze")).length).toBe(1);
  });

  test("the change that carries a freeze to DNS counts from the moment when it was asked for", async () => {
    await start();
    await freeze(true);
    await world.until("in DNS", async () =>
      (await changesOf(world)).some(({ kind, times }) => kind === "freeze" && times.accepted),
    );
    const [told] = await eventsOf(world, "freeze");
    const change = (await changesOf(world)).find(({ kind }) => kind === "freeze");
    expect(change?.times.detected).toBe(told?.at);
  });
});

describe("a moment too early", () => {
  test("a move of a name whose first write hasn't arrived is sent back, not swallowed", async () => {
    world = await testWorld();
    for (let i = 0; i < 50; i++) world.dns.breakNextSend({ kind: "denied" });
    await world.until("tried", () => world.dns.sends() > 0);
    expect(await world.controlPlane.move(moveOrder({ kind: "failover", to: "ap-south" }))).toEqual({ kind: "change-in-flight" });
  });
});

describe("told once", () => {
  test("a refusal that stands is one entry, whatever is reported meanwhile", async () => {
    await start();
    await freeze(true);
    breakRegion(world, "eu-west");
    await world.until("refused", async () => (await eventsOf(world, "refused")).length > 0);
    await goOn(world, 800);
    expect((await eventsOf(world, "refused")).length).toBe(1);
  });

  test("a cool-down of a moment is waited for without paging anybody", async () => {
    await start({ cooldownSeconds: 1.5, failedReturnSeconds: 0.1, stableHoldSeconds: 30 });
    breakRegion(world, "eu-west");
    await world.until("moved", async () => (await weightIn(world, "us-east")) === 255);
    world.see = (_, target) => (/eu-west|us-east/.test(target) ? REFUSED : OK);
    await world.until("moved on", async () => (await weightIn(world, "ap-south")) === 255);
    expect((await eventsOf(world, "refused")).map(({ why }) => why)).toEqual([]);
  });
});

describe("who watches", () => {
  test("a listener that throws takes no decision back", async () => {
    await start();
    world.controlPlane.subscribe(() => {
      throw new Error("a broken stream");
    });
    breakRegion(world, "eu-west");
    await world.until("moved", async () => (await weightIn(world, "us-east")) === 255);
    expect((await changesOf(world)).length).toBe(2);
  });

  test("an accepted change is counted once, not again when leadership begins anew", async () => {
    await start();
    await world.restart();
    await world.until("leading", () => world.controlPlane.readiness().isLeader);
    await goOn(world, 200);
    expect(await world.controlPlane.metrics()).not.toMatch(/regent_decided_to_accepted_seconds_count/);
  });

  test("what is explained ends each sentence once, and names frozen regions", async () => {
    await start();
    await world.controlPlane.setFreeze({
      scope: { kind: "region", service: "checkout", region: "us-east" },
      isFrozen: true,
      by: "ada",
      reason: "Disks are being replaced.",
    });
    await freeze(true);
    const { sentences } = (await world.controlPlane.explain("checkout")) ?? { sentences: [] };
    expect(sentences.join(" ")).toMatch(/us-east is frozen by ada: Disks are being replaced\./);
    expect(sentences.filter((sentence) => /\.\.|\. \./.test(sentence))).toEqual([]);
  });
});

describe("a standing decision", () => {
  test("that needs no write leaves its trail all the same", async () => {
    await start();
    const answered = await world.controlPlane.move(moveOrder({ kind: "drain", region: "ap-south" }));
    expect(answered).toMatchObject({ kind: "answered", answer: { changeId: null } });
    const [told] = await eventsOf(world, "control");
    expect(told).toMatchObject({ actor: { kind: "operator" }, page: false });
    expect(told?.why).toMatch(/drain/);
    const { services } = await world.controlPlane.overview();
    expect(Object.keys(services[0]?.drained ?? {})).toEqual(["ap-south"]);
  });
});
