import { describe, expect, it } from "vitest";
import { decide, HYSTERESIS } from "./decide.ts";
import type { Situation } from "./model.ts";
import { T0 } from "./testing/evidence.ts";
import {
  activeSpec,
  NO_CONTROLS,
  passiveSpec,
  persist,
  request,
  roundRobinSpec,
  testControl,
  testGlobalFreeze,
  testSituation,
  World,
} from "./testing/situation.ts";

describe("the first write", () => {
  const first = (spec = passiveSpec(), changed: Partial<Situation> = {}): Situation => ({
    ...testSituation({ spec, regions: { r1: { verdict: "unknown" }, r2: { verdict: "unknown" }, r3: { verdict: "unknown" } } }),
    written: null,
    epoch: null,
    modeWritten: null,
    ...changed,
  });

  it.each([
    { title: "active-passive", spec: passiveSpec(), weights: { r1: 255, r2: 0, r3: 0 } },
    { title: "active-active", spec: activeSpec(), weights: { r1: 255, r2: 153, r3: 102 } },
  ])("$title: takes every region as healthy; A6 and A8 don't apply", ({ spec, weights }) => {
    const decision = decide(first(spec), null);
    expect(decision).toMatchObject({ isAllowed: true, proposal: { kind: "create", weightsBefore: {}, leaves: [], gains: [] } });
    expect(decision.proposal?.weightsAfter).toEqual({ default: weights });
    expect(decision.rules.filter(({ answer }) => answer !== "allow")).toEqual([]);
  });

  it("is settled after it", () => {
    const situation = first();
    expect(decide(persist(situation, decide(situation, null)), null).proposal).toBeNull();
  });

  it("isn't made over a name that is somebody else's, nor twice; in advisory mode it is, because whoever applied it asked for it", () => {
    for (const changed of [{ blockedBy: "the name has records" }, { isChangeInFlight: true }])
      expect(decide(first(passiveSpec(), changed), null).isAllowed).toBe(false);
    expect(decide(first(passiveSpec({}, { mode: "advisory" })), null).isAllowed).toBe(true);
  });

  it("gives nothing to a region that was drained before", () => {
    const controls = { ...NO_CONTROLS, drained: { r1: testControl() } };
    expect(decide(first(passiveSpec(), { controls }), null).proposal?.weightsAfter).toEqual({
      default: { r1: 0, r2: 255, r3: 0 },
    });
  });
});

describe("records that were declared anew, while a move is held back", () => {
  const hold = (r3: number): Situation =>
    testSituation({
      spec: passiveSpec({}, { regions: ["r1", "r2"] }),
      regions: { r1: { verdict: "unhealthy", detectedAt: T0 - 5_000 } },
      written: { default: { r1: 100 - r3, r2: 0, r3 } },
      controls: { ...NO_CONTROLS, frozen: testControl() },
      modeWritten: "frozen",
      areRecordsOutdated: true,
    });

  it("are written with today's weights where a removed region carried nothing", () => {
    const decision = decide(hold(0), null);
    expect(decision).toMatchObject({
      isAllowed: true,
      proposal: { kind: "configure", weightsAfter: { default: { r1: 100, r2: 0 } } },
    });
  });

  it.each([96, 2])("wait where a removed region carries %s %%: to write them would move it past every rule", (r3) => {
    const decision = decide(hold(r3), null);
    expect(decision).toMatchObject({ isAllowed: false, proposal: { kind: "failover" } });
    expect(decision.sentence).toMatch(
      /held back by A4 .*; the declared records wait too: r3 is declared no more and still carries traffic$/,
    );
  });
});

describe("freezing", () => {
  const frozen = { ...NO_CONTROLS, frozen: testControl({ by: "bob", reason: "hands off" }) };

  it("is written to DNS in the operator's name, with the weights of now", () => {
    const world = new World();
    const decision = world.change({ controls: frozen }).look();
    expect(decision.proposal).toMatchObject({
      kind: "freeze",
      actor: { kind: "operator", name: "bob" },
      reason: "hands off",
      weightsAfter: { default: { r1: 255, r2: 0, r3: 0 } },
    });
    expect(world.situation.modeWritten).toBe("frozen");
    expect(world.look().proposal).toBeNull();
  });

  it("is written even while a move is held back by it, which stays visible", () => {
    const world = new World().set("r1", "unhealthy").change({ controls: frozen });
    const decision = world.look();
    expect(decision).toMatchObject({ isAllowed: true, proposal: { kind: "freeze", weightsAfter: { default: { r1: 255 } } } });
    expect(decision.sentence).toContain("would move: r1 is unhealthy");
    expect(world.look()).toMatchObject({ isAllowed: false, proposal: { kind: "failover" } });
    world.change({ controls: NO_CONTROLS }).look();
    expect(world.situation).toMatchObject({ modeWritten: "auto", written: { default: { r1: 0, r2: 255, r3: 0 } } });
  });

  it("ends in DNS when it ends, in advisory mode too", () => {
    const world = new World({ spec: passiveSpec({}, { mode: "advisory" }) }).change({ controls: frozen });
    world.look();
    const decision = world.change({ controls: NO_CONTROLS }).look();
    expect(decision).toMatchObject({ isAllowed: true, proposal: { kind: "unfreeze" } });
  });

  it("everywhere counts like one service's", () => {
    const world = new World().change({ controls: { ...NO_CONTROLS, frozenGlobally: testGlobalFreeze() } });
    expect(world.look().proposal).toMatchObject({ kind: "freeze", reason: "a test" });
  });
});

