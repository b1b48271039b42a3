/** A whole control plane tells people: all four ways, within seconds of the commit, through a change of leader, and only while it leads. */
import type { Change, HistoryKind } from "@regent/contract";
import { Declaration } from "@regent/contract";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createGuards } from "../adapters/guard/guards.ts";
import { createMemoryDatabase } from "../adapters/memory/database.ts";
import { createMessenger } from "../adapters/notify/messenger.ts";
import { createRecordingMessenger, type RecordingMessenger } from "../adapters/notify/recording-messenger.ts";
import { createReadSecret } from "../adapters/notify/secrets.ts";
import { type MailServer, startMailServer } from "../adapters/notify/testing/mail-server.ts";
import { startWebReceiver, type WebReceiver } from "../adapters/notify/testing/web-receiver.ts";
import { exampleCommit, ulid } from "../ports/suites/examples.ts";
import { exampleIncident } from "../ports/suites/pages.suite.ts";
import { breakRegion, eventsOf, isHealthy, rest } from "../testing/play.ts";
import { OK, REFUSED, testService, testWorld, type World } from "../testing/world.ts";
import { createPaging } from "./paging.ts";

const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop();
});
const open = async (options: Parameters<typeof testWorld>[0]): Promise<World> => {
  const world = await testWorld(options);
  worlds.push(world);
  return world;
};

const HOOK = { id: "hook", kind: "webhook", where: "https://hooks.example.net/", secret: { env: "REGENT_SECRET_HOOK" } };
/** Of the design: what a person must know is with them by then. */
const TOLD_WITHIN_MS = 5_000;

/** An entry as the leader would commit it. */
const tellByHand = async (world: World, kind: HistoryKind, detail: object): Promise<void> => {
  const lease = await world.database.lease.read();
  await world.database.decisions.commit(
    exampleCommit({
      holder: lease?.holder ?? "",
      term: lease?.term ?? 0,
      services: [],
      changes: [],
      outboxInserts: [],
      history: [
        {
          id: ulid(),
          at: world.clock.now(),
          service: "checkout",
          kind,
          actor: { kind: "automation", name: "regent" },
          why: `${kind} by hand`,
          page: true,
          detail: { ...detail },
        },
      ],
    }),
  );
};

