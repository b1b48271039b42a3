/** Declared maintenance: what is refused with its line, what is warned of, and what a review reads. */
import { describe, expect, test } from "vitest";
import { toDifference } from "./difference.ts";
import { testDeclaration, testErrors, testText } from "./testing/example.ts";

const withWindows = (...lines: string[]): string =>
  testText(["owner: small", `owner: small\nmaintenance:\n${lines.map((line) => `  - { ${line} }`).join("\n")}`]);
const disks = "id: disks, regions: [eu], reason: new disks";
const once = (from: string, to: string): string => `from: "${from}", to: "${to}"`;
const nightly = (time: string, minutes: number): string => `cron: "${time} * * *", minutes: ${minutes}, timeZone: Europe/Berlin`;

describe("a window is refused", () => {
  test.each([
    [
      "of an unknown region",
      "id: a, regions: [mars], reason: new disks, cron: 0 3 * * *, minutes: 60, timeZone: UTC",
      "regions[0]: unknown region",
    ],
    ["of an unknown service", `${disks}, services: [wwww], ${nightly("0 3", 60)}`, "services[0]: unknown service"],
    ["that ends before it begins", `${disks}, ${once("2026-12-02T03:00Z", "2026-12-01T03:00Z")}`, "to: it ends before it begins"],
    ["of no length", `${disks}, ${once("2026-12-01T04:00+01:00", "2026-12-01T03:00Z")}`, "to: it ends before it begins"],
    [
      "of more than a week",
      `${disks}, ${once("2026-12-01T03:00Z", "2026-12-09T03:00Z")}`,
      "to: it lasts 8 days, at most 7 are allowed",
    ],
    ["without an offset", `${disks}, ${once("2026-12-01T03:00", "2026-12-02T03:00Z")}`, "from: "],
    ["on a day that isn't", `${disks}, ${once("2026-02-30T03:00Z", "2026-03-01T03:00Z")}`, "from: "],
    ["that is never", disks, 'maintenance "disks" says not when it is'],
    [
      "that is both once and again",
      `${disks}, ${once("2026-12-01T03:00Z", "2026-12-02T03:00Z")}, minutes: 5`,
      "says from, to, minutes; either",
    ],
    ["without its time zone", `${disks}, cron: 0 3 * * *, minutes: 60`, "says cron, minutes; either"],
    ["with an expression of six fields", `${disks}, cron: 0 0 3 * * *, minutes: 60, timeZone: UTC`, "cron: "],
    [
      "with an expression that can't be read",
      `${disks}, cron: 0 25 * * *, minutes: 60, timeZone: UTC`,
      "cron: Invalid value for hour: 25",
    ],
    [
      "with a zone that isn't",
      `${disks}, cron: 0 3 * * *, minutes: 60, timeZone: Europe/Berlim`,
      'timeZone: unknown time zone "Europe/Berlim"',
    ],
    [
      "that is longer than the time to the next",
      `${disks}, cron: 0 * * * *, minutes: 61, timeZone: UTC`,
      "minutes: 61 minutes are longer than the 60",
    ],
    ["without a reason", `id: a, regions: [eu], ${nightly("0 3", 60)}`, "reason: "],
  ])("%s", (_, line, told) => {
    const errors = testErrors(withWindows(line));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(told);
    expect(errors[0]).toMatch(/^4 maintenance\[0\]/);
  });

  test("that is declared twice", () => {
    const line = `${disks}, ${nightly("0 3", 60)}`;
    expect(testErrors(withWindows(line, line))).toEqual(['5 maintenance[1].id: maintenance "disks" is declared twice']);
  });
});

describe("windows that never end", () => {
  const every = (cron: string, minutes: number): string => `${disks}, cron: "${cron}", minutes: ${minutes}, timeZone: UTC`;

  test("are allowed, and warned of: traffic would leave for the next one before it came back", () => {
    const [told] = testDeclaration(withWindows(every("* * * * *", 1))).warnings;
    expect(told).toBe(
      "service www: maintenance disks never ends: 0 minutes lie between two windows at most, and traffic leaves 2.5 minutes before each",
    );
    expect(testDeclaration(withWindows(every("*/30 * * * *", 28))).warnings).toHaveLength(1);
    expect(testDeclaration(withWindows(every("*/30 * * * *", 27))).warnings).toEqual([]);
  });
});

describe("windows that leave a service no region", () => {
  const eu = (time: string): string => `id: eu-work, regions: [eu], reason: new disks, ${time}`;
  const us = (time: string): string => `id: us-work, regions: [us], reason: new disks, ${time}`;
  const warningsOf = (...lines: string[]): string[] => testDeclaration(withWindows(...lines)).warnings;
  const told = (at: string): string =>
    `service www: maintenance eu-work, us-work leaves no region, for the first time at ${at}: traffic stays where it is`;

  test.each([
    [
      "once",
      eu(once("2026-12-01T03:00Z", "2026-12-01T05:00Z")),
      us(once("2026-12-01T04:00Z", "2026-12-01T06:00Z")),
      "2026-12-01T03:57:30.000Z",
    ],
    ["again and again", eu(nightly("0 3", 60)), us(nightly("30 3", 60)), "2025-01-01T02:27:30.000Z"],
    ["one of both kinds", eu(nightly("0 3", 60)), us(once("2026-07-01T01:30Z", "2026-07-01T05:00Z")), "2026-07-01T01:27:30.000Z"],
    [
      "one right after the other, as traffic leaves before a window",
      eu(once("2026-12-01T03:00Z", "2026-12-01T04:00Z")),
      us(once("2026-12-01T04:00Z", "2026-12-01T05:00Z")),
      "2026-12-01T03:57:30.000Z",
    ],
  ])("%s: warned of, with the first moment", (_, first, second, at) => {
    expect(warningsOf(first, second)).toEqual([told(at)]);
  });

  test.each([
    ["hours apart", eu(nightly("0 3", 60)), us(nightly("0 5", 60))],
    ["for other services", eu(nightly("0 3", 60)), us(nightly("0 3", 60)).replace("regions: [us]", "regions: [ap]")],
  ])("%s there is nothing to warn of", (_, first, second) => {
    expect(warningsOf(first, second)).toEqual([]);
  });

  test("both regions in one window", () => {
    expect(warningsOf(`id: all, regions: [eu, us], reason: new disks, ${nightly("0 3", 60)}`)).toEqual([
      "service www: maintenance all leaves no region, for the first time at 2025-01-01T01:57:30.000Z: traffic stays where it is",
    ]);
  });
});

test("a review reads what is added, changed and taken out", () => {
  const none = testDeclaration(testText()).declaration;
  const one = testDeclaration(withWindows(`${disks}, ${nightly("0 3", 60)}`)).declaration;
  const longer = testDeclaration(withWindows(`${disks}, ${nightly("0 3", 90)}`)).declaration;
  expect(toDifference(none, one)).toEqual(['maintenance disks: added, eu for 60 min at "0 3 * * *" Europe/Berlin']);
  expect(toDifference(one, longer)).toEqual(["maintenance disks: minutes: 60 -> 90"]);
  expect(toDifference(longer, none)).toEqual(["maintenance disks: removed; if it is in force, its regions recover and return"]);
});
