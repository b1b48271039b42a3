/** A5 and A6: where traffic may land. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../decide.ts";
import { gains, regionsWhere } from "../strategy/parts.ts";
import { arbitrarySituation } from "../testing/arbitrary-situation.ts";
import { answerOf, asked, failing, proposalOf, standing } from "../testing/rules.ts";
import { NO_CONTROLS, passiveSpec, request, testControl, testSituation } from "../testing/situation.ts";

const toR2 = request({ kind: "failover", to: "r2" });

describe("A5", () => {
  it("is the only objection to a move into maintenance, until an operator names it", () => {
    const situation = testSituation({ regions: { r2: { verdict: "maintenance" } } });
    const decision = decide(situation, toR2);
    expect(standing(decision)).toEqual(["A5"]);
    expect(answerOf(decision, "A5")).toMatchObject({ answer: "deny", why: "r2 would gain traffic: r2 says why" });
    expect(decide(situation, { ...toR2, breakGlass: ["A5"] }).isAllowed).toBe(true);
  });

  it("evidence against a region in maintenance is A6's", () => {
    const situation = testSituation({ regions: { r2: { verdict: "maintenance", evidence: "bad" } } });
    expect(standing(decide(situation, toR2))).toEqual(["A5", "A6"]);
  });

  it.each([
    { title: "less than is seen is no gain", r2: 51, answer: "allow" },
    { title: "more is", r2: 54, answer: "deny" },
    { title: "and so is any beginning", r3: 1, answer: "deny" },
  ])("$title", ({ r2 = 50, r3 = 0, answer }) => {
    const situation = testSituation({ regions: { r2: { verdict: "maintenance" }, r3: { verdict: "maintenance" } } });
    const proposal = { ...proposalOf(failing()), weightsBefore: { default: { r1: 50, r2: 50, r3: 0 } } };
    const weightsAfter = { default: { r1: 50, r2, r3 } };
    expect(answerOf(asked({ ...proposal, weightsAfter }, situation), "A5").answer).toBe(answer);
    expect(answerOf(asked({ ...proposal, weightsAfter, panicFamilies: ["default"] }, situation), "A5").answer).toBe("allow");
  });

  it("law: what it allows takes no traffic to a region in maintenance, outside of a panic", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation, asked: move }) => {
        const { proposal, rules } = decide(situation, move);
        if (!proposal || ["create", "configure", "freeze", "unfreeze"].includes(proposal.kind)) return;
        if (proposal.panicFamilies.length > 0) return;
        const gaining = regionsWhere(proposal.weightsBefore, proposal.weightsAfter, gains);
        const isAny = gaining.some((region) => situation.health[region]?.verdict === "maintenance");
        expect(answerOf({ rules }, "A5").answer).toBe(isAny ? "deny" : "allow");
      }),
    );
  });
});

describe("A6", () => {
  it("an operator asks for a region that nobody vouches for", () => {
    for (const verdict of ["unhealthy", "recovering", "unknown"] as const)
      expect(standing(decide(testSituation({ regions: { r2: { verdict } } }), toR2))).toEqual(["A6"]);
    for (const evidence of ["bad", "unknown"] as const)
      expect(standing(decide(testSituation({ regions: { r2: { evidence } } }), toR2))).toEqual(["A6"]);
    const soft = decide(testSituation({ regions: { r2: { evidence: "soft" } } }), toR2);
    expect(soft.isAllowed).toBe(true);
  });

  it("a drained region is no target of a failover, until an operator names it", () => {
    const situation = testSituation({ controls: { ...NO_CONTROLS, drained: { r2: testControl() } } });
    expect(standing(decide(situation, toR2))).toEqual(["A6"]);
    expect(decide(situation, { ...toR2, breakGlass: ["A6"] }).isAllowed).toBe(true);
  });

  it("a share that begins is a gain, however small", () => {
    const situation = testSituation({ regions: { r2: { verdict: "unknown" } } });
    const weightsAfter = { default: { r1: 255, r2: 1, r3: 0 } };
    expect(standing(asked({ ...proposalOf(failing()), gains: ["r2"], weightsAfter }, situation))).toContain("A6");
    const spec = passiveSpec({ failback: "automatic" }, { settings: { rampMs: 255_000, rampStepMs: 1_000, stableHoldMs: 0 } });
    const returning = testSituation({
      spec,
      written: { default: { r1: 0, r2: 255, r3: 0 } },
      traffic: {
        ...testSituation().traffic,
        passive: { default: { active: "r2", returning: null } },
        shares: { default: { r1: 0, r2: 1, r3: 0 } },
      },
    });
    expect(decide(returning, null).proposal).toMatchObject({ kind: "failback", gains: ["r1"] });
  });

  it("law: what it allows takes traffic only where evidence speaks for it, outside of a panic", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation, asked: move }) => {
        const { proposal, rules } = decide(situation, move);
        if (!proposal || ["create", "configure", "freeze", "unfreeze"].includes(proposal.kind)) return;
        if (proposal.panicFamilies.length > 0 || answerOf({ rules }, "A6").answer !== "allow") return;
        for (const region of regionsWhere(proposal.weightsBefore, proposal.weightsAfter, gains))
          expect(["good", "soft"]).toContain(situation.verdicts.find((one) => one.region === region)?.evidence);
      }),
    );
  });
});
