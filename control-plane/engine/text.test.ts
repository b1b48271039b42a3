import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { clockText, durationText, isSameSecond, percentText, sharesText } from "./text.ts";

it.each([
  [0, "00:00:00Z"],
  [86_399_999, "23:59:59Z"],
  [86_400_000, "00:00:00Z"],
  [1_700_017_920_000, "03:12:00Z"],
  [1_700_017_929_999, "03:12:09Z"],
])("%i ms reads %s", (at, text) => {
  expect(clockText(at)).toBe(text);
});

test("every moment reads as the calendar says", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 8_640_000_000_000_000 }), (at) => {
      expect(clockText(at)).toBe(`${new Date(at).toISOString().slice(-13, -5)}Z`);
    }),
  );
});

it.each([
  [-5, "0 ms"],
  [850, "850 ms"],
  [999.6, "1000 ms"],
  [1_000, "1 s"],
  [119_400, "119 s"],
  [120_000, "2 min"],
  [270_000, "4 min 30 s"],
  [7_199_000, "119 min 59 s"],
  [7_200_000, "2 h"],
  [7_500_000, "2 h 5 min"],
])("%d ms last %s", (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

it("shares are told from the largest to the smallest, whatever their order, without those of nothing", () => {
  expect(sharesText({ us: 0.4, ap: 0, eu: 0.6 })).toBe("eu 60 %, us 40 %");
  expect(sharesText({ b: 0.5, a: 0.5 })).toBe(sharesText({ a: 0.5, b: 0.5 }));
  expect(sharesText({ eu: 0 })).toBe("nobody");
  expect(percentText(0.4567)).toBe("45.7 %");
});

describe("isSameSecond", () => {
  it.each([
    [1_000, 1_999, true],
    [999, 1_000, false],
    [-1, 0, false],
  ])("%i and %i read the same: %s", (a, b, isSame) => {
    expect(isSameSecond(a, b)).toBe(isSame);
    expect(clockText(a) === clockText(b)).toBe(isSame);
  });
});
