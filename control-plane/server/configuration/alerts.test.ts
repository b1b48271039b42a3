/** Alert rules of the declaration: what is refused with its place, and what a review says of a change. */
import { Declaration, type DeclarationInput } from "@regent/contract";
import { describe, expect, test } from "vitest";
import { checkDeclaration } from "./check-declaration.ts";
import { toDifference } from "./difference.ts";
import { parseDeclaration } from "./parse-declaration.ts";
import { toPathText } from "./problem-path.ts";

const BASE = {
  regent: 1,
  owner: "acme",
  zones: [{ id: "Z1", name: "example.net" }],
  regions: [{ id: "eu" }],
  notify: { notifiers: [{ id: "pager", kind: "pagerduty", secret: { env: "REGENT_SECRET_PAGER" } }] },
} as const satisfies DeclarationInput;
const QUEUE = {
  id: "queue-long",
  metric: "regent_lane_waiting",
  condition: { op: ">", value: 9 },
  for: 60,
  severity: "info",
} as const;

const problemsOf = (alerts: readonly object[]): string[] => {
  const checked = checkDeclaration({ ...BASE, alerts });
  if (checked.kind === "valid") return [];
  return checked.problems.map(({ path, message, suggestion }) =>
    [toPathText(path), message, ...(suggestion === undefined ? [] : [suggestion])].join(": "),
  );
};

describe("alerts", () => {
  test("of every kind are taken", () => {
    expect(
      problemsOf([
        { id: "agents-missing", for: 600 },
        { id: "clock-jumped", isOn: false },
        { ...QUEUE, severity: "warning", notifiers: ["pager"] },
        { id: "silent", metric: "regent_reports_total", labels: { agent: "eu-a" }, absent: true, for: 60, severity: "critical" },
      ]),
    ).toEqual([]);
  });

  test.each([
    [[{ id: "mine", for: 5 }], 'alerts[0]: "metric" is missing: no shipped rule has this id'],
    [[QUEUE, QUEUE], "queue-long"],
    [
      [{ ...QUEUE, metric: "regent_lane_wating" }],
      'alerts[0].metric: unknown metric "regent_lane_wating": did you mean "regent_lane_waiting"?',
    ],
    [[{ ...QUEUE, labels: { door: "x" } }], 'alerts[0].labels.door: regent_lane_waiting has no label "door": declared: lane'],
    [[{ ...QUEUE, notifiers: ["pagr"] }], 'alerts[0].notifiers[0]: unknown notifier "pagr": did you mean "pager"?'],
    [
      [{ ...QUEUE, severity: "info", notifiers: ["pager"] }],
      "alerts[0].notifiers: nobody would be told: severity info isn't among those of pager",
    ],
    [[{ ...QUEUE, severty: "info" }], 'alerts[0].severty: unknown key "severty": did you mean "severity"?'],
    [[{ ...QUEUE, condition: { op: "=>", value: 9 } }], "alerts[0].condition.op"],
    [Array.from({ length: 201 }, (_, i) => ({ ...QUEUE, id: `q${i}` })), "alerts: must have at most 200 entries, has 201"],
  ])("%j is refused at its place", (alerts, words) => {
    expect(problemsOf(alerts).join("\n")).toContain(words);
  });

  test("of a notifier that is itself in error aren't told twice", () => {
    const checked = checkDeclaration({
      ...BASE,
      notify: { notifiers: [{ id: "pager", kind: "pager" }] },
      alerts: [{ ...QUEUE, notifiers: ["pager"] }],
    });
    expect(checked.kind === "invalid" && checked.problems.map(({ path }) => path[0])).not.toContain("alerts");
  });

  test("are told by line", () => {
    const text =
      "regent: 1\nowner: acme\nzones: [{ id: Z1, name: example.net }]\nregions: [{ id: eu }]\nalerts:\n  - id: clock-jumped\n    metric: regent_clock_jumps\n";
    const parsed = parseDeclaration(text, "regent.yaml");
    expect(parsed.kind === "invalid" && parsed.errors).toMatchObject([{ path: "alerts[0].metric", line: 7 }]);
  });
});

test("a review says what becomes of each rule", () => {
  const of = (alerts?: DeclarationInput["alerts"]) => Declaration.parse(alerts === undefined ? BASE : { ...BASE, alerts });
  const lines = (before: DeclarationInput["alerts"], after: DeclarationInput["alerts"]) =>
    toDifference(of(before), of(after)).filter((line) => line.startsWith("alert rule"));
  expect(
    lines(undefined, [QUEUE, { id: "clock-jumped", isOn: false }, { id: "agents-missing", for: 9, severity: "info" }]),
  ).toEqual([
    "alert rule queue-long: added (regent_lane_waiting > 9)",
    "alert rule clock-jumped: off",
    "alert rule agents-missing: shipped, with its own for, severity",
  ]);
  expect(lines([QUEUE], [{ ...QUEUE, for: 61 }])).toEqual(["alert rule queue-long: for: 60 -> 61"]);
  expect(lines([QUEUE, { id: "clock-jumped", isOn: false }], undefined)).toEqual([
    "alert rule queue-long: removed; it ends, unless it was set by API too",
    "alert rule clock-jumped: removed; what is shipped counts again, or what was set by API",
  ]);
  expect(lines([QUEUE], [QUEUE])).toEqual([]);
});
