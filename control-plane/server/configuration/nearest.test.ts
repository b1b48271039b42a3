import fc from "fast-check";
import { expect, test } from "vitest";
import { countEdits, findNearest, suggestNearest } from "./nearest.ts";

test.each([
  ["eu-wets", ["us-east", "eu-west"], "eu-west"],
  ["endpints", ["checks", "endpoints"], "endpoints"],
  ["Eu-West", ["eu-west"], "eu-west"],
  ["a9", ["A1", "A8", "A9", "mode"], "A9"],
  ["moed", ["A1", "A8", "A9", "mode"], "mode"],
  ["A7", ["A1", "A8", "A9", "mode"], undefined],
  ["mars", ["eu-west", "us-east"], undefined],
  ["", ["a"], undefined],
  ["x".repeat(1_000), ["x"], undefined],
])("the word nearest to %s of %j is %s", (word, known, nearest) => {
  expect(findNearest(word, known)).toBe(nearest);
});

test("a word that is known needs no suggestion", () => {
  expect(suggestNearest("eu", ["eu", "us"])).toBeUndefined();
  expect(suggestNearest("ue", ["eu"])).toBe('did you mean "eu"?');
});

test("edits count the same in both directions, are 0 only between equal words, and never exceed the longer word", () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const edits = countEdits(a, b);
      expect(edits).toBe(countEdits(b, a));
      expect(edits === 0).toBe(a === b);
      expect(edits).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
});
