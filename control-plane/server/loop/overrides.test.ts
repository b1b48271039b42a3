/**
 * Overrides in a whole control plane: they survive their leader, end in a normal change, lose no race with a batch that arrives late, and the second of
 * two operators is told. History is compared as a whole.
 */
import { afterEach, describe, expect, test } from "vitest";
import type { OverrideOrder } from "../operations/control/set-override.ts";
import { look } from "../testing/hand.ts";
import { writeOffline } from "../testing/offline.ts";
import { breakRegion, changesOf, eventsOf, goOn, isHealthy, moveOrder, rest, weightIn } from "../testing/play.ts";
import { FAST_SETTINGS, OK, testService, testWorld, type World } from "../testing/world.ts";

let world: World;
afterEach(() => world.stop());

const start = async (strategy: object = {}, settings: object = {}): Promise<void> => {
  const service = testService(
    "checkout",
    { kind: "active-passive", failback: "manual", ...strategy },
    { settings: { ...FAST_SETTINGS, ...settings } },
  );
  world = await testWorld({ services: [service] });
  await world.until("healthy", () => isHealthy(world));
};

const override = (what: OverrideOrder["what"], more: Partial<OverrideOrder> = {}) =>
  world.controlPlane.setOverride({
    service: "checkout",
    what,
    forMs: 60_000,
    until: null,
    by: "ann",
    reason: "new disks",
    breakGlass: [],
    dryRun: false,
    expectedRevision: null,
    ...more,
  });
const off = (region: string, more: Partial<OverrideOrder> = {}) => override({ kind: "off", region }, more);

/** `override made by ann`, `change drain by ann: accepted`: what history tells of decisions, in its order. */
const told = async (): Promise<string[]> =>
  (await eventsOf(world, "override", "change", "refused", "fence-lost", "control", "freeze", "fail-static")).map(
    ({ kind, actor, change, detail }) => {
      if (kind === "change") return `${change?.kind} by ${actor.name}: ${change?.stage === "lost" ? "lost" : "made"}`;
      return kind === "override" ? `override ${detail.step} by ${actor.name}` : kind;
    },
  );

const serves = (region: string, weight = 255): Promise<void> =>
  world.until(`${region} at ${weight}`, async () => (await weightIn(world, region)) === weight);

const standing = async () => (await world.controlPlane.service("checkout"))?.overrides ?? [];

describe("off", () => {
  test("shows its batch first, then moves at once, in its operator's name", async () => {
    await start();
    const dry = await off("eu-west", { dryRun: true });
    expect(dry).toMatchObject({ kind: "set", answer: { dryRun: true, allowed: true, changeId: null, override: null } });
    expect(dry.kind === "set" && dry.answer.batch.length).toBeGreaterThan(0);
    expect(await standing()).toEqual([]);
    const made = await off("eu-west", { expectedRevision: 1 });
    expect(made).toMatchObject({
      kind: "set",
      answer: { allowed: true, revision: 2, override: { by: "ann", reason: "new disks" } },
    });
    await serves("us-east");
    expect(await told()).toEqual(["create by regent: made", "override made by ann", "drain by ann: made"]);
    const { sentences } = (await world.controlPlane.explain("checkout")) ?? { sentences: [] };
    expect(sentences.join(" ")).toMatch(/Override \w{26}: eu-west is off by ann until .* left\): new disks\./);
  });

  test("runs out under another leader, is told once, and the region comes back in steps by a normal change", async () => {
    await start();
    await off("eu-west", { forMs: 1_500 });
    await serves("us-east");
    world.kill();
    await world.resurrect();
    await world.until("leading again", async () => (await standing()).length === 1);
    await serves("eu-west");
    await goOn(world, 300);
    const all = await told();
    expect(all.slice(0, 4)).toEqual([
      "create by regent: made",
      "override made by ann",
      "drain by ann: made",
      "override ran-out by regent",
    ]);
    expect(new Set(all.slice(4))).toEqual(new Set(["failback by regent: made"]));
    expect(all.length).toBeGreaterThan(5);
    expect(await standing()).toEqual([]);
  });

  test("ended by a person it ends the same way, and ending it again finds nothing", async () => {
    await start();
    const made = await off("eu-west");
    await serves("us-east");
    const id = made.kind === "set" ? (made.answer.override?.id ?? "") : "";
    const end = { service: "checkout", id, by: "bob", reason: "disks are in" };
    expect(await world.controlPlane.endOverride(end)).toMatchObject({ kind: "ended" });
    expect(await world.controlPlane.endOverride(end)).toMatchObject({ kind: "not-found" });
    await serves("eu-west");
    const all = await told();
    expect(all.slice(2, 4)).toEqual(["drain by ann: made", "override ended by bob"]);
    expect(new Set(all.slice(4))).toEqual(new Set(["failback by regent: made"]));
  });
});

