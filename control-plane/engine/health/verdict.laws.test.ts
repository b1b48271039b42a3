/** Laws of judge over random histories. */
import type { EvidenceKind } from "@regent/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Assessment, HealthMemory, Settings } from "../model.ts";
import type { AgentSight } from "../testing/evidence.ts";
import { T0, testEvidence, testServiceSpec, testSettings } from "../testing/evidence.ts";
import { judge, nextVerdictLookAt } from "./verdict.ts";
import { assess } from "./view.ts";

interface Moment {
  readonly afterMs: number;
  readonly seen: Assessment;
  readonly maintenance: string | null;
}

const assessment = fc
  .record({
    kind: fc.constantFrom<EvidenceKind>("good", "good", "soft", "bad", "unknown"),
    holdMs: fc.constantFrom(0, 738, 3_000, 15_000),
    score: fc.constantFrom(0, 55, 79, 80, 85, 90, 100),
    isDegradedHard: fc.constantFrom(false, false, true),
  })
  .map(
    (drawn): Assessment => ({
      region: "r1",
      inside: "up",
      outside: "up",
      flags: [],
      votes: [],
      isDegradedSoft: false,
      failingSince: null,
      why: "evidence",
      nextLookAt: null,
      ...drawn,
      score: drawn.kind === "unknown" ? null : drawn.score,
    }),
  );
const moment = fc.record({
  afterMs: fc.constantFrom(0, 1, 500, 3_000, 15_000, 30_000, 60_000, 600_000),
  seen: assessment,
  maintenance: fc.constantFrom(null, null, null, null, "in maintenance: new disks"),
});
const history = fc.array(moment, { minLength: 1, maxLength: 40 });
const settings = fc.constantFrom<Settings>(
  testSettings(),
  testSettings({ softMs: 3_000, healMs: 5_000, recoverMs: 5_000, dampingSuppress: null, dampingHalfLifeMs: 30_000 }),
  testSettings({ softMs: 0, healMs: 0, recoverMs: 0 }),
);

/** The memories after each moment, with the moment's time. */
const live = (moments: readonly Moment[], limits: Settings) => {
  const lived: { now: number; memory: HealthMemory; before: HealthMemory | null; moment: Moment }[] = [];
  let memory: HealthMemory | null = null;
  let now = T0;
  for (const one of moments) {
    now += one.afterMs;
    const before: HealthMemory | null = memory;
    memory = judge({ assessment: one.seen, memory: before, settings: limits, maintenance: one.maintenance, now });
    lived.push({ now, memory, before, moment: one });
  }
  return lived;
};

test("judging twice at one moment is judging once", () => {
  fc.assert(
    fc.property(history, settings, (moments, limits) => {
      for (const { now, memory, moment: one } of live(moments, limits))
        expect(judge({ assessment: one.seen, memory, settings: limits, maintenance: one.maintenance, now })).toEqual(memory);
    }),
  );
});

test("by time alone nothing changes before the next look, and something does at it", () => {
  fc.assert(
    fc.property(history, settings, fc.double({ min: 0, max: 1, noNaN: true }), (moments, limits, part) => {
      for (const { now, memory, moment: one } of live(moments, limits)) {
        const look = { assessment: one.seen, memory, settings: limits, now };
        const again = (at: number) => judge({ ...look, maintenance: one.maintenance, now: at });
        const next = nextVerdictLookAt(look);
        const until = next ?? now + 10 * 3_600_000;
        // Penalties decay in real numbers, looks are due in whole milliseconds.
        const between = Math.max(now, Math.min(until - 2, now + Math.floor((until - now) * part)));
        expect(again(between)).toEqual(memory);
        const isSame = (at: number): boolean => JSON.stringify(again(at)) === JSON.stringify(memory);
        // While suppressed, a look may come before the penalty has decayed and find nothing: one look too many, none too few.
        if (next !== null && !memory.isSuppressed) expect([next, next + 1, next + 2].every(isSame)).toBe(false);
      }
    }),
  );
});

test("a region becomes unhealthy only on bad evidence, after its hold or while it is recovering", () => {
  fc.assert(
    fc.property(history, settings, (moments, limits) => {
      for (const { now, memory, before, moment: one } of live(moments, limits)) {
        const was = before?.verdict === "unknown" ? (before.before ?? "unknown") : (before?.verdict ?? "unknown");
        if (memory.verdict !== "unhealthy" || was === "unhealthy") continue;
        expect(memory.evidence).toBe("bad");
        if (before?.verdict !== "recovering") expect(now - memory.evidenceSince).toBeGreaterThanOrEqual(one.seen.holdMs);
      }
    }),
  );
});

test("what was unhealthy is healthy again only after recoverMs of good evidence, and not while suppressed", () => {
  fc.assert(
    fc.property(history, settings, (moments, limits) => {
      for (const { now, memory, before } of live(moments, limits)) {
        if (memory.verdict !== "healthy" || before?.verdict !== "recovering") continue;
        expect(now - memory.evidenceSince).toBeGreaterThanOrEqual(limits.recoverMs);
        expect(memory.isSuppressed).toBe(false);
      }
    }),
  );
});

test("unknown evidence never changes the factor, and only a degraded region has one between 0 and 1", () => {
  fc.assert(
    fc.property(history, settings, (moments, limits) => {
      for (const { memory, before, moment: one } of live(moments, limits)) {
        if (one.seen.kind === "unknown" && one.maintenance === null) expect(memory.factor).toBe(before?.factor ?? 1);
        if (memory.verdict === "healthy") expect(memory.factor).toBe(1);
        if (["unhealthy", "recovering", "maintenance"].includes(memory.verdict)) expect(memory.factor).toBe(0);
        expect(memory.factor === 0 || (memory.factor >= 0.3 && memory.factor <= 1)).toBe(true);
      }
    }),
  );
});

const SEATS = ["r1/a", "r1/b", "r2/a", "r2/b", "r3/a"];
const sights = fc.constantFrom("up", "down", "falling", "blind", null);
const agents = fc.tuple(
  ...SEATS.map((at) =>
    fc.record({
      at: fc.constant(at),
      sees: fc.record({ web: sights, db: sights }),
      heardMsAgo: fc.constantFrom(0, 4_000, 17_001),
      seenMsAgo: fc.constantFrom(0, 4_000, 17_001),
      selfHealthy: fc.constantFrom(true, true, false),
    }),
  ),
);

test("an unhealthy verdict always rests on a fresh failed result of a self-healthy agent", () => {
  const spec = testServiceSpec({ settings: { holdMinMs: 0, holdMaxMs: 1_000, recoverMs: 2_000 } });
  fc.assert(
    fc.property(fc.array(agents, { minLength: 1, maxLength: 30 }), (worlds) => {
      let memory: HealthMemory | null = null;
      for (const [index, world] of worlds.entries()) {
        const now = T0 + index * 700;
        const evidence = testEvidence({ spec, region: "r1", agents: world as readonly AgentSight[], now });
        const seen = assess({ spec, region: "r1", evidence, previous: memory, now });
        memory = judge({ assessment: seen, memory, settings: spec.settings, maintenance: null, now });
        if (memory.verdict === "unhealthy") expect(world.some(isFreshFailure)).toBe(true);
      }
    }),
  );
});

const isFreshFailure = ({ sees, heardMsAgo, seenMsAgo, selfHealthy }: AgentSight): boolean =>
  selfHealthy === true && heardMsAgo !== 17_001 && seenMsAgo !== 17_001 && Object.values(sees ?? {}).includes("down");
