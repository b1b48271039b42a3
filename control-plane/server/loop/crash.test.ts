/** Killed between every two effects, and the database away at every one of them: nothing lost, nothing told twice, nothing believed unheard. */
import { isRescue } from "@regent/engine/plan/order.ts";
import { afterEach, describe, expect, test } from "vitest";
import { DatabaseAway } from "../ports/database-away.ts";
import type { Commit } from "../ports/decision-store.ts";
import type { ReadTurn } from "../ports/dns-provider.ts";
import { breakRegion, changesOf, eventsOf, goOn, isHealthy, moveOrder, rest, weightIn } from "../testing/play.ts";
import { OK, REFUSED, testService, testWorld, type World } from "../testing/world.ts";

let world: World;
afterEach(() => world.stop());

const start = async (): Promise<void> => {
  world = await testWorld();
  await world.until("healthy", () => isHealthy(world));
};

const isMoved = async (): Promise<boolean> => (await weightIn(world, "us-east")) === 255;
const isAccepted = async (): Promise<boolean> =>
  (await changesOf(world)).some(({ kind, times }) => kind === "failover" && times.accepted !== undefined);
const hasOutboxInsert = (args: readonly unknown[]): boolean => (args[0] as Commit).outboxInserts.length > 0;
const failovers = async () => (await changesOf(world)).filter(({ kind }) => kind === "failover");

describe("killed", () => {
  test("C2: after the intent is committed and before it is sent; the next process sends that same change", async () => {
    await start();
    world.faults.around = async ({ name }, proceed) => {
      if (name === "dns.send") world.kill();
      return proceed();
    };
    breakRegion(world, "eu-west");
    while (!world.faults.isDead) await goOn(world, 40);
    expect(await weightIn(world, "eu-west")).toBe(255);
    await world.resurrect();
    await world.until("moved", isMoved);
    await world.until("accepted", isAccepted);
    expect((await failovers()).length).toBe(1);
  });

  test("C2 at the very first write: the name is created by the next process", async () => {
    world = await testWorld();
    world.faults.around = async ({ name }, proceed) => {
      if (name === "dns.send") world.kill();
      return proceed();
    };
    while (!world.faults.isDead) await goOn(world, 40);
    await world.resurrect();
    await world.until("healthy", () => isHealthy(world));
    expect(await weightIn(world, "eu-west")).toBe(255);
    expect((await eventsOf(world, "drift")).map(({ why }) => why)).toEqual([]);
    expect((await changesOf(world)).length).toBe(1);
  });

  test("C2, and nobody wants it any more: the batch that may still arrive is fenced off, and traffic stays", async () => {
    await start();
    world.faults.around = async ({ name }, proceed) => {
      if (name === "dns.send") world.kill();
      return proceed();
    };
    breakRegion(world, "eu-west");
    while (!world.faults.isDead) await goOn(world, 40);
    await world.resurrect();
    // Route 53 is away until all regions fail for everybody: that is no reason to move, whatever was decided before.
    world.faults.around = async ({ name }, proceed) =>
      name === "dns.readNames" || name === "dns.readZone" ? { kind: "failed", why: "timeout" } : proceed();
    world.see = () => REFUSED;
    await world.until("all are bad", async () => {
      const { services } = await world.controlPlane.overview();
      return services.every(({ regions }) => regions.every(({ verdict }) => verdict === "unhealthy"));
    });
    world.faults.around = (_, proceed) => proceed();
    await world.until("fail-static", async () => (await eventsOf(world, "fail-static")).length > 0);
    expect(await weightIn(world, "eu-west")).toBe(255);
    expect((await changesOf(world)).map(({ stage }) => stage).at(-1)).toBe("decided");
    const { now } = world.clock;
    Object.assign(world.clock, { now: () => now() + 31_000 });
    await world.until("fenced off", async () => (await changesOf(world)).at(-1)?.times.accepted !== undefined, 15_000);
    await world.until("settled", async () => (await changesOf(world)).at(-2)?.stage === "lost", 15_000);
    const [lost, fence] = (await changesOf(world)).slice(-2);
    expect(lost).toMatchObject({ kind: "failover", revision: 2 });
    expect(fence).toMatchObject({ kind: "configure", revision: 3, weightsAfter: fence?.weightsBefore });
    expect(fence?.why).toMatch(/revision 2 was written ahead, never seen in DNS, and is not wanted any more/);
    expect(await weightIn(world, "eu-west")).toBe(255);
    await goOn(world, 500);
    expect((await eventsOf(world, "fail-static")).length).toBe(1);
  }, 45_000);

  test("C2, and nobody wants it any more, under a restored database's hold: not even a fence is written", async () => {
    await start();
    world.faults.around = async ({ name }, proceed) => {
      if (name === "dns.send") world.kill();
      return proceed();
    };
    breakRegion(world, "eu-west");
    while (!world.faults.isDead) await goOn(world, 40);
    const sends = world.dns.sends();
    const { holder, term } = (await world.database.lease.read()) ?? { holder: "", term: 0 };
    const at = world.clock.now();
    const hold = { by: "regent", reason: "restored", at, cause: "restored" } as const;
    const actor = { kind: "automation", name: "regent" } as const;
    const told = { service: null, kind: "freeze", actor, why: "restored", page: true, detail: { cause: "restored" } } as const;
    const entry = { ...told, id: "01JD8ZK3M40000000000000000", at };
    expect((await world.database.decisions.writeFreeze({ holder, term, value: hold, entry })).kind).toBe("committed");
    world.see = () => OK;
    await world.resurrect();
    const { now } = world.clock;
    Object.assign(world.clock, { now: () => now() + 31_000 });
    await goOn(world, 1_000);
    const pages = (await eventsOf(world)).filter(({ page }) => page).length;
    await goOn(world, 2_500);
    expect(world.dns.sends()).toBe(sends);
    expect((await eventsOf(world)).filter(({ page }) => page).length).toBe(pages);
    expect((await changesOf(world)).length).toBe(2);
  }, 30_000);

  test("C4 and C5: after Route 53 applied it and before that is written down; it is found as applied, once", async () => {
    await start();
    world.faults.around = async ({ name }, proceed) => {
      const answer = await proceed();
      if (name === "dns.send") world.kill();
      return answer;
    };
    breakRegion(world, "eu-west");
    while (!world.faults.isDead) await goOn(world, 40);
    expect(await isMoved()).toBe(true);
    const sends = world.dns.sends();
    await world.resurrect();
    await world.until("accepted", isAccepted);
    expect((await failovers()).length).toBe(1);
    expect(world.dns.sends()).toBe(sends);
    await world.until("visible", async () => (await failovers())[0]?.times.visible !== undefined);
  });

  test("C6: a batch that Route 53 accepted and lost is told as lost, and decided anew", async () => {
    await start();
    breakRegion(world, "eu-west");
    await world.until("accepted", isAccepted);
    world.dns.strand("C00000002");
    expect(await weightIn(world, "eu-west")).toBe(255);
    await world.until("moved again", async () => (await failovers())[1]?.times.accepted !== undefined);
    await goOn(world, 300);
    const made = await failovers();
    expect(made.map(({ stage }) => stage)[0]).toBe("lost");
    expect(made.length).toBe(2);
    expect(
      (await eventsOf(world, "drift")).map(({ why, page }) => [/revision 2 was accepted and is gone/.test(why), page]),
    ).toEqual([[true, true]]);
  });
});

