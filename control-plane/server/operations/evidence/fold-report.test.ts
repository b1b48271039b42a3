/** Laws of intake: order by (boot, sequence), never by time; what was taken is never taken twice; old evidence never looks new. */

import type { Observation, Report } from "@regent/contract";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ClockStep } from "../../ports/clock.ts";
import type { StoredAgent, StoredCheck } from "../../ports/evidence-store.ts";
import type { AssignedCheck } from "../configuration/configuration-in-force.ts";
import { type Folded, foldReport } from "./fold-report.ts";

const NOW = 1_795_000_000_000;
const TARGET = "checkout/eu-west/web";
const assigned: ReadonlyMap<string, AssignedCheck> = new Map([[TARGET, { fall: 2, clear: 2, rise: 2, freshnessMs: 4_000 }]]);

const report = (more: Partial<Report> = {}): Report => ({
  v: 1,
  aud: "test/v1/reports",
  agent: "a1",
  region: "eu-west",
  network: "net-a",
  boot: 1,
  sequence: 1,
  sentAt: NOW,
  build: "test",
  runtime: "node",
  configurationVersion: 1,
  self: { healthy: true, mode: "normal", overruns: 0, spooled: 0, dropped: 0 },
  observations: [],
  unchanged: [],
  backfill: [],
  ...more,
});

const seen = (outcome: "ok" | "fail", ageMs = 0): Observation =>
  outcome === "ok"
    ? { target: TARGET, ageMs, outcome, latencyMs: 5 }
    : { target: TARGET, ageMs, outcome, reason: "tcp_refused", latencyMs: 1 };

interface Store {
  agent: StoredAgent | null;
  checks: Map<string, StoredCheck>;
  transitions: string[];
}

const emptyStore = (): Store => ({ agent: null, checks: new Map(), transitions: [] });

const take = (store: Store, taken: Report, receivedAt = taken.sentAt, step: ClockStep | null = null): Folded => {
  const write = foldReport({ report: taken, receivedAt, step, assigned }, store.agent, [...store.checks.values()]);
  if (write.agent) store.agent = write.agent;
  for (const check of write.checks) store.checks.set(check.target, check);
  for (const t of write.transitions) store.transitions.push(`${t.from}>${t.to}`);
  return write.result;
};

const stateOf = (store: Store) => store.checks.get(TARGET)?.state;

describe("order", () => {
  test("a duplicate and an older boot are replays and write nothing", () => {
    const store = emptyStore();
    expect(take(store, report({ boot: 2, sequence: 5, observations: [seen("ok")] })).kind).toBe("taken");
    const before = structuredClone(store);
    expect(take(store, report({ boot: 2, sequence: 5, observations: [seen("fail")] })).kind).toBe("replayed");
    expect(take(store, report({ boot: 1, sequence: 9, observations: [seen("fail")] })).kind).toBe("replayed");
    expect(store).toEqual(before);
  });

  test("an overtaken report is taken once, and moves no streak", () => {
    const store = emptyStore();
    take(store, report({ sequence: 1, observations: [seen("ok")] }));
    take(store, report({ sequence: 3, observations: [seen("fail")] }));
    expect(take(store, report({ sequence: 2, observations: [seen("fail")] })).kind).toBe("taken");
    expect(stateOf(store)).toBe("up");
    expect(take(store, report({ sequence: 2, observations: [seen("fail")] })).kind).toBe("replayed");
  });

  test("whatever the order and repetition of deliveries, each sequence is taken at most once", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 60 }), (sequences) => {
        const store = emptyStore();
        const taken = sequences.filter((sequence) => take(store, report({ sequence })).kind === "taken");
        expect(new Set(taken).size).toBe(taken.length);
      }),
    );
  });

  test("repeating every report changes nothing that is believed", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom<"ok" | "fail">("ok", "fail"), { maxLength: 30 }), (outcomes) => {
        const once = emptyStore();
        const twice = emptyStore();
        outcomes.forEach((outcome, i) => {
          const made = report({ sequence: i + 1, sentAt: NOW + i * 1_000, observations: [seen(outcome)] });
          take(once, made);
          take(twice, made);
          take(twice, made);
        });
        expect(twice).toEqual(once);
      }),
    );
  });
});

