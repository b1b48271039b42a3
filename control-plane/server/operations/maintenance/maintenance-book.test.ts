/** Which window is in force for which region of which service, from when on, and what is said of it. */
import { Declaration } from "@regent/contract";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { StoredWindow } from "../../ports/maintenance-store.ts";
import { createMaintenanceBook } from "./maintenance-book.ts";

const at = (time: string): number => Date.parse(`2026-12-01T${time}Z`);
const service = (id: string, more: object = {}) => ({
  id,
  name: `${id}.example.test`,
  zone: "example.test",
  strategy: { kind: "active-passive" },
  endpoints: ["eu", "us"].map((region) => ({ region, A: ["192.0.2.1"] })),
  checks: [{ id: "web", kind: "tcp", port: 80 }],
  ...more,
});
const declare = (maintenance: object[], services = [service("shop"), service("mail", { ttl: 300 })]): Declaration =>
  Declaration.parse({
    regent: 1,
    owner: "test",
    zones: [{ id: "Z1", name: "example.test" }],
    regions: [{ id: "eu" }, { id: "us" }],
    services,
    maintenance,
  });
const nightly = {
  id: "nightly",
  regions: ["eu"],
  reason: "new disks",
  cron: "0 3 * * *",
  minutes: 60,
  timeZone: "Europe/Berlin",
};
const planned = (window: Partial<StoredWindow> = {}): StoredWindow => ({
  id: "01JD8Z0000000000000000000A",
  from: at("12:00"),
  to: at("13:00"),
  regions: ["us"],
  services: null,
  by: "ann",
  reason: "new switches",
  plannedAt: at("00:00"),
  ...window,
});
const bookOf = (declaration: Declaration, stored: readonly StoredWindow[] = []) => {
  const book = createMaintenanceBook(() => declaration);
  book.keep(stored);
  return book;
};

describe("a region is in maintenance", () => {
  const { look } = bookOf(declare([nightly]));

  test.each([
    ["not before traffic must leave", "01:57:29", null, "01:57:30"],
    [
      "from the TTL and 120 s before the window on",
      "01:57:30",
      /^traffic leaves for the work from 2026-12-01 02:00:00Z until /,
      "02:00",
    ],
    [
      "in the window, which is named with whose it is, until when and why",
      "02:00",
      /^in maintenance until 2026-12-01 03:00:00Z \(window nightly of the configuration: new disks\)$/,
      "03:00",
    ],
    ["and not at its end", "03:00", null, "2026-12-02T01:57:30"],
  ])("%s", (_, time, why, edge) => {
    const found = look("shop", "eu", at(time));
    if (why === null) expect(found.why).toBeNull();
    else expect(found.why).toMatch(why);
    expect(found.nextEdgeAt).toBe(edge.includes("T") ? Date.parse(`${edge}Z`) : at(edge));
  });

  test("by the TTL of each service, and no other region is", () => {
    expect(look("mail", "eu", at("01:53:00")).why).not.toBeNull();
    expect(look("shop", "eu", at("01:53:00")).why).toBeNull();
    expect(look("shop", "us", at("02:30"))).toEqual({ why: null, nextEdgeAt: null });
  });

  test("of the named services only", () => {
    const one = bookOf(declare([{ ...nightly, services: ["mail"] }]));
    expect(one.look("mail", "eu", at("02:30")).why).not.toBeNull();
    expect(one.look("shop", "eu", at("02:30"))).toEqual({ why: null, nextEdgeAt: null });
  });

  test("a few seconds before where the profile is sandbox", () => {
    const quick = bookOf(declare([nightly], [service("shop", { profile: "sandbox" })]));
    expect(quick.look("shop", "eu", at("01:59:49.999")).why).toBeNull();
    expect(quick.look("shop", "eu", at("01:59:50")).why).not.toBeNull();
  });
});

describe("windows that lie over each other", () => {
  test("are one: the one that lasts longest is named, and the others counted", () => {
    const book = bookOf(declare([nightly]), [planned({ regions: ["eu"], from: at("02:30"), to: at("05:00") })]);
    const { why, nextEdgeAt } = book.look("shop", "eu", at("02:45"));
    expect(why).toBe(
      "in maintenance until 2026-12-01 05:00:00Z (window 01JD8Z0000000000000000000A of ann: new switches, and 1 more)",
    );
    expect(nextEdgeAt).toBe(at("03:00"));
    expect(book.look("shop", "eu", at("03:00")).why).toContain("until 2026-12-01 05:00:00Z");
  });
});

test("what is planned counts as soon as it is kept, and what is taken back no more", () => {
  const book = bookOf(declare([]));
  expect(book.look("shop", "us", at("12:30")).why).toBeNull();
  expect(book.keep([planned()])).toBe(true);
  expect(book.keep([planned()])).toBe(false);
  expect(book.look("shop", "us", at("12:30")).why).toContain("of ann: new switches");
  book.keep([]);
  expect(book.look("shop", "us", at("12:30")).why).toBeNull();
});

test("what is declared anew counts at once", () => {
  let declaration = declare([nightly]);
  const book = createMaintenanceBook(() => declaration);
  expect(book.look("shop", "eu", at("02:30")).why).not.toBeNull();
  declaration = declare([{ ...nightly, regions: ["us"] }]);
  expect(book.look("shop", "eu", at("02:30")).why).toBeNull();
  expect(book.look("shop", "us", at("02:30")).why).not.toBeNull();
});

test("nothing is in maintenance before anything is declared", () => {
  expect(createMaintenanceBook(() => null).look("shop", "eu", at("02:30"))).toEqual({ why: null, nextEdgeAt: null });
});

test("the list has each entry once, the first to begin in front, with what it does now", () => {
  const list = bookOf(declare([nightly]), [planned()]).list(at("01:58"));
  expect(list.map(({ id, source, state, from }) => [id, source, state, from])).toEqual([
    // For the longest TTL of its services traffic leaves since 01:53.
    ["nightly", "declared", "draining", at("02:00")],
    ["01JD8Z0000000000000000000A", "planned", "planned", at("12:00")],
  ]);
  expect(list[0]?.repeats).toEqual({ cron: "0 3 * * *", timeZone: "Europe/Berlin" });
});

test("law: nothing changes before the next edge, whatever was asked of the book before", () => {
  const moment = fc.integer({ min: at("00:00") - 200 * 86_400_000, max: at("00:00") + 400 * 86_400_000 });
  const declaration = declare([
    nightly,
    { ...nightly, id: "weekly", regions: ["eu", "us"], cron: "30 2 * * SUN", minutes: 300 },
    { id: "once", regions: ["us"], reason: "new disks", from: "2026-12-24T00:00Z", to: "2026-12-26T00:00Z" },
  ]);
  const used = bookOf(declaration, [planned()]);
  fc.assert(
    fc.property(moment, fc.constantFrom("eu", "us"), fc.double({ min: 0, max: 1, noNaN: true }), (now, region, part) => {
      const { why, nextEdgeAt } = used.look("shop", region, now);
      // A book that was never asked anything says the same.
      expect(bookOf(declaration, [planned()]).look("shop", region, now)).toEqual({ why, nextEdgeAt });
      if (nextEdgeAt === null) return;
      expect(nextEdgeAt).toBeGreaterThan(now);
      const between = Math.floor(now + (nextEdgeAt - 1 - now) * part);
      expect(used.look("shop", region, between).why).toBe(why);
      expect(used.look("shop", region, nextEdgeAt).why).not.toBe(why);
    }),
  );
});
