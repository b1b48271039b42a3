/** A13 and A14: who else writes, and what they wrote. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../decide.ts";
import { arbitrarySituation } from "../testing/arbitrary-situation.ts";
import { answerOf, failing, standing } from "../testing/rules.ts";
import { NO_CONTROLS, request, testControl, testSituation } from "../testing/situation.ts";

const toR2 = request({ kind: "failover", to: "r2" });
const DRIFT = "r1 has weight 3 in DNS";

describe("A13", () => {
  it.each([
    { changed: { isChangeInFlight: true }, why: "the last change is not settled yet" },
    { changed: { blockedBy: "the epoch record is of bob" }, why: "the epoch record is of bob" },
  ])("is the only objection: $why", ({ changed, why }) => {
    const decision = decide(failing(changed), null);
    expect(standing(decision)).toEqual(["A13"]);
    expect(answerOf(decision, "A13").why).toBe(why);
    expect(decision.sentence).toContain(`held back by A13 (${why})`);
    expect(standing(decide(testSituation(changed), { ...toR2, breakGlass: ["A13"] }))).toEqual(["A13"]);
  });

  it("a restored database writes nothing by itself: no failover, no freeze, no first write, nothing that was asked for before", () => {
    const frozenGlobally = { ...testControl({ reason: "the database is older than DNS" }), cause: "restored" as const };
    const held = { ...NO_CONTROLS, frozenGlobally };
    const cases = [
      failing({ controls: held }),
      testSituation({ controls: { ...held, placement: { ...testControl(), region: "r2" } } }),
      testSituation({ controls: { ...held, drained: { r1: testControl() } } }),
      testSituation({ controls: { ...held, frozen: testControl() } }),
      testSituation({ controls: held, modeWritten: "frozen" }),
      testSituation({ controls: held, areRecordsOutdated: true }),
      testSituation({ controls: held, written: null }),
    ];
    for (const situation of cases) {
      const { proposal, rules, isAllowed } = decide(situation, null);
      expect(proposal).not.toBeNull();
      expect(isAllowed).toBe(false);
      expect(answerOf({ rules }, "A13").why).toBe("the database is older than DNS");
    }
    expect(decide(failing({ controls: held }), toR2).isAllowed).toBe(true);
  });

  it("law: nothing is ever allowed while a change is open or somebody else owns the name", () => {
    fc.assert(
      fc.property(arbitrarySituation, fc.boolean(), ({ situation, asked }, isForeign) => {
        const changed = isForeign ? { blockedBy: "foreign" } : { isChangeInFlight: true };
        expect(decide({ ...situation, ...changed }, asked).isAllowed).toBe(false);
      }),
    );
  });
});

describe("A14", () => {
  it("is the only objection of automation, whose freeze waits too", () => {
    const decision = decide(failing({ drift: DRIFT }), null);
    expect(standing(decision)).toEqual(["A14"]);
    expect(answerOf(decision, "A14")).toMatchObject({ answer: "deny", why: DRIFT });
    expect(decision.asks).toEqual([]);
    const situation = testSituation({ drift: DRIFT, controls: { ...NO_CONTROLS, frozen: testControl() } });
    expect(standing(decide(situation, null))).toEqual(["A14"]);
  });

  it("an operator's move passes, and says what it replaces", () => {
    const decision = decide(testSituation({ drift: DRIFT }), toR2);
    expect(decision.isAllowed).toBe(true);
    expect(answerOf(decision, "A14")).toMatchObject({ answer: "allow", why: `replaces what somebody else wrote: ${DRIFT}` });
  });

  it("what an operator asked for before it waits: only asking again replaces somebody else's edit", () => {
    const placement = { ...testControl(), region: "r2" };
    const situation = testSituation({ controls: { ...NO_CONTROLS, placement } });
    expect(decide(situation, null).isAllowed).toBe(true);
    expect(standing(decide({ ...situation, drift: DRIFT }, null))).toEqual(["A14"]);
  });

  it("no approval skips it", () => {
    const situation = failing({ drift: DRIFT });
    const { proposal } = decide(situation, null);
    const approved = {
      question: proposal!.question,
      weights: proposal!.weightsAfter,
      asks: ["A9" as const],
      by: "ann",
      reason: "go",
    };
    expect(standing(decide({ ...situation, approved }, null))).toEqual(["A14"]);
  });

  it("law: it objects to all that automation does about an edit without a policy, and to nothing without one", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation, asked }) => {
        const calm = decide(situation, asked);
        if (calm.proposal) expect(answerOf(calm, "A14").answer).toBe("allow");
        const { proposal, rules, isAllowed } = decide({ ...situation, drift: DRIFT }, asked);
        if (!proposal) return;
        expect(answerOf({ rules }, "A14").answer).toBe(asked === null ? "deny" : "allow");
        if (asked === null) expect(isAllowed).toBe(false);
      }),
    );
  });
});
