/** What every evidence store promises. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StoredAgent } from "../evidence-store.ts";
import { exampleAgent, exampleAggregate, exampleCheck, exampleFold, exampleTransition } from "./examples.ts";
import type { OpenStores, Stores, TestStores } from "./stores.ts";

export const evidenceStoreSuite = (name: string, open: OpenStores): void => {
  describe(`${name} evidence store`, () => {
    let stores: TestStores;
    beforeAll(async () => {
      stores = await open();
    });
    afterAll(() => stores.close());

    foldLaws(() => stores);
    orderLaws(() => stores);
    readLaws(() => stores);
  });
};

const foldLaws = (stores: () => TestStores): void => {
  test("what a fold writes is what the next fold of any replica is given", async () => {
    const agent = exampleAgent({ agent: "f1", window: "9223372036854775807", boot: Number.MAX_SAFE_INTEGER });
    const check = exampleCheck({ agent: "f1" });
    const quiet = exampleCheck({
      agent: "f1",
      target: "web/us/http",
      reason: null,
      outcome: "ok",
      failingSince: null,
      facts: null,
    });
    const first = await stores().evidence.ingest("f1", [check.target], (known, checks) =>
      exampleFold({ known, checks }, { agent, checks: [check, quiet] }),
    );
    expect(first).toEqual({ known: null, checks: [] });
    for (const replica of [stores(), stores().other]) {
      const next = await replica.evidence.ingest("f1", [check.target, quiet.target, "web/nowhere/http"], (known, checks) =>
        exampleFold({ known, checks }, { agent: null }),
      );
      expect(next).toEqual({ known: agent, checks: [check, quiet] });
      expect(await replica.evidence.readChecks(["f1", "nobody"])).toEqual([check, quiet]);
    }
  });

  test("a fold sees only the checks it asked for", async () => {
    const checks = ["a/eu/x", "b/eu/x"].map((target) => exampleCheck({ agent: "f2", target }));
    await stores().evidence.ingest("f2", [], () => exampleFold(0, { agent: exampleAgent({ agent: "f2" }), checks }));
    const seen = await stores().evidence.ingest("f2", ["b/eu/x"], (_, known) => exampleFold(known, { agent: null }));
    expect(seen).toEqual([checks[1]]);
  });

  test("a fold that answers no agent writes nothing, whatever else it answers", async () => {
    await stores().evidence.ingest("f3", [], () =>
      exampleFold(0, {
        agent: null,
        checks: [exampleCheck({ agent: "f3" })],
        transitions: [exampleTransition({ agent: "f3", target: "f3/eu/x" })],
        aggregates: [exampleAggregate({ agent: "f3", target: "f3/eu/x" })],
      }),
    );
    expect(await stores().evidence.readChecks(["f3"])).toEqual([]);
    expect(await stores().evidence.readTransitions({ since: 0, limit: 9, target: "f3/eu/x" })).toEqual([]);
    expect((await stores().evidence.readAgents()).some(({ agent }) => agent === "f3")).toBe(false);
  });

  test("a fold that throws writes nothing, and its error comes out as it is", async () => {
    const error = new Error("broken invariant");
    const throwing = stores().evidence.ingest("f4", [], () => {
      throw error;
    });
    await expect(throwing).rejects.toBe(error);
    expect((await stores().evidence.readAgents()).some(({ agent }) => agent === "f4")).toBe(false);
  });
};

/** Counts its own calls through the store; a lost update would show as a missing count. */
const countReport = (replica: Stores, agent: string): Promise<number> =>
  replica.evidence.ingest(agent, ["web/eu/http"], (known, checks) => {
    const sequence = (known?.sequence ?? 0) + 1;
    const failures = (checks[0]?.failures ?? 0) + 1;
    return exampleFold(failures, {
      agent: exampleAgent({ agent, sequence, version: sequence }),
      checks: [exampleCheck({ agent, failures })],
      transitions: [exampleTransition({ agent, target: `${agent}/eu/http`, at: sequence })],
    });
  });

