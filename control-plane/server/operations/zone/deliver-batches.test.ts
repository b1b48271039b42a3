/** Sending, on the memory twin of Route 53: one service's trouble stays its own, and no row is called anything that DNS doesn't say. */
import type { Change } from "@regent/contract";
import type { RecordSet } from "@regent/engine";
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { createMemoryDns, type MemoryDns } from "../../adapters/memory/dns-provider.ts";
import type { Commit, DecisionStore, StageEntry, StoredOutboxRow } from "../../ports/decision-store.ts";
import type { OutgoingBatch } from "../../ports/dns-provider.ts";
import { specOf, ulidOf } from "../../testing/specs.ts";
import { createLedger, emptyRecord } from "../memory/ledger.ts";
import { createDeliver } from "./deliver-batches.ts";
import { createZoneReader } from "./read-zone.ts";

const ZONE = "Z1TEST";
const epochSet = (service: string, revision: number): RecordSet => ({
  name: `_regent.${service}.example.test`,
  type: "TXT",
  ttl: 30,
  values: [`"regent1 o=test t=1 r=${revision} p=${ulidOf(service, revision)} m=auto d=0123456789abcdef"`],
});
const member = (service: string, region: string, weight: number): RecordSet => ({
  name: `${service}.example.test`,
  type: "A",
  setIdentifier: region,
  weight,
  ttl: 30,
  values: ["192.0.2.1"],
});
const setsOf = (service: string, revision: number, weights: readonly [number, number]): RecordSet[] => [
  epochSet(service, revision),
  member(service, "eu", weights[0]),
  member(service, "us", weights[1]),
];

const rowOf = (service: string, more: Partial<StoredOutboxRow> = {}): StoredOutboxRow => ({
  ulid: ulidOf(service, 2),
  service,
  revision: 2,
  term: 1,
  expects: ulidOf(service, 1),
  state: "intent",
  changeId: `change-${service}`,
  zoneId: ZONE,
  deletes: setsOf(service, 1, [255, 0]),
  creates: setsOf(service, 2, [0, 255]),
  weights: { default: { eu: 0, us: 255 } },
  createdAt: 0,
  sentAt: 0,
  changeInfoId: null,
  ...more,
});

interface Differences {
  readonly changes?: Readonly<Record<string, Partial<Change>>>;
  readonly priorities?: Readonly<Record<string, number>>;
}

const setUp = async (
  services: readonly string[],
  rows: readonly StoredOutboxRow[] = services.map((id) => rowOf(id)),
  { changes = {}, priorities = {} }: Differences = {},
) => {
  const dns = createMemoryDns({
    zones: [{ id: ZONE, name: "example.test", sets: services.flatMap((id) => setsOf(id, 1, [255, 0])) }],
    now: () => performance.now(),
  });
  const commits: Commit[] = [];
  const meet = { conflicts: 0 };
  const written = { default: { eu: 255, us: 0 } };
  const store = {
    load: async () => ({
      services: services.map((id) => ({
        ...emptyRecord(id),
        revision: 2,
        written,
        expected: setsOf(id, 1, [255, 0]),
        epoch: ulidOf(id, 1),
      })),
      outbox: services.flatMap((id) => [
        rowOf(id, {
          ulid: ulidOf(id, 1),
          revision: 1,
          expects: null,
          state: "accepted",
          creates: setsOf(id, 1, [255, 0]),
          weights: written,
        }),
        ...rows.filter(({ service }) => service === id),
      ]),
      changes: services.map(
        (id) =>
          ({
            id: `change-${id}`,
            service: id,
            revision: 2,
            kind: "failover",
            stage: "decided",
            actor: { kind: "automation", name: "regent" },
            weightsBefore: written,
            weightsAfter: { default: { eu: 0, us: 255 } },
            times: { decided: 0 },
            ...changes[id],
          }) as unknown as Change,
      ),
    }),
    readFreeze: async () => null,
    commit: async (commit: Commit) => {
      if (meet.conflicts-- > 0) return { kind: "conflict", service: services[0] };
      commits.push(commit);
      return { kind: "committed" };
    },
  } as unknown as DecisionStore;
  const clock = { now: () => Math.floor(performance.now()), monotonic: () => performance.now() };
  let id = 0;
  const ids = { ulid: () => `id-${id++}` };
  const ledger = createLedger({ store, holder: "me", specs: () => new Map(), onCommitted: () => undefined });
  const specs = new Map(services.map((each) => [each, specOf(each, ZONE)]));
  await ledger.load(specs);
  const reader = createZoneReader({
    provider: dns.provider,
    ledger,
    clock,
    ids,
    specs: () => specs,
    onRestored: () => undefined,
  });
  const office = { isOpen: true, accepted: [] as string[] };
  const deliver = createDeliver({
    clock,
    provider: dns.provider,
    ledger,
    reader,
    log: pino({ level: "silent" }),
    priorityOf: (service) => priorities[service] ?? 100,
    mayWrite: () => office.isOpen,
    onAccepted: (changeId) => void office.accepted.push(changeId),
    onMeasured: () => undefined,
    signal: new AbortController().signal,
  });
  const stages = (): StageEntry[] => commits.flatMap((commit) => [...commit.stages]);
  const stateOf = (service: string) => ledger.outbox(service).at(-1)?.state;
  return { dns, deliver, rows, ledger, commits, stages, stateOf, office, meet };
};

