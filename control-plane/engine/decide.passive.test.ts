import { describe, expect, it } from "vitest";
import { decide } from "./decide.ts";
import { T0, testServiceSpec } from "./testing/evidence.ts";
import { passiveSpec, request, SANDBOX, testSituation, World } from "./testing/situation.ts";

const minutes = (n: number): number => n * 60_000;
const automatic = passiveSpec({ failback: "automatic" });

describe("leaving", () => {
  it.each([
    { title: "r1 fails: r2 is next", regions: { r1: "unhealthy" }, active: "r2" },
    { title: "r1 and r2 fail: r3 is next", regions: { r1: "unhealthy", r2: "unhealthy" }, active: "r3" },
    { title: "r2 is only degraded: r3 is healthy", regions: { r1: "unhealthy", r2: "degraded" }, active: "r3" },
    { title: "only a degraded one is left", regions: { r1: "unhealthy", r2: "degraded", r3: "unhealthy" }, active: "r2" },
    { title: "never into unknown", regions: { r1: "unhealthy", r2: "unknown" }, active: "r3" },
    { title: "never into recovering", regions: { r1: "unhealthy", r2: "recovering" }, active: "r3" },
    {
      title: "a region that kept its traffic through a fault is not left when it is over",
      regions: { r1: "recovering" },
      active: "r1",
    },
    { title: "maintenance is left", regions: { r1: "maintenance" }, active: "r2" },
    { title: "degraded is kept", regions: { r1: "degraded" }, active: "r1" },
    { title: "unknown is kept", regions: { r1: "unknown" }, active: "r1" },
  ] as const)("$title", ({ regions, active }) => {
    const world = new World();
    for (const [region, verdict] of Object.entries(regions)) world.set(region, verdict);
    world.look();
    expect(world.weights).toEqual({ r1: 0, r2: 0, r3: 0, [active]: 255 });
  });

  it("a recovering region that looks bad again is left", () => {
    const world = new World().set("r1", "recovering", { evidence: "bad" });
    world.look();
    expect(world.weights).toEqual({ r1: 0, r2: 255, r3: 0 });
  });

  it("when all were bad and come back one after the other, nobody takes everything", () => {
    const strategy = { kind: "active-active", failback: "automatic", panic: "hold", panicBelow: 0.5 } as const;
    const world = new World({ spec: testServiceSpec({ strategy, regions: ["r1", "r2", "r3"] }) });
    const before = world.weights;
    for (const region of ["r1", "r2", "r3"]) world.set(region, "unhealthy");
    world.run(3_000);
    for (const region of ["r1", "r2", "r3"]) world.set(region, "recovering");
    world.run(3_000);
    world.set("r2", "healthy").run(3_000);
    expect(world.weights).toEqual(before);
    world.set("r1", "healthy").set("r3", "healthy").run(3_000);
    expect(world.weights).toEqual(before);
  });

  it("a region whose bad evidence is still on hold takes nothing", () => {
    const world = new World().set("r2", "healthy", { evidence: "bad" }).set("r1", "unhealthy");
    world.look();
    expect(world.weights).toEqual({ r1: 0, r2: 0, r3: 255 });
  });

  it("soft evidence at the target is taken when nobody has good evidence", () => {
    const world = new World().set("r1", "unhealthy").set("r2", "healthy", { evidence: "soft" }).set("r3", "unknown");
    world.look();
    expect(world.weights).toEqual({ r1: 0, r2: 255, r3: 0 });
  });

  it("the proposal says what, why, since when and by whom", () => {
    const world = new World().set("r1", "unhealthy", { detectedAt: T0 - 7_000 });
    const { proposal, isAllowed } = world.look();
    expect(proposal).toMatchObject({
      kind: "failover",
      actor: { kind: "automation" },
      reason: null,
      detectedAt: T0 - 7_000,
      leaves: ["r1"],
      gains: ["r2"],
      sharesBefore: { default: { r1: 1, r2: 0, r3: 0 } },
      sharesAfter: { default: { r1: 0, r2: 1, r3: 0 } },
      why: "r1 is unhealthy: r1 says why; traffic goes to r2 100 %",
    });
    expect(isAllowed).toBe(true);
  });

  it("sticky: the left region's recovery moves nothing while failback is manual", () => {
    const world = new World().set("r1", "unhealthy");
    world.look();
    world.run(minutes(1)).set("r1", "recovering").run(minutes(1)).set("r1", "healthy").run(minutes(120), minutes(1));
    expect(world.made.map(({ kind }) => kind)).toEqual(["failover"]);
    expect(world.last?.sentence).toBe("r1 is healthy since 03:14:00Z and waits for an operator's failback");
  });

  it("when nobody can take it, the weights stay, and somebody is told", () => {
    const world = new World();
    for (const region of ["r1", "r2", "r3"]) world.set(region, "unhealthy");
    const decision = world.look();
    expect(decision.proposal).toBeNull();
    expect(decision.failStatic).toBe(
      "default: no region can take the traffic; keeping the last weights until something can take it",
    );
    expect(world.weights).toEqual({ r1: 255, r2: 0, r3: 0 });
    world.run(minutes(30), minutes(1)).set("r3", "healthy").look();
    expect(world.weights).toEqual({ r1: 0, r2: 0, r3: 255 });
    expect(world.last?.failStatic).toBeNull();
  });

  it("an active region that is degraded on hard evidence is left after 5 minutes for one that is 20 points better", () => {
    const world = new World().set("r1", "degraded", { factor: 0.6, score: 70 }).set("r2", "healthy", { score: 85 });
    world.look();
    expect(world.last?.nextLookAt).toBe(T0 + minutes(5));
    world.run(minutes(5) - 1_000);
    expect(world.made).toEqual([]);
    world.run(1_000);
    // r2 is only 15 points better; r3 has 100.
    expect(world.made).toEqual([{ at: minutes(5), kind: "failover", weights: { r1: 0, r2: 0, r3: 255 } }]);
    expect(world.situation.traffic.lastAutomaticFailoverAt).toBe(T0 + minutes(5));
  });

  it("one that is degraded on soft evidence keeps its traffic for ever", () => {
    const world = new World().set("r1", "degraded", { factor: 1, score: 10 }).run(minutes(60), minutes(1));
    expect(world.made).toEqual([]);
  });
});

