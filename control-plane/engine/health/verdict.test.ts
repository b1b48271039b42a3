import type { EvidenceKind, Verdict } from "@regent/contract";
import { describe, expect, it, test } from "vitest";
import type { Assessment, HealthMemory, Settings } from "../model.ts";
import { T0, testMemory, testSettings } from "../testing/evidence.ts";
import { judge, nextVerdictLookAt, toRegionVerdict } from "./verdict.ts";

const standard = testSettings();

const testAssessment = (changed: Partial<Assessment> = {}): Assessment => ({
  region: "r1",
  kind: "good",
  inside: "up",
  outside: "up",
  flags: [],
  votes: [],
  holdMs: 3_000,
  isDegradedHard: false,
  isDegradedSoft: false,
  score: 100,
  failingSince: null,
  why: "evidence",
  nextLookAt: null,
  ...changed,
});

const SEEN: Readonly<Record<EvidenceKind, Assessment>> = {
  good: testAssessment(),
  soft: testAssessment({ kind: "soft", score: 70, failingSince: T0 - 4_000 }),
  bad: testAssessment({ kind: "bad", score: 0, failingSince: T0 - 4_000 }),
  unknown: testAssessment({ kind: "unknown", score: null }),
};

interface Step {
  /** Seconds after T0. */
  readonly at: number;
  readonly seen: Assessment;
  readonly isInMaintenance?: boolean;
}

const run = (memory: HealthMemory | null, steps: readonly Step[], settings: Settings = standard): HealthMemory =>
  steps.reduce<HealthMemory | null>(
    (before, { at, seen, isInMaintenance = false }) =>
      judge({
        assessment: seen,
        memory: before,
        settings,
        maintenance: isInMaintenance ? "in maintenance: new disks" : null,
        now: T0 + at * 1_000,
      }),
    memory,
  )!;

const steady = (kind: EvidenceKind, from: number, to: number): readonly Step[] => [
  { at: from, seen: SEEN[kind] },
  { at: to, seen: SEEN[kind] },
];
const was = (verdict: Verdict, changed: Partial<HealthMemory> = {}) => testMemory({ verdict, ...changed });
const wasUnhealthy = was("unhealthy", { evidence: "bad", factor: 0, detectedAt: T0 - 60_000, penalty: 1_000, penaltyAt: T0 });
const wasRecovering = was("recovering", { evidence: "good", evidenceSince: T0, factor: 0, since: T0 });

describe("moves", () => {
  it.each<[string, HealthMemory | null, readonly Step[], Verdict]>([
    ["healthy, bad for just under the hold", was("healthy"), steady("bad", 0, 2.999), "healthy"],
    ["healthy, bad for the hold", was("healthy"), steady("bad", 0, 3), "unhealthy"],
    ["degraded, bad for the hold", was("degraded"), steady("bad", 0, 3), "unhealthy"],
    ["healthy, soft for just under softMs", was("healthy"), steady("soft", 0, 29.999), "healthy"],
    ["healthy, soft for softMs", was("healthy"), steady("soft", 0, 30), "degraded"],
    ["degraded, good for just under healMs", was("degraded", { evidence: "soft" }), steady("good", 0, 59.999), "degraded"],
    ["degraded, good for healMs", was("degraded", { evidence: "soft" }), steady("good", 0, 60), "healthy"],
    ["unhealthy, bad", wasUnhealthy, steady("bad", 0, 900), "unhealthy"],
    ["unhealthy, soft", wasUnhealthy, steady("soft", 0, 900), "unhealthy"],
    ["unhealthy, good begins", wasUnhealthy, [{ at: 0, seen: SEEN.good }], "recovering"],
    ["recovering, good for just under recoverMs", wasRecovering, steady("good", 0, 59.999), "recovering"],
    ["recovering, good for recoverMs", wasRecovering, steady("good", 0, 60), "healthy"],
    ["recovering, bad begins", wasRecovering, [{ at: 1, seen: SEEN.bad }], "unhealthy"],
    ["recovering, soft", wasRecovering, steady("soft", 1, 900), "recovering"],
    [
      "recovering, soft for a moment restarts the clock",
      wasRecovering,
      [{ at: 30, seen: SEEN.soft }, ...steady("good", 31, 90.999)],
      "recovering",
    ],
    [
      "recovering, recoverMs after the clock restarted",
      wasRecovering,
      [{ at: 30, seen: SEEN.soft }, ...steady("good", 31, 91)],
      "healthy",
    ],
    ["healthy, nothing known", was("healthy"), [{ at: 0, seen: SEEN.unknown }], "unknown"],
    ["never judged, nothing known", null, [{ at: 0, seen: SEEN.unknown }], "unknown"],
    ["never judged, good", null, [{ at: 0, seen: SEEN.good }], "healthy"],
    ["never judged, soft", null, [{ at: 0, seen: SEEN.soft }], "healthy"],
    ["never judged, bad", null, [{ at: 0, seen: SEEN.bad }], "unknown"],
    ["never judged, bad for the hold", null, steady("bad", 0, 3), "unhealthy"],
    ["unknown, bad for the hold", was("unknown", { before: "healthy", evidence: "unknown" }), steady("bad", 0, 3), "unhealthy"],
  ])("%s", (_case, memory, steps, verdict) => {
    expect(run(memory, steps).verdict).toBe(verdict);
  });
});

