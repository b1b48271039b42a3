import type { Assignment, Facts, Outcome } from "@regent/contract";
import { foldOutcome, isSettled, STREAK_START, type Streak } from "@regent/engine/streak";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Batch, createBatch } from "./batch.ts";
import { isHistory, laneOf, type Part, toLists } from "./part.ts";
import type { ProbeResult } from "./probe-result.ts";
import { createSpool } from "./spool.ts";

const cadence = { intervalMs: 1_000, recheckMs: 200, timeoutMs: 800, fall: 3, clear: 2, rise: 3 };
const assignment = (target: string): Assignment => ({
  target,
  cadence,
  probe: { kind: "tcp", address: "192.0.2.1:80", onSlow: "degrade" },
});
const targetAt = (index: number): string => `shop/eu/c${index}`;
const resultOf = (outcome: Outcome): ProbeResult => {
  if (outcome === "ok") return { outcome, latencyMs: 1 };
  return { outcome, reason: outcome === "unknown" ? "blocked" : "tcp_refused", latencyMs: 1 };
};

/** An agent's checks and batch, driven by hand. */
const createSubject = (count: number, options: { observationsMax?: number } = {}) => {
  const spool = createSpool({ bytesMax: 1 << 20, ageMaxMs: 3_600_000 });
  const batch = createBatch({ spool, observationsMax: options.observationsMax ?? 500 });
  batch.configure(
    Array.from({ length: count }, (_, index) => assignment(targetAt(index))),
    1_000,
  );
  const streaks = new Map<string, Streak>();
  const note = (target: string, outcome: Outcome, at: number, facts?: Facts): void => {
    const before = streaks.get(target) ?? STREAK_START;
    const after = foldOutcome(before, outcome, cadence);
    streaks.set(target, after);
    const result = facts === undefined ? resultOf(outcome) : { ...resultOf(outcome), facts };
    batch.note({ target, at, result, isTransition: before.state !== after.state, before, after });
  };
  return { batch, spool, streaks, note };
};

const FRESHNESS_MS = cadence.intervalMs + cadence.timeoutMs + 1_000;

/** The control plane's half of the protocol, written from the contract: dedup by sequence, fold in order what is fresh. */
const createModelServer = (start: ReadonlyMap<string, Streak>) => {
  const streaks = new Map(start);
  const told = new Map<string, { at: number; outcome: Outcome }>();
  const taken = new Set<number>();
  const violations: string[] = [];
  const states: string[] = [];
  return {
    streaks,
    violations,
    states,
    hasTaken: (sequence: number): boolean => taken.has(sequence),
    take: (part: Part, agent: ReadonlyMap<string, Streak>, receivedAt: number): void => {
      if (taken.has(part.sequence)) return;
      taken.add(part.sequence);
      for (const { target, at, result } of part.observations) {
        if (receivedAt - at > FRESHNESS_MS) {
          told.set(target, { at, outcome: result.outcome });
          continue;
        }
        const before = streaks.get(target) ?? STREAK_START;
        const after = foldOutcome(before, result.outcome, cadence);
        const last = told.get(target);
        const isSame = after.state === before.state && after.failures === before.failures && after.passes === before.passes;
        if (last !== undefined && at < last.at) violations.push(`${target} went back in time`);
        if (last !== undefined && at === last.at && !isSame) violations.push(`${target} counted one probe twice`);
        streaks.set(target, after);
        told.set(target, { at, outcome: result.outcome });
        if (after.state !== before.state) states.push(`${target} ${after.state} ${at}`);
      }
      for (const { target, result } of part.unchanged) {
        if (told.get(target)?.outcome !== result.outcome) violations.push(`${target} unchanged from what was never told`);
        if (!isSettled(agent.get(target) ?? STREAK_START)) violations.push(`${target} unchanged though it is about to change`);
        if (JSON.stringify(streaks.get(target)) !== JSON.stringify(agent.get(target)))
          violations.push(`${target} streaks differ`);
      }
    },
  };
};

const deliverAll = (batch: Batch, take: (part: Part) => void, now: number): void => {
  batch.beginRound();
  for (let part = batch.take(now); part !== undefined; part = batch.take(now)) {
    take(part);
    batch.delivered(now);
  }
};

const outcome = fc.constantFrom<Outcome>("ok", "ok", "fail", "fail", "degraded", "unknown");
const fate = fc.constantFrom("taken", "taken", "lost-on-the-way", "answer-lost", "slow", "slower", "too-large");
const anyStreak = fc.constantFrom<Streak>(
  STREAK_START,
  { state: "up", failures: 0, passes: 0 },
  { state: "up", failures: 2, passes: 1 },
  { state: "down", failures: 3, passes: 0 },
  { state: "down", failures: 3, passes: 1 },
);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("probe" as const), index: fc.nat(2), outcome, afterMs: fc.nat(300) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("report" as const), fates: fc.array(fate, { maxLength: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("pause" as const), ms: fc.nat(6_000) }) },
);

