/** Transfers of the writable role that something gets in the way of: an override, a freeze, a hook that promotes long after everybody gave up. */
import type { HistoryEvent, TransferState } from "@regent/contract";
import { afterEach, describe, expect, test } from "vitest";
import { createMemoryHook, type MemoryHook } from "../adapters/memory/hook-caller.ts";
import { type Databases, playDatabases } from "../testing/databases.ts";
import { eventsOf, goOn, isHealthy, moveOrder, weightIn } from "../testing/play.ts";
import { REFUSED, testService, testWorld, type World } from "../testing/world.ts";

const HOOK = { url: "https://hooks.example.net/", secret: { file: "hook" } };
const STATEFUL = { check: "db", leaseSeconds: 0.3, prepareSeconds: 4, roleSeconds: 3, hook: HOOK };
const CHECKS = [
  { id: "web", kind: "http", path: "/healthz" },
  { id: "db", kind: "postgres", from: "inside", secret: "probe" },
];

let world: World;
let hook: MemoryHook;
let databases: Databases;
afterEach(() => world.stop());

const start = async (stateful: object = {}): Promise<void> => {
  hook = createMemoryHook();
  const declared = { checks: CHECKS, stateful: { ...STATEFUL, ...stateful } };
  world = await testWorld({ hooks: hook, services: [testService("checkout", { kind: "active-passive" }, declared)] });
  databases = playDatabases(world);
  hook.answer = ({ from, to }) => databases.promote(from, to);
  await world.until("healthy", () => isHealthy(world));
  await world.until("the standbys' lag is known", async () => {
    const { services } = await world.database.decisions.load();
    return services[0]?.databases.filter(({ lagMs }) => lagMs !== null).length === 2;
  });
};

const stepOf = ({ detail, page }: HistoryEvent): string =>
  `${detail.step === "goes-on" ? (detail.transfer as TransferState).phase : String(detail.step)}${page ? "!" : ""}`;
const told = async (): Promise<string[]> => (await eventsOf(world, "transfer")).map(stepOf);
const transfer = async (): Promise<TransferState | undefined> => (await world.controlPlane.transfers())[0];
const phase = (wanted: TransferState["phase"], timeoutMs?: number): Promise<void> =>
  world.until(`transfer ${wanted}`, async () => (await transfer())?.phase === wanted, timeoutMs);
const writer = async (): Promise<string | null> => {
  const role = await world.controlPlane.role("checkout");
  return role.kind === "read" ? role.answer.writer : "not read";
};
const freeze = (isFrozen: boolean) =>
  world.controlPlane.setFreeze({ scope: { kind: "service", service: "checkout" }, isFrozen, by: "bob", reason: "hands off" });

describe("an override", () => {
  test("that takes a standby as fit has the role led there once, and the traffic after it", async () => {
    await start();
    const see = world.see;
    world.see = (agent, target) => (target.split("/")[1] === "us-east" && target.endsWith("/web") ? REFUSED : see(agent, target));
    await world.until("us-east is unhealthy", async () =>
      (await world.controlPlane.overview()).services.some(({ regions }) =>
        regions.some(({ region, verdict }) => region === "us-east" && verdict === "unhealthy"),
      ),
    );
    const order = { service: "checkout", forMs: 60_000, until: null, by: "ann", dryRun: false, expectedRevision: null };
    const what = { kind: "on", region: "us-east" } as const;
    await world.controlPlane.setOverride({ ...order, what, reason: "the check is wrong", breakGlass: ["A1", "A3", "A5", "A6"] });
    databases.dead.add("eu-west");
    await phase("done", 15_000);
    expect(await told()).toEqual(["begun!", "role", "switch", "verify", "done"]);
    expect(await weightIn(world, "us-east")).toBe(255);
  }, 30_000);
});