const weightOf = async (dns: MemoryDns, service: string): Promise<number | undefined> => {
  const read = await dns.provider.readNames(ZONE, [`${service}.example.test`]);
  return read.kind === "sets" ? read.sets.find(({ setIdentifier }) => setIdentifier === "us")?.weight : undefined;
};
const names = (count: number) => Array.from({ length: count }, (_, i) => `s${String(i).padStart(2, "0")}`);

test("services that change together share one call, and each is accepted once", async () => {
  const { dns, deliver, rows, office, stateOf } = await setUp(names(20));
  expect(await deliver(rows)).toEqual({ retryMs: null });
  expect(dns.sends()).toBe(1);
  expect(office.accepted.length).toBe(20);
  expect(names(20).map(stateOf)).toEqual(names(20).map(() => "accepted"));
});

test("one of twenty that somebody edited is left out, and the nineteen go in the second call", async () => {
  const { dns, deliver, rows, office, stateOf } = await setUp(names(20));
  dns.edit(ZONE, { deletes: [member("s07", "us", 0)], creates: [member("s07", "us", 9)] });
  const delivered = await deliver(rows);
  expect(dns.sends()).toBe(2);
  expect(office.accepted.length).toBe(19);
  expect(stateOf("s07")).toBe("refused");
  expect(await weightOf(dns, "s07")).toBe(9);
  expect(await weightOf(dns, "s08")).toBe(255);
  expect(delivered.retryMs).not.toBeNull();
});

test("traffic that nobody received because its batch was refused isn't remembered as moved; that of the others is", async () => {
  const { dns, deliver, rows, ledger } = await setUp(names(2));
  const departure = { at: rows[0]?.createdAt ?? 0, left: ["eu"], received: ["us"], moved: 1, vantages: [], findings: [] };
  await ledger.commit((draft) => {
    for (const service of names(2))
      draft.update(service, (record) => ({
        ...record,
        traffic: { ...record.traffic, departures: [departure], lastAutomaticFailoverAt: departure.at },
      }));
  });
  dns.edit(ZONE, { deletes: [member("s00", "us", 0)], creates: [member("s00", "us", 9)] });
  await deliver(rows);
  expect(ledger.record("s00").traffic).toMatchObject({ departures: [], lastAutomaticFailoverAt: null });
  expect(ledger.record("s01").traffic).toMatchObject({ departures: [departure], lastAutomaticFailoverAt: departure.at });
});

test("one that another writer overtook is lost, and the others go", async () => {
  const { dns, deliver, rows, stateOf } = await setUp(names(3));
  dns.edit(ZONE, { deletes: [epochSet("s01", 1)], creates: [epochSet("s01", 7)] });
  await deliver(rows);
  expect(["s00", "s01", "s02"].map(stateOf)).toEqual(["accepted", expect.not.stringMatching("accepted"), "accepted"]);
  expect(await weightOf(dns, "s01")).toBe(0);
});

test("refused together with nobody to blame in DNS: halves go, and only the broken one stays", async () => {
  const broken = rowOf("s01", {
    creates: [...setsOf("s01", 2, [0, 255]).slice(0, 2), { ...member("s01", "us", 255), weight: 256 }],
  });
  const services = names(3);
  const { dns, deliver, rows, stateOf } = await setUp(
    services,
    services.map((id) => (id === "s01" ? broken : rowOf(id))),
  );
  await deliver(rows);
  expect(services.map(stateOf)).toEqual(["accepted", "refused", "accepted"]);
  expect(dns.sends()).toBe(5);
});

