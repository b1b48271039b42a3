/** What every keeper of incidents and pages promises. */

import type { Severity } from "@regent/contract";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { NoticeAction } from "../notifier.ts";
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
  alerts: ["critical"],
  criticalSince: AT,
  escalatedAt: null,
  ...incident,
});

export const exampleDelivery = (
  delivery: Partial<Delivery> & {
    readonly id?: string;
    readonly incident?: string;
    readonly severity?: Severity;
    readonly action?: NoticeAction;
  } = {},
): Delivery => {
  const { id = ulid(), incident = ulid(), severity = "critical", action = "open", ...rest } = delivery;
  return {
    notifier: "pager",
    dueAt: AT,
    createdAt: AT,
    attempts: 0,
    notice: {
      id,
      action,
      at: AT,
      owner: "acme",
      incident: {
        id: incident,
        cause: "region:eu-west",
        severity,
        title: "eu-west is bad",
        openedAt: AT,
        hit: 1,
        unwell: 1,
        parts: ["shop/eu-west"],
        lines: [{ at: AT, why: "refused" }],
        acknowledgedBy: null,
        alerts: [severity],
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
      stores.pages.write({ holder: "one", term, incidents: [], deliveries: [], overtaken: [], at: AT, ...part });
    const idsWaiting = async (now = AT, each = 9): Promise<string[]> =>
      (await stores.other.pages.waiting({ now, each, most: 99 })).deliveries.map(({ notice }) => notice.id);

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
          exampleDelivery({ id: "a3", dueAt: AT + 10, severity: "info" }),
        ],
      });
      expect((await idsWaiting()).sort()).toEqual(["a1", "a2", "b1"]);
      expect((await idsWaiting(AT, 1)).sort()).toEqual(["a1", "b1"]);
      expect((await idsWaiting(AT + 10)).filter((id) => id.startsWith("a"))).toEqual(["a1", "a2", "a3"]);
    });

    test("the same id is kept once, a try is counted, and what is done is gone", async () => {
      const delivery = exampleDelivery({ id: "a1" });
      await write({ deliveries: [delivery] });
      await write({ deliveries: [delivery, exampleDelivery({ id: "a2" })] });
      await stores.pages.settle({ done: [], tried: ["a1"] });
      const { deliveries } = await stores.pages.waiting({ now: AT, each: 9, most: 9 });
      expect(deliveries).toEqual([{ ...delivery, attempts: 1 }, expect.objectContaining({ attempts: 0 })]);
      await stores.other.pages.settle({ done: ["a1"], tried: ["a2"] });
      expect(await idsWaiting()).toEqual(["a2"]);
    });

    const warning = (id: string, more: Parameters<typeof exampleDelivery>[0] = {}): Delivery =>
      exampleDelivery({ id, severity: "warning", ...more });

    test("what waited for the end of quiet hours is due before the critical message of its incident, and what comes after it isn't", async () => {
      await write({
        deliveries: [warning("held", { incident: "i1", dueAt: AT + 99 }), warning("other", { incident: "i2", dueAt: AT + 99 })],
      });
      expect(await idsWaiting()).toEqual([]);
      await write({
        deliveries: [exampleDelivery({ id: "loud", incident: "i1" }), warning("later", { incident: "i1", dueAt: AT + 99 })],
      });
      expect(await idsWaiting()).toEqual(["held", "loud"]);
      expect(await idsWaiting(AT + 99)).toEqual(["held", "other", "loud", "later"]);
    });

    test("what is critical is due by any clock, and nothing is due before what stands before it", async () => {
      await write({ deliveries: [exampleDelivery({ id: "loud", dueAt: AT + 3_600_000 })] });
      expect(await idsWaiting()).toEqual(["loud"]);
      await write({
        deliveries: [
          warning("open", { incident: "i1", dueAt: AT + 60 }),
          warning("close", { incident: "i1", dueAt: AT, action: "close" }),
          warning("own", { incident: "i1", notifier: "chat" }),
        ],
      });
      expect((await idsWaiting()).sort()).toEqual(["loud", "own"]);
      expect((await idsWaiting(AT + 60)).filter((id) => id !== "own")).toEqual(["loud", "open", "close"]);
    });

    test("of too many that are due the least severe and oldest are surplus, and one that isn't due costs nobody's place", async () => {
      const early = Array.from({ length: 5 }, (_, i) => warning(`early${i}`, { dueAt: AT + 99 }));
      await write({
        deliveries: [
          exampleDelivery({ id: "c1" }),
          warning("w1"),
          warning("w2"),
          exampleDelivery({ id: "i1", severity: "info" }),
          ...early,
        ],
      });
      const look = async (now: number, most: number, each = 9) => {
        const { deliveries, surplus } = await stores.pages.waiting({ now, each, most });
        return [deliveries, surplus].map((of) => of.map(({ notice }) => notice.id));
      };
      expect(await look(AT, 4)).toEqual([["c1", "w1", "w2", "i1"], []]);
      expect(await look(AT, 2)).toEqual([
        ["c1", "w2"],
        ["w1", "i1"],
      ]);
      expect(await look(AT, 0, 1)).toEqual([["c1"], ["i1"]]);
      expect((await look(AT + 99, 4))[1]).toEqual(["w1", "w2", "i1", "early0", "early1"]);
    });

    test("the end of an incident takes with it what of it nobody was to hear yet, and nothing that is due or follows what was sent", async () => {
      const held = { dueAt: AT + 99 };
      await write({
        deliveries: [
          warning("a1", { incident: "a", ...held }),
          warning("a2", { incident: "a", ...held, action: "update" }),
          warning("b1", { incident: "b", ...held }),
          warning("c1", { incident: "c" }),
          warning("c2", { incident: "c", ...held, action: "update" }),
        ],
      });
      await write({ overtaken: ["a", "c"], deliveries: [warning("a3", { incident: "a", action: "close" })] });
      expect(await idsWaiting()).toEqual(["c1", "a3"]);
      expect(await idsWaiting(AT + 99)).toEqual(["b1", "c1", "c2", "a3"]);
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
