/** A database older than DNS, a zone older than the database, and two installations of one owner: nothing is written until a person looked. */
import type { RecordSet } from "@regent/engine";
import { afterEach, describe, expect, test } from "vitest";
import { EPOCH_NAME, epochAt, look, NAME, ownOrder, rewrite, setsAt, shown, weigh } from "../testing/hand.ts";
import { breakRegion, changesOf, eventsOf, goOn, isHealthy, moveOrder, weightIn } from "../testing/play.ts";
import { OK, sharedDns, testService, testWorld, type World } from "../testing/world.ts";

let world: World;
const others: World[] = [];
afterEach(async () => {
  for (const other of others.splice(0)) await other.stop();
  await world.stop();
});

const MANUAL = { kind: "active-passive", failback: "manual" };
const manual = (id: string): object => testService(id, MANUAL);
const start = async (services: object[] = [manual("checkout")]): Promise<void> => {
  world = await testWorld({ services });
  await world.until("healthy", () => isHealthy(world));
};
const moveTo = async (region: string, in_: World = world): Promise<void> => {
  await in_.controlPlane.move(moveOrder({ kind: "failover", to: region }));
  await in_.until(`moved to ${region}`, async () => (await weightIn(in_, region)) === 255);
  await in_.until("in sync", async () => (await changesOf(in_)).at(-1)?.times.inSync !== undefined);
};
const unfreeze = (in_: World = world) =>
  in_.controlPlane.setFreeze({ scope: { kind: "global" }, isFrozen: false, by: "ada", reason: "looked at the zone" });
const holdsOf = async (in_: World) => (await eventsOf(in_, "freeze")).filter(({ detail }) => detail.cause === "restored");
const pagesOf = async (in_: World) => (await eventsOf(in_)).filter(({ page }) => page).map(({ why }) => why);
const isHeld = async (in_: World) => (await in_.controlPlane.overview()).frozen !== null;
const service = async (in_: World = world) => {
  const found = await in_.controlPlane.service("checkout");
  if (!found) throw new Error("no service");
  return found;
};

