/** Expectations against what came: met or not, and what is told of it. */
import { describe, expect, test } from "vitest";
import { run, tonight } from "../testing/rehearse.ts";

const DEAD = "outcomes:\n  - { regions: eu-west, what: ok*60 timeout }";
const checkedOf = async (expectation: string) => (await run(tonight(`${DEAD}\nexpect:\n  - ${expectation}`))).checked[0];

describe("a region that dies at one minute", () => {
  test.each([
    ["{ at: 30s, verdict: { service: checkout, region: eu-west, is: healthy } }", true],
    ["{ at: 2m, verdict: { service: checkout, region: eu-west, is: healthy } }", false],
    ["{ at: 2m, verdict: { service: checkout, region: eu-west, is: [healthy, unhealthy] } }", true],
    ["{ by: 2m, verdict: { service: checkout, region: eu-west, is: unhealthy } }", true],
    ["{ by: 1m, verdict: { service: checkout, region: eu-west, is: unhealthy } }", false],
    ["{ from: 0s, to: 1m, verdict: { service: checkout, region: eu-west, is: healthy } }", true],
    ["{ from: 0s, to: 2m, verdict: { service: checkout, region: eu-west, is: healthy } }", false],
    ["{ never: true, verdict: { service: checkout, region: us-east, is: unhealthy } }", true],
    ["{ never: true, to: 1m, verdict: { service: checkout, region: eu-west, is: unhealthy } }", true],
    ["{ never: true, verdict: { service: checkout, region: eu-west, is: unhealthy } }", false],
    ["{ at: 2m, shares: { service: checkout, is: { us-east: 1 } } }", true],
    ["{ at: 2m, shares: { service: checkout, is: { us-east: 0.9 } } }", false],
    ["{ at: 72s, change: { service: checkout } }", true],
    ["{ at: 75s, change: { service: checkout } }", false],
    ["{ by: 2m, change: { left: eu-west, received: us-east } }", true],
    ["{ by: 2m, change: { left: eu-west, received: ap-south } }", false],
    ["{ by: 2m, change: { by: operator } }", false],
    ["{ exactly: 1, change: { kind: [failover, failback] } }", true],
    ["{ exactly: 2, change: {} }", false],
    ["{ atMost: 0, change: {} }", false],
    ["{ atMost: 0, from: 2m, change: {} }", true],
    ["{ never: true, held: {} }", true],
    ["{ by: 2m, held: { by: A4 } }", false],
    ["{ never: true, standstill: { service: checkout } }", true],
    ["{ by: 2m, page: { kind: change, saying: eu-west is unhealthy } }", true],
    ["{ by: 2m, page: { saying: the moon fell } }", false],
    ["{ never: true, answer: {} }", true],
  ])("%s: %s", async (expectation, isMet) => {
    expect((await checkedOf(expectation))?.isMet).toBe(isMet);
  });

  test("what isn't met is told with what came instead, with its time", async () => {
    const checked = await checkedOf("{ never: true, change: { service: checkout, kind: failover } }");
    expect(checked).toEqual({
      line: 8,
      isMet: false,
      expected: "failover of checkout never from +0s to +10m00s",
      got: expect.stringMatching(/^\+1m\d\d\.\ds failover of checkout, left eu-west, us-east received$/),
    });
    expect((await checkedOf("{ by: 50s, shares: { service: checkout, is: { us-east: 1 } } }"))?.got).toBe(
      "+0s eu-west 100 %, us-east 0 %, ap-south 0 %",
    );
  });

  test("a state that holds to the very end holds throughout", async () => {
    expect((await checkedOf("{ from: 2m, to: 10m, shares: { service: checkout, is: { us-east: 1 } } }"))?.isMet).toBe(true);
  });
});
