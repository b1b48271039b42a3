/** The compact notation: what it means, and what it refuses. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { outcomeOf, parseNotation } from "./notation.ts";

const partsOf = (text: string, stepMs = 1_000) => {
  const parsed = parseNotation(text, stepMs);
  if (parsed.kind === "nonsense") throw new Error(parsed.why);
  return parsed.parts.map(({ sight, fromMs, toMs }) => [sight, fromMs, toMs]);
};
const END = Number.POSITIVE_INFINITY;

describe("what it means", () => {
  test("parts follow each other, and the last lasts to the end", () => {
    expect(partsOf("ok*60 refused*15m ok")).toEqual([
      [{ kind: "ok" }, 0, 60_000],
      [{ kind: "reason", reason: "tcp_refused" }, 60_000, 960_000],
      [{ kind: "ok" }, 960_000, END],
    ]);
  });

  test("a count is of steps, and a duration is one whatever the step", () => {
    expect(partsOf("503*3 -", 5_000)).toEqual([
      [{ kind: "code", code: 503 }, 0, 15_000],
      [{ kind: "pass-on" }, 15_000, END],
    ]);
    expect(partsOf("timeout*1.5s", 5_000)).toEqual([[{ kind: "reason", reason: "tcp_timeout" }, 0, 1_500]]);
  });

  test("chance, alternation, silence and every reason of a probe have words", () => {
    expect(partsOf("random 2.5%*10 alternate*10 silence*10 db_readonly")).toEqual([
      [{ kind: "random", rate: 0.025 }, 0, 10_000],
      [{ kind: "alternate" }, 10_000, 20_000],
      [{ kind: "silence" }, 20_000, 30_000],
      [{ kind: "reason", reason: "db_readonly" }, 30_000, END],
    ]);
  });

  test("what is the agent's own problem is unknown, and what is slow or soon expired is degraded", () => {
    expect([outcomeOf("db_auth"), outcomeOf("latency"), outcomeOf("tcp_reset")]).toEqual(["unknown", "degraded", "fail"]);
  });
});

describe("what it refuses", () => {
  test.each([
    ["", "nothing is said"],
    ["ok*0", "lasts no time at all"],
    ["ok*0s refused", "lasts no time at all"],
    ["ok refused", "would never come"],
    ["refsued", 'did you mean "refused"?'],
    ["200", "200 is no failure"],
    ["999", "999 is no failure"],
    ["random", "random needs how often"],
    ["random 0%", "more than 0"],
    ["random 101%", "at most 100"],
    ["ok*1.5", "a count of steps is whole"],
    ["ok*-3", "is no part of a notation"],
    ["ok**3", "is no part of a notation"],
    ["ok,refused", "is no part of a notation"],
  ])("%j", (text, why) => {
    expect(parseNotation(text, 1_000)).toEqual({ kind: "nonsense", why: expect.stringContaining(why) });
  });

  test("law: any text is parts without a gap from 0 on, or nonsense with a sentence", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80, unit: fc.constantFrom(..."ok*refusd 0123456789%smh-.\n") }), (text) => {
        const parsed = parseNotation(text, 1_000);
        if (parsed.kind === "nonsense") {
          expect(parsed.why.length).toBeGreaterThan(5);
          return;
        }
        parsed.parts.forEach(({ fromMs, toMs }, i) => {
          expect(fromMs).toBe(i === 0 ? 0 : parsed.parts[i - 1]?.toMs);
          expect(toMs).toBeGreaterThan(fromMs);
        });
      }),
    );
  });
});
