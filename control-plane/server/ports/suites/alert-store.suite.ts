/** What every keeper of alert rules and alerts promises. */
import type { AlertRule, AlertSetting, HistoryEvent } from "@regent/contract";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { AlertsWrite, StoredAlert } from "../alert-store.ts";
import { exampleEntry, ulid } from "./examples.ts";
import type { OpenStores, TestStores } from "./stores.ts";

const AT = 1_700_000_000_000;

export const exampleRule = (rule: Partial<AlertRule> = {}): AlertRule => ({
  id: "queue-long",
  metric: "regent_lane_waiting",
  labels: {},
  condition: { op: ">", value: 10 },
  window: null,
  quantile: null,
  absent: false,
  for: 60,
  severity: "warning",
  notifiers: null,
  title: "the queue is long",
  isOn: true,
  ...rule,
});

export const exampleAlert = (alert: Partial<StoredAlert> = {}): StoredAlert => ({
  key: 'queue-long{lane="live"}',
  state: "firing",
  since: AT,
  rule: exampleRule(),
  series: 'regent_lane_waiting{lane="live"}',
  value: 12.5,
  seenAt: AT,
  ...alert,
});

/** As history gives an alert's entry back. */
export const exampleEvent = (event: Partial<HistoryEvent> = {}): HistoryEvent => ({
  ...exampleEntry({ service: null, kind: "alert", why: "alert queue-long" }),
  sequence: 1,
  page: true,
  detail: {},
  ...event,
});

const setting: AlertSetting = { id: "agents-missing", for: 600, labels: { state: "missing \0 \u{1f600}" } };

export const alertStoreSuite = (name: string, open: OpenStores): void => {
  describe(`${name} alert store`, () => {
    let stores: TestStores;
    let term = 0;
    beforeEach(async () => {
      stores = await open();
      term = (await stores.lease.acquire("one", 60_000, 0))?.term ?? 0;
    });
    afterAll(() => stores.close());

    const entry = (why: string) => exampleEntry({ id: ulid(), at: AT, service: null, kind: "alert", why, detail: {} });
    const setRule = (expectedVersion: number, given: AlertSetting | null = setting, by: TestStores["alerts"] = stores.alerts) =>
      by.writeRule({ holder: "one", term, id: setting.id, expectedVersion, setting: given, entry: entry("set") });
    const write = (part: Partial<AlertsWrite>) =>
      stores.alerts.writeAlerts({ holder: "one", term, put: [], drop: [], history: [], ...part });
    const whys = async () => (await stores.decisions.readHistory({ limit: 50 })).events.map(({ why }) => why);

    test("is empty at first", async () => {
      expect(await stores.alerts.readRules()).toEqual([]);
      expect(await stores.alerts.readAlerts()).toEqual([]);
    });

    test("keeps a rule with its version, which another process reads", async () => {
      expect(await setRule(0)).toEqual({ kind: "written", version: 1 });
      expect(await setRule(1, { id: setting.id, isOn: false })).toEqual({ kind: "written", version: 2 });
      expect(await stores.other.alerts.readRules()).toEqual([{ version: 2, setting: { id: setting.id, isOn: false } }]);
      expect(await whys()).toEqual(["set", "set"]);
    });

    test("refuses a rule that was read at another version, and writes nothing of it", async () => {
      await setRule(0);
      expect(await setRule(0)).toEqual({ kind: "stale", version: 1 });
      expect(await setRule(7, null)).toEqual({ kind: "stale", version: 1 });
      expect(await stores.alerts.readRules()).toHaveLength(1);
      expect(await whys()).toEqual(["set"]);
    });

    test("drops a rule, after which it begins at version 0 again", async () => {
      await setRule(0);
      expect(await setRule(1, null)).toEqual({ kind: "written", version: 0 });
      expect(await stores.alerts.readRules()).toEqual([]);
      expect(await setRule(1, null)).toEqual({ kind: "stale", version: 0 });
    });

    test("lets one of two first writers win", async () => {
      const results = await Promise.all([setRule(0), setRule(0, setting, stores.other.alerts)]);
      expect(results.map(({ kind }) => kind).sort()).toEqual(["stale", "written"]);
      expect(await whys()).toEqual(["set"]);
    });

    test("takes alerts, changes and drops them, with their entries", async () => {
      const quiet = exampleAlert({ key: "a", state: "pending", value: null });
      const other = exampleAlert({ key: "b" });
      expect(await write({ put: [quiet, other], history: [entry("b fires")] })).toBe("written");
      expect(await stores.other.alerts.readAlerts()).toEqual([quiet, other]);
      const fires = { ...quiet, state: "firing" as const, since: AT + 5, value: 3 };
      expect(await write({ put: [fires], drop: ["b", "unknown"], history: [entry("a fires")] })).toBe("written");
      expect(await stores.alerts.readAlerts()).toEqual([fires]);
      expect(await whys()).toEqual(["a fires", "b fires"]);
    });

    test("takes nothing of who doesn't lead", async () => {
      const put = [exampleAlert()];
      expect(await write({ term: term + 1, put, history: [entry("x")] })).toBe("fenced");
      expect(await write({ holder: "two", put, history: [entry("x")] })).toBe("fenced");
      const rule = { id: setting.id, expectedVersion: 0, setting, entry: entry("x") };
      expect(await stores.alerts.writeRule({ holder: "two", term, ...rule })).toEqual({ kind: "fenced" });
      expect(await stores.alerts.readAlerts()).toEqual([]);
      expect(await stores.alerts.readRules()).toEqual([]);
      expect(await whys()).toEqual([]);
    });

    test("an entry that can't be written takes its alerts with it", async () => {
      const twice = entry("first");
      await write({ history: [twice] });
      await expect(write({ put: [exampleAlert()], history: [twice] })).rejects.toThrow();
      expect(await stores.alerts.readAlerts()).toEqual([]);
    });

    test("holds as many series as one rule may have", async () => {
      const put = Array.from({ length: 1_000 }, (_, i) => exampleAlert({ key: `k${String(i).padStart(4, "0")}` }));
      expect(await write({ put })).toBe("written");
      expect(await stores.alerts.readAlerts()).toEqual(put);
    });
  });
};
