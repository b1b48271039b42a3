/** Laws of the leader's memory: nothing believed that wasn't committed, one commit after the other, nothing that only grows. */
import type { Change } from "@regent/contract";
import type { HealthMemory, ServiceSpec } from "@regent/engine";
import { expect, test } from "vitest";
import { DatabaseAway } from "../../ports/database-away.ts";
import type { Commit, CommitResult, DecisionStore, Loaded, ServiceRecord, StoredOutboxRow } from "../../ports/decision-store.ts";
import { specOf } from "../../testing/specs.ts";
import { createLedger, emptyRecord, LeadershipLost, LedgerConflict, OUTBOX_ROWS_KEPT } from "./ledger.ts";

const EMPTY: Loaded = { services: [], outbox: [], changes: [] };

const setUp = (answer: (commit: Commit) => CommitResult | Promise<CommitResult> = () => ({ kind: "committed" })) => {
  const commits: Commit[] = [];
  const told: (readonly string[])[] = [];
  const stored = { loaded: EMPTY, loads: 0 };
  const store = {
    load: async () => {
      stored.loads++;
      return stored.loaded;
    },
    readFreeze: async () => null,
    commit: async (commit: Commit) => {
      commits.push(commit);
      return answer(commit);
    },
  } as unknown as DecisionStore;
  const declared = { specs: new Map<string, ServiceSpec>() };
  const ledger = createLedger({
    store,
    holder: "me",
    specs: () => declared.specs,
    onCommitted: (services) => told.push(services),
  });
  ledger.lead(7);
  return { ledger, commits, told, stored, declared };
};

const drift = (text: string) => (record: ServiceRecord) => ({ ...record, drift: text });
const row = (revision: number, more: Partial<StoredOutboxRow> = {}) =>
  ({ ulid: `u${revision}`, service: "a", revision, changeId: `c${revision}`, state: "intent", ...more }) as StoredOutboxRow;
const change = (revision: number) =>
  ({ id: `c${revision}`, service: "a", revision, stage: "decided", times: { decided: 1 } }) as Change;

test("what was refused or not heard is not believed", async () => {
  for (const answer of [{ kind: "fenced" }, { kind: "conflict", service: "a" }] as const) {
    const { ledger, told } = setUp(() => answer);
    await expect(ledger.commit((draft) => draft.update("a", drift("x")))).rejects.toBeInstanceOf(
      answer.kind === "fenced" ? LeadershipLost : LedgerConflict,
    );
    expect(ledger.record("a")).toEqual(emptyRecord("a"));
    expect(told).toEqual([]);
  }
});

test("a commit that drafts nothing is not written", async () => {
  const { ledger, commits } = setUp();
  expect(await ledger.commit(() => 42)).toBe(42);
  expect(commits).toEqual([]);
});

test("each commit is built on what the one before left, with the version that the store now holds", async () => {
  const { ledger, commits } = setUp();
  await Promise.all([
    ledger.commit((draft) => draft.update("a", drift("first"))),
    ledger.commit((draft) => draft.update("a", (record) => ({ ...record, drift: `${record.drift} and second` }))),
  ]);
  expect(commits.map(({ services }) => services[0]?.version)).toEqual([0, 1]);
  expect(ledger.record("a")).toMatchObject({ drift: "first and second", version: 2 });
});

test("what follows a commit is done before the next one is built, and not at all when it was refused", async () => {
  const order: string[] = [];
  const { ledger } = setUp();
  const first = ledger.commit(
    (draft) => draft.update("a", drift("first")),
    () => order.push("believed"),
  );
  const second = ledger.commit(() => order.push("built"));
  await Promise.all([first, second]);
  expect(order).toEqual(["believed", "built"]);
  const refused = setUp(() => ({ kind: "fenced" }));
  await refused.ledger
    .commit(
      (draft) => draft.update("a", drift("x")),
      () => order.push("wrong"),
    )
    .catch(() => undefined);
  expect(order).not.toContain("wrong");
});

test("one that throws while it is built writes nothing and holds back nobody", async () => {
  const { ledger, commits } = setUp();
  const broken = ledger.commit((draft) => {
    draft.update("a", drift("half"));
    throw new Error("a bug");
  });
  const next = ledger.commit((draft) => draft.update("b", drift("whole")));
  await expect(broken).rejects.toThrow("a bug");
  await next;
  expect(commits.map(({ services }) => services.map(({ service }) => service))).toEqual([["b"]]);
});

test("after an answer that wasn't heard, everything is read again before the next commit", async () => {
  let isAway = true;
  const { ledger, stored, commits } = setUp(() => {
    if (isAway) throw new DatabaseAway("CONNECTION_CLOSED", null);
    return { kind: "committed" };
  });
  await expect(ledger.commit((draft) => draft.update("a", drift("done all the same")))).rejects.toThrow(DatabaseAway);
  isAway = false;
  stored.loaded = { ...EMPTY, services: [{ ...emptyRecord("a"), version: 1, drift: "done all the same" }] };
  await ledger.commit((draft) => draft.update("a", (record) => ({ ...record, blockedBy: record.drift })));
  expect(commits.at(-1)?.services[0]).toMatchObject({ version: 1, blockedBy: "done all the same" });
  await ledger.commit((draft) => draft.update("a", drift("later")));
  expect(stored.loads).toBe(1);
});

