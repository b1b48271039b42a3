/** A17 and A18: how much automation takes away, and from whom it has just given to. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../decide.ts";
import type { Departure, Situation } from "../model.ts";
import { isReturning } from "../strategy/returning.ts";
import { arbitrarySituation } from "../testing/arbitrary-situation.ts";
import { ALONE, NO_LIMITS } from "../testing/dns.ts";
import { T0 } from "../testing/evidence.ts";
import {
  after,
  answerOf,
  ask,
  departure,
  departureOf,
  failing,
  limited,
  SANDBOX_LIMITS,
  STANDARD_LIMITS,
  standing,
} from "../testing/rules.ts";
import type { RegionChanges } from "../testing/situation.ts";
import { activeSpec, passiveSpec, request, testSituation, votesDown, World } from "../testing/situation.ts";

describe("A17", () => {
  const limits = { removedMax: 0.5, removedMs: 600_000, capacityMin: 0.5 };
  const spec = limited(limits);
  const ACCUSERS = ["r2/a", "r3/b"];
  /** Two say that r1 is down, and one outside sees it up. */
  const doubted = (): RegionChanges => ({
    verdict: "unhealthy",
    detectedAt: T0 - 5_000,
    votes: [...votesDown("r1", ACCUSERS), { vantage: "r3/a", view: "outside", vote: "up", because: "web up", suspect: false }],
  });
  const lie = departureOf({ at: T0 - 60_000, left: ["r9"], vantages: ACCUSERS });

  it("a departure from an unhealthy region that the others can carry is free", () => {
    const decision = decide(failing({ spec }), null);
    expect(answerOf(decision, "A17")).toMatchObject({
      answer: "allow",
      why: "r1 is unhealthy, and the others can take its traffic",
    });
    expect(decision.isAllowed).toBe(true);
  });

  it("is the only objection when the same vantages spoke against another region before", () => {
    const decision = decide(failing({ spec, regions: { r1: doubted() }, surroundings: { ...ALONE, departures: [lie] } }), null);
    expect(standing(decision)).toEqual(["A17"]);
    expect(answerOf(decision, "A17").why).toBe(
      "100 % of the traffic within 10 min with this move, at most 50 % without a person; r2/a, r3/b spoke against r9 as well",
    );
  });

  it.each([
    { title: "other vantages", changed: { vantages: ["r2/a", "r2/b"] }, answer: "allow" },
    { title: "some of them", changed: { vantages: ["r2/a"] }, answer: "allow" },
    { title: "against the same region", changed: { left: ["r1"] }, answer: "allow" },
    { title: "at the window's end", changed: { at: T0 - 600_000 }, answer: "allow" },
    { title: "a millisecond within it", changed: { at: T0 - 599_999 }, answer: "require-approval" },
  ])("$title: $answer", ({ changed, answer }) => {
    const departures = [{ ...lie, ...changed }];
    const regions = { r1: doubted() };
    expect(ask("A17", failing({ spec, regions, surroundings: { ...ALONE, departures } })).answer).toBe(answer);
    expect(ask("A17", failing({ spec, regions, traffic: after(departures) })).answer).toBe(answer);
  });

  it("what nobody contradicts is no lie of a few: the whole outside may see two regions die", () => {
    expect(ask("A17", failing({ spec, surroundings: { ...ALONE, departures: [lie] } })).answer).toBe("allow");
  });

  it("the most that can be declared is no limit, and is told as none", () => {
    const situation = failing({
      spec: limited({ ...limits, removedMax: 20 }),
      regions: { r1: doubted() },
      traffic: after([lie]),
    });
    expect(ask("A17", situation)).toMatchObject({ answer: "allow", why: "no limit is declared on what automation takes away" });
  });

  it("nobody's word is nobody's lie: without votes there is nothing to compare", () => {
    const regions = { r1: { verdict: "unhealthy" } } as const;
    const departures = [departure({ at: T0 - 1_000, left: ["r9"], vantages: [] })];
    expect(ask("A17", failing({ spec, regions, traffic: after(departures) })).answer).toBe("allow");
  });

  it("a little of the traffic is allowed all the same", () => {
    const spread = limited({ ...limits, removedMax: 0.5 }, activeSpec({ panicBelow: 0 }));
    const regions = { r3: { verdict: "unhealthy", votes: votesDown("r3", ACCUSERS) }, r1: {} } as const;
    const situation = testSituation({ spec: spread, regions, surroundings: { ...ALONE, departures: [lie] } });
    expect(ask("A17", situation)).toMatchObject({ answer: "allow", why: expect.stringMatching(/^20 % of the traffic/) });
  });

  const voluntary = (moved: number, count: number): readonly Departure[] =>
    Array.from({ length: count }, (_, n) => departure({ at: T0 - 500_000 + n, left: [], vantages: [], moved }));
  it.each([
    { title: "to the limit", moved: 0.1, answer: "allow" },
    { title: "beyond it", moved: 0.11, answer: "require-approval" },
  ])("voluntary moves add up $title: $answer", ({ moved, answer }) => {
    const spread = limited(limits, activeSpec());
    const situation = testSituation({
      spec: spread,
      written: { default: { r1: 6, r2: 3, r3: 1 } },
      traffic: { ...after(voluntary(moved, 4), spread), shares: { default: { r1: 0.6, r2: 0.3, r3: 0.1 } } },
    });
    const ruling = ask("A17", situation);
    expect(ruling.answer).toBe(answer);
    if (answer !== "allow") expect(ruling.until).toBe(T0 + 100_000);
  });

  it.each([
    { profile: "standard", limits: STANDARD_LIMITS, objections: ["A17"] },
    { profile: "sandbox", limits: SANDBOX_LIMITS, objections: [] },
  ])("the switch away from a degraded region that still serves, in $profile: $objections", ({ limits, objections }) => {
    const regions = { r1: { verdict: "degraded", factor: 0.5, score: 50, evidence: "soft" } } as const;
    const decision = decide(testSituation({ spec: limited(limits), regions }), null);
    expect(decision.proposal?.leaves).toEqual(["r1"]);
    expect(standing(decision)).toEqual(objections);
  });

  it("holds no operator, and has no say without limits", () => {
    const situation = failing({ spec, regions: { r1: doubted() }, traffic: after([lie]) });
    const decision = decide(situation, request({ kind: "failover", to: "r2" }));
    expect(answerOf(decision, "A17")).toMatchObject({ answer: "require-approval", skipped: true });
    expect(decision.isAllowed).toBe(true);
    expect(decide({ ...situation, spec: { ...spec, safety: NO_LIMITS } }, null).isAllowed).toBe(true);
  });

  it("law: what nobody moved before and the others can carry leaves an unhealthy region freely", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation }) => {
        const calm = {
          ...situation,
          traffic: { ...situation.traffic, departures: [] },
          surroundings: { ...situation.surroundings, departures: [] },
        };
        const { proposal, rules } = decide(calm, null);
        if (proposal?.kind !== "failover" || answerOf({ rules }, "A3").answer !== "allow") return;
        const verdicts = proposal.leaves.map((region) => situation.health[region]?.verdict);
        if (!verdicts.includes("unhealthy") || verdicts.includes("degraded")) return;
        expect(answerOf({ rules }, "A17").answer).toBe("allow");
      }),
    );
  });
});