describe("a freeze", () => {
  test("after a first call that failed: the hook isn't called again, and the transfer ends in its time", async () => {
    await start();
    hook.answer = () => ({ answer: "failed", isFenced: null, why: "no answer in time" });
    databases.dead.add("eu-west");
    await world.until("asked", () => hook.asked.length > 0, 15_000);
    await freeze(true);
    await goOn(world, 300);
    const before = hook.asked.length;
    hook.answer = ({ from, to }) => databases.promote(from, to);
    await phase("stopped", 15_000);
    expect(hook.asked).toHaveLength(before);
    expect(await weightIn(world, "eu-west")).toBe(255);
  }, 30_000);

  test("after the promotion: it pages at once that the role has moved and the traffic hasn't, which follows when it ends", async () => {
    await start();
    hook.answer = async ({ from, to }) => {
      await freeze(true);
      return databases.promote(from, to);
    };
    databases.dead.add("eu-west");
    await phase("switch", 15_000);
    await world.until("people are told", async () => {
      const { incidents } = await world.controlPlane.incidents({ limit: 50, state: "open" });
      return incidents.some(
        ({ severity, title, lines }) =>
          severity === "critical" &&
          title.includes("the writable role of checkout has moved to us-east, and the traffic hasn't") &&
          lines.some(({ why }) => why.includes("checkout is frozen by bob")),
      );
    });
    expect(await weightIn(world, "eu-west")).toBe(255);
    expect(await writer()).toBe("us-east");
    await freeze(false);
    await phase("done", 15_000);
    expect(await told()).toEqual(["begun!", "role", "switch", "switch!", "verify", "done"]);
    expect(await weightIn(world, "us-east")).toBe(255);
  }, 30_000);
});

describe("a newer word of an operator's", () => {
  test("that the traffic stays ends a transfer before the hook was asked, and a dry run of it ends nothing", async () => {
    await start({ leaseSeconds: 3 });
    await world.controlPlane.move(moveOrder({ kind: "failover", to: "us-east" }));
    await world.controlPlane.move(moveOrder({ kind: "failback" }, { dryRun: true }));
    await world.controlPlane.move(moveOrder({ kind: "failover", to: "us-east" }));
    expect((await transfer())?.phase).toBe("prepare");
    await world.controlPlane.move(moveOrder({ kind: "failback" }));
    expect(await transfer()).toMatchObject({
      phase: "stopped",
      why: expect.stringContaining("ada ended it: failback: rehearsing"),
    });
    expect(await writer()).toBe("eu-west");
    await goOn(world, 3_500);
    expect(hook.asked).toEqual([]);
    expect(await told()).toEqual(["begun!", "stopped"]);
    expect(await weightIn(world, "eu-west")).toBe(255);
  }, 30_000);
});

describe("an old primary that comes back as it was", () => {
  test("pages, gets no traffic back by a failback, and what is settled is told", async () => {
    await start();
    databases.dead.add("eu-west");
    await phase("done", 15_000);
    databases.role["eu-west"] = "primary";
    databases.dead.delete("eu-west");
    await world.until("two are told", async () => (await told()).includes("doubled!"));
    await world.until("healthy", () => isHealthy(world));
    const back = await world.controlPlane.move(moveOrder({ kind: "failback" }));
    expect(back).toMatchObject({ kind: "refused-by-rule" });
    expect(await weightIn(world, "us-east")).toBe(255);
    expect(await writer()).toBe("us-east");
    databases.role["eu-west"] = "standby";
    await world.until("settled", async () => (await told()).at(-1) === "settled");
  }, 40_000);
});

describe("a hook that promotes long after everybody gave up", () => {
  test("takes the leave to write back from the old one, until one alone is seen to write again", async () => {
    await start();
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    hook.answer = async () => {
      await held;
      return { answer: "promoted", isFenced: false, why: "" };
    };
    await world.controlPlane.move(moveOrder({ kind: "failover", to: "us-east" }));
    await world.until("asked", () => hook.asked.length === 1);
    await world.controlPlane.stopTransfer({ service: "checkout", by: "bob", reason: "the wrong one" });
    await goOn(world, 1_500);
    // It may still be at work.
    expect(await writer()).toBeNull();
    await world.until("its time is over", async () => (await writer()) === "eu-west", 10_000);
    databases.role["us-east"] = "primary";
    release();
    await world.until("nobody may write", async () => (await writer()) === null);
    await goOn(world, 1_000);
    expect(await writer()).toBeNull();
    databases.role["eu-west"] = "standby";
    await world.until("settled anew", async () => (await writer()) === "us-east", 10_000);
    expect(await told()).toEqual(["begun!", "stopped!", "settled", "stopped!", "settled"]);
  }, 40_000);
});
