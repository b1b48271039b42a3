import type { RecordSet } from "@regent/engine";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NAME_PAGES_MAX, ZONE_PAGES_MAX } from "./limits.ts";
import { type Cursor, type ListPage, listNames, listZone, type Page } from "./listing.ts";

const set = (name: string, id = ""): RecordSet => ({
  name,
  type: "A",
  setIdentifier: id,
  weight: 1,
  ttl: 1,
  values: ["192.0.2.1"],
});

/** A zone that lists in the given order, `pageMax` sets at a time, and counts its pages. */
const testZone = (sets: readonly RecordSet[], pageMax: number) => {
  const calls: (Cursor | null)[] = [];
  const listPage: ListPage = async (from) => {
    calls.push(from);
    const keyOf = (one: RecordSet) => `${one.name} ${one.setIdentifier}`;
    const order = [...new Set(sets.map(({ name }) => name))];
    const isFrom = (one: RecordSet) =>
      from === null || one.name === from.name
        ? from?.setIdentifier === undefined || keyOf(one) >= `${from.name} ${from.setIdentifier}`
        : order.indexOf(one.name) > placeOf(order, from.name);
    const rest = sets.filter(isFrom);
    const next = rest[pageMax];
    return {
      kind: "page",
      sets: rest.slice(0, pageMax),
      next: next ? { name: next.name, type: "A", setIdentifier: next.setIdentifier! } : null,
    };
  };
  return { listPage, calls };
};
/** Position of the name, or of the last name that sorts before it. */
const placeOf = (order: readonly string[], name: string): number => {
  const exact = order.indexOf(name);
  return exact >= 0 ? exact : order.findLastIndex((other) => other < name);
};

const expectSets = async (result: ReturnType<typeof listZone>, wanted: readonly RecordSet[]) => {
  const read = await result;
  const keys = (sets: readonly RecordSet[]) => sets.map((one) => `${one.name} ${one.setIdentifier}`).toSorted();
  expect(read.kind === "sets" ? keys(read.sets) : read).toEqual(keys(wanted));
};

describe("listing names", () => {
  test("a service and its epoch record that stand in one page take one call", async () => {
    const zone = testZone([set("www"), set("www", "b"), set("www_"), set("x")], 300);
    await expectSets(listNames(zone.listPage, ["www_", "www"]), [set("www"), set("www", "b"), set("www_")]);
    expect(zone.calls).toHaveLength(1);
  });

  test("a name that a page cuts off is read again from its start", async () => {
    const zone = testZone([set("a"), set("b", "1"), set("b", "2"), set("c")], 2);
    await expectSets(listNames(zone.listPage, ["a", "b"]), [set("a"), set("b", "1"), set("b", "2")]);
    expect(zone.calls.map((from) => from?.name)).toEqual(["a", "b"]);
  });

  test("for any zone, page size and choice of names, exactly the sets of those names are found", async () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-e]{1,2}$/), { minLength: 1, maxLength: 8 });
    const counts = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 8, maxLength: 8 });
    const choice = fc.uniqueArray(fc.stringMatching(/^[a-e]{1,2}$/), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(names, counts, choice, fc.integer({ min: 1, max: 9 }), async (all, sizes, wanted, pageMax) => {
        const sets = all
          .toSorted()
          .flatMap((name, index) => Array.from({ length: sizes[index]! }, (_, id) => set(name, String(id))));
        await expectSets(
          listNames(testZone(sets, pageMax).listPage, wanted),
          sets.filter(({ name }) => wanted.includes(name)),
        );
        const zone = [...sets, { ...set("z", "0"), type: "SOA" }];
        await expectSets(listZone(testZone(zone, pageMax).listPage), zone);
      }),
    );
  });

  test("no names take no call", async () => {
    const zone = testZone([set("a")], 300);
    await expectSets(listNames(zone.listPage, []), []);
    expect(zone.calls).toEqual([]);
  });
});

describe("listings that make no sense", () => {
  const page = (next: Cursor | null): Page => ({ kind: "page", sets: [set("a")], next });

  test("one that turns in circles is a failure", async () => {
    const listPage: ListPage = async () => page({ name: "a", type: "A" });
    expect(await listZone(listPage)).toMatchObject({ kind: "failed", why: expect.stringContaining("circles") });
    expect(await listNames(listPage, ["a"])).toMatchObject({ kind: "failed", why: expect.stringContaining("circles") });
  });

  test("one that never ends is given up", async () => {
    let calls = 0;
    const listPage: ListPage = async () => page({ name: "a", setIdentifier: String(calls++) });
    expect((await listZone(listPage)).kind).toBe("failed");
    expect(calls).toBe(ZONE_PAGES_MAX);
    calls = 0;
    expect((await listNames(listPage, ["a"])).kind).toBe("failed");
    expect(calls).toBe(NAME_PAGES_MAX);
  });

  test("a failure of any page is the failure of the whole", async () => {
    let calls = 0;
    const listPage: ListPage = async () => (calls++ === 0 ? page({ name: "b" }) : { kind: "throttled" });
    expect(await listZone(listPage)).toEqual({ kind: "throttled" });
  });
});