describe("all four ways to tell people", () => {
  let webs: readonly WebReceiver[];
  let mail: MailServer;
  beforeEach(async () => {
    webs = await Promise.all([202, 200, 202].map((status) => startWebReceiver({ status, body: "ok" })));
    mail = await startMailServer();
  });
  afterEach(() => Promise.all([...webs, mail].map((each) => each.close())));

  const start = (options: { readonly services?: object[] } = {}): Promise<World> => {
    const [hook, slack, pager] = webs.map(({ port }) => `http://127.0.0.1:${port}/x`);
    const env = {
      REGENT_SECRET_HOOK: `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
      REGENT_SECRET_SLACK: slack,
      REGENT_SECRET_PAGER: "R".repeat(32),
    };
    const messenger = createMessenger({
      guards: createGuards(),
      readSecret: createReadSecret({ env, folder: "/nonexistent" }),
      allowLoopback: true,
    });
    const notifiers = [
      { ...HOOK, where: hook },
      { id: "chat", kind: "slack", secret: { env: "REGENT_SECRET_SLACK" } },
      { id: "pager", kind: "pagerduty", where: pager, secret: { env: "REGENT_SECRET_PAGER" } },
      { id: "mail", kind: "smtp", where: `smtp://127.0.0.1:${mail.port}`, from: "regent@example.net", to: ["ops@example.net"] },
    ];
    return open({ ...options, notify: { notifiers }, messenger });
  };

  const haveAll = (words: string): boolean =>
    webs.every(({ taken }) => taken.some(({ body }) => body.includes(words))) &&
    mail.taken.some(({ text }) => text.replace(/=\n/g, "").includes(words));

  /** The real time between the commit and the last of the four. */
  const within = async (world: World, words: string): Promise<void> => {
    await world.until(`all four heard "${words}"`, () => haveAll(words), TOLD_WITHIN_MS);
  };

  test("hear of a freeze, of an approval that waits, and of a failover within 5 s", async () => {
    const world = await start();
    await world.until("healthy", () => isHealthy(world));
    await world.controlPlane.setFreeze({
      scope: { kind: "service", service: "checkout" },
      isFrozen: true,
      by: "ada",
      reason: "deploying",
    });
    await within(world, "ada froze checkout");
    await world.controlPlane.setFreeze({
      scope: { kind: "service", service: "checkout" },
      isFrozen: false,
      by: "ada",
      reason: "deployed",
    });
    await tellByHand(world, "approval", {
      approval: {
        state: "waiting",
        kind: "failover",
        weightsBefore: { default: { "eu-west": 255 } },
        weightsAfter: { default: { "eu-west": 0, "us-east": 255 } },
      },
    });
    await within(world, "leaving eu-west waits for approval");
    await tellByHand(world, "approval", { approval: { state: "refused", kind: "failover" } });
    breakRegion(world, "eu-west");
    await world.until("left", async () => (await eventsOf(world, "change")).some(({ change }) => change?.kind === "failover"));
    await within(world, "traffic left eu-west");
  });

  test("hear of a failover that a rule holds back within 5 s", async () => {
    const world = await start({
      services: [testService("checkout", { kind: "active-active", failback: "automatic" }, { regionsMin: 3 })],
    });
    await world.until("healthy", () => isHealthy(world));
    breakRegion(world, "eu-west");
    await world.until("held back", async () => (await eventsOf(world, "refused")).length > 0);
    await within(world, "eu-west");
    const [refused] = await eventsOf(world, "refused");
    expect(refused?.page).toBe(true);
    await within(world, "itself");
  });

  test("get nothing of a secret into history, answers or messages", async () => {
    const world = await start();
    await world.until("healthy", () => isHealthy(world));
    await webs[1]?.set("refuse");
    breakRegion(world, "eu-west");
    await world.until("put aside", async () => (await world.controlPlane.deadLetters({ limit: 9 })).letters.length > 0);
    const letters = await world.controlPlane.deadLetters({ limit: 9 });
    expect(letters.letters[0]).toMatchObject({ kind: "page", subject: "chat" });
    const detail = await world.controlPlane.deadLetter(letters.letters[0]?.id ?? "");
    const all = JSON.stringify([detail, await eventsOf(world), await world.controlPlane.incidents({ limit: 9 })]);
    for (const secret of [`:${webs[1]?.port}`, "R".repeat(32), Buffer.alloc(32, 7).toString("base64")])
      expect(all).not.toContain(secret);
    // An operator mends the receiver and tries again.
    await webs[1]?.set(null);
    const order = { id: letters.letters[0]?.id ?? "", by: "ada", reason: "mended" };
    expect(await world.controlPlane.retryDeadLetter(order)).toMatchObject({ kind: "tried", done: true });
    await world.until("told after all", () => (webs[1]?.taken.length ?? 0) > 0);
  });
});

