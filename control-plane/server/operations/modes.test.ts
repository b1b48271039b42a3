/** Each mode by its cause, each transition by the rounds that it takes, and the order in which the worst wins. */
import { describe, expect, test } from "vitest";
import {
  DATABASE_BAD_ROUNDS,
  DATABASE_GOOD_ROUNDS,
  foldModeRound,
  forbidsWrites,
  isIsolated,
  MODE_START,
  type ModeFacts,
  type ModeMemory,
  type ModeRound,
  OUTSIDE_BAD_ROUNDS,
  OUTSIDE_GOOD_ROUNDS,
  toMode,
} from "./modes.ts";

const LEADING: ModeFacts = { isLeading: true, isLed: true, frozen: null };
const FINE: ModeRound = { database: "fast", outside: "reached" };

const after = (round: Partial<ModeRound>, rounds: number, memory: ModeMemory = MODE_START): ModeMemory =>
  Array.from({ length: rounds }).reduce<ModeMemory>((known) => foldModeRound(known, { ...FINE, ...round }), memory);

const AWAY = after({ database: "away" }, DATABASE_BAD_ROUNDS);
const SLOW = after({ database: "slow" }, DATABASE_BAD_ROUNDS);
const CUT_OFF = after({ outside: "unreached" }, OUTSIDE_BAD_ROUNDS);

test.each([
  ["we lead", MODE_START, LEADING, "normal"],
  ["another leads", MODE_START, { ...LEADING, isLeading: false }, "read-only"],
  ["nobody leads", MODE_START, { ...LEADING, isLeading: false, isLed: false }, "degraded"],
  ["all is frozen and we lead", MODE_START, { ...LEADING, frozen: "an incident" }, "emergency"],
  ["all is frozen and another leads", MODE_START, { isLeading: false, isLed: true, frozen: "an incident" }, "emergency"],
  ["the database is away", AWAY, LEADING, "degraded"],
  ["the database is slow", SLOW, LEADING, "degraded"],
  ["the database is away while all is frozen", AWAY, { ...LEADING, frozen: "an incident" }, "degraded"],
  ["nothing outside answers", CUT_OFF, LEADING, "isolated"],
  ["nothing outside answers, the database neither", { ...CUT_OFF, database: AWAY.database }, LEADING, "isolated"],
] as const)("when %s", (_, memory, facts, mode) => {
  expect(toMode(memory, facts).mode).toBe(mode);
});

describe("the database", () => {
  test("one bad round is no news, and two are", () => {
    expect(toMode(after({ database: "away" }, DATABASE_BAD_ROUNDS - 1), LEADING).mode).toBe("normal");
    expect(forbidsWrites(after({ database: "away" }, DATABASE_BAD_ROUNDS - 1))).toBe(false);
    expect(forbidsWrites(AWAY)).toBe(true);
  });

  test("every second round bad never makes it degraded, and never ends it", () => {
    const flicker = (memory: ModeMemory): ModeMemory =>
      after({ database: "away" }, 1, after({}, 1, after({ database: "away" }, 1, after({}, 1, memory))));
    expect(forbidsWrites(flicker(flicker(MODE_START)))).toBe(false);
    expect(forbidsWrites(flicker(flicker(AWAY)))).toBe(true);
  });

  test("it is trusted again after enough good rounds in a row", () => {
    expect(forbidsWrites(after({}, DATABASE_GOOD_ROUNDS - 1, AWAY))).toBe(true);
    expect(toMode(after({}, DATABASE_GOOD_ROUNDS, AWAY), LEADING).mode).toBe("normal");
  });

  test("why says slow or away, as it was when it was bad", () => {
    expect(toMode(SLOW, LEADING).why).toContain("slow");
    expect(toMode(after({ database: "away" }, 1, SLOW), LEADING).why).toContain("away");
    expect(toMode(after({}, 1, AWAY), LEADING).why).toContain("away");
  });
});

describe("the outside", () => {
  test("isolation takes its rounds, and so does its end", () => {
    expect(isIsolated(after({ outside: "unreached" }, OUTSIDE_BAD_ROUNDS - 1))).toBe(false);
    expect(isIsolated(CUT_OFF)).toBe(true);
    expect(isIsolated(after({}, OUTSIDE_GOOD_ROUNDS - 1, CUT_OFF))).toBe(true);
    expect(isIsolated(after({}, OUTSIDE_GOOD_ROUNDS, CUT_OFF))).toBe(false);
  });

  test("nothing to look at is no isolation", () => {
    expect(isIsolated(after({ outside: "unknown" }, 100))).toBe(false);
    expect(isIsolated(after({ outside: "unknown" }, OUTSIDE_GOOD_ROUNDS, CUT_OFF))).toBe(false);
  });

  test("an isolated process writes nothing", () => {
    expect(forbidsWrites(CUT_OFF)).toBe(true);
  });
});
