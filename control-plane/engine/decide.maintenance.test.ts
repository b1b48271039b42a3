/** Maintenance windows as the engine sees them: regions are left before they are worked on, where others can take the traffic; else traffic stays and says why. */
import { describe, expect, it } from "vitest";
import { decide } from "./decide.ts";
import { testServiceSpec } from "./testing/evidence.ts";
import { passiveSpec, testControl, testSituation, World } from "./testing/situation.ts";

const spread = testServiceSpec({
  strategy: { kind: "active-active", failback: "automatic", panic: "hold", panicBelow: 0.5 },
  regions: ["r1", "r2", "r3"],
});

describe("a window", () => {
  it("empties its region at once, where another is fit, and no rule holds that back", () => {
    for (const spec of [passiveSpec(), spread]) {
      const world = new World({ spec }).set("r1", "maintenance");
      world.look();
      expect(world.weights.r1).toBe(0);
      expect(world.last?.isAllowed).toBe(true);
    }
  });

  it("of a standby changes nothing", () => {
    const world = new World().set("r2", "maintenance");
    world.look();
    expect(world.made).toEqual([]);
  });

  it("that begins at the only fit region leaves the traffic there, calls somebody, and says that it still serves", () => {
    for (const spec of [passiveSpec(), spread]) {
      const world = new World({ spec }).set("r2", "unhealthy").set("r3", "unhealthy").run(5_000);
      const before = world.weights;
      world.set("r1", "maintenance").run(5_000);
      expect(world.weights).toEqual(before);
      expect(world.last?.failStatic).toContain("so r1 keeps its part although it is in maintenance");
    }
  });

  it("leaves as soon as another region can take the traffic", () => {
    const world = new World().set("r2", "unhealthy").set("r3", "unhealthy").set("r1", "maintenance").run(5_000);
    expect(world.weights).toMatchObject({ r1: 255 });
    world.set("r2", "healthy").look();
    expect(world.weights).toMatchObject({ r1: 0, r2: 255 });
  });

  it("isn't the place that a panic takes traffic away from while it answers", () => {
    const spec = passiveSpec({ panic: "best-effort" });
    const world = new World({ spec }).set("r2", "unhealthy").set("r3", "unhealthy").set("r1", "maintenance");
    world.run(spec.settings.panicHoldMs + 10_000);
    expect(world.last?.failStatic).toContain("best-effort since");
    expect(world.weights.r1).toBeGreaterThan(200);
    const dead = new World({ spec }).set("r2", "unhealthy").set("r3", "unhealthy").set("r1", "maintenance", { evidence: "bad" });
    dead.run(spec.settings.panicHoldMs + 10_000);
    expect(dead.weights.r1).toBe(0);
  });
});

describe("windows at every region at once", () => {
  it("leave traffic where it is, call nobody, and say so, whatever the strategy and its panic policy", () => {
    const panicking = passiveSpec({ panic: "fail-open" });
    for (const spec of [passiveSpec(), panicking, spread]) {
      const world = new World({ spec });
      const before = world.weights;
      for (const region of ["r1", "r2", "r3"]) world.set(region, "maintenance");
      world.run(spec.settings.panicHoldMs + 10_000);
      expect(world.weights).toEqual(before);
      expect(world.last?.failStatic).toBeNull();
      expect(world.last?.sentence).toMatch(/^every region is in maintenance or drained: traffic stays where it is, r1 /);
    }
  });

  it("a drained region counts as one that people want empty", () => {
    const regions = { r1: { verdict: "maintenance" }, r2: { verdict: "maintenance" } } as const;
    const controls = { ...testSituation().controls, drained: { r3: testControl() } };
    expect(decide(testSituation({ regions, controls }), null).failStatic).toBeNull();
    expect(decide(testSituation({ regions: { ...regions, r3: { verdict: "unhealthy" } } }), null).failStatic).not.toBeNull();
  });

  it("after them each region serves as before", () => {
    const world = new World();
    const before = world.weights;
    for (const region of ["r1", "r2", "r3"]) world.set(region, "maintenance");
    world.run(5_000);
    for (const region of ["r1", "r2", "r3"]) world.set(region, "recovering");
    world.run(5_000);
    for (const region of ["r1", "r2", "r3"]) world.set(region, "healthy");
    world.run(5_000);
    expect(world.weights).toEqual(before);
  });
});

describe("the first write of a name", () => {
  it("leaves out regions in maintenance, unless all are", () => {
    const first = (...maintained: string[]) => {
      const regions = Object.fromEntries(maintained.map((region) => [region, { verdict: "maintenance" as const }]));
      return Object.values(decide(testSituation({ regions, written: null }), null).proposal?.weightsAfter ?? {})[0];
    };
    expect(first("r1")).toEqual({ r1: 0, r2: 255, r3: 0 });
    expect(first("r1", "r2", "r3")).toEqual({ r1: 255, r2: 0, r3: 0 });
  });
});

describe("the end of a window", () => {
  it("leads to a return in steps where failback is automatic, and to none where it isn't", () => {
    for (const failback of ["automatic", "manual"] as const) {
      const spec = passiveSpec({ failback });
      const world = new World({ spec }).set("r1", "maintenance");
      world.run(5_000);
      world.set("r1", "recovering").run(5_000);
      expect(world.weights).toMatchObject({ r1: 0, r2: 255 });
      world.set("r1", "healthy").run(spec.settings.stableHoldMs + spec.settings.rampMs * 2);
      expect(world.weights.r1).toBe(failback === "automatic" ? 255 : 0);
    }
  });
});