describe("a page", () => {
  const start = async (messenger: RecordingMessenger, more: object = {}) => {
    const world = await open({ notify: { notifiers: [HOOK] }, messenger, ...more });
    await world.until("healthy", () => isHealthy(world));
    return world;
  };
  const titles = (messenger: RecordingMessenger): string[] =>
    messenger.taken.map(({ notice }) => `${notice.action} ${notice.incident.title}`);

  test("is told by the next leader when the last one died between the commit and the page", async () => {
    const messenger = createRecordingMessenger();
    const world = await start(messenger);
    let isWriting = false;
    world.faults.around = (call, proceed) => {
      if (call.name !== "pages.write") return proceed();
      isWriting = true;
      return new Promise(() => undefined);
    };
    const opened = "open weights are kept as they are, as no region is fit";
    await tellByHand(world, "fail-static", {});
    await world.until("the first leader is writing it down", () => isWriting);
    expect(titles(messenger)).not.toContain(opened);
    world.kill();
    await world.resurrect();
    await world.until("told", () => titles(messenger).includes(opened));
    // What is told next shows that nothing of it comes again. Regions that a busy machine lost sight of meanwhile are told too.
    await tellByHand(world, "freeze", { scope: { kind: "service" } });
    await world.until("told of the next", () => titles(messenger).includes("open Regent froze checkout"));
    expect(titles(messenger).filter((title) => title === opened)).toHaveLength(1);
  });

  test("that was sent by a leader that died before it noted so comes twice, with one id", async () => {
    const messenger = createRecordingMessenger();
    const world = await start(messenger);
    world.faults.around = (call, proceed) => (call.name === "pages.settle" ? new Promise(() => undefined) : proceed());
    await tellByHand(world, "fail-static", {});
    await world.until("sent", () => messenger.taken.length === 1);
    world.kill();
    await world.resurrect();
    await world.until("sent again", () => messenger.taken.length === 2);
    await rest(1_200);
    expect(messenger.taken).toHaveLength(2);
    expect(new Set(messenger.taken.map(({ notice }) => notice.id)).size).toBe(1);
    expect((await world.controlPlane.incidents({ limit: 9 })).incidents).toHaveLength(1);
  });

  test("of many services that leave one dead region is one, and over when all are back", async () => {
    const messenger = createRecordingMessenger();
    const services = Array.from({ length: 20 }, (_, i) =>
      testService(`s${i}`, { kind: "active-passive", failback: "automatic" }),
    );
    const world = await start(messenger, { services });
    breakRegion(world, "eu-west");
    const leftBy = async (): Promise<readonly Change[]> =>
      (await eventsOf(world, "change")).flatMap(({ change }) => change ?? []);
    await world.until("all left", async () => (await leftBy()).filter(({ kind }) => kind === "failover").length === 20, 15_000);
    await world.until("all are in it", async () => {
      const { incidents } = await world.controlPlane.incidents({ limit: 9, state: "open" });
      return incidents.length === 1 && incidents[0]?.hit === 20 && incidents[0].severity === "critical";
    });
    expect(titles(messenger).filter((title) => title.startsWith("open"))).toHaveLength(1);
    world.see = () => OK;
    await world.until("over", () => titles(messenger).some((title) => title.startsWith("close")), 20_000);
    expect((await world.controlPlane.incidents({ limit: 9, state: "open" })).incidents).toEqual([]);
  });

  test("is acknowledged by a person, and tested by one", async () => {
    const messenger = createRecordingMessenger();
    const world = await start(messenger);
    await tellByHand(world, "fail-static", {});
    await world.until("told", () => messenger.taken.length > 0);
    const [incident] = (await world.controlPlane.incidents({ limit: 1 })).incidents;
    const order = { id: incident?.id ?? "", by: "ada", reason: "on it" };
    expect(await world.controlPlane.acknowledgeIncident(order)).toMatchObject({
      kind: "acknowledged",
      incident: { acknowledged: { by: "ada", reason: "on it" } },
    });
    await world.until("told that", () => titles(messenger).some((title) => title.startsWith("acknowledge")));
    expect(await world.controlPlane.acknowledgeIncident({ ...order, id: ulid() })).toMatchObject({ kind: "not-found" });
    expect(await world.controlPlane.testNotifier({ id: "hook", by: "ada", reason: "trying" })).toMatchObject({
      kind: "tried",
      answer: { delivered: true },
    });
    messenger.answer = () => ({ kind: "later", why: "the receiver answered 503" });
    expect(await world.controlPlane.testNotifier({ id: "hook", by: "ada", reason: "trying" })).toMatchObject({
      answer: { delivered: false, why: "the receiver answered 503" },
    });
    expect(await world.controlPlane.testNotifier({ id: "none", by: "ada", reason: "trying" })).toMatchObject({
      kind: "not-found",
    });
  });

  test("waits for nobody who moves traffic: a receiver that hangs delays no failover", async () => {
    const messenger = createRecordingMessenger();
    const world = await start(messenger);
    messenger.answer = () => new Promise(() => undefined);
    world.see = (_, target) => (target.split("/")[1] === "eu-west" ? REFUSED : OK);
    await world.until("left", async () => (await world.weights("checkout.example.test"))["eu-west"] === 0);
    expect(messenger.taken).toEqual([]);
    const begun = performance.now();
    await world.controlPlane.stop();
    expect(performance.now() - begun).toBeLessThan(5_000);
  });
});

