import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { holdMs } from "./hold.ts";

describe.each([
  ["standard", 3_000, 15_000, [15_000, 7_429, 3_000, 3_000]],
  ["careful", 5_000, 20_000, [20_000, 10_536, 5_000, 5_000]],
  ["sandbox", 0, 2_000, [2_000, 738, 0, 0]],
  ["no hold", 0, 0, [0, 0, 0, 0]],
] as const)("%s, %i to %i ms", (_name, holdMinMs, holdMaxMs, expected) => {
  it.each(expected.map((hold, confirmations) => [confirmations, hold]))("with %i confirmations lasts %i ms", (c, hold) => {
    expect(holdMs({ holdMinMs, holdMaxMs }, c!)).toBe(hold);
  });
});

test("more confirmations never lengthen the hold, which stays within its range", () => {
  fc.assert(
    fc.property(fc.nat(100_000), fc.nat(100_000), fc.nat(20), (min, extra, c) => {
      const range = { holdMinMs: min, holdMaxMs: min + extra };
      const hold = holdMs(range, c);
      expect(hold).toBeGreaterThanOrEqual(min);
      expect(hold).toBeLessThanOrEqual(min + extra);
      expect(holdMs(range, c + 1)).toBeLessThanOrEqual(hold);
    }),
  );
});
