/** What every decision store promises: fenced, optimistic, all or nothing, and a history without gaps. */
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { Commit } from "../decision-store.ts";
import { exampleChange, exampleCommit, exampleEntry, exampleOutboxRow, exampleService } from "./examples.ts";
import type { OpenStores, Stores, TestStores } from "./stores.ts";

export const decisionStoreSuite = (name: string, open: OpenStores): void => {
  describe(`${name} decision store`, () => {
    const opened: TestStores[] = [];
    let stores: TestStores;
    beforeEach(async () => {
      stores = await open();
      opened.push(stores);
      await stores.lease.acquire("leader", 60_000, 0);
    });
    afterAll(async () => {
      await Promise.all(opened.map((each) => each.close()));
    });

    serviceLaws(() => stores);
    fenceLaws(() => stores);
    constraintLaws(() => stores);
    changeLaws(() => stores);
    historyLaws(() => stores);
    freezeLaws(() => stores);
  });
};

const serviceLaws = (stores: () => TestStores): void => {
  test("a service comes back as it was committed, one version further", async () => {
    const record = exampleService();
    expect(await stores().decisions.commit(exampleCommit({ services: [record] }))).toEqual({ kind: "committed" });
    expect((await stores().other.decisions.load()).services).toEqual([{ ...record, version: 1 }]);
  });

  test("what is not known yet stays unknown", async () => {
    const { traffic } = exampleService();
    const nothing = { written: null, expected: null, epoch: null, drift: null, lastRefusal: "A8", blockedBy: "no epoch record" };
    const record = exampleService({ ...nothing, seen: null, health: {}, revision: 0, traffic: { ...traffic, shares: {} } });
    const dark = { shares: null, servers: 0, serversAsked: 4, why: "no server answers", at: 3 };
    const unseen = exampleService({ service: "dark", seen: dark });
    await stores().decisions.commit(exampleCommit({ services: [record, unseen] }));
    expect((await stores().decisions.load()).services).toEqual([
      { ...unseen, version: 1 },
      { ...record, version: 1 },
    ]);
  });

  test("regions and families that a record lost are gone", async () => {
    const record = exampleService();
    await stores().decisions.commit(exampleCommit({ services: [record] }));
    const { us } = record.health as { us: (typeof record.health)[string] };
    const less = exampleService({
      version: 1,
      health: { us },
      traffic: { ...record.traffic, shares: { default: { us: 1 } } },
      written: { default: { us: 255 } },
      seen: null,
    });
    await stores().decisions.commit(exampleCommit({ services: [less] }));
    expect((await stores().decisions.load()).services).toEqual([{ ...less, version: 2 }]);
  });
};

