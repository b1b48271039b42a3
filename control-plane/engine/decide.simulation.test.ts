/** Minutes and hours of verdicts through the real functions, a look every second: what is decided, when, and how often. */
import { describe, expect, it } from "vitest";
import { partsOf } from "./strategy/parts.ts";
import { testSettings } from "./testing/evidence.ts";
import { activeSpec, passiveSpec, roundRobinSpec, SANDBOX, World } from "./testing/situation.ts";

const STANDARD = testSettings();
const AUTOMATIC = { failback: "automatic" };

const strategies = [
  { strategy: "active-passive", make: passiveSpec },
  { strategy: "active-active", make: activeSpec },
  { strategy: "round-robin", make: roundRobinSpec },
] as const;
const profiles = [
  { profile: "sandbox", settings: SANDBOX, everyMs: 500 },
  { profile: "standard", settings: STANDARD, everyMs: 10_000 },
];

describe.each(strategies)("$strategy", ({ strategy, make }) => {
  describe.each(profiles)("profile $profile", ({ settings, everyMs }) => {
    const step = strategy === "active-passive" ? "failback" : "return";
    const steps = settings.rampMs / settings.rampStepMs;
    const start = (): World => new World({ spec: make(AUTOMATIC, { settings }) });
    /** r1 fails; later it recovers, and is healthy. */
    const fail = (world: World): World => world.set("r1", "unhealthy").run(settings.holdMaxMs + 2 * everyMs, everyMs);
    const recover = (world: World): World => world.set("r1", "recovering").run(settings.recoverMs, everyMs).set("r1", "healthy");

    it("a failure is one move out and one ramp back, and then nothing more", () => {
      const world = start();
      const before = world.weights;
      recover(fail(world)).run(settings.stableHoldMs + settings.rampMs, everyMs);
      world.run(settings.stableHoldMs, everyMs);
      expect(world.made.map(({ kind }) => kind)).toEqual(["failover", ...Array.from({ length: steps }, () => step)]);
      expect(world.weights).toEqual(before);
      const times = world.made.slice(1).map(({ at }) => at);
      for (const [n, at] of times.entries())
        if (n > 0) expect(at - (times[n - 1] ?? 0)).toBeGreaterThanOrEqual(settings.rampStepMs);
    });

    it("each step of the return gives more than the one before, and no other region starts or stops", () => {
      const world = recover(fail(start())).run(settings.stableHoldMs + settings.rampMs, everyMs);
      const shares = world.made.slice(1).map(({ weights }) => partsOf(weights).r1 ?? 0);
      for (const [n, share] of shares.entries()) expect(share).toBeGreaterThan(shares[n - 1] ?? 0);
      for (const { weights } of world.made.slice(1, -1))
        expect(Object.values(weights).filter((w) => w > 0).length).toBeGreaterThan(1);
    });

    it("a return that fails doubles the hold; after the second one only an operator brings the region back", () => {
      const world = fail(start());
      const waits: number[] = [];
      for (let round = 0; round < 2; round += 1) {
        recover(world);
        const since = world.situation.now;
        const made = world.made.length;
        while (world.made.length === made) world.run(everyMs, everyMs);
        waits.push(world.situation.now - since);
        world.run(settings.rampStepMs, everyMs);
        fail(world);
        expect(world.weights.r1).toBe(0);
      }
      expect(waits[0]).toBe(settings.stableHoldMs);
      expect(waits[1]).toBe(2 * settings.stableHoldMs);
      // Waiting doesn't help, not even until the failures are older than the escalation window.
      recover(world).run(settings.escalationMs + 8 * settings.stableHoldMs, Math.max(everyMs, settings.escalationMs / 200));
      expect(world.weights.r1).toBe(0);
      expect(world.last?.sentence).toContain("only an operator's failback");
    });

    it("evidence that was not good for a moment, too short for a verdict, begins the stable hold anew", () => {
      const world = recover(fail(start())).run(settings.stableHoldMs / 2, everyMs);
      const { health, now } = world.situation;
      const r1 = health.r1;
      if (!r1) throw new Error("r1 was never judged");
      world.change({ health: { ...health, r1: { ...r1, evidenceSince: now } } });
      const made = world.made.length;
      while (world.made.length === made) world.run(everyMs, everyMs);
      expect(world.situation.now - now).toBe(settings.stableHoldMs);
    });

    it("a region that dies again and again while it waits stays out, and moves nothing", () => {
      const world = fail(start());
      for (let round = 0; round < 10; round += 1) {
        recover(world).run(settings.stableHoldMs / 2, everyMs);
        fail(world);
      }
      expect(world.made).toHaveLength(1);
    });

    it("silence of one region, then of all, for any time, moves nothing", () => {
      const world = start();
      for (const region of ["r1", "r2", "r3"]) world.set(region, "unknown").run(settings.stableHoldMs, everyMs);
      for (const region of ["r3", "r1", "r2"]) world.set(region, "healthy").run(settings.stableHoldMs, everyMs);
      expect(world.made).toEqual([]);
    });

    it("a doubt that comes and goes moves nothing", () => {
      const world = start();
      for (let round = 0; round < 50; round += 1) {
        world.set("r1", "degraded").set("r2", "healthy", { evidence: "soft" }).run(everyMs, everyMs);
        world.set("r1", "healthy").set("r2", "healthy", { evidence: "bad" }).run(everyMs, everyMs);
      }
      expect(world.made).toEqual([]);
    });

    it("two regions die one after the other: two moves at most, all of it ends where it is healthy", () => {
      const world = fail(start());
      world.set("r2", "unhealthy").run(settings.cooldownMs + settings.holdMaxMs, everyMs);
      expect(world.made.length).toBeLessThanOrEqual(2);
      expect(partsOf(world.weights)).toMatchObject({ r1: 0, r2: 0, r3: 1 });
    });
  });
});
