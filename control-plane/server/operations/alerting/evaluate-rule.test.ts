/** What a rule says of each kind of metric, and what it doesn't say. */
import type { AlertRule } from "@regent/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Sample } from "../../ports/metric-source.ts";
import { exampleRule } from "../../ports/suites/alert-store.suite.ts";
import { evaluateRule, holds } from "./evaluate-rule.ts";
import { createSampleBook } from "./sample-book.ts";
import { toSeries } from "./series.ts";

const at = (value: number, labels: Sample["labels"] = {}): Sample => ({ labels, value });

const seriesOf = ({ metric }: AlertRule, samples: readonly Sample[]) => toSeries(samples, metric === "regent_look_seconds");

/** Feeds one metric at these seconds and says what the rule finds at the last of them. */
const watch = (rule: AlertRule, rounds: readonly (readonly [seconds: number, samples: readonly Sample[]])[]) => {
  const book = createSampleBook();
  for (const [seconds, samples] of rounds)
    book.take(rule.metric, seriesOf(rule, samples), seconds * 1_000, (rule.window ?? 0) * 1_000);
  const [seconds, samples] = rounds.at(-1) ?? [0, []];
  return evaluateRule(rule, seriesOf(rule, samples), { book, atMs: seconds * 1_000 });
};

describe("a gauge", () => {
  test.each([
    [">", 1, [false, false, true]],
    [">=", 1, [false, true, true]],
    ["<", 1, [true, false, false]],
    ["<=", 1, [true, true, false]],
    ["==", 1, [false, true, false]],
    ["!=", 1, [true, false, true]],
  ] as const)("%s %d", (op, value, expected) => {
    expect([0, 1, 2].map((now) => holds({ op, value }, now))).toEqual(expected);
  });

  const rule = exampleRule({ condition: { op: ">", value: 10 } });

  test("is judged series by series, by the labels that the rule names", () => {
    const samples = [at(11, { lane: "live" }), at(9, { lane: "backlog" })];
    expect(watch(rule, [[0, samples]]).findings).toEqual([
      { labels: { lane: "backlog" }, value: 9, holds: false },
      { labels: { lane: "live" }, value: 11, holds: true },
    ]);
    expect(watch({ ...rule, labels: { lane: "live" } }, [[0, samples]]).findings).toHaveLength(1);
  });

  test("of which there is no series says nothing, and what is no number says nothing", () => {
    expect(watch(rule, [[0, []]]).findings).toEqual([]);
    expect(watch(rule, [[0, [at(Number.NaN)]]]).findings).toMatchObject([{ holds: null, value: null }]);
  });

  test("of more series than are looked at says how many it leaves out", () => {
    const samples = Array.from({ length: 1_003 }, (_, i) => at(11, { lane: `l${i}` }));
    const { findings, more } = watch(rule, [[0, samples]]);
    expect([findings.length, more]).toEqual([1_000, 3]);
  });

  test("that is to be absent fires when no series matches, and only then", () => {
    const absent = { ...rule, condition: null, absent: true, labels: { lane: "live" } };
    expect(watch(absent, [[0, []]]).findings).toEqual([{ labels: { lane: "live" }, value: null, holds: true }]);
    expect(watch(absent, [[0, [at(0, { lane: "live" })]]]).findings).toMatchObject([{ holds: false }]);
    expect(watch(absent, [[0, [at(0, { lane: "backlog" })]]]).findings).toMatchObject([{ holds: true }]);
  });
});

