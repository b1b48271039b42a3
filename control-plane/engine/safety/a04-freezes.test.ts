import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../decide.ts";
import type { Situation } from "../model.ts";
import { arbitrarySituation } from "../testing/arbitrary-situation.ts";
import { answerOf, failing, standing } from "../testing/rules.ts";
import { activeSpec, NO_CONTROLS, request, testControl, testGlobalFreeze, testSituation } from "../testing/situation.ts";

describe("A4", () => {
  const cases: readonly { readonly situation: Situation; readonly why: string }[] = [
    {
      situation: failing({ controls: { ...NO_CONTROLS, frozen: testControl() }, modeWritten: "frozen" }),
      why: "shop is frozen by ann: a test",
    },
    {
      situation: failing({ controls: { ...NO_CONTROLS, frozenGlobally: testGlobalFreeze() }, modeWritten: "frozen" }),
      why: "everything is frozen by ann: a test",
    },
    {
      situation: failing({ controls: { ...NO_CONTROLS, frozenRegions: { r2: testControl() } } }),
      why: "r2 is frozen by ann: a test",
    },
    {
      situation: testSituation({
        spec: activeSpec({ panicBelow: 0 }),
        controls: { ...NO_CONTROLS, frozenRegions: { r2: testControl() } },
        // r2 loses a part and keeps the rest: that is a move of it too.
        regions: { r2: { verdict: "degraded", factor: 0.5 } },
      }),
      why: "r2 is frozen by ann: a test",
    },
  ];
  it.each(cases)("is the only objection: $why", ({ situation, why }) => {
    const decision = decide(situation, null);
    expect(standing(decision)).toEqual(["A4"]);
    expect(answerOf(decision, "A4").why).toBe(why);
    expect(decision.isAllowed).toBe(false);
    expect(decision.sentence).toContain(`held back by A4 (${why})`);
    expect(decision.trafficNow).toEqual(situation.traffic);
    expect(decide(situation, request({ kind: "failover", to: "r2" })).isAllowed).toBe(true);
  });

  it("a region that is frozen and not touched holds nobody", () => {
    expect(decide(failing({ controls: { ...NO_CONTROLS, frozenRegions: { r3: testControl() } } }), null).isAllowed).toBe(true);
  });

  it("law: nothing that automation does moves a weight while everything is frozen", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation }) => {
        const controls = { ...situation.controls, frozenGlobally: testGlobalFreeze() };
        const { proposal, isAllowed } = decide({ ...situation, controls }, null);
        if (!isAllowed || !proposal || proposal.actor.kind === "operator") return;
        expect(["configure", "freeze"]).toContain(proposal.kind);
        expect(proposal.leaves).toEqual([]);
      }),
    );
  });
});
