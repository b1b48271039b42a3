import { expect, test } from "vitest";
import { LAG_BREAK_MS, LAG_QUEUE_MS, LAG_THROTTLE_MS } from "../limits.ts";
import { type Pressure, toPressure } from "./pressure.ts";

test.each<[Pressure, number, Pressure]>([
  ["none", 0, "none"],
  ["none", LAG_QUEUE_MS - 1, "none"],
  ["none", LAG_QUEUE_MS, "queue"],
  ["none", LAG_THROTTLE_MS, "throttle"],
  ["none", LAG_BREAK_MS * 10, "break"],
  ["queue", LAG_QUEUE_MS / 2, "queue"],
  ["queue", LAG_QUEUE_MS / 2 - 1, "none"],
  ["break", LAG_BREAK_MS / 2, "break"],
  ["break", LAG_BREAK_MS / 2 - 1, "throttle"],
  ["break", 0, "none"],
])("%s with a lag of %d ms becomes %s", (before, lagMs, after) => {
  expect(toPressure(before, lagMs)).toBe(after);
});
