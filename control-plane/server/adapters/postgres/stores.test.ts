/** The Postgres adapters keep what the ports promise: the same suites as the memory twins, on a real server and two real pools. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessStoreSuite } from "../../ports/suites/access-store.suite.ts";
import { alertStoreSuite } from "../../ports/suites/alert-store.suite.ts";
import { configurationStoreSuite } from "../../ports/suites/configuration-store.suite.ts";
import { deadLettersSuite } from "../../ports/suites/dead-letters.suite.ts";
import { decisionStoreSuite } from "../../ports/suites/decision-store.suite.ts";
import { evacuationsSuite } from "../../ports/suites/evacuations.suite.ts";
import { evidenceStoreSuite } from "../../ports/suites/evidence-store.suite.ts";
import { exampleAgent, exampleCheck, exampleFold, exampleTransition } from "../../ports/suites/examples.ts";
import { leaseSuite } from "../../ports/suites/lease.suite.ts";
import { maintenanceStoreSuite } from "../../ports/suites/maintenance-store.suite.ts";
import { pagesSuite } from "../../ports/suites/pages.suite.ts";
import { recordingsSuite } from "../../ports/suites/recordings.suite.ts";
import type { Stores } from "../../ports/suites/stores.ts";
import { testStores, testStoresInTurn } from "./testing-stores.ts";

describe("postgres evidence store, beyond the port", () => {
  let stores: Awaited<ReturnType<typeof testStores>>;
  beforeAll(async () => {
    stores = await testStores();
  });
  afterAll(() => stores.close());

  const writersOf = async (agent: string): Promise<readonly unknown[]> => {
    const rows = await stores.query(`
      select xmin::text from regent.agent where agent = '${agent}'
      union all select xmin::text from regent.agent_check where agent = '${agent}'`);
    return rows.map(({ xmin }) => xmin);
  };

  test("a steady report writes the agent's row and no other", async () => {
    const agent = exampleAgent({ agent: "s1" });
    const check = exampleCheck({ agent: "s1" });
    await stores.evidence.ingest("s1", [check.target], () => exampleFold(0, { agent, checks: [check] }));
    const [agentBefore, checkBefore] = await writersOf("s1");
    await stores.evidence.ingest("s1", [check.target], () => exampleFold(0, { agent: { ...agent, sequence: 2 } }));
    const [agentAfter, checkAfter] = await writersOf("s1");
    expect(agentAfter).not.toBe(agentBefore);
    expect(checkAfter).toBe(checkBefore);
  });

  test("a row that the database refuses takes the whole report with it", async () => {
    const good = exampleFold(0, {
      agent: exampleAgent({ agent: "s2" }),
      transitions: [exampleTransition({ target: "s2/eu/x" })],
    });
    const bad = { ...good, checks: [exampleCheck({ agent: "s2", failures: -1 })] };
    await expect(stores.evidence.ingest("s2", [], () => bad)).rejects.toMatchObject({ code: "23514" });
    expect(await writersOf("s2")).toEqual([]);
    expect(await stores.evidence.readTransitions({ since: 0, limit: 9, target: "s2/eu/x" })).toEqual([]);
  });

  test("what a probed target or an agent says can't make a write fail", async () => {
    const facts = { "na\0me": "nul \0, half \ud800, whole \u{1f600}" };
    const check = exampleCheck({ agent: "s3", facts });
    const agent = exampleAgent({ agent: "s3", build: "1\0.\ud800" });
    await stores.evidence.ingest("s3", [], () => exampleFold(0, { agent, checks: [check] }));
    const [read] = await stores.other.evidence.readChecks(["s3"]);
    expect(read?.facts).toEqual({ "na\ufffdme": "nul \ufffd, half \ufffd, whole \u{1f600}" });
  });

  test("pruning goes on until nothing old is left, however much that is", async () => {
    await stores.query(`
      insert into regent.transition (agent, target, at, from_state, to_state, outcome, is_backfill)
      select 's5', 's5/eu/x', n, 'up', 'down', 'fail', false from generate_series(1, 20001) n`);
    expect(await stores.evidence.prune({ aggregates: 0, transitions: 20_001 })).toBe(20_000);
    expect(await stores.evidence.readTransitions({ since: 0, limit: 9, target: "s5/eu/x" })).toHaveLength(1);
  });

  test("a replica whose memory was overtaken folds again from what stands", async () => {
    const report = (replica: Stores) =>
      replica.evidence.ingest("s4", ["s4/eu/x"], (known, checks) =>
        exampleFold([known?.sequence ?? 0, checks[0]?.failures ?? 0], {
          agent: exampleAgent({ agent: "s4", sequence: (known?.sequence ?? 0) + 1 }),
          checks: [exampleCheck({ agent: "s4", target: "s4/eu/x", failures: (checks[0]?.failures ?? 0) + 1 })],
        }),
      );
    const seen = [];
    for (const replica of [stores, stores, stores.other, stores, stores.other, stores.other, stores])
      seen.push(await report(replica));
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6].map((n) => [n, n]));
  });
});

test("an entry of history that is committed behind one that was read is found at its place", async () => {
  const stores = await testStores();
  const insert = (position: number) =>
    stores.query(`
      insert into regent.history (position, id, service, sequence, at, kind, actor_kind, actor_name, why, page, detail)
      overriding system value
      values (${position}, lpad('${position}', 26, '0'), null, ${position}, 1, 'mode', 'automation', 'regent', 'n${position}', true, '{}')`);
  await insert(2);
  const { cursor } = await stores.pages.read();
  expect((await stores.pages.entriesAfter(cursor, 9)).map(({ event }) => event.why)).toEqual(["n2"]);
  const passed = { position: 2, missing: [{ position: 1, since: 0 }] };
  expect(await stores.pages.entriesAfter(passed, 9)).toEqual([]);
  await insert(1);
  await insert(3);
  expect((await stores.pages.entriesAfter(passed, 9)).map(({ event }) => event.why)).toEqual(["n1", "n3"]);
  await stores.close();
});

evidenceStoreSuite("postgres", testStores);
decisionStoreSuite("postgres", testStoresInTurn());
leaseSuite("postgres", testStoresInTurn());
configurationStoreSuite("postgres", testStores);
accessStoreSuite("postgres", testStores);
deadLettersSuite("postgres", testStores);
pagesSuite("postgres", testStoresInTurn());
alertStoreSuite("postgres", testStoresInTurn());
maintenanceStoreSuite("postgres", testStoresInTurn());
evacuationsSuite("postgres", testStoresInTurn());
recordingsSuite("postgres", testStores);