const fenceLaws = (stores: () => TestStores): void => {
  const full = (commit: Partial<Commit> = {}): Commit => {
    const change = exampleChange();
    return exampleCommit({
      services: [exampleService()],
      changes: [change],
      outboxInserts: [exampleOutboxRow(change)],
      stages: [{ changeId: change.id, stage: "sent", at: 1 }],
      history: [exampleEntry({ kind: "change", changeId: change.id })],
      ...commit,
    });
  };
  const isEmpty = async (): Promise<boolean> => {
    const { services, outbox, changes } = await stores().decisions.load();
    const { events } = await stores().decisions.readHistory({ limit: 9 });
    return services.length + outbox.length + changes.length + events.length === 0;
  };

  test("whoever doesn't lead writes nothing: wrong holder, wrong term, released", async () => {
    expect(await stores().decisions.commit(full({ holder: "other" }))).toEqual({ kind: "fenced" });
    expect(await stores().decisions.commit(full({ term: 2 }))).toEqual({ kind: "fenced" });
    await stores().lease.release("leader", 1);
    expect(await stores().decisions.commit(full())).toEqual({ kind: "fenced" });
    expect(await isEmpty()).toBe(true);
  });

  test("an expired lease fences its holder though nobody took it", async () => {
    await stores().lease.renew("leader", 1, 30);
    await stores().elapse(50);
    expect(await stores().decisions.commit(full())).toEqual({ kind: "fenced" });
    expect(await isEmpty()).toBe(true);
  });

  test("a service that somebody else wrote is a conflict, and nothing of the commit is written", async () => {
    await stores().decisions.commit(exampleCommit({ services: [exampleService({ service: "zzz" })] }));
    const late = exampleService({ service: "zzz" });
    const answer = await stores().decisions.commit(full({ services: [exampleService({ service: "aaa" }), late] }));
    expect(answer).toEqual({ kind: "conflict", service: "zzz" });
    const missing = exampleService({ service: "never-written", version: 3 });
    expect(await stores().decisions.commit(full({ services: [missing] }))).toEqual({
      kind: "conflict",
      service: "never-written",
    });
    const { services, outbox } = await stores().decisions.load();
    expect(services.map(({ service, version }) => [service, version])).toEqual([["zzz", 1]]);
    expect(outbox).toEqual([]);
    expect((await stores().decisions.readHistory({ limit: 9 })).events).toEqual([]);
  });

  test("of commits on one version at the same time, one is committed", async () => {
    await stores().decisions.commit(exampleCommit({ services: [exampleService()] }));
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) => {
        const replica: Stores = n % 2 === 0 ? stores() : stores().other;
        return replica.decisions.commit(
          exampleCommit({ services: [exampleService({ version: 1 })], history: [exampleEntry({ why: String(n) })] }),
        );
      }),
    );
    expect(answers.filter(({ kind }) => kind === "committed")).toHaveLength(1);
    expect(answers.filter(({ kind }) => kind === "conflict")).toHaveLength(7);
    expect((await stores().decisions.readHistory({ limit: 9 })).events).toHaveLength(1);
  });
};

const constraintLaws = (stores: () => TestStores): void => {
  const refused = async (commit: Partial<Commit>): Promise<void> => {
    const entry = exampleEntry({ why: "must not stay" });
    const whole = exampleCommit({ services: [exampleService({ service: "bystander" })], history: [entry], ...commit });
    await expect(stores().decisions.commit(whole)).rejects.toThrow();
    expect((await stores().decisions.load()).services).toEqual([]);
    expect((await stores().decisions.readHistory({ limit: 9 })).events.map(({ why }) => why)).not.toContain("must not stay");
  };

  test("a change that would answer nothing, or a weight that Route 53 doesn't have, can't be written", async () => {
    for (const weights of [
      { default: { eu: 0, us: 0 } },
      { default: {} },
      { default: { eu: 256 } },
      { default: { eu: 1.5 } },
      { a: { eu: 1 }, b: { eu: 0 } },
    ]) {
      await refused({ changes: [exampleChange({ weightsAfter: weights })] });
      const change = exampleChange();
      await refused({ changes: [change], outboxInserts: [exampleOutboxRow(change, { weights })] });
    }
  });

  test("a revision of a service, an outbox row and the history entry of a change are written once", async () => {
    const change = exampleChange();
    const row = exampleOutboxRow(change);
    const told = exampleEntry({ kind: "change", changeId: change.id });
    await stores().decisions.commit(exampleCommit({ changes: [change], outboxInserts: [row], history: [told] }));
    await refused({ changes: [exampleChange()] });
    await refused({ changes: [exampleChange({ id: change.id, revision: 2 })] });
    await refused({ outboxInserts: [exampleOutboxRow(change, { revision: 2, ulid: row.ulid })] });
    await refused({ outboxInserts: [exampleOutboxRow(change)] });
    await refused({ history: [exampleEntry({ kind: "change", changeId: change.id })] });
    await refused({ history: [exampleEntry({ id: told.id })] });
    await refused({ history: [exampleEntry({ kind: "change" })] });
    expect((await stores().decisions.load()).outbox).toEqual([row]);
  });

  test("rows of a change that nobody wrote are refused", async () => {
    const stranger = exampleChange();
    await refused({ outboxInserts: [exampleOutboxRow(stranger)] });
    await refused({ stages: [{ changeId: stranger.id, stage: "sent", at: 1 }] });
  });
};

