import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../decide.ts";
import type { Departure } from "../model.ts";
import { arbitrarySituation } from "../testing/arbitrary-situation.ts";
import { T0, testMemory } from "../testing/evidence.ts";
import { after, departure, failing, limited, proposalOf } from "../testing/rules.ts";
import { NO_CONTROLS, testControl, votesDown } from "../testing/situation.ts";
import {
  DEPARTURES_KEPT,
  DEPARTURES_KEPT_MS,
  departuresAfter,
  isStillBad,
  movedPart,
  regionsStillOut,
  surroundingsOf,
  toFindings,
} from "./departures.ts";

const DAY = DEPARTURES_KEPT_MS;
const HOUR = 3_600_000;

describe("what is kept of a move", () => {
  it("a failover: who was left, who received, how much, and who said what", () => {
    const votes = votesDown("r1", ["r3/b", "r2/a"], "web down (tcp_refused) since 03:11:56Z, db down since 03:11:57Z");
    const situation = failing({ regions: { r1: { verdict: "unhealthy", votes } } });
    expect(departuresAfter(situation, proposalOf(situation))).toEqual([
      {
        at: T0,
        left: ["r1"],
        received: ["r2"],
        moved: 1,
        vantages: ["r2/a", "r3/b"],
        findings: ["db down", "web down (tcp_refused)"],
      },
    ]);
  });

  it("a drained region that goes in the same batch isn't left for a fault", () => {
    const situation = failing({
      written: { default: { r1: 200, r2: 0, r3: 50 } },
      controls: { ...NO_CONTROLS, drained: { r3: testControl() } },
    });
    const proposal = proposalOf(situation);
    expect(proposal.leaves).toEqual(["r1", "r3"]);
    expect(departuresAfter(situation, proposal).at(-1)?.left).toEqual(["r1"]);
  });

  it.each([
    { title: "a voluntary move for as long as a rule asks for it", left: [], ms: 600_000 },
    { title: "a departure for a day", left: ["r2"], ms: DAY },
  ])("$title", ({ left, ms }) => {
    const kept = (ago: number): number => {
      const situation = failing({ traffic: after([departure({ at: T0 - ago, left })]) });
      return departuresAfter(situation, proposalOf(situation)).length - 1;
    };
    expect(kept(ms - 1)).toBe(1);
    expect(kept(ms)).toBe(0);
  });

  it("many voluntary moves don't push out the departures that a day's budget counts", () => {
    const many = Array.from({ length: 2 * DEPARTURES_KEPT }, (_, n) => departure({ at: T0 - 1_000 + n, left: [] }));
    const situation = failing({ traffic: after([departure({ at: T0 - 7_200_000 }), ...many]) });
    const kept = departuresAfter(situation, proposalOf(situation));
    expect(kept.filter(({ left }) => left.length > 0)).toHaveLength(2);
    expect(kept).toHaveLength(DEPARTURES_KEPT + 2);
  });

  it("law: in order, bounded, nothing from beyond a day, and only automation's moves", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation, asked }) => {
        const { proposal, trafficAfter, isAllowed } = decide(situation, asked);
        const kept = trafficAfter.departures;
        if (!proposal || proposal.actor.kind === "operator") expect(kept).toEqual(situation.traffic.departures);
        if (!proposal || !isAllowed || kept === situation.traffic.departures) return;
        expect(kept.map(({ at }) => at)).toEqual(kept.map(({ at }) => at).sort((a, b) => a - b));
        expect(kept.length).toBeLessThanOrEqual(2 * DEPARTURES_KEPT);
        expect(kept.at(-1)?.at).toBe(situation.now);
      }),
    );
  });
});

describe("findings", () => {
  it.each([
    { because: "web down (tcp_refused) since 03:11:56Z", findings: ["web down (tcp_refused)"] },
    { because: "web down since 03:11:56Z, db down (timeout) since 23:59:59Z", findings: ["web down", "db down (timeout)"] },
    { because: "its agents are split over web", findings: ["its agents are split over web"] },
  ])("$because", ({ because, findings }) => {
    expect(toFindings(because)).toEqual(findings);
  });
});