test("a batch of many services that Route 53 lost: its zone is read once or twice for it, not once for each", async () => {
  const many = Array.from({ length: 12 }, (_, i) => `s${i}`);
  world = await testWorld({ services: many.map((id) => testService(id, { kind: "active-passive", failback: "automatic" })) });
  const reads: ReadTurn[] = [];
  const lost = { isOn: false };
  world.faults.around = async ({ name, args }, proceed) => {
    if (lost.isOn && name === "dns.readChange") return { kind: "missing" };
    if (lost.isOn && (name === "dns.readNames" || name === "dns.readZone")) reads.push(args.at(-1) as ReadTurn);
    return proceed();
  };
  await world.until("healthy", () => isHealthy(world));
  lost.isOn = true;
  await goOn(world, 1_800);
  const forThem = reads.filter(({ lane }) => lane === "read");
  expect(forThem.length).toBeGreaterThan(0);
  expect(forThem.length).toBeLessThanOrEqual(2);
  expect(forThem.every(({ rank }) => !isRescue(rank))).toBe(true);
}, 20_000);

describe("a lost answer", () => {
  test("holds up no other service of the zone whose traffic suffers", async () => {
    const services = ["checkout", "shop"].map((id) => testService(id, { kind: "active-passive" }));
    world = await testWorld({ services });
    await world.until("healthy", () => isHealthy(world));
    let held = 0;
    world.faults.around = ({ name }, proceed) => {
      if (name !== "dns.send" || held > 0) return proceed();
      held += 1;
      // Route 53 applies it, and nobody hears of that.
      return proceed().then(() => new Promise(() => undefined));
    };
    const see = (...bad: string[]) => {
      world.see = (_, target) => (bad.includes(target.split("/").slice(0, 2).join("/")) ? REFUSED : OK);
    };
    see("checkout/eu-west");
    await world.until("the first batch hangs", () => held === 1);
    see("checkout/eu-west", "shop/eu-west");
    const from = performance.now();
    await world.until("shop moved", async () => (await weightIn(world, "eu-west", "shop.example.test")) === 0, 8_000);
    expect(performance.now() - from).toBeLessThan(6_000);
    await world.until("checkout moved", async () => (await weightIn(world, "eu-west")) === 0, 8_000);
    expect(
      (await changesOf(world))
        .filter(({ kind }) => kind === "failover")
        .map(({ service }) => service)
        .sort(),
    ).toEqual(["checkout", "shop"]);
  });
});

