/** What every keeper of incidents and pages promises. */
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { Delivery, PagesWrite, StoredIncident } from "../pages.ts";
import { exampleCommit, exampleEntry, ulid } from "./examples.ts";
import type { OpenStores, TestStores } from "./stores.ts";

const AT = 1_700_000_000_000;

export const exampleIncident = (incident: Partial<StoredIncident> = {}): StoredIncident => ({
  id: ulid(),
  cause: `region:${ulid()}`,
  state: "open",
  severity: "critical",
  title: "eu-west is bad",
  openedAt: AT,
  updatedAt: AT,
  closedAt: null,
  acknowledged: null,
  hit: 1,
  parts: ["shop/eu-west"],
  unwell: 1,
  lines: [{ at: AT, why: "refused \0 and \u{1f600}" }],
  escalations: 0,
  version: 0,
  unwellParts: ["shop/eu-west"],
  hitParts: ["shop/eu-west"],
  toldTo: ["pager"],
  toldAt: AT,
  isUntold: false,
  ...incident,
});

export const exampleDelivery = (
  delivery: Partial<Delivery> & { readonly id?: string; readonly incident?: string } = {},
): Delivery => {
  const { id = ulid(), incident = ulid(), ...rest } = delivery;
  return {
    notifier: "pager",
    dueAt: AT,
    createdAt: AT,
    attempts: 0,
    notice: {
      id,
      action: "open",
      at: AT,
      owner: "acme",
      incident: {
        id: incident,
        cause: "region:eu-west",
        severity: "critical",
        title: "eu-west is bad",
        openedAt: AT,
        hit: 1,
        unwell: 1,
        parts: ["shop/eu-west"],
        lines: [{ at: AT, why: "refused" }],
        acknowledgedBy: null,
      },
    },
    ...rest,
  };
};

