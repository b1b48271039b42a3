/**
 * The writable role is led elsewhere before the traffic follows. History is compared as a whole: phases that are skipped, told twice or not at all are
 * how two places come to be written to.
 */
import type { HistoryEvent, TransferState } from "@regent/contract";
import { afterEach, describe, expect, test } from "vitest";
import { createMemoryHook, type MemoryHook } from "../adapters/memory/hook-caller.ts";
import { type Databases, playDatabases } from "../testing/databases.ts";
import { eventsOf, goOn, isHealthy, moveOrder, weightIn } from "../testing/play.ts";
import { testService, testWorld, type World } from "../testing/world.ts";

const STATEFUL = {
  check: "db",
  leaseSeconds: 0.3,
  prepareSeconds: 5,
  roleSeconds: 2,
  hook: { url: "https://hooks.example.net/", secret: { file: "hook" } },
};
const CHECKS = [
  { id: "web", kind: "http", path: "/healthz" },
  { id: "db", kind: "postgres", from: "inside", secret: "probe" },
];

let world: World;
let hook: MemoryHook;
let databases: Databases;
afterEach(() => world.stop());

const start = async (stateful: object = {}, more: object = {}): Promise<void> => {
  hook = createMemoryHook();
  const declared = { checks: CHECKS, stateful: { ...STATEFUL, ...stateful }, ...more };
  world = await testWorld({ hooks: hook, services: [testService("checkout", { kind: "active-passive" }, declared)] });
  databases = playDatabases(world);
  hook.answer = ({ from, to }) => databases.promote(from, to);
  await world.until("healthy", () => isHealthy(world));
  await world.until("the standbys' lag is known", async () => {
    const { services } = await world.database.decisions.load();
    return services[0]?.databases.filter(({ lagMs }) => lagMs !== null).length === 2;
  });
};

/** `begun!`: told, and somebody is paged. Phases of transfers, kinds of changes, states of approvals. */
const told = async (): Promise<string[]> =>
  (await eventsOf(world, "transfer", "change", "approval", "refused")).map((event) => `${wordOf(event)}${event.page ? "!" : ""}`);

const wordOf = ({ kind, change, detail }: HistoryEvent): string => {
  if (kind === "change") return String(change?.kind);
  if (kind === "approval") return (detail.approval as { state: string }).state;
  if (kind === "refused") return kind;
  return detail.step === "goes-on" ? (detail.transfer as TransferState).phase : String(detail.step);
};

const transfer = async (): Promise<TransferState | undefined> => (await world.controlPlane.transfers())[0];
const phase = (wanted: TransferState["phase"], timeoutMs?: number): Promise<void> =>
  world.until(`transfer ${wanted}`, async () => (await transfer())?.phase === wanted, timeoutMs);
const writer = async (): Promise<string | null> => {
  const role = await world.controlPlane.role("checkout");
  return role.kind === "read" ? role.answer.writer : "not read";
};
const die = (region = "eu-west"): void => void databases.dead.add(region);