test("one that fits into no call is refused before it is sent, and the others go", async () => {
  const many = Array.from({ length: 500 }, (_, i) => `192.0.${i >> 8}.${i & 255}`);
  const oversized = rowOf("s01", {
    creates: [...setsOf("s01", 2, [0, 255]).slice(0, 2), { ...member("s01", "us", 255), values: many }],
  });
  const services = names(2);
  const { dns, deliver, rows, stateOf, stages } = await setUp(services, [rowOf("s00"), oversized]);
  expect((await deliver(rows)).retryMs).not.toBeNull();
  expect(services.map(stateOf)).toEqual(["accepted", "refused"]);
  expect(dns.sends()).toBe(1);
  expect(stages().find(({ stage }) => stage === "refused")?.why).toMatch(/needs .* elements/);
});

test("an answer that was lost after applying is read off DNS and accepted once", async () => {
  const { dns, deliver, rows, office, stages } = await setUp(["s00"]);
  dns.breakNextSend({ kind: "unknown-after" });
  await deliver(rows);
  expect(dns.sends()).toBe(1);
  expect(office.accepted).toEqual(["change-s00"]);
  expect(stages().filter(({ stage }) => stage === "accepted").length).toBe(1);
});

test("denied after an attempt whose fate nobody knows is unknown, not refused: that copy may still arrive", async () => {
  const { dns, deliver, rows, stateOf } = await setUp(["s00"]);
  dns.breakNextSend({ kind: "late", delayMs: 60_000 });
  dns.breakNextSend({ kind: "denied" });
  await deliver(rows);
  expect(stateOf("s00")).toBe("unknown");
});

test("throttled and busy are tried again, as the same batch", async () => {
  const { dns, deliver, rows, stateOf } = await setUp(["s00"]);
  for (const kind of ["throttled", "busy"] as const) dns.breakNextSend({ kind });
  expect(await deliver(rows)).toEqual({ retryMs: null });
  expect(dns.sends()).toBe(3);
  expect(stateOf("s00")).toBe("accepted");
});

test("out of office between deciding and sending: nothing is sent and nothing is said of the rows", async () => {
  const { dns, deliver, rows, commits, office } = await setUp(["s00"]);
  office.isOpen = false;
  expect(await deliver(rows)).toEqual({ retryMs: null });
  expect(dns.sends()).toBe(0);
  expect(commits).toEqual([]);
});

test("frozen since it was decided: it is not sent, and told as abandoned by whom and why; an operator's own goes", async () => {
  const { dns, deliver, rows, ledger, stateOf, stages } = await setUp(names(2));
  const frozen = { by: "ada", reason: "hands off", at: 1 };
  await ledger.commit((draft) => draft.update("s00", (record) => ({ ...record, controls: { ...record.controls, frozen } })));
  await deliver(rows);
  expect(names(2).map(stateOf)).toEqual(["abandoned", "accepted"]);
  expect(await weightOf(dns, "s00")).toBe(0);
  expect(stages().find(({ stage }) => stage === "abandoned")?.why).toBe("frozen by ada before it could be sent: hands off");
});

describe("two hundred services of one zone", () => {
  const many = Array.from({ length: 200 }, (_, i) => `s${String(i).padStart(3, "0")}`);
  /** Six elements each: 66 services a call. */
  const CALLS = 4;

  /** Somebody edits these between our reading and our sending. */
  const drift = (dns: MemoryDns, services: readonly string[]): void => {
    for (const id of services)
      expect(dns.edit(ZONE, { deletes: [member(id, "us", 0)], creates: [member(id, "us", 9)] })).toBe("applied");
  };

  test("one that drifted costs one call more and one reading", async () => {
    const { dns, deliver, rows, office, stateOf } = await setUp(many);
    drift(dns, ["s100"]);
    await deliver(rows);
    expect([dns.sends(), office.accepted.length, stateOf("s100")]).toEqual([CALLS + 1, 199, "refused"]);
  });

  test("twenty that drifted, spread over all batches, are left out together; the rest goes again as few batches", async () => {
    const { dns, deliver, rows, office, ledger, stateOf } = await setUp(many);
    const drifted = many.filter((_, i) => i % 10 === 3);
    drift(dns, drifted);
    await deliver(rows);
    // 180 services of six elements are three calls.
    expect([dns.sends(), office.accepted.length]).toEqual([CALLS + 3, 180]);
    expect(many.filter((id) => stateOf(id) === "refused")).toEqual(drifted);
    expect(drifted.every((id) => ledger.record(id).drift !== null)).toBe(true);
    expect(await weightOf(dns, "s003")).toBe(9);
  });

  const poisoned = (id: string): StoredOutboxRow =>
    rowOf(id, { creates: [...setsOf(id, 2, [0, 255]).slice(0, 2), { ...member(id, "us", 255), weight: 256 }] });

  test("one that Route 53 won't have for a reason of its own is found by halving; next time it goes alone and last", async () => {
    const { dns, deliver, rows, office, stateOf } = await setUp(
      many,
      many.map((id) => (id === "s077" ? poisoned(id) : rowOf(id))),
    );
    expect((await deliver(rows)).retryMs).not.toBeNull();
    expect([office.accepted.length, stateOf("s077")]).toEqual([199, "refused"]);
    // Its batch has 66: seven levels of two halves at most.
    expect(dns.sends()).toBeLessThanOrEqual(CALLS + 14);
    const before = dns.sends();
    await deliver([poisoned("s077")]);
    expect(dns.sends() - before).toBe(1);
  });

  test("an answer that was lost delays nobody else's batch, and its rows are read off DNS together", async () => {
    const { dns, deliver, rows, office } = await setUp(many);
    dns.breakNextSend({ kind: "unknown-after" });
    await deliver(rows);
    expect([dns.sends(), office.accepted.length]).toEqual([CALLS, 200]);
    // Those of the first batch come last: the others didn't wait for the reading.
    expect(office.accepted.at(-1)).toBe("change-s065");
  });
});

