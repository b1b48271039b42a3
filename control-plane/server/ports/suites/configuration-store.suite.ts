/** What every configuration store promises. */
import { Declaration } from "@regent/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OpenStores, TestStores } from "./stores.ts";

const declaration = Declaration.parse({
  regent: 1,
  owner: "acme",
  zones: [{ id: "Z1", name: "example.com" }],
  regions: [{ id: "eu" }],
});
const applying = (baseVersion: number, author = "ann") => ({
  baseVersion,
  declaration,
  text: "regent: 1\n",
  author,
  lines: ["+ region eu"],
});

export const configurationStoreSuite = (name: string, open: OpenStores): void => {
  describe(`${name} configuration store`, () => {
    let stores: TestStores;
    beforeAll(async () => {
      stores = await open();
    });
    afterAll(() => stores.close());

    test("of two who apply on one base at once, one is applied and the other is stale", async () => {
      expect(await stores.configuration.read()).toBeNull();
      const answers = await Promise.all([
        stores.configuration.apply(applying(0)),
        stores.other.configuration.apply(applying(0)),
        stores.configuration.apply(applying(0)),
      ]);
      expect(answers.map(({ kind }) => kind).sort()).toEqual(["applied", "stale", "stale"]);
      expect(answers.every(({ version }) => version === 1)).toBe(true);
    });

    test("the newest version is read as it was applied, and stands in history", async () => {
      const before = await stores.now();
      expect(await stores.configuration.apply(applying(1, "bob"))).toEqual({ kind: "applied", version: 2 });
      const applied = await stores.other.configuration.read();
      const { baseVersion: _, ...input } = applying(1, "bob");
      expect(applied).toEqual({ ...input, version: 2, at: applied?.at });
      expect(applied?.at).toBeGreaterThanOrEqual(before);
      const { events } = await stores.decisions.readHistory({ kinds: ["configuration"], limit: 10 });
      expect(events.map(({ sequence, service, actor, detail }) => [sequence, service, actor.name, detail.version])).toEqual([
        [2, null, "bob", 2],
        [1, null, "ann", 1],
      ]);
    });

    test("each version is read by its number, as it was applied, and one that never was is none", async () => {
      const newest = await stores.configuration.read();
      expect(await stores.other.configuration.read(2)).toEqual(newest);
      expect(await stores.configuration.read(1)).toMatchObject({ version: 1, author: "ann", text: "regent: 1\n", declaration });
      for (const none of [0, 3, 999_999_999_999_999]) expect(await stores.configuration.read(none)).toBeNull();
    });

    test("versions are listed newest first without their texts, in pages", async () => {
      const [second, first] = await stores.other.configuration.list({ limit: 100 });
      expect([second, first]).toEqual([
        { version: 2, author: "bob", at: expect.any(Number), lines: ["+ region eu"] },
        { version: 1, author: "ann", at: expect.any(Number), lines: ["+ region eu"] },
      ]);
      expect(await stores.configuration.list({ limit: 1 })).toEqual([second]);
      expect(await stores.configuration.list({ limit: 1, before: 2 })).toEqual([first]);
      expect(await stores.configuration.list({ limit: 1, before: 1 })).toEqual([]);
    });

    test("a base that was never applied is stale", async () => {
      expect(await stores.configuration.apply(applying(9))).toEqual({ kind: "stale", version: 2 });
    });

    test("every replica hears of a version, until it stops listening", async () => {
      const heard: number[] = [];
      const stop = await stores.other.configuration.onApplied((version) => heard.push(version));
      await stores.configuration.apply({ ...applying(2), reason: "back to version 1" });
      await expect.poll(() => heard).toEqual([3]);
      await stop();
      const { events } = await stores.decisions.readHistory({ kinds: ["configuration"], limit: 2 });
      expect(events.map(({ why }) => why)).toEqual([
        "ann applied configuration version 3: back to version 1",
        "bob applied configuration version 2.",
      ]);
    });

    test("of two signing keys kept at once, one stands for everybody", async () => {
      expect(await stores.configuration.readSigningKey()).toBeNull();
      const key = (keyId: string) => ({ keyId, sealed: `sealed-${keyId}`, publicKey: `public-${keyId}` });
      const kept = await Promise.all([
        stores.configuration.keepSigningKey(key("a")),
        stores.other.configuration.keepSigningKey(key("b")),
      ]);
      expect(kept[0]).toEqual(kept[1]);
      expect(await stores.configuration.keepSigningKey(key("c"))).toEqual(kept[0]);
      expect(await stores.other.configuration.readSigningKey()).toEqual(kept[0]);
    });
  });
};