const changeLaws = (stores: () => TestStores): void => {
  test("a change gains its stages and clocks as they are appended, each told once", async () => {
    const change = exampleChange();
    const { id } = change;
    await stores().decisions.commit(exampleCommit({ changes: [change] }));
    expect(await stores().decisions.readChange(id)).toEqual(change);
    await stores().decisions.commit(
      exampleCommit({
        stages: [
          { changeId: id, stage: "sent", at: 110, clock: "sent", why: "first send" },
          { changeId: id, stage: "unknown", at: 120 },
          { changeId: id, stage: "unknown", at: 121 },
          { changeId: id, stage: "sent", at: 130, clock: "sent" },
          { changeId: id, stage: "accepted", at: 140, clock: "accepted" },
        ],
      }),
    );
    expect(await stores().other.decisions.readChange(id)).toEqual({
      ...change,
      stage: "accepted",
      times: { ...change.times, sent: 110, accepted: 140 },
    });
    await stores().decisions.commit(
      exampleCommit({
        stages: [
          { changeId: id, stage: "visible", at: 150, clock: "visible" },
          { changeId: id, stage: "visible", at: 160, clock: "resolved" },
        ],
      }),
    );
    expect(await stores().decisions.readChange(id)).toMatchObject({ stage: "visible", times: { visible: 150, resolved: 160 } });
    expect(await stores().decisions.readChange("01ARZ3NDEKTSV4RRFFQ69G5FAV")).toBeNull();
  });

  test("a new leader is given the rows whose fate can still matter, and the changes they belong to", async () => {
    const now = await stores().now();
    const states = ["intent", "sent", "unknown", "accepted", "lost", "refused", "abandoned"] as const;
    const changes = states.map((_, n) => exampleChange({ revision: n + 1 }));
    const rows = states.map((state, n) => exampleOutboxRow(changes[n] as (typeof changes)[0], { state, createdAt: now }));
    const given = exampleChange({ service: "given-up", revision: 1 });
    const givenRow = exampleOutboxRow(given, { state: "refused", createdAt: now - 1_000_000 });
    const old = exampleChange({ revision: 8 });
    const oldRow = exampleOutboxRow(old, { state: "accepted", createdAt: now - 2 * 86_400_000 });
    const oldUnsettled = exampleChange({ service: "old", revision: 1 });
    const oldUnsettledRow = exampleOutboxRow(oldUnsettled, { state: "unknown", createdAt: 0 });
    await stores().decisions.commit(
      exampleCommit({
        changes: [...changes, given, old, oldUnsettled],
        outboxInserts: [...rows, givenRow, oldRow, oldUnsettledRow],
      }),
    );
    const loaded = await stores().decisions.load();
    // A copy of what was refused or given up lately may still arrive.
    expect(loaded.outbox).toEqual([oldUnsettledRow, ...rows]);
    expect(loaded.changes.map(({ service, revision }) => `${service} ${revision}`)).toEqual([
      "given-up 1",
      "old 1",
      "web 1",
      "web 2",
      "web 3",
      "web 8",
    ]);
  });

  test("an outbox row keeps what it said; only its fate is updated", async () => {
    const change = exampleChange();
    const row = exampleOutboxRow(change);
    await stores().decisions.commit(exampleCommit({ changes: [change], outboxInserts: [row] }));
    await stores().decisions.commit(exampleCommit({ outboxUpdates: [{ ulid: row.ulid, state: "sent", sentAt: 5 }] }));
    await stores().decisions.commit(
      exampleCommit({ outboxUpdates: [{ ulid: row.ulid, state: "accepted", changeInfoId: "C1" }] }),
    );
    expect((await stores().decisions.load()).outbox).toEqual([]);
    await stores().decisions.commit(exampleCommit({ outboxUpdates: [{ ulid: row.ulid, state: "unknown" }] }));
    expect((await stores().decisions.load()).outbox).toEqual([{ ...row, state: "unknown", sentAt: 5, changeInfoId: "C1" }]);
  });
};

