/** The expressions are PromQL that says what the rule says: read back by a reader of the part of the language that is written. */
import type { AlertRule } from "@regent/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { exampleRule } from "../../ports/suites/alert-store.suite.ts";
import { rulesInForce } from "./rules-in-force.ts";
import { toExpression, toPrometheusRules } from "./to-prometheus.ts";

interface Read {
  readonly call: "absent" | "increase" | "quantile" | "value";
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly seconds: number | null;
  readonly quantile: number | null;
  readonly bound: string | null;
}

/** Tokens of PromQL's lexer, as far as rules use them; throws at anything else. */
const TOKENS =
  /\s*(?:(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)|(?<text>"(?:[^"\\\n]|\\["\\n])*")|(?<range>\[[0-9]+s\])|(?<number>-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)|(?<op>[<>=!]=|[<>=(){},]))/y;

const readExpression = (expression: string): Read => {
  const tokens: string[] = [];
  TOKENS.lastIndex = 0;
  while (TOKENS.lastIndex < expression.length) {
    const at = TOKENS.lastIndex;
    const found = TOKENS.exec(expression);
    if (!found) throw new Error(`not PromQL at ${at}: ${expression.slice(at)}`);
    tokens.push(found[0].trim());
  }
  const take = (wanted?: string): string => {
    const token = tokens.shift();
    if (token === undefined || (wanted !== undefined && token !== wanted)) throw new Error(`${wanted} wanted, ${token} found`);
    return token;
  };
  const selector = () => {
    const metric = take();
    const labels: Record<string, string> = {};
    if (tokens[0] === "{") {
      take("{");
      for (;;) {
        const label = take();
        take("=");
        labels[label] = JSON.parse(take()) as string;
        if (take() === "}") break;
      }
    }
    const range = tokens[0]?.startsWith("[") ? Number(take().slice(1, -2)) : null;
    return { metric, labels, seconds: range };
  };
  const bound = (): string => {
    const text = `${take()} ${take()}`;
    if (tokens.length > 0) throw new Error(`more: ${tokens.join(" ")}`);
    return text;
  };
  const [first, second] = tokens;
  if (second !== "(") return { call: "value", ...selector(), quantile: null, bound: bound() };
  take();
  take("(");
  if (first === "absent") {
    const of = selector();
    take(")");
    if (tokens.length > 0) throw new Error(`more: ${tokens.join(" ")}`);
    return { call: "absent", ...of, quantile: null, bound: null };
  }
  if (first === "increase") {
    const of = selector();
    take(")");
    return { call: "increase", ...of, quantile: null, bound: bound() };
  }
  if (first !== "histogram_quantile") throw new Error(`unknown function ${first}`);
  const quantile = Number(take());
  for (const token of [",", "rate", "("]) take(token);
  const of = selector();
  for (const token of [")", ")"]) take(token);
  return { call: "quantile", ...of, quantile, bound: bound() };
};

const expected = ({ metric, labels, condition, window, quantile }: AlertRule): Read => ({
  call: condition === null ? "absent" : quantile !== null ? "quantile" : window !== null ? "increase" : "value",
  metric: quantile === null ? metric : `${metric}_bucket`,
  labels,
  seconds: window,
  quantile,
  bound: condition === null ? null : `${condition.op} ${condition.value}`,
});

test.each(rulesInForce([], []))("$id is read as it was meant", (rule) => {
  expect(readExpression(toExpression(rule))).toEqual(expected(rule));
});

test("any rule is read as it was meant, whatever its labels hold", () => {
  const text = fc.string({ maxLength: 20, unit: "grapheme" }).filter((each) => !/[\p{Cc}\p{Cs}]/u.test(each));
  const kind = fc.constantFrom("gauge", "counter", "histogram", "absent");
  const labels = fc.dictionary(fc.constantFrom("lane", "door", "agent"), text);
  const condition = fc.record({
    op: fc.constantFrom(">" as const, ">=" as const, "<" as const, "<=" as const, "==" as const, "!=" as const),
    value: fc.oneof(
      fc.integer(),
      fc.double({ noNaN: true, min: -1e15, max: 1e15 }).map((value) => value + 0),
    ),
  });
  fc.assert(
    fc.property(kind, labels, condition, fc.integer({ min: 10, max: 3_600 }), (of, own, bound, window) => {
      const rule = exampleRule({
        labels: { ...own },
        condition: of === "absent" ? null : bound,
        absent: of === "absent",
        window: of === "counter" || of === "histogram" ? window : null,
        quantile: of === "histogram" ? 0.95 : null,
      });
      expect(readExpression(toExpression(rule))).toEqual(expected(rule));
    }),
  );
});

test("the file is YAML whose texts are whole, whatever a title holds", () => {
  const title = 'a "quoted": title # with {all} of \\ it';
  const rules = rulesInForce(
    [{ id: "queue-long", metric: "regent_lane_waiting", condition: { op: ">", value: 1 }, for: 5, severity: "info", title }],
    [],
  );
  const [group] = parse(toPrometheusRules(rules)).groups;
  expect(group.rules).toHaveLength(rules.length);
  expect(group.rules.at(-1)).toEqual({
    alert: "RegentQueueLong",
    expr: "regent_lane_waiting > 1",
    for: "5s",
    keep_firing_for: "60s",
    labels: { severity: "info", rule: "queue-long" },
    annotations: { summary: title },
  });
  expect(new Set(group.rules.map(({ alert }: { alert: string }) => alert)).size).toBe(rules.length);
});

test.each(["null", "1e5", "true", "0x10"])("the id %s stays text", (id) => {
  const setting = {
    id,
    metric: "regent_lane_waiting",
    condition: { op: ">" as const, value: 1 },
    for: 5,
    severity: "info" as const,
  };
  const [group] = parse(toPrometheusRules(rulesInForce([setting], []))).groups;
  expect(group.rules.at(-1).labels.rule).toBe(id);
});

test("without a rule that is on, the file has no group", () => {
  expect(parse(toPrometheusRules([]))).toEqual({ groups: [] });
});
