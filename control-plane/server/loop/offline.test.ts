/** Operators who wrote DNS without a control plane: whoever leads afterwards obeys, freezes that service, tells it, and writes nothing until unfrozen. */
import { isDeepStrictEqual } from "node:util";
import { readEpochSet } from "@regent/engine/plan/epoch.ts";
import { afterEach, describe, expect, test } from "vitest";
import type { PortCall } from "../testing/faults.ts";
import { EPOCH_NAME, epochAt, look, NAME, ownOrder, rewrite, shown, weigh } from "../testing/hand.ts";
import { writeOffline } from "../testing/offline.ts";
import { breakRegion, changesOf, eventsOf, goOn, isHealthy, moveOrder, weightIn } from "../testing/play.ts";
import { OK, testService, testWorld, type World } from "../testing/world.ts";

let world: World;
afterEach(() => world.stop());

const passive = (id: string, safety: object = {}) => testService(id, { kind: "active-passive", failback: "manual" }, { safety });
const start = async (services: object[] = [passive("checkout")]): Promise<void> => {
  world = await testWorld({ services });
  await world.until("healthy", () => isHealthy(world));
  await world.until("in sync", async () => (await changesOf(world)).at(-1)?.times.inSync !== undefined);
};
const service = async (id = "checkout") => {
  const found = await world.controlPlane.service(id);
  if (!found) throw new Error("no service");
  return found;
};
const untilFrozen = () => world.until("frozen", async () => (await service()).frozen !== null);
const freezes = () => eventsOf(world, "freeze");
const unfreeze = () =>
  world.controlPlane.setFreeze({
    scope: { kind: "service", service: "checkout" },
    isFrozen: false,
    by: "ada",
    reason: "the night is over",
  });
/** Nothing is written, whatever happens, and nothing is held but this service. */
const expectObeyed = async (region: string, revision: number): Promise<void> => {
  const sends = world.dns.sends();
  breakRegion(world, region);
  await goOn(world, 1_200);
  await look(world);
  expect(world.dns.sends()).toBe(sends);
  expect(await weightIn(world, region)).toBe(255);
  expect((await world.controlPlane.overview()).frozen).toBeNull();
  expect((await service()).frozen).toMatchObject({
    by: "offline operator",
    reason: `frozen in DNS at revision ${revision} while the control plane did not know it`,
  });
  world.see = () => OK;
  await world.until("healthy", () => isHealthy(world));
};
/** The next write of the controller is accepted on top of theirs, and automation moves again. */
const expectAutomaticAgain = async (from: string, revision: number): Promise<void> => {
  await unfreeze();
  await world.until("marked", async () => (await epochAt(world))?.mode === "auto");
  expect(await epochAt(world)).toMatchObject({ revision: revision + 1 });
  breakRegion(world, from);
  await world.until("moved", async () => (await weightIn(world, from)) === 0);
  expect(await epochAt(world)).toMatchObject({ revision: revision + 2, mode: "auto" });
};