describe("a database that was restored from an old backup", () => {
  test("holds automation until a person confirms; DNS is taken as it stands, and operators move by hand at once", async () => {
    await start();
    const restore = world.database.decisions.save();
    await moveTo("us-east");
    await moveTo("ap-south");
    await world.controlPlane.stop();
    restore();
    const sends = world.dns.sends();
    const pages = (await pagesOf(world)).length;
    await world.resurrect();
    await world.until("held", () => isHeld(world));
    const [hold, ...more] = await holdsOf(world);
    expect(more).toEqual([]);
    expect(hold).toMatchObject({
      page: true,
      why: expect.stringMatching(
        /DNS shows revision 3 of checkout, and the database knows 1: it was restored.*unfreeze --global/,
      ),
    });
    breakRegion(world, "ap-south");
    await goOn(world, 1_200);
    expect(await weightIn(world, "ap-south")).toBe(255);
    expect(world.dns.sends()).toBe(sends);
    expect((await pagesOf(world)).slice(pages).filter((why) => !/ap-south|unhealthy/.test(why))).toEqual([hold?.why]);

    await world.restart();
    await world.until("still held", () => isHeld(world));
    await goOn(world, 1_500);
    expect(await weightIn(world, "ap-south")).toBe(255);
    expect(world.dns.sends()).toBe(sends);
    expect(await holdsOf(world)).toHaveLength(1);
    expect(await service()).toMatchObject({ revision: 3, drift: null });

    const moved = await world.controlPlane.move(moveOrder({ kind: "failover", to: "eu-west" }));
    expect(moved.kind).toBe("answered");
    await world.until("moved by hand", async () => (await weightIn(world, "eu-west")) === 255);
    expect(await epochAt(world)).toMatchObject({ revision: 4, mode: "auto" });

    world.see = () => OK;
    await world.until("healthy", () => isHealthy(world));
    await unfreeze();
    breakRegion(world, "eu-west");
    await world.until("automatic again", async () => (await weightIn(world, "eu-west")) === 0);
    expect(await holdsOf(world)).toHaveLength(1);
  });

  test("forgets what operators had asked for then, where DNS contradicts it; of a freeze that only DNS remembers it holds that service alone", async () => {
    await start();
    await moveTo("us-east");
    await world.controlPlane.move(moveOrder({ kind: "drain", region: "ap-south" }));
    const restore = world.database.decisions.save();
    await moveTo("eu-west");
    await world.controlPlane.setFreeze({
      scope: { kind: "service", service: "checkout" },
      isFrozen: true,
      by: "ada",
      reason: "a drill",
    });
    await world.until("frozen in DNS", async () => (await epochAt(world))?.mode === "frozen");
    await world.controlPlane.stop();
    restore();
    await world.resurrect();
    await world.until("known", async () => (await service()).frozen !== null);
    const { frozen, drained } = await service();
    expect(frozen).toMatchObject({
      by: "offline operator",
      reason: "frozen in DNS at revision 4 while the control plane did not know it",
    });
    expect(Object.keys(drained)).toEqual(["ap-south"]);
    expect(await isHeld(world)).toBe(false);
    await goOn(world, 800);
    expect(await world.weights(NAME)).toEqual({ "eu-west": 255, "us-east": 0, "ap-south": 0 });
    await world.controlPlane.setFreeze({
      scope: { kind: "service", service: "checkout" },
      isFrozen: false,
      by: "ada",
      reason: "over",
    });
    await world.until("marked", async () => (await epochAt(world))?.mode === "auto");
    await goOn(world, 800);
    expect(await world.weights(NAME)).toEqual({ "eu-west": 255, "us-east": 0, "ap-south": 0 });
  });

  test("of several services is told and paged once, and a freeze of everything adds nothing to it", async () => {
    await start(["checkout", "search", "cart"].map((id) => manual(id)));
    const empty = await testWorld({
      services: ["checkout", "search", "cart"].map((id) => manual(id)),
      elsewhere: sharedDns(world),
    });
    others.push(empty);
    await empty.until("held", () => isHeld(empty));
    await empty.until("all known", async () =>
      (await empty.controlPlane.overview()).services.every(({ revision }) => revision === 1),
    );
    await goOn(empty, 600);
    expect(await holdsOf(empty)).toHaveLength(1);
    expect(await pagesOf(empty)).toHaveLength(1);
    const answer = await empty.controlPlane.setFreeze({
      scope: { kind: "global" },
      isFrozen: true,
      by: "ada",
      reason: "to be sure",
    });
    expect(answer).toMatchObject({
      kind: "set",
      why: expect.stringMatching(/^everything is held already: DNS shows revision 1/),
    });
    await goOn(empty, 400);
    for (const id of ["checkout", "search", "cart"])
      expect(await epochAt(world, `_regent.${id}.example.test`)).toMatchObject({ revision: 1, mode: "auto" });
  });

  test("is taken from DNS before the hold ends, also when verdicts changed while DNS was read", async () => {
    await start();
    const restore = world.database.decisions.save();
    await moveTo("us-east");
    await world.controlPlane.stop();
    restore();
    await world.resurrect();
    // From the hold on, whatever DNS tells is told too late: a verdict changed meanwhile.
    let isLate = true;
    world.faults.around = async ({ name }, proceed) => {
      if (!isLate || !name.startsWith("dns.read") || !(await isHeld(world))) return proceed();
      const answer = await proceed();
      breakRegion(world, "us-east");
      await world.until("known", async () => (await service()).regions.some(({ verdict }) => verdict === "unhealthy"));
      return answer;
    };
    await world.until("held", () => isHeld(world));
    await world.until("us-east is bad", async () =>
      (await service()).regions.some(({ region, verdict }) => region === "us-east" && verdict === "unhealthy"),
    );
    expect(await weightIn(world, "us-east")).toBe(255);
    isLate = false;
    expect((await unfreeze()).kind).toBe("set");
    await world.until("left", async () => (await weightIn(world, "us-east")) === 0);
    expect(await holdsOf(world)).toHaveLength(1);
  });

  test("stays held while DNS can't be read: a person is told so", async () => {
    await start();
    const restore = world.database.decisions.save();
    await moveTo("us-east");
    await world.controlPlane.stop();
    restore();
    await world.resurrect();
    await world.until("held", () => isHeld(world));
    let isAway = true;
    world.faults.around = async ({ name }, proceed) =>
      isAway && name.startsWith("dns.read") ? { kind: "failed", why: "no answer" } : proceed();
    expect(await unfreeze()).toEqual({ kind: "dns-away", why: "no answer" });
    expect(await isHeld(world)).toBe(true);
    isAway = false;
    expect((await unfreeze()).kind).toBe("set");
    expect(await isHeld(world)).toBe(false);
  });

  test("leaves a name whose weights can't be told to a person, and holds nothing back for it after the hold is ended", async () => {
    await start();
    const restore = world.database.decisions.save();
    await moveTo("us-east");
    await world.controlPlane.stop();
    restore();
    await rewrite(world, weigh({ "us-east": 0 }));
    await world.resurrect();
    await world.until("held", () => isHeld(world));
    await world.until("blocked", async () => /regent adopt checkout/.test((await service()).drift ?? (await service()).now));
    await unfreeze();
    for (let i = 0; i < 3; i++) await look(world);
    await goOn(world, 600);
    expect(await isHeld(world)).toBe(false);
    expect(await holdsOf(world)).toHaveLength(1);
    expect((await world.controlPlane.own(ownOrder("adopt"))).kind).toBe("answered");
    await world.until("adopted", async () => (await weightIn(world, "us-east")) === 255);
  });
});

