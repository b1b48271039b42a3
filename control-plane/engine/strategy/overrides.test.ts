/** Overrides: standing decisions with an end, laid over any strategy. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide, isFrozen } from "../decide.ts";
import type { Override } from "../model.ts";
import { arbitrarySituation } from "../testing/arbitrary-situation.ts";
import { T0 } from "../testing/evidence.ts";
import { answerOf, standing } from "../testing/rules.ts";
import {
  activeSpec,
  NO_CONTROLS,
  passiveSpec,
  request,
  roundRobinSpec,
  SANDBOX,
  testControl,
  testSituation,
  World,
} from "../testing/situation.ts";
import { partsOf } from "./parts.ts";

const HOUR_MS = 3_600_000;

const override = (what: Override["what"], changed: Partial<Override> = {}): Override => ({
  id: `${what.kind} ${"region" in what ? what.region : ""}`,
  by: "ann",
  reason: "a test",
  at: T0,
  until: T0 + HOUR_MS,
  what,
  breakGlass: [],
  ...changed,
});
const off = (region: string, changed: Partial<Override> = {}) => override({ kind: "off", region }, changed);
const on = (region: string, changed: Partial<Override> = {}) => override({ kind: "on", region }, changed);
const pin = (shares: Record<string, number>, changed: Partial<Override> = {}) => override({ kind: "pin", shares }, changed);
const freeze = override({ kind: "freeze" });

const ask = (one: Override) => request({ kind: "override", override: one }, { breakGlass: one.breakGlass });
const withOverrides = (...overrides: Override[]) => ({ controls: { ...NO_CONTROLS, overrides } });

describe("off", () => {
  it("takes the traffic away at once, in its operator's name", () => {
    const decision = decide(testSituation(), ask(off("r1")));
    expect(decision.isAllowed).toBe(true);
    expect(decision.proposal).toMatchObject({ kind: "drain", actor: { kind: "operator", name: "ann" }, reason: "because" });
    expect(decision.proposal?.weightsAfter).toEqual({ default: { r1: 0, r2: 255, r3: 0 } });
    expect(decision.controlsAfter.overrides).toHaveLength(1);
    expect(decision.sentence).toContain("r1 is off by ann until");
  });

  it("is still carried out, by the same name and with the rules that it skips, when its write didn't arrive", () => {
    const spec = activeSpec({ panicBelow: 0 }, { regionsMin: 3 });
    const decision = decide(testSituation({ spec, ...withOverrides(off("r3", { breakGlass: ["A1"] })) }), null);
    expect(decision.isAllowed).toBe(true);
    expect(decision.proposal).toMatchObject({ kind: "drain", reason: "a test", breakGlass: ["A1"] });
    expect(answerOf(decision, "A1")).toMatchObject({ answer: "deny", skipped: true });
    expect(standing(decide(testSituation({ spec, ...withOverrides(off("r3")) }), null))).toEqual(["A1"]);
  });

  it.each([
    { title: "passive", spec: passiveSpec({}, { settings: SANDBOX }), kind: "failback" },
    { title: "active", spec: activeSpec({ failback: "manual", panicBelow: 0 }, { settings: SANDBOX }), kind: "return" },
    { title: "round robin", spec: roundRobinSpec({ failback: "manual" }, { settings: SANDBOX }), kind: "return" },
  ])("$title: when it runs out the region comes back by itself, in steps, though failback is manual", ({ spec, kind }) => {
    const world = new World({ spec });
    world.look(ask(off("r1", { until: T0 + 10_000 })));
    world.run(9_000);
    expect(world.made.map((one) => one.kind)).toEqual(["drain"]);
    expect(world.weights.r1).toBe(0);
    world.run(60_000);
    const [, ...back] = world.made;
    expect(back.map((one) => one.kind)).toEqual([kind, kind, kind, kind]);
    expect(back[0]?.at).toBeGreaterThanOrEqual(10_000);
    const parts = back.map(({ weights }) => partsOf(weights).r1 ?? 0);
    expect(parts).toEqual([...parts].sort((a, b) => a - b));
    expect(parts[0]).toBeLessThan(0.4);
  });

  it.each([
    { title: "passive", spec: passiveSpec({}, { settings: SANDBOX }) },
    { title: "active", spec: activeSpec({ panicBelow: 0 }, { settings: SANDBOX }) },
    { title: "round robin", spec: roundRobinSpec({}, { settings: SANDBOX }) },
  ])("$title: when it ends before its write arrived, nothing moves: no return takes traffic from who returns", ({ spec }) => {
    const world = new World({ spec });
    const { written } = world.situation;
    world.look(ask(off("r1", { until: T0 + 1_000 })));
    world.change({ written }).run(60_000);
    expect(world.made.map((one) => one.kind)).toEqual(["drain"]);
    expect(world.situation.written).toEqual(written);
    expect(world.situation.traffic.out).toEqual({});
  });

  it("when it ends while its write is under way, that is waited for, and the region comes back in steps", () => {
    const world = new World({ spec: passiveSpec({}, { settings: SANDBOX }) });
    const { written } = world.situation;
    world.look(ask(off("r1", { until: T0 + 1_000 })));
    const { written: drained } = world.situation;
    world.change({ written, isChangeInFlight: true }).run(2_000, 1_000);
    world.change({ written: drained, isChangeInFlight: false }).run(60_000);
    expect(world.made.map((one) => one.kind).slice(-4)).toEqual(["failback", "failback", "failback", "failback"]);
    expect(world.weights.r1).toBe(255);
  });

  it("a region that was left for a fault before it was off waits for a failback as ever", () => {
    const world = new World({ spec: passiveSpec({}, { settings: SANDBOX }) });
    world.set("r1", "unhealthy").look();
    world.look(ask(off("r1", { until: T0 + 5_000 })));
    world.run(2_000).set("r1", "healthy").run(120_000);
    expect(world.made.map((one) => one.kind)).toEqual(["failover"]);
    expect(world.last?.sentence).toContain("waits for an operator's failback");
  });

  it("keeps a region out of a failover", () => {
    const situation = testSituation({ ...withOverrides(off("r2")), regions: { r1: { verdict: "unhealthy" } } });
    expect(decide(situation, null).proposal?.gains).toEqual(["r3"]);
  });
});

describe("on", () => {
  const sick = { r1: { verdict: "unhealthy" as const } };

  it("keeps the traffic where monitoring would take it away", () => {
    const decision = decide(testSituation({ ...withOverrides(on("r1")), regions: sick }), null);
    expect(decision.proposal).toBeNull();
    expect(decision.sentence).toContain("r1 is on by ann until");
    expect(decide(testSituation({ regions: sick }), null).proposal?.leaves).toEqual(["r1"]);
  });

  it("a region that dies under it keeps its traffic, and the sentence asks for somebody", () => {
    const world = new World();
    world.look(ask(on("r1")));
    world.set("r1", "unhealthy").run(5_000);
    expect(world.made).toEqual([]);
    expect(world.last?.failStatic).toMatch(/^r1 is unhealthy and keeps 100 %: r1 is on by ann until \S+: a test$/);
    expect(world.last?.sentence).toMatch(/^r1 is unhealthy and keeps 100 %.*; r1 is on by ann until/);
    expect(world.set("r1", "healthy").look().failStatic).toBeNull();
  });

  it("whoever says it of a region that is dead already knows, and nobody is called by it", () => {
    const world = new World().set("r1", "unhealthy");
    world.look(ask(on("r1", { at: T0 + 1 })));
    expect(world.last?.failStatic).toBeNull();
  });

  it("brings nothing where evidence speaks against it, unless it names A6", () => {
    const gone = testSituation({ spec: passiveSpec({}, { settings: SANDBOX }), regions: sick });
    const left = new World({ spec: gone.spec });
    left.set("r1", "unhealthy").look();
    const refused = decide(left.situation, ask(on("r1")));
    expect(refused.isAllowed).toBe(false);
    expect(standing(refused)).toEqual(["A6"]);
    expect(refused.sentence).toContain("held back by A6 (r1 is unhealthy");
    const named = decide(left.situation, ask(on("r1", { breakGlass: ["A6"] })));
    expect(named.isAllowed).toBe(true);
    expect(answerOf(named, "A6")).toMatchObject({ answer: "deny", skipped: true });
  });

  it("with A6 named, the further steps of the return skip it too, and automation may land there when another dies", () => {
    const world = new World({ spec: passiveSpec({}, { settings: SANDBOX }) });
    world.set("r1", "unhealthy").look();
    world.look(ask(on("r1", { breakGlass: ["A6"] })));
    world.run(60_000);
    expect(world.weights.r1).toBe(255);
    const dead = { r1: { verdict: "unhealthy" as const }, r3: { verdict: "unhealthy" as const } };
    const landing = decide(
      testSituation({ ...withOverrides(on("r2", { breakGlass: ["A6"] })), regions: { ...dead, r2: { verdict: "unknown" } } }),
      null,
    );
    expect(landing).toMatchObject({ isAllowed: true, proposal: { actor: { kind: "automation" }, gains: ["r2"] } });
    expect(answerOf(landing, "A6")).toMatchObject({ answer: "deny", skipped: true });
  });

  it("in maintenance it needs A5 named too", () => {
    const regions = {
      r1: { verdict: "unhealthy" as const },
      r2: { verdict: "maintenance" as const },
      r3: { verdict: "unhealthy" as const },
    };
    const named = (...breakGlass: Override["breakGlass"]) =>
      standing(decide(testSituation({ ...withOverrides(on("r2", { breakGlass })), regions }), null));
    expect(named("A6")).toEqual(["A5"]);
    expect(named("A5", "A6")).toEqual([]);
  });

  it("a failover to what is off moves nothing, and the sentence says whose word stands", () => {
    const decision = decide(testSituation(withOverrides(off("r2"))), request({ kind: "failover", to: "r2" }));
    expect(decision.proposal).toBeNull();
    expect(decision.sentence).toContain("r2 is off by ann until");
  });

  it("counts less than a drain or an off of the same region", () => {
    const controls = { ...NO_CONTROLS, overrides: [on("r1"), off("r1")] };
    expect(decide(testSituation({ controls }), null).proposal?.leaves).toEqual(["r1"]);
  });
});

describe("pin", () => {
  it("gives exactly these shares, whatever the strategy would", () => {
    const decision = decide(testSituation({ spec: activeSpec() }), ask(pin({ r1: 0.2, r2: 0.8 })));
    expect(decision.proposal).toMatchObject({ kind: "rebalance", sharesAfter: { default: { r1: 0.2, r2: 0.8, r3: 0 } } });
  });

  it("automation moves nothing meanwhile: a region that dies keeps its part, and the sentence asks for somebody", () => {
    const world = new World();
    world.look(ask(pin({ r1: 0.5, r2: 0.5 })));
    world.set("r1", "unhealthy").run(5_000);
    expect(world.made.map((one) => one.kind)).toEqual(["rebalance"]);
    expect(world.last?.failStatic).toMatch(
      /^r1 is unhealthy and keeps 50 %: shares are pinned at r1 50 %, r2 50 % by ann until .*: a test$/,
    );
    expect(world.last?.sentence).toBe(
      `${world.last?.failStatic}; shares are pinned at r1 50 %, r2 50 % by ann until ${world.last?.failStatic?.match(/until (\S+):/)?.[1]}`,
    );
  });

  it("a region that is worked on keeps its part too, pinned or on, and the sentence asks for somebody", () => {
    for (const one of [pin({ r1: 1 }), on("r1")]) {
      const world = new World();
      world.look(ask(one));
      world.set("r1", "maintenance").run(2_000);
      expect(world.made).toEqual([]);
      expect(world.last?.failStatic).toMatch(/^r1 is in maintenance and keeps 100 %: .* by ann until \S+: a test$/);
    }
  });

  it("that lands on a bad region needs the rules named", () => {
    const situation = testSituation({ regions: { r2: { verdict: "unhealthy" } } });
    expect(standing(decide(situation, ask(pin({ r2: 1 }))))).toEqual(["A6"]);
    expect(decide(situation, ask(pin({ r2: 1 }, { breakGlass: ["A6"] }))).isAllowed).toBe(true);
  });

  it("ends where it left off: who lost everything to it returns in steps", () => {
    const world = new World({ spec: passiveSpec({}, { settings: SANDBOX }) });
    world.look(ask(pin({ r2: 1 }, { until: T0 + 5_000 })));
    world.run(60_000);
    expect(world.made.map((one) => one.kind)).toEqual(["rebalance", "failback", "failback", "failback", "failback"]);
    expect(world.weights.r1).toBe(255);
  });

  it("of regions that are declared no more counts for nothing", () => {
    const controls = { ...NO_CONTROLS, overrides: [pin({ gone: 1 })] };
    expect(decide(testSituation({ controls }), null).proposal).toBeNull();
    const sick = decide(testSituation({ controls, regions: { r1: { verdict: "unhealthy" } } }), null);
    expect(sick).toMatchObject({
      isAllowed: true,
      proposal: { kind: "failover", actor: { kind: "automation" }, leaves: ["r1"] },
    });
    expect(answerOf(sick, "A4").answer).toBe("allow");
    const drained = { ...controls, drained: { r1: testControl({ by: "bob" }) } };
    expect(decide(testSituation({ controls: drained }), null).proposal).toMatchObject({ kind: "drain", actor: { name: "bob" } });
  });

  it("what takes an edit back may go, what moves around it may not", () => {
    const edit = {
      policy: "report" as const,
      weights: { default: { r1: 10, r2: 200, r3: 45 } },
      declared: "",
      isKept: false,
      carried: null,
      since: T0,
    };
    const situation = testSituation({
      ...withOverrides(pin({ r1: 1 })),
      drift: "edited",
      edit,
      regions: { r3: { verdict: "unhealthy" } },
    });
    const decision = decide(situation, null);
    expect(decision.isAllowed).toBe(false);
    expect(answerOf(decision, "A4").why).toMatch(/^shop is pinned by ann until/);
  });
});

describe("freeze", () => {
  it("stands in the epoch record too, and holds automation until it runs out", () => {
    const situation = testSituation({ ...withOverrides(freeze), regions: { r1: { verdict: "unhealthy" } } });
    expect(isFrozen(situation)).toBe(true);
    const mark = decide(situation, null);
    expect(mark.proposal).toMatchObject({ kind: "freeze", actor: { kind: "operator", name: "ann" } });
    const held = decide({ ...situation, modeWritten: "frozen" }, null);
    expect(standing(held)).toEqual(["A4"]);
    expect(answerOf(held, "A4").why).toMatch(/^shop is frozen by ann until \d\d:\d\d:\d\dZ: a test$/);
    expect(held.nextLookAt).toBe(freeze.until);
    const over = { ...situation, modeWritten: "frozen" as const, now: freeze.until };
    expect(isFrozen(over)).toBe(false);
    expect(decide(over, null).proposal?.leaves).toEqual(["r1"]);
  });

  it("operators may move", () => {
    const situation = testSituation({ ...withOverrides(freeze), modeWritten: "frozen" });
    expect(decide(situation, request({ kind: "failover", to: "r2" })).isAllowed).toBe(true);
  });
});

describe("laws", () => {
  it("one that ran out changes nothing, compared with none", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation, asked }) => {
        const over = situation.controls.overrides.map((one) => ({ ...one, until: situation.now }));
        const { controlsAfter: _a, ...ranOut } = decide(
          { ...situation, controls: { ...situation.controls, overrides: over } },
          asked,
        );
        const { controlsAfter: _b, ...none } = decide(
          { ...situation, controls: { ...situation.controls, overrides: [] } },
          asked,
        );
        expect(ranOut).toEqual(none);
      }),
    );
  });

  it("what is off gets nothing where another can serve, and never is a name empty", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation }) => {
        const regions = situation.spec.endpoints.map(({ region }) => region);
        const [first = ""] = regions;
        const controls = { ...situation.controls, overrides: [off(first)] };
        const decision = decide({ ...situation, controls }, null);
        for (const weights of Object.values(decision.proposal?.weightsAfter ?? {}))
          expect(Object.values(weights).some((weight) => weight > 0)).toBe(true);
        if (!decision.proposal || !decision.isAllowed || decision.failStatic !== null) return;
        if (
          decision.proposal.kind === "configure" ||
          decision.proposal.kind === "freeze" ||
          decision.proposal.kind === "unfreeze"
        )
          return;
        for (const weights of Object.values(decision.proposal.weightsAfter)) expect(weights[first]).toBe(0);
      }),
    );
  });

  it("what is pinned is what is wanted, in every family, and nobody but its operator moves", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation }) => {
        const [first = "", second = first] = situation.spec.endpoints.map(({ region }) => region);
        const shares = first === second ? { [first]: 1 } : { [first]: 0.25, [second]: 0.75 };
        const { proposal, trafficNow, isAllowed } = decide(
          { ...situation, controls: { ...situation.controls, overrides: [pin(shares)] } },
          null,
        );
        const wanted = isAllowed && proposal ? proposal.sharesAfter : trafficNow.shares;
        if (
          proposal &&
          (!isAllowed || proposal.kind === "configure" || proposal.kind === "freeze" || proposal.kind === "unfreeze")
        )
          return;
        for (const { id } of situation.spec.families)
          for (const region of Object.keys(shares)) expect(wanted[id]?.[region]).toBeCloseTo(shares[region] ?? 0, 9);
        if (proposal) expect(proposal.actor.kind).toBe("operator");
      }),
    );
  });

  it("the next look is no later than the first end", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation, asked }) => {
        const { nextLookAt } = decide(situation, asked);
        for (const { until } of situation.controls.overrides)
          if (until > situation.now) expect(nextLookAt ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(until);
      }),
    );
  });
});
