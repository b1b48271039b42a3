/** Jumps of the database's clock, as a process notices them. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import type { ClockStep } from "../../ports/clock.ts";
import { createDatabaseClock, type DatabaseClock } from "./clock.ts";
import type { Database } from "./database.ts";

const HOUR_MS = 3_600_000;
let clock: DatabaseClock | null = null;
afterEach(() => {
  clock?.stop();
  vi.restoreAllMocks();
});

/** Answers as Postgres would whose clock is `aheadMs` ahead of ours. */
const fakeDatabase = (place: { aheadMs: number }): Database => {
  const send = async () => [{ now: Date.now() + place.aheadMs }];
  const urgent = (work: (sql: typeof send) => Promise<unknown>) => work(send);
  return { urgent } as unknown as Database;
};

test.for([HOUR_MS, -HOUR_MS])(
  "a jump of %i ms is followed and told once, and what surely has passed doesn't jump ahead",
  async (byMs) => {
    const place = { aheadMs: 0 };
    const steps: ClockStep[] = [];
    clock = createDatabaseClock(fakeDatabase(place), 10);
    clock.onStep((step) => steps.push(step));
    await clock.start();
    expect(clock.lastStep()).toBeNull();
    const before = clock.now();
    place.aheadMs = byMs;
    await vi.waitFor(() => expect(steps).toHaveLength(1));
    await sleep(60);
    expect(steps).toHaveLength(1);
    expect(Math.abs((steps[0]?.byMs ?? 0) - byMs)).toBeLessThan(500);
    expect(clock.lastStep()).toEqual(steps[0]);
    expect(Math.abs(clock.now() - before - byMs)).toBeLessThan(5_000);
    expect(clock.surelyPast()).toBeLessThanOrEqual(clock.now());
    expect(clock.surelyPast() - before).toBeLessThan(5_000);
  },
);

test("our own wall clock set ahead or back changes nothing that is believed of now", async () => {
  const wall = Date.now();
  clock = createDatabaseClock(
    {
      urgent: async (work: (send: unknown) => unknown) => work(async () => [{ now: 1_795_000_000_000 + performance.now() }]),
    } as unknown as Database,
    10,
  );
  await clock.start();
  const before = clock.now();
  for (const byMs of [HOUR_MS, -HOUR_MS]) {
    vi.spyOn(Date, "now").mockReturnValue(wall + byMs);
    await sleep(40);
    expect(clock.now() - before).toBeLessThan(5_000);
    expect(clock.now()).toBeGreaterThanOrEqual(before);
    expect(clock.lastStep()).toBeNull();
    expect(clock.surelyPast()).toBeLessThanOrEqual(clock.now());
  }
});