describe("coming back", () => {
  /** r1 fails, r2 takes over, r1 is healthy again. */
  const failedOver = (spec = automatic): World => {
    const world = new World({ spec }).set("r1", "unhealthy");
    world.look();
    return world.run(minutes(5), minutes(1)).set("r1", "healthy");
  };

  it("an automatic return starts after the stable hold and takes ten equal steps, a minute each", () => {
    const world = failedOver();
    world.run(minutes(30) - 1_000);
    expect(world.made).toHaveLength(1);
    expect(world.last?.sentence).toBe("r1 returns in 1 s if it stays healthy");
    world.run(minutes(12));
    const steps = world.made.slice(1);
    expect(steps.map(({ kind }) => kind)).toEqual(Array.from({ length: 10 }, () => "failback"));
    expect(steps.map(({ at }) => at)).toEqual(Array.from({ length: 10 }, (_, n) => minutes(35 + n)));
    const shares = steps.map(({ weights }) => (weights.r1 ?? 0) / ((weights.r1 ?? 0) + (weights.r2 ?? 0)));
    for (const [n, share] of shares.entries()) expect(share).toBeCloseTo((n + 1) / 10, 2);
    expect(world.situation.traffic.returnedAt).toEqual({ r1: T0 + minutes(44) });
    expect(world.weights).toEqual({ r1: 255, r2: 0, r3: 0 });
  });

  it("a new failure in the second step goes back to 0 in one decision, even within the cool-down", () => {
    const world = failedOver();
    world.run(minutes(31));
    expect(world.made).toHaveLength(3);
    world.change({ traffic: { ...world.situation.traffic, lastAutomaticFailoverAt: world.situation.now - 1_000 } });
    const decision = world.set("r1", "unhealthy").look();
    expect(decision.proposal).toMatchObject({ kind: "failover", leaves: ["r1"], gains: ["r2"] });
    expect(world.weights).toEqual({ r1: 0, r2: 255, r3: 0 });
    expect(world.situation.traffic.failedReturns).toEqual({ r1: [world.situation.now] });
  });

  it("if the other region can't take the rest back, a third does", () => {
    const world = failedOver();
    world.run(minutes(31)).set("r2", "unknown").set("r1", "unhealthy").look();
    expect(world.weights).toEqual({ r1: 0, r2: 0, r3: 255 });
  });

  it("one failed return doubles the hold, the second makes failback manual, and an operator's failback forgives", () => {
    const world = failedOver();
    world.run(minutes(31)).set("r1", "unhealthy").look();
    world.set("r1", "healthy").run(minutes(60) - 1_000);
    expect(world.weights.r1).toBe(0);
    world.run(1_000);
    expect(world.weights.r1).toBeGreaterThan(0);
    world.set("r1", "unhealthy").look();
    expect(world.situation.traffic.failedReturns.r1).toHaveLength(2);
    world.set("r1", "healthy").run(minutes(600), minutes(1));
    expect(world.weights.r1).toBe(0);
    expect(world.last?.sentence).toBe("r1 failed to return 2 times: only an operator's failback brings it in again");
    const decision = world.look(request({ kind: "failback" }));
    expect(decision).toMatchObject({ isAllowed: true, proposal: { kind: "failback", actor: { kind: "operator", name: "ann" } } });
    expect(world.situation.traffic.failedReturns).toEqual({});
    world.run(minutes(10), minutes(1));
    expect(world.weights).toEqual({ r1: 255, r2: 0, r3: 0 });
  });

  it("bad within an hour after the return counts as a failed return, once", () => {
    const world = failedOver();
    world.run(minutes(45), minutes(1)).set("r1", "unhealthy").look();
    expect(world.situation.traffic.failedReturns.r1).toHaveLength(1);
    // r2 fails too, r1 takes over again without a return, and fails again: that is no failed return.
    world.set("r1", "healthy").run(minutes(10), minutes(1)).set("r2", "unhealthy").look();
    world.run(minutes(10), minutes(1)).set("r1", "unhealthy").look();
    expect(world.weights).toEqual({ r1: 0, r2: 0, r3: 255 });
    expect(world.situation.traffic.failedReturns.r1).toHaveLength(1);
  });

  it("a return waits at its step while the region is unknown, degraded or doubtful, and silence takes nothing back", () => {
    const world = failedOver();
    world.run(minutes(30), minutes(1));
    const { weights } = world;
    for (const [verdict, evidence] of [
      ["unknown", "unknown"],
      ["degraded", "soft"],
      ["healthy", "bad"],
    ] as const) {
      world.set("r1", verdict, { evidence }).run(minutes(5), minutes(1));
      expect(world.weights).toEqual(weights);
      expect(world.last?.proposal).toBeNull();
    }
    world.set("r1", "healthy").look();
    expect(world.made).toHaveLength(3);
  });

  it("the active region dies in the middle of a return: the returning one takes all at once", () => {
    const world = failedOver();
    world.run(minutes(31)).set("r2", "unhealthy").look();
    expect(world.weights).toEqual({ r1: 255, r2: 0, r3: 0 });
  });

  it("both die at once: the third takes all, and the return has failed", () => {
    const world = failedOver();
    world.run(minutes(31)).set("r2", "unhealthy").set("r1", "unhealthy").look();
    expect(world.weights).toEqual({ r1: 0, r2: 0, r3: 255 });
    expect(world.situation.traffic.failedReturns).toHaveProperty("r1");
  });

  it.each([
    { title: "suppressed", changed: { isSuppressed: true } },
    { title: "doubtful", changed: { evidence: "soft" as const } },
  ])("a $title region doesn't start its return", ({ changed }) => {
    const world = failedOver();
    world.set("r1", "healthy", changed).run(minutes(60), minutes(1));
    expect(world.made).toHaveLength(1);
  });

  it("a degraded first choice doesn't keep the traffic away from a healthy second one", () => {
    const world = new World({ spec: automatic }).set("r1", "unhealthy").set("r2", "unhealthy");
    world.look();
    world.set("r1", "degraded").set("r2", "healthy").run(minutes(40), minutes(1));
    expect(world.weights).toEqual({ r1: 0, r2: 255, r3: 0 });
  });
});