const DECLARED = Declaration.parse({
  regent: 1,
  owner: "acme",
  zones: [{ id: "Z1", name: "example.test" }],
  regions: [{ id: "eu-west" }, { id: "us-east" }, { id: "ap-south" }],
  services: [testService("shop", { kind: "round-robin" })],
  notify: { heartbeat: { secret: { env: "REGENT_SECRET_BEAT" }, everySeconds: 30 } },
});

test("an incident of what the declaration doesn't name is closed, and one of what it names stays", async () => {
  const clock = { now: () => 1_795_000_000_000, monotonic: () => 0 };
  const { pages, lease } = createMemoryDatabase({ clock, ids: { ulid } });
  const term = (await lease.acquire("one", 1e12, 0))?.term ?? 0;
  const incidents = ["gone/eu-west", "shop/gone", "shop/eu-west", "shop drift", "gone drift"].map((part) =>
    exampleIncident({ cause: `region:${part}`, unwellParts: [part], hitParts: [part], updatedAt: clock.now() }),
  );
  await pages.write({ holder: "one", term, incidents, deliveries: [], overtaken: [], at: clock.now() });
  const paging = createPaging({
    clock,
    ids: { ulid },
    log: pino({ level: "silent" }),
    holder: "one",
    pages,
    messenger: createRecordingMessenger(),
    term: () => term,
    isLeading: () => true,
    declaration: () => DECLARED,
    keepDeadLetter: async () => undefined,
    signal: new AbortController().signal,
  });
  await paging.round();
  const open = (await pages.list({ limit: 9, state: "open" })).map(({ unwellParts }) => unwellParts);
  expect(open.toSorted()).toEqual([["shop drift"], ["shop/eu-west"]]);
});

describe("the heartbeat", () => {
  test("is called while the process leads, has looked lately and reads its database, and else falls silent within 60 s", async () => {
    let now = 1_000_000;
    const clock = { now: () => 1_795_000_000_000 + now, monotonic: () => now };
    const { pages, lease } = createMemoryDatabase({ clock, ids: { ulid } });
    const term = (await lease.acquire("one", 1e12, 0))?.term ?? 0;
    const messenger = createRecordingMessenger();
    let [isLeading, isDatabaseAway] = [true, false];
    const paging = createPaging({
      clock,
      ids: { ulid },
      log: pino({ level: "silent" }),
      holder: "one",
      pages: {
        ...pages,
        entriesAfter: (...ask) => (isDatabaseAway ? Promise.reject(new Error("away")) : pages.entriesAfter(...ask)),
      },
      messenger,
      term: () => term,
      isLeading: () => isLeading,
      declaration: () => DECLARED,
      keepDeadLetter: async () => undefined,
      signal: new AbortController().signal,
    });
    const beatsIn = async (seconds: number, looks = true): Promise<number> => {
      const before = messenger.beats();
      for (let i = 0; i < seconds; i += 1) {
        if (looks) paging.looked();
        await paging.round();
        now += 1_000;
      }
      return messenger.beats() - before;
    };
    expect(await beatsIn(5, false)).toBe(0);
    expect(await beatsIn(90)).toBe(3);
    expect(await beatsIn(60, false)).toBeLessThanOrEqual(2);
    expect(await beatsIn(120, false)).toBe(0);
    expect(await beatsIn(60)).toBe(2);
    isDatabaseAway = true;
    expect(await beatsIn(120)).toBe(0);
    isDatabaseAway = false;
    isLeading = false;
    expect(await beatsIn(120)).toBe(0);
    isLeading = true;
    expect(await beatsIn(1)).toBe(1);
  });
});
