import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "./decide.ts";
import { checkShares } from "./invariants.ts";
import type { Situation } from "./model.ts";
import { layOverrides, takenAsFit } from "./strategy/overrides.ts";
import { partsOf } from "./strategy/parts.ts";
import { arbitrarySituation } from "./testing/arbitrary-situation.ts";
import { NO_LIMITS } from "./testing/dns.ts";
import { NO_CONTROLS, persist, testSituation } from "./testing/situation.ts";

const numRuns = 150;

/** It kept its traffic through a fault that is over: it isn't left for that any more. */
const isWellAgain = ({ health, verdicts, written, controls }: Situation, family: string, region: string): boolean =>
  !controls.drained[region] &&
  health[region]?.verdict === "recovering" &&
  verdicts.find((one) => one.region === region)?.evidence === "good" &&
  (written?.[family]?.[region] ?? 0) > 0;

/** Regions where no traffic belongs, whatever the strategy. */
const isBarred = ({ health, controls }: Situation, region: string): boolean => {
  const verdict = health[region]?.verdict;
  return verdict === "unhealthy" || verdict === "recovering" || verdict === "maintenance" || !!controls.drained[region];
};

/** As a strategy sees it: `off` is drained, and `on` is fit. */
const overridden = (situation: Situation): Situation => takenAsFit(layOverrides(situation), null);

/** An operator's override gives this very region traffic, or takes it as fit, and names the rule. */
const isNamed = (situation: Situation, rule: "A6", region: string): boolean =>
  layOverrides(situation).controls.overrides.some(
    ({ what, breakGlass }) =>
      breakGlass.includes(rule) &&
      ((what.kind === "on" && what.region === region) || (what.kind === "pin" && (what.shares[region] ?? 0) > 0)),
  );

/** The same, with everything that is silent told to be unknown; maintenance is declared, not seen. */
const silenced = (situation: Situation, isSilent: (region: string) => boolean): Situation => ({
  ...situation,
  health: Object.fromEntries(
    Object.entries(situation.health).map(([region, one]) => [
      region,
      isSilent(region) && one.verdict !== "maintenance"
        ? { ...one, verdict: "unknown", evidence: "unknown", before: one.verdict }
        : one,
    ]),
  ),
  verdicts: situation.verdicts.map((one) =>
    isSilent(one.region) && one.verdict !== "maintenance"
      ? { ...one, verdict: "unknown", evidence: "unknown", score: null }
      : one,
  ),
});

/** Nothing to write, and not for want of somebody to serve: in a standstill, silence about the dead may end it. */
const isCalm = (situation: Situation): boolean => {
  const { proposal, failStatic } = decide(situation, null);
  return proposal === null && failStatic === null;
};

const judgedAll = (situation: Situation, verdict: "healthy"): Situation => {
  const base = testSituation({ spec: situation.spec });
  expect(base.verdicts.every((one) => one.verdict === verdict)).toBe(true);
  return { ...situation, health: base.health, verdicts: base.verdicts };
};

