/** Incidents, routes, quiet hours, cursor and outboxes, each by its law. */
import { type HistoryEvent, Notify } from "@regent/contract";
import fc from "fast-check";
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { createMemoryDatabase } from "../../adapters/memory/database.ts";
import { createRecordingMessenger } from "../../adapters/notify/recording-messenger.ts";
import { PAGE_GAP_MS, PAGES_WAITING_MAX } from "../../limits.ts";
import type { HistoryEntry } from "../../ports/decision-store.ts";
import type { SendResult } from "../../ports/notifier.ts";
import { exampleCommit, ulid } from "../../ports/suites/examples.ts";
import { exampleDelivery } from "../../ports/suites/pages.suite.ts";
import { chooseNotifiers, dueAt } from "./choose-notifiers.ts";
import { createPageDelivery } from "./deliver-pages.ts";
import type { DeclaredRegions } from "./draft-deliveries.ts";
import { createPageBook } from "./follow-history.ts";
import { moveCursor } from "./move-cursor.ts";

const START = 1_795_000_000_000;
const hook = (id: string, more: object = {}) => ({
  id,
  kind: "webhook",
  where: "https://hooks.example.net/x",
  secret: { env: "REGENT_SECRET_HOOK" },
  ...more,
});

const testBook = async (notify: object) => {
  let now = START;
  const clock = { now: () => now, monotonic: () => now };
  const database = createMemoryDatabase({ clock, ids: { ulid } });
  const lead = async () => (await database.lease.acquire("one", 1e12, 0))?.term ?? 0;
  const term = await lead();
  let declared = Notify.parse(notify);
  const messenger = createRecordingMessenger();
  const letters: { subject: string; why: string; payload: unknown }[] = [];
  let services: DeclaredRegions | null = null;
  const errors: string[] = [];
  const hooks = { beforeAnswer: async (): Promise<void> => undefined };
  const make = () => ({
    book: createPageBook({
      pages: database.pages,
      clock,
      ids: { ulid },
      holder: "one",
      term: () => term,
      log: { error: (_: unknown, text?: string) => void errors.push(text ?? "") },
      notify: () => ({ owner: "acme", notify: declared, declared: services }),
    }),
    delivery: createPageDelivery({
      pages: {
        ...database.pages,
        waiting: async (query) => {
          const answer = await database.pages.waiting(query);
          const before = hooks.beforeAnswer;
          hooks.beforeAnswer = async () => undefined;
          await before();
          return answer;
        },
      },
      messenger,
      clock,
      log: pino({ level: "silent" }),
      notify: () => declared,
      keepDeadLetter: async ({ subject, payload }, error) => {
        letters.push({ subject, payload, why: error instanceof Error ? error.message : "" });
      },
      mayDeliver: () => true,
      random: () => 1,
    }),
  });
  const first = make();
  const tell = async (...entries: Partial<HistoryEvent>[]): Promise<void> => {
    const history = entries.map(
      (entry): HistoryEntry => ({
        id: ulid(),
        at: now,
        service: "shop",
        kind: "verdict",
        actor: { kind: "automation", name: "regent" },
        why: "why",
        page: true,
        detail: {},
        ...entry,
      }),
    );
    await database.decisions.commit(
      exampleCommit({ holder: "one", term, services: [], changes: [], outboxInserts: [], history }),
    );
  };
  const settle = async (): Promise<void> => {
    while ((await first.book.follow()) === "written");
    await first.delivery.look();
    await first.delivery.idle();
  };
  return {
    ...first,
    /** What happens between the store's reading and its answer, once. */
    beforeAnswer: (happens: () => Promise<void>) => {
      hooks.beforeAnswer = happens;
    },
    database,
    messenger,
    letters,
    tell,
    settle,
    pass: (ms: number) => {
      now += ms;
    },
    declare: (next: object) => {
      declared = Notify.parse(next);
    },
    declareServices: (next: Readonly<Record<string, readonly string[]>>) => {
      services = new Map(Object.entries(next).map(([id, regions]) => [id, new Set(regions)]));
    },
    errors,
    /** Another process that leads under the same term, with nothing remembered. */
    make,
    told: (notifier = "hook") =>
      messenger.taken
        .filter((each) => each.notifier === notifier)
        .map(({ notice }) => `${notice.action} ${notice.incident.title}`),
  };
};