describe("unknown leads back to", () => {
  it.each<[Verdict, EvidenceKind, Verdict, number]>([
    ["healthy", "good", "healthy", 1],
    ["healthy", "soft", "healthy", 1],
    ["degraded", "good", "degraded", 1],
    ["degraded", "soft", "degraded", 1],
    ["recovering", "good", "recovering", 0],
    ["recovering", "soft", "recovering", 0],
    ["unhealthy", "good", "recovering", 0],
    ["unhealthy", "soft", "unhealthy", 0],
  ])("%s, when the evidence is %s: %s", (before, kind, after, factor) => {
    const blind = run(was(before, { factor: before === "healthy" || before === "degraded" ? 1 : 0 }), [
      { at: 0, seen: SEEN.unknown },
    ]);
    expect(blind).toMatchObject({ verdict: "unknown", before });
    expect(run(blind, [{ at: 9, seen: SEEN[kind] }])).toMatchObject({ verdict: after, factor, before: null, penalty: 0 });
  });

  test("the factor it had stays meanwhile", () => {
    const degraded = run(was("degraded", { evidence: "soft" }), [
      { at: 0, seen: testAssessment({ kind: "soft", score: 65, isDegradedHard: true }) },
    ]);
    expect(degraded.factor).toBe(0.5);
    expect(run(degraded, steady("unknown", 1, 3_600)).factor).toBe(0.5);
    expect(run(wasUnhealthy, steady("unknown", 1, 3_600)).factor).toBe(0);
    expect(run(null, [{ at: 0, seen: SEEN.unknown }]).factor).toBe(1);
  });

  test("unhealthy before and after an unknown is one departure", () => {
    const memory = run(wasUnhealthy, [{ at: 0, seen: SEEN.unknown }, ...steady("bad", 1, 4)]);
    expect(memory.verdict).toBe("unhealthy");
    expect(memory.penaltyAt).toBe(T0);
  });
});

describe("maintenance", () => {
  test("begins at once from any verdict, takes no penalty and has factor 0", () => {
    const verdicts: readonly Verdict[] = ["healthy", "degraded", "unhealthy", "recovering", "unknown"];
    for (const verdict of verdicts) {
      const memory = run(was(verdict, { before: verdict === "unknown" ? "degraded" : null }), [
        { at: 0, seen: SEEN.bad, isInMaintenance: true },
        { at: 900, seen: SEEN.bad, isInMaintenance: true },
      ]);
      expect(memory).toMatchObject({ verdict: "maintenance", since: T0, factor: 0, penalty: 0 });
      expect(memory.before).toBe(verdict === "unknown" ? "degraded" : verdict);
    }
  });

  it.each<[EvidenceKind, Verdict]>([
    ["good", "recovering"],
    ["soft", "recovering"],
    ["bad", "unknown"],
    ["unknown", "unknown"],
  ])("ends, when the evidence turns %s just then, in %s, without traffic", (kind, verdict) => {
    const during = run(was("healthy"), [{ at: 0, seen: SEEN.unknown, isInMaintenance: true }]);
    const after = run(during, [{ at: 60, seen: SEEN[kind] }]);
    expect(after).toMatchObject({ verdict, factor: 0 });
    expect(run(after, [{ at: 120, seen: SEEN.good }]).verdict).toBe(kind === "good" ? "healthy" : "recovering");
  });
});

test("after maintenance a region recovers for as long as after a failure, however well it looked meanwhile", () => {
  const during = run(was("healthy"), [
    { at: 0, seen: SEEN.good, isInMaintenance: true },
    ...[300, 600].map((at) => ({ at, seen: SEEN.good, isInMaintenance: true })),
  ]);
  const after = run(during, [{ at: 700, seen: SEEN.good }]);
  expect(after).toMatchObject({ verdict: "recovering", factor: 0 });
  expect(run(after, [{ at: 759, seen: SEEN.good }]).verdict).toBe("recovering");
  expect(run(after, [{ at: 760, seen: SEEN.good }]).verdict).toBe("healthy");
});