describe("the part that moves", () => {
  it.each([
    { title: "all", before: { r1: 255, r2: 0 }, after: { r1: 0, r2: 1 }, moved: 1 },
    { title: "half", before: { r1: 1, r2: 0 }, after: { r1: 1, r2: 1 }, moved: 0.5 },
    { title: "none, in other numbers", before: { r1: 1, r2: 1 }, after: { r1: 255, r2: 255 }, moved: 0 },
    { title: "what only one side knows", before: { r1: 1 }, after: { r2: 1 }, moved: 1 },
  ])("$title", ({ before, after: next, moved }) => {
    expect(movedPart({ default: before }, { default: next as Record<string, number> })).toBeCloseTo(moved, 9);
  });

  it("of the family that moves most", () => {
    expect(movedPart({ a: { r1: 1, r2: 1 }, b: { r1: 1 } }, { a: { r1: 1, r2: 1 }, b: { r2: 1 } })).toBe(1);
  });
});

describe("surroundings", () => {
  const neighbour = (departures: readonly Departure[], verdict: "healthy" | "unhealthy" | "recovering") => ({
    service: "other",
    traffic: after(departures),
    health: { r2: testMemory({ region: "r2", verdict }) },
  });

  it("tell what was left for a fault within a day, and what is still out", () => {
    const recent = departure({ at: T0 - HOUR + 1 });
    const told = [{ ...recent, service: "other" }];
    expect(surroundingsOf([neighbour([recent], "recovering")], T0)).toEqual({ departures: told, regionsOut: ["r2"] });
    expect(surroundingsOf([neighbour([recent], "healthy")], T0)).toEqual({ departures: told, regionsOut: [] });
    const old = [departure({ at: T0 - DAY })];
    expect(surroundingsOf([neighbour(old, "unhealthy")], T0)).toEqual({ departures: [], regionsOut: [] });
    const voluntary = [departure({ left: [], at: T0 })];
    expect(surroundingsOf([neighbour(voluntary, "unhealthy")], T0)).toEqual({ departures: [], regionsOut: [] });
  });

  it("a small service whose region nobody mends holds the others for an hour after it left, and itself for as long as it is bad", () => {
    const since = (ago: number) => [departure({ at: T0 - 5 * HOUR }), departure({ at: T0 - ago })];
    expect(surroundingsOf([neighbour(since(HOUR - 1), "unhealthy")], T0).regionsOut).toEqual(["r2"]);
    expect(surroundingsOf([neighbour(since(HOUR), "unhealthy")], T0).regionsOut).toEqual([]);
    const { traffic, health } = neighbour(since(HOUR), "unhealthy");
    expect(regionsStillOut(traffic, health, T0)).toEqual(["r2"]);
  });

  it.each([
    { verdict: "unhealthy", before: null, isBad: true },
    { verdict: "recovering", before: null, isBad: true },
    { verdict: "unknown", before: "unhealthy", isBad: true },
    { verdict: "unknown", before: "healthy", isBad: false },
    { verdict: "healthy", before: null, isBad: false },
    { verdict: "maintenance", before: "unhealthy", isBad: false },
  ] as const)("$verdict after $before is still bad: $isBad", ({ verdict, before, isBad }) => {
    expect(isStillBad(testMemory({ verdict, before }))).toBe(isBad);
  });

  it("what is kept for the rules survives a failover of the standard limits", () => {
    const spec = limited({ removedMs: 1 });
    const situation = failing({ spec, traffic: after([departure({ at: T0 - 1_000, left: [] })]) });
    // rampStepMs is the longer of the two.
    expect(departuresAfter(situation, proposalOf(situation))).toHaveLength(2);
  });
});