describe("a manual failover", () => {
  it("stays where the operator put it, although the preferred region is healthy", () => {
    const world = new World({ spec: automatic });
    const { proposal, isAllowed } = world.look(request({ kind: "failover", to: "r3" }));
    expect(isAllowed).toBe(true);
    expect(proposal).toMatchObject({
      kind: "failover",
      reason: "because",
      why: expect.stringContaining("ann asked for failover to r3"),
    });
    world.run(minutes(600), minutes(5));
    expect(world.weights).toEqual({ r1: 0, r2: 0, r3: 255 });
    expect(world.situation.traffic.lastAutomaticFailoverAt).toBeNull();
  });

  it("ends when that region fails: automation leaves it", () => {
    const world = new World({ spec: automatic });
    world.look(request({ kind: "failover", to: "r3" }));
    world.run(1_000).set("r3", "unhealthy").look();
    expect(world.weights).toEqual({ r1: 255, r2: 0, r3: 0 });
    expect(world.situation.controls.placement).toBeNull();
  });

  it.each([
    { verdict: "healthy", evidence: "unknown", said: "r1 can't take traffic now" },
    { verdict: "degraded", evidence: "good", said: "r1 is degraded since" },
  ] as const)("who asks for failback to a region that is $verdict with $evidence evidence reads what it waits for", (r1) => {
    const world = new World().set("r1", "unhealthy");
    world.look();
    world.set("r1", r1.verdict, { evidence: r1.evidence }).run(minutes(1));
    const { proposal, sentence } = world.look(request({ kind: "failback" }));
    expect(proposal).toBeNull();
    expect(sentence).toContain(r1.said);
  });

  it("ends by failback, which leads home in steps", () => {
    const world = new World();
    world.look(request({ kind: "failover", to: "r2" }));
    world.run(1_000).look(request({ kind: "failback" }));
    expect(world.situation.controls.placement).toBeNull();
    world.run(minutes(9), minutes(1));
    expect(world.weights).toEqual({ r1: 255, r2: 0, r3: 0 });
    expect(world.made.map(({ kind }) => kind)).toEqual(["failover", ...Array.from({ length: 10 }, () => "failback")]);
  });

  it("into an unhealthy region is denied; by break-glass it goes there and stays", () => {
    const world = new World().set("r2", "unhealthy");
    const denied = world.run(1_000).look(request({ kind: "failover", to: "r2" }));
    expect(denied.isAllowed).toBe(false);
    expect(denied.rules.filter(({ answer, skipped }) => answer !== "allow" && !skipped).map(({ rule }) => rule)).toEqual(["A6"]);
    expect(world.look(request({ kind: "failover", to: "r2" }, { breakGlass: ["A6"] })).isAllowed).toBe(true);
    world.run(minutes(60), minutes(1));
    expect(world.weights).toEqual({ r1: 0, r2: 255, r3: 0 });
    world.set("r2", "recovering").run(minutes(1)).set("r2", "healthy").run(minutes(1));
    expect(world.weights).toEqual({ r1: 0, r2: 255, r3: 0 });
    world.set("r2", "unhealthy").look();
    expect(world.weights).toEqual({ r1: 255, r2: 0, r3: 0 });
  });

  it("into a drained region is denied; by break-glass the drain is over", () => {
    const world = new World();
    world.look(request({ kind: "drain", region: "r2" }));
    const denied = world.look(request({ kind: "failover", to: "r2" }));
    expect(denied.isAllowed).toBe(false);
    expect(denied.sentence).toContain("r2 is drained by ann");
    world.look(request({ kind: "failover", to: "r2" }, { breakGlass: ["A6"] }));
    world.run(minutes(10), minutes(1));
    expect(world.weights).toEqual({ r1: 0, r2: 255, r3: 0 });
    expect(world.situation.controls.drained).toEqual({});
  });

  it("isn't ended by a degraded verdict on hard evidence", () => {
    const world = new World();
    world.look(request({ kind: "failover", to: "r2" }));
    world.set("r2", "degraded", { factor: 0.3, score: 45 }).run(minutes(30), minutes(1));
    expect(world.weights).toEqual({ r1: 0, r2: 255, r3: 0 });
  });

  it("to where it already is keeps the decision and writes nothing", () => {
    const world = new World({ spec: automatic });
    expect(world.look(request({ kind: "failover", to: "r1" })).proposal).toBeNull();
    expect(world.situation.controls.placement).toMatchObject({ region: "r1", by: "ann" });
  });

  it("whose write was lost is made again in the operator's name, freeze or not", () => {
    const world = new World();
    const { written } = world.situation;
    world.look(request({ kind: "failover", to: "r2" }));
    const frozen = { ...world.situation.controls, frozen: { by: "bob", reason: "hands off", at: T0 } };
    const decision = world.change({ written, controls: frozen, modeWritten: "frozen" }).look();
    expect(decision.proposal).toMatchObject({ kind: "failover", actor: { kind: "operator", name: "ann" }, reason: "because" });
    expect(decision.isAllowed).toBe(true);
  });
});

