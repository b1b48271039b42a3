/** What a person may write as an alert rule, what is filled in, and what is refused with which words. */
import { AlertRuleRequest, AlertSetting } from "@regent/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rulesInForce, toRule } from "../../operations/alerting/rules-in-force.ts";
import { DEFAULT_RULES } from "./default-rules.ts";
import { findMetric, METRICS } from "./metric-catalogue.ts";
import { resolveRule } from "./resolve-rule.ts";
import { toAlertKey } from "./series-text.ts";

const OWN = {
  id: "queue-long",
  metric: "regent_lane_waiting",
  condition: { op: ">", value: 10 },
  for: 60,
  severity: "info",
} as const;

const ruleOf = (setting: object) => {
  const resolved = resolveRule(AlertSetting.parse(setting));
  if (resolved.kind !== "rule") throw new Error(JSON.stringify(resolved.problems));
  return resolved.rule;
};
const problemsOf = (setting: object): string[] => {
  const resolved = resolveRule(AlertSetting.parse(setting));
  if (resolved.kind !== "invalid") return [];
  return resolved.problems.map(({ path, message, suggestion }) =>
    [path.join("."), message, suggestion].filter(Boolean).join(": "),
  );
};

describe("a setting", () => {
  test("of a shipped rule differs in what it says, and is as shipped in all else", () => {
    const [shipped] = DEFAULT_RULES;
    const { why: _, ...rule } = shipped ?? { why: "" };
    expect(ruleOf({ id: "agents-missing" })).toEqual(rule);
    expect(ruleOf({ id: "agents-missing", for: 600, isOn: false })).toEqual({ ...rule, for: 600, isOn: false });
  });

  test("of another metric than the shipped rule takes neither its labels, nor its bound, nor its title", () => {
    const rule = ruleOf({ id: "agents-missing", metric: "regent_dead_letters", condition: { op: ">", value: 3 } });
    expect(rule).toMatchObject({ labels: {}, title: "regent_dead_letters > 3", severity: "warning", for: 120 });
    expect(problemsOf({ id: "agents-missing", metric: "regent_dead_letters" })).toEqual([
      '"condition" is missing, or `absent: true`: the shipped rule is about regent_agents',
    ]);
  });

  test("of one's own gets a title from what it says", () => {
    expect(ruleOf(OWN)).toMatchObject({ title: "regent_lane_waiting > 10", isOn: true, notifiers: null, window: null });
    const counter = { ...OWN, metric: "regent_refusals_total", labels: { door: "reports" }, window: 60 };
    expect(ruleOf(counter).title).toBe('growth of regent_refusals_total{door="reports"} within 60 s > 10');
    const { condition: _, ...absent } = { ...OWN, absent: true };
    expect(ruleOf(absent)).toMatchObject({ condition: null, title: "regent_lane_waiting is absent" });
  });

  test.each<readonly [object, readonly string[]]>([
    [{ id: "x" }, ["metric", "condition", "for", "severity"].map((key) => `"${key}" is missing`)],
    [
      { ...OWN, metric: "regent_lane_waitin" },
      ['metric: unknown metric "regent_lane_waitin": did you mean "regent_lane_waiting"?'],
    ],
    [{ ...OWN, metric: "agents_silent" }, ['metric: unknown metric "agents_silent": near: regent_agents']],
    [{ ...OWN, metric: "zzz" }, ['metric: unknown metric "zzz"']],
    [{ ...OWN, metric: "toString" }, ['metric: unknown metric "toString"']],
    [{ ...OWN, labels: { lan: "live" } }, ['labels.lan: regent_lane_waiting has no label "lan": did you mean "lane"?']],
    [{ ...OWN, metric: "regent_dead_letters", labels: { kind: "x" } }, ["labels.kind: regent_dead_letters has no labels"]],
    [{ ...OWN, window: 60 }, ["window: regent_lane_waiting is a gauge and has no window"]],
    [{ ...OWN, metric: "regent_refusals_total" }, ['"window" is missing: regent_refusals_total is a counter']],
    [
      { ...OWN, metric: "regent_refusals_total", window: 60, quantile: 0.9 },
      ["quantile: regent_refusals_total is a counter and has no"],
    ],
    [{ ...OWN, metric: "regent_look_seconds", window: 60 }, ['"quantile" is missing: regent_look_seconds is a histogram']],
    [{ ...OWN, absent: true }, ["condition: a rule that fires when a series is absent has no condition"]],
  ])("%j is refused", (setting, words) => {
    const problems = problemsOf(setting);
    expect(problems).toHaveLength(words.length);
    for (const [i, word] of words.entries()) expect(problems[i]).toContain(word);
  });

  test.each([
    { id: "Upper" },
    { id: "x".repeat(49) },
    { id: "x", for: -1 },
    { id: "x", for: 86_401 },
    { id: "x", window: 9 },
    { id: "x", quantile: 0.3 },
    { id: "x", condition: { op: "=~", value: 1 } },
    { id: "x", condition: { op: ">", value: Number.POSITIVE_INFINITY } },
    { id: "x", labels: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`l${i}`, "x"])) },
    { id: "x", labels: { "a-b": "x" } },
    { id: "x", title: "two\nlines" },
    { id: "x", notifiers: [] },
    { id: "x", severty: "info" },
  ])("%j has no such shape", (setting) => {
    expect(AlertSetting.safeParse(setting).success).toBe(false);
  });

  test("of any shape that is taken resolves or is refused, and what resolved resolves to itself", () => {
    const arbitrary = fc.record(
      {
        id: fc.constantFrom("queue-long", ...DEFAULT_RULES.map(({ id }) => id)),
        metric: fc.constantFrom("none", "constructor", ...Object.keys(METRICS)),
        labels: fc.dictionary(fc.constantFrom("lane", "agent", "state", "door"), fc.stringMatching(/^[ -~]{0,9}$/)),
        condition: fc.record({ op: fc.constantFrom(">", "<", "=="), value: fc.integer() }),
        window: fc.integer({ min: 10, max: 3_600 }),
        quantile: fc.constantFrom(0.5, 0.9),
        absent: fc.boolean(),
        for: fc.nat(86_400),
        severity: fc.constantFrom("critical", "warning", "info"),
        isOn: fc.boolean(),
      },
      { requiredKeys: ["id"] },
    );
    fc.assert(
      fc.property(arbitrary, (setting) => {
        const resolved = resolveRule(AlertSetting.parse(setting));
        if (resolved.kind === "invalid") {
          expect(resolved.problems.length).toBeGreaterThan(0);
          return;
        }
        const { notifiers: _, condition, window, quantile, ...rule } = resolved.rule;
        const again = {
          ...rule,
          ...(condition === null ? {} : { condition }),
          ...(window === null ? {} : { window }),
          ...(quantile === null ? {} : { quantile }),
        };
        expect(resolveRule(AlertSetting.parse(again))).toEqual(resolved);
      }),
    );
  });
});