describe("an override and an offline decision", () => {
  test("that says the opposite: DNS is obeyed, the override is over, and history says so", async () => {
    await start();
    await off("eu-west");
    await serves("us-east");
    await world.until("in sync", async () => (await changesOf(world)).at(-1)?.times.inSync !== undefined);
    await writeOffline(world, { to: "eu-west" });
    await look(world);
    await world.until("obeyed", async () => (await told()).includes("freeze"));
    await goOn(world, 400);
    expect(await weightIn(world, "eu-west")).toBe(255);
    expect(await standing()).toEqual([]);
    expect((await told()).slice(3).sort()).toEqual(["freeze", "override overruled by regent"]);
  });
});

describe("an override races a batch that arrives late", () => {
  test("made before it arrives: the override's batch takes its place, and the late one can't land any more", async () => {
    await start();
    world.dns.breakNextSend({ kind: "late", delayMs: 900 });
    // In the moment of the send: whoever asks by hand is next in the zone's turn.
    let asked: ReturnType<typeof off> | null = null;
    world.faults.around = ({ name }, proceed) => {
      if (name === "dns.send") asked ??= off("us-east");
      return proceed();
    };
    breakRegion(world, "eu-west");
    await world.until("asked", () => asked !== null);
    expect(await asked).toMatchObject({ kind: "set", answer: { allowed: true } });
    await serves("ap-south");
    await goOn(world, 1_200);
    expect(await world.weights("checkout.example.test")).toEqual({ "eu-west": 0, "us-east": 0, "ap-south": 255 });
    expect(await told()).toEqual([
      "create by regent: made",
      "failover by regent: lost",
      "override made by ann",
      "drain by ann: made",
      "fence-lost",
    ]);
  });

  test("made after it arrived and before anybody knew: what DNS says is settled first, and the override moves on from there", async () => {
    await start();
    breakRegion(world, "eu-west");
    world.dns.breakNextSend({ kind: "unknown-after" });
    await world.until("sent", async () => (await changesOf(world)).length === 2);
    expect(await off("us-east")).toMatchObject({ kind: "set", answer: { allowed: true, revision: 3 } });
    await serves("ap-south");
    expect(await told()).toEqual([
      "create by regent: made",
      "failover by regent: made",
      "override made by ann",
      "drain by ann: made",
    ]);
  });
});

describe("two operators with opposite wishes", () => {
  test("asked in the same moment, one is done and the other is told whose word stands", async () => {
    await start();
    const [first, second] = await Promise.all([
      off("us-east"),
      override({ kind: "on", region: "us-east" }, { by: "bob", reason: "it is fine" }),
    ]);
    expect(first).toMatchObject({ kind: "set" });
    expect(second).toMatchObject({ kind: "override-stands" });
    expect(second.kind === "override-stands" && second.why).toMatch(
      /^us-east is off by ann until .*: new disks; override \w{26} has to end first$/,
    );
    expect(await world.controlPlane.move(moveOrder({ kind: "failover", to: "us-east" }))).toMatchObject({
      kind: "override-stands",
    });
    expect(await told()).toEqual(["create by regent: made", "override made by ann"]);
  });

  test("beside a pin nothing moves by hand; what is drained is neither pinned nor on", async () => {
    await start();
    await world.controlPlane.move(moveOrder({ kind: "drain", region: "ap-south" }));
    expect(await override({ kind: "on", region: "ap-south" })).toMatchObject({ kind: "override-stands", override: null });
    expect(await override({ kind: "pin", shares: { "ap-south": 1 } })).toMatchObject({ kind: "override-stands", override: null });
    expect(await override({ kind: "pin", shares: { "eu-west": 0.5, "us-east": 0.5 } })).toMatchObject({ kind: "set" });
    for (const move of [{ kind: "failback" }, { kind: "failover", to: "us-east" }, { kind: "drain", region: "us-east" }] as const)
      expect(await world.controlPlane.move(moveOrder(move))).toMatchObject({ kind: "override-stands" });
    expect(await off("us-east", { by: "bob" })).toMatchObject({ kind: "override-stands" });
    expect(await told()).toEqual(["create by regent: made", "control", "override made by ann", "rebalance by ann: made"]);
  });
});

