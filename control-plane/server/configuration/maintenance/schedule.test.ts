/** When windows are, with clocks that are turned: Europe/Berlin skips 02:00 to 03:00 on 29 March 2026, and shows it twice on 25 October 2026. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findCronFault, occurrencesAfter, type Schedule, toSchedule } from "./schedule.ts";

const cron = (text: string, minutes: number, timeZone = "Europe/Berlin"): Extract<Schedule, { kind: "cron" }> => ({
  kind: "cron",
  cron: text,
  timeZone,
  lengthMs: minutes * 60_000,
});
const timesOf = (schedule: Schedule, after: string, count: number): string[] =>
  occurrencesAfter(schedule, Date.parse(after), count).map(({ from, to }) =>
    [from, to].map((at) => new Date(at).toISOString().slice(0, 16)).join(" "),
  );

describe("a cron window in Europe/Berlin", () => {
  test.each([
    [
      "at 02:30, which the clock skips in spring: at 03:00, the first moment after, for its whole length",
      cron("30 2 * * *", 60),
      "2026-03-28T12:00Z",
      ["2026-03-29T01:00 2026-03-29T02:00", "2026-03-30T00:30 2026-03-30T01:30"],
    ],
    [
      "at 02:30, which the clock shows twice in autumn: at the first, once, for an hour by a stopwatch",
      cron("30 2 * * *", 60),
      "2026-10-24T12:00Z",
      ["2026-10-25T00:30 2026-10-25T01:30", "2026-10-26T01:30 2026-10-26T02:30"],
    ],
    [
      "over the hour that is skipped: it lasts its minutes, and ends later on the clock",
      cron("30 1 * * *", 60),
      "2026-03-28T12:00Z",
      ["2026-03-29T00:30 2026-03-29T01:30", "2026-03-29T23:30 2026-03-30T00:30"],
    ],
    [
      "over the hour that comes twice: it ends earlier on the clock",
      cron("30 1 * * *", 120),
      "2026-10-24T12:00Z",
      ["2026-10-24T23:30 2026-10-25T01:30", "2026-10-26T00:30 2026-10-26T02:30"],
    ],
    [
      "every half hour of an hour that comes twice: in both",
      cron("*/30 2 * * *", 10),
      "2026-10-24T12:00Z",
      [
        "2026-10-25T00:00 2026-10-25T00:10",
        "2026-10-25T00:30 2026-10-25T00:40",
        "2026-10-25T01:00 2026-10-25T01:10",
        "2026-10-25T01:30 2026-10-25T01:40",
        "2026-10-26T01:00 2026-10-26T01:10",
      ],
    ],
    [
      "every half hour of an hour that is skipped: not on that day",
      cron("*/30 2 * * *", 10),
      "2026-03-28T12:00Z",
      ["2026-03-30T00:00 2026-03-30T00:10", "2026-03-30T00:30 2026-03-30T00:40"],
    ],
    [
      "on the first Sunday of a month",
      cron("0 3 * * SUN#1", 30),
      "2026-11-02T00:00Z",
      ["2026-12-06T02:00 2026-12-06T02:30", "2027-01-03T02:00 2027-01-03T02:30"],
    ],
    [
      "that is in force now is the first",
      cron("0 3 * * *", 120),
      "2026-12-01T03:59Z",
      ["2026-12-01T02:00 2026-12-01T04:00", "2026-12-02T02:00 2026-12-02T04:00"],
    ],
    ["that ends at this moment is over", cron("0 3 * * *", 120), "2026-12-01T04:00Z", ["2026-12-02T02:00 2026-12-02T04:00"]],
  ])("%s", (_, schedule, after, expected) => {
    expect(timesOf(schedule, after, expected.length)).toEqual(expected);
  });
});

test("the same time in another zone is another moment", () => {
  expect(timesOf(cron("0 3 * * *", 60, "America/New_York"), "2026-12-01T00:00Z", 1)).toEqual([
    "2026-12-01T08:00 2026-12-01T09:00",
  ]);
  expect(timesOf(cron("0 3 * * *", 60, "UTC"), "2026-12-01T00:00Z", 1)).toEqual(["2026-12-01T03:00 2026-12-01T04:00"]);
});

