/** A1 and A2: enough regions keep serving, and no name and type is ever empty. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../decide.ts";
import { arbitrarySituation } from "../testing/arbitrary-situation.ts";
import { answerOf, asked, failing, proposalOf, standing } from "../testing/rules.ts";
import { activeSpec, passiveSpec, request, testSituation } from "../testing/situation.ts";

const active = activeSpec({ panicBelow: 0 });

describe("A1", () => {
  it.each([
    { title: "a family that serves too few may still move", regionsMin: 2, dead: ["r1"], isAllowed: true },
    { title: "one region is enough by default", regionsMin: 1, dead: ["r1"], isAllowed: true },
  ])("$title", ({ regionsMin, dead, isAllowed }) => {
    const spec = passiveSpec({}, { regionsMin });
    const regions = Object.fromEntries(dead.map((region) => [region, { verdict: "unhealthy" as const }]));
    expect(decide(testSituation({ spec, regions }), null).isAllowed).toBe(isAllowed);
  });

  it.each([
    { regionsMin: 2, objects: [] },
    { regionsMin: 3, objects: ["A1"] },
  ])("two of three regions stay and $regionsMin must: $objects stand in the way", ({ regionsMin, objects }) => {
    const situation = testSituation({ spec: { ...active, regionsMin }, regions: { r3: { verdict: "unhealthy" } } });
    const decision = decide(situation, null);
    expect(standing(decision)).toEqual(objects);
    if (objects.length === 0) return;
    expect(answerOf(decision, "A1").why).toBe("default would serve from 2 of 3 regions, at least 3 must stay");
    expect(decision.sentence).toContain("held back by A1 (default would serve from 2 of 3 regions, at least 3 must stay)");
    expect(decision.trafficNow).toEqual(situation.traffic);
  });

  it("binds operators until they name it", () => {
    const situation = testSituation({ spec: { ...active, regionsMin: 3 } });
    expect(standing(decide(situation, request({ kind: "drain", region: "r3" })))).toEqual(["A1"]);
    expect(decide(situation, request({ kind: "drain", region: "r3" }, { breakGlass: ["A1"] })).isAllowed).toBe(true);
  });

  it("law: what it allows leaves no family with fewer regions than are needed, unless it had fewer", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation, asked: move }) => {
        const { proposal, rules } = decide(situation, move);
        if (!proposal || answerOf({ rules }, "A1").answer !== "allow") return;
        const served = (weights: Readonly<Record<string, number>> = {}) =>
          Object.values(weights).filter((weight) => weight > 0).length;
        for (const { id } of situation.spec.families) {
          const before = Math.max(1, served(proposal.weightsBefore[id]));
          expect(served(proposal.weightsAfter[id])).toBeGreaterThanOrEqual(Math.min(situation.spec.regionsMin, before));
        }
      }),
    );
  });
});

describe("A2", () => {
  const half = {
    ...passiveSpec(),
    types: ["A", "AAAA"] as const,
    endpoints: passiveSpec().endpoints.map((one) =>
      one.region === "r1" ? { ...one, answers: { ...one.answers, AAAA: ["2001:db8::1"] } } : one,
    ),
  };

  it("is the only objection where a type would have no member left", () => {
    const decision = decide(failing({ spec: half }), null);
    expect(standing(decision)).toEqual(["A2"]);
    expect(answerOf(decision, "A2").why).toBe("shop.example.com AAAA would have 1 members with a weight sum of 0");
  });

  it("isn't skipped by break-glass", () => {
    const move = request({ kind: "failover", to: "r2" }, { breakGlass: ["A2"] });
    expect(standing(decide(failing({ spec: half }), move))).toEqual(["A2"]);
  });

  it("law: it objects exactly to what leaves a family without weight", () => {
    const weights = fc.record({ r1: fc.nat(3), r2: fc.nat(3), r3: fc.nat(3) });
    const proposal = proposalOf(failing());
    fc.assert(
      fc.property(weights, (after) => {
        const { answer } = answerOf(asked({ ...proposal, weightsAfter: { default: after } }, failing()), "A2");
        expect(answer).toBe(after.r1 + after.r2 + after.r3 > 0 ? "allow" : "deny");
      }),
    );
  });
});