describe("pin and freeze", () => {
  test("a pinned region that dies keeps its part, and somebody is paged once", async () => {
    await start();
    await override({ kind: "pin", shares: { "eu-west": 1 } });
    breakRegion(world, "eu-west");
    await world.until("told", async () => (await told()).includes("fail-static"));
    await goOn(world, 500);
    expect(await weightIn(world, "eu-west")).toBe(255);
    expect(await told()).toEqual(["create by regent: made", "override made by ann", "fail-static"]);
    const [page] = await eventsOf(world, "fail-static");
    expect(page).toMatchObject({ page: true, detail: { overridden: true } });
    world.see = () => OK;
  });

  test("a region that dies while it is on keeps its traffic, somebody is paged once, and its end is a failover", async () => {
    await start();
    await override({ kind: "on", region: "eu-west" }, { forMs: 3_000 });
    breakRegion(world, "eu-west");
    await world.until("told", async () => (await told()).includes("fail-static"));
    expect(await weightIn(world, "eu-west")).toBe(255);
    expect((await eventsOf(world, "fail-static"))[0]).toMatchObject({ page: true, detail: { overridden: true } });
    await serves("us-east");
    expect(await told()).toEqual([
      "create by regent: made",
      "override made by ann",
      "fail-static",
      "override ran-out by regent",
      "failover by regent: made",
    ]);
  });

  test("a freeze stands in DNS until it runs out, and automation goes on by itself", async () => {
    await start();
    await override({ kind: "freeze" }, { forMs: 1_500 });
    await world.until("in DNS", async () => (await told()).includes("freeze by ann: made"));
    breakRegion(world, "eu-west");
    await world.until("held", async () => (await told()).includes("refused"));
    expect(await weightIn(world, "eu-west")).toBe(255);
    await serves("us-east");
    expect(await told()).toEqual([
      "create by regent: made",
      "override made by ann",
      "freeze by ann: made",
      "refused",
      "override ran-out by regent",
      "failover by regent: made",
    ]);
  });
});

describe("bad input", () => {
  test.each([
    { title: "an end in the past", more: { forMs: null, until: 5 }, path: "until" },
    { title: "no time at all", more: { forMs: 0 }, path: "until" },
    { title: "more than 7 days", more: { forMs: 7 * 86_400_000 + 60_000 }, path: "until" },
    { title: "a region that isn't declared", what: { kind: "off" as const, region: "mars" }, path: "what.region" },
    { title: "shares of one", what: { kind: "pin" as const, shares: { mars: 1 } }, path: "what.shares.mars" },
    { title: "shares that aren't 1 together", what: { kind: "pin" as const, shares: { "eu-west": 0.5 } }, path: "what.shares" },
    { title: "no shares", what: { kind: "pin" as const, shares: {} }, path: "what.shares" },
  ])("$title is refused and kept nowhere", async ({ what = { kind: "off" as const, region: "eu-west" }, more = {}, path }) => {
    await start();
    const result = await override(what, more);
    expect(result).toMatchObject({ kind: "invalid-override", problems: [{ path }] });
    expect(await standing()).toEqual([]);
  });

  test("a service that isn't declared, and a revision that has passed", async () => {
    await start();
    expect(await off("eu-west", { service: "nobody" })).toMatchObject({ kind: "not-found" });
    expect(await off("eu-west", { expectedRevision: 7 })).toEqual({ kind: "stale-revision", revision: 1 });
    expect(await override({ kind: "freeze" }, { expectedRevision: 7 })).toEqual({ kind: "stale-revision", revision: 1 });
  });

  test("what a rule refuses is kept nowhere: on, without A6 named, brings nothing to where evidence speaks against it", async () => {
    await start();
    breakRegion(world, "eu-west");
    await serves("us-east");
    const refused = await override({ kind: "on", region: "eu-west" });
    expect(refused).toMatchObject({ kind: "refused-by-rule" });
    expect(refused.kind === "refused-by-rule" && refused.answer.why).toContain("held back by A6 (eu-west is unhealthy");
    expect(await standing()).toEqual([]);
    expect(await override({ kind: "on", region: "eu-west" }, { breakGlass: ["A6"] })).toMatchObject({ kind: "set" });
    await rest(50);
    await serves("eu-west");
  });
});
