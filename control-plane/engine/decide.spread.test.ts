import { describe, expect, it } from "vitest";
import { decide } from "./decide.ts";
import { partsOf } from "./strategy/parts.ts";
import { standingTraffic } from "./strategy/standing.ts";
import { T0 } from "./testing/evidence.ts";
import { activeSpec, request, roundRobinSpec, SANDBOX, testSituation, World } from "./testing/situation.ts";

const minutes = (n: number): number => n * 60_000;
const settings = SANDBOX;
const parts = (world: World) => partsOf(world.weights);

describe("active-active, capacities 50/30/20, headroom 1.2/1.4/2.5", () => {
  it("starts in the ratio of the capacities", () => {
    expect(new World({ spec: activeSpec() }).weights).toEqual({ r1: 255, r2: 153, r3: 102 });
  });

  it("losing the third gives .600 and .400 exactly: the first is capped at its headroom", () => {
    const world = new World({ spec: activeSpec() }).set("r3", "unhealthy");
    world.look();
    expect(world.situation.traffic.shares.default).toEqual({ r1: 0.6, r2: 0.4, r3: 0 });
    expect(parts(world).r1).toBe(0.6);
    expect(parts(world).r2).toBe(0.4);
    expect(world.made.map(({ kind }) => kind)).toEqual(["failover"]);
  });

  it("losing the first saturates the others at .457 and .543, and says so", () => {
    const world = new World({ spec: activeSpec() }).set("r1", "unhealthy");
    world.look();
    expect(parts(world).r2).toBeCloseTo(0.42 / 0.92, 3);
    expect(parts(world).r3).toBeCloseTo(0.5 / 0.92, 3);
    expect(world.look().sentence).toBe("the healthy regions can carry 92 % of the traffic: they are saturated");
    expect(world.last?.proposal).toBeNull();
  });

  it("the return takes a write per step of the ramp, each higher than the last", () => {
    const world = new World({ spec: activeSpec({}, { settings }) }).set("r3", "unhealthy");
    world.look();
    world.run(10_000).set("r3", "healthy").run(60_000, 500);
    const steps = world.made.slice(1);
    expect(steps.map(({ kind }) => kind)).toEqual(["return", "return", "return", "return"]);
    expect(steps.map(({ at }) => at)).toEqual([20_000, 25_000, 30_000, 35_000]);
    const shares = steps.map(({ weights }) => partsOf(weights).r3 ?? 0);
    expect([...shares].sort((a, b) => a - b)).toEqual(shares);
    expect(world.weights).toEqual({ r1: 255, r2: 153, r3: 102 });
  });

  it("a new failure in the second step goes to 0 in one decision, cool-down or not", () => {
    const world = new World({ spec: activeSpec({}, { settings }) }).set("r3", "unhealthy");
    world.look();
    world.run(10_000).set("r3", "healthy").run(16_000);
    expect(world.made).toHaveLength(3);
    world.change({ traffic: { ...world.situation.traffic, lastAutomaticFailoverAt: world.situation.now } });
    const decision = world.set("r3", "unhealthy").look();
    expect(decision.proposal).toMatchObject({ kind: "failover", leaves: ["r3"] });
    expect(parts(world)).toEqual({ r1: 0.6, r2: 0.4, r3: 0 });
    expect(world.situation.traffic).toMatchObject({ ramps: {}, failedReturns: { r3: [world.situation.now] } });
  });

  it("with manual failback the region waits for an operator, whose return goes in steps too", () => {
    const world = new World({ spec: activeSpec({ failback: "manual" }, { settings }) }).set("r3", "unhealthy");
    world.look();
    world.run(10_000).set("r3", "healthy").run(minutes(5));
    expect(world.made).toHaveLength(1);
    expect(world.last?.sentence).toContain("waits for an operator's failback");
    world.look(request({ kind: "failback" }));
    world.run(20_000);
    expect(world.made.map(({ kind }) => kind)).toEqual(["failover", "failback", "return", "return", "return"]);
    expect(world.weights).toEqual({ r1: 255, r2: 153, r3: 102 });
  });

  it("an unknown region keeps its share exactly while another one dies", () => {
    const world = new World({ spec: activeSpec() }).set("r2", "unknown");
    world.look();
    expect(world.made).toEqual([]);
    world.set("r3", "unhealthy").look();
    expect(parts(world).r2).toBeCloseTo(0.3, 2);
    expect(parts(world).r3).toBe(0);
    expect(parts(world).r1).toBeCloseTo(0.7, 2);
  });

  it("a region whose bad evidence is on hold keeps its share while another one dies, and goes when it is judged", () => {
    const world = new World({ spec: activeSpec() });
    world
      .set("r2", "healthy", { evidence: "bad" })
      .set("r3", "unhealthy", { detectedAt: T0 - 9_000 })
      .look();
    expect(parts(world).r2).toBeCloseTo(0.3, 2);
    // Its failures are older than the move: a chained death is not made to wait.
    world
      .run(2_000)
      .set("r2", "unhealthy", { detectedAt: T0 - 3_000 })
      .look();
    expect(parts(world)).toEqual({ r1: 1, r2: 0, r3: 0 });
  });

  it("a doubtful or softly degraded region keeps factor 1, one that is degraded on hard evidence doesn't", () => {
    const world = new World({ spec: activeSpec() }).set("r1", "degraded", { factor: 1 });
    world.look();
    expect(world.made).toEqual([]);
    world.set("r1", "degraded", { factor: 0.5, evidence: "soft" }).look();
    expect(world.made.map(({ kind }) => kind)).toEqual(["rebalance"]);
    expect(parts(world).r1).toBeCloseTo(0.3, 1);
  });
});

