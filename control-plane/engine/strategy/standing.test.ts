import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../decide.ts";
import { T0 } from "../testing/evidence.ts";
import { activeSpec, NO_CONTROLS, passiveSpec, roundRobinSpec, testControl, testSituation } from "../testing/situation.ts";
import { isAnswering, standingControls, standingTraffic } from "./standing.ts";

const NOW = 1_000;
const of = (r1: number, r2: number, r3: number) => ({ default: { r1, r2, r3 } });

describe("traffic as it stands", () => {
  it("is served by the heaviest region; the preferred one where several weigh the same", () => {
    expect(standingTraffic(passiveSpec(), of(10, 200, 0), NOW).passive.default?.active).toBe("r2");
    expect(standingTraffic(passiveSpec(), of(200, 200, 0), NOW).passive.default?.active).toBe("r1");
    expect(standingTraffic(passiveSpec(), of(0, 7, 7), NOW).passive.default?.active).toBe("r2");
  });

  it("where it is spread, a region without any comes back by a return, never at once", () => {
    const { out, shares } = standingTraffic(roundRobinSpec(), of(100, 0, 100), NOW);
    expect(Object.keys(out)).toEqual(["r2"]);
    expect(shares).toEqual({ default: { r1: 0.5, r2: 0, r3: 0.5 } });
  });

  it("is nothing to go on from where a family answers nothing", () => {
    expect(isAnswering({ a: { r1: 1 }, b: { r1: 0, r2: 3 } })).toBe(true);
    expect(isAnswering({ a: { r1: 1 }, b: { r1: 0, r2: 0 } })).toBe(false);
  });

  it("of a passive service with one region serving, nothing moves it while all are healthy", () => {
    for (const at of [0, 1, 2]) {
      const written = of(at === 0 ? 255 : 0, at === 1 ? 255 : 0, at === 2 ? 255 : 0);
      const spec = passiveSpec();
      expect(decide(testSituation({ spec, written, traffic: standingTraffic(spec, written, NOW) }), null).proposal).toBeNull();
    }
  });

  it("with failback by hand, of a region that stood at 0 stays at 0", () => {
    const weight = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(
        fc.constantFrom(activeSpec({ failback: "manual" }), roundRobinSpec({ failback: "manual" })),
        weight,
        weight,
        weight,
        (spec, a, b, c) => {
          fc.pre(a + b + c > 0);
          const written = of(a, b, c);
          const { proposal } = decide(testSituation({ spec, written, traffic: standingTraffic(spec, written, NOW) }), null);
          for (const [region, before] of Object.entries(written.default))
            if (before === 0) expect(proposal?.weightsAfter.default?.[region] ?? 0).toBe(0);
        },
      ),
    );
  });
});

describe("a standing decision", () => {
  const controls = {
    ...NO_CONTROLS,
    drained: { r1: testControl(), r3: testControl() },
    placement: { ...testControl(), region: "r2" },
  };

  it("that DNS agrees with stays", () => {
    expect(standingControls(controls, of(0, 255, 0))).toEqual(controls);
  });

  it("with an expiry is over where DNS contradicts it, and runs on where it doesn't", () => {
    const base = { by: "ann", reason: "a test", at: T0, until: T0 + 60_000, breakGlass: [] };
    const off = { ...base, id: "off", what: { kind: "off" as const, region: "r1" } };
    const on = { ...base, id: "on", what: { kind: "on" as const, region: "r2" } };
    const pin = { ...base, id: "pin", what: { kind: "pin" as const, shares: { r2: 1 } } };
    const frozen = { ...base, id: "freeze", what: { kind: "freeze" as const } };
    const overrides = [off, on, pin, frozen];
    expect(standingControls({ ...controls, overrides }, of(0, 255, 0)).overrides).toEqual(overrides);
    expect(standingControls({ ...controls, overrides }, of(255, 0, 0)).overrides).toEqual([on, frozen]);
  });

  it("that DNS contradicts is over", () => {
    expect(standingControls(controls, of(255, 0, 0))).toEqual({
      ...controls,
      drained: { r3: controls.drained.r3 },
      placement: null,
    });
  });
});
