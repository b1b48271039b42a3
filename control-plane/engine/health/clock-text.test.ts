import fc from "fast-check";
import { expect, it, test } from "vitest";
import { clockText } from "./clock-text.ts";

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