describe("panic", () => {
  /** Only r3 with 20 of 100 is healthy, and nobody outside confirms the rest. */
  const panicked = (strategy: object): World =>
    new World({ spec: activeSpec(strategy, { settings }) })
      .set("r1", "unhealthy", { outside: "mixed" })
      .set("r2", "unhealthy", { outside: "mixed" });

  it("keeps the weights and says why", () => {
    const world = panicked({});
    const decision = world.look();
    expect(decision.proposal).toBeNull();
    expect(decision.failStatic).toBe(
      "default: only 20 % of the capacity is healthy, below the panic threshold of 50 %; keeping the last weights until something can take it",
    );
    world.run(minutes(10));
    expect(world.weights).toEqual({ r1: 255, r2: 153, r3: 102 });
  });

  it("isn't one when vantages outside confirm every loss and the rest can carry half", () => {
    const world = new World({ spec: activeSpec({}, { settings }) }).set("r1", "unhealthy").set("r2", "unhealthy");
    world.look();
    expect(parts(world)).toEqual({ r1: 0, r2: 0, r3: 1 });
  });

  it("isn't one when the others are fit and only wait for an operator's failback", () => {
    const spec = activeSpec({ failback: "manual" }, { settings });
    const written = { default: { r1: 0, r2: 200, r3: 0 } };
    const decision = decide(testSituation({ spec, written, traffic: standingTraffic(spec, written, T0) }), null);
    expect(decision.proposal).toBeNull();
    expect(decision.failStatic).toBeNull();
    expect(decision.sentence).toContain("waits for an operator's failback");
  });

  it("lets a fit region that waits for its return in at once when one with traffic dies", () => {
    const spec = activeSpec({ failback: "manual" }, { settings });
    const written = { default: { r1: 0, r2: 150, r3: 100 } };
    const world = new World({ spec, written, traffic: standingTraffic(spec, written, T0) });
    world.set("r3", "unhealthy", { outside: "mixed" }).look();
    expect(parts(world).r3).toBe(0);
    expect(parts(world).r1).toBeGreaterThan(0.5);
    expect(world.made.map(({ kind }) => kind)).toEqual(["failover"]);
  });

  it("best-effort serves by capacity and health, a tenth to the dead, after the panic hold", () => {
    const world = panicked({ panic: "best-effort" });
    world.look();
    expect(world.last?.failStatic).toContain("best-effort from 03:12:10Z");
    expect(world.last?.nextLookAt).toBe(T0 + 10_000);
    world.run(9_000);
    expect(world.made).toEqual([]);
    world.run(1_000);
    expect(world.made.map(({ kind }) => kind)).toEqual(["rebalance"]);
    expect(parts(world).r1).toBeCloseTo(5 / 28, 2);
    expect(parts(world).r3).toBeCloseTo(20 / 28, 2);
    world.run(minutes(5));
    expect(world.made).toHaveLength(1);
  });

  it("fail-open serves everybody by capacity, without drained regions", () => {
    const world = panicked({ panic: "fail-open" });
    world.look(request({ kind: "drain", region: "r2" }));
    world.run(10_000);
    expect(parts(world).r2).toBe(0);
    expect(parts(world).r1).toBeCloseTo(5 / 7, 2);
  });

  it("ends as soon as enough is healthy again", () => {
    const world = panicked({ panic: "fail-open" });
    world.look();
    world.run(20_000).set("r1", "healthy").run(1_000);
    expect(world.last?.failStatic).toBeNull();
    expect(parts(world).r2).toBe(0);
    expect(world.situation.traffic.failStaticSince).toBeNull();
  });
});