describe("the order of going out", () => {
  test("rescues before returns before upkeep, and by priority within; a rescue shares no batch with the rest", async () => {
    const { dns, deliver, rows, office } = await setUp(names(4), undefined, {
      changes: { s00: { kind: "configure" }, s01: { kind: "failback" }, s02: { kind: "failover" }, s03: { kind: "failover" } },
      priorities: { s02: 100, s03: 1 },
    });
    await deliver(rows);
    expect(office.accepted).toEqual(["change-s03", "change-s02", "change-s01", "change-s00"]);
    expect(dns.sends()).toBe(2);
  });

  test("what is no rescue gives way to a rescue that waits; it stays open and is sent later", async () => {
    const { dns, deliver, rows, office, stateOf } = await setUp(names(2), undefined, {
      changes: { s00: { kind: "configure" } },
    });
    const { retryMs } = await deliver(rows, () => true);
    expect([dns.sends(), office.accepted, stateOf("s00")]).toEqual([1, ["change-s01"], "intent"]);
    expect(retryMs).not.toBeNull();
    await deliver(rows.slice(0, 1));
    expect(stateOf("s00")).toBe("accepted");
  });
});

describe("an answer that doesn't come", () => {
  const hangs = (dns: MemoryDns): { answer: () => void } => {
    const { send } = dns.provider;
    const held: (() => void)[] = [];
    Object.assign(dns.provider, {
      send: async (zoneId: string, { mayLeave, ...batch }: OutgoingBatch) => {
        if (mayLeave?.() === false) return { kind: "not-sent", why: "", nextTryMs: 0 };
        return new Promise((resolve) => held.push(() => void send(zoneId, batch).then(resolve)));
      },
    });
    return { answer: () => void held.splice(0).forEach((go) => void go()) };
  };
  const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  test("holds up no rescue that waits for the zone; its row stays open, and a late arrival is accepted once", async () => {
    const { dns, deliver, rows, ledger, office } = await setUp(["shop"]);
    const late = hangs(dns);
    const started = performance.now();
    const { retryMs } = await deliver(rows, () => true);
    expect(performance.now() - started).toBeLessThan(8_000);
    expect(retryMs).not.toBeNull();
    expect(["accepted", "lost", "refused", "abandoned"]).not.toContain(ledger.outbox("shop").at(-1)?.state);
    late.answer();
    await expect.poll(() => weightOf(dns, "shop")).toBe(255);
    const again = deliver(ledger.outbox("shop").slice(-1));
    await new Promise((resolve) => setTimeout(resolve, 50));
    late.answer();
    await again;
    expect(office.accepted).toEqual(["change-shop"]);
  });

  test("is waited for where nobody else waits", async () => {
    const { dns, deliver, rows, stateOf } = await setUp(["shop"]);
    const late = hangs(dns);
    const delivery = deliver(rows);
    await new Promise((resolve) => setTimeout(resolve, 1_900));
    late.answer();
    expect(await delivery).toEqual({ retryMs: null });
    expect(stateOf("shop")).toBe("accepted");
  });

  test("of what is no rescue: the zone is free at once, without a reading of its own, and the row is called unknown", async () => {
    const { dns, deliver, rows, stateOf } = await setUp(["shop"], undefined, { changes: { shop: { kind: "configure" } } });
    hangs(dns);
    let reads = 0;
    const { readNames } = dns.provider;
    Object.assign(dns.provider, {
      readNames: (...given: Parameters<typeof readNames>) => {
        reads++;
        return readNames(...given);
      },
    });
    let waits = false;
    setTimeout(() => {
      waits = true;
    }, 200);
    const { retryMs } = await deliver(rows, () => waits);
    expect([reads, stateOf("shop")]).toEqual([0, "unknown"]);
    expect(retryMs).not.toBeNull();
  });

  test("of one batch drops no rescue of another that Route 53 refused for somebody else's fault", async () => {
    const { dns, deliver, rows, stateOf } = await setUp(names(3), undefined, { changes: { s02: { kind: "configure" } } });
    dns.edit(ZONE, { deletes: [member("s01", "us", 0)], creates: [member("s01", "us", 9)] });
    const { send } = dns.provider;
    let waits = false;
    Object.assign(dns.provider, {
      send: async (zoneId: string, batch: OutgoingBatch) => {
        const isUpkeep = batch.creates.some(({ name }) => name === "s02.example.test");
        if (!isUpkeep) return send(zoneId, batch);
        waits = true;
        return { kind: "unknown", why: "lost" };
      },
    });
    await deliver(rows, () => waits);
    expect(names(2).map(stateOf)).toEqual(["accepted", "refused"]);
  });

  describe("because the account's calls are used up", () => {
    /** The request doesn't leave before `go`. */
    const queues = (dns: MemoryDns): { go: () => void } => {
      const { send } = dns.provider;
      const held: (() => void)[] = [];
      Object.assign(dns.provider, {
        send: (...given: Parameters<typeof send>) => new Promise((resolve) => held.push(() => void send(...given).then(resolve))),
      });
      return { go: () => void held.splice(0).forEach((leave) => void leave()) };
    };

    test("and the lease is lost meanwhile: it doesn't leave any more", async () => {
      const { dns, deliver, rows, office, stateOf } = await setUp(["shop"]);
      const queue = queues(dns);
      const delivery = deliver(rows);
      await pass(20);
      office.isOpen = false;
      queue.go();
      expect(await delivery).toEqual({ retryMs: null });
      expect([dns.sends(), stateOf("shop")]).toEqual([0, "intent"]);
    });

    test("and an operator freezes meanwhile: it doesn't leave any more, and is told as abandoned", async () => {
      const { dns, deliver, rows, ledger, stateOf } = await setUp(["shop"]);
      const queue = queues(dns);
      const delivery = deliver(rows);
      await pass(20);
      const frozen = { by: "ada", reason: "hands off", at: 1 };
      await ledger.commit((draft) => draft.update("shop", (record) => ({ ...record, controls: { ...record.controls, frozen } })));
      queue.go();
      await delivery;
      expect([dns.sends(), stateOf("shop")]).toEqual([0, "abandoned"]);
    });

    test("and a rescue comes: what is none gives way at once, and never leaves", async () => {
      const { dns, deliver, rows, stateOf } = await setUp(["shop"], undefined, { changes: { shop: { kind: "configure" } } });
      const queue = queues(dns);
      let waits = false;
      const started = performance.now();
      const delivery = deliver(rows, () => waits);
      await pass(20);
      waits = true;
      await delivery;
      expect(performance.now() - started).toBeLessThan(1_000);
      waits = false;
      queue.go();
      await pass(20);
      expect([dns.sends(), stateOf("shop")]).toEqual([0, "intent"]);
    });
  });
});

test("a service in trouble whose traffic suffers goes alone, after other rescues and before upkeep", async () => {
  const poison = rowOf("s01", {
    creates: [...setsOf("s01", 2, [0, 255]).slice(0, 2), { ...member("s01", "us", 255), weight: 256 }],
  });
  const { dns, deliver, office } = await setUp(names(3), undefined, { changes: { s02: { kind: "configure" } } });
  await deliver([poison]);
  expect(dns.sends()).toBe(1);
  await deliver([rowOf("s02"), rowOf("s01"), rowOf("s00")]);
  expect(office.accepted).toEqual(["change-s00", "change-s01", "change-s02"]);
});

test("somebody else writes the service while its batch is sent: what Route 53 accepted is written down all the same", async () => {
  const { deliver, rows, ledger, office, stateOf, meet } = await setUp(["shop"]);
  meet.conflicts = 1;
  expect(await deliver(rows)).toEqual({ retryMs: null });
  expect([office.accepted, stateOf("shop")]).toEqual([["change-shop"], "accepted"]);
  expect(ledger.outbox("shop").at(-1)?.changeInfoId).not.toBeNull();
});
