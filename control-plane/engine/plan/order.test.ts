import type { ChangeKind } from "@regent/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import { inOrder, isRescue, type Move, rankOf, urgencyOf } from "./order.ts";

const KINDS: readonly ChangeKind[] = [
  "create",
  "failover",
  "failback",
  "return",
  "rebalance",
  "configure",
  "drain",
  "undrain",
  "freeze",
  "unfreeze",
];
const automation = { kind: "automation", name: "regent" } as const;
const ada = { kind: "operator", name: "ada" } as const;

const move: fc.Arbitrary<Move> = fc.record({
  kind: fc.constantFrom(...KINDS),
  actor: fc.constantFrom(automation, ada),
});
const priority = fc.integer({ min: 1, max: 1_000 });
const moves = fc
  .array(fc.record({ move, priority }), { maxLength: 60 })
  .map((list) => list.map((each, at) => ({ ...each, at, rank: rankOf(each.move, each.priority) })));

test("departures and people's moves go first, then what is served better, then what stays the same", () => {
  const table = KINDS.map((kind) => [kind, urgencyOf({ kind, actor: automation }), urgencyOf({ kind, actor: ada })]);
  expect(table).toEqual([
    ["create", "upkeep", "upkeep"],
    ["failover", "rescue", "rescue"],
    ["failback", "recovery", "rescue"],
    ["return", "recovery", "rescue"],
    ["rebalance", "recovery", "rescue"],
    ["configure", "upkeep", "upkeep"],
    ["drain", "recovery", "rescue"],
    ["undrain", "recovery", "rescue"],
    ["freeze", "upkeep", "upkeep"],
    ["unfreeze", "upkeep", "upkeep"],
  ]);
});

test("the order keeps every move, once", () => {
  fc.assert(
    fc.property(moves, (list) => {
      expect([...inOrder(list)].sort((a, b) => a.at - b.at)).toEqual(list);
    }),
  );
});

test("nobody goes before one of a lower rank, and equals keep their order", () => {
  fc.assert(
    fc.property(moves, (list) => {
      const ordered = inOrder(list);
      for (const [index, next] of ordered.slice(1).entries()) {
        const before = ordered[index];
        if (!before) continue;
        expect(before.rank).toBeLessThanOrEqual(next.rank);
        if (before.rank === next.rank) expect(before.at).toBeLessThan(next.at);
      }
    }),
  );
});

test("no priority outweighs an urgency, and within one the lower number goes first", () => {
  fc.assert(
    fc.property(move, priority, move, priority, (one, first, other, second) => {
      const [a, b] = [rankOf(one, first), rankOf(other, second)];
      if (urgencyOf(one) === urgencyOf(other)) expect(Math.sign(a - b)).toBe(Math.sign(first - second));
      else if (urgencyOf(one) === "rescue") expect(a).toBeLessThan(b);
      expect(isRescue(a)).toBe(urgencyOf(one) === "rescue");
    }),
  );
});
