/** Laws of the leader's copy of evidence: as new as the store, whoever took the report, and forgetting what is gone. */
import type { Declaration } from "@regent/contract";
import { expect, test } from "vitest";
import type { EvidenceStore, StoredAgent, StoredCheck } from "../../ports/evidence-store.ts";
import { createEvidenceCache } from "./evidence-cache.ts";

const declaration = {
  agents: ["a1", "a2"].map((id) => ({ id, region: "eu", network: id })),
} as unknown as Declaration;

const agent = (id: string, version: number, more: Partial<StoredAgent> = {}): StoredAgent => ({
  agent: id,
  boot: 1,
  sequence: version,
  window: "0",
  heardAt: 1_000 * version,
  skewMs: 0,
  selfHealthy: true,
  mode: "normal",
  build: "x",
  configurationVersion: 1,
  version,
  live: {},
  ...more,
});
const check = (id: string, target: string, state: StoredCheck["state"] = "up", at = 1_000): StoredCheck => ({
  agent: id,
  target,
  state,
  failures: 0,
  passes: 1,
  since: at,
  failingSince: null,
  at,
  outcome: state === "down" ? "fail" : "ok",
  reason: null,
  latencyMs: 1,
  facts: null,
});

const setUp = () => {
  const stored = {
    agents: new Map<string, StoredAgent>(),
    checks: new Map<string, StoredCheck[]>(),
    checkReads: 0,
    hold: async () => {},
  };
  const store = {
    readAgents: async () => [...stored.agents.values()],
    readChecks: async (ids: readonly string[]) => {
      stored.checkReads++;
      const read = ids.flatMap((id) => stored.checks.get(id) ?? []);
      await stored.hold();
      return read;
    },
  } as unknown as EvidenceStore;
  const cache = createEvidenceCache(
    store,
    () => declaration,
    () => 1_000,
  );
  const put = (row: StoredAgent, ...checks: StoredCheck[]): void => {
    stored.agents.set(row.agent, row);
    stored.checks.set(row.agent, checks);
  };
  const seen = (service: string) =>
    cache
      .rowsOf(cache.targetOf(service, "eu"))
      .map(({ agent: by, region, check: id, streak, at }) => `${by} ${region}/${id} ${streak.state} ${at}`);
  const failing = () => [...cache.failing()].map(({ service, region }) => `${service}/${region}`);
  return { cache, stored, put, seen, failing };
};

test("everything is read at first, and touches every service that it speaks of", async () => {
  const { cache, put, seen } = setUp();
  put(agent("a1", 1), check("a1", "shop/eu/web"), check("a1", "pay/eu/web"));
  expect([...(await cache.refresh())].sort()).toEqual(["pay", "shop"]);
  expect(seen("shop")).toEqual(["a1 eu/web up 1000"]);
});

test("a poll that finds nothing new reads no checks and touches nothing", async () => {
  const { cache, stored, put } = setUp();
  put(agent("a1", 1), check("a1", "shop/eu/web"));
  await cache.refresh();
  expect(await cache.refresh()).toEqual(new Set());
  expect(stored.checkReads).toBe(1);
});

test("a report taken here touches what changed, without reading", async () => {
  const { cache, stored, put, seen, failing } = setUp();
  put(agent("a1", 1), check("a1", "shop/eu/web"), check("a1", "pay/eu/web"));
  await cache.refresh();
  expect(await cache.take(agent("a1", 2), [check("a1", "shop/eu/web", "down", 2_000)])).toEqual(new Set(["shop"]));
  expect(stored.checkReads).toBe(1);
  expect(seen("shop")).toEqual(["a1 eu/web down 2000"]);
  expect(failing()).toEqual(["shop/eu"]);
  await cache.take(agent("a1", 3), [check("a1", "shop/eu/web", "up", 3_000)]);
  expect(failing()).toEqual([]);
});

test("a gap in an agent's versions means that another replica took a report: its rows are read", async () => {
  const { cache, put, seen } = setUp();
  put(agent("a1", 1), check("a1", "shop/eu/web"), check("a1", "pay/eu/web"));
  await cache.refresh();
  put(agent("a1", 3), check("a1", "shop/eu/web", "down", 3_000), check("a1", "pay/eu/web", "down", 2_000));
  await cache.take(agent("a1", 3), [check("a1", "shop/eu/web", "down", 3_000)]);
  expect(seen("pay")).toEqual(["a1 eu/web down 2000"]);
});

