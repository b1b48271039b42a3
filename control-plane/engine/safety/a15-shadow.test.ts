/** A15 and A16: healthy traffic has time. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../decide.ts";
import type { SafetyLimits, Situation } from "../model.ts";
import { layOverrides } from "../strategy/overrides.ts";
import { arbitrarySituation } from "../testing/arbitrary-situation.ts";
import { ALONE, NO_LIMITS } from "../testing/dns.ts";
import { T0 } from "../testing/evidence.ts";
import { after, answerOf, departure, failing, limited, standing } from "../testing/rules.ts";
import type { SituationInput } from "../testing/situation.ts";
import { activeSpec, NO_CONTROLS, passiveSpec, request, testControl, testSituation, World } from "../testing/situation.ts";
import { roundingOf } from "./a16-steps.ts";
import { movedPart } from "./departures.ts";

/** All of it in r1, where the strategy wants 50, 30 and 20 %. */
const lopsided = (limits: Partial<SafetyLimits>, input: SituationInput = {}): Situation => {
  const spec = limited(limits, activeSpec());
  return testSituation({
    spec,
    ...input,
    written: { default: { r1: 255, r2: 0, r3: 0 } },
    traffic: { ...after(input.traffic?.departures ?? [], spec), shares: { default: { r1: 1, r2: 0, r3: 0 } } },
  });
};

describe("A15", () => {
  const declared = (msAgo: number) => ({ ...ALONE, declaredAt: T0 - msAgo });

  it("is the only objection to a voluntary move of a service that was just declared anew", () => {
    const decision = decide(lopsided({ shadowMs: 600_000 }, { surroundings: declared(60_000) }), null);
    expect(standing(decision)).toEqual(["A15"]);
    expect(answerOf(decision, "A15")).toMatchObject({
      answer: "defer",
      until: T0 + 540_000,
      why: "declared 60 s ago, shown for 10 min before it moves healthy traffic",
    });
    expect(decision.nextLookAt).toBe(T0 + 540_000);
  });

  it.each([
    { title: "a millisecond before its time", shadowMs: 600_000, surroundings: declared(599_999), answer: "defer" },
    { title: "at its time", shadowMs: 600_000, surroundings: declared(600_000), answer: "allow" },
    { title: "declared ever since", shadowMs: 600_000, surroundings: ALONE, answer: "allow" },
    { title: "without a shadow, as in the sandbox", shadowMs: 0, surroundings: declared(0), answer: "allow" },
  ])("$title: $answer", ({ shadowMs, surroundings, answer }) => {
    expect(answerOf(decide(lopsided({ shadowMs }, { surroundings }), null), "A15").answer).toBe(answer);
  });

  it.each([
    { title: "a departure", input: { regions: { r1: { verdict: "unhealthy" } } } },
    { title: "a freeze", input: { controls: { ...NO_CONTROLS, frozen: testControl() } } },
    { title: "a first write", input: { written: null } },
    { title: "a declaration of records", input: { areRecordsOutdated: true } },
  ] as const)("$title isn't held", ({ input }) => {
    const spec = limited({ shadowMs: 600_000 });
    expect(decide(testSituation({ spec, ...input, surroundings: declared(0) }), null).isAllowed).toBe(true);
  });

  it("a switch away from a region that still serves is held", () => {
    const regions = { r1: { verdict: "degraded", factor: 0.5, score: 50 } } as const;
    const decision = decide(testSituation({ spec: limited({ shadowMs: 600_000 }), regions, surroundings: declared(0) }), null);
    expect(decision.proposal?.leaves).toEqual(["r1"]);
    expect(standing(decision)).toEqual(["A15"]);
  });

  it("operators don't wait", () => {
    const situation = testSituation({ spec: limited({ shadowMs: 600_000 }), surroundings: declared(0) });
    const decision = decide(situation, request({ kind: "failover", to: "r2" }));
    expect(answerOf(decision, "A15")).toMatchObject({ answer: "defer", skipped: true });
    expect(decision.isAllowed).toBe(true);
  });

  it("law: no departure from an unhealthy region ever waits for it", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation }) => {
        const { proposal, rules } = decide(situation, null);
        if (proposal?.kind !== "failover") return;
        if (!proposal.leaves.some((region) => situation.health[region]?.verdict === "unhealthy")) return;
        expect(answerOf({ rules }, "A15").answer).toBe("allow");
      }),
    );
  });
});