describe("the region of the primary dies", () => {
  test("prepare, hook, role seen, switch, verify, done: in this order, each told once, and traffic moves after the role", async () => {
    await start();
    const weightsAtCall: (number | undefined)[] = [];
    const rolesAtCall: (string | null)[] = [];
    hook.answer = async ({ from, to }) => {
      weightsAtCall.push(await weightIn(world, "eu-west"));
      rolesAtCall.push(await writer());
      return databases.promote(from, to);
    };
    expect(await writer()).toBe("eu-west");
    die();
    await phase("done", 15_000);
    await goOn(world, 500);
    expect(await told()).toEqual(["create", "begun!", "role", "switch", "failover!", "verify", "done"]);
    expect({ weightsAtCall, rolesAtCall }).toEqual({ weightsAtCall: [255], rolesAtCall: [null] });
    expect(await weightIn(world, "us-east")).toBe(255);
    expect(await writer()).toBe("us-east");
    const done = await transfer();
    expect(hook.asked).toEqual([
      {
        transfer: done?.id,
        service: "checkout",
        from: "eu-west",
        to: "us-east",
        reason: null,
        at: done?.startedAt,
        deadline: (done?.startedAt ?? 0) + 300 + 5_000,
      },
    ]);
    expect(done?.hook).toMatchObject({ attempts: 1, answer: "promoted", fenced: true });
    expect((await world.controlPlane.service("checkout"))?.transfer).toEqual(done);
    const sentences = ((await world.controlPlane.explain("checkout"))?.sentences ?? []).join("\n");
    expect(sentences).toMatch(/Databases: .*us-east writes, seen from 2 vantages/);
    expect(sentences).toContain(`Transfer ${done?.id} from eu-west to us-east, done: `);
  }, 30_000);

  test("nobody is asked before every lease has run out since the role was taken back", async () => {
    await start({ leaseSeconds: 1.5 });
    let calledAt = 0;
    hook.answer = ({ from, to }) => {
      calledAt = world.clock.now();
      return databases.promote(from, to);
    };
    let heldAt = 0;
    world.faults.around = async ({ name }, proceed) => {
      const before = (await world.database.decisions.load()).services[0]?.transfer ?? null;
      const answer = await proceed();
      // Slow to answer: what counts is when it stood, and that is known only when it is heard.
      if (name === "decisions.commit" && before === null && (await world.database.decisions.load()).services[0]?.transfer) {
        await new Promise((resolve) => setTimeout(resolve, 400));
        heldAt = world.clock.now();
      }
      return answer;
    };
    die();
    await phase("done", 20_000);
    expect(heldAt).toBeGreaterThan(0);
    expect(calledAt - heldAt).toBeGreaterThanOrEqual(1_490);
  }, 30_000);

  test("the hook works on it for a while, is asked again under the same id, and promotes once", async () => {
    await start();
    hook.answer = ({ from, to }) =>
      hook.asked.length < 2 ? { answer: "working", isFenced: null, why: "fencing" } : databases.promote(from, to);
    die();
    await phase("done", 20_000);
    expect(await told()).toEqual(["create", "begun!", "prepare", "role", "switch", "failover!", "verify", "done"]);
    expect(new Set(hook.asked.map(({ transfer: id }) => id)).size).toBe(1);
    expect(hook.asked).toHaveLength(2);
  }, 30_000);

  test("a hook that never answers is asked until its time is over: it pages, and nothing moves", async () => {
    await start({ prepareSeconds: 3 });
    hook.answer = () => ({ answer: "failed", isFenced: null, why: "no answer in time" });
    die();
    await phase("stopped", 15_000);
    await goOn(world, 800);
    expect((await told()).slice(0, 4)).toEqual(["create", "begun!", "prepare", "stopped!"]);
    expect(await weightIn(world, "eu-west")).toBe(255);
    expect(hook.asked.length).toBeGreaterThan(1);
    expect(new Set(hook.asked.map(({ transfer: id }) => id)).size).toBe(1);
    expect((await transfer())?.why).toContain("promoted nobody within");
    // Whoever was asked may still act.
    expect(await writer()).toBeNull();
  }, 30_000);

  test("it says that it promoted, and nobody sees it: it pages, and nothing moves", async () => {
    await start();
    hook.answer = () => ({ answer: "promoted", isFenced: true, why: "" });
    die();
    await phase("stopped", 15_000);
    await goOn(world, 500);
    expect((await told()).slice(0, 4)).toEqual(["create", "begun!", "role", "stopped!"]);
    expect(await weightIn(world, "eu-west")).toBe(255);
    expect((await transfer())?.why).toContain("us-east was not seen to write alone within 2 s");
    await world.until("people are told", async () => {
      const { incidents } = await world.controlPlane.incidents({ limit: 50, state: "open" });
      return incidents.some(
        ({ severity, title, lines }) =>
          severity === "critical" &&
          title.includes("leading the writable role of checkout from eu-west to us-east stopped") &&
          lines.some(({ why }) => why.includes("was not seen to write alone")),
      );
    });
  }, 30_000);

  test("the hook refuses: it pages with its reason, nothing moves, and automation doesn't ask it again by itself", async () => {
    await start();
    hook.answer = () => ({ answer: "refused", isFenced: null, why: "the standby lacks a timeline" });
    die();
    await phase("stopped", 15_000);
    await goOn(world, 1_500);
    expect((await told()).slice(0, 3)).toEqual(["create", "begun!", "stopped!"]);
    expect(hook.asked).toHaveLength(1);
    expect((await transfer())?.why).toContain("the standby lacks a timeline");
    expect(await weightIn(world, "eu-west")).toBe(255);
  }, 30_000);
});