const orderLaws = (stores: () => TestStores): void => {
  test("reports of one agent taken by two replicas at once are folded one after another", async () => {
    const replicas = [stores(), stores().other];
    const counts = await Promise.all(Array.from({ length: 16 }, (_, n) => countReport(replicas[n % 2] as Stores, "o1")));
    expect([...counts].sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, n) => n + 1));
    expect((await stores().evidence.readAgents()).find(({ agent }) => agent === "o1")?.sequence).toBe(16);
    const told = await stores().evidence.readTransitions({ since: 0, limit: 99, target: "o1/eu/http" });
    expect(told.map(({ at }) => at)).toEqual(Array.from({ length: 16 }, (_, n) => 16 - n));
  });

  test("one report delivered ten times at once is folded once", async () => {
    const deliver = (replica: Stores): Promise<string> =>
      replica.evidence.ingest("o2", [], (known: StoredAgent | null) =>
        known !== null && known.sequence >= 7
          ? exampleFold("duplicate", { agent: null })
          : exampleFold("taken", {
              agent: exampleAgent({ agent: "o2", sequence: 7 }),
              transitions: [exampleTransition({ agent: "o2", target: "o2/eu/http" })],
            }),
      );
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => deliver(n % 2 === 0 ? stores() : stores().other)));
    expect(answers.filter((answer) => answer === "taken")).toHaveLength(1);
    expect(await stores().evidence.readTransitions({ since: 0, limit: 9, target: "o2/eu/http" })).toHaveLength(1);
  });
};

const readLaws = (stores: () => TestStores): void => {
  test("transitions come newest first, from a time on, of one target, up to a limit", async () => {
    const transitions = [5, 3, 4, 1].map((at) =>
      exampleTransition({ agent: "r1", target: "r1/eu/http", at, isBackfill: at === 3 }),
    );
    await stores().evidence.ingest("r1", [], () => exampleFold(0, { agent: exampleAgent({ agent: "r1" }), transitions }));
    const read = await stores().evidence.readTransitions({ since: 3, limit: 2, target: "r1/eu/http" });
    expect(read).toEqual([transitions[0], transitions[2]]);
    expect(await stores().evidence.readTransitions({ since: 3, limit: 9, target: "r1/eu/http" })).toContainEqual(transitions[1]);
  });

  test("aggregates of one minute add up", async () => {
    const one = exampleAggregate({ agent: "r2", target: "r2/eu/http" });
    const add = (aggregates: readonly (typeof one)[]) =>
      stores().evidence.ingest("r2", [], () => exampleFold(0, { agent: exampleAgent({ agent: "r2" }), aggregates }));
    await add([one]);
    await add([one, { ...one, latencyMaxMs: 500.5 }, { ...one, minute: one.minute + 60_000 }]);
    expect((await stores().aggregates()).filter(({ agent }) => agent === "r2")).toEqual([
      { ...one, count: 36, failures: 6, latencySumMs: 721.5, latencyMaxMs: 500.5 },
      { ...one, minute: one.minute + 60_000 },
    ]);
  });

  test("other replicas hear of a transition, not of a steady report, and nothing after they stopped", async () => {
    const heard: string[] = [];
    const report = (agent: string, isSteady: boolean) =>
      stores().evidence.ingest(agent, [], () =>
        exampleFold(0, {
          agent: exampleAgent({ agent }),
          checks: [exampleCheck({ agent })],
          transitions: isSteady ? [] : [exampleTransition({ agent })],
        }),
      );
    const stop = await stores().other.evidence.onChanged((agent) => heard.push(agent));
    await report("r3-steady", true);
    await report("r3-moved", false);
    await expect.poll(() => heard).toEqual(["r3-moved"]);
    await stop();
    const stillHeard: string[] = [];
    await stores().other.evidence.onChanged((agent) => stillHeard.push(agent));
    await report("r3-later", false);
    await expect.poll(() => stillHeard).toEqual(["r3-later"]);
    expect(heard).toEqual(["r3-moved"]);
  });

  test("pruning drops what is older than asked, counts it, and leaves agents and checks", async () => {
    await stores().evidence.prune({ aggregates: 1e15, transitions: 1e15 });
    await stores().evidence.ingest("r4", [], () =>
      exampleFold(0, {
        agent: exampleAgent({ agent: "r4" }),
        checks: [exampleCheck({ agent: "r4" })],
        transitions: [exampleTransition({ agent: "r4", at: 10 }), exampleTransition({ agent: "r4", at: 20 })],
        aggregates: [exampleAggregate({ agent: "r4", minute: 60_000 }), exampleAggregate({ agent: "r4", minute: 120_000 })],
      }),
    );
    expect(await stores().evidence.prune({ aggregates: 120_000, transitions: 20 })).toBe(2);
    expect((await stores().evidence.readTransitions({ since: 0, limit: 9 })).map(({ at }) => at)).toEqual([20]);
    expect((await stores().aggregates()).map(({ minute }) => minute)).toEqual([120_000]);
    expect(await stores().evidence.readChecks(["r4"])).toHaveLength(1);
  });
};