test("while it can't be read again, nothing is built on what may be old", async () => {
  const { ledger, stored } = setUp(() => ({ kind: "conflict", service: "a" }));
  await expect(ledger.commit((draft) => draft.update("a", drift("x")))).rejects.toThrow(LedgerConflict);
  Object.defineProperty(stored, "loaded", {
    get: () => {
      throw new DatabaseAway("ECONNREFUSED", null);
    },
  });
  let isBuilt = false;
  await expect(
    ledger.commit(() => {
      isBuilt = true;
    }),
  ).rejects.toThrow(DatabaseAway);
  expect(isBuilt).toBe(false);
});

test("a thousand changes leave a few rows and their changes in memory, the last one always", async () => {
  const { ledger } = setUp();
  for (let revision = 1; revision <= 1_000; revision++)
    await ledger.commit((draft) => {
      draft.insertOutbox(row(revision));
      draft.insertChange(change(revision));
    });
  expect(ledger.outbox("a").length).toBe(OUTBOX_ROWS_KEPT);
  expect(ledger.changes().length).toBe(OUTBOX_ROWS_KEPT);
  expect(ledger.lastChange("a")?.id).toBe("c1000");
});

test("a change that was loaded without its row goes when the next one is made", async () => {
  const { ledger, stored } = setUp();
  stored.loaded = { ...EMPTY, changes: [change(1)] };
  await ledger.load(new Map());
  await ledger.commit((draft) => {
    draft.insertOutbox(row(2));
    draft.insertChange(change(2));
  });
  expect(ledger.changes().map(({ id }) => id)).toEqual(["c2"]);
});

test("stages move a change on; the first time of a clock stands", async () => {
  const { ledger, told } = setUp();
  await ledger.commit((draft) => {
    draft.insertOutbox(row(1));
    draft.insertChange(change(1));
  });
  await ledger.commit((draft) => draft.stage({ changeId: "c1", stage: "accepted", at: 5, clock: "accepted" }));
  await ledger.commit((draft) => draft.stage({ changeId: "c1", stage: "accepted", at: 9, clock: "accepted" }));
  expect(ledger.change("c1")).toMatchObject({ stage: "accepted", times: { accepted: 5 } });
  expect(told.at(-1)).toEqual(["a"]);
});

test("an update finds its row, and no other row changes", async () => {
  const { ledger } = setUp();
  await ledger.commit((draft) => {
    for (const revision of [1, 2]) {
      draft.insertOutbox(row(revision));
      draft.insertChange(change(revision));
    }
  });
  await ledger.commit((draft) => draft.updateOutbox({ ulid: "u2", state: "accepted", changeInfoId: "C9" }));
  expect(ledger.outbox("a").map(({ state, changeInfoId }) => [state, changeInfoId])).toEqual([
    ["intent", undefined],
    ["accepted", "C9"],
  ]);
});

test("only what is declared counts among what automation left: another declaration counts at once, without a commit", async () => {
  const { ledger, stored, declared } = setUp();
  const out = (service: string, region: string): ServiceRecord => {
    const empty = emptyRecord(service);
    const departure = { at: 1, left: [region], received: ["x"], moved: 1, vantages: [], findings: [] };
    const health = { [region]: { region, verdict: "unhealthy" } as HealthMemory };
    return { ...empty, health, traffic: { ...empty.traffic, departures: [departure] } };
  };
  const [web, mail] = [specOf("web", "Z1"), specOf("mail", "Z1")];
  const [first, second] = web.endpoints.map(({ region }) => region);
  if (!first || !second) throw new Error("no endpoints");
  stored.loaded = { ...EMPTY, services: [out("web", first), out("mail", second)] };
  declared.specs = new Map([web, mail].map((spec) => [spec.id, spec]));
  await ledger.load(declared.specs);
  expect(ledger.departures(2)).toMatchObject({ departures: [{}, {}], regionsOut: [first, second].sort() });
  expect(ledger.departures(2)).toBe(ledger.departures(3));

  declared.specs = new Map([["web", web]]);
  expect(ledger.departures(2)).toMatchObject({ departures: [{}], regionsOut: [first] });
  declared.specs = new Map([["web", { ...web, endpoints: web.endpoints.filter(({ region }) => region !== first) }]]);
  expect(ledger.departures(2)).toMatchObject({ departures: [{}], regionsOut: [] });
});

test("what a draft takes back counts no longer for the decision that is drafted with it", async () => {
  const { ledger, stored, declared } = setUp();
  const departure = { at: 1, left: ["eu"], received: ["us"], moved: 1, vantages: [], findings: [] };
  const empty = emptyRecord("web");
  stored.loaded = { ...EMPTY, services: [{ ...empty, traffic: { ...empty.traffic, departures: [departure] } }] };
  declared.specs = new Map([["web", specOf("web", "Z1")]]);
  await ledger.load(declared.specs);
  expect(ledger.departures(2, ledger.record("web"))).toBe(ledger.departures(2));
  expect(ledger.departures(2).departures).toMatchObject([departure]);
  expect(ledger.departures(2, empty).departures).toEqual([]);
  expect(ledger.departures(2).departures).toMatchObject([departure]);
});