interface World {
  readonly subject: ReturnType<typeof createSubject>;
  readonly server: ReturnType<typeof createModelServer>;
}

/** One round whose tries meet the given fates; when they run out the round is left where it is. */
const report = ({ subject, server }: World, fates: readonly string[], startedAt: number): number => {
  let now = startedAt;
  subject.batch.beginRound();
  for (const fateOfTry of fates) {
    const part = subject.batch.take(now);
    if (part === undefined) return now;
    switch (fateOfTry) {
      case "slow":
      case "slower":
        now += fateOfTry === "slow" ? 2_500 : 4_000;
        server.take(part, subject.streaks, now);
        subject.batch.delivered(now);
        break;
      case "taken":
        server.take(part, subject.streaks, now);
        subject.batch.delivered(now);
        break;
      case "lost-on-the-way":
        subject.batch.failed();
        break;
      case "answer-lost":
        server.take(part, subject.streaks, now);
        subject.batch.failed();
        break;
      case "too-large":
        // Had it arrived before, the answer would be that.
        if (server.hasTaken(part.sequence)) subject.batch.delivered(now);
        else subject.batch.giveUp("requeue", now);
        break;
    }
  }
  return now;
};

describe("batch", () => {
  it("never tells a probe twice, nothing out of order, and `unchanged` only where both streaks agree, whatever is lost", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), anyStreak, (steps, start) => {
        const subject = createSubject(3);
        const server = createModelServer(new Map([0, 1, 2].map((index) => [targetAt(index), start])));
        let now = 1_000_000;
        for (const one of steps) {
          if (one.kind === "pause") now += one.ms;
          if (one.kind === "report") now = report({ subject, server }, one.fates, now);
          if (one.kind === "probe") {
            now += one.afterMs + 1;
            // One of them is a database, which is never listed by its age alone when it was probed since.
            subject.note(targetAt(one.index), one.outcome, now, one.index === 2 ? { role: "standby" } : undefined);
          }
        }
        expect(server.violations).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it("tells every transition in order while nothing outlives its freshness, however often deliveries fail", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const subject = createSubject(2);
        const server = createModelServer(new Map());
        const wanted: string[] = [];
        let now = 1_000_000;
        for (const one of steps) {
          const quick = one.kind === "report" ? one.fates.filter((name) => !name.startsWith("slow")) : [];
          if (one.kind === "report") now = report({ subject, server }, quick, now);
          if (one.kind !== "probe") continue;
          now += 1;
          const target = targetAt(one.index % 2);
          const before = subject.streaks.get(target)?.state ?? "unknown";
          subject.note(target, one.outcome, now);
          const after = subject.streaks.get(target)?.state;
          if (after !== before) wanted.push(`${target} ${after} ${now}`);
        }
        deliverAll(subject.batch, (part) => server.take(part, subject.streaks, now), now);
        deliverAll(subject.batch, (part) => server.take(part, subject.streaks, now), now);
        const byTarget = (lines: readonly string[], index: number) =>
          lines.filter((line) => line.startsWith(`${targetAt(index)} `));
        for (const index of [0, 1]) expect(byTarget(server.states, index)).toEqual(byTarget(wanted, index));
        expect(subject.spool.size()).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it("brings the control plane's streak to its own after any outage, once as many equal results came as decide", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), anyStreak, fc.constantFrom<Outcome>("ok", "fail"), (steps, start, last) => {
        const subject = createSubject(1);
        const server = createModelServer(new Map([[targetAt(0), start]]));
        let now = 1_000_000;
        for (const one of steps) {
          if (one.kind === "pause") now += one.ms;
          if (one.kind === "report") now = report({ subject, server }, one.fates, now);
          if (one.kind === "probe") subject.note(targetAt(0), one.outcome, ++now);
        }
        for (let i = 0; i < 3; i++) {
          now += 1_000;
          subject.note(targetAt(0), last, now);
          deliverAll(subject.batch, (part) => server.take(part, subject.streaks, now), now);
        }
        expect(server.streaks.get(targetAt(0))).toEqual(subject.streaks.get(targetAt(0)));
        expect(server.violations).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it("lists a settled check by its age alone once its streak is agreed", () => {
    const { batch, note } = createSubject(1);
    const parts: Part[] = [];
    for (let i = 0; i < 5; i++) {
      note(targetAt(0), "ok", 1_000 * i);
      deliverAll(batch, (part) => parts.push(part), 1_000 * i + 100);
    }
    expect(parts.map((part) => [part.observations.length, part.unchanged.length])).toEqual([
      [1, 0],
      [1, 0],
      [1, 0],
      [0, 1],
      [0, 1],
    ]);
    expect(toLists(parts[4]!, 4_350).unchanged).toEqual([{ target: targetAt(0), ageMs: 350, latencyMs: 1 }]);
  });

  it("lists a database's state in full at every probe, so that a promotion that passes as before is told", () => {
    const { batch, note } = createSubject(2);
    const parts: Part[] = [];
    const roles = ["standby", "standby", "standby", "standby", "primary", "primary"];
    for (const [i, role] of roles.entries()) {
      note(targetAt(0), "ok", 1_000 * i, { role, lagSeconds: i });
      note(targetAt(1), "ok", 1_000 * i, { version: "8" });
      deliverAll(batch, (part) => parts.push(part), 1_000 * i + 100);
    }
    const told = parts.map(({ observations }) => observations.find(({ target }) => target === targetAt(0))?.result.facts);
    expect(told).toEqual(roles.map((role, i) => ({ role, lagSeconds: i })));
    expect(parts.map(({ unchanged }) => unchanged.map(({ target }) => target))).toEqual([
      [],
      [],
      [],
      [targetAt(1)],
      [targetAt(1)],
      [targetAt(1)],
    ]);
    // Nothing was probed since: nothing is new.
    deliverAll(batch, (part) => parts.push(part), 5_600);
    expect(parts.at(-1)).toMatchObject({ observations: [] });
  });

  it("tells the newest of several repeats of a database's state, once", () => {
    const { batch, note } = createSubject(1);
    const parts: Part[] = [];
    for (let at = 0; at < 4; at++) {
      note(targetAt(0), "ok", at, { role: "standby" });
      deliverAll(batch, () => undefined, at);
    }
    for (const role of ["standby", "standby", "primary"]) note(targetAt(0), "ok", 10 + parts.length, { role });
    deliverAll(batch, (part) => parts.push(part), 20);
    expect(parts.flatMap(({ observations }) => observations.map(({ result }) => result.facts))).toEqual([{ role: "primary" }]);
  });

  it("lists everything in full after a failed delivery, and after the control plane asked for it", () => {
    const { batch, note } = createSubject(2);
    const settle = (from: number): void => {
      for (let i = 0; i < 3; i++) {
        for (const index of [0, 1]) note(targetAt(index), "ok", from + i);
        deliverAll(batch, () => undefined, from + i);
      }
    };
    const nextCounts = (now: number) => {
      const parts: Part[] = [];
      deliverAll(batch, (part) => parts.push(part), now);
      return parts.map((part) => [part.observations.length, part.unchanged.length]);
    };
    settle(0);
    expect(nextCounts(10)).toEqual([[0, 2]]);
    batch.failed();
    expect(nextCounts(11)).toEqual([[2, 0]]);
    expect(nextCounts(12)).toEqual([[0, 2]]);
    batch.listFully("doubt");
    for (const at of [20, 30, 40]) {
      for (const index of [0, 1]) note(targetAt(index), "ok", at);
      expect(nextCounts(at + 1)).toEqual([[2, 0]]);
    }
    for (const index of [0, 1]) note(targetAt(index), "ok", 50);
    expect(nextCounts(51)).toEqual([[0, 2]]);
  });

  it("does not list a falling check without news: told twice, one failure would count twice", () => {
    const { batch, note } = createSubject(1);
    for (const at of [1, 2, 3]) note(targetAt(0), "ok", at);
    deliverAll(batch, () => undefined, 4);
    note(targetAt(0), "fail", 5);
    deliverAll(batch, () => undefined, 6);
    const parts: Part[] = [];
    deliverAll(batch, (part) => parts.push(part), 7);
    expect(parts.map(({ observations, unchanged }) => [...observations, ...unchanged])).toEqual([[]]);
  });

  it("splits what one report can't hold, transitions in the first part", () => {
    const { batch, note } = createSubject(12, { observationsMax: 5 });
    for (let round = 0; round < 3; round++) {
      for (let index = 0; index < 12; index++) note(targetAt(index), "ok", round * 1_000 + index);
      deliverAll(batch, () => undefined, round * 1_000 + 100);
    }
    for (const at of [10_000, 10_001, 10_002]) note(targetAt(11), "fail", at);
    const parts: Part[] = [];
    deliverAll(batch, (part) => parts.push(part), 10_003);
    expect(parts[0]!.observations.map(({ target, at }) => `${target} ${at}`)).toEqual(
      [10_000, 10_001, 10_002].map((at) => `${targetAt(11)} ${at}`),
    );
    const listed = parts.flatMap((part) => [...part.observations, ...part.unchanged].map(({ target }) => target));
    expect(new Set(listed).size).toBe(12);
    for (const part of parts) expect(Math.max(part.observations.length, part.unchanged.length)).toBeLessThanOrEqual(5);
  });

  it("keeps its sequence number when a part is sent again, with what became stale moved to the spool as history", () => {
    const { batch, spool, note } = createSubject(1);
    note(targetAt(0), "fail", 1_000);
    note(targetAt(0), "fail", 3_000);
    batch.beginRound();
    const first = batch.take(3_000)!;
    batch.failed();
    const again = batch.take(5_500)!;
    expect(again.sequence).toBe(first.sequence);
    expect(again.observations.map(({ at }) => at)).toEqual([3_000]);
    expect(spool.entries().map(({ at }) => at)).toEqual([1_000]);
    batch.delivered(5_550);
    batch.beginRound();
    expect(batch.take(5_600)!.backfill).toEqual([]);
    batch.delivered(5_610);
    expect(batch.take(5_620)!.backfill.map(({ at }) => at)).toEqual([1_000]);
  });

  it("keeps apart the results that an unagreed streak needs, and lets the newest stand for all once it is agreed", () => {
    const { batch, note } = createSubject(1);
    const parts: Part[] = [];
    for (const at of [1, 2, 3]) note(targetAt(0), "ok", at);
    deliverAll(batch, (part) => parts.push(part), 4);
    for (const at of [5, 6, 7]) note(targetAt(0), "ok", at);
    batch.listFully("once");
    deliverAll(batch, (part) => parts.push(part), 8);
    expect(parts.map(({ observations }) => observations.map(({ at }) => at))).toEqual([[1, 2, 3], [7]]);
  });

  it("replays history once in a round, and not before something got through", () => {
    const { batch, spool, note } = createSubject(1);
    spool.add([{ target: targetAt(0), at: 1, isTransition: true, result: resultOf("fail") }], 1);
    note(targetAt(0), "ok", 1_000);
    batch.failed();
    batch.beginRound();
    expect(batch.take(1_001)!.backfill).toEqual([]);
    batch.delivered(1_002);
    expect(batch.take(1_003)).toBeUndefined();
    batch.beginRound();
    expect(batch.take(1_004)!.backfill).toEqual([]);
    batch.delivered(1_005);
    const history = batch.take(1_006)!;
    expect(history).toMatchObject({ observations: [], unchanged: [], backfill: [{ at: 1 }] });
    expect([isHistory(history), laneOf(history)]).toEqual([true, "backlog"]);
    batch.delivered(1_007);
    expect(batch.take(1_008)).toBeUndefined();
  });

  it("sends no history while a transition waits, and none before it may when it was refused", () => {
    const { batch, spool, note } = createSubject(1);
    spool.add([{ target: targetAt(0), at: 1, isTransition: true, result: resultOf("fail") }], 1);
    batch.beginRound();
    expect(batch.take(2)!.backfill).toEqual([]);
    batch.delivered(3);
    for (const at of [3.1, 3.2, 3.3, 4]) note(targetAt(0), "fail", at);
    expect(batch.hasTransition()).toBe(true);
    expect(batch.take(5)).toBeUndefined();
    batch.beginRound();
    expect(laneOf(batch.take(6)!)).toBe("transition");
    batch.delivered(7);
    expect(isHistory(batch.take(8)!)).toBe(true);
    batch.postponeHistory(5_000, 9);
    expect(spool.entries().map(({ at }) => at)).toEqual([1]);
    batch.beginRound();
    expect(laneOf(batch.take(4_000)!)).toBe("live");
    batch.delivered(4_001);
    expect(batch.take(4_002)).toBeUndefined();
    batch.beginRound();
    batch.take(5_000);
    batch.delivered(5_001);
    expect(isHistory(batch.take(5_002)!)).toBe(true);
  });

  it("sends a sign of life when there is nothing to tell", () => {
    const { batch } = createSubject(0);
    const parts: Part[] = [];
    deliverAll(batch, (part) => parts.push(part), 0);
    deliverAll(batch, (part) => parts.push(part), 1_000);
    expect(parts.map(({ sequence }) => sequence)).toEqual([1, 2]);
  });

  it("puts a refused part back in order when it was too large, and counts what it throws away when it was unreadable", () => {
    const { batch, note } = createSubject(2);
    for (const at of [1, 2]) note(targetAt(0), "fail", at);
    batch.beginRound();
    batch.take(3);
    note(targetAt(0), "fail", 4);
    batch.giveUp("requeue", 5);
    batch.beginRound();
    expect(batch.take(6)!.observations.map(({ at }) => at)).toEqual([1, 2, 4]);
    batch.giveUp("lose", 7);
    expect(batch.lost()).toBe(3);
  });
});