test("a window that comes once is gone when it is over", () => {
  const schedule = { kind: "once", from: 10, to: 20 } as const;
  expect(occurrencesAfter(schedule, 19, 5)).toEqual([{ from: 10, to: 20 }]);
  expect(occurrencesAfter(schedule, 20, 5)).toEqual([]);
});

test("law: windows come in order, none touches the one before, and the first ends after the moment that is asked about", () => {
  const moment = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2027, 11, 31) });
  const zone = fc.constantFrom("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC");
  const pattern = fc
    .tuple(fc.nat(59), fc.nat(23), fc.constantFrom("*", "SUN", "MON-FRI", "1,4"))
    .map(([minute, hour, days]) => `${minute} ${hour} * * ${days}`);
  fc.assert(
    fc.property(pattern, zone, moment, fc.integer({ min: 1, max: 22 * 60 }), (text, timeZone, at, minutes) => {
      const found = occurrencesAfter(cron(text, minutes, timeZone), at, 4);
      expect(found).toHaveLength(4);
      expect(found[0]?.to).toBeGreaterThan(at);
      for (const [i, { from, to }] of found.entries()) {
        expect(to - from).toBe(minutes * 60_000);
        if (i > 0) expect(from).toBeGreaterThanOrEqual(found[i - 1]?.to ?? 0);
      }
      // What is asked about a moment later is what was known, or what follows it.
      expect(occurrencesAfter(cron(text, minutes, timeZone), found[0]?.to ?? 0, 3)).toEqual(found.slice(1));
    }),
  );
});

describe("a cron expression is refused", () => {
  test.each([
    ["that can't be read", cron("61 3 * * *", 5), { about: "cron", why: "Invalid value for minute: 61" }],
    ["that never comes", cron("0 3 30 2 *", 5), { about: "cron", why: '"0 3 30 2 *" never comes' }],
    [
      "in a zone that isn't known",
      cron("0 3 * * *", 5, "Mars/Phobos"),
      { about: "timeZone", why: 'unknown time zone "Mars/Phobos"' },
    ],
    [
      "whose windows would run into each other",
      cron("0 */2 * * *", 121),
      { about: "minutes", why: "121 minutes are longer than the 120 minutes from one beginning to the next" },
    ],
    [
      "whose windows would run into each other on the day that has 23 hours only",
      cron("0 3 * * *", 1_440),
      { about: "minutes", why: "1440 minutes are longer than the 1380 minutes from one beginning to the next" },
    ],
  ])("%s", (_, schedule, fault) => {
    expect(findCronFault(schedule)).toEqual(fault);
  });

  test.each([
    cron("0 3 * * *", 1_380),
    cron("0 3 * * *", 1_440, "UTC"),
    cron("0 0 * * SUN", 7 * 1_440 - 60),
    cron("0 0 29 2 *", 60),
  ])("and %o isn't", (schedule) => {
    expect(findCronFault(schedule)).toBeNull();
  });
});

test("an entry says either when it is once, or when it comes again, and all of that", () => {
  const base = { id: "x", regions: ["eu"], reason: "new disks" };
  const once = { from: "2026-12-01T03:00+01:00", to: "2026-12-01T05:00+01:00" };
  const again = { cron: "0 3 * * *", minutes: 60, timeZone: "UTC" };
  expect(toSchedule({ ...base, ...once })).toEqual({
    kind: "once",
    from: Date.parse("2026-12-01T02:00Z"),
    to: Date.parse("2026-12-01T04:00Z"),
  });
  expect(toSchedule({ ...base, ...again })).toEqual({ kind: "cron", cron: "0 3 * * *", timeZone: "UTC", lengthMs: 3_600_000 });
  for (const parts of [
    {},
    { from: once.from },
    { ...once, ...again },
    { ...once, minutes: 60 },
    { cron: "0 3 * * *", minutes: 60 },
  ])
    expect(toSchedule({ ...base, ...parts })).toBeNull();
});