describe("somebody else leads", () => {
  test("in the middle: the hook is asked under the same id, and one transfer moves the traffic once", async () => {
    await start();
    hook.answer = () => ({ answer: "working", isFenced: null, why: "" });
    die();
    await world.until("asked", () => hook.asked.length > 0);
    await world.restart();
    await world.until("leading", () => world.controlPlane.readiness().isLeader);
    hook.answer = ({ from, to }) => databases.promote(from, to);
    await phase("done", 20_000);
    expect(await told()).toEqual(["create", "begun!", "prepare", "role", "switch", "failover!", "verify", "done"]);
    expect(new Set(hook.asked.map(({ transfer: id }) => id)).size).toBe(1);
  }, 40_000);

  test("while the hook is asked: what it says to who led before is dropped, and the next leader hears it", async () => {
    await start();
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    hook.answer = async ({ from, to }) => {
      if (hook.asked.length === 1) await held;
      return databases.promote(from, to);
    };
    die();
    await world.until("asked", () => hook.asked.length === 1);
    world.kill();
    await world.resurrect();
    await world.until("leading", () => world.controlPlane.readiness().isLeader);
    release();
    await phase("done", 20_000);
    await goOn(world, 300);
    expect(await told()).toEqual(["create", "begun!", "role", "switch", "failover!", "verify", "done"]);
    expect(new Set(hook.asked.map(({ transfer: id }) => id)).size).toBe(1);
    expect(await weightIn(world, "us-east")).toBe(255);
  }, 40_000);
});

describe("a person", () => {
  test("is asked when replication was cut before the fault; approved, the role is led there first all the same", async () => {
    await start();
    databases.isLinked = false;
    await goOn(world, 1_500);
    die();
    await world.until("asked", async () => (await world.controlPlane.approvals())[0]?.state === "waiting", 15_000);
    const [asked] = await world.controlPlane.approvals();
    expect(asked?.asks).toContain("A7");
    expect((await eventsOf(world, "approval"))[0]?.why).toContain("replication was cut");
    expect(hook.asked).toEqual([]);
    expect(await weightIn(world, "eu-west")).toBe(255);
    const answered = await world.controlPlane.approve({ id: asked?.id ?? "", by: "ann", reason: "I looked", scope: null });
    expect(answered).toMatchObject({ kind: "answered", answer: { allowed: true, changeId: null } });
    await phase("done", 20_000);
    expect(await told()).toEqual(["create", "waiting!", "approved", "begun!", "role", "switch", "failover!", "verify", "done"]);
    expect((await transfer())?.by).toEqual({ kind: "operator", name: "ann" });
  }, 40_000);

  test("moves by hand: the role goes first, by their name and reason, and the traffic follows", async () => {
    await start();
    const answered = await world.controlPlane.move(moveOrder({ kind: "failover", to: "us-east" }));
    expect(answered).toMatchObject({
      kind: "answered",
      answer: { allowed: true, changeId: null, why: expect.stringContaining("the writable role is led to us-east first") },
    });
    await phase("done", 20_000);
    expect(hook.asked[0]).toMatchObject({ to: "us-east", reason: "rehearsing" });
    expect(await told()).toEqual(["create", "begun!", "role", "switch", "failover!", "verify", "done"]);
    expect(await weightIn(world, "us-east")).toBe(255);
  }, 30_000);

  test("only looks what a move by hand would do: nothing begins", async () => {
    await start();
    const dry = await world.controlPlane.move(moveOrder({ kind: "failover", to: "us-east" }, { dryRun: true }));
    expect(dry).toMatchObject({ kind: "answered", answer: { allowed: false, changeId: null } });
    await goOn(world, 600);
    expect(await transfer()).toBeUndefined();
    expect(await writer()).toBe("eu-west");
  }, 30_000);

  test("ends it before the hook was asked: the role goes back at once, and nothing moves", async () => {
    await start({ leaseSeconds: 3 });
    await world.controlPlane.move(moveOrder({ kind: "failover", to: "us-east" }));
    expect(await writer()).toBeNull();
    const stop = await world.controlPlane.stopTransfer({ service: "checkout", by: "bob", reason: "not now" });
    expect(stop).toMatchObject({ kind: "stopped", transfer: { phase: "stopped", hook: { attempts: 0 } } });
    await goOn(world, 600);
    expect(await told()).toEqual(["create", "begun!", "stopped"]);
    expect(hook.asked).toEqual([]);
    expect(await writer()).toBe("eu-west");
    expect(await weightIn(world, "eu-west")).toBe(255);
    const again = await world.controlPlane.stopTransfer({ service: "checkout", by: "bob", reason: "not now" });
    expect(again).toMatchObject({ kind: "not-found" });
  }, 30_000);

  test("ends it after the hook was asked: nobody may write until one alone is seen to, and what comes late is told", async () => {
    await start();
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    hook.answer = async ({ from, to }) => {
      await held;
      const answer = databases.promote(from, to);
      databases.role[from] = "standby";
      return answer;
    };
    await world.controlPlane.move(moveOrder({ kind: "failover", to: "us-east" }));
    await world.until("asked", () => hook.asked.length === 1);
    // Nobody beside the old one says what it is.
    databases.role["eu-west"] = "untold";
    await world.controlPlane.stopTransfer({ service: "checkout", by: "bob", reason: "the wrong one" });
    await goOn(world, 1_700);
    expect(await writer()).toBeNull();
    release();
    await world.until("settled", async () => (await writer()) === "us-east");
    const words = await told();
    expect(words.filter((word) => !word.startsWith("refused"))).toEqual(["create", "begun!", "stopped!", "stopped!", "settled"]);
    expect((await eventsOf(world, "transfer"))[2]?.why).toContain("after its transfer had stopped");
    expect(await weightIn(world, "us-east")).toBe(0);
  }, 30_000);

  test("promotes where no hook is declared: Regent waits, pages, and the traffic follows what is seen", async () => {
    await start({ hook: undefined });
    die();
    await phase("prepare", 15_000);
    await world.until("a person is called", async () => (await told()).includes("prepare!"));
    databases.promote("eu-west", "us-east");
    await phase("done", 20_000);
    expect(await told()).toEqual(["create", "begun!", "prepare!", "role", "switch", "failover!", "verify", "done"]);
    expect(hook.asked).toEqual([]);
  }, 30_000);
});