describe("an offline failover", () => {
  test("while a controller leads: it obeys at the next look, tells it once with a page, and goes on from there when unfrozen", async () => {
    await start();
    const offline = await writeOffline(world, { to: "us-east" });
    await look(world);
    await untilFrozen();
    await expectObeyed("us-east", 2);
    const [told, ...more] = await freezes();
    expect(more).toEqual([]);
    expect(told).toMatchObject({
      page: true,
      actor: { kind: "operator", name: "offline operator" },
      why: "offline operator froze checkout in DNS at revision 2 while the control plane did not know it; its traffic is taken as it stands there, eu-west 0, us-east 255, ap-south 0 (it was eu-west 255, us-east 0, ap-south 0); automation is off until regent unfreeze checkout; us-east keeps the traffic after that, as after a failover, until regent failback checkout or until it fails",
      detail: { cause: "offline", revision: 2, ulid: offline.ulid },
    });
    expect(await service()).toMatchObject({ revision: 2, drift: null });
    expect((await eventsOf(world, "drift", "fence-lost")).map(({ why }) => why)).toEqual([]);
    await expectAutomaticAgain("us-east", 2);
  });

  test("while all controllers are away, on top of an offline freeze: the last word counts, and a restart tells nothing anew", async () => {
    await start();
    await world.controlPlane.stop();
    await writeOffline(world, {});
    await writeOffline(world, { to: "ap-south" });
    await world.resurrect();
    await untilFrozen();
    await expectObeyed("ap-south", 3);
    await world.restart();
    await world.until("leads", async () => world.controlPlane.readiness().isLeader);
    await goOn(world, 1_300);
    expect(await freezes()).toHaveLength(1);
    await expectAutomaticAgain("ap-south", 3);
  });

  test("ends a drain and a placement that it contradicts, and keeps what a person had frozen in its reason", async () => {
    await start();
    await world.controlPlane.move(moveOrder({ kind: "drain", region: "us-east" }));
    await world.controlPlane.move(moveOrder({ kind: "failover", to: "ap-south" }));
    await world.until("moved", async () => (await weightIn(world, "ap-south")) === 255);
    await world.controlPlane.setFreeze({
      scope: { kind: "service", service: "checkout" },
      isFrozen: true,
      by: "ada",
      reason: "a drill",
    });
    await world.until("in DNS", async () => (await epochAt(world))?.mode === "frozen");
    await goOn(world, 200);
    await world.controlPlane.stop();
    await writeOffline(world, { to: "us-east" });
    await world.resurrect();
    await world.until("obeyed", async () => (await service()).frozen?.by === "offline operator");
    const { frozen, drained } = await service();
    expect(frozen?.reason).toMatch(/did not know it; ada had frozen it before: a drill$/);
    expect(Object.keys(drained)).toEqual([]);
    await unfreeze();
    await world.until("marked", async () => (await epochAt(world))?.mode === "auto");
    await goOn(world, 600);
    expect(await weightIn(world, "us-east")).toBe(255);
  });

  test("lets people move by hand at once; the service stays frozen", async () => {
    await start();
    await writeOffline(world, { to: "us-east" });
    expect((await world.controlPlane.move(moveOrder({ kind: "failover", to: "ap-south" }))).kind).toBe("answered");
    await world.until("moved", async () => (await weightIn(world, "ap-south")) === 255);
    expect(await epochAt(world)).toMatchObject({ revision: 3, mode: "frozen" });
    expect((await service()).frozen?.by).toBe("offline operator");
  });

  test.each([
    { what: "one region serves", strategy: { kind: "active-passive", failback: "automatic" } },
    { what: "traffic is spread", strategy: { kind: "active-active", failback: "automatic" } },
  ])("stays when it is unfrozen, where $what and failback is automatic, until an operator's failback", async ({ strategy }) => {
    await start([testService("checkout", strategy)]);
    const before = await world.weights(NAME);
    await writeOffline(world, { to: "us-east" });
    await look(world);
    await untilFrozen();
    // Longer than the stable hold: every region could return at once.
    await goOn(world, 600);
    expect(await unfreeze()).toMatchObject({
      why: "ada unfroze checkout: the night is over; us-east keeps the traffic until regent failback checkout or until it fails",
    });
    await world.until("marked", async () => (await epochAt(world))?.mode === "auto");
    const { revision } = (await epochAt(world)) ?? {};
    await goOn(world, 1_200);
    expect(await world.weights(NAME)).toEqual({ "eu-west": 0, "us-east": 255, "ap-south": 0 });
    expect((await epochAt(world))?.revision).toBe(revision);
    expect((await world.controlPlane.move(moveOrder({ kind: "failback" }))).kind).toBe("answered");
    await world.until("back", async () => isDeepStrictEqual(await world.weights(NAME), before));
  });

  test("to a region that fails before a controller finds out is obeyed, and left when it is unfrozen", async () => {
    await start([passive("checkout", { removedMax: 20 })]);
    await writeOffline(world, { to: "us-east" });
    breakRegion(world, "us-east");
    await world.until("seen to fail", async () =>
      (await service()).regions.some(({ region, verdict }) => region === "us-east" && verdict === "unhealthy"),
    );
    expect((await service()).frozen).toBeNull();
    await look(world);
    await untilFrozen();
    await goOn(world, 600);
    expect(await weightIn(world, "us-east")).toBe(255);
    await unfreeze();
    await world.until("left", async () => (await weightIn(world, "us-east")) === 0);
  });

  test("to a region that had failed already keeps it there when it is unfrozen: it was chosen all the same", async () => {
    await start([passive("checkout", { removedMax: 20 })]);
    breakRegion(world, "us-east");
    await world.until("seen to fail", async () =>
      (await service()).regions.some(({ region, verdict }) => region === "us-east" && verdict === "unhealthy"),
    );
    await writeOffline(world, { to: "us-east" });
    await look(world);
    await untilFrozen();
    await unfreeze();
    await world.until("marked", async () => (await epochAt(world))?.mode === "auto");
    await goOn(world, 1_200);
    expect(await weightIn(world, "us-east")).toBe(255);
  });

  test("of a database that was put back from before: that service is frozen, and nothing else is held", async () => {
    await start(["checkout", "search"].map((id) => passive(id)));
    const restore = world.database.decisions.save();
    await world.controlPlane.move(moveOrder({ kind: "failover", to: "ap-south" }));
    await world.until("moved", async () => (await weightIn(world, "ap-south")) === 255);
    await world.controlPlane.stop();
    await writeOffline(world, { to: "us-east" });
    restore();
    await world.resurrect();
    await untilFrozen();
    await expectObeyed("us-east", 3);
    breakRegion(world, "eu-west");
    await world.until("the other one moves", async () => (await weightIn(world, "eu-west", "search.example.test")) === 0);
  });
});

