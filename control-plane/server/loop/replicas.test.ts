/** Two processes over one database and one DNS: one leads, the other follows, and a leader that doesn't know yet that it isn't does no harm. */
import { afterEach, describe, expect, test } from "vitest";
import { DatabaseAway } from "../ports/database-away.ts";
import { breakRegion, changesOf, eventsOf, goOn, isHealthy, moveOrder, weightIn } from "../testing/play.ts";
import { type Replica, testWorld, type World } from "../testing/world.ts";

let world: World;
afterEach(() => world.stop());

const start = async (): Promise<Replica> => {
  world = await testWorld();
  await world.until("healthy", () => isHealthy(world));
  return world.addReplica();
};

/** The database gives the lease away while its holder can't hear of it. */
const stealLease = async (from: Replica | World, to: Replica): Promise<void> => {
  const around = from.faults.around;
  from.faults.around = async (call, proceed) => {
    if (call.name === "lease.renew" || call.name === "lease.acquire") throw new DatabaseAway("ECONNRESET", null);
    return around(call, proceed);
  };
  const held = await world.database.lease.read();
  if (held) await world.database.lease.release(held.holder, held.term);
  await world.until("the other leads", () => to.controlPlane.readiness().isLeader);
};

const regionsOf = async ({ controlPlane }: Replica | World) =>
  Object.fromEntries(((await controlPlane.overview()).services[0]?.regions ?? []).map((r) => [r.region, r.verdict]));

describe("a follower", () => {
  test("shows what the leader believes and who leads, and sends operators there", async () => {
    const follower = await start();
    breakRegion(world, "ap-south");
    await world.until("judged", async () => (await regionsOf(world))["ap-south"] === "unhealthy");
    await world.until("shown", async () => (await regionsOf(follower))["ap-south"] === "unhealthy");
    const overview = await follower.controlPlane.overview();
    expect(overview).toMatchObject({ mode: "read-only", leader: { self: false, term: 1 } });
    expect(overview.services[0]?.term).toBe(1);
    expect(await follower.controlPlane.move(moveOrder({ kind: "failover", to: "us-east" }))).toEqual({ kind: "not-leader" });
  });

  test("takes a configuration that was applied elsewhere", async () => {
    const follower = await start();
    await world.apply({ ...world.declaration, services: [] });
    await world.until("taken", async () => (await follower.controlPlane.overview()).services.length === 0);
  });

  test("says that nobody is known to lead when the database is away for longer than a lease", async () => {
    const follower = await start();
    await world.until("shown", () => follower.controlPlane.readiness().mode === "read-only");
    follower.faults.around = async ({ name }, proceed) => {
      if (name === "lease.read") throw new Error("away");
      return proceed();
    };
    const now = world.clock.now;
    Object.assign(world.clock, { now: () => now() + 16_000 });
    expect(follower.controlPlane.readiness()).toMatchObject({ mode: "degraded", isReady: false });
    Object.assign(world.clock, { now });
  });
});

describe("a leader that lost the lease and doesn't know", () => {
  test("is refused by the database, tells operators so, and shows from then on what the new leader believes", async () => {
    const other = await start();
    await stealLease(world, other);
    const moved = await world.controlPlane.move(moveOrder({ kind: "failover", to: "ap-south" }));
    expect(moved).toEqual({ kind: "not-leader" });
    expect(world.controlPlane.readiness().isLeader).toBe(false);
    breakRegion(world, "ap-south");
    await world.until("the new leader judges", async () => (await regionsOf(other))["ap-south"] === "unhealthy");
    await world.until("the old one shows it", async () => (await regionsOf(world))["ap-south"] === "unhealthy");
    expect(await weightIn(world, "eu-west")).toBe(255);
  });

  test("a freeze asked of it is refused, not lost", async () => {
    const other = await start();
    await stealLease(world, other);
    for (const scope of [{ kind: "global" }, { kind: "service", service: "checkout" }] as const)
      expect(await world.controlPlane.setFreeze({ scope, isFrozen: true, by: "ada", reason: "x" })).toEqual({
        kind: "not-leader",
      });
  });

  test("its batch that was held up on the way is refused by DNS, and told as lost", async () => {
    const other = await start();
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let isHeld = false;
    world.faults.around = async ({ name }, proceed) => {
      if (name === "dns.send") {
        isHeld = true;
        await held;
      }
      return proceed();
    };
    void world.controlPlane.move(moveOrder({ kind: "failover", to: "ap-south" }));
    await world.until("under way", () => isHeld);
    await stealLease(world, other);
    // The new leader sends the same change again: it was written ahead, and nothing speaks against it.
    await world.until("moved", async () => (await weightIn(world, "ap-south")) === 255);
    const back = await other.controlPlane.move(moveOrder({ kind: "failover", to: "us-east" }));
    expect(back).toMatchObject({ kind: "answered", answer: { allowed: true } });
    await world.until("moved on", async () => (await weightIn(world, "us-east")) === 255);
    letGo();
    await goOn(world, 600);
    expect(await weightIn(world, "us-east")).toBe(255);
    expect((await changesOf(world)).map(({ kind, revision }) => [kind, revision])).toEqual([
      ["create", 1],
      ["failover", 2],
      ["failover", 3],
    ]);
    expect(world.controlPlane.readiness().isLeader).toBe(false);
  });

  test("what it read before is no ground for the next term: nothing is called stranded", async () => {
    const other = await start();
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let isHeld = false;
    world.faults.around = async ({ name }, proceed) => {
      const answer = await proceed();
      if (name === "dns.readNames" && !isHeld) {
        isHeld = true;
        await held;
      }
      return answer;
    };
    void world.controlPlane.move(moveOrder({ kind: "failover", to: "ap-south" }));
    await world.until("has read", () => isHeld);
    const held1 = await world.database.lease.read();
    if (held1) await world.database.lease.release(held1.holder, held1.term);
    await world.until("the other leads", () => other.controlPlane.readiness().isLeader);
    await other.controlPlane.move(moveOrder({ kind: "failover", to: "us-east" }));
    await world.until("moved", async () => (await weightIn(world, "us-east")) === 255);
    await other.controlPlane.stop();
    await world.until("leads again", async () => (await world.database.lease.read())?.term === 3, 9_000);
    letGo();
    await goOn(world, 600);
    expect(await eventsOf(world, "drift")).toEqual([]);
    expect(await weightIn(world, "us-east")).toBe(255);
  }, 20_000);
});

describe("terms", () => {
  test("of another owner's epoch record are nothing to us", async () => {
    const epoch = '"regent1 o=other-team t=9007199254740991 r=9 p=01JCXW2M7N0000000000000000 m=auto d=0123456789abcdef"';
    world = await testWorld({ sets: [{ name: "_regent.checkout.example.test", type: "TXT", ttl: 60, values: [epoch] }] });
    await world.until("told", async () => (await eventsOf(world, "drift")).length === 1);
    const asked: unknown[] = [];
    world.faults.around = (call, proceed) => {
      if (call.name === "lease.renew") asked.push(call.args[3]);
      return proceed();
    };
    await world.until("renewed", () => asked.length > 0, 8_000);
    expect(asked).toEqual([undefined]);
  });
});
