/** Turns of one zone, with a reader whose answers a test holds back: what waits for whom. */
import type { Observed } from "@regent/engine";
import { pino } from "pino";
import { expect, test } from "vitest";
import type { ReadTurn } from "../../ports/dns-provider.ts";
import { type Draft, emptyRecord, type Ledger, LedgerConflict } from "../memory/ledger.ts";
import type { ReadSets, ZoneRead, ZoneReader } from "./read-zone.ts";
import { createZoneWriter } from "./write-zone.ts";

const ZONE = "Z1TEST";
const NOTHING: Observed = { epochSet: null, epoch: null, sets: [] };

const setUp = (services: readonly string[], conflictAt = 0) => {
  const commits: number[] = [];
  const records = new Map(services.map((id) => [id, emptyRecord(id)]));
  const none: readonly never[] = [];
  const read = { turns: [] as ReadTurn[], release: (): void => undefined };
  const settled: string[][] = [];
  const accepted: string[] = [];
  const reader = {
    read: (_: string, wanted: readonly string[], turn: ReadTurn): Promise<ZoneRead> => {
      read.turns.push(turn);
      const answer: ZoneRead = { kind: "read", observed: new Map(wanted.map((id) => [id, NOTHING])), term: 1 };
      if (turn.lane === "read") return Promise.resolve(answer);
      return new Promise((resolve) => {
        read.release = () => resolve(answer);
      });
    },
    settleInto: (_: Draft, { observed }: ReadSets) => {
      settled.push([...observed.keys()]);
      return new Map([...observed].map(([id, seen]) => [id, { observed: seen, open: [], accepted: [`change-${id}`] }]));
    },
  } as unknown as ZoneReader;
  const ledger = {
    record: (id: string) => records.get(id),
    outbox: () => none,
    commit: async <T>(build: (draft: Draft) => T): Promise<T> => {
      const answer = build({} as Draft);
      if (commits.push(1) === conflictAt) throw new LedgerConflict("s30");
      return answer;
    },
  } as unknown as Ledger;
  const writer = createZoneWriter({
    zoneId: ZONE,
    clock: { now: () => 0, monotonic: () => 0 },
    ids: { ulid: () => "" },
    ledger,
    reader,
    deliver: async () => ({ retryMs: null }),
    log: pino({ level: "silent" }),
    specs: () => new Map(),
    configurationVersion: () => 1,
    verdictsOf: () => [],
    leadingSince: () => 0,
    mayWrite: () => true,
    onAccepted: (changeId) => void accepted.push(changeId),
    onDnsTerm: () => undefined,
  });
  return { writer, read, settled, records, accepted };
};

test("no write waits for a scan, which waits for a busy account", async () => {
  const { writer, read, settled } = setUp(["a", "b"]);
  const scan = writer.scan(["a", "b"], { lane: "scan", rank: 0 });
  await writer.reconcile(["a"], 100);
  expect(read.turns).toEqual([
    { lane: "scan", rank: 0 },
    { lane: "read", rank: 100 },
  ]);
  expect(settled).toEqual([["a"]]);
  read.release();
  expect([...((await scan)?.keys() ?? [])]).toEqual(["a", "b"]);
});

test("what was written while a scan read is not settled by what it read before", async () => {
  const { writer, read, settled, records } = setUp(["a", "b"]);
  const scan = writer.scan(["a", "b"], { lane: "scan", rank: 0 });
  records.set("a", { ...emptyRecord("a"), revision: 1 });
  read.release();
  expect([...((await scan)?.keys() ?? [])]).toEqual(["b"]);
  expect(settled).toEqual([["b"]]);
});

test("a zone's worth of services is written ahead in parts, so that reports are taken in between", async () => {
  const many = Array.from({ length: 60 }, (_, i) => `s${i}`);
  const { writer, settled } = setUp(many);
  await writer.reconcile(many, 100);
  expect(settled.map(({ length }) => length)).toEqual([25, 25, 10]);
  expect(settled.flat()).toEqual(many);
});

test("a part that meets another writer is drafted anew on what was read again; no part's acceptances are forgotten", async () => {
  const many = Array.from({ length: 60 }, (_, i) => `s${i}`);
  const { writer, settled, accepted } = setUp(many, 2);
  await writer.reconcile(many, 100);
  expect(settled.map(({ length }) => length)).toEqual([25, 25, 25, 10]);
  expect(accepted).toEqual(many.map((id) => `change-${id}`));
});
