/** What every keeper of planned maintenance windows promises. */
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { StoredWindow } from "../maintenance-store.ts";
import { exampleEntry, ulid } from "./examples.ts";
import type { OpenStores, TestStores } from "./stores.ts";

const AT = 1_700_000_000_000;
const HOUR_MS = 3_600_000;
const HOLDER = "leader";

const example = (window: Partial<StoredWindow> = {}): StoredWindow => ({
  id: ulid(),
  from: AT,
  to: AT + HOUR_MS,
  regions: ["eu", "us"],
  services: ["checkout"],
  by: "ann",
  reason: "new disks",
  plannedAt: AT - 1_000,
  ...window,
});

export const maintenanceStoreSuite = (name: string, open: OpenStores): void => {
  describe(`${name} maintenance store`, () => {
    let stores: TestStores;
    let term = 0;
    beforeEach(async () => {
      stores = await open();
      term = (await stores.lease.acquire(HOLDER, 60_000, 0))?.term ?? 0;
    });
    afterAll(() => stores.close());

    const entry = (why: string) => exampleEntry({ kind: "maintenance", service: null, why });
    const plan = (window: StoredWindow, more: { now?: number; standingMax?: number; term?: number } = {}) =>
      stores.maintenance.plan({ holder: HOLDER, term, entry: entry("planned"), window, now: AT, standingMax: 9, ...more });
    const end = (id: string, more: { now?: number; term?: number } = {}) =>
      stores.maintenance.end({
        holder: HOLDER,
        term,
        entry: entry("taken back"),
        id,
        now: AT,
        ended: { by: "ben", reason: "no disks", at: AT },
        ...more,
      });
    const told = async () =>
      (await stores.decisions.readHistory({ kinds: ["maintenance"], limit: 9 })).events.map(({ why }) => why).reverse();

    test("one is read by every replica as it was planned, and history has it", async () => {
      const window = example({ services: null, reason: 'quotes " and half \u{1f600}' });
      expect(await plan(window)).toBe("planned");
      expect(await stores.other.maintenance.standing(AT)).toEqual([window]);
      expect(await told()).toEqual(["planned"]);
    });

    test("those that stand are listed by when they begin, until they end", async () => {
      const [late, early] = [example({ from: AT + 10, to: AT + 20 }), example({ from: AT + 5, to: AT + 15 })];
      for (const window of [late, early]) await plan(window);
      const standing = async (now: number) => (await stores.maintenance.standing(now)).map(({ id }) => id);
      expect(await standing(AT)).toEqual([early.id, late.id]);
      expect(await standing(AT + 14)).toEqual([early.id, late.id]);
      expect(await standing(AT + 15)).toEqual([late.id]);
      expect(await standing(AT + 20)).toEqual([]);
    });

    test("one that is taken back stands no more, is told once, and can't be taken back again", async () => {
      const window = example();
      await plan(window);
      expect(await end(window.id)).toBe("ended");
      expect(await stores.other.maintenance.standing(AT)).toEqual([]);
      expect(await end(window.id)).toBe("gone");
      expect(await end(ulid())).toBe("gone");
      expect(await told()).toEqual(["planned", "taken back"]);
    });

    test("one that is over by itself is gone", async () => {
      const window = example();
      await plan(window);
      expect(await end(window.id, { now: window.to })).toBe("gone");
      expect(await told()).toEqual(["planned"]);
    });

    test("no more stand than may; those that are over or were taken back don't count, and nothing is told of one that is refused", async () => {
      const [over, gone] = [example({ to: AT + 1 }), example()];
      for (const window of [over, gone, example()]) await plan(window);
      expect(await plan(example(), { standingMax: 3 })).toBe("full");
      await end(gone.id);
      expect(await plan(example(), { standingMax: 3 })).toBe("planned");
      expect(await plan(example(), { standingMax: 3 })).toBe("full");
      expect(await plan(example(), { standingMax: 3, now: AT + 1 })).toBe("planned");
      expect(await told()).toEqual(["planned", "planned", "planned", "taken back", "planned", "planned"]);
    });

    test("two operators at once leave no more than may stand", async () => {
      const answers = await Promise.all([1, 2, 3, 4].map(() => plan(example(), { standingMax: 2 })));
      expect(answers.sort()).toEqual(["full", "full", "planned", "planned"]);
      expect(await stores.maintenance.standing(AT)).toHaveLength(2);
    });

    test("who doesn't lead any more writes nothing", async () => {
      const window = example();
      expect(await plan(window, { term: term + 1 })).toBe("fenced");
      await plan(window);
      expect(await end(window.id, { term: term + 1 })).toBe("fenced");
      expect(await stores.maintenance.standing(AT)).toEqual([window]);
      expect(await told()).toEqual(["planned"]);
    });

    test("those that were over long ago are forgotten, taken back or not", async () => {
      const [old, back, kept] = [example({ to: AT + 1 }), example({ to: AT + 2 }), example({ to: AT + 3 })];
      for (const window of [old, back, kept]) await plan(window);
      await end(back.id);
      expect(await stores.maintenance.prune(AT + 3)).toBe(2);
      expect(await stores.maintenance.standing(AT)).toEqual([kept]);
    });
  });
};
