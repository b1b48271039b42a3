import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../decide.ts";
import type { Edit, Situation } from "../model.ts";
import { activeSpec, NO_CONTROLS, passiveSpec, persist, request, testControl, testSituation } from "../testing/situation.ts";
import { meetEdit } from "./meet-edit.ts";

const of = (r1: number, r2: number, r3: number) => ({ default: { r1, r2, r3 } });
const DRIFT = "weight: r2 has weight 7; Regent wrote 0.";
const edit = (changes: Partial<Edit> = {}): Edit => ({
  policy: "report",
  weights: of(255, 7, 0),
  declared: "d",
  isKept: false,
  carried: null,
  since: 0,
  ...changes,
});
const edited = (changes: Partial<Edit> = {}, more: Partial<Situation> = {}, regions = {}): Situation => ({
  ...testSituation({ written: of(255, 0, 0), regions }),
  edit: edit(changes),
  drift: DRIFT,
  ...more,
});
const DEAD = { r1: { verdict: "unhealthy" as const } };

describe("an edit that is reported", () => {
  it("is left alone while nothing is bad: nothing is written, whatever else is due", () => {
    for (const due of [{}, { areRecordsOutdated: true }, { modeWritten: "frozen" as const }])
      expect(decide(edited({}, due), null).isAllowed).toBe(false);
    const frozen = { ...NO_CONTROLS, frozen: testControl() };
    expect(decide(edited({}, { controls: frozen }), null).isAllowed).toBe(false);
  });

  it("is moved around in an emergency: the bad region loses its weight, and says so", () => {
    const { proposal, isAllowed } = decide(edited({}, {}, DEAD), null);
    expect(isAllowed).toBe(true);
    expect(proposal).toMatchObject({
      kind: "failover",
      isRebased: true,
      weightsBefore: of(255, 7, 0),
      weightsAfter: of(0, 7, 0),
    });
    expect(proposal?.why).toContain("everything else stays as another hand wrote it");
  });

  it("is moved around once: what was carried on is what stands, and isn't written again", () => {
    const before = edited({}, {}, DEAD);
    const first = decide(before, null);
    const after = { ...persist(before, first), edit: edit({ isKept: true }), drift: DRIFT, now: before.now + 3_600_000 };
    const second = decide(after, null);
    expect(second.isAllowed).toBe(false);
    expect(second.proposal?.isRebased ?? false).toBe(false);
  });

  it("that is kept gets the mark of a freeze, and of its end, without losing anything", () => {
    const kept = { isKept: true, weights: of(255, 7, 0) };
    const standing = {
      written: of(255, 7, 0),
      traffic: { ...testSituation().traffic, shares: { default: { r1: 255 / 262, r2: 7 / 262, r3: 0 } } },
    };
    const frozen = decide(edited(kept, { ...standing, controls: { ...NO_CONTROLS, frozen: testControl() } }), null);
    expect(frozen.isAllowed).toBe(true);
    expect(frozen.proposal).toMatchObject({ kind: "freeze", isRebased: true, weightsAfter: of(255, 7, 0) });
    const free = decide(edited(kept, { ...standing, modeWritten: "frozen" }), null);
    expect(free.isAllowed).toBe(true);
    expect(free.proposal).toMatchObject({ kind: "unfreeze", isRebased: true, weightsAfter: of(255, 7, 0) });
  });

  it("goes when an operator moves: the batch replaces it", () => {
    const { proposal, isAllowed } = decide(edited(), request({ kind: "failover", to: "r3" }));
    expect(isAllowed).toBe(true);
    expect(proposal).toMatchObject({ isRebased: false, weightsBefore: of(255, 7, 0), weightsAfter: of(0, 0, 255) });
  });

  it("in an emergency while frozen stays as it is", () => {
    const { rules, isAllowed } = decide(edited({}, { controls: { ...NO_CONTROLS, frozen: testControl() } }, DEAD), null);
    expect(isAllowed).toBe(false);
    expect(rules.find(({ rule }) => rule === "A4")?.answer).toBe("deny");
  });
});

describe("an edit that is reverted", () => {
  it("is written over with exactly what was written before", () => {
    const { proposal, isAllowed } = decide(edited({ policy: "revert" }), null);
    expect(isAllowed).toBe(true);
    expect(proposal).toMatchObject({ kind: "revert", weightsBefore: of(255, 7, 0), weightsAfter: of(255, 0, 0) });
  });

  it("of no weight at all is still a revert", () => {
    const { proposal } = decide(edited({ policy: "revert", weights: of(255, 0, 0) }), null);
    expect(proposal?.kind).toBe("revert");
  });

  it("stays while the service is frozen, whatever else is due", () => {
    const controls = { ...NO_CONTROLS, frozen: testControl() };
    for (const due of [{}, { areRecordsOutdated: true }, { modeWritten: "frozen" as const }])
      expect(decide(edited({ policy: "revert" }, { controls, ...due }), null).isAllowed).toBe(false);
  });

  it("in an emergency goes with the failover", () => {
    const { proposal, isAllowed } = decide(edited({ policy: "revert" }, {}, DEAD), null);
    expect(isAllowed).toBe(true);
    expect(proposal).toMatchObject({ kind: "failover", isRebased: false });
    expect(proposal?.weightsAfter.default?.r1).toBe(0);
  });
});

describe("laws", () => {
  const weight = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 }));
  const weights = fc.tuple(weight, weight, weight).map(([a, b, c]) => of(a, b, c));
  const verdict = fc.constantFrom("healthy" as const, "unhealthy" as const, "recovering" as const, "degraded" as const);
  const verdicts = fc.record({ r1: verdict, r2: verdict, r3: verdict });
  const spec = fc.constantFrom(passiveSpec(), activeSpec());
  const isBad = (one: string): boolean => one === "unhealthy" || one === "recovering";

  it("going around an edit changes no weight but of bad regions, to 0, unless nothing would be left to answer", () => {
    fc.assert(
      fc.property(spec, weights, weights, verdicts, (any, standing, wanted, health) => {
        const regions = Object.fromEntries(Object.entries(health).map(([region, one]) => [region, { verdict: one }]));
        const situation = { ...testSituation({ spec: any, regions }), edit: edit({ weights: standing }), drift: DRIFT };
        const met = meetEdit(situation, wanted, null);
        if (met.how !== "rebase") return;
        const before = Object.entries(standing.default);
        const isLeft = before.some(([region, each]) => each > 0 && met.weightsAfter.default?.[region] === each);
        for (const [region, each] of before) {
          const after = met.weightsAfter.default?.[region];
          if (isLeft) expect(after === each || (after === 0 && isBad(health[region as "r1"]))).toBe(true);
          else expect(after).toBe(wanted.default[region as "r1"]);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("what stands after going around it needs no second going around", () => {
    fc.assert(
      fc.property(spec, weights, weights, verdicts, (any, standing, wanted, health) => {
        const regions = Object.fromEntries(Object.entries(health).map(([region, one]) => [region, { verdict: one }]));
        const situation = { ...testSituation({ spec: any, regions }), edit: edit({ weights: standing }), drift: DRIFT };
        const first = meetEdit(situation, wanted, null);
        fc.pre(first.how === "rebase");
        const kept = { ...situation, written: first.weightsAfter, edit: edit({ weights: standing, isKept: true }) };
        expect(meetEdit(kept, wanted, null).how).toBe("hold");
      }),
    );
  });
});