describe("time", () => {
  test("a report that was held back is as old as it is, whatever age it claims", () => {
    const store = emptyStore();
    take(store, report({ sequence: 1, observations: [seen("ok")] }), NOW + 20);
    take(store, report({ sequence: 2, sentAt: NOW + 1_000, observations: [seen("fail"), seen("fail")] }), NOW + 11_000);
    expect(stateOf(store)).toBe("up");
    expect(store.agent?.live[TARGET]?.[0]).toBeLessThanOrEqual(NOW + 2_200);
  });

  test("a clock that is wrong by minutes gives the same evidence times as a right one", () => {
    for (const skew of [-240_000, 0, 240_000]) {
      const store = emptyStore();
      take(store, report({ sequence: 1, sentAt: NOW + skew, observations: [seen("ok", 300)] }), NOW);
      expect(store.agent?.live[TARGET]?.[0]).toBe(NOW - 300);
    }
  });

  const HOUR_MS = 3_600_000;
  const ageOf = (store: Store, receivedAt: number): number => receivedAt - (store.agent?.live[TARGET]?.[0] ?? 0);

  test.for([HOUR_MS, -HOUR_MS])(
    "when our clock jumps by %i ms, the first report after it is as fresh as the one before",
    (byMs) => {
      const store = emptyStore();
      take(store, report({ sequence: 1, observations: [seen("ok")] }), NOW + 20);
      const step = { at: NOW + 3_000 + byMs, byMs };
      for (let n = 1; n <= 5; n += 1) {
        const sentAt = NOW + 5_000 * n;
        take(store, report({ sequence: 1 + n, sentAt, observations: [seen("ok")] }), sentAt + 20 + byMs, step);
        expect(ageOf(store, sentAt + 20 + byMs)).toBe(20 - 20);
        expect(store.agent?.heardAt).toBe(sentAt + 20 + byMs);
      }
    },
  );

  test("a report that was held back is old across a jump of our clock too", () => {
    const store = emptyStore();
    take(store, report({ sequence: 1, observations: [seen("ok")] }), NOW);
    const receivedAt = NOW + 61_000 + HOUR_MS;
    take(store, report({ sequence: 2, sentAt: NOW + 1_000, observations: [seen("fail")] }), receivedAt, {
      at: receivedAt - 1_000,
      byMs: HOUR_MS,
    });
    expect(ageOf(store, receivedAt)).toBeGreaterThan(40_000);
  });

  test.for([
    [60_000, 6],
    [HOUR_MS, 14],
  ] as const)(
    "an agent's clock that is set back by %i ms mutes it, and it is believed again within %d min",
    ([backMs, minutes]) => {
      const store = emptyStore();
      take(store, report({ sequence: 1, observations: [seen("ok")] }), NOW);
      let mutedMs = 0;
      for (let n = 1; n < 1_000; n += 1) {
        const receivedAt = NOW + 5_000 * n;
        take(store, report({ sequence: 1 + n, sentAt: receivedAt - backMs, observations: [seen("ok")] }), receivedAt);
        if (ageOf(store, receivedAt) > 4_000) mutedMs = 5_000 * n;
      }
      expect(mutedMs).toBeGreaterThan(60_000);
      expect(mutedMs).toBeLessThan(minutes * 60_000);
    },
  );

  test("an agent's clock that is set ahead changes nothing", () => {
    const store = emptyStore();
    take(store, report({ sequence: 1, observations: [seen("ok")] }), NOW);
    take(store, report({ sequence: 2, sentAt: NOW + 5_000 + HOUR_MS, observations: [seen("ok")] }), NOW + 5_000);
    expect(ageOf(store, NOW + 5_000)).toBe(0);
  });

  test("no evidence time is ever later than its arrival", () => {
    fc.assert(
      fc.property(fc.integer({ min: -300_000, max: 300_000 }), fc.integer({ min: 0, max: 600_000 }), (skew, ageMs) => {
        const store = emptyStore();
        take(store, report({ sequence: 1, sentAt: NOW + skew, observations: [seen("ok", ageMs)] }), NOW);
        expect(store.agent?.live[TARGET]?.[0] ?? 0).toBeLessThanOrEqual(NOW);
      }),
    );
  });
});