describe("the shipped rules", () => {
  test("are as whoever writes rules would have to write them", () => {
    for (const { why, notifiers: _, condition, window, quantile, ...rule } of DEFAULT_RULES) {
      const setting = {
        ...rule,
        id: `my-${rule.id}`,
        ...(condition === null ? {} : { condition }),
        ...(window === null ? {} : { window }),
        ...(quantile === null ? {} : { quantile }),
      };
      expect(problemsOf(setting)).toEqual([]);
      expect(why.length).toBeGreaterThan(20);
    }
  });

  test("are 8 to 14, each with an id and a cause of its own", () => {
    expect(DEFAULT_RULES.length).toBeGreaterThanOrEqual(8);
    expect(DEFAULT_RULES.length).toBeLessThanOrEqual(14);
    const causes = DEFAULT_RULES.map(({ metric, labels }) => toAlertKey(metric, labels));
    expect(new Set(causes).size).toBe(causes.length);
    expect(new Set(DEFAULT_RULES.map(({ id }) => id)).size).toBe(DEFAULT_RULES.length);
  });
});

describe("the rules in force", () => {
  const find = (id: string, ...of: Parameters<typeof rulesInForce>) => rulesInForce(...of).find((rule) => rule.id === id);

  test("are the shipped ones where nobody said anything", () => {
    expect(rulesInForce([], []).map(({ id, source, version }) => [id, source, version])).toEqual(
      DEFAULT_RULES.map(({ id }) => [id, "default", 0]),
    );
  });

  test("take the declaration before the API, and both before what is shipped", () => {
    const byApi = [{ version: 4, setting: { id: "agents-missing", for: 7 } }];
    expect(find("agents-missing", [], byApi)).toMatchObject({ source: "api", for: 7, version: 4 });
    const byFile = [{ id: "agents-missing", severity: "info" as const }];
    expect(find("agents-missing", byFile, byApi)).toMatchObject({
      source: "declaration",
      for: 120,
      severity: "info",
      version: 4,
      setting: { for: 7 },
    });
  });

  test("show a rule of a metric that is no more, and why it says nothing", () => {
    const rule = find("old", [], [{ version: 1, setting: { ...OWN, id: "old", metric: "regent_gone" } }]);
    expect(rule).toMatchObject({ metric: "regent_gone", problem: 'unknown metric "regent_gone"' });
    expect(Object.keys(toRule(rule ?? ({} as never)))).not.toContain("problem");
  });
});

test("every series of every metric has a key that the database takes, and no two have the same", () => {
  const long = (name: string): string => `${name}-${"x".repeat(60)}`;
  for (const name of Object.keys(METRICS)) {
    const labels = Object.fromEntries((findMetric(name)?.labels ?? []).map((label) => [label, long(label)]));
    const key = toAlertKey("r".repeat(48), labels);
    expect(key.length).toBeLessThanOrEqual(200);
  }
  const other = { a: "x".repeat(250), b: "1" };
  expect(toAlertKey("r", other)).toHaveLength(200);
  expect(toAlertKey("r", other)).not.toBe(toAlertKey("r", { ...other, b: "2" }));
});

test("a request by API has the fields of a setting, a version and a reason", () => {
  const request = { for: 5, expectedVersion: 0, reason: "a try" };
  expect(AlertRuleRequest.parse(request)).toEqual(request);
  for (const bad of [
    { ...request, id: "x" },
    { ...request, reason: "x" },
    { for: 5, reason: "a try" },
  ])
    expect(AlertRuleRequest.safeParse(bad).success).toBe(false);
});
