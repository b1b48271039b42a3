/** What of a standstill is news, and what only waits as it is meant to. */
import type { RuleAnswer } from "@regent/contract";
import type { Decision } from "@regent/engine";
import { expect, test } from "vitest";
import { standstillKey } from "./tell-standstill.ts";

const NOW = 1_795_000_000_000;

const decisionOf = (...rules: readonly (readonly [RuleAnswer["rule"], RuleAnswer["answer"], number?])[]): Decision =>
  ({
    proposal: { kind: "rebalance", leaves: [], computedAt: NOW },
    rules: rules.map(([rule, answer, waitsMs]) => ({
      rule,
      answer,
      why: "",
      skipped: false,
      ...(waitsMs === undefined ? {} : { until: NOW + waitsMs }),
    })),
    failStatic: null,
    asks: [],
  }) as unknown as Decision;

test("the pace of a voluntary move and a new configuration that is shown first are no news, however long they wait", () => {
  for (const waitsMs of [1_000, 10_001, 3_600_000]) {
    expect(standstillKey(decisionOf(["A16", "defer", waitsMs]))).toBeNull();
    expect(standstillKey(decisionOf(["A15", "defer", waitsMs], ["A16", "defer", waitsMs]))).toBeNull();
  }
  expect(standstillKey(decisionOf(["A15", "defer"]))).toBeNull();
});

test("a cool-down is news when it lasts, and so is whatever else stands beside them", () => {
  expect(standstillKey(decisionOf(["A8", "defer", 10_000]))).toBeNull();
  expect(standstillKey(decisionOf(["A8", "defer", 10_001]))).toBe("rebalance  A8:defer");
  expect(standstillKey(decisionOf(["A3", "deny"], ["A16", "defer", 60_000]))).toBe("rebalance  A3:deny");
  expect(standstillKey(decisionOf(["A15", "deny"]))).toBe("rebalance  A15:deny");
});
