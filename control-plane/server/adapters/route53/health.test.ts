import { describe, expect, test } from "vitest";
import { createHealthReader, isHealthyByCheckers, toHealth } from "./health.ts";

const checkers = (passes: number, fails: number) => [
  ...Array.from({ length: passes }, () => ({ StatusReport: { Status: "Success: HTTP Status Code 200, OK" } })),
  ...Array.from({ length: fails }, () => ({ StatusReport: { Status: "Failure: Connection timed out" } })),
];

describe("health by checkers", () => {
  test.for([
    [16, 0, true],
    [3, 13, true],
    [18, 82, false],
    [19, 81, true],
    [0, 16, false],
    [0, 0, null],
  ] as const)("%i that pass and %i that fail are %s", ([passes, fails, healthy]) =>
    expect(isHealthyByCheckers(checkers(passes, fails))).toBe(healthy),
  );

  test("a disabled check is healthy, an inverted one the opposite, and one without checkers unknown", () => {
    expect(toHealth({ Type: "HTTP", Disabled: true }, checkers(0, 5))).toBe(true);
    expect(toHealth({ Type: "HTTP", Inverted: true }, checkers(5, 0))).toBe(false);
    expect(toHealth({ Type: "HTTP", Disabled: true, Inverted: true }, checkers(5, 0))).toBe(false);
    expect(toHealth({ Type: "CALCULATED" }, checkers(5, 0))).toBe(null);
  });
});

const testReader = () => {
  const world = { now: 0, asked: [] as string[], isUp: true, isReachable: true };
  const read = createHealthReader({
    monotonic: () => world.now,
    readConfig: async () => (world.isReachable ? { Type: "TCP" } : null),
    readObservations: async (id) => {
      world.asked.push(id);
      return world.isReachable ? checkers(world.isUp ? 4 : 0, 4) : null;
    },
  });
  return { world, read };
};

describe("the cached reader", () => {
  test("asks a burst of four, then one a second, the oldest first, and says null for what it never asked", async () => {
    const { world, read } = testReader();
    const ids = ["a", "b", "c", "d", "e", "f"];
    expect(await read(ids)).toEqual({ a: true, b: true, c: true, d: true, e: null, f: null });
    world.now = 2_000;
    expect(await read(ids)).toEqual({ a: true, b: true, c: true, d: true, e: true, f: true });
    expect(world.asked).toEqual(ids);
  });

  test("asks once for calls at the same time, and again when the answer is 10 s old", async () => {
    const { world, read } = testReader();
    await Promise.all([read(["a"]), read(["a", "a"])]);
    world.isUp = false;
    expect(await read(["a"])).toEqual({ a: true });
    world.now = 10_000;
    expect(await read(["a"])).toEqual({ a: false });
    expect(world.asked).toEqual(["a", "a"]);
  });

  test("keeps the last answer for two minutes without Route 53, then says null", async () => {
    const { world, read } = testReader();
    await read(["a"]);
    world.isReachable = false;
    world.now = 119_000;
    expect(await read(["a"])).toEqual({ a: true });
    world.now = 121_000;
    expect(await read(["a"])).toEqual({ a: null });
  });
});