export const pagesSuite = (name: string, open: OpenStores): void => {
  describe(`${name} pages`, () => {
    let stores: TestStores;
    let term: number;
    beforeEach(async () => {
      stores = await open();
      term = (await stores.lease.acquire("one", 60_000, 0))?.term ?? 0;
    });
    afterAll(() => stores.close());

    const write = (part: Partial<PagesWrite>): ReturnType<TestStores["pages"]["write"]> =>
      stores.pages.write({ holder: "one", term, incidents: [], deliveries: [], released: [], at: AT, ...part });
    const idsWaiting = async (now = AT, each = 9): Promise<string[]> =>
      (await stores.other.pages.waiting({ now, each })).deliveries.map(({ notice }) => notice.id);

    test("history is read behind the cursor, oldest first, and the cursor stands where it was written", async () => {
      const entries = [1, 2, 3].map((n) => exampleEntry({ id: ulid(), service: null, kind: "mode", why: `n${n}`, page: true }));
      for (const entry of entries)
        await stores.decisions.commit(
          exampleCommit({ holder: "one", term, services: [], changes: [], outboxInserts: [], history: [entry] }),
        );
      const { cursor } = await stores.pages.read();
      const read = await stores.pages.entriesAfter(cursor, 2);
      expect(read.map(({ event }) => event.why)).toEqual(["n1", "n2"]);
      const position = read[1]?.position ?? 0;
      expect(await write({ cursor: { position, missing: [{ position: 900_001, since: AT }] } })).toBe("written");
      const moved = (await stores.other.pages.read()).cursor;
      expect(moved).toEqual({ position, missing: [{ position: 900_001, since: AT }] });
      expect((await stores.other.pages.entriesAfter(moved, 9)).map(({ event }) => event.why)).toEqual(["n3"]);
    });

    test("an incident is read as it was written, while it is open, and listed newest first ever after", async () => {
      const [first, second] = [exampleIncident({ lines: [{ at: AT, why: "a \u{1f600}" }] }), exampleIncident()];
      await write({ incidents: [first, second] });
      expect((await stores.other.pages.read()).open[0]).toEqual({ ...first, version: 1 });
      const closed: StoredIncident = { ...first, version: 1, state: "closed", closedAt: AT + 5, unwell: 0, unwellParts: [] };
      expect(await write({ incidents: [closed] })).toBe("written");
      expect((await stores.pages.read()).open.map(({ id }) => id)).toEqual([second.id]);
      expect((await stores.pages.list({ limit: 9 })).map(({ id, state }) => [id, state])).toEqual([
        [second.id, "open"],
        [first.id, "closed"],
      ]);
      expect((await stores.pages.list({ limit: 9, before: second.id })).map(({ id }) => id)).toEqual([first.id]);
      expect((await stores.pages.list({ limit: 9, state: "open" })).map(({ id }) => id)).toEqual([second.id]);
      expect(await stores.pages.list({ limit: 1 })).toHaveLength(1);
    });

    test("who doesn't lead writes nothing, and what was written meanwhile is not overwritten", async () => {
      const incident = exampleIncident();
      expect(await write({ term: term + 1, incidents: [incident], deliveries: [exampleDelivery()] })).toBe("fenced");
      expect(await write({ incidents: [incident] })).toBe("written");
      const late = { ...incident, title: "late" };
      expect(await write({ incidents: [late], deliveries: [exampleDelivery()], cursor: { position: 7, missing: [] } })).toBe(
        "conflict",
      );
      const { cursor, open } = await stores.pages.read();
      expect([cursor.position, open[0]?.title]).toEqual([0, incident.title]);
      expect(await idsWaiting()).toEqual([]);
    });

    test("a cause has one open incident, and another one only after it closed", async () => {
      const first = exampleIncident({ cause: "region:eu" });
      await write({ incidents: [first] });
      await expect(write({ incidents: [exampleIncident({ cause: "region:eu" })] })).rejects.toThrow();
      const closed: StoredIncident = { ...first, version: 1, state: "closed", closedAt: AT };
      expect(await write({ incidents: [exampleIncident({ cause: "region:eu" }), closed] })).toBe("written");
    });

    test("each notifier's deliveries come in their order, so many at once, and only those that are due", async () => {
      await write({
        deliveries: [
          exampleDelivery({ id: "a1" }),
          exampleDelivery({ id: "b1", notifier: "chat" }),
          exampleDelivery({ id: "a2" }),
          exampleDelivery({ id: "a3", dueAt: AT + 10 }),
        ],
      });
      expect((await idsWaiting()).sort()).toEqual(["a1", "a2", "b1"]);
      expect((await idsWaiting(AT, 1)).sort()).toEqual(["a1", "b1"]);
      expect((await idsWaiting(AT + 10)).filter((id) => id.startsWith("a"))).toEqual(["a1", "a2", "a3"]);
      expect((await stores.pages.waiting({ now: AT, each: 1 })).counts).toEqual({ pager: 3, chat: 1 });
    });

    test("the same id is kept once, a try is counted, and what is done is gone", async () => {
      const delivery = exampleDelivery({ id: "a1" });
      await write({ deliveries: [delivery] });
      await write({ deliveries: [delivery, exampleDelivery({ id: "a2" })] });
      await stores.pages.settle({ done: [], tried: ["a1"] });
      const { deliveries } = await stores.pages.waiting({ now: AT, each: 9 });
      expect(deliveries).toEqual([{ ...delivery, attempts: 1 }, expect.objectContaining({ attempts: 0 })]);
      await stores.other.pages.settle({ done: ["a1"], tried: ["a2"] });
      expect(await idsWaiting()).toEqual(["a2"]);
    });

    test("what waited for the end of quiet hours is released with its incident, before what comes with it", async () => {
      await write({
        deliveries: [
          exampleDelivery({ id: "held", incident: "i1", dueAt: AT + 99 }),
          exampleDelivery({ id: "other", incident: "i2", dueAt: AT + 99 }),
        ],
      });
      expect(await idsWaiting()).toEqual([]);
      await write({ released: ["i1"], deliveries: [exampleDelivery({ id: "loud", incident: "i1" })] });
      expect(await idsWaiting()).toEqual(["held", "loud"]);
    });

    test("closed incidents are forgotten when they are old, open ones never", async () => {
      const old = exampleIncident({ state: "closed", closedAt: AT - 10, unwellParts: [] });
      const fresh = exampleIncident({ state: "closed", closedAt: AT, unwellParts: [] });
      const standing = exampleIncident({ openedAt: AT - 99 });
      await write({ incidents: [old, fresh, standing] });
      await write({ forgetBefore: AT - 5 });
      expect((await stores.pages.list({ limit: 9 })).map(({ id }) => id)).toEqual([standing.id, fresh.id]);
    });
  });
};
