/** When a leader that doesn't reach Route 53 lets another replica try. */
import { expect, test } from "vitest";
import { UNREACHED_MS } from "../limits.ts";
import type { DnsProvider, ReadResult, ReadTurn } from "../ports/dns-provider.ts";
import { withReach } from "./reach.ts";

const setUp = () => {
  let now = 0;
  let result: ReadResult = { kind: "sets", sets: [] };
  let term = 1;
  const given: number[] = [];
  const turns: (ReadTurn | undefined)[] = [];
  const note = async (turn: ReadTurn | undefined): Promise<ReadResult> => {
    turns.push(turn);
    return result;
  };
  const inner = {
    readNames: (_zone: string, _names: readonly string[], turn?: ReadTurn) => note(turn),
    readZone: (_zone: string, turn?: ReadTurn) => note(turn),
  };
  const provider = withReach({
    provider: inner as unknown as DnsProvider,
    monotonic: () => now,
    term: () => term,
    giveUp: () => void given.push(now),
  });
  return {
    given,
    provider,
    turns,
    inner,
    /** 0: somebody else does. */
    lead: (next: number) => {
      term = next;
    },
    pass: (ms: number) => {
      now += ms;
    },
    /** One read a second, all with this result. */
    read: async (kind: ReadResult["kind"], ms: number) => {
      result = kind === "sets" ? { kind, sets: [] } : kind === "throttled" ? { kind } : { kind, why: "timeout" };
      for (const end = now + ms; now < end; now += 1_000) await provider.readNames("Z1", []);
    },
  };
};

test("it gives up after its patience, and no read that Route 53 answered counts against it", async () => {
  const { given, read } = setUp();
  await read("failed", UNREACHED_MS - 1_000);
  await read("throttled", 1_000);
  await read("failed", UNREACHED_MS - 1_000);
  await read("denied", 1_000);
  expect(given).toEqual([]);
  await read("failed", UNREACHED_MS + 1_000);
  expect(given.length).toBe(1);
});

test("each time that it didn't help it is patient for twice as long, until a read succeeds", async () => {
  const { given, read } = setUp();
  await read("failed", 8 * UNREACHED_MS);
  const gaps = given.map((at, i) => at - (given[i - 1] ?? 0));
  expect(gaps).toEqual([UNREACHED_MS, 2 * UNREACHED_MS + 1_000, 4 * UNREACHED_MS + 1_000]);
  await read("sets", 1_000);
  given.length = 0;
  await read("failed", UNREACHED_MS + 1_000);
  expect(given.length).toBe(1);
});

test("a follower has nothing to give up", async () => {
  const { given, lead, read } = setUp();
  lead(0);
  await read("failed", 3 * UNREACHED_MS);
  expect(given).toEqual([]);
});

test("what failed before it began to lead doesn't count against this term", async () => {
  const { given, lead, pass, read } = setUp();
  await read("failed", 1_000);
  lead(0);
  await read("failed", 1_000);
  pass(10 * UNREACHED_MS);
  lead(2);
  await read("failed", UNREACHED_MS - 1_000);
  expect(given).toEqual([]);
  await read("failed", 2_000);
  expect(given.length).toBe(1);
});

test("a read that waited long fails, and others got through meanwhile: it counts from the last of those", async () => {
  const { given, inner, pass, provider, read } = setUp();
  const { readNames } = inner;
  let fail: () => void = () => undefined;
  inner.readNames = () => new Promise((resolve) => (fail = () => resolve({ kind: "failed", why: "reset" })));
  const waiting = provider.readNames("Z1", []);
  inner.readNames = readNames;
  pass(2 * UNREACHED_MS);
  await read("sets", 1_000);
  fail();
  await waiting;
  expect(given).toEqual([]);
});

test("a read keeps its place among the others", async () => {
  const { provider, turns } = setUp();
  const turn = { lane: "scan", rank: 7 } as const;
  await provider.readNames("Z1", [], turn);
  await provider.readZone("Z1", turn);
  expect(turns).toEqual([turn, turn]);
});
