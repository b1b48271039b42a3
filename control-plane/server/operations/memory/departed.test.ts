/** Laws of a move that never arrived: nothing is remembered of it, and all of it again once it arrives after all. */
import type { Departure } from "@regent/engine";
import { expect, test } from "vitest";
import type { ServiceRecord } from "../../ports/decision-store.ts";
import { exampleChange } from "../../ports/suites/examples.ts";
import { withDeparture, withoutDeparture } from "./departed.ts";
import { emptyRecord } from "./ledger.ts";

const NOW = 1_795_000_000_000;

const departure = (at: number, more: Partial<Departure> = {}): Departure => ({
  at,
  left: ["eu"],
  received: ["us"],
  moved: 1,
  vantages: ["us/aws"],
  findings: ["web down (tcp_refused)"],
  ...more,
});

const recordOf = (departures: readonly Departure[], lastAutomaticFailoverAt: number | null): ServiceRecord => {
  const empty = emptyRecord("web");
  return { ...empty, traffic: { ...empty.traffic, departures, lastAutomaticFailoverAt } };
};

test("the departure of that moment goes, and the last failover is the one before that stands", () => {
  const voluntary = departure(NOW - 1_000, { left: [] });
  const record = recordOf([departure(NOW - 9_000), voluntary, departure(NOW)], NOW);
  const after = withoutDeparture(record, NOW).traffic;
  expect(after.departures).toEqual([departure(NOW - 9_000), voluntary]);
  expect(after.lastAutomaticFailoverAt).toBe(NOW - 9_000);
  expect(withoutDeparture(recordOf([departure(NOW)], NOW), NOW).traffic.lastAutomaticFailoverAt).toBeNull();
});

test("an older one that goes leaves the last failover, and another moment changes nothing", () => {
  const record = recordOf([departure(NOW - 9_000), departure(NOW)], NOW);
  expect(withoutDeparture(record, NOW - 9_000).traffic.lastAutomaticFailoverAt).toBe(NOW);
  expect(withoutDeparture(record, NOW + 1)).toBe(record);
});

const vote = { vantage: "us/aws", vote: "down", suspect: false, because: "web down (tcp_refused) since 03:11:56Z" };
const verdict = { region: "eu", verdict: "unhealthy", votes: [vote] };
const change = exampleChange({
  weightsBefore: { default: { eu: 255, us: 0 } },
  weightsAfter: { default: { eu: 0, us: 255 } },
  evidence: [verdict] as unknown as ReturnType<typeof exampleChange>["evidence"],
});

test("what arrives after all is remembered as it was, once, by its change", () => {
  const back = withDeparture(recordOf([], null), change, NOW);
  expect(back.traffic).toMatchObject({ departures: [departure(NOW)], lastAutomaticFailoverAt: NOW });
  expect(withDeparture(back, change, NOW)).toBe(back);
  expect(withDeparture(recordOf([], NOW + 5), change, NOW).traffic.lastAutomaticFailoverAt).toBe(NOW + 5);
});

test("neither an operator's move nor a return nor what nobody knows any more becomes a departure", () => {
  const record = recordOf([], null);
  expect(withDeparture(record, { ...change, actor: { kind: "operator", name: "ann" } }, NOW)).toBe(record);
  expect(withDeparture(record, { ...change, kind: "return" }, NOW)).toBe(record);
  expect(withDeparture(record, null, NOW)).toBe(record);
});
