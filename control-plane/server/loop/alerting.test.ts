/** Alert rules at work: by a leader over its store, from one leader to the next, and through a whole control plane to whoever is told. */
import { type AlertSetting, Declaration } from "@regent/contract";
import { pino } from "pino";
import { afterEach, describe, expect, test } from "vitest";
import { createMemoryDatabase } from "../adapters/memory/database.ts";
import { createRecordingMessenger } from "../adapters/notify/recording-messenger.ts";
import { ALERT_UNKNOWN_MS } from "../limits.ts";
import type { RuleOrder } from "../operations/alerting/change-rule.ts";
import type { Sample } from "../ports/metric-source.ts";
import { ulid } from "../ports/suites/examples.ts";
import { breakRegion, isHealthy } from "../testing/play.ts";
import { testService, testWorld, type World } from "../testing/world.ts";
import { createAlerting } from "./alerting.ts";

const START = 1_795_000_000_000;
const HOOK = { id: "hook", kind: "webhook", where: "https://hooks.example.net/", secret: { env: "REGENT_SECRET_HOOK" } };
const QUEUE: AlertSetting = {
  id: "queue-long",
  metric: "regent_lane_waiting",
  condition: { op: ">", value: 10 },
  for: 30,
  severity: "warning",
};

const declare = (alerts: readonly AlertSetting[]): Declaration =>
  Declaration.parse({
    regent: 1,
    owner: "acme",
    zones: [{ id: "Z1", name: "example.test" }],
    regions: [{ id: "eu-west" }, { id: "us-east" }, { id: "ap-south" }],
    services: [testService("shop", { kind: "round-robin" })],
    notify: { notifiers: [HOOK] },
    alerts,
  });

/** Processes over one database, and a clock that the test turns. */
const stage = (alerts: readonly AlertSetting[] = [QUEUE]) => {
  let seconds = 0;
  let jumpMs = 0;
  const clock = { now: () => START + seconds * 1_000 + jumpMs, monotonic: () => seconds * 1_000 };
  const database = createMemoryDatabase({ clock, ids: { ulid } });
  let declaration: Declaration | null = declare(alerts);
  const process = (holder: string) => {
    const samples = new Map<string, readonly Sample[]>();
    let term = 0;
    let reads: readonly string[] = [];
    const alerting = createAlerting({
      clock,
      ids: { ulid },
      log: pino({ level: "silent" }),
      holder,
      store: database.alerts,
      metrics: {
        read: async (names) => {
          reads = names;
          return new Map(names.map((name) => [name, samples.get(name) ?? []]));
        },
      },
      term: () => term,
      isLeading: () => term !== 0,
      declaration: () => declaration,
      onTold: () => undefined,
    });
    return {
      alerting,
      samples,
      reads: () => reads,
      lead: async () => {
        term = (await database.lease.acquire(holder, 1e12, 0))?.term ?? 0;
        alerting.gained();
      },
      lose: async () => {
        await database.lease.release(holder, term);
        term = 0;
      },
      see: (metric: string, value: number, labels: Sample["labels"] = {}) => samples.set(metric, [{ labels, value }]),
    };
  };
  return {
    database,
    process,
    declare: (next: readonly AlertSetting[] | null) => {
      declaration = next === null ? null : declare(next);
    },
    jump: (ms: number) => {
      jumpMs += ms;
    },
    /** Lets time pass, with a round every 5 s. */
    pass: async (forSeconds: number, ...of: readonly { readonly alerting: { readonly round: () => Promise<void> } }[]) => {
      const end = seconds + forSeconds;
      while (seconds < end) {
        seconds = Math.min(end, seconds + 5);
        for (const { alerting } of of) await alerting.round();
      }
    },
    told: async () => (await database.decisions.readHistory({ limit: 50 })).events.map(({ why }) => why).reverse(),
  };
};

const FIRES = "alert queue-long fires: regent_lane_waiting is 12 (> 10 for 30 s)";
const OVER = "alert queue-long is over: regent_lane_waiting is 3 now";

