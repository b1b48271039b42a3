import type { RuleId } from "@regent/contract";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../decide.ts";
import type { Decision, Proposal, Situation } from "../model.ts";
import { arbitrarySituation } from "../testing/arbitrary-situation.ts";
import { T0 } from "../testing/evidence.ts";
import type { SituationInput } from "../testing/situation.ts";
import {
  activeSpec,
  NO_CONTROLS,
  passiveSpec,
  request,
  testControl,
  testGlobalFreeze,
  testSituation,
} from "../testing/situation.ts";
import { evaluate, objections, RULES } from "./evaluate.ts";

/** r1 is dead and r2 should take its traffic, unless the input says otherwise. */
const failing = (input: SituationInput = {}): Situation =>
  testSituation({ ...input, regions: { r1: { verdict: "unhealthy", detectedAt: T0 - 5_000 }, ...input.regions } });

const standing = ({ rules }: Pick<Decision, "rules">): readonly string[] =>
  rules.filter(({ answer, skipped }) => answer !== "allow" && !skipped).map(({ rule }) => rule);

const answerOf = ({ rules }: Pick<Decision, "rules">, id: RuleId) => rules.find(({ rule }) => rule === id);

describe("one proposal per rule where it is the only objection", () => {
  const active = activeSpec({ panicBelow: 0 });
  const cases: readonly { readonly rule: RuleId; readonly situation: Situation; readonly why: string }[] = [
    {
      rule: "A1",
      situation: testSituation({ spec: { ...active, regionsMin: 3 }, regions: { r3: { verdict: "unhealthy" } } }),
      why: "default would serve from 2 of 3 regions, at least 3 must stay",
    },
    {
      rule: "A2",
      situation: failing({
        spec: {
          ...passiveSpec(),
          types: ["A", "AAAA"],
          endpoints: passiveSpec().endpoints.map((one) =>
            one.region === "r1" ? { ...one, answers: { ...one.answers, AAAA: ["2001:db8::1"] } } : one,
          ),
        },
      }),
      why: "shop.example.com AAAA would have 1 members with a weight sum of 0",
    },
    {
      rule: "A4",
      situation: failing({ controls: { ...NO_CONTROLS, frozen: testControl() }, modeWritten: "frozen" }),
      why: "shop is frozen by ann: a test",
    },
    {
      rule: "A4",
      situation: failing({ controls: { ...NO_CONTROLS, frozenGlobally: testGlobalFreeze() }, modeWritten: "frozen" }),
      why: "everything is frozen by ann: a test",
    },
    {
      rule: "A4",
      situation: failing({ controls: { ...NO_CONTROLS, frozenRegions: { r2: testControl() } } }),
      why: "r2 is frozen by ann: a test",
    },
    {
      rule: "A4",
      situation: testSituation({
        spec: active,
        controls: { ...NO_CONTROLS, frozenRegions: { r2: testControl() } },
        // r2 loses a part and keeps the rest: that is a move of it too.
        regions: { r2: { verdict: "degraded", factor: 0.5 } },
      }),
      why: "r2 is frozen by ann: a test",
    },
    {
      rule: "A8",
      situation: failing({ traffic: { ...testSituation().traffic, lastAutomaticFailoverAt: T0 - 100_000 } }),
      why: "last automatic failover 100 s ago, cool-down 5 min",
    },
    { rule: "A13", situation: failing({ isChangeInFlight: true }), why: "the last change is not settled yet" },
    { rule: "A13", situation: failing({ blockedBy: "the epoch record is of bob" }), why: "the epoch record is of bob" },
    { rule: "A13", situation: failing({ drift: "r1 has weight 3 in DNS" }), why: "r1 has weight 3 in DNS" },
  ];
  it.each(cases.map((one) => ({ ...one, title: `${one.rule}: ${one.why}` })))("$title", ({ rule, situation, why }) => {
    const decision = decide(situation, null);
    expect(standing(decision)).toEqual([rule]);
    expect(answerOf(decision, rule)?.why).toBe(why);
    expect(decision.isAllowed).toBe(false);
    expect(decision.sentence).toContain(`held back by ${rule} (${why})`);
    // Traffic's memory changes only with the traffic.
    expect(decision.trafficNow).toEqual(situation.traffic);
  });

  it("A6: an operator asks for a region that nobody vouches for", () => {
    for (const verdict of ["unhealthy", "recovering", "unknown", "maintenance"] as const) {
      const decision = decide(testSituation({ regions: { r2: { verdict } } }), request({ kind: "failover", to: "r2" }));
      expect(standing(decision)).toEqual(["A6"]);
    }
    for (const evidence of ["bad", "unknown"] as const) {
      const decision = decide(testSituation({ regions: { r2: { evidence } } }), request({ kind: "failover", to: "r2" }));
      expect(standing(decision)).toEqual(["A6"]);
    }
    const soft = decide(testSituation({ regions: { r2: { evidence: "soft" } } }), request({ kind: "failover", to: "r2" }));
    expect(soft.isAllowed).toBe(true);
  });

  it("A6: a share that begins is a gain, however small", () => {
    const situation = testSituation({ regions: { r2: { verdict: "unknown" } } });
    const weightsAfter = { default: { r1: 255, r2: 1, r3: 0 } };
    const proposal: Proposal = { ...proposalOf(failing()), gains: ["r2"], weightsAfter };
    expect(standing({ rules: evaluate({ proposal, situation }).answers })).toContain("A6");
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

  it("A12: too old, or decided on what is true no more", () => {
    const situation = failing();
    const proposal = proposalOf(situation);
    const ask = (changed: Partial<Situation>) =>
      standing({ rules: evaluate({ proposal, situation: { ...situation, ...changed } }).answers });
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
});

const proposalOf = (situation: Situation): Proposal => {
  const { proposal } = decide(situation, null);
  if (!proposal) throw new Error("nothing is proposed");
  return proposal;
};

describe("A1", () => {
  it.each([
    { title: "a family that serves too few may still move", regionsMin: 2, dead: ["r1"], isAllowed: true },
    { title: "one region is enough by default", regionsMin: 1, dead: ["r1"], isAllowed: true },
  ])("$title", ({ regionsMin, dead, isAllowed }) => {
    const spec = passiveSpec({}, { regionsMin });
    const regions = Object.fromEntries(dead.map((region) => [region, { verdict: "unhealthy" as const }]));
    expect(decide(testSituation({ spec, regions }), null).isAllowed).toBe(isAllowed);
  });
});

describe("A8", () => {
  const moved = { ...testSituation().traffic, lastAutomaticFailoverAt: T0 - 10_000 };

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
});

describe("who may skip what", () => {
  const everything = RULES.map(({ id }) => id);

  it("break-glass by name skips that rule and no other", () => {
    // Two objections: r2 is unknown (A6), and the family would serve from one region (A1).
    const spec = { ...activeSpec(), regionsMin: 2 };
    const situation = testSituation({ spec, regions: { r2: { verdict: "unknown" } } });
    const ask = (breakGlass: readonly RuleId[]) => decide(situation, request({ kind: "failover", to: "r2" }, { breakGlass }));
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
    expect(decide(situation, request({ kind: "failover", to: "r2" })).isAllowed).toBe(true);
  });

  it("nobody skips A2, A12 and A13, whatever they name", () => {
    const asked = request({ kind: "failover", to: "r2" }, { breakGlass: everything });
    for (const changed of [{ isChangeInFlight: true }, { blockedBy: "somebody else's" }])
      expect(standing(decide(testSituation(changed), asked))).toEqual(["A13"]);
    const proposal: Proposal = { ...proposalOf(failing()), actor: { kind: "operator", name: "ann" }, breakGlass: everything };
    const late = { ...failing(), now: T0 + 40_000 };
    expect(standing({ rules: evaluate({ proposal, situation: late }).answers })).toEqual(["A12"]);
    const empty = { ...proposal, weightsAfter: { default: { r1: 0, r2: 0, r3: 0 } } };
    expect(standing({ rules: evaluate({ proposal: empty, situation: failing() }).answers })).toEqual(["A2"]);
  });

  it("drift holds automation and its freeze, not an operator's move", () => {
    const situation = testSituation({ drift: "r1 has weight 3 in DNS" });
    expect(decide(situation, request({ kind: "failover", to: "r2" })).isAllowed).toBe(true);
    const frozen = decide({ ...situation, controls: { ...NO_CONTROLS, frozen: testControl() } }, null);
    expect(standing(frozen)).toEqual(["A13"]);
  });

  it("drift holds what an operator asked for before it: only asking again replaces somebody else's edit", () => {
    const placement = { ...testControl(), region: "r2" };
    const situation = testSituation({ controls: { ...NO_CONTROLS, placement } });
    expect(decide(situation, null).isAllowed).toBe(true);
    expect(standing(decide({ ...situation, drift: "r1 has weight 3 in DNS" }, null))).toEqual(["A13"]);
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
      expect(rules.find(({ rule }) => rule === "A13")?.why).toBe("the database is older than DNS");
    }
    expect(decide(failing({ controls: held }), request({ kind: "failover", to: "r2" })).isAllowed).toBe(true);
  });
});

describe("laws", () => {
  it("every rule answers every proposal, with a sentence, and what is clear has no standing objection", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation, asked }) => {
        const { proposal, rules } = decide(situation, asked);
        if (!proposal) return;
        expect(rules.map(({ rule }) => rule)).toEqual(["A1", "A2", "A4", "A6", "A8", "A12", "A13"]);
        for (const { why } of rules) expect(why.length).toBeGreaterThan(5);
        expect(objections(rules).length === 0).toBe(standing({ rules }).length === 0);
      }),
    );
  });

  it("break-glass only ever removes the objections that it names", () => {
    const named = fc.subarray(RULES.map(({ id }) => id));
    fc.assert(
      fc.property(arbitrarySituation, named, ({ situation, asked }, breakGlass) => {
        fc.pre(asked !== null);
        const plain = standing(decide(situation, { ...asked, breakGlass: [] }));
        const broken = standing(decide(situation, { ...asked, breakGlass }));
        const skippable = breakGlass.filter((rule) => rule === "A1" || rule === "A6");
        expect(broken).toEqual(plain.filter((rule) => !skippable.some((one) => one === rule)));
      }),
    );
  });

  it("A13: nothing is ever allowed while a change is open or somebody else owns the name", () => {
    fc.assert(
      fc.property(arbitrarySituation, fc.boolean(), ({ situation, asked }, isForeign) => {
        const changed = isForeign ? { blockedBy: "foreign" } : { isChangeInFlight: true };
        const decision = decide({ ...situation, ...changed }, asked);
        expect(decision.isAllowed).toBe(false);
      }),
    );
  });

  it("A4: nothing that automation does moves a weight while everything is frozen", () => {
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
