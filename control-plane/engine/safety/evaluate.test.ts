/** Who may skip what: break-glass by name, a person's approval, and nobody. */
import type { RuleId } from "@regent/contract";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../decide.ts";
import type { Approved, Decision, Proposal, Situation } from "../model.ts";
import { arbitrarySituation } from "../testing/arbitrary-situation.ts";
import { ALONE, NO_LIMITS } from "../testing/dns.ts";
import { T0 } from "../testing/evidence.ts";
import { after, answerOf, asked, departure, failing, limited, proposalOf, standing } from "../testing/rules.ts";
import { activeSpec, NO_CONTROLS, request, testControl, testSituation } from "../testing/situation.ts";
import { objections, RULES } from "./evaluate.ts";

const IDS = ["A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "A10", "A11", "A12", "A13", "A14", "A15", "A16", "A17", "A18"];
const BREAKABLE: readonly RuleId[] = ["A1", "A3", "A5", "A6", "A7", "A14"];
/** What an operator names by hand, of rules that were there before limits were. */
const UNLIMITED: readonly string[] = ["A1", "A2", "A4", "A5", "A6", "A7", "A8", "A12", "A13", "A14"];
const toR2 = { kind: "failover", to: "r2" } as const;

const approve = ({ proposal, asks }: Decision, changed: Partial<Approved> = {}): Approved => {
  if (!proposal) throw new Error("nothing to approve");
  return { question: proposal.question, weights: proposal.weightsAfter, asks, by: "ann", reason: "I see it too", ...changed };
};

describe("who is bound", () => {
  it("is what the design says", () => {
    const bound = (binds: string) => RULES.filter((rule) => rule.binds === binds).map(({ id }) => id);
    expect(bound("everyone")).toEqual(["A2", "A12", "A13"]);
    expect(bound("break-glass")).toEqual(BREAKABLE);
    expect(bound("automation")).toEqual(["A4", "A8", "A9", "A10", "A11", "A15", "A16", "A17", "A18"]);
  });

  it("break-glass by name skips that rule and no other", () => {
    // Two objections: r2 is unknown (A6), and the family would serve from one region (A1).
    const spec = { ...activeSpec(), regionsMin: 2 };
    const situation = testSituation({ spec, regions: { r2: { verdict: "unknown" } } });
    const ask = (breakGlass: readonly RuleId[]) => decide(situation, request(toR2, { breakGlass }));
    expect(standing(ask([]))).toEqual(["A1", "A6"]);
    expect(standing(ask(["A1"]))).toEqual(["A6"]);
    expect(standing(ask(["A6"]))).toEqual(["A1"]);
    expect(ask(["A1", "A6"]).isAllowed).toBe(true);
    expect(answerOf(ask(["A1", "A6"]), "A6")).toMatchObject({ answer: "deny", skipped: true });
  });

  it("a freeze and a cool-down bind automation only", () => {
    const frozen = { ...NO_CONTROLS, frozen: testControl(), frozenRegions: { r2: testControl() } };
    const traffic = { ...testSituation().traffic, lastAutomaticFailoverAt: T0 - 10_000 };
    const situation = failing({ controls: frozen, modeWritten: "frozen", traffic });
    expect(standing(decide(situation, null))).toEqual(["A4", "A8"]);
    expect(decide(situation, request(toR2)).isAllowed).toBe(true);
  });

  it("nobody skips A2, A12 and A13, whatever they name", () => {
    const everything = RULES.map(({ id }) => id);
    const all = request(toR2, { breakGlass: everything });
    for (const changed of [{ isChangeInFlight: true }, { blockedBy: "somebody else's" }])
      expect(standing(decide(testSituation(changed), all))).toEqual(["A13"]);
    const proposal: Proposal = { ...proposalOf(failing()), actor: { kind: "operator", name: "ann" }, breakGlass: everything };
    expect(standing(asked(proposal, { ...failing(), now: T0 + 40_000 }))).toEqual(["A12"]);
    const empty = { ...proposal, weightsAfter: { default: { r1: 0, r2: 0, r3: 0 } } };
    expect(standing(asked(empty, failing()))).toEqual(["A2"]);
  });
});

describe("a person's approval", () => {
  /** A9 asks: the hour's budget is spent. */
  const spent = (changed: Partial<Situation> = {}): Situation =>
    failing({ spec: limited({ failoversPerHour: 1 }), traffic: after([departure({ at: T0 - 1_800_000 })]), ...changed });

  it("is asked for where nothing else lacks, and lets exactly that through", () => {
    const situation = spent();
    const refused = decide(situation, null);
    expect(refused).toMatchObject({ isAllowed: false, asks: ["A9"] });
    const decision = decide({ ...situation, approved: approve(refused) }, null);
    expect(decision).toMatchObject({ isAllowed: true, asks: [] });
    expect(decision.proposal?.reason).toBeNull();
    expect(decision.proposal?.actor.kind).toBe("automation");
    expect(decision.sentence).toBe(`${refused.proposal?.why}; approved by ann: I see it too`);
    expect(answerOf(decision, "A9")).toMatchObject({ answer: "require-approval", skipped: true });
  });

  it("of something else lets nothing through", () => {
    const situation = spent();
    const refused = decide(situation, null);
    const others = [{ question: "another" }, { weights: { default: { r1: 0, r2: 0, r3: 255 } } }, { weights: {} }];
    for (const changed of [...others, { weights: { ...refused.proposal!.weightsAfter, more: { r1: 1 } } }])
      expect(decide({ ...situation, approved: approve(refused, changed) }, null).isAllowed).toBe(false);
  });

  it("doesn't speak where nobody asked", () => {
    const situation = failing();
    const decision = decide({ ...situation, approved: approve(decide(situation, null)) }, null);
    expect(decision.sentence).toBe(decision.proposal?.why);
  });

  it("is what the mode `approve` waits for, and what `advisory` doesn't listen to", () => {
    const inMode = (mode: "approve" | "advisory") => failing({ spec: { ...limited({}), mode } });
    const waiting = decide(inMode("approve"), null);
    expect(waiting).toMatchObject({ isAllowed: false, asks: ["mode"] });
    const agreed = decide({ ...inMode("approve"), approved: approve(waiting) }, null);
    expect(agreed.isAllowed).toBe(true);
    expect(agreed.sentence).toContain("; approved by ann: I see it too");
    expect(decide({ ...inMode("advisory"), approved: approve(waiting) }, null)).toMatchObject({ isAllowed: false, asks: [] });
  });

  it("isn't asked for where a rule refuses", () => {
    expect(decide(spent({ isChangeInFlight: true }), null).asks).toEqual([]);
  });

  it("law: what asks is allowed, or led, exactly when basis and weights are the same", () => {
    fc.assert(
      fc.property(arbitrarySituation, fc.constantFrom("same", "basis", "weights"), ({ situation }, what) => {
        const refused = decide({ ...situation, approved: null }, null);
        if (refused.asks.length === 0) return;
        const [family = ""] = Object.keys(refused.proposal!.weightsAfter);
        const changed =
          what === "basis"
            ? { question: `${refused.proposal!.question} ` }
            : what === "weights"
              ? { weights: { ...refused.proposal!.weightsAfter, [family]: { x: 1 } } }
              : {};
        const decision = decide({ ...situation, approved: approve(refused, changed) }, null);
        // Where the role must be led there first, that is what they agreed to.
        expect(decision.isAllowed || decision.transfer !== null).toBe(what === "same");
      }),
    );
  });
});

describe("laws", () => {
  it("every rule answers every proposal, with a sentence, and what is clear has no standing objection", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation, asked: move }) => {
        const { proposal, rules } = decide(situation, move);
        if (!proposal) return;
        expect(rules.map(({ rule }) => rule)).toEqual(IDS);
        for (const { why } of rules) expect(why.length).toBeGreaterThan(5);
        expect(objections(rules).length === 0).toBe(standing({ rules }).length === 0);
      }),
    );
  });

  it("break-glass only ever removes the objections that it names", () => {
    const named = fc.subarray(RULES.map(({ id }) => id));
    fc.assert(
      fc.property(arbitrarySituation, named, ({ situation, asked: move }, breakGlass) => {
        fc.pre(move !== null);
        const plain = standing(decide(situation, { ...move, breakGlass: [] }));
        const broken = standing(decide(situation, { ...move, breakGlass }));
        expect(broken).toEqual(plain.filter((rule) => !(breakGlass.includes(rule) && BREAKABLE.includes(rule))));
      }),
    );
  });

  it("without limits only the rules that count nothing ever object, whatever happened elsewhere", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation, asked: move }) => {
        const spec = { ...situation.spec, safety: NO_LIMITS };
        const calm = {
          ...situation,
          spec,
          surroundings: ALONE,
          approved: null,
          traffic: { ...situation.traffic, departures: [] },
        };
        const busy = { ...situation, spec, approved: null };
        const decision = decide(busy, move);
        for (const { rule, answer } of decision.rules) if (answer !== "allow") expect(UNLIMITED).toContain(rule);
        const quiet = decide(calm, move);
        expect(decision.isAllowed).toBe(quiet.isAllowed);
        expect(decision.sentence).toBe(quiet.sentence);
        expect(decision.proposal?.weightsAfter).toEqual(quiet.proposal?.weightsAfter);
      }),
    );
  });

  it("limits only ever hold back: what they allow of a departure is what would go without them", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation }) => {
        const limitedDecision = decide({ ...situation, approved: null }, null);
        const free = decide({ ...situation, approved: null, spec: { ...situation.spec, safety: NO_LIMITS } }, null);
        if (limitedDecision.isAllowed && limitedDecision.proposal?.kind === free.proposal?.kind)
          expect(free.isAllowed).toBe(true);
        if (limitedDecision.proposal?.kind === "failover")
          expect(limitedDecision.proposal.weightsAfter).toEqual(free.proposal?.weightsAfter);
      }),
    );
  });
});