describe("a leader", () => {
  test("tells once that a rule fires, and once that it is over", async () => {
    const { process, pass, told } = stage();
    const one = process("one");
    await one.lead();
    one.see("regent_lane_waiting", 12);
    await pass(30, one);
    expect(await told()).toEqual([]);
    expect((await one.alerting.alerts()).alerts).toMatchObject([{ state: "pending", rule: "queue-long" }]);
    await pass(5, one);
    expect(await told()).toEqual([FIRES]);
    expect((await one.alerting.alerts()).alerts).toMatchObject([
      { state: "firing", value: 12, title: "regent_lane_waiting > 10" },
    ]);
    await pass(60, one);
    one.see("regent_lane_waiting", 3);
    await pass(60, one);
    expect(await told()).toEqual([FIRES]);
    await pass(5, one);
    expect(await told()).toEqual([FIRES, OVER]);
    expect(await one.alerting.alerts()).toEqual({ alerts: [], more: 0 });
  });

  test("reads only what a rule names, and nothing of a rule that is off", async () => {
    const { process, pass } = stage([QUEUE, { id: "agents-missing", isOn: false }]);
    const one = process("one");
    await pass(5, one);
    expect(one.reads()).toContain("regent_lane_waiting");
    expect(one.reads()).not.toContain("regent_agents");
    expect(one.reads()).not.toContain("regent_lane_under_way");
  });

  test("fires nothing by a jump of the clock", async () => {
    const { process, pass, told, jump } = stage();
    const one = process("one");
    await one.lead();
    one.see("regent_lane_waiting", 12);
    await pass(10, one);
    jump(3_600_000);
    await pass(20, one);
    expect(await told()).toEqual([]);
    await pass(5, one);
    expect(await told()).toEqual([FIRES]);
  });

  test("fires nothing by what isn't there, and ends in time what is there no more", async () => {
    const { process, pass, told } = stage();
    const one = process("one");
    await one.lead();
    await pass(120, one);
    expect(await told()).toEqual([]);
    one.see("regent_lane_waiting", 12);
    await pass(35, one);
    one.samples.clear();
    await pass(ALERT_UNKNOWN_MS / 1_000, one);
    expect(await told()).toEqual([FIRES]);
    await pass(5, one);
    expect((await told()).at(-1)).toBe("alert queue-long is over: nothing is known of regent_lane_waiting any more");
  });

  test("that lost its lease writes nothing, and the next one does", async () => {
    const { process, pass, told, database } = stage();
    const [one, two] = [process("one"), process("two")];
    await one.lead();
    for (const each of [one, two]) each.see("regent_lane_waiting", 12);
    await pass(30, one, two);
    // One believes that it leads still.
    const lease = await database.lease.read();
    await database.lease.release("one", lease?.term ?? 0);
    await two.lead();
    await pass(30, one, two);
    expect(await told()).toEqual([FIRES]);
  });
});

describe("a new leader", () => {
  test("tells nothing again that fired, and its end", async () => {
    const { process, pass, told } = stage();
    const [one, two] = [process("one"), process("two")];
    await one.lead();
    for (const each of [one, two]) each.see("regent_lane_waiting", 12);
    await pass(40, one, two);
    await one.lose();
    await two.lead();
    await pass(120, one, two);
    expect(await told()).toEqual([FIRES]);
    two.see("regent_lane_waiting", 3);
    await pass(65, two);
    expect(await told()).toEqual([FIRES, OVER]);
  });

  test("goes on with what was pending", async () => {
    const { process, pass, told } = stage();
    const [one, two] = [process("one"), process("two")];
    await one.lead();
    for (const each of [one, two]) each.see("regent_lane_waiting", 12);
    await pass(20, one, two);
    await one.lose();
    await two.lead();
    await pass(10, two);
    expect(await told()).toEqual([]);
    await pass(5, two);
    expect(await told()).toEqual([FIRES]);
  });

  test("knows what its own counters grew by while it followed", async () => {
    const growth: AlertSetting = { ...QUEUE, metric: "regent_refusals_total", window: 60, for: 0 };
    const { process, pass, told } = stage([growth]);
    const two = process("two");
    two.see("regent_refusals_total", 100, { door: "reports" });
    await pass(60, two);
    two.see("regent_refusals_total", 120, { door: "reports" });
    await pass(5, two);
    await two.lead();
    await pass(5, two);
    expect(await told()).toEqual(['alert queue-long fires: regent_refusals_total{door="reports"} grew within 60 s by 20 (> 10)']);
  });

  test("of a database that was away for a while reads again and tells nothing twice", async () => {
    const { process, pass, told, database } = stage();
    const one = process("one");
    await one.lead();
    one.see("regent_lane_waiting", 12);
    const { writeAlerts } = database.alerts;
    let isAway = true;
    Object.assign(database.alerts, {
      writeAlerts: async (write: Parameters<typeof writeAlerts>[0]) => {
        const written = await writeAlerts(write);
        // The answer is lost, not the write.
        if (isAway && write.history.length > 0) throw new Error("away");
        return written;
      },
    });
    await pass(60, one);
    isAway = false;
    await pass(60, one);
    expect(await told()).toEqual([FIRES]);
  });
});