const verdict = (to: string, service = "shop", region = "eu", from = "healthy") => ({
  service,
  kind: "verdict" as const,
  why: `${region} is ${to}`,
  detail: { region, from, to },
});
const heldBack = (service = "shop", region = "eu") => ({
  service,
  kind: "refused" as const,
  detail: { proposal: { kind: "failover", leaves: [region] } },
});

describe("an incident", () => {
  test("gathers 200 services of one dead region in one page, with a count and the first names", async () => {
    const world = await testBook({ notifiers: [hook("hook")] });
    const services = Array.from({ length: 200 }, (_, i) => `s${i}`);
    for (let i = 0; i < 200; i += 50)
      await world.tell(...services.slice(i, i + 50).map((service) => verdict("unhealthy", service)));
    await world.settle();
    await world.tell(...services.map((service) => heldBack(service)));
    await world.settle();
    const opened = world.messenger.taken.filter(({ notice }) => notice.action === "open");
    expect(opened).toHaveLength(1);
    expect(opened[0]?.notice.incident).toMatchObject({ hit: 200, unwell: 200, severity: "warning" });
    expect(opened[0]?.notice.incident.parts).toHaveLength(20);
    expect(world.told()).toEqual(["open eu is unhealthy", "update traffic can't leave eu by itself"]);
  });

  test("closes when every part of it is well again, and not before", async () => {
    const world = await testBook({ notifiers: [hook("hook")] });
    await world.tell(verdict("unhealthy"), verdict("unhealthy", "mail"));
    await world.settle();
    await world.tell(verdict("healthy", "shop", "eu", "recovering"));
    await world.settle();
    expect((await world.database.pages.list({ limit: 9 }))[0]).toMatchObject({ state: "open", unwell: 1, hit: 2 });
    await world.tell(verdict("healthy", "mail", "eu", "recovering"));
    await world.settle();
    expect((await world.database.pages.list({ limit: 9 }))[0]).toMatchObject({ state: "closed", unwell: 0, hit: 2 });
    expect(world.told()).toEqual(["open eu is unhealthy", "close eu is unhealthy"]);
  });

  test("of the same region after it closed is another one", async () => {
    const world = await testBook({ notifiers: [hook("hook")] });
    for (const to of ["unhealthy", "healthy", "unhealthy"]) {
      await world.tell(verdict(to));
      await world.settle();
    }
    const incidents = await world.database.pages.list({ limit: 9 });
    expect(incidents.map(({ state }) => state)).toEqual(["open", "closed"]);
    expect(new Set(world.messenger.taken.map(({ notice }) => notice.incident.id)).size).toBe(2);
  });

  test("with more of the same is told once a minute, and at once when it is worse", async () => {
    const world = await testBook({ notifiers: [hook("hook")] });
    for (const service of ["a", "b", "c", "d"]) {
      await world.tell(verdict("unhealthy", service));
      await world.settle();
      world.pass(1_000);
    }
    expect(world.told()).toEqual(["open eu is unhealthy"]);
    world.pass(60_000);
    await world.settle();
    expect(world.told()).toEqual(["open eu is unhealthy", "update eu is unhealthy"]);
    expect(world.messenger.taken[1]?.notice.incident.hit).toBe(4);
    await world.tell(heldBack("d"));
    await world.settle();
    expect(world.told().at(-1)).toBe("update traffic can't leave eu by itself");
  });

  test("of something held back is over when its service is well, although no entry says that nothing is held back", async () => {
    const world = await testBook({ notifiers: [hook("hook")] });
    await world.tell(verdict("unhealthy"), { kind: "fail-static" }, { kind: "refused", detail: { proposal: null } });
    await world.settle();
    await world.tell(verdict("healthy"));
    await world.settle();
    expect((await world.database.pages.list({ limit: 9 })).map(({ state }) => state)).toEqual(["closed", "closed", "closed"]);
  });

  test("of a standstill is over when history says that nothing is held back, whether or not a region was ever unwell", async () => {
    const world = await testBook({ notifiers: [hook("hook")] });
    await world.tell({ kind: "fail-static" }, { kind: "refused", detail: { violations: ["W1"] } });
    await world.settle();
    expect(await world.database.pages.list({ limit: 9, state: "open" })).toHaveLength(2);
    await world.tell({ kind: "control", page: false, detail: { standstill: "over" } });
    await world.settle();
    expect(await world.database.pages.list({ limit: 9, state: "open" })).toEqual([]);
  });

  test("that a freeze opened closes with its unfreeze alone", async () => {
    const world = await testBook({ notifiers: [hook("hook")] });
    await world.tell({ kind: "freeze", detail: { scope: { kind: "service" } } }, verdict("unhealthy"), verdict("healthy"));
    await world.settle();
    expect(await world.database.pages.list({ limit: 9, state: "open" })).toMatchObject([{ cause: "service:shop" }]);
    await world.tell({ kind: "unfreeze", detail: { scope: { kind: "service" } } });
    await world.settle();
    expect(await world.database.pages.list({ limit: 9, state: "open" })).toEqual([]);
  });

  test("that is critical and not acknowledged is told again, three times, and no more once it is", async () => {
    const world = await testBook({
      notifiers: [hook("hook"), hook("boss", { services: ["other"] })],
      escalateAfterSeconds: 60,
      escalateTo: ["boss"],
    });
    await world.tell(heldBack());
    for (let i = 0; i < 6; i += 1) {
      await world.settle();
      world.pass(61_000);
    }
    expect(world.told("boss")).toEqual(Array(3).fill("escalate traffic can't leave eu by itself"));

    const other = await testBook({ notifiers: [hook("hook")], escalateAfterSeconds: 60 });
    await other.tell(heldBack());
    await other.settle();
    const [incident] = await other.database.pages.list({ limit: 1 });
    const order = { id: incident?.id ?? "", by: "ada", reason: "on it" };
    expect(await other.book.acknowledge(order)).toMatchObject({
      kind: "acknowledged",
      incident: { acknowledged: { by: "ada" } },
    });
    expect(await other.book.acknowledge({ ...order, by: "bob" })).toMatchObject({ incident: { acknowledged: { by: "ada" } } });
    other.pass(600_000);
    await other.settle();
    expect(other.told()).toEqual(["open traffic can't leave eu by itself", "acknowledge traffic can't leave eu by itself"]);
    expect(await other.book.acknowledge({ ...order, id: ulid() })).toEqual({ kind: "gone" });
  });

  test("is told to a notifier that is declared while it is open, and escalates to whoever is there; to nobody it isn't counted", async () => {
    const before = { notifiers: [hook("old")], escalateAfterSeconds: 60 };
    const world = await testBook(before);
    await world.tell(heldBack());
    await world.settle();
    world.declare({ ...before, notifiers: [] });
    for (let i = 0; i < 3; i += 1) {
      world.pass(61_000);
      await world.settle();
    }
    expect((await world.database.pages.list({ limit: 1 }))[0]?.escalations).toBe(0);
    expect(world.errors).toHaveLength(1);
    world.declare({ ...before, notifiers: [hook("fresh")] });
    await world.settle();
    expect(world.told("fresh")).toEqual(["open traffic can't leave eu by itself"]);
    world.pass(61_000);
    await world.settle();
    expect(world.told("fresh").slice(1)).toEqual(["escalate traffic can't leave eu by itself"]);

    const none = await testBook({ notifiers: [] });
    await none.tell(verdict("unhealthy"));
    await none.settle();
    none.declare({ notifiers: [hook("hook")] });
    await none.settle();
    expect(none.told()).toEqual(["open eu is unhealthy"]);
    none.declare({ notifiers: [hook("hook"), hook("chat")] });
    none.pass(61_000);
    await none.settle();
    expect([none.told(), none.told("chat")]).toEqual([["open eu is unhealthy"], ["open eu is unhealthy"]]);
  });

  test("that was acknowledged as a warning asks anew when it becomes critical, and again when a critical entry adds parts", async () => {
    const world = await testBook({ notifiers: [hook("hook")], escalateAfterSeconds: 60 });
    const acknowledge = async () => {
      const [incident] = await world.database.pages.list({ limit: 1 });
      await world.book.acknowledge({ id: incident?.id ?? "", by: "ada", reason: "on it" });
    };
    await world.tell(verdict("unhealthy"));
    await world.settle();
    await acknowledge();
    await world.tell(heldBack());
    await world.settle();
    expect((await world.database.pages.list({ limit: 1 }))[0]).toMatchObject({ acknowledged: null, escalations: 0 });
    world.pass(61_000);
    await world.settle();
    expect(world.told().at(-1)).toBe("escalate traffic can't leave eu by itself");
    await acknowledge();
    await world.tell(heldBack("mail"));
    await world.settle();
    world.pass(61_000);
    await world.settle();
    expect(world.told().slice(-3)).toEqual([
      "acknowledge traffic can't leave eu by itself",
      "update traffic can't leave eu by itself",
      "escalate traffic can't leave eu by itself",
    ]);
    expect(world.messenger.taken.at(-1)?.notice.incident.alerts).toEqual(["warning", "critical", "critical-2"]);
  });

  test("that became critical late escalates once at a time, counted from then, whatever the clock or an outage skipped", async () => {
    const world = await testBook({ notifiers: [hook("hook")], escalateAfterSeconds: 60 });
    const escalations = () => world.told().filter((told) => told.startsWith("escalate")).length;
    await world.tell(verdict("unhealthy"));
    await world.settle();
    world.pass(600_000);
    await world.tell(heldBack());
    await world.settle();
    expect(escalations()).toBe(0);
    world.pass(3_600_000);
    await world.settle();
    expect(escalations()).toBe(1);
    world.pass(59_000);
    await world.settle();
    expect(escalations()).toBe(1);
    world.pass(1_000);
    await world.settle();
    expect(escalations()).toBe(2);
  });

  test("goes on to be told when the clock is put back", async () => {
    const world = await testBook({ notifiers: [hook("hook")], escalateAfterSeconds: 60 });
    await world.tell(heldBack());
    await world.settle();
    world.pass(-3_600_000);
    await world.tell(verdict("unhealthy", "mail"));
    await world.settle();
    expect(world.told().slice(1).toSorted()).toEqual(["escalate traffic can't leave eu by itself"]);
    await world.tell(verdict("unhealthy", "chat"), heldBack("chat", "us"));
    await world.settle();
    expect(world.told().at(-1)).toBe("open traffic can't leave us by itself");
  });

  test("of what isn't declared any more is over, and says so", async () => {
    const world = await testBook({ notifiers: [hook("hook")] });
    world.declareServices({ shop: ["eu", "us"], mail: ["eu"] });
    await world.tell(verdict("unhealthy"), verdict("unhealthy", "mail"), { kind: "fail-static" });
    await world.settle();
    expect(await world.database.pages.list({ limit: 9, state: "open" })).toHaveLength(2);
    world.declareServices({ shop: ["us"], mail: ["eu"] });
    await world.settle();
    expect(await world.database.pages.list({ limit: 9, state: "open" })).toMatchObject([{ unwell: 1 }, { unwell: 1 }]);
    world.declareServices({});
    await world.settle();
    expect(await world.database.pages.list({ limit: 9, state: "open" })).toEqual([]);
    expect(world.messenger.taken.at(-1)?.notice).toMatchObject({ action: "close" });
    expect(world.messenger.taken.at(-1)?.notice.incident.lines.at(-1)?.why).toContain("not declared any more");
  });

  test("counts each that is hit once, recovering and news of it included", async () => {
    const world = await testBook({ notifiers: [hook("hook")] });
    const services = Array.from({ length: 100 }, (_, i) => `s${i}`);
    await world.tell(...services.map((service) => verdict("unhealthy", service)));
    await world.settle();
    await world.tell(...services.map((service) => verdict("recovering", service, "eu", "unhealthy")));
    await world.settle();
    expect((await world.database.pages.list({ limit: 1 }))[0]).toMatchObject({ hit: 100, unwell: 100 });
  });

  test("that nobody heard of for a week is closed, and says so", async () => {
    const world = await testBook({ notifiers: [hook("hook")] });
    await world.tell(verdict("unhealthy"));
    await world.settle();
    world.pass(7 * 86_400_000);
    await world.settle();
    expect(world.told()).toEqual(["open eu is unhealthy", "close eu is unhealthy"]);
    expect(world.messenger.taken[1]?.notice.incident.lines.at(-1)?.why).toContain("nothing was heard");
  });

  test("about pages that a notifier refused is not told to that notifier", async () => {
    const world = await testBook({ notifiers: [hook("hook"), hook("chat")] });
    await world.tell({ kind: "dead-letter", service: null, detail: { subjects: ["hook", "chat"], notifiers: ["hook"] } });
    await world.settle();
    expect([world.told("hook"), world.told("chat")]).toEqual([[], ["tell something could not be processed and was put aside"]]);
  });
});