describe("a counter", () => {
  const rule = exampleRule({ metric: "regent_refusals_total", window: 60, condition: { op: ">", value: 5 } });
  const found = (rounds: readonly (readonly [number, number])[], of: AlertRule = rule) =>
    watch(
      of,
      rounds.map(([seconds, value]) => [seconds, [at(value)]] as const),
    ).findings[0];

  test("is judged by what it grew by within the window", () => {
    expect(
      found([
        [0, 100],
        [30, 103],
        [60, 104],
      ]),
    ).toMatchObject({ value: 4, holds: false });
    expect(
      found([
        [0, 100],
        [30, 103],
        [60, 106],
      ]),
    ).toMatchObject({ value: 6, holds: true });
    // What it grew by before the window's edge is over.
    expect(
      found([
        [0, 100],
        [30, 200],
        [90, 201],
      ]),
    ).toMatchObject({ value: 1, holds: false });
  });

  test("that began anew with its process counts from zero", () => {
    expect(
      found([
        [0, 100],
        [30, 2],
        [60, 4],
      ]),
    ).toMatchObject({ value: 4, holds: false });
    expect(
      found([
        [0, 100],
        [30, 4],
        [60, 7],
      ]),
    ).toMatchObject({ value: 7, holds: true });
  });

  test("that wasn't watched for a whole window says yes where that is sure, and never no", () => {
    expect(
      found([
        [0, 0],
        [20, 6],
      ]),
    ).toMatchObject({ holds: true });
    expect(
      found([
        [0, 0],
        [20, 5],
      ]),
    ).toMatchObject({ value: 5, holds: null });
    const fewer = { ...rule, condition: { op: "<" as const, value: 5 } };
    expect(
      found(
        [
          [0, 0],
          [20, 1],
        ],
        fewer,
      ),
    ).toMatchObject({ holds: null });
    expect(
      found(
        [
          [0, 0],
          [60, 1],
        ],
        fewer,
      ),
    ).toMatchObject({ holds: true });
  });

  test("whose series begins while it is watched grew by all that it has", () => {
    const begun = watch(rule, [
      [0, []],
      [30, [at(6, { problem: "clock-skew" })]],
    ]);
    expect(begun.findings).toMatchObject([{ value: 6, holds: true }]);
  });

  test("never grew by more than was counted, nor by less than nothing, whatever is taken and when", () => {
    const steps = fc.array(fc.record({ gap: fc.integer({ min: 1, max: 40 }), by: fc.nat(9), isReset: fc.boolean() }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, fc.integer({ min: 10, max: 600 }), (taken, window) => {
        const book = createSampleBook();
        let [seconds, value, counted] = [0, 50, 0];
        const log: { seconds: number; counted: number }[] = [];
        for (const { gap, by, isReset } of taken) {
          seconds += gap;
          // A process that begins anew has counted `by` since.
          const isAnew = isReset && by < value;
          value = isAnew ? by : value + by;
          if (log.length > 0) counted += by;
          log.push({ seconds, counted });
          book.take("m", toSeries([at(value)], false), seconds * 1_000, window * 1_000);
        }
        const growth = book.growth("m", "", window * 1_000, seconds * 1_000);
        const edge = seconds - window;
        const before = log.findLast((each) => each.seconds <= edge) ?? log[0];
        expect(growth?.value).toBeGreaterThanOrEqual(0);
        expect(growth?.value).toBeLessThanOrEqual(counted);
        // Thinned points are a hundredth of the window apart; with gaps above that nothing is thinned and it is exact.
        if (taken.every(({ gap }) => gap >= window / 120)) expect(growth?.value).toBe(counted - (before?.counted ?? 0));
      }),
    );
  });
});

describe("a histogram", () => {
  const rule = exampleRule({
    metric: "regent_look_seconds",
    window: 60,
    quantile: 0.95,
    condition: { op: ">", value: 1 },
  });
  const buckets = (...counts: readonly [number, number, number]): Sample[] =>
    (["0.5", "2", "+Inf"] as const).map((le, i) => at(counts[i] ?? 0, { le }));

  test("is judged by a quantile of what was observed within the window", () => {
    const { findings } = watch(rule, [
      [0, buckets(1_000, 1_000, 1_000)],
      [60, buckets(1_000, 1_100, 1_100)],
    ]);
    // All hundred lie between 0.5 and 2: the 95th of them by a straight line.
    expect(findings).toEqual([{ labels: {}, value: 0.5 + 1.5 * 0.95, holds: true }]);
  });

  test("with the quantile in the last bucket has at least that bucket's lower end", () => {
    const { findings } = watch(rule, [
      [0, buckets(0, 0, 0)],
      [60, buckets(0, 0, 7)],
    ]);
    expect(findings).toMatchObject([{ value: 2, holds: true }]);
  });

  test("without an observation, or not watched for the whole window, says nothing", () => {
    const still = watch(rule, [
      [0, buckets(5, 5, 5)],
      [60, buckets(5, 5, 5)],
    ]);
    expect(still.findings).toEqual([{ labels: {}, value: null, holds: null }]);
    const early = watch(rule, [
      [0, buckets(0, 0, 0)],
      [59, buckets(0, 0, 9)],
    ]);
    expect(early.findings).toMatchObject([{ holds: null }]);
  });
});
