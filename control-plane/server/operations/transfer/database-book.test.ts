/** What is seen of databases is remembered as long as it can't be seen again, and written down before a new leader needs it. */
import type { DatabaseView } from "@regent/engine";
import { seatAgents } from "@regent/engine/health/seats.ts";
import type { DatabaseEvidence } from "@regent/engine/stateful/see-databases.ts";
import { expect, test } from "vitest";
import { specOf } from "../../testing/specs.ts";
import { emptyRecord } from "../memory/ledger.ts";
import { areViewsOld, createDatabaseBook } from "./database-book.ts";

const NOW = 1_795_000_000_000;
const stateful = { check: "db", lagMaxMs: 5_000, leaseMs: 0, prepareMs: 1_000, roleMs: 1_000, hasHook: false };
const spec = { ...specOf("shop", "Z1"), stateful };
const vantage = { region: "us", network: "a" };

const setUp = () => {
  let rows: DatabaseEvidence[] = [];
  let at = NOW;
  const book = createDatabaseBook({
    seating: () => seatAgents([{ agent: "x", vantage, heardAt: at, selfHealthy: true, reportMs: 1_000 }]),
    databaseRowsOf: (service, region, check) =>
      rows.filter((row) => row.region === region && service === spec.id && check === "db"),
  });
  const see = (moment: number, walReceivers: number | null, record = emptyRecord(spec.id)): DatabaseView | undefined => {
    at = moment;
    const facts = { role: "standby", readOnly: true, walReceivers, lagSeconds: walReceivers ? 2 : null };
    rows = walReceivers === null ? [] : [{ agent: "x", vantage, region: "us", at: moment, facts, outcome: "ok", reason: null }];
    return book.see(spec, record, moment)[1];
  };
  return { book, see };
};

test("how far a standby was behind outlives the link, and when that was cut stays", () => {
  const { see } = setUp();
  see(NOW, 1);
  expect(see(NOW + 1_000, 0)).toMatchObject({ role: "standby", lagMs: 2_000, lagAt: NOW, linkLostAt: NOW + 1_000 });
  expect(see(NOW + 2_000, null)).toMatchObject({ role: "unseen", lagMs: 2_000, linkLostAt: NOW + 1_000 });
  expect(see(NOW + 3_000, 0)).toMatchObject({ linkLostAt: NOW + 1_000 });
});

test("who leads anew begins with what was written down, and not with what it saw before", () => {
  const { book, see } = setUp();
  const written = [see(NOW, 1), see(NOW + 1_000, 0)].flatMap((view) => view ?? []).slice(-1);
  book.forget();
  expect(see(NOW + 9_000, 0, { ...emptyRecord(spec.id), databases: written })).toMatchObject({
    lagAt: NOW,
    linkLostAt: NOW + 1_000,
  });
  book.forget();
  expect(see(NOW + 9_000, 0)).toMatchObject({ lagAt: null, linkLostAt: NOW + 9_000 });
});

test("a service without one writable place has no databases", () => {
  expect(setUp().book.see({ ...spec, stateful: null }, emptyRecord(spec.id), NOW)).toEqual([]);
});

const view: DatabaseView = { region: "r2", role: "standby", lagMs: 100, lagAt: NOW, linkLostAt: null, seenAt: NOW, why: "" };

test.each<[string, Partial<DatabaseView>, boolean]>([
  ["seen again, a little later", { seenAt: NOW + 900, lagAt: NOW + 900, lagMs: 300, why: "other" }, false],
  ["another role", { role: "writable" }, true],
  ["the link is cut", { linkLostAt: NOW }, true],
  ["further behind than allowed", { lagMs: 6_000 }, true],
  ["how far behind is told no more", { lagMs: null }, true],
  ["told a minute later", { lagAt: NOW + 60_000 }, true],
])("%s: is it written down again? %s", (_, changed, isOld) => {
  expect(areViewsOld([view], [{ ...view, ...changed }], stateful)).toBe(isOld);
});

test("the first sight, and one region more, are written down", () => {
  expect(areViewsOld([], [view], stateful)).toBe(true);
  expect(areViewsOld([view], [], stateful)).toBe(true);
  expect(areViewsOld([], [], null)).toBe(false);
});