test("what was read slowly never replaces what was taken meanwhile", async () => {
  const { cache, stored, put, seen } = setUp();
  put(agent("a1", 1), check("a1", "shop/eu/web"));
  await cache.refresh();
  put(agent("a1", 2), check("a1", "shop/eu/web", "up", 2_000));
  let letGo = (): void => undefined;
  stored.hold = () =>
    new Promise((resolve) => {
      letGo = resolve;
    });
  const slow = cache.refresh();
  await new Promise((resolve) => setImmediate(resolve));
  stored.hold = async () => {};
  put(agent("a1", 3), check("a1", "shop/eu/web", "down", 3_000));
  await cache.take(agent("a1", 3), [check("a1", "shop/eu/web", "down", 3_000)]);
  letGo();
  await slow;
  expect(seen("shop")).toEqual(["a1 eu/web down 3000"]);
  expect(cache.agentRow("a1")?.version).toBe(3);
});

test("a report that changed no row is not undone by rows that were read before it", async () => {
  const { cache, stored, put } = setUp();
  put(agent("a1", 1), check("a1", "shop/eu/web"));
  await cache.refresh();
  put(agent("a1", 2), check("a1", "shop/eu/web"));
  let letGo = (): void => undefined;
  stored.hold = () =>
    new Promise((resolve) => {
      letGo = resolve;
    });
  const slow = cache.refresh();
  await new Promise((resolve) => setImmediate(resolve));
  await cache.take(agent("a1", 2, { sequence: 9, heardAt: 9_000 }), [check("a1", "shop/eu/web")]);
  letGo();
  await slow;
  expect(cache.agentRow("a1")?.heardAt).toBe(9_000);
});

test("rows that are gone from the store are gone from here, and their service is touched", async () => {
  const { cache, put, seen, failing } = setUp();
  put(agent("a1", 1), check("a1", "shop/eu/web", "down"), check("a1", "pay/eu/web"));
  await cache.refresh();
  put(agent("a1", 2), check("a1", "pay/eu/web"));
  expect([...(await cache.refresh())].sort()).toEqual(["pay", "shop"]);
  expect(seen("shop")).toEqual([]);
  expect(failing()).toEqual([]);
});

test("an agent that comes back after silence, or changes its opinion of itself, touches all that it checks", async () => {
  const { cache, put } = setUp();
  put(agent("a1", 1), check("a1", "shop/eu/web"));
  await cache.refresh();
  expect(await cache.take(agent("a1", 1, { sequence: 2, heardAt: 1_500 }), [])).toEqual(new Set());
  expect(await cache.take(agent("a1", 1, { sequence: 3, heardAt: 9_500 }), [])).toEqual(new Set(["shop"]));
  expect(await cache.take(agent("a1", 1, { sequence: 4, heardAt: 9_600, selfHealthy: false }), [])).toEqual(new Set(["shop"]));
});

test("an agent that isn't declared has no vote, though its rows are there", async () => {
  const { cache, put, seen } = setUp();
  put(agent("stranger", 1), check("stranger", "shop/eu/web", "down"));
  await cache.refresh();
  expect(seen("shop")).toEqual([]);
  expect([...cache.seating().seatByAgent.keys()]).toEqual(["a1", "a2"]);
});

test("an agent that is heard with another build is a release; the first build that is heard is none, and an undeclared agent's neither", async () => {
  const { cache } = setUp();
  await cache.take(agent("a1", 1), [check("a1", "shop/eu/web")]);
  await cache.take(agent("stranger", 1), []);
  expect(cache.releasedAt()).toBeNull();
  await cache.take(agent("stranger", 1, { build: "y", sequence: 2, heardAt: 9_000 }), []);
  expect(cache.releasedAt()).toBeNull();
  await cache.take(agent("a1", 1, { build: "y", sequence: 2, heardAt: 2_500 }), []);
  expect(cache.releasedAt()).toBe(2_500);
  await cache.take(agent("a1", 1, { build: "y", sequence: 3, heardAt: 3_500 }), []);
  expect(cache.releasedAt()).toBe(2_500);
  cache.clear();
  expect(cache.releasedAt()).toBeNull();
});