describe("an offline freeze", () => {
  test("moves nothing and places nothing: unfrozen, a region that was left comes back by itself, as after any freeze", async () => {
    await start([testService("checkout", { kind: "active-passive", failback: "automatic" }, { safety: { removedMax: 20 } })]);
    breakRegion(world, "eu-west");
    await world.until("left", async () => (await weightIn(world, "us-east")) === 255);
    await world.until("known", async () => (await service()).revision === 2);
    await writeOffline(world, {});
    await look(world);
    await untilFrozen();
    expect((await freezes()).map(({ why }) => why)).toEqual([expect.not.stringContaining("failback")]);
    world.see = () => OK;
    await world.until("healthy", () => isHealthy(world));
    expect(await weightIn(world, "us-east")).toBe(255);
    expect(await unfreeze()).toMatchObject({
      why: "ada unfroze checkout: the night is over; regions that were left may come back at once, as their stable hold counted on while it was frozen",
    });
    await world.until("back", async () => (await weightIn(world, "eu-west")) === 255);
  });
});

describe("a change of ours that was under way", () => {
  // What automation had moved, or had decided to, stays counted: A17 would ask a person before it moves again.
  const startBusy = () => start([passive("checkout", { removedMax: 20 })]);

  /** The next batch leaves and isn't answered; `arrive` lets it reach Route 53. */
  const holdNextSend = (): { readonly sent: Promise<void>; readonly arrive: () => Promise<unknown> } => {
    let arrive = (): Promise<unknown> => Promise.reject(new Error("nothing was sent"));
    let isHeld = false;
    const sent = new Promise<void>((resolve) => {
      world.faults.around = ({ name }: PortCall, proceed) => {
        if (name !== "dns.send" || isHeld) return proceed();
        isHeld = true;
        arrive = proceed;
        resolve();
        return Promise.resolve({ kind: "unknown", why: "no answer in time" });
      };
    });
    return { sent, arrive: () => arrive() };
  };

  test("arrives after the offline write and is refused by Route 53; it is told as lost, and the service is frozen", async () => {
    await startBusy();
    const held = holdNextSend();
    breakRegion(world, "eu-west");
    const reporting = world.until("frozen", async () => (await service()).frozen !== null, 10_000);
    await held.sent;
    const offline = await writeOffline(world, { to: "ap-south" });
    expect(await held.arrive()).toMatchObject({ kind: "refused" });
    await reporting;
    expect(await epochAt(world)).toMatchObject({ ulid: offline.ulid, revision: 2 });
    expect((await eventsOf(world, "fence-lost")).map(({ why }) => why)).toEqual([
      "revision 2 did not reach DNS: an operator wrote revision 2 without the control plane first",
    ]);
    expect((await changesOf(world)).at(-1)).toMatchObject({ revision: 2, stage: "lost" });
    world.see = () => OK;
    await world.until("healthy", () => isHealthy(world));
    await expectObeyed("ap-south", 2);
    await expectAutomaticAgain("ap-south", 2);
  });

  test("arrived before it, unheard: the offline write stands on top of it, and is obeyed", async () => {
    await startBusy();
    const held = holdNextSend();
    breakRegion(world, "eu-west");
    const reporting = world.until("frozen", async () => (await service()).frozen !== null, 10_000);
    await held.sent;
    expect(await held.arrive()).toMatchObject({ kind: "accepted" });
    const offline = await writeOffline(world, { to: "ap-south" });
    await reporting;
    expect((await epochAt(world))?.ulid).toBe(offline.ulid);
    world.see = () => OK;
    await world.until("healthy", () => isHealthy(world));
    await expectObeyed("ap-south", 3);
    await expectAutomaticAgain("ap-south", 3);
  });
});

