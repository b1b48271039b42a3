import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createZoneTurns } from "./zone-turns.ts";

test("one at a time, the most urgent of those who wait next, equals in the order of asking", async () => {
  const turns = createZoneTurns();
  const told: string[] = [];
  const work = (name: string) => async () => {
    told.push(`${name} begins`);
    await sleep(2);
    told.push(`${name} ends`);
  };
  const asked = [
    turns.take(20_100, work("configuration")),
    turns.take(20_100, work("freeze")),
    turns.take(100, work("failover")),
    turns.take(0, work("move")),
    turns.take(100, work("other failover")),
  ];
  expect([turns.count(), turns.nextRank()]).toEqual([5, 0]);
  await Promise.all(asked);
  expect(told.filter((each) => each.endsWith("begins")).map((each) => each.replace(" begins", ""))).toEqual([
    "configuration",
    "move",
    "failover",
    "other failover",
    "freeze",
  ]);
  expect(told.every((each, i) => each.endsWith(i % 2 === 0 ? "begins" : "ends"))).toBe(true);
});

test("work that throws tells its caller and ends its turn", async () => {
  const turns = createZoneTurns();
  const broken = turns.take(1, () => Promise.reject(new Error("no")));
  const next = turns.take(2, async () => "done");
  await expect(broken).rejects.toThrow("no");
  expect(await next).toBe("done");
});

test("idle when nobody is at work and nobody waits", async () => {
  const turns = createZoneTurns();
  await turns.idle();
  let isDone = false;
  void turns.take(1, () => sleep(5));
  void turns.take(2, async () => {
    await sleep(5);
    isDone = true;
  });
  await turns.idle();
  expect([isDone, turns.count(), turns.nextRank()]).toEqual([true, 0, Number.POSITIVE_INFINITY]);
});
