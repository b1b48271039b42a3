import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { REGION_FAULT_NAMES } from "@regent/sandbox/faults.ts";
import { ROUTE53_FAULT_KINDS } from "@regent/sandbox/route53/faults.ts";
import { describe, expect, test } from "vitest";
import { LAID_OUT } from "./sandbox-play.ts";
import { type OutageScript, parseOutageScript } from "./sandbox-script.ts";
import { drawTimeline } from "./sandbox-timeline.ts";

const EXAMPLES = fileURLToPath(new URL("../../../docs/example/outages/", import.meta.url));

const errorsOf = (text: string): readonly string[] => {
  const parsed = parseOutageScript(text, "s.yaml", LAID_OUT);
  return parsed.kind === "valid" ? [] : parsed.lines;
};
const scriptOf = (text: string): OutageScript => {
  const parsed = parseOutageScript(text, "s.yaml", LAID_OUT);
  if (parsed.kind === "invalid") throw new Error(parsed.lines.join("\n"));
  return parsed.script;
};
/** A script of these lines as steps; they begin in line 3. */
const stepsOf = (...lines: readonly string[]): string =>
  ["{ outage: 1, name: n, lasts: 100s, steps: [", "", ...lines.map((line) => `  ${line},`), "] }"].join("\n");

describe("a script", () => {
  test("is read with what stands in it, ranges as ranges, and each step with its line", () => {
    expect(
      scriptOf(
        stepsOf(
          "{ at: 1.5s, break: { region: eu-west, fault: 503 }, for: [2s, 1m] }",
          "{ between: [0s, 300ms], mend: everything, times: 3, every: 2s }",
        ),
      ),
    ).toEqual({
      name: "n",
      seed: 1,
      lastsMs: 100_000,
      steps: [
        {
          line: 3,
          at: { minMs: 1_500, maxMs: 1_500 },
          choices: [
            {
              kind: "break",
              what: { on: "region", region: "eu-west", fault: { fault: "503" } },
              stands: { minMs: 2_000, maxMs: 60_000 },
            },
          ],
          times: 1,
          every: { minMs: 0, maxMs: 0 },
          note: undefined,
        },
        {
          line: 4,
          at: { minMs: 0, maxMs: 300 },
          choices: [{ kind: "mend", what: { on: "everything" } }],
          times: 3,
          every: { minMs: 2_000, maxMs: 2_000 },
          note: undefined,
        },
      ],
    });
  });

  test("can say every fault of a region, and of Route 53 with its numbers", () => {
    const numbers: Readonly<Record<string, string>> = {
      "late-apply": ", delayMs: 5",
      strand: ", delayMs: 5",
      "slow-propagation": ", delayMs: 5",
      "staggered-propagation": ", perServerMs: [1, 2]",
      "other-traffic": ", perSecond: 3",
    };
    const text = stepsOf(
      ...REGION_FAULT_NAMES.map((fault) => `{ at: 1s, break: { region: us-east, fault: ${fault} } }`),
      ...ROUTE53_FAULT_KINDS.map((kind) => `{ at: 1s, break: { route53: ${kind}${numbers[kind] ?? ""} } }`),
      ...ROUTE53_FAULT_KINDS.map((kind) => `{ at: 1s, mend: { route53: ${kind} } }`),
    );
    expect(errorsOf(text)).toEqual([]);
  });

  test.each<[string, string]>([
    ["{ at: 1, break: { agents: all } }", "s.yaml:3:9 steps[0].at: 1 is not a duration such as 500ms, 5s or 2m"],
    ["{ at: 13h, break: { agents: all } }", "s.yaml:3:9 steps[0].at: 13h is longer than 12h"],
    ["{ break: { agents: all } }", "s.yaml:3:3 steps[0]: a step has either `at` or `between`"],
    ["{ at: 1s, between: [1s, 2s], break: { agents: all } }", "s.yaml:3:3 steps[0]: a step has either `at` or `between`"],
    ["{ between: [2s, 1s], break: { agents: all } }", "s.yaml:3:5 steps[0].between: the range ends before it begins"],
    ["{ at: 1s }", "s.yaml:3:3 steps[0]: a step does one thing: `break`, `mend` or `one of`"],
    [
      "{ at: 1s, break: { agents: all }, mend: everything }",
      "s.yaml:3:3 steps[0]: a step does one thing: `break`, `mend` or `one of`",
    ],
    ["{ at: 1s, mend: everything, for: 2s }", "s.yaml:3:36 steps[0].for: `for` belongs to a break"],
    [
      "{ at: 1s, break: { agents: all }, for: 5ms }",
      "s.yaml:3:42 steps[0].for: at least 100ms: a shorter fault is over before anybody has looked",
    ],
    [
      "{ at: 1s, break: { agents: all }, times: 3 }",
      "s.yaml:3:3 steps[0]: `times` and `every` stand together: how often, and how far apart",
    ],
    [
      "{ at: 90s, times: 3, every: [1s, 6s], break: { agents: all } }",
      "s.yaml:3:3 steps[0]: this may begin 102s after the start, not before `lasts`, when everything is mended",
    ],
    ["{ at: 1s, brake: { agents: all } }", 's.yaml:3:13 steps[0].brake: unknown key "brake"'],
    [
      "{ at: 1s, break: { region: eu-wset, fault: dead } }",
      's.yaml:3:30 steps[0].break.region: there is no region "eu-wset"; did you mean "eu-west"?',
    ],
    [
      "{ at: 1s, break: { region: eu-west, fault: slow, delayMs: 0 } }",
      "s.yaml:3:61 steps[0].break.delayMs: Too small: expected number to be >=1",
    ],
    [
      "{ at: 1s, break: { region: eu-west, fault: hang, delayMs: 5 } }",
      's.yaml:3:52 steps[0].break.delayMs: unknown key "delayMs"',
    ],
    [
      "{ at: 1s, break: { region: eu-west, fault: agents-dead, agents: [us-east-a] } }",
      's.yaml:3:59 steps[0].break.agents: there is no agent of eu-west "us-east-a"; declared: eu-west-a, eu-west-b',
    ],
    [
      "{ at: 1s, break: { from: eu-west/net-z } }",
      's.yaml:3:28 steps[0].break.from: there is no vantage "eu-west/net-z"; did you mean "eu-west/net-a"?',
    ],
    ["{ at: 1s, break: { to: control-plane, mode: snip } }", "s.yaml:3:47 steps[0].break.mode: Invalid option"],
    [
      "{ at: 1s, break: { route53: throtle } }",
      's.yaml:3:31 steps[0].break.route53: there is no Route 53 fault "throtle"; did you mean "throttle"?',
    ],
    ["{ at: 1s, break: { route53: strand } }", "s.yaml:3:13 steps[0].break.delayMs: Invalid input: expected number"],
    ["{ at: 1s, break: { part: sandbox } }", "s.yaml:3:28 steps[0].break.part: a part is the server"],
    [
      "{ at: 1s, break: everything }",
      "s.yaml:3:20 steps[0].break: name what: region, from or to (links), route53, agents, or part",
    ],
    ["{ at: 1s, mend: all }", "s.yaml:3:19 steps[0].mend: everything, or name what"],
    [
      "{ at: 1s, one of: [{ break: { agents: all } }, { mend: { region: mars } }] }",
      's.yaml:3:68 steps[0]["one of"][1].mend.region: there is no region "mars"',
    ],
    [
      "{ at: 1s, break: { agents: all }, one of: [{ mend: everything }, { mend: everything }] }",
      "s.yaml:3:3 steps[0]: beside `one of` nothing else is done",
    ],
  ])("%s is told with its place: %s", (step, told) => {
    const [first, ...more] = errorsOf(stepsOf(step));
    expect(first).toContain(told);
    expect(more).toEqual([]);
  });

  test("tells all errors at once, in the order of the file", () => {
    const text =
      "outage: 2\nname: n\nseed: -1\nsteps:\n  - at: soon\n    break: { region: eu-west, fault: explode }\nnotes: none\n";
    expect(errorsOf(text).map((line) => line.slice(0, 9))).toEqual([
      "s.yaml:1:",
      "s.yaml:3:",
      "s.yaml:5:",
      "s.yaml:6:",
      "s.yaml:7:",
    ]);
  });

  test("whose break nobody would mend is refused", () => {
    expect(errorsOf("outage: 1\nname: n\nsteps:\n  - at: 1s\n    break: { agents: all }\n")).toEqual([
      "s.yaml:4:5 steps[0]: nobody would mend this: give the break a `for`, or the outage a `lasts`",
    ]);
  });

  test("that repeats without measure is refused", () => {
    const step = "{ at: 1s, mend: everything, times: 600, every: 1ms }";
    expect(errorsOf(stepsOf(step, step)).join()).toContain("1200 repetitions in all; at most 1000");
  });

  test.each(["", "[", "- 1", "outage: 1", "a: &a [*a]", "steps: {}\noutage: 1\nname: n"])(
    "%j is refused with a place, not with an exception",
    (text) => {
      expect(errorsOf(text).length).toBeGreaterThan(0);
      for (const line of errorsOf(text)) expect(line).toMatch(/^s\.yaml:\d+:\d+ /);
    },
  );
});

describe("the example outages", () => {
  const files = readdirSync(EXAMPLES);
  test("are the three that the documents name", () => {
    expect(files.sort()).toEqual(["bad-night.yaml", "flapping-region.yaml", "region-dies.yaml"]);
  });
  test.each(files)("%s is valid for any seed, breaks something, and ends with nothing broken", (file) => {
    const script = scriptOf(readFileSync(join(EXAMPLES, file), "utf8"));
    for (let seed = 0; seed < 100; seed++) {
      const { acts } = drawTimeline(script, LAID_OUT, seed);
      expect(acts[0]?.kind).toBe("break");
      expect(acts.at(-1)?.kind).toBe("mend");
    }
  });
});

test("the example in docs/SANDBOX.md is one that plays", () => {
  const document = readFileSync(new URL("../../../docs/SANDBOX.md", import.meta.url), "utf8");
  const [, example = ""] = /```yaml\n(.*?)```/s.exec(document) ?? [];
  expect(drawTimeline(scriptOf(example), LAID_OUT).acts.length).toBeGreaterThan(5);
});