describe("the database", () => {
  test("away for a while: nothing is written meanwhile, and the move is made when it is back, without a hand", async () => {
    await start();
    const sends = world.dns.sends();
    world.faults.isDatabaseAway = true;
    breakRegion(world, "eu-west");
    await goOn(world, 700);
    expect(world.dns.sends()).toBe(sends);
    world.faults.isDatabaseAway = false;
    await world.until("moved", isMoved);
    expect((await failovers()).length).toBe(1);
  });

  test("away while the world is asked: the clocks are written down when it is back", async () => {
    await start();
    breakRegion(world, "eu-west");
    await world.until("accepted", isAccepted);
    world.faults.isDatabaseAway = true;
    await rest(300);
    world.faults.isDatabaseAway = false;
    await world.until("seen", async () => (await failovers())[0]?.times.visible !== undefined, 9_000);
  });

  test("a commit whose answer was lost is read again, not written twice", async () => {
    await start();
    let isLost = false;
    world.faults.around = async ({ name, args }, proceed) => {
      const answer = await proceed();
      if (name === "decisions.commit" && !isLost && hasOutboxInsert(args)) {
        isLost = true;
        throw new DatabaseAway("CONNECTION_CLOSED", null);
      }
      return answer;
    };
    breakRegion(world, "eu-west");
    await world.until("accepted", isAccepted);
    expect(isLost).toBe(true);
    expect((await failovers()).length).toBe(1);
  });

  test("a verdict whose commit's answer was lost is told once", async () => {
    await start();
    let isLost = false;
    world.faults.around = async ({ name, args }, proceed) => {
      const answer = await proceed();
      const told = name === "decisions.commit" && (args[0] as Commit).history.some(({ kind }) => kind === "verdict");
      if (told && !isLost) {
        isLost = true;
        throw new DatabaseAway("CONNECTION_CLOSED", null);
      }
      return answer;
    };
    breakRegion(world, "eu-west");
    await world.until("moved", isMoved);
    const told = (await eventsOf(world, "verdict")).filter(({ why }) => /^eu-west is unhealthy/.test(why));
    expect(told.length).toBe(1);
  });

  test("away while a conflict is being repaired: nothing breaks, and the service is looked at again", async () => {
    await start();
    const rejections: unknown[] = [];
    const onRejection = (reason: unknown) => void rejections.push(reason);
    process.on("unhandledRejection", onRejection);
    let conflicts = 0;
    world.faults.around = async ({ name, args }, proceed) => {
      if (name === "decisions.commit" && conflicts === 0 && hasOutboxInsert(args)) {
        conflicts++;
        return { kind: "conflict", service: "checkout" };
      }
      if (name === "decisions.load" && conflicts++ < 3) throw new DatabaseAway("ECONNREFUSED", null);
      return proceed();
    };
    breakRegion(world, "eu-west");
    await world.until("moved", isMoved, 4_000);
    process.off("unhandledRejection", onRejection);
    expect(rejections).toEqual([]);
    expect((await failovers()).length).toBe(1);
  });

  test("an operator who meets a conflict is served from what was read again", async () => {
    await start();
    let conflicts = 0;
    world.faults.around = async ({ name, args }, proceed) =>
      name === "decisions.commit" && hasOutboxInsert(args) && conflicts++ === 0
        ? { kind: "conflict", service: "checkout" }
        : proceed();
    const moved = await world.controlPlane.move(moveOrder({ kind: "failover", to: "ap-south" }));
    expect(moved).toMatchObject({ kind: "answered", answer: { allowed: true } });
  });

  test("agents' evidence is kept through a conflict: nobody is unknown because we read again", async () => {
    await start();
    const before = (await eventsOf(world, "verdict")).length;
    let conflicts = 0;
    world.faults.around = async ({ name, args }, proceed) => {
      if (name === "decisions.commit" && hasOutboxInsert(args) && conflicts++ === 0)
        return { kind: "conflict", service: "checkout" };
      if (name === "evidence.readAgents" && conflicts === 1) {
        conflicts++;
        await rest(300);
      }
      return proceed();
    };
    void world.controlPlane.move(moveOrder({ kind: "failover", to: "ap-south" })).catch(() => undefined);
    await goOn(world, 1_000);
    expect((await eventsOf(world, "verdict")).slice(before).map(({ why }) => why)).toEqual([]);
  });
});