describe("who is told", () => {
  const notify = Notify.parse({
    notifiers: [hook("all"), hook("loud", { severities: ["critical"] }), hook("shop", { services: ["shop"] })],
    routes: [
      { severities: ["critical", "warning"], notifiers: ["all", "loud"] },
      { services: ["shop", "mail"], notifiers: ["shop"] },
    ],
  });

  test.each([
    ["critical", ["mail"], ["all", "loud"]],
    ["critical", ["shop"], ["all", "loud", "shop"]],
    ["warning", ["shop"], ["all", "shop"]],
    ["info", ["shop"], ["shop"]],
    ["info", ["mail"], []],
    ["critical", [], ["all", "loud", "shop"]],
  ] as const)("%s of %j: %j", (severity, services, expected) => {
    expect(chooseNotifiers(notify, { severity, services })).toEqual(expected);
  });

  test("is everybody where there is no route, and nobody where nobody is declared", () => {
    const { routes: _, ...unrouted } = notify;
    expect(chooseNotifiers({ ...unrouted, routes: [] }, { severity: "info", services: ["x"] })).toEqual(["all"]);
    expect(chooseNotifiers(undefined, { severity: "critical", services: [] })).toEqual([]);
  });

  test.each([
    ["2026-01-10T20:59:30Z", "2026-01-10T20:59:30Z"],
    ["2026-01-10T21:00:30Z", "2026-01-11T06:00:00Z"],
    ["2026-01-11T05:59:59Z", "2026-01-11T06:00:00Z"],
    ["2026-01-11T06:00:00Z", "2026-01-11T06:00:00Z"],
    ["2026-07-10T20:30:00Z", "2026-07-11T05:00:00Z"],
  ])("in Zurich, quiet from 22:00 to 07:00, what is due at %s is told at %s, unless it is critical", (at, expected) => {
    const quiet = { timeZone: "Europe/Zurich", from: "22:00", to: "07:00" };
    expect(new Date(dueAt(quiet, "warning", Date.parse(at))).toISOString()).toBe(expected.replace("Z", ".000Z"));
    expect(dueAt(quiet, "critical", Date.parse(at))).toBe(Date.parse(at));
  });

  test.each([
    ["is longer where clocks are put back", "2026-10-24T20:30:00Z", "22:00", "07:00", "2026-10-25T06:00:00.000Z"],
    ["is shorter where clocks are put forward", "2026-03-28T21:30:00Z", "22:00", "07:00", "2026-03-29T05:00:00.000Z"],
    ["ends with an hour that doesn't exist", "2026-03-28T21:30:00Z", "22:00", "02:30", "2026-03-29T01:00:00.000Z"],
  ])("a night of quiet %s", (_, at, from, to, expected) => {
    expect(new Date(dueAt({ timeZone: "Europe/Zurich", from, to }, "warning", Date.parse(at))).toISOString()).toBe(expected);
  });

  test("what opened and ended in quiet hours is one message, and where they were taken away the end isn't told before the beginning", async () => {
    const world = await testBook({ notifiers: [hook("hook")], quietHours: { timeZone: "UTC", from: "00:00", to: "23:59" } });
    await world.tell(verdict("unhealthy"));
    await world.settle();
    world.declare({ notifiers: [hook("hook")] });
    await world.tell(verdict("healthy"));
    await world.settle();
    expect(world.told()).toEqual(["close eu is unhealthy"]);
    world.pass(86_400_000);
    await world.settle();
    expect(world.told()).toEqual(["close eu is unhealthy"]);
  });

  test("what waited for the end of quiet hours goes first when it becomes critical", async () => {
    const world = await testBook({ notifiers: [hook("hook")], quietHours: { timeZone: "UTC", from: "00:00", to: "23:59" } });
    await world.tell(verdict("unhealthy"));
    await world.settle();
    expect(world.told()).toEqual([]);
    await world.tell(heldBack());
    await world.settle();
    expect(world.told()).toEqual(["open eu is unhealthy", "update traffic can't leave eu by itself"]);
  });
});

