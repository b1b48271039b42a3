import { expect, test } from "vitest";
import { createDraw, treatRequest } from "./misbehaviour.ts";

const never = (): number => {
  throw new Error("only the random fault draws");
};

test.each([0, 999, 2_000, 1_763_800_000_500])("alternate passes in the even second of %i ms and fails a second later", (even) => {
  expect(treatRequest({ fault: "alternate" }, even, never)).toEqual({ kind: "answer" });
  expect(treatRequest({ fault: "alternate" }, even + 1_000, never)).toEqual({ kind: "unavailable" });
});

test("random fails exactly the draws below its rate, so 0 never fails and 1 always does", () => {
  const kinds = (rate: number): string[] =>
    [0, 0.2999, 0.3, 0.9999].map((drawn) => treatRequest({ fault: "random", rate, seed: 1 }, 0, () => drawn).kind);
  expect(kinds(0.3)).toEqual(["unavailable", "unavailable", "answer", "answer"]);
  expect(new Set(kinds(0))).toEqual(new Set(["answer"]));
  expect(new Set(kinds(1))).toEqual(new Set(["unavailable"]));
});

test("a seed gives one sequence, another seed another, all in [0, 1) and evenly spread", () => {
  const take = (seed: number): number[] => {
    const draw = createDraw(seed);
    return Array.from({ length: 10_000 }, draw);
  };
  const drawn = take(1);
  expect(take(1)).toEqual(drawn);
  expect(take(2)).not.toEqual(drawn);
  expect(drawn.every((number) => number >= 0 && number < 1)).toBe(true);
  for (let tenth = 0; tenth < 10; tenth++) {
    const share = drawn.filter((number) => Math.floor(number * 10) === tenth).length / drawn.length;
    expect(share).toBeGreaterThan(0.085);
    expect(share).toBeLessThan(0.115);
  }
});

test("a healthy region answers, whatever the clock says", () => {
  expect(treatRequest(undefined, 1_000, never)).toEqual({ kind: "answer" });
});
