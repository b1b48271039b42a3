/** What every lease promises. */
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { OpenStores, TestStores } from "./stores.ts";

const LONG_MS = 60_000;

export const leaseSuite = (name: string, open: OpenStores): void => {
  describe(`${name} lease`, () => {
    const opened: TestStores[] = [];
    let stores: TestStores;
    beforeEach(async () => {
      stores = await open();
      opened.push(stores);
    });
    afterAll(async () => {
      await Promise.all(opened.map((each) => each.close()));
    });

    test("of many who reach for it at once, one gets it", async () => {
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, n) => (n % 2 === 0 ? stores : stores.other).lease.acquire(`rival-${n}`, LONG_MS, 0)),
      );
      const winners = answers.filter((answer) => answer !== null);
      expect(winners).toHaveLength(1);
      expect(winners[0]).toMatchObject({ term: 1 });
      expect(await stores.lease.read()).toEqual(winners[0]);
    });

    test("it expires by the database's clock, and the next term is higher", async () => {
      const before = await stores.now();
      const first = await stores.lease.acquire("a", 600, 0);
      expect(first?.expiresAt).toBeGreaterThanOrEqual(before + 600);
      expect(await stores.lease.acquire("b", LONG_MS, 0)).toBeNull();
      await stores.elapse(650);
      expect(await stores.lease.read()).toBeNull();
      expect(await stores.lease.renew("a", 1, LONG_MS)).toBeNull();
      expect(await stores.lease.acquire("b", LONG_MS, 0)).toMatchObject({ holder: "b", term: 2 });
    });

    test("one that runs for longer than anybody is given is from before the clock was set back: free, and its holder fenced out", async () => {
      await stores.lease.acquire("a", 3_600_000, 0);
      expect(await stores.lease.acquire("b", LONG_MS, 0)).toMatchObject({ holder: "b", term: 2 });
      expect(await stores.lease.renew("a", 1, LONG_MS)).toBeNull();
      // Its holder itself goes on, from the new time.
      await stores.lease.renew("b", 2, 3_600_000);
      const renewed = await stores.lease.renew("b", 2, LONG_MS);
      expect(renewed?.expiresAt).toBeLessThanOrEqual((await stores.now()) + LONG_MS);
      expect(await stores.lease.acquire("a", LONG_MS, 0)).toBeNull();
    });

    test("renewing extends it and keeps the term, for its holder and term alone", async () => {
      const first = await stores.lease.acquire("a", 10_000, 0);
      const renewed = await stores.lease.renew("a", 1, LONG_MS);
      expect(renewed).toMatchObject({ holder: "a", term: 1 });
      expect(renewed?.expiresAt).toBeGreaterThan(first?.expiresAt ?? 0);
      expect(await stores.lease.renew("b", 1, LONG_MS)).toBeNull();
      expect(await stores.lease.renew("a", 2, LONG_MS)).toBeNull();
    });

    test("a term seen in DNS is exceeded, at taking and at renewing", async () => {
      expect(await stores.lease.acquire("a", LONG_MS, 41)).toMatchObject({ term: 42 });
      expect(await stores.lease.renew("a", 42, LONG_MS, 41)).toMatchObject({ term: 42 });
      expect(await stores.lease.renew("a", 42, LONG_MS, 50)).toMatchObject({ term: 51 });
      expect(await stores.lease.renew("a", 42, LONG_MS)).toBeNull();
    });

    test("a released lease is free at once, and its terms are never used again", async () => {
      await stores.lease.acquire("a", LONG_MS, 0);
      await stores.lease.release("a", 9);
      expect(await stores.lease.read()).toMatchObject({ holder: "a" });
      await stores.lease.release("a", 1);
      expect(await stores.lease.read()).toBeNull();
      expect(await stores.lease.acquire("b", LONG_MS, 0)).toMatchObject({ term: 2 });
    });

    test("a holder that starts again gets a higher term, which fences out its earlier self", async () => {
      await stores.lease.acquire("a", LONG_MS, 0);
      expect(await stores.lease.acquire("a", LONG_MS, 0)).toMatchObject({ term: 2 });
      expect(await stores.lease.renew("a", 1, LONG_MS)).toBeNull();
    });
  });
};
