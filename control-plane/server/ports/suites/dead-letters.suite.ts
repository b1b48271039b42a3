/** What every keeper of dead letters promises. */
import type { DeadLetterDetail } from "@regent/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DeadLetterBounds } from "../dead-letters.ts";
import { ulid } from "./examples.ts";
import type { OpenStores, TestStores } from "./stores.ts";

const AT = 1_700_000_000_000;
const ROOM: DeadLetterBounds = { countMax: 100, bytesMax: 1_000_000, keptSince: 0 };

const example = (letter: Partial<DeadLetterDetail> = {}): Omit<DeadLetterDetail, "bytes"> => ({
  id: ulid(),
  at: AT,
  kind: "report",
  subject: "eu-a1",
  why: "the fold threw",
  attempts: 1,
  triedAt: AT,
  payload: { report: { sequence: 7 } },
  ...letter,
});

export const deadLettersSuite = (name: string, open: OpenStores): void => {
  describe(`${name} dead letters`, () => {
    let stores: TestStores;
    beforeEach(async () => {
      stores = await open();
    });
    afterEach(() => stores.close());

    test("one is read as it was kept, by every replica, with what Postgres refuses elsewhere", async () => {
      const letter = example({ payload: { facts: "nul \0, half \ud800, whole \u{1f600}", deep: [null, { ü: 1 }] } });
      expect(await stores.deadLetters.keep(letter, ROOM)).toBe(0);
      const bytes = Buffer.byteLength(JSON.stringify(letter.payload));
      expect(await stores.other.deadLetters.read(letter.id)).toEqual({ ...letter, bytes });
      expect(await stores.deadLetters.read(ulid())).toBeNull();
    });

    test("they are listed newest first, in pages, without what came", async () => {
      const letters = [1, 2, 3, 4, 5].map((n) => example({ subject: `a${n}` }));
      for (const letter of letters) await stores.deadLetters.keep(letter, ROOM);
      const first = await stores.deadLetters.list({ limit: 2 });
      expect(first.map(({ subject }) => subject)).toEqual(["a5", "a4"]);
      expect(first[0]).not.toHaveProperty("payload");
      const rest = await stores.deadLetters.list({ limit: 9, before: first[1]?.id ?? "" });
      expect(rest.map(({ subject }) => subject)).toEqual(["a3", "a2", "a1"]);
    });

    test("a failed try is counted and told; of one that is gone nothing is kept", async () => {
      const letter = example();
      await stores.deadLetters.keep(letter, ROOM);
      await stores.deadLetters.note(letter.id, { at: AT + 5, why: "still so" });
      expect(await stores.deadLetters.read(letter.id)).toMatchObject({ attempts: 2, triedAt: AT + 5, why: "still so", at: AT });
      expect(await stores.deadLetters.drop(letter.id)).toBe(true);
      expect(await stores.other.deadLetters.drop(letter.id)).toBe(false);
      await stores.deadLetters.note(letter.id, { at: AT + 6, why: "late" });
      expect(await stores.deadLetters.list({ limit: 9 })).toEqual([]);
    });

    test("the oldest go when there are too many, and the newest is always kept", async () => {
      const letters = [1, 2, 3].map((n) => example({ subject: `a${n}` }));
      const went = [];
      for (const letter of letters) went.push(await stores.deadLetters.keep(letter, { ...ROOM, countMax: 2 }));
      expect(went).toEqual([0, 0, 1]);
      expect((await stores.deadLetters.list({ limit: 9 })).map(({ subject }) => subject)).toEqual(["a3", "a2"]);
      const huge = example({ subject: "huge", payload: "x".repeat(500) });
      expect(await stores.deadLetters.keep(huge, { ...ROOM, bytesMax: 100 })).toBe(2);
      expect((await stores.deadLetters.list({ limit: 9 })).map(({ subject }) => subject)).toEqual(["huge"]);
    });

    test("pruning drops what is too old or too much, and says what is left", async () => {
      const letters = [AT - 10, AT - 5, AT].map((at) => example({ at }));
      for (const letter of letters) await stores.deadLetters.keep(letter, ROOM);
      const each = Buffer.byteLength(JSON.stringify(example().payload));
      expect(await stores.deadLetters.prune({ ...ROOM, keptSince: AT - 5 })).toEqual({ dropped: 1, count: 2, bytes: 2 * each });
      expect(await stores.deadLetters.prune({ ...ROOM, bytesMax: each })).toEqual({ dropped: 1, count: 1, bytes: each });
      expect(await stores.deadLetters.prune({ ...ROOM, countMax: 0 })).toEqual({ dropped: 1, count: 0, bytes: 0 });
    });
  });
};