describe("drain", () => {
  it("of the active region moves to the next; undrain leads back in steps", () => {
    const world = new World();
    world.look(request({ kind: "drain", region: "r1" }));
    expect(world.weights).toEqual({ r1: 0, r2: 255, r3: 0 });
    world.run(minutes(60), minutes(1));
    expect(world.made).toHaveLength(1);
    world.look(request({ kind: "undrain", region: "r1" }));
    expect(world.made.at(-1)?.kind).toBe("undrain");
    world.run(minutes(9), minutes(1));
    expect(world.weights).toEqual({ r1: 255, r2: 0, r3: 0 });
  });

  it("that nobody can take the traffic of waits, and is carried out in the operator's name when somebody can", () => {
    const world = new World().set("r2", "unhealthy").set("r3", "unhealthy");
    world.look(request({ kind: "drain", region: "r1" }));
    expect(world.weights).toEqual({ r1: 255, r2: 0, r3: 0 });
    expect(world.last?.failStatic).not.toBeNull();
    const decision = world.set("r3", "healthy").look();
    expect(decision.proposal).toMatchObject({ kind: "drain", actor: { kind: "operator", name: "ann" }, leaves: ["r1"] });
    expect(world.weights).toEqual({ r1: 0, r2: 0, r3: 255 });
  });

  it("of a region on its way back ends the return, which has not failed", () => {
    const world = new World({ spec: automatic }).set("r1", "unhealthy");
    world.look();
    world.set("r1", "healthy").run(minutes(31), minutes(1));
    world.look(request({ kind: "drain", region: "r1" }));
    expect(world.weights).toEqual({ r1: 0, r2: 255, r3: 0 });
    expect(world.situation.traffic.failedReturns).toEqual({});
  });
});

