import type { Outcome } from "@regent/contract";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import type { Streak, Thresholds } from "./streak.ts";
import { foldOutcome, isSettled, STREAK_START } from "./streak.ts";

const STANDARD: Thresholds = { fall: 3, clear: 3, rise: 2 };
const LETTERS: Readonly<Record<string, Outcome>> = { o: "ok", d: "degraded", f: "fail", u: "unknown" };

const foldAll = (outcomes: readonly Outcome[], thresholds: Thresholds, from: Streak = STREAK_START): Streak =>
  outcomes.reduce((streak, outcome) => foldOutcome(streak, outcome, thresholds), from);

const foldText = (text: string, thresholds: Thresholds = STANDARD): Streak =>
  foldAll(
    [...text].map((letter) => LETTERS[letter]!),
    thresholds,
  );

const thresholds = fc.record({
  fall: fc.integer({ min: 1, max: 6 }),
  clear: fc.integer({ min: 1, max: 6 }),
  rise: fc.integer({ min: 1, max: 6 }),
});
const outcome = fc.constantFrom<Outcome>("ok", "degraded", "fail", "unknown");
const outcomes = fc.array(outcome, { maxLength: 60 });

describe("fall 3, clear 3, rise 2", () => {
  it.each([
    ["", "unknown", 0, 0],
    ["u", "unknown", 0, 0],
    ["o", "up", 0, 0],
    ["d", "up", 0, 0],
    ["f", "unknown", 1, 0],
    ["fff", "down", 3, 0],
    ["fo", "unknown", 1, 1],
    ["fooo", "up", 0, 0],
    ["off", "up", 2, 0],
    ["offoo", "up", 2, 2],
    ["offooo", "up", 0, 0],
    ["offoof", "down", 3, 0],
    ["offfo", "down", 3, 1],
    ["offfoo", "up", 0, 0],
    ["offfof", "down", 3, 0],
    ["offfuo", "down", 3, 1],
  ])("%j leaves it %s with %i failures and %i passes", (text, state, failures, passes) => {
    expect(foldText(text)).toEqual({ state, failures, passes });
  });
});

describe("laws", () => {
  test("an endpoint that fails every second probe falls after as many failures as fall, and with rise 2 never comes up again", () => {
    fc.assert(
      fc.property(thresholds, fc.boolean(), (drawn, startsWithFailure) => {
        const limits = { ...drawn, clear: drawn.clear + 1, rise: drawn.rise + 1 };
        const round: readonly Outcome[] = startsWithFailure ? ["fail", "ok"] : ["ok", "fail"];
        const until = Array.from({ length: limits.fall }, () => round).flat();
        let streak = foldAll(until, limits);
        expect(streak.state).toBe("down");
        for (const next of Array.from({ length: 20 }, () => round).flat()) {
          streak = foldOutcome(streak, next, limits);
          expect(streak.state).toBe("down");
        }
      }),
    );
  });

  test("fewer failures than fall never bring it down", () => {
    fc.assert(
      fc.property(thresholds, fc.array(fc.constantFrom<Outcome>("ok", "unknown"), { maxLength: 40 }), (limits, passes) => {
        const failures = Array.from({ length: limits.fall - 1 }, (): Outcome => "fail");
        expect(foldAll([...passes, ...failures], limits).state).not.toBe("down");
      }),
    );
  });

  test("clear passes in a row forgive all failures of a check that hasn't fallen", () => {
    fc.assert(
      fc.property(thresholds, outcomes, (limits, before) => {
        const streak = foldAll(before, limits);
        fc.pre(streak.state !== "down");
        expect(
          foldAll(
            Array.from({ length: limits.clear }, (): Outcome => "ok"),
            limits,
            streak,
          ),
        ).toEqual({
          state: "up",
          failures: 0,
          passes: 0,
        });
      }),
    );
  });

  test("rise passes in a row bring a down check up, and one fewer doesn't", () => {
    fc.assert(
      fc.property(thresholds, (limits) => {
        const down: Streak = { state: "down", failures: limits.fall, passes: 0 };
        const almost = foldAll(
          Array.from({ length: limits.rise - 1 }, (): Outcome => "ok"),
          limits,
          down,
        );
        expect(almost.state).toBe("down");
        expect(foldOutcome(almost, "ok", limits).state).toBe("up");
      }),
    );
  });

  test("an unknown result changes nothing", () => {
    fc.assert(
      fc.property(thresholds, outcomes, (limits, before) => {
        const streak = foldAll(before, limits);
        expect(foldOutcome(streak, "unknown", limits)).toEqual(streak);
      }),
    );
  });

  test("a degraded result counts as a pass", () => {
    fc.assert(
      fc.property(thresholds, outcomes, (limits, before) => {
        const streak = foldAll(before, limits);
        expect(foldOutcome(streak, "degraded", limits)).toEqual(foldOutcome(streak, "ok", limits));
      }),
    );
  });

  test("a settled streak is not changed by one more result of its kind, and any other streak is", () => {
    fc.assert(
      fc.property(thresholds, outcomes, (limits, before) => {
        const streak = foldAll(before, limits);
        fc.pre(streak.state !== "unknown");
        const more = foldOutcome(streak, streak.state === "up" ? "ok" : "fail", limits);
        expect(isSettled(streak)).toBe(JSON.stringify(more) === JSON.stringify(streak));
      }),
    );
  });

  test("the counters stay within their ranges", () => {
    fc.assert(
      fc.property(thresholds, outcomes, (limits, before) => {
        const { failures, passes } = foldAll(before, limits);
        expect(failures).toBeLessThanOrEqual(limits.fall);
        expect(passes).toBeLessThan(Math.max(limits.clear, limits.rise));
      }),
    );
  });
});
