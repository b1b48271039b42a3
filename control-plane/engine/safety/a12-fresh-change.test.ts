import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../decide.ts";
import type { Situation } from "../model.ts";
import { arbitrarySituation } from "../testing/arbitrary-situation.ts";
import { T0 } from "../testing/evidence.ts";
import { answerOf, asked, failing, proposalOf, standing } from "../testing/rules.ts";
import { NO_CONTROLS, testControl } from "../testing/situation.ts";

describe("A12", () => {
  it("objects to what is too old, or decided on what is true no more", () => {
    const situation = failing();
    const proposal = proposalOf(situation);
    const ask = (changed: Partial<Situation>) => standing(asked(proposal, { ...situation, ...changed }));
    expect(ask({})).toEqual([]);
    expect(ask({ now: T0 + 30_000 })).toEqual([]);
    expect(ask({ now: T0 + 30_001 })).toEqual(["A12"]);
    expect(ask({ epoch: "2 B" })).toEqual(["A12"]);
    expect(ask({ configurationVersion: 2 })).toEqual(["A12"]);
    expect(ask({ controls: { ...NO_CONTROLS, drained: { r3: testControl() } } })).toEqual(["A12"]);
    expect(ask({ verdicts: situation.verdicts.map((v) => ({ ...v, outside: "mixed" as const })) })).toEqual(["A12"]);
    expect(ask({ verdicts: situation.verdicts.map((v) => ({ ...v, score: 3, since: T0, why: "other words" })) })).toEqual([]);
    expect(ask({ verdicts: [...situation.verdicts].reverse() })).toEqual([]);
  });

  it("law: what is decided now is fresh, and no longer under another epoch record", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation, asked: move }) => {
        const { proposal, rules } = decide(situation, move);
        if (!proposal) return;
        expect(answerOf({ rules }, "A12").answer).toBe("allow");
        const later = { ...situation, epoch: `${situation.epoch} and another` };
        expect(answerOf(asked(proposal, later), "A12").answer).toBe("deny");
      }),
    );
  });
});