describe("a second installation of the same owner", () => {
  test("writes nothing before a person says so, and never makes the first one write", async () => {
    await start();
    const second = await testWorld({ services: [manual("checkout")], elsewhere: sharedDns(world) });
    others.push(second);
    await second.until("held", () => isHeld(second));
    breakRegion(second, "eu-west");
    await goOn(second, 1_000);
    expect(await epochAt(world)).toMatchObject({ revision: 1 });
    expect(await isHeld(world)).toBe(false);

    await unfreeze(second);
    await second.until("the second one moves", async () => (await weightIn(world, "us-east")) === 255);
    const sends = world.dns.sends();
    breakRegion(world, "us-east");
    await look(world);
    await world.until("the first one holds", () => isHeld(world));
    await goOn(world, 1_500);
    expect(world.dns.sends()).toBe(sends);
    expect(await weightIn(world, "us-east")).toBe(255);
    expect(await holdsOf(world)).toHaveLength(1);
  });
});

describe("a zone that was restored to an older state", () => {
  const all = async (): Promise<readonly RecordSet[]> => [...(await setsAt(world)), ...(await setsAt(world, EPOCH_NAME))];
  const restoreZone = async (to: readonly RecordSet[]): Promise<void> => {
    const deletes = await all();
    if (world.dns.edit(world.zoneId, { deletes, creates: to }) !== "applied") throw new Error("refused");
  };

  test.each([
    ["while Regent looks on", false],
    ["while Regent was away", true],
  ])("%s: nothing is written, one sentence says why, until it is adopted", async (_, isAway) => {
    await start();
    const old = await all();
    await moveTo("us-east");
    await moveTo("ap-south");
    if (isAway) await world.controlPlane.stop();
    await restoreZone(old);
    const sends = world.dns.sends();
    if (isAway) await world.resurrect();
    await look(world);
    breakRegion(world, "eu-west");
    await goOn(world, 1_500);
    await look(world);
    expect(world.dns.sends()).toBe(sends);
    expect(await weightIn(world, "eu-west")).toBe(255);
    const told = await eventsOf(world, "drift");
    expect(told.map(({ why, page }) => [why, page])).toEqual([
      [
        "The epoch record _regent.checkout.example.test went back to revision 1, and revision 3 had been in force: the zone was restored from an older state. Regent writes nothing here until an operator adopts what stands (regent adopt checkout).",
        true,
      ],
    ]);
    expect(await world.controlPlane.move(moveOrder({ kind: "failover", to: "us-east" }))).toMatchObject({ kind: "name-taken" });
    world.see = () => OK;
    await world.until("healthy", () => isHealthy(world));
    expect((await world.controlPlane.own(ownOrder("adopt"))).kind).toBe("answered");
    await world.until("adopted", async () => (await epochAt(world))?.revision === 4);
    await goOn(world, 600);
    expect(await weightIn(world, "eu-west")).toBe(255);
    expect((await eventsOf(world, "drift")).filter(({ page }) => page)).toHaveLength(1);
    breakRegion(world, "eu-west");
    await world.until("automatic again", async () => (await weightIn(world, "eu-west")) === 0);
  });

  test("from before Regent knew it: blocked too, and with nothing there the way out is named", async () => {
    await start();
    await restoreZone([]);
    await look(world);
    await goOn(world, 600);
    expect(await setsAt(world)).toEqual([]);
    const answer = await world.controlPlane.own(ownOrder("adopt"));
    expect(answer).toMatchObject({
      kind: "name-taken",
      why: expect.stringMatching(/Nothing stands at checkout.*make one by hand/),
    });
    const simple: RecordSet = { name: NAME, type: "A", ttl: 60, values: ["192.0.2.11"] };
    await restoreZone([simple]);
    expect((await world.controlPlane.own(ownOrder("adopt"))).kind).toBe("answered");
    await world.until("ours", async () => (await shown(world)).includes("us-east 192.0.2.11 255 5"));
  });
});