describe("what isn't as declared", () => {
  test("stays as the offline operator left it while it is frozen, and is written as declared when that ends", async () => {
    await start();
    await world.controlPlane.stop();
    await rewrite(world, (set) => (set.setIdentifier === "us-east" ? { ...set, values: ["192.0.2.99"] } : set));
    await writeOffline(world, { to: "us-east" });
    await world.resurrect();
    await untilFrozen();
    await expectObeyed("us-east", 2);
    expect(await shown(world)).toContain("us-east 192.0.2.99 255 5");
    expect((await service()).drift).toBe("checkout.example.test A us-east answers 192.0.2.99; declared is 192.0.2.11.");
    await unfreeze();
    await world.until("as declared", async () => (await shown(world)).includes("us-east 192.0.2.11 255 5"));
  });

  test("with weights that nobody can tell, the service is frozen and waits for a person; adopting keeps it frozen", async () => {
    await start();
    await world.controlPlane.stop();
    await rewrite(world, weigh({ "eu-west": 0 }));
    const [record] = await world.dns.provider
      .readNames(world.zoneId, [EPOCH_NAME])
      .then((read) => (read.kind === "sets" ? read.sets : []));
    const epoch = record && readEpochSet(record);
    if (!epoch) throw new Error("no epoch record");
    await rewrite(
      world,
      (set) => ({
        ...set,
        values: [`"regent1 o=test t=${epoch.term} r=9 p=01JD8ZK3M4N5P6Q7R8S9T0V1W2 m=frozen d=${epoch.digest}"`],
      }),
      EPOCH_NAME,
    );
    const sends = world.dns.sends();
    await world.resurrect();
    await untilFrozen();
    await goOn(world, 1_200);
    await look(world);
    expect(world.dns.sends()).toBe(sends);
    expect((await world.controlPlane.overview()).frozen).toBeNull();
    expect(await freezes()).toHaveLength(1);
    expect(await world.controlPlane.move(moveOrder({ kind: "failover", to: "us-east" }))).toMatchObject({ kind: "name-taken" });
    expect((await world.controlPlane.own(ownOrder("adopt"))).kind).toBe("answered");
    await world.until("adopted", async () => (await epochAt(world))?.revision === 10);
    expect(await epochAt(world)).toMatchObject({ mode: "frozen" });
    expect(Object.values(await world.weights(NAME))).toEqual([255, 255, 255]);
  });
});