describe("declared records that changed", () => {
  it("are written with the weights of now", () => {
    const world = new World({ areRecordsOutdated: true });
    expect(world.look().proposal).toMatchObject({ kind: "configure", actor: { kind: "automation" }, leaves: [], gains: [] });
    expect(world.look().proposal).toBeNull();
  });

  it("a new region starts at weight 0 without looking like a move", () => {
    const old = testSituation();
    const spec = passiveSpec({}, { regions: ["r1", "r2", "r3", "r4"] });
    const now = testSituation({ spec, regions: { r4: { verdict: "unknown" } } });
    const decision = decide({ ...now, written: old.written, traffic: old.traffic, areRecordsOutdated: true }, null);
    expect(decision).toMatchObject({ isAllowed: true, proposal: { kind: "configure" } });
    expect(decision.proposal?.weightsAfter).toEqual({ default: { r1: 255, r2: 0, r3: 0, r4: 0 } });
  });

  it("go out although a move is held back by the cool-down", () => {
    const traffic = { ...testSituation().traffic, lastAutomaticFailoverAt: T0 - 1_000 };
    const situation = testSituation({
      areRecordsOutdated: true,
      traffic,
      regions: { r1: { verdict: "unhealthy", detectedAt: T0 } },
    });
    const decision = decide(situation, null);
    expect(decision).toMatchObject({ isAllowed: true, proposal: { kind: "configure", weightsAfter: { default: { r1: 255 } } } });
    expect(decision.nextLookAt).toBe(T0 + 299_000);
    expect(decision.trafficAfter).toEqual({ ...traffic, failStaticSince: null });
  });

  it("without the region that serves: the traffic goes to the next in the same write", () => {
    const old = testSituation();
    const spec = passiveSpec({}, { regions: ["r2", "r3"] });
    const decision = decide(
      { ...testSituation({ spec }), written: old.written, traffic: old.traffic, areRecordsOutdated: true },
      null,
    );
    expect(decision.isAllowed).toBe(true);
    expect(decision.proposal?.weightsAfter).toEqual({ default: { r2: 255, r3: 0 } });
    expect(decision.proposal?.leaves).toEqual(["r1"]);
  });
});

describe("hysteresis", () => {
  const at = (r1: number, r2: number, r3: number): Situation => ({
    ...testSituation({ spec: activeSpec() }),
    written: { default: { r1, r2, r3 } },
  });

  it.each([
    { title: "a share 2.9 % off is left alone", situation: at(529, 271, 200), isKept: true },
    { title: "one 3.1 % off is not", situation: at(531, 269, 200), isKept: false },
  ])("$title", ({ situation, isKept }) => {
    const scaled = Object.fromEntries(Object.entries(situation.written?.default ?? {}).map(([r, w]) => [r, Math.round(w / 4)]));
    expect(HYSTERESIS).toBe(0.03);
    expect(decide({ ...situation, written: { default: scaled } }, null).proposal === null).toBe(isKept);
  });

  it("a region that starts or stops serving is written, however small its share", () => {
    const spec = {
      ...activeSpec(),
      endpoints: activeSpec().endpoints.map((e) => (e.region === "r3" ? { ...e, capacity: 0.5 } : e)),
    };
    const situation = testSituation({ spec, regions: { r3: { verdict: "unhealthy" } } });
    expect((situation.written?.default?.r3 ?? 0) / 255).toBeLessThan(0.03);
    expect(decide(situation, null).proposal).toMatchObject({ kind: "failover", leaves: ["r3"] });
  });
});

