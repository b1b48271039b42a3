/** When an alert is pending, when it fires and when it ends. */
import type { AlertRule } from "@regent/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ALERT_GAP_MS, ALERT_UNKNOWN_MS } from "../../limits.ts";
import type { StoredAlert } from "../../ports/alert-store.ts";
import { exampleAlert, exampleRule } from "../../ports/suites/alert-store.suite.ts";
import type { Finding } from "./evaluate-rule.ts";
import { type AlertFold, foldAlerts, type LiveAlert, recallAlerts } from "./fold-alerts.ts";
import { tellAlerts } from "./tell-alerts.ts";

const NOW = 1_700_000_000_000;
const RULE = exampleRule({ for: 60 });

type Sight = "holds" | "quiet" | "unknown" | "gone";
const finding = (sight: Sight): readonly Finding[] => {
  if (sight === "gone") return [];
  return [{ labels: { lane: "live" }, value: 12, holds: sight === "unknown" ? null : sight === "holds" }];
};

interface Round {
  readonly fold: AlertFold;
  readonly seconds: number;
}

/** One leader that sees these, one round each. */
const play = (rounds: readonly (readonly [seconds: number, sight: Sight, rule?: AlertRule | null])[]): readonly Round[] => {
  let known: ReadonlyMap<string, LiveAlert> = new Map();
  return rounds.map(([seconds, sight, rule = RULE]) => {
    const judged = rule === null ? [] : [{ rule, evaluation: { findings: finding(sight), more: 0 } }];
    const fold = foldAlerts(known, judged, { atMs: seconds * 1_000, now: NOW + seconds * 1_000 });
    known = fold.alerts;
    return { fold, seconds };
  });
};

const steps = (rounds: readonly Round[]): string[] =>
  rounds.flatMap(({ fold, seconds }) => [
    ...fold.ended.map(({ why }) => `${seconds} over: ${why}`),
    ...fold.fired.map(() => `${seconds} fires`),
  ]);

const SERIES = 'regent_lane_waiting{lane="live"}';

