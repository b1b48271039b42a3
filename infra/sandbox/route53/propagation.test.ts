/** Laws of how changes travel to name servers. */
import { describe, expect, test } from "vitest";
import type { Records } from "./model.ts";
import { createTimeline, drawDelays, Propagation } from "./propagation.ts";

const version = (label: string): Records => new Map([[label, []]]);
const labelOf = (records: Records): string => [...records.keys()][0] ?? "";
const base = { isPinned: false };

describe("a change", () => {
  test("shows at each server after that server's delay, and is pending until the last", () => {
    const timeline = createTimeline(3, version("old"));
    timeline.push({ ...base, changeId: "C1", records: version("new"), submittedAt: 1_000, delaysMs: [0, 100, 200] });
    const seenAt = (now: number): string[] => [0, 1, 2].map((server) => labelOf(timeline.at(server, now)));
    expect(seenAt(1_000)).toEqual(["new", "old", "old"]);
    expect([seenAt(1_100), timeline.isPending("C1", 1_199)]).toEqual([["new", "new", "old"], true]);
    expect([seenAt(1_200), timeline.isPending("C1", 1_200)]).toEqual([["new", "new", "new"], false]);
  });
  test("never shows before an earlier one, however much faster it travels", () => {
    const timeline = createTimeline(1, version("old"));
    timeline.push({ ...base, changeId: "C1", records: version("one"), submittedAt: 0, delaysMs: [500] });
    timeline.push({ ...base, changeId: "C2", records: version("two"), submittedAt: 10, delaysMs: [0] });
    expect([labelOf(timeline.at(0, 499)), labelOf(timeline.at(0, 500))]).toEqual(["old", "two"]);
  });
  test("held back arrives when propagation is set anew, a pinned one only when it is released", () => {
    const timeline = createTimeline(2, version("old"));
    timeline.push({ ...base, changeId: "C1", records: version("one"), submittedAt: 0, delaysMs: [9_000, 9_000] });
    timeline.push({ changeId: "C2", records: version("two"), submittedAt: 0, delaysMs: [9_000, 9_000], isPinned: true });
    timeline.reschedule([10, 10], false);
    expect([timeline.isPending("C1", 10), timeline.isPending("C2", 10)]).toEqual([false, true]);
    timeline.reschedule([10, 10], true);
    expect([labelOf(timeline.at(1, 10)), timeline.isPending("C2", 10)]).toEqual(["two", false]);
  });
  test("after a thousand others is still seen by a server that was never asked in between", () => {
    const timeline = createTimeline(2, version("old"));
    for (let n = 0; n < 1_000; n++)
      timeline.push({ ...base, changeId: `C${n}`, records: version(`v${n}`), submittedAt: n, delaysMs: [0, n % 2] });
    expect([labelOf(timeline.at(0, 2_000)), labelOf(timeline.at(1, 2_000)), timeline.isPending("C999", 2_000)]).toEqual([
      "v999",
      "v999",
      false,
    ]);
  });
});

test("delays are drawn from their range, or given server by server", () => {
  const drawn = drawDelays({ minMs: 50, maxMs: 300 }, 4, () => 0.5);
  expect(drawn).toEqual([175, 175, 175, 175]);
  expect(drawDelays({ perServerMs: [1, 2] }, 4, Math.random)).toEqual([1, 2, 2, 2]);
  expect(Propagation.safeParse({ minMs: 5, maxMs: 1 }).success).toBe(false);
});
