import type { Weights } from "@regent/contract";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../decide.ts";
import type { ServiceSpec, Situation } from "../model.ts";
import { arbitrarySituation } from "../testing/arbitrary-situation.ts";
import { NO_LIMITS } from "../testing/dns.ts";
import { answerOf, ask, asked, failing, limited, proposalOf, STANDARD_LIMITS, standing } from "../testing/rules.ts";
import type { RegionChanges } from "../testing/situation.ts";
import { activeSpec, passiveSpec, request, roundRobinSpec, testSituation, votesDown } from "../testing/situation.ts";

/** Every endpoint of the same capacity, as a declaration is that says nothing of it. */
const even = (spec: ServiceSpec): ServiceSpec =>
  limited({ capacityMin: 0.5 }, { ...spec, endpoints: spec.endpoints.map((one) => ({ ...one, capacity: 1, headroom: 1.4 })) });

const strategies = [
  { strategy: "active-passive", make: passiveSpec },
  { strategy: "active-active", make: activeSpec },
  { strategy: "round-robin", make: roundRobinSpec },
] as const;

const DEAD = { verdict: "unhealthy", outside: "down" } as const satisfies RegionChanges;
const GRAY = { ...DEAD, flags: ["gray"] } as const satisfies RegionChanges;

describe.each(strategies)("the default declaration, $strategy", ({ make }) => {
  it.each([{ regions: ["r1", "r2"] }, { regions: ["r1", "r2", "r3"] }])("a dead region of $regions is left", ({ regions }) => {
    const spec = { ...even(make({}, { regions: [...regions] })), safety: STANDARD_LIMITS };
    const decision = decide(failing({ spec, regions: { r1: DEAD } }), null);
    expect(decision.proposal?.leaves).toEqual(["r1"]);
    expect(decision.isAllowed).toBe(true);
  });
});

