/** What every keeper of evacuations promises. */
import type { EvacuatedService } from "@regent/contract";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { EvacuationWrite, StoredEvacuation } from "../evacuations.ts";
import { exampleEntry, ulid } from "./examples.ts";
import type { OpenStores, TestStores } from "./stores.ts";

const AT = 1_700_000_000_000;

export const exampleEvacuation = (evacuation: Partial<StoredEvacuation> = {}): StoredEvacuation => ({
  id: ulid(),
  region: "eu",
  direction: "evacuate",
  by: "ada",
  reason: "a fire \u{1f600}",
  breakGlass: ["A3"],
  at: AT,
  state: "running",
  endedAt: null,
  stopped: null,
  services: [exampleStep("mail"), exampleStep("shop")],
  version: 0,
  ...evacuation,
});

export const exampleStep = (service: string, step: Partial<EvacuatedService> = {}): EvacuatedService => ({
  service,
  state: "waiting",
  changeId: null,
  why: null,
  at: null,
  ...step,
});

export const evacuationsSuite = (name: string, open: OpenStores): void => {
  describe(`${name} evacuations`, () => {
    let stores: TestStores;
    let term: number;
    beforeEach(async () => {
      stores = await open();
      term = (await stores.lease.acquire("one", 60_000, 0))?.term ?? 0;
    });
    afterAll(() => stores.close());

    const write = (evacuation: StoredEvacuation, more: Partial<EvacuationWrite> = {}) =>
      stores.evacuations.write({ holder: "one", term, evacuation, history: [], keptMax: 99, ...more });
    const tell = (why: string) => exampleEntry({ id: ulid(), service: null, kind: "evacuation", why });
    const told = async () => (await stores.other.decisions.readHistory({ limit: 9 })).events.map(({ why }) => why);

    test("is read as it was written, with what was told of it, and goes on from version to version", async () => {
      const begun = exampleEvacuation();
      expect(await write(begun, { history: [tell("begun")] })).toBe("written");
      expect(await stores.other.evacuations.open()).toEqual([{ ...begun, version: 1 }]);
      const next = { ...begun, version: 1, services: [exampleStep("mail", { state: "moved", at: AT }), exampleStep("shop")] };
      expect(await write(next)).toBe("written");
      expect(await stores.other.evacuations.read(begun.id)).toEqual({ ...next, version: 2 });
      expect(await stores.other.evacuations.read(ulid())).toBeNull();
      expect(await told()).toEqual(["begun"]);
    });

    test("who doesn't lead writes nothing, and what was written meanwhile is not overwritten", async () => {
      const begun = exampleEvacuation();
      expect(await write(begun, { term: term + 1, history: [tell("fenced")] })).toBe("fenced");
      expect(await write(begun)).toBe("written");
      expect(await write({ ...begun, reason: "late" }, { history: [tell("late")] })).toBe("conflict");
      expect(await write(exampleEvacuation({ region: "us", version: 4 }), { history: [tell("never begun")] })).toBe("conflict");
      expect((await stores.evacuations.open()).map(({ reason }) => reason)).toEqual([begun.reason]);
      expect(await told()).toEqual([]);
    });

    test("a region has one that runs, and another one only after it ended; other regions have their own", async () => {
      const first = exampleEvacuation();
      await write(first);
      const second = exampleEvacuation({ direction: "return" });
      expect(await write(second, { history: [tell("second")] })).toBe("conflict");
      expect(await write(exampleEvacuation({ region: "us" }))).toBe("written");
      expect(await write({ ...first, version: 1, state: "stopped", endedAt: AT })).toBe("written");
      expect(await write(second)).toBe("written");
      expect(await told()).toEqual([]);
    });

    test("a stopped one is open while a service of it is moving", async () => {
      const moving = [exampleStep("mail", { state: "moving", at: AT }), exampleStep("shop")];
      const stopped = exampleEvacuation({ state: "stopped", services: moving });
      await write(stopped);
      expect((await stores.other.evacuations.open()).map(({ id }) => id)).toEqual([stopped.id]);
      const settled = [exampleStep("mail", { state: "moved", at: AT }), exampleStep("shop")];
      await write({ ...stopped, version: 1, services: settled });
      expect(await stores.other.evacuations.open()).toEqual([]);
    });

    test("they are listed newest first, by page and region, and the oldest that are over go", async () => {
      const [a, b, c, d] = ["eu", "us", "eu", "ap"].map((region) => exampleEvacuation({ region, state: "done", endedAt: AT }));
      for (const each of [a, b, c, d]) await write(each as StoredEvacuation);
      const ids = async (query: Parameters<TestStores["evacuations"]["list"]>[0]) =>
        (await stores.evacuations.list(query)).map(({ id }) => id);
      expect(await ids({ limit: 9 })).toEqual([d?.id, c?.id, b?.id, a?.id]);
      expect(await ids({ limit: 2, before: d?.id ?? "" })).toEqual([c?.id, b?.id]);
      expect(await ids({ limit: 9, region: "eu" })).toEqual([c?.id, a?.id]);
      const running = exampleEvacuation();
      expect(await write(running, { keptMax: 2 })).toBe("written");
      expect(await ids({ limit: 9 })).toEqual([running.id, d?.id, c?.id]);
    });
  });
};