describe("an alert", () => {
  test("is pending until `for` is over, fires once, and ends when it hasn't held for a minute", () => {
    const rounds = play([
      [0, "holds"],
      [59, "holds"],
      [60, "holds"],
      [65, "holds"],
      [70, "quiet"],
      [129, "quiet"],
      [130, "quiet"],
      [135, "quiet"],
    ]);
    expect(steps(rounds)).toEqual(["60 fires", `130 over: ${SERIES} is 12 now`]);
    expect(rounds[0]?.fold.put).toMatchObject([{ state: "pending", since: NOW }]);
    expect(rounds[2]?.fold.put).toMatchObject([{ state: "firing", since: NOW + 60_000 }]);
    expect(rounds[3]?.fold.put).toEqual([]);
    expect(rounds[5]?.fold.drop).toEqual([]);
    expect(rounds[6]?.fold.drop).toEqual(['queue-long{lane="live"}']);
    expect(rounds[7]?.fold.drop).toEqual([]);
  });

  test("that goes to and fro is one", () => {
    const rule = exampleRule({ for: 0 });
    const flapping = Array.from({ length: 720 }, (_, i) => [i * 5, i % 2 === 0 ? "holds" : "quiet", rule] as const);
    expect(steps(play(flapping))).toEqual(["0 fires"]);
    const slowly = Array.from({ length: 720 }, (_, i) => [i * 5, i % 22 < 11 ? "holds" : "quiet", rule] as const);
    expect(steps(play(slowly))).toEqual(["0 fires"]);
  });

  test("of a rule without `for` fires at once", () => {
    expect(steps(play([[0, "holds", exampleRule({ for: 0 })]]))).toEqual(["0 fires"]);
  });

  test.each(["quiet", "unknown", "gone"] as const)("begins anew after a round in which it is %s", (sight) => {
    expect(
      steps(
        play([
          [0, "holds"],
          [50, sight],
          [55, "holds"],
          [114, "holds"],
          [115, "holds"],
        ]),
      ),
    ).toEqual(["115 fires"]);
  });

  test.each(["unknown", "gone"] as const)("that fires goes on while it is %s, and ends when that lasts", (sight) => {
    const last = 60 + 5 + ALERT_UNKNOWN_MS / 1_000;
    const rounds = play([
      [0, "holds"],
      [60, "holds"],
      [65, sight],
      [last - 1, sight],
      [last, sight],
    ]);
    expect(steps(rounds)).toEqual(["60 fires", `${last} over: nothing is known of ${SERIES} any more`]);
  });

  test("that fires is still the same one when it is seen again in time", () => {
    const rounds = play([
      [0, "holds"],
      [60, "holds"],
      [65, "gone"],
      [300, "holds"],
      [305, "gone"],
      [600, "holds"],
    ]);
    expect(steps(rounds)).toEqual(["60 fires"]);
  });

  test("ends with its rule, and begins anew under a changed one", () => {
    const changed = { ...RULE, condition: { op: ">" as const, value: 11 } };
    expect(
      steps(
        play([
          [0, "holds"],
          [60, "holds"],
          [65, "holds", changed],
          [124, "holds", changed],
          [125, "holds", changed],
          [130, "holds", null],
        ]),
      ),
    ).toEqual(["60 fires", "65 over: its rule was changed", "125 fires", "130 over: its rule was dropped or turned off"]);
  });

  const arbitraryRounds = fc.array(
    fc.record({
      gap: fc.integer({ min: 1, max: 30 }),
      sight: fc.constantFrom<Sight>("holds", "holds", "quiet", "unknown", "gone"),
    }),
    { maxLength: 80 },
  );
  const toRounds = (drawn: readonly { gap: number; sight: Sight }[]): (readonly [number, Sight])[] => {
    let seconds = 0;
    return drawn.map(({ gap, sight }) => {
      seconds += gap;
      return [seconds, sight] as const;
    });
  };

  test("never fires before it held without a break for `for`, and never twice without an end between", () => {
    fc.assert(
      fc.property(arbitraryRounds, (drawn) => {
        const rounds = toRounds(drawn);
        let isFiring = false;
        for (const [i, { fold, seconds }] of play(rounds).entries()) {
          if (fold.ended.length > 0) {
            expect(isFiring).toBe(true);
            isFiring = false;
          }
          if (fold.fired.length === 0) continue;
          expect(isFiring).toBe(false);
          isFiring = true;
          const began = rounds.slice(0, i + 1).findLastIndex(([, sight]) => sight !== "holds") + 1;
          expect(seconds - (rounds[began]?.[0] ?? Number.NaN)).toBeGreaterThanOrEqual(RULE.for);
        }
      }),
    );
  });

  test("leaves in the store what is remembered, whatever happens", () => {
    fc.assert(
      fc.property(arbitraryRounds, (drawn) => {
        const store = new Map<string, StoredAlert>();
        for (const { fold } of play(toRounds(drawn))) {
          for (const key of fold.drop) store.delete(key);
          for (const alert of fold.put) store.set(alert.key, alert);
          expect([...store].map(([key, { state, since }]) => [key, state, since])).toEqual(
            [...fold.alerts].map(([key, { state, since }]) => [key, state, since]),
          );
        }
      }),
    );
  });
});