describe("a leader that doesn't know its rules yet", () => {
  test("ends nothing while the declaration isn't read", async () => {
    const { process, pass, told, declare: apply } = stage();
    const one = process("one");
    await one.lead();
    one.see("regent_lane_waiting", 12);
    await pass(40, one);
    await one.lose();
    apply(null);
    const two = process("two");
    two.see("regent_lane_waiting", 12);
    await two.lead();
    await pass(10, two);
    expect(await told()).toEqual([FIRES]);
    apply([QUEUE]);
    await pass(60, two);
    expect(await told()).toEqual([FIRES]);
  });

  test("ends nothing while those by API couldn't be read", async () => {
    const { process, pass, told, database } = stage([]);
    const one = process("one");
    await one.lead();
    const { id, ...setting } = QUEUE;
    const request = { ...setting, expectedVersion: 0, reason: "as I like it" };
    await one.alerting.change({ id, by: "ada", step: "set", request });
    one.see("regent_lane_waiting", 12);
    await pass(40, one);
    await one.lose();
    const before = await told();
    const { readRules } = database.alerts;
    Object.assign(database.alerts, { readRules: () => Promise.reject(new Error("away")) });
    const two = process("two");
    two.see("regent_lane_waiting", 12);
    await two.lead();
    await pass(10, two);
    Object.assign(database.alerts, { readRules });
    await pass(60, two);
    expect(await told()).toEqual(before);
    expect(before.at(-1)).toBe(FIRES);
  });
});

describe("a rule by API", () => {
  const set = (request: object, id = "memory", expectedVersion = 0): RuleOrder => ({
    id,
    by: "ada",
    step: "set",
    request: { ...request, expectedVersion, reason: "as I like it" },
  });
  const MEMORY = { metric: "process_resident_memory_bytes", condition: { op: ">", value: 1 }, for: 0, severity: "info" };

  test("counts from the next round on, and is over when it is dropped", async () => {
    const { process, pass, told } = stage([]);
    const one = process("one");
    await one.lead();
    one.see("process_resident_memory_bytes", 2);
    expect(await one.alerting.change(set(MEMORY))).toMatchObject({ kind: "changed", rule: { source: "api", version: 1 } });
    await pass(5, one);
    const drop: RuleOrder = { id: "memory", by: "ada", step: "drop", request: { expectedVersion: 1, reason: "enough" } };
    expect(await one.alerting.change(drop)).toEqual({ kind: "changed", rule: null });
    await pass(5, one);
    expect(await told()).toEqual([
      "ada set the alert rule memory: as I like it",
      "alert memory fires: process_resident_memory_bytes is 2 (> 1)",
      "ada dropped what was set of the alert rule memory: enough",
      "alert memory is over: its rule was dropped or turned off",
    ]);
  });

  test("turns a shipped one off, and dropping that turns it on", async () => {
    const { process } = stage([]);
    const one = process("one");
    await one.lead();
    expect(await one.alerting.change(set({ isOn: false }, "clock-jumped"))).toMatchObject({ rule: { isOn: false, window: 300 } });
    const drop: RuleOrder = { id: "clock-jumped", by: "ada", step: "drop", request: { expectedVersion: 1, reason: "enough" } };
    expect(await one.alerting.change(drop)).toMatchObject({ rule: { isOn: true, source: "default", version: 0 } });
  });

  test("is refused where it can't be, with why", async () => {
    const { process, declare: declareNow } = stage();
    const one = process("one");
    expect(await one.alerting.change(set(MEMORY))).toEqual({ kind: "not-leader" });
    await one.lead();
    expect(await one.alerting.change(set({ for: 1 }, "queue-long"))).toEqual({ kind: "declared-rule", id: "queue-long" });
    expect(await one.alerting.change(set({ ...MEMORY, metric: "process_memory" }))).toMatchObject({
      kind: "invalid-rule",
      problems: [{ path: ["metric"], suggestion: "near: process_resident_memory_bytes, process_cpu_seconds_total" }],
    });
    expect(await one.alerting.change(set({ ...MEMORY, notifiers: ["hok"] }))).toMatchObject({
      problems: [{ path: ["notifiers", "0"], message: 'unknown notifier "hok"', suggestion: 'did you mean "hook"?' }],
    });
    expect(await one.alerting.change(set(MEMORY, "memory", 3))).toEqual({ kind: "stale-rule", version: 0 });
    declareNow(Array.from({ length: 187 }, (_, i) => ({ ...QUEUE, id: `q${i}` })));
    expect(await one.alerting.change(set(MEMORY))).toMatchObject({ problems: [{ message: "there are 200 rules already" }] });
    expect(await one.alerting.change(set({ for: 5 }, "clock-jumped"))).toMatchObject({ kind: "changed" });
  });

  test("is tried without waiting for a round", async () => {
    const { process } = stage();
    const one = process("one");
    expect(await one.alerting.attempt("none")).toBeNull();
    expect(await one.alerting.attempt("queue-long")).toMatchObject({ sentence: "there is no such series, so it can't be said" });
    one.see("regent_lane_waiting", 12, { lane: "live" });
    expect(await one.alerting.attempt("queue-long")).toMatchObject({
      series: [{ series: 'regent_lane_waiting{lane="live"}', value: 12, holds: true }],
      sentence: "it holds for 1 of 1; that fires after 30 s",
    });
  });
});