describe("sending", () => {
  test("the answer is lost, Route 53 refuses the copy, and DNS can't be read: the change isn't called refused", async () => {
    await start();
    const states: string[] = [];
    let isReadAway = false;
    world.faults.around = async ({ name, args }, proceed) => {
      if (name === "dns.send") isReadAway = true;
      if (name === "dns.readNames" && isReadAway && states.length < 3) {
        states.push("unread");
        return { kind: "failed", why: "timeout" };
      }
      if (name === "decisions.commit")
        for (const { state } of (args[0] as Commit).outboxUpdates) if (state === "refused") states.push("refused");
      return proceed();
    };
    world.dns.breakNextSend({ kind: "unknown-after" });
    breakRegion(world, "eu-west");
    await world.until("accepted", isAccepted);
    expect(states).not.toContain("refused");
    expect((await failovers()).length).toBe(1);
  });

  test("a batch under way that arrives late, after a newer one took its place, changes nothing", async () => {
    await start();
    world.dns.breakNextSend({ kind: "late", delayMs: 400 });
    breakRegion(world, "eu-west");
    await world.until("moved", isMoved);
    world.see = () => OK;
    await world.until("settled", async () => (await weightIn(world, "eu-west")) === 255);
    await goOn(world, 500);
    expect(await weightIn(world, "eu-west")).toBe(255);
    const revisions = (await changesOf(world)).map(({ revision }) => revision);
    expect(revisions).toEqual([...new Set(revisions)]);
  });

  test("a batch that Route 53 denies is tried again as the same change: one history entry, one revision", async () => {
    await start();
    world.dns.breakNextSend({ kind: "denied" });
    breakRegion(world, "eu-west");
    await world.until("moved", isMoved, 9_000);
    expect((await failovers()).length).toBe(1);
  });

  test("a first write that is denied is tried again, not taken for a name that somebody robbed", async () => {
    world = await testWorld();
    world.dns.breakNextSend({ kind: "denied" });
    await world.until("healthy", () => isHealthy(world));
    await world.until("created", async () => (await weightIn(world, "eu-west")) === 255, 9_000);
    expect(await eventsOf(world, "drift")).toEqual([]);
    expect((await changesOf(world)).length).toBe(1);
  });

  test("a freeze stops a batch that waits for its next attempt", async () => {
    await start();
    for (let i = 0; i < 4; i++) world.dns.breakNextSend({ kind: "throttled" });
    const sends = world.dns.sends();
    breakRegion(world, "eu-west");
    await world.until("first attempt", () => world.dns.sends() > sends);
    await world.controlPlane.setFreeze({
      scope: { kind: "service", service: "checkout" },
      isFrozen: true,
      by: "ada",
      reason: "hands off",
    });
    await goOn(world, 2_500);
    expect(await weightIn(world, "eu-west")).toBe(255);
    const [change] = (await changesOf(world)).filter(({ kind }) => kind === "freeze");
    expect(change?.stage).not.toBe("decided");
  });

  test("stopping doesn't wait for a storm to end", async () => {
    await start();
    for (let i = 0; i < 100; i++) world.dns.breakNextSend({ kind: "throttled" });
    const sends = world.dns.sends();
    breakRegion(world, "eu-west");
    await world.until("in the storm", () => world.dns.sends() > sends + 2);
    const startedAt = performance.now();
    await world.controlPlane.stop();
    expect(performance.now() - startedAt).toBeLessThan(1_500);
  });
});