describe("the cursor", () => {
  test("passes nothing by, in whatever order entries are committed", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7, 8], { minLength: 8 }), fc.array(fc.nat(3)), (order, rests) => {
        const committed = new Set<number>();
        const seen: number[] = [];
        let cursor = { position: 0, missing: [] } as Parameters<typeof moveCursor>[0];
        const read = (): void => {
          const missing = new Set(cursor.missing.map(({ position }) => position));
          const found = [...committed].filter((at) => at > cursor.position || missing.has(at)).sort((a, b) => a - b);
          seen.push(...found);
          cursor = moveCursor(cursor, found, 1);
        };
        for (const [i, at] of order.entries()) {
          committed.add(at);
          if ((rests[i] ?? 0) === 0) read();
        }
        read();
        expect(seen.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      }),
    );
  });

  test("looks at an empty place no longer than a transaction can last", () => {
    const early = moveCursor({ position: 0, missing: [] }, [1, 3], 0);
    expect(early).toEqual({ position: 3, missing: [{ position: 2, since: 0 }] });
    expect(moveCursor(early, [], PAGE_GAP_MS - 1).missing).toHaveLength(1);
    expect(moveCursor(early, [], PAGE_GAP_MS).missing).toEqual([]);
  });
});

describe("an outbox", () => {
  const waiting = async (world: Awaited<ReturnType<typeof testBook>>, deliveries: Parameters<typeof exampleDelivery>[0][]) => {
    for (const delivery of deliveries)
      await world.book.sendAgain(exampleDelivery({ dueAt: START, createdAt: START, ...delivery }));
  };
  const idsTaken = (world: Awaited<ReturnType<typeof testBook>>, notifier = "hook") =>
    world.messenger.taken.filter((each) => each.notifier === notifier).map(({ notice }) => notice.id);

  test("of a receiver that is away for 10 minutes is told everything once, in order, later", async () => {
    const world = await testBook({ notifiers: [hook("hook")] });
    let tries = 0;
    const away = { kind: "later", why: "down" } as const;
    world.messenger.answer = () => {
      tries += 1;
      return away;
    };
    await world.tell(verdict("unhealthy"));
    for (let second = 0; second < 600; second += 1) {
      if (second === 100) await world.tell(heldBack());
      if (second === 200) await world.tell(verdict("unhealthy", "mail", "us"));
      if (second === 300) await world.tell(verdict("healthy"));
      await world.settle();
      world.pass(1_000);
    }
    expect(tries).toBeLessThan(25);
    world.messenger.answer = () => null;
    for (let second = 0; second < 61; second += 1) {
      await world.settle();
      world.pass(1_000);
    }
    expect(world.told()).toEqual([
      "open eu is unhealthy",
      "update traffic can't leave eu by itself",
      "open us is unhealthy",
      "close traffic can't leave eu by itself",
    ]);
    expect(world.letters).toEqual([]);
  });

  test("of a slow receiver holds up nobody else", async () => {
    const world = await testBook({ notifiers: [hook("hook"), hook("chat")] });
    let release: (result: SendResult) => void = () => undefined;
    world.messenger.answer = (notifier) => (notifier === "hook" ? new Promise((resolve) => (release = resolve)) : null);
    await waiting(world, [
      { id: "a", notifier: "hook" },
      { id: "b", notifier: "hook" },
      { id: "c", notifier: "chat" },
      { id: "d", notifier: "chat" },
    ]);
    await world.delivery.look();
    await expect.poll(() => idsTaken(world, "chat")).toEqual(["c", "d"]);
    expect(idsTaken(world)).toEqual([]);
    world.messenger.answer = () => null;
    release({ kind: "taken" });
    await world.delivery.idle();
    expect(idsTaken(world)).toEqual(["a", "b"]);
  });

  test("waits as long as the receiver asks for", async () => {
    const world = await testBook({ notifiers: [hook("hook")] });
    world.messenger.answer = () => ({ kind: "later", why: "busy", retryAfterMs: 90_000 });
    await waiting(world, [{ id: "a" as string, notifier: "hook" }]);
    await world.settle();
    world.messenger.answer = () => null;
    world.pass(89_000);
    await world.settle();
    expect(idsTaken(world)).toEqual([]);
    world.pass(1_000);
    await world.settle();
    expect(idsTaken(world)).toEqual(["a"]);
  });

  test("puts aside what the receiver never takes, what is a day old, and the oldest of too many; the rest follows", async () => {
    const world = await testBook({ notifiers: [hook("hook")] });
    world.messenger.answer = (_, { id }) => (id === "bad" ? { kind: "refused", why: "400" } : null);
    await waiting(world, [
      { id: "bad", notifier: "hook" },
      { id: "good", notifier: "hook" },
    ]);
    await world.settle();
    expect([idsTaken(world), world.letters.map(({ subject }) => subject)]).toEqual([["good"], ["hook"]]);

    const old = await testBook({ notifiers: [hook("hook")] });
    old.messenger.answer = () => ({ kind: "later", why: "down" });
    await waiting(old, [{ id: "a", notifier: "hook" }]);
    old.pass(24 * 3_600_000 - 1);
    await old.settle();
    expect(old.letters).toEqual([]);
    old.pass(120_000);
    await old.settle();
    expect(old.letters.map(({ why }) => why)).toEqual(["hook didn't take it within a day: down"]);

    const many = await testBook({ notifiers: [hook("hook")] });
    await waiting(
      many,
      Array.from({ length: PAGES_WAITING_MAX + 3 }, (_, i) => ({ id: `n${i}`, notifier: "hook" })),
    );
    await many.settle();
    expect(many.letters.map(({ payload }) => (payload as { notice: { id: string } }).notice.id)).toEqual(["n0", "n1", "n2"]);
    expect(idsTaken(many)[0]).toBe("n3");
  });

  test("puts no critical message aside because warnings wait for the morning, nor for warnings that are due", async () => {
    const world = await testBook({ notifiers: [hook("hook")] });
    const warning = (i: number, dueAt: number) => ({ id: `w${i}`, notifier: "hook", severity: "warning", dueAt }) as const;
    await waiting(world, [{ id: "loud", notifier: "hook" }]);
    await waiting(
      world,
      Array.from({ length: PAGES_WAITING_MAX + 3 }, (_, i) => warning(i, START + 60_000)),
    );
    world.messenger.answer = () => ({ kind: "later", why: "down" });
    await world.settle();
    expect(world.letters).toEqual([]);
    world.messenger.answer = () => null;
    world.pass(60_000);
    await world.settle();
    expect(idsTaken(world)[0]).toBe("loud");
    expect(world.letters.map(({ payload }) => (payload as { notice: { id: string } }).notice.id)).toEqual([
      "w0",
      "w1",
      "w2",
      "w3",
    ]);
  });

  test("isn't sent what another look read while its receiver was taking it", async () => {
    const world = await testBook({ notifiers: [hook("hook")] });
    let take: (result: SendResult) => void = () => undefined;
    world.messenger.answer = () => new Promise((resolve) => (take = resolve));
    await waiting(world, [{ id: "a", notifier: "hook" }]);
    await world.delivery.look();
    world.beforeAnswer(async () => {
      world.messenger.answer = () => null;
      take({ kind: "taken" });
      await world.delivery.idle();
    });
    await world.delivery.look();
    await world.delivery.idle();
    expect(idsTaken(world)).toEqual(["a"]);
  });

  test("with a page about dead letters in it is a dead letter for nobody: two receivers that refuse don't call each other for ever", async () => {
    const world = await testBook({ notifiers: [hook("hook"), hook("chat")] });
    world.messenger.answer = () => ({ kind: "refused", why: "400" });
    await world.tell({ kind: "dead-letter", service: null, detail: { notifiers: ["hook"] } });
    await world.settle();
    expect(world.letters).toEqual([]);
    expect((await world.database.pages.waiting({ now: START, each: 9, most: 9 })).deliveries).toEqual([]);
    await world.tell({ kind: "dead-letter", service: null, detail: { subjects: ["hook", "chat"], notifiers: [] } });
    world.messenger.answer = () => null;
    await world.settle();
    expect([world.told("hook"), world.told("chat")].map((told) => told.length)).toEqual([1, 1]);
  });

  test("of a notifier that is declared no more is emptied", async () => {
    const world = await testBook({ notifiers: [hook("hook")] });
    await waiting(world, [{ id: "a", notifier: "gone" }]);
    await world.settle();
    expect(await world.database.pages.waiting({ now: START, each: 9, most: 9 })).toEqual({ deliveries: [], surplus: [] });
  });

  test("is emptied by the next leader under the same ids, and history is followed from where the last one stopped", async () => {
    const world = await testBook({ notifiers: [hook("hook")] });
    await world.tell(verdict("unhealthy"));
    while ((await world.book.follow()) === "written");
    await world.tell(heldBack());
    const [before] = (await world.database.pages.waiting({ now: START, each: 9, most: 9 })).deliveries;
    const next = world.make();
    while ((await next.book.follow()) === "written");
    await next.delivery.look();
    await next.delivery.idle();
    expect(world.told()).toEqual(["open eu is unhealthy", "update traffic can't leave eu by itself"]);
    expect(idsTaken(world)[0]).toBe(before?.notice.id);
  });
});