const historyLaws = (stores: () => TestStores): void => {
  const sequences = async (service: string | null): Promise<readonly number[]> => {
    const { events } = await stores().decisions.readHistory({ limit: 500 });
    return events.filter((event) => event.service === service).map(({ sequence }) => sequence);
  };

  test("numbers have no gap, within each service and globally, though writers meet and some fail", async () => {
    const attempts = Array.from({ length: 24 }, (_, n) => {
      const replica: Stores = n % 2 === 0 ? stores() : stores().other;
      const history = ["web", "api", null].flatMap((service) => [exampleEntry({ service }), exampleEntry({ service })]);
      if (n % 3 === 0) history.push(exampleEntry({ kind: "change" }));
      return replica.decisions.commit(exampleCommit({ history })).then(
        () => true,
        () => false,
      );
    });
    expect((await Promise.all(attempts)).filter((isCommitted) => !isCommitted)).toHaveLength(8);
    const expected = Array.from({ length: 32 }, (_, n) => 32 - n);
    for (const service of ["web", "api", null]) expect(await sequences(service)).toEqual(expected);
  });

  test("pages go from new to old without repeating or skipping, though entries arrive meanwhile", async () => {
    const write = (why: string) => stores().decisions.commit(exampleCommit({ history: [exampleEntry({ why })] }));
    for (const why of ["1", "2", "3", "4", "5"]) await write(why);
    const first = await stores().decisions.readHistory({ limit: 2 });
    await write("6");
    const second = await stores().decisions.readHistory({ limit: 2, cursor: first.next as string });
    const third = await stores().decisions.readHistory({ limit: 2, cursor: second.next as string });
    expect([first, second, third].map(({ events }) => events.map(({ why }) => why))).toEqual([["5", "4"], ["3", "2"], ["1"]]);
    expect(third.next).toBeNull();
    expect(await stores().decisions.readHistory({ limit: 2, cursor: "no-cursor" })).toEqual({ events: [], next: null });
  });

  test("an entry comes back whole, with its change and the clocks that it reached since", async () => {
    const change = exampleChange();
    const entry = exampleEntry({ kind: "change", changeId: change.id });
    await stores().decisions.commit(exampleCommit({ changes: [change], history: [entry, exampleEntry({ service: "api" })] }));
    await stores().decisions.commit(exampleCommit({ stages: [{ changeId: change.id, stage: "sent", at: 110, clock: "sent" }] }));
    const { changeId: _, ...rest } = entry;
    const { events } = await stores().decisions.readHistory({ service: "web", kinds: ["change", "drift"], limit: 9 });
    expect(events).toEqual([
      { ...rest, sequence: 1, change: { ...change, stage: "sent", times: { ...change.times, sent: 110 } } },
    ]);
    expect((await stores().decisions.readHistory({ kinds: ["drift"], limit: 9 })).events).toEqual([]);
  });
};

const freezeLaws = (stores: () => TestStores): void => {
  test("the global freeze is fenced, stands until it is lifted, and is told in history", async () => {
    const value = { by: "ann", reason: "a storm is coming", at: 7, cause: "restored" as const };
    const frozen = exampleEntry({ service: null, kind: "freeze" });
    expect(await stores().decisions.readFreeze()).toBeNull();
    const late = { holder: "other", term: 1, value, entry: frozen };
    expect(await stores().decisions.writeFreeze(late)).toEqual({ kind: "fenced" });
    expect(await stores().decisions.readFreeze()).toBeNull();
    await stores().decisions.writeFreeze({ ...late, holder: "leader" });
    expect(await stores().other.decisions.readFreeze()).toEqual(value);
    const entry = exampleEntry({ service: null, kind: "unfreeze" });
    await stores().decisions.writeFreeze({ holder: "leader", term: 1, value: null, entry });
    expect(await stores().decisions.readFreeze()).toBeNull();
    const { events } = await stores().decisions.readHistory({ limit: 9 });
    expect(events.map(({ kind, sequence }) => [kind, sequence])).toEqual([
      ["unfreeze", 2],
      ["freeze", 1],
    ]);
  });
};