describe("A16", () => {
  it("a voluntary move goes a part of the way, and keeps the proportions of what it is led to", () => {
    const decision = decide(lopsided({ stepMax: 0.1 }), null);
    expect(decision.isAllowed).toBe(true);
    expect(answerOf(decision, "A16").why).toBe("moves 10 % of the traffic, at most 10 %");
    const shares = decision.proposal!.sharesAfter.default!;
    expect(shares.r1).toBeCloseTo(0.9, 6);
    expect(shares.r2! / shares.r3!).toBeCloseTo(1.5, 6);
    expect(decision.trafficAfter.shares).toEqual(decision.proposal!.sharesAfter);
    expect(decision.trafficAfter.departures).toMatchObject([{ left: [], received: ["r2", "r3"] }]);
  });

  it("is the only objection to the next step before its time", () => {
    const departures = [departure({ at: T0 - 59_999, left: [] })];
    const soon = decide(lopsided({ stepMax: 0.1 }, { traffic: after(departures) }), null);
    expect(standing(soon)).toEqual(["A16"]);
    expect(answerOf(soon, "A16")).toMatchObject({
      answer: "defer",
      until: T0 + 1,
      why: "last voluntary move 60 s ago, the next one 60 s after it",
    });
    const due = [departure({ at: T0 - 60_000, left: [] })];
    expect(decide(lopsided({ stepMax: 0.1 }, { traffic: after(due) }), null).isAllowed).toBe(true);
  });

  it("step by step it comes where it is led, no faster than a step at a time", () => {
    const world = new World({});
    world.situation = lopsided({ stepMax: 0.1 });
    world.look();
    world.run(600_000, 10_000);
    expect(world.made.map(({ kind }) => kind)).toEqual(Array.from({ length: world.made.length }, () => "rebalance"));
    expect(world.made.length).toBeGreaterThanOrEqual(5);
    for (const [n, { at }] of world.made.entries()) if (n > 0) expect(at - world.made[n - 1]!.at).toBeGreaterThanOrEqual(60_000);
    expect(world.situation.traffic.shares.default!.r1).toBeCloseTo(0.5, 1);
    expect(decide(world.situation, null).proposal).toBeNull();
  });

  it.each([
    { title: "no limit", situation: lopsided({ stepMax: 1 }) },
    { title: "a departure", situation: failing({ spec: limited({ stepMax: 0.1 }) }) },
  ])("$title goes at once", ({ situation }) => {
    const { isAllowed, proposal } = decide(situation, null);
    expect(isAllowed).toBe(true);
    expect(movedPart(proposal!.weightsBefore, proposal!.weightsAfter)).toBeGreaterThan(0.4);
  });

  it("a region that is declared no longer goes at once", () => {
    const spec = limited({ stepMax: 0.1 }, passiveSpec({ trickle: 0.2 }));
    const written = { default: { r1: 100, r2: 50, r3: 50, r9: 100 } };
    const decision = decide(testSituation({ spec, written }), null);
    expect(decision.isAllowed).toBe(true);
    expect(decision.proposal?.weightsAfter.default?.r9 ?? 0).toBe(0);
  });

  it("what is refused as a whole isn't done in steps too small to be seen", () => {
    // r2 is frozen, and a hundredth of its part would be no change to speak of.
    const controls = { ...NO_CONTROLS, frozenRegions: { r2: testControl() } };
    const decision = decide(lopsided({ stepMax: 0.01 }, { controls }), null);
    expect(standing(decision)).toEqual(["A4", "A16"]);
    expect(decision.proposal?.weightsAfter.default).toMatchObject({ r1: 255, r2: 153, r3: 102 });
  });

  it("what costs goodput as a whole asks as a whole, and goes as a whole when a person agrees", () => {
    const even = lopsided({ stepMax: 0.01, capacityMin: 0.5 });
    // r1 could carry all, and the strategy leads to regions that can't carry theirs.
    const endpoints = even.spec.endpoints.map((one) => ({ ...one, capacity: one.region === "r1" ? 98 : 1, headroom: 1.1 }));
    const spec = { ...even.spec, strategy: { kind: "round-robin", failback: "automatic", panic: "hold" } as const, endpoints };
    const refused = decide({ ...even, spec }, null);
    expect(standing(refused)).toEqual(["A3", "A16"]);
    expect(refused.asks).toEqual(["A3"]);
    const approved = {
      question: refused.proposal!.question,
      weights: refused.proposal!.weightsAfter,
      asks: refused.asks,
      by: "ann",
      reason: "yes",
    };
    const agreed = decide({ ...even, spec, approved }, null);
    expect(agreed.isAllowed).toBe(true);
    expect(agreed.proposal?.weightsAfter).toEqual(approved.weights);
  });

  it("operators move as far as they ask", () => {
    const decision = decide(testSituation({ spec: limited({ stepMax: 0.1 }) }), request({ kind: "failover", to: "r2" }));
    expect(decision.proposal?.weightsAfter.default).toMatchObject({ r1: 0 });
    expect(decision.isAllowed).toBe(true);
  });

  it("law: what goes voluntarily moves a step and the rounding of whole weights at most, and moves something", () => {
    const steps = fc.constantFrom(0.01, 0.05, 0.1, 0.3, 1);
    fc.assert(
      fc.property(arbitrarySituation, steps, ({ situation }, stepMax) => {
        const spec = { ...situation.spec, safety: { ...situation.spec.safety, stepMax } };
        // Who agrees to a move as a whole agrees to its size.
        const { proposal, isAllowed } = decide({ ...situation, spec, approved: null }, null);
        if (!isAllowed || proposal?.kind !== "rebalance" || proposal.panicFamilies.length > 0) return;
        // An operator's pin goes at once.
        if (proposal.actor.kind === "operator") return;
        const isUnwanted = (region: string): boolean =>
          layOverrides(situation).controls.drained[region] !== undefined || situation.health[region]?.verdict === "maintenance";
        if (proposal.leaves.some(isUnwanted)) return;
        const moved = movedPart(proposal.weightsBefore, proposal.weightsAfter);
        expect(moved).toBeGreaterThan(0);
        expect(moved).toBeLessThanOrEqual(stepMax + roundingOf(spec) + 1e-9);
      }),
    );
  });

  it("law: without limits, what goes is all of what is wanted", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation }) => {
        const { rules } = decide({ ...situation, spec: { ...situation.spec, safety: NO_LIMITS } }, null);
        if (rules.length > 0) expect(answerOf({ rules }, "A16").answer).toBe("allow");
      }),
    );
  });
});