describe("lines", () => {
  test("failures in a row bring a check down, with the first of them remembered", () => {
    const store = emptyStore();
    take(store, report({ sequence: 1, observations: [seen("ok")] }));
    take(store, report({ sequence: 2, sentAt: NOW + 1_000, observations: [seen("fail", 400), seen("fail", 100)] }));
    expect(store.checks.get(TARGET)).toMatchObject({
      state: "down",
      since: NOW + 900,
      failingSince: NOW + 600,
      reason: "tcp_refused",
    });
    expect(store.transitions).toEqual(["unknown>up", "up>down"]);
  });

  test("a settled check that hasn't changed writes the agent's row alone", () => {
    const store = emptyStore();
    take(store, report({ sequence: 1, observations: [seen("ok")] }));
    const version = store.agent?.version;
    const result = take(
      store,
      report({ sequence: 2, sentAt: NOW + 1_000, unchanged: [{ target: TARGET, ageMs: 10, latencyMs: 6 }] }),
    );
    expect(result).toMatchObject({ kind: "taken", changed: [], hasTransition: false, listAll: false });
    expect(store.agent?.version).toBe(version);
    expect(store.agent?.live[TARGET]?.[0]).toBe(NOW + 990);
  });

  test("an unchanged line that refers to nothing we know asks for a full listing", () => {
    const store = emptyStore();
    expect(take(store, report({ unchanged: [{ target: TARGET, ageMs: 10, latencyMs: 6 }] }))).toMatchObject({ listAll: true });
  });

  test("targets that aren't assigned are ignored", () => {
    const store = emptyStore();
    take(store, report({ observations: [{ ...seen("fail"), target: "other/eu-west/web" }] }));
    expect(store.checks.size).toBe(0);
  });

  test("backfill is told to history and moves no streak", () => {
    const store = emptyStore();
    take(store, report({ sequence: 1, observations: [seen("ok")] }));
    const result = take(
      store,
      report({ sequence: 2, backfill: Array.from({ length: 5 }, () => ({ observation: seen("fail", 60_000) })) }),
    );
    expect(result).toMatchObject({ hasTransition: false });
    expect(stateOf(store)).toBe("up");
  });

  test("a finished minute becomes one aggregate per target", () => {
    const first = foldReport(
      { report: report({ sequence: 1, observations: [seen("ok"), seen("fail")] }), receivedAt: NOW, assigned },
      null,
      [],
    );
    expect(first.aggregates).toEqual([]);
    const next = report({ sequence: 2, sentAt: NOW + 60_000, observations: [seen("ok")] });
    const second = foldReport({ report: next, receivedAt: NOW + 60_000, assigned }, first.agent, first.checks);
    expect(second.aggregates).toEqual([
      { agent: "a1", target: TARGET, minute: NOW - (NOW % 60_000), count: 2, failures: 1, latencySumMs: 6, latencyMaxMs: 5 },
    ]);
  });
});

describe("what a database tells", () => {
  const at = (sequence: number, facts: Observation["facts"]): Report =>
    report({
      sequence,
      sentAt: NOW + sequence * 1_000,
      observations: [{ ...seen("ok"), ...(facts === undefined ? {} : { facts }) }],
    });
  const standby = { role: "standby", readOnly: true, walReceivers: 1, lagSeconds: 0.2, uptimeSeconds: 1 };
  const settled = (): Store => {
    const store = emptyStore();
    for (const sequence of [1, 2, 3]) take(store, at(sequence, standby));
    return store;
  };
  const changedBy = (facts: Observation["facts"]): unknown => {
    const store = settled();
    const folded = take(store, at(4, facts));
    return folded.kind === "taken" && folded.changed.length > 0 ? store.checks.get(TARGET)?.facts : "not written";
  };

  test.each([
    ["a promotion", { role: "primary", readOnly: false }],
    ["a link that is cut", { ...standby, walReceivers: 0, lagSeconds: null }],
    ["another lag", { ...standby, lagSeconds: 7 }],
    ["a primary that takes no writes any more", { ...standby, readOnly: false }],
  ])("%s is kept although the check passes as before", (_, facts) => {
    expect(changedBy(facts)).toEqual(facts);
  });

  test("what changes at every probe and decides nothing rewrites no row", () => {
    expect(changedBy({ ...standby, uptimeSeconds: 2, lagSeconds: 0.3 })).toBe("not written");
  });
});

describe("what is seen of a database", () => {
  const facts = { role: "standby", readOnly: true, walReceivers: 1, lagSeconds: 0.2, lsn: "0/1", backends: 3 };
  const told = (changed: object): Observation => ({ ...seen("ok"), facts: { ...facts, ...changed } });
  const rewrites = (changed: object): boolean => {
    const store = emptyStore();
    take(store, report({ observations: [told({})] }));
    take(store, report({ sequence: 2, observations: [told({})] }));
    const before = store.agent?.version;
    take(store, report({ sequence: 3, observations: [told(changed)] }));
    expect(store.checks.get(TARGET)?.facts).toEqual(store.agent?.version === before ? facts : { ...facts, ...changed });
    return store.agent?.version !== before;
  };

  test.each([
    [{ role: "primary", readOnly: false }, true],
    [{ readOnly: false }, true],
    [{ walReceivers: 0, lagSeconds: null }, true],
    [{ lagSeconds: 7 }, true],
    [{ lagSeconds: 0.4 }, false],
    [{ lsn: "0/2", backends: 9 }, false],
  ])("%j is written down: %s", (changed, isWritten) => {
    expect(rewrites(changed)).toBe(isWritten);
  });
});