describe("A18", () => {
  const spec = limited({ receivedMs: 600_000 });
  /** Automation moved r2's traffic to r1 65 s ago; r1 turned bad 5 s ago. */
  const overrun = (changed: Partial<Departure> = {}, situation: Partial<Situation> = {}): Situation =>
    failing({ spec, traffic: after([departure({ at: T0 - 65_000, ...changed })]), ...situation });

  it("is the only objection, says so, and offers the way back", () => {
    const decision = decide(overrun(), null);
    expect(standing(decision)).toEqual(["A18"]);
    expect(answerOf(decision, "A18")).toMatchObject({ answer: "require-approval" });
    expect(answerOf(decision, "A18").why).toMatch(
      /^r1 turned bad 60 s after it received traffic from r2 at \d\d:\d\d:\d\dZ and may be dying of it: automation moves that traffic no further by itself; a person may approve it, or return the traffic to r2$/,
    );
    expect(answerOf(decision, "A18").until).toBeUndefined();
  });

  it("a person may let it go on", () => {
    const situation = overrun();
    const { proposal, asks } = decide(situation, null);
    expect(asks).toEqual(["A18"]);
    if (!proposal) throw new Error("nothing is proposed");
    const approved = { question: proposal.question, weights: proposal.weightsAfter, asks, by: "ann", reason: "r2 can carry it" };
    expect(decide({ ...situation, approved }, null)).toMatchObject({ isAllowed: true });
  });

  it("a crumb of voluntary traffic holds no true failover, not even for a moment", () => {
    const world = new World({ spec: limited(STANDARD_LIMITS, activeSpec()) });
    world.run(60_000);
    world.set("r3", "degraded", { factor: 0.8, score: 72, evidence: "soft" }).run(180_000);
    expect(world.made.length).toBeGreaterThan(0);
    const made = world.made.length;
    world.set("r1", "unhealthy", { outside: "down", votes: votesDown("r1", ["r2/a", "r2/b", "r3/a", "r3/b"]) });
    world.run(10_000, 5_000);
    expect(world.made.slice(made).map(({ kind }) => kind)).toEqual(["failover"]);
    expect(world.weights.r1).toBe(0);
  });

  it.each([
    { title: "at the end of the window", changed: { at: T0 - 605_000 }, answer: "require-approval" },
    { title: "a millisecond after it", changed: { at: T0 - 605_001 }, answer: "allow" },
    { title: "at the moment of the move", changed: { at: T0 - 5_000 }, answer: "require-approval" },
    { title: "failing before the move", changed: { at: T0 - 4_999 }, answer: "allow" },
    { title: "another region received it", changed: { received: ["r3"] }, answer: "allow" },
    { title: "a voluntary move brought it", changed: { left: [] }, answer: "allow" },
  ])("$title: $answer", ({ changed, answer }) => {
    expect(ask("A18", overrun(changed)).answer).toBe(answer);
  });

  it("a return that is given up is exempt: it puts back what was just taken", () => {
    const ramp = {
      startedAt: T0 - 60_000,
      steppedAt: T0 - 1_000,
      step: 1,
      steps: 4,
      startedBy: { kind: "automation", name: "regent" },
    } as const;
    const traffic = {
      ...after([departure({ at: T0 - 65_000 })]),
      passive: { default: { active: "r2", returning: { region: "r1", ramp } } },
      shares: { default: { r1: 0.25, r2: 0.75, r3: 0 } },
    };
    const decision = decide(failing({ spec, traffic, written: { default: { r1: 1, r2: 3, r3: 0 } } }), null);
    expect(decision.proposal?.leaves).toEqual(["r1"]);
    expect(decision.isAllowed).toBe(true);
  });

  it("is off without a time, short in the sandbox, and holds no operator", () => {
    expect(decide(overrun({}, { spec: limited({ receivedMs: 0 }) }), null).isAllowed).toBe(true);
    expect(ask("A18", overrun({}, { spec: limited(SANDBOX_LIMITS) })).answer).toBe("allow");
    expect(ask("A18", overrun({ at: T0 - 15_000 }, { spec: limited(SANDBOX_LIMITS) })).answer).toBe("require-approval");
    const decision = decide(overrun(), request({ kind: "failover", to: "r2" }));
    expect(answerOf(decision, "A18")).toMatchObject({ answer: "require-approval", skipped: true });
    expect(decision.isAllowed).toBe(true);
  });

  it("law: automation never empties a region that turned bad of what it was just given by itself", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation }) => {
        const { proposal, isAllowed } = decide({ ...situation, approved: null }, null);
        if (!isAllowed || proposal?.kind !== "failover" || proposal.actor.kind !== "automation") return;
        const { receivedMs } = situation.spec.safety;
        if (receivedMs === 0) return;
        for (const region of proposal.leaves) {
          const health = situation.health[region]!;
          if (health.verdict !== "unhealthy" || health.detectedAt === null || isReturning(situation.traffic, region)) continue;
          for (const { at, left, received } of situation.traffic.departures)
            if (left.length > 0 && received.includes(region) && at <= health.detectedAt)
              expect(health.detectedAt - at).toBeGreaterThan(receivedMs);
        }
      }),
    );
  });

  it("a service that spreads its traffic is bound too", () => {
    const spread = limited({ receivedMs: 600_000 }, passiveSpec({ trickle: 0.1 }));
    const traffic = after([departure({ at: T0 - 65_000 })], spread);
    expect(ask("A18", failing({ spec: spread, traffic })).answer).toBe("require-approval");
  });
});
