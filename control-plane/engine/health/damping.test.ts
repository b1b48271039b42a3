import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { T0, testSettings } from "../testing/evidence.ts";
import { addPenalty, isSuppressedNow, PENALTY_UNHEALTHY, penaltyNow, releasedAt } from "./damping.ts";

const settings = testSettings();
const MINUTE = 60_000;
const none = { penalty: 0, penaltyAt: T0, isSuppressed: false };

/** What so many departures, so far apart, leave behind. */
const depart = (times: number, apartMs: number) => {
  let memory = none;
  for (let i = 0; i < times; i += 1) {
    const now = T0 + i * apartMs;
    const penalty = addPenalty(memory, { settings, points: PENALTY_UNHEALTHY, now });
    memory = { ...penalty, isSuppressed: isSuppressedNow({ ...memory, ...penalty }, settings, now) };
  }
  return memory;
};

describe("half-life 30 min, suppress at 2,000, reuse at 750", () => {
  it.each([
    [0, 1_000],
    [30, 500],
    [60, 250],
    [300, 0.9765625],
  ])("of one departure %i min ago %f points are left", (minutes, left) => {
    expect(penaltyNow({ penalty: 1_000, penaltyAt: T0 }, settings, T0 + minutes * MINUTE)).toBeCloseTo(left, 9);
  });

  // Algorithms 1.9, measured: spaced 1 to 20 minutes, the third departure suppresses, for 43 to 59 minutes.
  it.each([
    [1, 59],
    [20, 43],
  ])("departures every %i min suppress at the third, for %i min", (apart, held) => {
    expect(depart(2, apart * MINUTE).isSuppressed).toBe(false);
    const third = depart(3, apart * MINUTE);
    expect(third.isSuppressed).toBe(true);
    expect(Math.round((releasedAt(third, settings)! - third.penaltyAt) / MINUTE)).toBe(held);
  });

  test("departures every 30 min never suppress", () => {
    expect(depart(40, 30 * MINUTE).isSuppressed).toBe(false);
  });

  test("no history of departures suppresses for longer than 120 min", () => {
    const worst = depart(1_000, 1);
    expect(worst.penalty).toBe(12_000);
    expect(releasedAt(worst, settings)! - worst.penaltyAt).toBe(120 * MINUTE + 1);
  });
});

test("without a threshold nothing is suppressed, and what was is released", () => {
  const off = testSettings({ dampingSuppress: null, dampingHalfLifeMs: 30_000 });
  const memory = { penalty: 1e9, penaltyAt: T0, isSuppressed: true };
  expect(isSuppressedNow(memory, off, T0)).toBe(false);
  expect(releasedAt(memory, off)).toBeNull();
});

test("time that runs backwards adds no penalty", () => {
  expect(penaltyNow({ penalty: 1_000, penaltyAt: T0 }, settings, T0 - MINUTE)).toBe(1_000);
});

test("a suppressed region is released at the moment foretold, not before", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1, max: 20_000, noNaN: true }),
      fc.integer({ min: 1_000, max: 7_200_000 }),
      fc.integer({ min: 1, max: 3_000 }),
      fc.integer({ min: 1, max: 3_000 }),
      (penalty, dampingHalfLifeMs, dampingSuppress, dampingReuse) => {
        const drawn = testSettings({ dampingHalfLifeMs, dampingSuppress, dampingReuse });
        const memory = { penalty, penaltyAt: T0, isSuppressed: true };
        fc.pre(isSuppressedNow(memory, drawn, T0));
        const at = releasedAt(memory, drawn)!;
        expect(isSuppressedNow(memory, drawn, at)).toBe(false);
        expect(isSuppressedNow(memory, drawn, Math.max(T0, at - 3))).toBe(true);
      },
    ),
  );
});