describe("decide", () => {
  it("answers every situation and every request, in shares that sum to 1 and weights that serve somebody", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation, asked }) => {
        const decision = decide(situation, asked);
        expect(decision.sentence.length).toBeGreaterThan(5);
        expect(checkShares(decision.trafficNow.shares)).toEqual([]);
        if (!decision.proposal) return;
        expect(checkShares(decision.proposal.sharesAfter)).toEqual([]);
        for (const { id } of situation.spec.families) {
          const weights = Object.values(decision.proposal.weightsAfter[id] ?? {});
          expect(Math.max(...weights)).toBeGreaterThan(0);
          expect(weights.every((weight) => Number.isInteger(weight) && weight >= 0 && weight <= 255)).toBe(true);
        }
      }),
      { numRuns },
    );
  });

  it("is settled by its own answer: kept and asked again at the same moment, it has nothing more to write", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation, asked }) => {
        let decision = decide(situation, asked);
        fc.pre(asked === null || decision.proposal === null || decision.isAllowed);
        let kept = persist(situation, decision);
        // A quiet write goes before a move, what a panic policy serves changes what there is to keep, and the end of one return may be the
        // start of another: two more looks at most.
        for (let look = 0; look < 2 && decision.isAllowed; look += 1) {
          decision = decide(kept, null);
          kept = persist(kept, decision);
        }
        const again = decide(kept, null);
        expect(again.isAllowed).toBe(false);
        expect(again.trafficNow).toEqual(kept.traffic);
      }),
      { numRuns },
    );
  });

  it("repeats itself: the same situation has the same answer, whatever the order of lists and records", () => {
    const reversed = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
      Object.fromEntries(Object.entries(record).reverse());
    fc.assert(
      fc.property(arbitrarySituation, ({ situation, asked }) => {
        const { spec, verdicts, health, controls, traffic, written } = situation;
        const turned: Situation = {
          ...situation,
          spec: { ...spec, endpoints: [...spec.endpoints].reverse() },
          verdicts: [...verdicts].reverse(),
          health: reversed(health),
          controls: { ...controls, drained: reversed(controls.drained), frozenRegions: reversed(controls.frozenRegions) },
          traffic: { ...traffic, ramps: reversed(traffic.ramps), out: reversed(traffic.out) },
          written: Object.fromEntries(Object.entries(written ?? {}).map(([id, weights]) => [id, reversed(weights)])),
        };
        const [a, b] = [decide(situation, asked), decide(turned, asked)];
        expect(b.proposal?.weightsAfter).toEqual(a.proposal?.weightsAfter);
        expect(b.proposal?.basis).toBe(a.proposal?.basis);
        expect(b.isAllowed).toBe(a.isAllowed);
        expect(b.sentence).toBe(a.sentence);
      }),
      { numRuns },
    );
  });

  it("never lets automation leave or put traffic where it doesn't belong, but in a standstill", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation }) => {
        const decision = decide(situation, null);
        const { proposal } = decision;
        if (!proposal || !decision.isAllowed || decision.failStatic !== null || proposal.actor.kind === "operator") return;
        if (proposal.kind === "configure" || proposal.kind === "unfreeze") return;
        for (const { id } of situation.spec.families)
          for (const { region } of situation.spec.endpoints)
            if (
              isBarred(overridden(situation), region) &&
              !isWellAgain(overridden(situation), id, region) &&
              decision.controlsAfter.placement?.region !== region
            )
              expect(proposal.weightsAfter[id]?.[region]).toBe(0);
      }),
      { numRuns },
    );
  });

  it("never lets an unknown region gain", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation }) => {
        const decision = decide(situation, null);
        if (!decision.proposal || !decision.isAllowed || decision.failStatic !== null) return;
        for (const { id } of situation.spec.families) {
          const before = partsOf(situation.written?.[id] ?? {});
          const after = partsOf(decision.proposal.weightsAfter[id] ?? {});
          for (const { region, verdict } of situation.verdicts)
            if (verdict === "unknown" && !isNamed(situation, "A6", region))
              expect(after[region] ?? 0).toBeLessThanOrEqual((before[region] ?? 0) + 0.011);
        }
      }),
      { numRuns },
    );
  });

  it("silence alone lowers no weight: what was settled stays when any of it falls silent", () => {
    fc.assert(
      fc.property(arbitrarySituation, fc.integer({ min: 1, max: 31 }), ({ situation }, mask) => {
        const isAutomatic = { ...situation, controls: NO_CONTROLS, modeWritten: "auto" as const, areRecordsOutdated: false };
        const first = decide(isAutomatic, null);
        fc.pre(first.proposal === null || first.isAllowed);
        const settled = persist(isAutomatic, first);
        fc.pre(isCalm(settled));
        const isSilent = (region: string): boolean => (mask & (1 << Number(region.slice(1)))) !== 0;
        const decision = decide(silenced(settled, isSilent), null);
        if (!decision.proposal || !decision.isAllowed) return;
        for (const { id } of situation.spec.families) {
          const before = partsOf(settled.written?.[id] ?? {});
          const after = partsOf(decision.proposal.weightsAfter[id] ?? {});
          for (const { region } of situation.spec.endpoints)
            if (isSilent(region)) expect(after[region] ?? 0).toBeGreaterThanOrEqual((before[region] ?? 0) - 0.011);
        }
      }),
      { numRuns },
    );
  });

  it("all silent: what was settled stays, to the last digit", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation }) => {
        const settled = persist(situation, decide(situation, null));
        fc.pre(isCalm(settled));
        const silent = silenced(settled, () => true);
        expect(decide(silent, null).proposal).toBeNull();
      }),
      { numRuns },
    );
  });

  it("no departure waits for hysteresis, a ramp or a hold: a bad region is at 0 in one decision if somebody healthy is there", () => {
    fc.assert(
      fc.property(arbitrarySituation, fc.nat(), ({ situation }, drawn) => {
        const { endpoints } = situation.spec;
        fc.pre(endpoints.length > 1);
        const region = endpoints[drawn % endpoints.length]!.region;
        const calm: Situation = {
          ...judgedAll(situation, "healthy"),
          controls: NO_CONTROLS,
          modeWritten: "auto",
          // What limits hold back is theirs to test.
          spec: { ...situation.spec, mode: "automatic", regionsMin: 1, safety: NO_LIMITS, stateful: null },
          traffic: { ...situation.traffic, lastAutomaticFailoverAt: null },
        };
        const memory = calm.health[region]!;
        const sick: Situation = {
          ...calm,
          health: { ...calm.health, [region]: { ...memory, verdict: "unhealthy", evidence: "bad", factor: 0 } },
          verdicts: calm.verdicts.map((one) =>
            one.region === region ? { ...one, verdict: "unhealthy", evidence: "bad", outside: "down" } : one,
          ),
        };
        const decision = decide(sick, null);
        fc.pre(decision.failStatic === null);
        for (const { id } of situation.spec.families) {
          const weights = decision.proposal?.weightsAfter[id] ?? sick.written?.[id] ?? {};
          expect(weights[region] ?? 0).toBe(0);
        }
        if (decision.proposal) expect(decision.isAllowed).toBe(true);
      }),
      { numRuns },
    );
  });

  it("is never allowed in advisory mode, unless an operator asked for it", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation }) => {
        const spec = { ...situation.spec, mode: "advisory" as const };
        const ramps = Object.fromEntries(
          Object.entries(situation.traffic.ramps).map(([region, ramp]) => [region, { ...ramp, startedBy: AUTOMATION }]),
        );
        if (situation.written === null) return;
        const decision = decide({ ...situation, spec, traffic: { ...situation.traffic, ramps, passive: {} } }, null);
        if (decision.isAllowed && decision.proposal?.kind !== "unfreeze") expect(decision.proposal?.actor.kind).toBe("operator");
      }),
      { numRuns },
    );
  });
});

const AUTOMATION = { kind: "automation", name: "regent" } as const;
