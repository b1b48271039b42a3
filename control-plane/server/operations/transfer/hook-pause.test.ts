/** Pauses before the hook is asked: every lease first, then growing ones after failures, and none for what goes well. */
import { expect, test } from "vitest";
import { exampleTransfer } from "../../ports/suites/examples.ts";
import { createHookPause } from "./hook-pause.ts";

const start = (random = () => 1) => {
  let at = 5_000;
  const pause = createHookPause({ clock: { monotonic: () => at }, random });
  const transfer = exampleTransfer({ hook: { ...exampleTransfer().hook, attempts: 0 } });
  return { pause, transfer, asked: { ...transfer, hook: { ...transfer.hook, attempts: 1 } }, elapse: (ms: number) => (at += ms) };
};

test("the first call waits for the lease since the transfer was first seen, and is asked about again without waiting longer", () => {
  const { pause, transfer, elapse } = start();
  pause.note(transfer);
  elapse(4_000);
  expect(pause.waitMs(transfer, 10_000)).toBe(6_000);
  elapse(6_000);
  expect(pause.waitMs(transfer, 10_000)).toBe(0);
});

test("who leads anew knows of no earlier moment and waits anew, unless the hook was asked already", () => {
  const { pause, transfer, asked, elapse } = start();
  pause.note(transfer);
  elapse(9_000);
  pause.forget();
  expect(pause.waitMs(transfer, 10_000)).toBe(10_000);
  expect(pause.waitMs(asked, 10_000)).toBe(0);
});

test.each([
  ["the longest", () => 1, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]],
  ["the shortest", () => 0, [500, 1_000, 2_000, 4_000, 5_000, 5_000]],
])("pauses grow with failures in a row, %s", (_, random, expected) => {
  const { pause, asked, elapse } = start(random);
  const pauses = expected.map(() => {
    pause.heard(asked.id, "failed");
    const ms = pause.waitMs(asked, 10_000);
    elapse(ms);
    return ms;
  });
  expect(pauses).toEqual(expected);
  pause.heard(asked.id, "working");
  expect(pause.waitMs(asked, 10_000)).toBe(0);
  pause.heard(asked.id, "failed");
  expect(pause.waitMs(asked, 10_000)).toBe(expected[0]);
});
