/** Laws of the pool's state, over any sequence of looks. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { POOL_THRESHOLDS } from "./limits.ts";
import { afterLook, createPoolHealth, type PoolHealth, type PoolLook } from "./pool-health.ts";

const GOOD: PoolLook = { hasAnswered: true, p95Ms: 2, isQueueing: false, held: 0 };
const SLOW: PoolLook = { ...GOOD, p95Ms: POOL_THRESHOLDS.slowMs + 1 };
const SILENT: PoolLook = { ...GOOD, hasAnswered: false };
const walk = (looks: readonly PoolLook[], from: PoolHealth = createPoolHealth(0)): PoolHealth =>
  looks.reduce((health, look, index) => afterLook(health, look, index + 1, POOL_THRESHOLDS), from);
const times = (count: number, look: PoolLook): PoolLook[] => Array.from({ length: count }, () => look);

test.each([
  ["one slow look changes nothing", [SLOW], "healthy"],
  ["two in a row do", [SLOW, SLOW], "degraded"],
  [
    "queueing and held work strain as slowness does",
    [
      { ...GOOD, isQueueing: true },
      { ...GOOD, held: 1 },
    ],
    "degraded",
  ],
  ["one silent look is believed at once", [SILENT], "degraded"],
  ["the second makes it unhealthy", [SILENT, SILENT], "unhealthy"],
  ["the first answer makes it recovering", [SILENT, SILENT, GOOD], "recovering"],
  ["and the third makes it healthy", [SILENT, SILENT, GOOD, GOOD, GOOD], "healthy"],
  ["a recovery that breaks off starts anew", [SILENT, SILENT, GOOD, GOOD, SILENT, GOOD, GOOD], "recovering"],
  ["a recovery that stays slow is degraded", [SILENT, SILENT, SLOW, SLOW], "degraded"],
  ["slow and good by turns neither hurts nor heals", [SLOW, SLOW, GOOD, SLOW, GOOD, SLOW, GOOD, GOOD], "degraded"],
] as const)("%s", (_, looks, state) => expect(walk(looks).state).toBe(state));

test("whatever came before: three good looks heal, two silent ones are unhealthy, and unhealthy is left by an answer alone", () => {
  const looks = fc.array(fc.constantFrom(GOOD, SLOW, SILENT), { maxLength: 40 });
  fc.assert(
    fc.property(looks, (before) => {
      const health = walk(before);
      expect(walk(times(2, SILENT), health).state).toBe("unhealthy");
      // From unhealthy the first good look is spent on recovering, and counts.
      expect(walk(times(3, GOOD), health).state).toBe("healthy");
      if (health.state === "unhealthy") {
        expect(walk([SILENT], health).state).toBe("unhealthy");
        expect(walk([GOOD], health).state).toBe("recovering");
      }
    }),
  );
});
