/** What every reader of recordings promises. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Transition } from "../evidence-store.ts";
import { exampleAgent, exampleFold, exampleTransition } from "./examples.ts";
import type { OpenStores, TestStores } from "./stores.ts";

const MINUTE = 60_000;

export const recordingsSuite = (name: string, open: OpenStores): void => {
  describe(`${name} recordings`, () => {
    let stores: TestStores;
    beforeAll(async () => {
      stores = await open();
    });
    afterAll(() => stores.close());

    const record = async (agent: string, transitions: readonly Partial<Transition>[], minutes: readonly number[] = []) => {
      const aggregates = minutes.map((minute) => ({
        agent,
        target: "web/eu/http",
        minute,
        count: 12,
        failures: 0,
        latencySumMs: 60,
        latencyMaxMs: 9,
      }));
      await stores.evidence.ingest(agent, [], () => ({
        ...exampleFold(0, { agent: exampleAgent({ agent }) }),
        transitions: transitions.map((one) => exampleTransition({ agent, target: "web/eu/http", ...one })),
        aggregates,
      }));
    };

    test("turns of the time are told oldest first, with what stood before, and nothing of a spool", async () => {
      await record("b1", [
        { at: 1_000_000, to: "up" },
        { at: 2_000_000, to: "down", outcome: "fail", reason: "tcp_refused" },
        { at: 3_000_000, to: "up" },
        { at: 3_000_001, to: "down", isBackfill: true },
        { at: 9_000_000, to: "down" },
      ]);
      await record("a1", [
        { at: 1_500_000, to: "up" },
        { at: 3_500_000, to: "down" },
      ]);
      const { before, turns, isCut } = await stores.other.recordings.read({ from: 2_500_000, to: 4_000_000, limit: 99 });
      expect(turns.map(({ agent, at, to }) => [agent, at, to])).toEqual([
        ["b1", 3_000_000, "up"],
        ["a1", 3_500_000, "down"],
      ]);
      expect(before.map(({ agent, at, to }) => [agent, at, to])).toEqual([
        ["a1", 1_500_000, "up"],
        ["b1", 2_000_000, "down"],
      ]);
      expect(before[1]).toEqual({
        agent: "b1",
        target: "web/eu/http",
        at: 2_000_000,
        to: "down",
        outcome: "fail",
        reason: "tcp_refused",
      });
      expect(isCut).toBe(false);
      const cut = await stores.recordings.read({ from: 0, to: 4_000_000, limit: 2 });
      expect(cut).toMatchObject({ isCut: true, before: [] });
      expect(cut.turns.map(({ at }) => at)).toEqual([1_000_000, 1_500_000]);
    });

    test("the minutes in which each agent saw anything are told, the one that it begins in too", async () => {
      await record("h2", [], [10 * MINUTE, 11 * MINUTE, 14 * MINUTE]);
      await record("h1", [], [12 * MINUTE, 30 * MINUTE]);
      const { heard } = await stores.recordings.read({ from: 10 * MINUTE + 30_000, to: 20 * MINUTE, limit: 9 });
      expect(heard.filter(({ agent }) => agent.startsWith("h"))).toEqual([
        { agent: "h1", minutes: [12 * MINUTE] },
        { agent: "h2", minutes: [10 * MINUTE, 11 * MINUTE, 14 * MINUTE] },
      ]);
    });

    test("the configuration is the one in force when it begins, and later ones are told by their moments", async () => {
      const apply = async (baseVersion: number, text: string) => {
        await stores.elapse(20);
        await stores.configuration.apply({ baseVersion, declaration: {} as never, text, author: "ada", lines: [] });
        return stores.now();
      };
      const start = await stores.now();
      expect(await stores.recordings.read({ from: start, to: start, limit: 9 })).toMatchObject({
        configuration: null,
        appliedAt: [],
      });
      const first = await apply(0, "one");
      const second = await apply(1, "two");
      const third = await apply(2, "three");
      expect((await stores.recordings.read({ from: second, to: second, limit: 9 })).configuration).toMatchObject({
        version: 2,
        text: "two",
      });
      const all = await stores.recordings.read({ from: first, to: third, limit: 9 });
      expect(all.configuration).toMatchObject({ version: 1, text: "one" });
      expect(all.appliedAt).toHaveLength(2);
    });
  });
};