test("what was bad during maintenance has its hold after it", () => {
  const during = run(was("healthy"), [{ at: 0, seen: SEEN.bad, isInMaintenance: true }]);
  const after = run(during, [{ at: 600, seen: SEEN.bad }]);
  expect(after).toMatchObject({ verdict: "unknown", factor: 0 });
  expect(run(after, [{ at: 603, seen: SEEN.bad }]).verdict).toBe("unhealthy");
});

describe("soft evidence", () => {
  it.each<[string, Partial<Assessment>, Verdict, EvidenceKind]>([
    ["a score of 79", { score: 79 }, "degraded", "soft"],
    ["a score of 80", { score: 80 }, "healthy", "good"],
    ["a hard finding", { isDegradedHard: true }, "degraded", "soft"],
    ["a soft finding", { isDegradedSoft: true }, "healthy", "good"],
  ])("good views with %s for softMs: %s", (_what, changed, verdict, evidence) => {
    const seen = testAssessment(changed);
    expect(
      run(was("healthy"), [
        { at: 0, seen },
        { at: 30, seen },
      ]),
    ).toMatchObject({ verdict, evidence });
  });

  test("a degraded region heals only from a score of 90", () => {
    const healing = (score: number) =>
      run(
        was("degraded", { evidence: "soft" }),
        [0, 60].map((at) => ({ at, seen: testAssessment({ score }) })),
      );
    expect(healing(89).verdict).toBe("degraded");
    expect(healing(90).verdict).toBe("healthy");
  });

  it.each([
    [Number.NaN, false, 1],
    [70, false, 1],
    [100, true, 1],
    [89, true, 1],
    [65, true, 0.5],
    [62, true, 0.4],
    [55, true, 0.3],
    [0, true, 0.3],
  ])("a degraded region with score %f (hard finding: %s) has factor %f", (score, isDegradedHard, factor) => {
    const seen = testAssessment({ kind: "soft", score: Number.isNaN(score) ? null : score, isDegradedHard });
    expect(run(was("degraded", { evidence: "soft" }), [{ at: 0, seen }]).factor).toBe(factor);
  });
});

describe("clocks", () => {
  test("the hold runs anew when the evidence leaves bad for a moment", () => {
    expect(run(was("healthy"), [...steady("bad", 0, 2.9), { at: 2.95, seen: SEEN.soft }, ...steady("bad", 3, 5.9)]).verdict).toBe(
      "healthy",
    );
  });

  test("a hold that shrinks as more vantages confirm is over at once when it has lasted long enough", () => {
    const slow = { ...SEEN.bad, holdMs: 15_000 };
    expect(
      run(was("healthy"), [
        { at: 0, seen: slow },
        { at: 4, seen: slow },
      ]).verdict,
    ).toBe("healthy");
    expect(
      run(was("healthy"), [
        { at: 0, seen: slow },
        { at: 4, seen: SEEN.bad },
      ]).verdict,
    ).toBe("unhealthy");
  });

  test("without a hold bad is believed at once", () => {
    expect(run(was("healthy"), [{ at: 0, seen: { ...SEEN.bad, holdMs: 0 } }]).verdict).toBe("unhealthy");
  });

  test("a memory that went through storage keeps its clocks", () => {
    const before = run(was("healthy"), [{ at: 0, seen: SEEN.bad }]);
    const restored: HealthMemory = JSON.parse(JSON.stringify(before));
    expect(run(restored, [{ at: 2.999, seen: SEEN.bad }]).verdict).toBe("healthy");
    expect(run(restored, [{ at: 3, seen: SEEN.bad }])).toMatchObject({ verdict: "unhealthy", since: T0 + 3_000 });
  });

  test("the fault is dated from its first failure, and forgotten when good begins", () => {
    const bad = run(was("healthy"), steady("bad", 0, 3));
    expect(bad.detectedAt).toBe(T0 - 4_000);
    expect(run(bad, [{ at: 9, seen: { ...SEEN.bad, failingSince: T0 + 8_000 } }]).detectedAt).toBe(T0 - 4_000);
    expect(run(bad, [{ at: 9, seen: SEEN.soft }]).detectedAt).toBe(T0 - 4_000);
    expect(run(bad, [{ at: 9, seen: SEEN.good }]).detectedAt).toBeNull();
    expect(run(was("healthy"), [{ at: 5, seen: { ...SEEN.bad, failingSince: null } }]).detectedAt).toBe(T0 + 5_000);
  });

  it.each<[string, HealthMemory | null, Step, number | null]>([
    ["healthy and good", was("healthy"), { at: 0, seen: SEEN.good }, null],
    ["healthy and bad: the hold", was("healthy"), { at: 0, seen: SEEN.bad }, 3],
    ["healthy and soft: softMs", was("healthy"), { at: 0, seen: SEEN.soft }, 30],
    ["degraded and good: healMs", was("degraded", { evidence: "soft" }), { at: 0, seen: SEEN.good }, 60],
    ["unhealthy turned good: recoverMs", wasUnhealthy, { at: 0, seen: SEEN.good }, 60],
    ["never judged and bad: the hold", null, { at: 0, seen: SEEN.bad }, 3],
    ["unhealthy and bad", wasUnhealthy, { at: 0, seen: SEEN.bad }, null],
    ["unknown", was("healthy"), { at: 0, seen: SEEN.unknown }, null],
  ])("the next look when %s", (_case, memory, step, seconds) => {
    const judged = run(memory, [step]);
    const next = nextVerdictLookAt({ assessment: step.seen, memory: judged, settings: standard, now: T0 });
    expect(next).toBe(seconds === null ? null : T0 + seconds * 1_000);
  });
});

