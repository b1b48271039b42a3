/** A service that can't be decided calls a person once, holds back no other, and alone is no sign that all is well. */
import type { ServiceSpec } from "@regent/engine";
import { pino } from "pino";
import { expect, test } from "vitest";
import { createMemoryDatabase } from "../adapters/memory/database.ts";
import { createLedger } from "../operations/memory/ledger.ts";
import { ulid } from "../ports/suites/examples.ts";
import { specOf } from "../testing/specs.ts";
import { createReconcileLoop, type LoopDeps } from "./reconcile-loop.ts";

const run = async (names: readonly string[]) => {
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const database = createMemoryDatabase({ clock, ids: { ulid } });
  const term = (await database.lease.acquire("one", 60_000, 0))?.term ?? 0;
  const specs = new Map<string, ServiceSpec>();
  for (const id of names) {
    const spec = specOf(id, "Z1");
    // As a bug of ours would be: something of this service alone can't be worked out.
    if (id.startsWith("bad"))
      Object.defineProperty(spec, "settings", {
        get: () => {
          throw new Error("a bug");
        },
      });
    specs.set(id, spec);
  }
  const ledger = createLedger({ store: database.decisions, holder: "one", specs: () => specs, onCommitted: () => {} });
  ledger.lead(term);
  const looks: number[] = [];
  const loop = createReconcileLoop({
    clock,
    ids: { ulid },
    ledger,
    cache: { refresh: async () => [] },
    log: pino({ level: "silent" }),
    specs: () => specs,
    configurationVersion: () => 1,
    judge: async () => new Map(),
    writerOf: () => ({ reconcile: async () => ({ retryMs: null }) }),
    isLeading: () => true,
    leadingSince: () => 0,
    agentsReleasedAt: () => null,
    onFenced: () => {},
    onLooked: ({ decided }: { readonly decided: number }) => looks.push(decided),
  } as unknown as LoopDeps);
  const told = async () =>
    (await database.decisions.readHistory({ limit: 50 })).events.map(({ service, kind, page }) => [service, kind, page]);
  loop.start();
  await expect.poll(told).not.toEqual([]);
  const before = looks.length;
  loop.wake();
  await expect.poll(() => looks.length).toBeGreaterThan(before);
  await loop.stop();
  return { told: await told(), looks };
};

test("it is told once, and the others are decided", async () => {
  const { told, looks } = await run(["bad", "good"]);
  expect(told).toEqual([["bad", "refused", true]]);
  expect(looks.every((decided) => decided === 1)).toBe(true);
});

test("where none can be decided, no look counts", async () => {
  const { told, looks } = await run(["bad", "bad2"]);
  expect(told.toSorted()).toEqual([
    ["bad", "refused", true],
    ["bad2", "refused", true],
  ]);
  expect(looks.every((decided) => decided === 0)).toBe(true);
});
