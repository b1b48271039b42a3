/** What stands in the way is told once, and so is its end. */
import type { Decision, ServiceSpec } from "@regent/engine";
import { pino } from "pino";
import { expect, test } from "vitest";
import type { HistoryEntry, ServiceRecord } from "../../ports/decision-store.ts";
import { type Draft, emptyRecord } from "../memory/ledger.ts";
import { tellStandstill, tellUndecided } from "./tell-standstill.ts";

const deps = { clock: { now: () => 1 }, ids: { ulid: () => "id" }, log: pino({ level: "silent" }) } as unknown as Parameters<
  typeof tellStandstill
>[0];

const openDraft = (lastRefusal: string | null = null) => {
  let record: ServiceRecord = { ...emptyRecord("shop"), lastRefusal };
  const told: HistoryEntry[] = [];
  const draft = {
    record: () => record,
    update: (_: string, change: (known: ServiceRecord) => ServiceRecord) => {
      record = change(record);
    },
    tell: (entry: HistoryEntry) => void told.push(entry),
  } as unknown as Draft;
  const decide = (failStatic: string | null) =>
    tellStandstill(
      deps,
      draft,
      { id: "shop" } as ServiceSpec,
      {
        proposal: null,
        rules: [],
        asks: [],
        failStatic,
        sentence: "all is well",
        trafficNow: record.traffic,
        controlsAfter: record.controls,
      } as unknown as Decision,
    );
  return { draft, decide, kinds: () => told.map(({ kind, page }) => [kind, page]), told };
};

test("a standstill is told once, and its end once", () => {
  const { decide, kinds, told } = openDraft();
  for (const failStatic of [null, "no region is fit", "no region is fit", null, null]) decide(failStatic);
  expect(kinds()).toEqual([
    ["fail-static", true],
    ["control", false],
  ]);
  expect(told[1]?.detail).toEqual({ standstill: "over" });
});

test("what only waited for an approval ends with its approval", () => {
  const { decide, kinds } = openDraft("failover eu A3:deny asks");
  decide(null);
  expect(kinds()).toEqual([]);
});

test("a service that can't be decided is told once, and over with its next decision", () => {
  const { draft, decide, kinds } = openDraft();
  tellUndecided(deps, draft, "shop");
  tellUndecided(deps, draft, "shop");
  decide(null);
  expect(kinds()).toEqual([
    ["refused", true],
    ["control", false],
  ]);
});