describe("damping", () => {
  const flap = (from: number): readonly Step[] => [...steady("bad", from, from + 3), ...steady("good", from + 10, from + 70)];

  test("leaving costs 1,000, degrading 250, returning nothing", () => {
    expect(run(was("healthy"), steady("bad", 0, 3)).penalty).toBe(1_000);
    expect(run(was("healthy"), steady("soft", 0, 30)).penalty).toBe(250);
    expect(run(wasUnhealthy, steady("good", 0, 60)).penalty).toBe(1_000);
  });

  test("the third departure within a short time keeps the region recovering until its penalty has decayed, and shows a score of 40", () => {
    const twice = run(was("healthy"), [...flap(0), ...flap(120)]);
    expect(twice).toMatchObject({ verdict: "healthy", isSuppressed: false });
    const thrice = run(twice, flap(240));
    expect(thrice).toMatchObject({ verdict: "recovering", isSuppressed: true, factor: 0 });
    expect(thrice.why).toContain("held back as it flapped");
    expect(toRegionVerdict(thrice, SEEN.good)).toMatchObject({ score: 40, flags: ["suppressed"], evidence: "good" });
    const released = nextVerdictLookAt({ assessment: SEEN.good, memory: thrice, settings: standard, now: T0 + 310_000 })!;
    const at = (released - T0) / 1_000;
    expect(run(thrice, [{ at: at - 1, seen: SEEN.good }]).verdict).toBe("recovering");
    expect(run(thrice, [{ at, seen: SEEN.good }])).toMatchObject({ verdict: "healthy", isSuppressed: false });
  });

  test("a suppressed region still leaves at once", () => {
    const suppressed = was("recovering", { evidence: "good", penalty: 3_000, penaltyAt: T0, isSuppressed: true });
    expect(run(suppressed, [{ at: 0, seen: SEEN.bad }])).toMatchObject({ verdict: "unhealthy", penalty: 4_000 });
  });
});

describe("sentences", () => {
  it.each<[string, HealthMemory | null, Step, string]>([
    ["healthy", was("healthy"), { at: 0, seen: SEEN.good }, "evidence"],
    ["a hold", was("healthy"), { at: 0, seen: SEEN.bad }, "evidence; unhealthy at 03:12:03Z if this lasts"],
    ["doubt", was("healthy"), { at: 0, seen: SEEN.soft }, "evidence; degraded at 03:12:30Z if this lasts"],
    [
      "healing",
      was("degraded", { evidence: "soft" }),
      { at: 0, seen: SEEN.good },
      "evidence; healthy at 03:13:00Z if this lasts",
    ],
    ["a failed region", wasUnhealthy, { at: 0, seen: SEEN.bad }, "evidence"],
    ["a doubtful failed region", wasUnhealthy, { at: 0, seen: SEEN.soft }, "evidence; unhealthy until good evidence begins"],
    ["recovery", wasUnhealthy, { at: 0, seen: SEEN.good }, "evidence; recovering; healthy at 03:13:00Z if this lasts"],
    ["silence", was("healthy"), { at: 0, seen: SEEN.unknown }, "evidence; cannot tell; it was healthy until 03:12:00Z"],
    ["a start", null, { at: 0, seen: SEEN.unknown }, "evidence; not judged yet"],
    ["maintenance", was("healthy"), { at: 0, seen: SEEN.good, isInMaintenance: true }, "evidence; in maintenance: new disks"],
  ])("of %s", (_case, memory, step, why) => {
    expect(run(memory, [step]).why).toBe(why);
  });
});