describe("through a whole control plane", () => {
  const worlds: World[] = [];
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.stop();
  });

  test("a rule that fires is one incident, told by the notifier that it names, and told when it is over", async () => {
    const messenger = createRecordingMessenger();
    const world = await testWorld({ notify: { notifiers: [HOOK, { ...HOOK, id: "other" }] }, messenger });
    worlds.push(world);
    await world.until("healthy", () => isHealthy(world));
    const request = {
      metric: "regent_leading",
      condition: { op: "==", value: 1 },
      for: 0,
      severity: "warning",
      notifiers: ["other"],
    };
    const order = { id: "leads", by: "ada", step: "set", request: { ...request, expectedVersion: 0, reason: "a test of it" } };
    expect(await world.controlPlane.changeAlertRule(order as RuleOrder)).toMatchObject({ kind: "changed" });
    const told = () => messenger.taken.filter(({ notice }) => notice.incident.cause === "alert:leads");
    await world.until("told", () => told().length > 0, 12_000);
    expect(told()).toMatchObject([{ notifier: "other", notice: { action: "open", incident: { title: "regent_leading == 1" } } }]);
    expect((await world.controlPlane.alerts()).alerts).toMatchObject([{ rule: "leads", state: "firing" }]);
    expect(
      (await world.controlPlane.incidents({ limit: 9, state: "open" })).incidents.flatMap((each) => Object.keys(each)),
    ).not.toContain("only");
    const drop = { id: "leads", by: "ada", step: "drop", request: { expectedVersion: 1, reason: "seen enough" } };
    await world.controlPlane.changeAlertRule(drop as RuleOrder);
    await world.until("over", () => told().some(({ notice }) => notice.action === "close"), 12_000);
    expect(told().map(({ notice }) => notice.action)).toEqual(["open", "close"]);
  }, 40_000);

  test("a notifier that takes nothing is told by another one, and no shipped rule fires by a failover", async () => {
    const messenger = createRecordingMessenger();
    const world = await testWorld({ notify: { notifiers: [HOOK, { ...HOOK, id: "slow" }] }, messenger });
    worlds.push(world);
    await world.until("healthy", () => isHealthy(world));
    const metric = { metric: "regent_page_waiting_seconds", labels: { notifier: "slow" }, condition: { op: ">", value: 0.5 } };
    const request = { ...metric, for: 0, severity: "warning", notifiers: ["hook"], expectedVersion: 0, reason: "a test of it" };
    await world.controlPlane.changeAlertRule({ id: "slow", by: "ada", step: "set", request } as RuleOrder);
    messenger.answer = (notifier) => (notifier === "slow" ? { kind: "later", why: "503" } : null);
    breakRegion(world, "eu-west");
    const told = () => messenger.taken.filter(({ notice }) => notice.incident.cause.startsWith("alert:"));
    await world.until("told", () => told().length > 0, 20_000);
    expect(told()).toMatchObject([{ notifier: "hook", notice: { incident: { cause: "alert:slow" } } }]);
    expect((await world.controlPlane.alerts()).alerts.filter(({ state }) => state === "firing")).toHaveLength(1);
  }, 40_000);
});