describe("a new leader", () => {
  const KEY = 'queue-long{lane="live"}';
  const take = (stored: StoredAlert, sight: Sight, rounds: readonly number[], jumpMs = 0) => {
    let known = recallAlerts([stored], { atMs: 0, now: NOW + jumpMs });
    return rounds.map((seconds) => {
      const moment = { atMs: seconds * 1_000, now: NOW + jumpMs + seconds * 1_000 };
      const fold = foldAlerts(known, [{ rule: RULE, evaluation: { findings: finding(sight), more: 0 } }], moment);
      known = fold.alerts;
      return { fold, seconds };
    });
  };

  test("doesn't tell again what fired, and ends it when it is over", () => {
    const stored = exampleAlert({ key: KEY, rule: RULE, state: "firing", since: NOW - 86_400_000, seenAt: NOW - 86_400_000 });
    expect(steps(take(stored, "holds", [0, 60, 120]))).toEqual([]);
    expect(steps(take(stored, "quiet", [0, 59, 60, 65]))).toEqual([`60 over: ${SERIES} is 12 now`]);
  });

  test("goes on with what was pending a moment ago", () => {
    const stored = exampleAlert({ key: KEY, rule: RULE, state: "pending", since: NOW - 50_000, seenAt: NOW - 15_000 });
    expect(steps(take(stored, "holds", [0, 9, 10]))).toEqual(["10 fires"]);
  });

  test.each([
    ["nobody looked at it for a while", ALERT_GAP_MS + 1],
    ["the clock jumped forward", 3_600_000],
    ["the clock was put back", -3_600_000],
  ])("begins anew where %s", (_, jumpMs) => {
    const stored = exampleAlert({ key: KEY, rule: RULE, state: "pending", since: NOW - 50_000, seenAt: NOW });
    expect(steps(take(stored, "holds", [0, 10, 59, 60], jumpMs))).toEqual(["60 fires"]);
  });

  test("knows a rule again whose parts the database gave back in another order", () => {
    const shuffled = Object.fromEntries(Object.entries(RULE).reverse()) as unknown as AlertRule;
    const stored = exampleAlert({ key: KEY, rule: shuffled, state: "firing" });
    expect(steps(take(stored, "holds", [0]))).toEqual([]);
  });
});

describe("history", () => {
  const written = { newId: () => "01JD8Z0000000000000000000A", now: NOW };

  test("has one entry for a rule and a round, with its series and whom to tell", () => {
    const rule = exampleRule({ for: 0, notifiers: ["pager"] });
    const findings = ["a", "b", "c"].map((lane): Finding => ({ labels: { lane }, value: 12, holds: true }));
    const fold = foldAlerts(new Map(), [{ rule, evaluation: { findings, more: 0 } }], { atMs: 0, now: NOW });
    const entries = tellAlerts(fold, written);
    expect(entries).toMatchObject([
      {
        kind: "alert",
        service: null,
        page: true,
        why: 'alert queue-long fires: regent_lane_waiting{lane="a"} is 12 (> 10), and 2 more',
        detail: { step: "fires", rule: "queue-long", severity: "warning", notifiers: ["pager"] },
      },
    ]);
    expect(entries[0]?.detail.alerts).toHaveLength(3);
  });

  test("says of a counter what it grew by, and of a histogram which quantile it is", () => {
    const say = (rule: AlertRule): string | undefined => {
      const findings: Finding[] = [{ labels: {}, value: 1.25, holds: true }];
      return tellAlerts(foldAlerts(new Map(), [{ rule, evaluation: { findings, more: 0 } }], { atMs: 0, now: NOW }), written)[0]
        ?.why;
    };
    const counter = exampleRule({ metric: "regent_clock_jumps_total", window: 300, for: 0 });
    expect(say(counter)).toBe("alert queue-long fires: regent_clock_jumps_total grew within 300 s by 1.25 (> 10)");
    expect(say({ ...counter, metric: "regent_look_seconds", quantile: 0.95 })).toBe(
      "alert queue-long fires: p95 of regent_look_seconds within 300 s is 1.25 (> 10)",
    );
    expect(say({ ...counter, window: null, condition: null, absent: true })).toBe(
      "alert queue-long fires: regent_clock_jumps_total is absent",
    );
  });

  test("tells the end before the beginning where a rule was changed", () => {
    const alert = { ...exampleAlert({ rule: RULE }), sinceMs: 0, unknownMs: null, quietMs: null };
    const entries = tellAlerts({ fired: [alert], ended: [{ alert, why: "its rule was changed" }] }, written);
    expect(entries.map(({ detail, page }) => [detail.step, page])).toEqual([
      ["over", false],
      ["fires", true],
    ]);
  });
});
