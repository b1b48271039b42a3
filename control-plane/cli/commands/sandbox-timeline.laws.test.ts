/** Laws of drawing an outage, over scripts and seeds that are themselves drawn. */
import { createDraw } from "@regent/sandbox/regions/misbehaviour.ts";
import { describe, expect, test } from "vitest";
import { LAID_OUT } from "./sandbox-play.ts";
import type { Doing, OutageScript, OutageStep, Span } from "./sandbox-script.ts";
import type { Break, Mend } from "./sandbox-script-words.ts";
import { drawTimeline, keyOf, type Timeline } from "./sandbox-timeline.ts";

const RUNS = 1_000;

/** Few things, so that breaks meet each other often. */
const BREAKS: readonly Break[] = [
  { on: "region", region: "eu-west", fault: { fault: "dead", agents: true } },
  { on: "region", region: "eu-west", fault: { fault: "503" } },
  { on: "region", region: "eu-west", fault: { fault: "slow", delayMs: 5 } },
  { on: "region", region: "eu-west", fault: { fault: "read-only" } },
  { on: "region", region: "eu-west", fault: { fault: "agents-dead" } },
  { on: "agents", ids: ["eu-west-a", "us-east-a"] },
  { on: "links", cut: { from: "eu-west/net-a", mode: "refuse" } },
  { on: "links", cut: { to: "control-plane", mode: "no-answers" } },
  { on: "route53", fault: { kind: "throttle", operations: ["*"] } },
  { on: "part", part: "server", by: "kill" },
];
const MENDS: readonly Mend[] = [
  { on: "everything" },
  { on: "region", region: "eu-west" },
  { on: "region", region: "eu-west", fault: "hang" },
  { on: "links", choice: { from: "eu-west/net-a" } },
  { on: "route53", kind: "all" },
  { on: "agents", ids: ["eu-west-a"] },
];

const drawScript = (seed: number): OutageScript => {
  const draw = createDraw(seed);
  const below = (n: number): number => Math.floor(draw() * n);
  const span = (fromMs: number, ms: number): Span => {
    const minMs = fromMs + below(ms);
    return { minMs, maxMs: minMs + below(3) * below(ms) };
  };
  const lastsMs = below(2) === 0 ? undefined : 20_000 + below(20_000);
  const doing = (): Doing => {
    if (below(4) === 0) return { kind: "mend", what: MENDS[below(MENDS.length)]! };
    const stands = lastsMs !== undefined && below(3) === 0 ? undefined : span(100, 8_000);
    return { kind: "break", what: BREAKS[below(BREAKS.length)]!, stands };
  };
  const step = (_: unknown, index: number): OutageStep => ({
    line: index + 1,
    at: span(0, 5_000),
    choices: Array.from({ length: 1 + below(3) }, doing),
    times: 1 + below(4),
    every: span(0, 1_000),
    note: undefined,
  });
  return { name: "drawn", seed: below(1_000), lastsMs, steps: Array.from({ length: 1 + below(6) }, step) };
};

const forAll = (law: (script: OutageScript, timeline: Timeline, seed: number) => void): void => {
  for (let seed = 0; seed < RUNS; seed++) {
    const script = drawScript(seed);
    try {
      law(script, drawTimeline(script, LAID_OUT, seed), seed);
    } catch (error) {
      throw new Error(`script and seed ${seed}: ${(error as Error).message}`);
    }
  }
};