describe("who may write", () => {
  test("whatever any replica answered has run out before the hook is asked, and from then on until the role is there it is nobody", async () => {
    await start({ leaseSeconds: 0.8 });
    const other = await world.addReplica();
    const answers: {
      readonly askedAt: number;
      readonly endsAt: number;
      readonly revision: number;
      readonly writer: string | null;
    }[] = [];
    let isOver = false;
    const ask = async (replica: World["controlPlane"]): Promise<void> => {
      while (!isOver) {
        const askedAt = performance.now();
        const role = await replica.role("checkout").catch(() => null);
        if (role?.kind === "read") {
          const { writer: region, validForMs, revision } = role.answer;
          answers.push({ askedAt, endsAt: askedAt + validForMs, revision, writer: region });
        }
        await new Promise((resolve) => setTimeout(resolve, 7));
      }
    };
    const asking = [ask(world.controlPlane), ask(other.controlPlane)];
    let calledAt = 0;
    hook.answer = ({ from, to }) => {
      calledAt ||= performance.now();
      return databases.promote(from, to);
    };
    await goOn(world, 200);
    die();
    await phase("done", 15_000);
    isOver = true;
    await Promise.all(asking);
    await other.controlPlane.stop();
    const before = answers.filter(({ writer: region }) => region === "eu-west");
    expect(before.length).toBeGreaterThan(10);
    expect(Math.max(...before.map(({ endsAt }) => endsAt))).toBeLessThanOrEqual(calledAt);
    const order = answers.toSorted((a, b) => a.revision - b.revision).map(({ writer: region }) => region);
    expect(order.filter((region, i) => region !== order[i - 1])).toEqual(["eu-west", null, "us-east"]);
  }, 30_000);

  test("a replica that can't read the database says nothing rather than what it knew", async () => {
    await start();
    world.faults.isDatabaseAway = true;
    await expect(world.controlPlane.role("checkout")).rejects.toThrow();
    world.faults.isDatabaseAway = false;
    expect(await writer()).toBe("eu-west");
  }, 30_000);

  test("a service that isn't there or has no one writable place, and a region that it isn't in, are not found", async () => {
    await start();
    expect(await world.controlPlane.role("mail")).toMatchObject({ kind: "not-found" });
    expect(await world.controlPlane.role("checkout", "mars")).toMatchObject({ kind: "not-found" });
    expect(await world.controlPlane.role("checkout", "us-east")).toMatchObject({
      kind: "read",
      answer: { writer: "eu-west", mayWrite: false, validForMs: 300 },
    });
  }, 30_000);
});