describe("trickle", () => {
  const spec = passiveSpec({ failback: "automatic", trickle: 0.1 }, { settings: SANDBOX });

  it("goes to every healthy standby, and never lowers the first step of a return", () => {
    const world = new World({ spec });
    expect(world.situation.traffic.shares).toEqual({ default: { r1: 0.8, r2: 0.1, r3: 0.1 } });
    world.set("r1", "unhealthy").look();
    expect(world.situation.traffic.shares.default).toEqual({ r1: 0, r2: 0.9, r3: 0.1 });
    world.run(10_000).set("r1", "healthy").look();
    const shares: number[] = [];
    for (let step = 0; step < 5; step += 1) {
      shares.push(world.situation.traffic.shares.default?.r1 ?? 0);
      world.run(step === 0 ? 10_000 : 5_000);
    }
    for (const [n, share] of [0.1, 0.1 + 0.7 * 0.25, 0.1 + 0.7 * 0.5, 0.1 + 0.7 * 0.75, 0.8].entries())
      expect(shares[n]).toBeCloseTo(share, 9);
  });

  it.each([
    { title: "silence takes no trickle away", verdict: "unknown", evidence: "unknown", kept: true },
    { title: "a doubt takes none away", verdict: "degraded", evidence: "soft", kept: true },
    { title: "bad evidence on hold takes none away", verdict: "healthy", evidence: "bad", kept: true },
    { title: "a bad verdict does", verdict: "unhealthy", evidence: "bad", kept: false },
  ] as const)("$title", ({ verdict, evidence, kept }) => {
    const world = new World({ spec }).set("r3", verdict, { evidence });
    world.look();
    expect((world.weights.r3 ?? 0) > 0).toBe(kept);
    expect(world.made).toHaveLength(kept ? 0 : 1);
  });

  it("of many standbys leaves the active region half of the traffic", () => {
    const regions = Array.from({ length: 20 }, (_, n) => `r${n}`);
    const many = passiveSpec({ trickle: 0.2 }, { regions });
    const shares = testSituation({ spec: many }).traffic.shares.default ?? {};
    expect(shares.r0).toBeCloseTo(0.5, 9);
    const decision = decide(testSituation({ spec: many, regions: { r19: { verdict: "unhealthy" } } }), null);
    expect(decision.isAllowed).toBe(true);
    expect(decision.proposal?.weightsAfter.default?.r19).toBe(0);
  });
});