describe("a drawn outage", () => {
  test("is the same for the same seed", () => {
    forAll((script, timeline, seed) => expect(drawTimeline(script, LAID_OUT, seed)).toEqual(timeline));
  });

  test("differs for another seed where something is left to chance, and nowhere else", () => {
    const isFree = ({ minMs, maxMs }: Span): boolean => minMs < maxMs;
    let [free, differing] = [0, 0];
    forAll((script, timeline, seed) => {
      const hasChoice = script.steps.some(({ choices }) => choices.length > 1);
      const hasRange = script.steps.some(
        ({ at, every, times, choices }) =>
          isFree(at) ||
          (times > 1 && isFree(every)) ||
          choices.some((choice) => choice.kind === "break" && choice.stands !== undefined && isFree(choice.stands)),
      );
      const other = drawTimeline(script, LAID_OUT, seed + 1);
      const isSame = JSON.stringify(other.acts) === JSON.stringify(timeline.acts);
      if (!hasChoice && !hasRange) return expect(isSame).toBe(true);
      free += 1;
      if (!isSame) differing += 1;
    });
    expect(free).toBeGreaterThan(RUNS / 2);
    expect(differing / free).toBeGreaterThan(0.9);
  });

  test("goes forward in time, within what the script allows", () => {
    forAll(({ steps, lastsMs }, { acts, endMs }) => {
      expect(acts.map(({ atMs }) => atMs)).toEqual(acts.map(({ atMs }) => atMs).sort((a, b) => a - b));
      expect(acts.every(({ atMs }) => atMs <= endMs)).toBe(true);
      if (lastsMs !== undefined) expect(endMs).toBe(lastsMs);
      for (const act of acts.filter(({ kind }) => kind === "break")) {
        const { at, every, times } = steps[act.line - 1]!;
        expect(act.atMs).toBeGreaterThanOrEqual(at.minMs);
        expect(act.atMs).toBeLessThanOrEqual(at.maxMs + (times - 1) * every.maxMs);
      }
    });
  });

  test("has every break, and after its last act nothing is broken any more", () => {
    forAll(({ steps, lastsMs }, { acts }) => {
      const broken = new Set<string>();
      for (const { kind, things } of acts)
        for (const thing of things) {
          if (kind === "break") broken.add(keyOf(thing));
          // What isn't broken is never mended: it may be somebody else's.
          else expect(broken.delete(keyOf(thing))).toBe(true);
        }
      expect([...broken]).toEqual([]);
      const begun = steps.reduce((sum, { times }) => sum + times, 0);
      const told = acts.filter((act) => act.kind === "break" || act.why === "step").length;
      if (lastsMs === undefined) expect(told).toBe(begun);
      else expect(told).toBeLessThanOrEqual(begun);
    });
  });

  test("mends each thing of a break with a `for` when that is over, unless it was mended or broken anew before", () => {
    let over = 0;
    forAll(({ steps }, { acts, endMs }) => {
      for (const [index, act] of acts.entries()) {
        if (act.kind !== "break") continue;
        const spans = steps[act.line - 1]!.choices.flatMap((choice) =>
          choice.kind === "break" && JSON.stringify(choice.what) === JSON.stringify(act.what) ? [choice.stands] : [],
        );
        if (spans.some((span) => span === undefined)) continue;
        const latest = Math.min(endMs, act.atMs + Math.max(...spans.map((span) => span!.maxMs)));
        for (const thing of act.things) {
          const next = acts.slice(index + 1).find(({ things }) => things.some((other) => keyOf(other) === keyOf(thing)));
          expect(next?.atMs).toBeLessThanOrEqual(latest);
          over += 1;
        }
      }
    });
    expect(over).toBeGreaterThan(RUNS);
  });

  test("keeps what the other steps drew when one is added behind them", () => {
    forAll((script, timeline, seed) => {
      const lastsMs = 1_000_000;
      const added: OutageStep = { ...script.steps[0]!, line: 99 };
      const before = drawTimeline({ ...script, lastsMs }, LAID_OUT, seed).acts;
      const after = drawTimeline({ ...script, lastsMs, steps: [...script.steps, added] }, LAID_OUT, seed).acts;
      const begins = (acts: Timeline["acts"]) =>
        acts.flatMap((act) => (act.kind === "break" && act.line !== 99 ? [[act.line, act.atMs, act.text]] : []));
      expect(begins(after)).toEqual(begins(before));
      expect(timeline.seed).toBe(seed);
    });
  });
});

describe("breaks of the same thing", () => {
  const at = (atMs: number, what: Break, standsMs: number): OutageStep => ({
    line: 1,
    at: { minMs: atMs, maxMs: atMs },
    choices: [{ kind: "break", what, stands: { minMs: standsMs, maxMs: standsMs } }],
    times: 1,
    every: { minMs: 0, maxMs: 0 },
    note: undefined,
  });
  const told = (...steps: readonly OutageStep[]): string[] =>
    drawTimeline({ name: "n", seed: 1, lastsMs: undefined, steps }, LAID_OUT).acts.map(
      ({ atMs, kind, things }) => `${atMs} ${kind} ${things.map(keyOf).join(", ")}`,
    );
  const region = (fault: Extract<Break, { on: "region" }>["fault"]): Break => ({ on: "region", region: "eu-west", fault });

  test("a later one takes the earlier one's place, whose end then leaves it alone", () => {
    expect(told(at(0, region({ fault: "503" }), 5_000), at(3_000, region({ fault: "hang" }), 5_000))).toEqual([
      "0 break api eu-west",
      "3000 break api eu-west",
      "8000 mend api eu-west",
    ]);
  });
  test("a dead region's end leaves what was broken anew meanwhile, and mends the rest, database first", () => {
    expect(told(at(0, region({ fault: "dead", agents: true }), 4_000), at(1_000, region({ fault: "503" }), 9_000))).toEqual([
      "0 break database eu-west, api eu-west, agent eu-west-a, agent eu-west-b",
      "1000 break api eu-west",
      "4000 mend database eu-west, agent eu-west-a, agent eu-west-b",
      "10000 mend api eu-west",
    ]);
  });
  test("where two cuts cross, the end of one leaves the link of both cut", () => {
    const cuts = told(
      at(0, { on: "links", cut: { from: "eu-west/net-a", mode: "refuse" } }, 2_000),
      at(1_000, { on: "links", cut: { to: "control-plane", mode: "blackhole" } }, 2_000),
    );
    expect(cuts[2]).toContain("2000 mend link eu-west/net-a eu-west/api");
    expect(cuts[2]).not.toContain("control-plane");
    expect(cuts[3]).toContain("3000 mend link eu-west/net-a control-plane");
  });
  test("faults of Route 53 stand side by side", () => {
    const throttle: Break = { on: "route53", fault: { kind: "throttle", operations: ["*"] } };
    expect(told(at(0, throttle, 2_000), at(1_000, throttle, 2_000))).toEqual([
      "0 break route53 0",
      "1000 break route53 1",
      "2000 mend route53 0",
      "3000 mend route53 1",
    ]);
  });
});