describe.each([
  { title: "active-active", spec: (strategy = {}) => activeSpec(strategy, { settings }) },
  { title: "round-robin", spec: (strategy = {}) => roundRobinSpec(strategy, { settings }) },
])("$title: all down", ({ spec }) => {
  it("keeps the weights, and nobody counts as left", () => {
    const world = new World({ spec: spec() });
    const { weights } = world;
    for (const region of ["r1", "r2", "r3"]) world.set(region, "unhealthy");
    world.look();
    expect(world.last?.failStatic).toContain("no region is fit");
    expect(world.weights).toEqual(weights);
    expect(world.situation.traffic.out).toEqual({});
  });

  it.each(["manual", "automatic"])("with %s failback, a healthy region that isn't back yet is let in at once", (failback) => {
    const world = new World({ spec: spec({ failback }) }).set("r1", "unhealthy");
    world.look();
    world.run(10_000).set("r1", "healthy").run(11_000);
    world.set("r2", "unhealthy").set("r3", "unhealthy").look();
    expect(parts(world)).toEqual({ r1: 1, r2: 0, r3: 0 });
    world.run(minutes(1));
    expect(parts(world)).toEqual({ r1: 1, r2: 0, r3: 0 });
  });

  it("a placement is the whole traffic, until it fails", () => {
    const world = new World({ spec: spec() });
    world.look(request({ kind: "failover", to: "r2" }));
    expect(parts(world)).toEqual({ r1: 0, r2: 1, r3: 0 });
    world.run(minutes(2));
    expect(world.made).toHaveLength(1);
    world.set("r2", "unhealthy").look();
    expect(parts(world).r2).toBe(0);
    expect(parts(world).r1).toBeGreaterThan(0.5 - 0.01);
  });

  it("failback after a placement leads the others in by steps", () => {
    const world = new World({ spec: spec() });
    const { weights } = world;
    world.look(request({ kind: "failover", to: "r2" }));
    world.run(1_000).look(request({ kind: "failback" }));
    expect(parts(world).r1).toBeLessThan(0.3);
    world.run(20_000);
    expect(world.weights).toEqual(weights);
    expect(world.made).toHaveLength(5);
  });

  it("a placement of an unhealthy region is shown and denied, not passed over", () => {
    const world = new World({ spec: spec() }).set("r3", "unhealthy");
    world.look();
    const decision = world.look(request({ kind: "failover", to: "r3" }));
    expect(decision.isAllowed).toBe(false);
    expect(decision.proposal).toMatchObject({ kind: "failover", gains: ["r3"] });
  });

  it("undrained while nobody knows how it is, a region starts when somebody does", () => {
    const world = new World({ spec: spec() });
    world.look(request({ kind: "drain", region: "r3" }));
    world.set("r3", "unknown").look(request({ kind: "undrain", region: "r3" }));
    world.run(minutes(1));
    expect(parts(world).r3).toBe(0);
    world.set("r3", "healthy").run(30_000);
    expect(parts(world).r3).toBeGreaterThan(0.19);
  });

  it("all unknown changes nothing, even where DNS isn't what was wanted", () => {
    const world = new World({ spec: spec() });
    world.change({ written: { default: { r1: 3, r2: 0, r3: 1 } } });
    for (const region of ["r1", "r2", "r3"]) world.set(region, "unknown");
    world.run(minutes(3));
    expect(world.made).toEqual([]);
    expect(world.last?.proposal).toBeNull();
  });

  it("a new region that nobody has judged holds nothing back", () => {
    const base = spec();
    const added = { ...base, endpoints: [...base.endpoints, { ...base.endpoints[2]!, region: "r4", priority: 4 }] };
    const old = testSituation({ spec: base });
    const now = testSituation({ spec: added, regions: { r4: { verdict: "unknown" }, r3: { verdict: "unhealthy" } } });
    const decision = decide({ ...now, written: old.written, traffic: old.traffic, areRecordsOutdated: true }, null);
    expect(decision).toMatchObject({ isAllowed: true, proposal: { kind: "failover", leaves: ["r3"] } });
    expect(decision.proposal?.weightsAfter.default?.r4).toBe(0);
  });

  it("a region that is declared no more gives its share to the others", () => {
    const full = testSituation({ spec: spec() });
    const endpoints = full.spec.endpoints.slice(0, 2);
    const situation = testSituation({ spec: { ...full.spec, endpoints } });
    const decision = decide({ ...situation, written: full.written, traffic: full.traffic, areRecordsOutdated: true }, null);
    expect(decision.isAllowed).toBe(true);
    expect(Object.keys(decision.proposal?.weightsAfter.default ?? {})).toEqual(["r1", "r2"]);
  });
});

describe("round-robin", () => {
  it("shares equally over the fit, and a returning region gets its part of an equal share", () => {
    const world = new World({ spec: roundRobinSpec({}, { settings }) });
    expect(world.weights).toEqual({ r1: 255, r2: 255, r3: 255 });
    world.set("r1", "unhealthy").look();
    expect(world.weights).toEqual({ r1: 0, r2: 255, r3: 255 });
    world.run(5_000).set("r1", "healthy").run(30_000);
    const shares = world.made.slice(1).map(({ weights }) => partsOf(weights).r1 ?? 0);
    for (const [n, share] of [0.25 / 2.25, 0.5 / 2.5, 0.75 / 2.75, 1 / 3].entries()) expect(shares[n]).toBeCloseTo(share, 2);
    expect(shares).toHaveLength(4);
  });

  it("an unknown region keeps its share while another one dies", () => {
    const world = new World({ spec: roundRobinSpec({}, { settings }) }).set("r2", "unknown").set("r3", "unhealthy");
    world.look();
    expect(parts(world).r2).toBeCloseTo(1 / 3, 2);
    expect(parts(world).r1).toBeCloseTo(2 / 3, 2);
  });
});
