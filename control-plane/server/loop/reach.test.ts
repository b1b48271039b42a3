/** When a leader that doesn't reach Route 53 lets another replica try. */
import { expect, test } from "vitest";
import { UNREACHED_MS } from "../limits.ts";
import type { DnsProvider, ReadResult } from "../ports/dns-provider.ts";
import { withReach } from "./reach.ts";

const setUp = () => {
  let now = 0;
  let result: ReadResult = { kind: "sets", sets: [] };
  let isLeading = true;
  const given: number[] = [];
  const provider = withReach({
    provider: { readNames: async () => result, readZone: async () => result } as unknown as DnsProvider,
    monotonic: () => now,
    isLeading: () => isLeading,
    giveUp: () => void given.push(now),
  });
  return {
    given,
    lead: (leads: boolean) => {
      isLeading = leads;
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
  lead(false);
  await read("failed", 3 * UNREACHED_MS);
  expect(given).toEqual([]);
});
