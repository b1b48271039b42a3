import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../decide.ts";
import { arbitrarySituation } from "../testing/arbitrary-situation.ts";
import { T0 } from "../testing/evidence.ts";
import { answerOf, failing, standing } from "../testing/rules.ts";
import { request, testSituation } from "../testing/situation.ts";

describe("A8", () => {
  const moved = { ...testSituation().traffic, lastAutomaticFailoverAt: T0 - 10_000 };

  it("is the only objection soon after a move", () => {
    const traffic = { ...testSituation().traffic, lastAutomaticFailoverAt: T0 - 100_000 };
    const decision = decide(failing({ traffic }), null);
    expect(standing(decision)).toEqual(["A8"]);
    expect(answerOf(decision, "A8").why).toBe("last automatic failover 100 s ago, cool-down 5 min");
    expect(decision.isAllowed).toBe(false);
  });

  it("says until when", () => {
    const decision = decide(failing({ traffic: moved }), null);
    expect(answerOf(decision, "A8")).toMatchObject({ answer: "defer", until: T0 + 290_000 });
    expect(decision.nextLookAt).toBe(T0 + 290_000);
    expect(decide(failing({ traffic: moved, now: T0 + 290_000 }), null).isAllowed).toBe(true);
  });

  it.each([
    { title: "failures that began before the last move are a chained death", detectedAt: T0 - 10_001, isAllowed: true },
    { title: "failures that began at the move are not", detectedAt: T0 - 10_000, isAllowed: false },
    { title: "nor those that began after it", detectedAt: T0 - 5_000, isAllowed: false },
    { title: "nor those of unknown age", detectedAt: null, isAllowed: false },
  ])("$title", ({ detectedAt, isAllowed }) => {
    const situation = failing({ traffic: moved, regions: { r1: { verdict: "unhealthy", detectedAt } } });
    expect(decide(situation, null).isAllowed).toBe(isAllowed);
  });

  it("isn't asked of operators, whose moves don't start it either", () => {
    const decision = decide(failing({ traffic: moved }), request({ kind: "failover", to: "r2" }));
    expect(decision.isAllowed).toBe(true);
    expect(decision.trafficAfter.lastAutomaticFailoverAt).toBe(T0 - 10_000);
  });

  it("law: after the cool-down it never objects", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation, asked }) => {
        const lastAutomaticFailoverAt = situation.now - situation.spec.settings.cooldownMs;
        const { rules } = decide({ ...situation, traffic: { ...situation.traffic, lastAutomaticFailoverAt } }, asked);
        if (rules.length > 0) expect(answerOf({ rules }, "A8").answer).toBe("allow");
      }),
    );
  });
});