describe("advisory mode", () => {
  const spec = passiveSpec({}, { mode: "advisory" });

  it("tells what it would do and does nothing", () => {
    const decision = new World({ spec }).set("r1", "unhealthy").look();
    expect(decision.isAllowed).toBe(false);
    expect(decision.sentence).toContain("would move: r1 is unhealthy");
    expect(decision.sentence).toContain("the mode advisory");
  });

  it("lets operators move, and finishes the return that they asked for", () => {
    const world = new World({ spec });
    world.look(request({ kind: "failover", to: "r2" }));
    world.look(request({ kind: "failback" }));
    world.run(600_000, 60_000);
    expect(world.weights).toEqual({ r1: 255, r2: 0, r3: 0 });
  });
});

describe("mode approve", () => {
  /** Agrees to what is asked now. */
  const agree = (world: World): World => {
    const { proposal, asks } = world.look();
    if (!proposal) throw new Error("nothing is proposed");
    expect(asks).toEqual(["mode"]);
    world
      .change({ approved: { question: proposal.question, weights: proposal.weightsAfter, asks, by: "ann", reason: "go" } })
      .look();
    return world.change({ approved: null });
  };

  it.each([
    { strategy: "active-passive", make: passiveSpec },
    { strategy: "active-active", make: activeSpec },
    { strategy: "round-robin", make: roundRobinSpec },
  ])("$strategy: whoever agrees to a return isn't asked for each of its steps, and is for what comes in between", ({ make }) => {
    const world = new World({ spec: make({ failback: "automatic" }, { mode: "approve" }) });
    const { rampMs, rampStepMs, stableHoldMs } = world.situation.spec.settings;
    agree(world.set("r1", "unhealthy"));
    expect(world.weights.r1).toBe(0);
    world.set("r1", "healthy").run(stableHoldMs + rampMs, rampStepMs);
    expect(world.made).toHaveLength(1);
    agree(world);
    expect(world.weights.r1).toBeGreaterThan(0);
    world.run(rampMs / 2, rampStepMs);
    expect(world.made.length).toBeGreaterThan(3);
    world.set("r2", "unhealthy").look();
    expect(world.last).toMatchObject({ isAllowed: false, asks: ["mode"] });
    world.set("r2", "healthy").run(rampMs, rampStepMs);
    expect(world.made).toHaveLength(1 + rampMs / rampStepMs);
    expect(world.last?.proposal).toBeNull();
  });
});

describe("several families", () => {
  const base = passiveSpec({ failback: "automatic" });
  const spec = {
    ...base,
    families: [
      { id: "eu", name: "eu.shop.example.com", priority: { r1: 1, r2: 2, r3: 3 }, capacity: {} },
      { id: "us", name: "us.shop.example.com", priority: { r1: 3, r2: 2, r3: 1 }, capacity: {} },
    ],
  };

  it("each has its own order of priority", () => {
    const world = new World({ spec });
    expect(world.situation.written).toEqual({ eu: { r1: 255, r2: 0, r3: 0 }, us: { r1: 0, r2: 0, r3: 255 } });
    world.set("r3", "unhealthy").look();
    expect(world.situation.written).toEqual({ eu: { r1: 255, r2: 0, r3: 0 }, us: { r1: 0, r2: 255, r3: 0 } });
    expect(world.made.map(({ kind }) => kind)).toEqual(["failover"]);
  });

  it("the return of a region concerns only where it is preferred", () => {
    const world = new World({ spec }).set("r3", "unhealthy");
    world.look();
    world
      .run(60_000)
      .set("r3", "healthy")
      .run(1_800_000 + 540_000, 60_000);
    expect(world.situation.written).toEqual({ eu: { r1: 255, r2: 0, r3: 0 }, us: { r1: 0, r2: 0, r3: 255 } });
    expect(world.made).toHaveLength(11);
  });

  it("one that nobody can take stands still; the others are left all the same", () => {
    // r3 is everything to `us`, little to `eu`.
    const active = activeSpec({ panic: "hold" });
    const endpoints = active.endpoints.map((e) => ({ ...e, headroom: 1.4 }));
    const families = [
      { id: "eu", name: "eu.shop.example.com", priority: {}, capacity: { r1: 45, r2: 45, r3: 10 } },
      { id: "us", name: "us.shop.example.com", priority: {}, capacity: { r1: 5, r2: 5, r3: 90 } },
    ];
    const world = new World({ spec: { ...active, endpoints, families } }).set("r3", "unhealthy");
    const { us } = world.situation.written ?? {};
    const decision = world.look();
    expect(decision.isAllowed).toBe(true);
    expect(decision.failStatic).toContain("us: only 10 % of the capacity is healthy");
    expect(world.situation.written?.eu).toEqual({ r1: 255, r2: 255, r3: 0 });
    expect(world.situation.written?.us).toEqual(us);
    expect(world.look().proposal).toBeNull();
  });
});