describe("A3", () => {
  const two = (strategy: object = {}) => even(activeSpec(strategy, { regions: ["r1", "r2"] }));
  const cases: readonly {
    readonly title: string;
    readonly situation: Situation;
    readonly answer: string;
    readonly why: string;
  }[] = [
    {
      title: "a dead source may overload what is left, and it is said by how much",
      situation: testSituation({ spec: two(), regions: { r1: DEAD } }),
      answer: "allow",
      why: "default: 70 % of the traffic will be served, 50 % if it stays; r2 gets 100 %, can carry 70 % and is overloaded by 42.9 %",
    },
    {
      title: "a gray source may not",
      situation: testSituation({ spec: two(), regions: { r1: GRAY } }),
      answer: "require-approval",
      why: "default: 70 % of the traffic would be served, 75 % if it stays; r2 gets 100 %, can carry 70 % and is overloaded by 42.9 %",
    },
    {
      title: "one that nobody outside gets through to is dead to its users",
      situation: testSituation({
        spec: two(),
        regions: { r1: { ...GRAY, votes: votesDown("r1", ["r2/a", "r3/b"]) } },
      }),
      answer: "allow",
      why: "default: 70 % of the traffic will be served, 50 % if it stays; r2 gets 100 %, can carry 70 % and is overloaded by 42.9 %",
    },
    {
      title: "nor where more would be served than by staying",
      situation: testSituation({ spec: even(activeSpec()), regions: { r1: GRAY } }),
      answer: "require-approval",
      why: "default: r1 may be half well and moves only as far as headroom carries; r2 gets 50 %, can carry 46.7 % and is overloaded by 7.1 %; r3 gets 50 %, can carry 46.7 % and is overloaded by 7.1 %",
    },
    {
      title: "a gray source that headroom can carry moves",
      situation: testSituation({ spec: limited({ capacityMin: 0.5 }), regions: { r1: GRAY } }),
      answer: "allow",
      why: "default: 100 % of the traffic will be served, 50 % if it stays",
    },
    {
      title: "a standby is measured by the largest region",
      situation: failing({ spec: limited({ capacityMin: 0.5 }) }),
      answer: "allow",
      why: "default: 100 % of the traffic will be served, 0 % if it stays",
    },
    {
      title: "what serves nobody isn't lost by a small standby either",
      situation: failing({
        spec: limited(
          { capacityMin: 0.5 },
          {
            ...passiveSpec(),
            endpoints: passiveSpec().endpoints.map((one, at) => ({ ...one, capacity: at === 0 ? 10 : 1 })),
            families: [{ ...passiveSpec().families[0]!, capacity: {} }],
          },
        ),
      }),
      answer: "allow",
      why: "default: 14 % of the traffic will be served, 0 % if it stays; r2 gets 100 %, can carry 14 % and is overloaded by 614.3 %",
    },
  ];
  it.each(cases)("$title", ({ situation, answer, why }) => {
    expect(ask("A3", situation)).toMatchObject({ answer, why });
  });

  it.each([
    { title: "one voice of five", up: ["r3/c"], answer: "allow" },
    { title: "two vantages of one network", up: ["r2/c", "r3/c"], answer: "allow" },
    { title: "two vantages on two networks", up: ["r2/c", "r3/d"], answer: "require-approval" },
  ])("a gray source that $title gets through to: $answer", ({ up, answer }) => {
    const through = up.map((vantage) => ({
      vantage,
      view: "outside" as const,
      vote: "up" as const,
      because: "web up",
      suspect: false,
    }));
    const votes = [...votesDown("r1", ["r2/a", "r2/b", "r3/a", "r3/b"]), ...through];
    const situation = testSituation({ spec: two(), regions: { r1: { ...GRAY, votes } } });
    expect(ask("A3", situation).answer).toBe(answer);
    const suspected = votes.map((one) => (one.vote === "up" ? { ...one, suspect: true } : one));
    expect(ask("A3", testSituation({ spec: two(), regions: { r1: { ...GRAY, votes: suspected } } })).answer).toBe("allow");
  });

  it("is the only objection to a drain that costs more than it leaves, until an operator names it", () => {
    const situation = testSituation({ spec: two() });
    const drain = { kind: "drain", region: "r1" } as const;
    const decision = decide(situation, request(drain));
    expect(standing(decision)).toEqual(["A3"]);
    expect(decision.sentence).toContain("70 % of the traffic would be served, 100 % if it stays");
    expect(decide(situation, request(drain, { breakGlass: ["A3"] })).isAllowed).toBe(true);
    expect(decide({ ...situation, spec: { ...situation.spec, safety: NO_LIMITS } }, request(drain)).isAllowed).toBe(true);
  });

  it.each([
    { capacityMin: 0.5, answer: "allow" },
    { capacityMin: 0.501, answer: "allow" },
    { capacityMin: 0.52, answer: "require-approval" },
  ])("half of the capacity serves, $capacityMin must: $answer", ({ capacityMin, answer }) => {
    // r2 and r3 hold what r1 hands over; r4 serves nobody before or after.
    const regions = ["r1", "r2", "r3", "r4"];
    const spec = limited({ capacityMin }, { ...roundRobinSpec({}, { regions }) });
    const headroom = { ...spec, endpoints: spec.endpoints.map((one) => ({ ...one, headroom: 1 })) };
    const before: Weights = { default: { r1: 1, r2: 99, r3: 100, r4: 0 } };
    const situation = testSituation({ spec: headroom, regions: { r4: { verdict: "unknown" } }, written: before });
    const proposal = { ...proposalOf(failing()), kind: "rebalance" as const, weightsBefore: before };
    const weightsAfter = { default: { r1: 0, r2: 50, r3: 50, r4: 0 } };
    expect(answerOf(asked({ ...proposal, weightsAfter }, situation), "A3").answer).toBe(answer);
  });

  it("silence never makes a move look better: who is silent counts as it was, and gains nothing by it", () => {
    const spec = two();
    const move = request({ kind: "drain", region: "r1" });
    const proposal = proposalOf(testSituation({ spec }), move);
    const silent = (regions: Readonly<Record<string, RegionChanges>>) =>
      answerOf(asked(proposal, testSituation({ spec, regions })), "A3");
    expect(silent({ r2: { verdict: "unknown", before: "healthy" } })).toMatchObject({
      answer: "require-approval",
      why: expect.stringContaining("50 % of the traffic would be served, 100 % if it stays"),
    });
    expect(silent({ r1: { verdict: "unknown", before: "unhealthy" } })).toMatchObject({
      answer: "require-approval",
      why: expect.stringContaining("70 % of the traffic would be served, 75 % if it stays"),
    });
    expect(silent({ r1: DEAD }).answer).toBe("allow");
  });

  it("counts nothing where nobody said how much a region carries", () => {
    const spec = { ...two(), isSized: false };
    const drain = request({ kind: "drain", region: "r1" });
    expect(decide(testSituation({ spec }), drain).isAllowed).toBe(true);
    expect(ask("A3", testSituation({ spec, regions: { r1: GRAY } }))).toMatchObject({
      answer: "allow",
      why: "no capacity is declared",
    });
  });

  it("a family in panic is served as its policy says", () => {
    const situation = testSituation({ spec: two({ panic: "fail-open" }) });
    const drained = proposalOf(situation, request({ kind: "drain", region: "r1" }));
    expect(answerOf(asked({ ...drained, panicFamilies: ["default"] }, situation), "A3").answer).toBe("allow");
  });

  it("law: silence of any regions never turns an objection into leave", () => {
    fc.assert(
      fc.property(arbitrarySituation, fc.integer({ min: 1, max: 31 }), ({ situation, asked: move }, mask) => {
        const { proposal, rules } = decide(situation, move);
        if (!proposal || answerOf({ rules }, "A3").answer === "allow") return;
        const isSilent = (region: string): boolean => (mask & (1 << Number(region.slice(1)))) !== 0;
        const health = Object.fromEntries(
          Object.entries(situation.health).map(([region, one]) => [
            region,
            isSilent(region) && one.verdict !== "unknown" && one.verdict !== "maintenance"
              ? { ...one, verdict: "unknown" as const, evidence: "unknown" as const, before: one.verdict }
              : one,
          ]),
        );
        expect(answerOf(asked(proposal, { ...situation, health }), "A3").answer).not.toBe("allow");
      }),
    );
  });

  it("law: without a capacity that must stay it never objects", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation, asked: move }) => {
        const safety = { ...situation.spec.safety, capacityMin: 0 };
        const { rules } = decide({ ...situation, spec: { ...situation.spec, safety } }, move);
        if (rules.length > 0) expect(answerOf({ rules }, "A3").answer).toBe("allow");
      }),
    );
  });
});
