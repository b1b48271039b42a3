/** Somebody else's hand in DNS: reported, adopted or reverted, and in an emergency moved around. Names are adopted, taken over and released. */
import type { RecordSet } from "@regent/engine";
import { afterEach, describe, expect, test } from "vitest";
import { EPOCH_NAME, epochAt, look, NAME, ownOrder, rewrite, setsAt, shown, weigh } from "../testing/hand.ts";
import { breakRegion, changesOf, eventsOf, goOn, isHealthy, moveOrder, rest, weightIn } from "../testing/play.ts";
import { OK, sharedDns, testService, testWorld, type World } from "../testing/world.ts";

let world: World;
const others: World[] = [];
afterEach(async () => {
  await world.stop();
  for (const other of others.splice(0)) await other.stop();
});

const PASSIVE = { kind: "active-passive", failback: "automatic" };
const WRITTEN = ["ap-south 192.0.2.12 0 5", "eu-west 192.0.2.10 255 5", "us-east 192.0.2.11 0 5"];

const start = async (drift: unknown = "report", strategy: object = PASSIVE): Promise<void> => {
  world = await testWorld({ services: [testService("checkout", strategy, { drift })] });
  await world.until("healthy", () => isHealthy(world));
  expect(await shown(world)).toEqual(WRITTEN);
};
const state = async () => {
  const service = await world.controlPlane.service("checkout");
  if (!service) throw new Error("no service");
  return service;
};
const drifts = (): ReturnType<typeof eventsOf> => eventsOf(world, "drift");
const record = () =>
  world.database.decisions.load().then(({ services }) => services.find(({ service }) => service === "checkout"));
const kinds = async (): Promise<string[]> => (await changesOf(world)).map(({ kind }) => kind);
const unfreeze = () =>
  world.controlPlane.setFreeze({
    scope: { kind: "service", service: "checkout" },
    isFrozen: false,
    by: "ada",
    reason: "looked at it",
  });
const BLUE: RecordSet = { name: NAME, type: "A", setIdentifier: "blue", weight: 3, ttl: 9, values: ["192.0.2.77"] };

/** One edit of every class: eu-west's weight, us-east's value and check, everybody's TTL, ap-south gone, blue new. */
const editEverything = (): Promise<void> =>
  rewrite(world, (set) => {
    if (set.setIdentifier === "ap-south") return { ...BLUE };
    if (set.setIdentifier === "us-east") return { ...set, ttl: 9, weight: 40, values: ["192.0.2.99"], healthCheckId: "hc-9" };
    return { ...set, ttl: 9, weight: 200 };
  });
const AROUND = ["blue 192.0.2.77 3 9", "eu-west 192.0.2.10 0 9", "us-east 192.0.2.99 40 9 hc-9"];

describe("an edit that is reported", () => {
  test("is told once, with a line for each difference and a page; automation is held and nothing is written", async () => {
    await start();
    await editEverything();
    const before = await shown(world);
    const sends = world.dns.sends();
    for (let i = 0; i < 5; i++) await look(world);
    await goOn(world, 1_200);
    const [told, ...more] = await drifts();
    expect(more).toEqual([]);
    expect(told).toMatchObject({ page: true, detail: { policy: "report" } });
    expect(told?.detail.lines).toHaveLength(8);
    expect((await state()).drift).toMatch(/^weight: checkout\.example\.test A eu-west has weight 200; Regent wrote 255\./);
    const { sentences } = (await world.controlPlane.explain("checkout")) ?? { sentences: [] };
    expect(sentences.join(" ")).toContain("until you move checkout by hand");
    expect(world.dns.sends()).toBe(sends);
    expect(await shown(world)).toEqual(before);
  });

  test("that is undone by its own hand is over, and told so", async () => {
    await start();
    await rewrite(world, weigh({ "us-east": 7 }));
    await look(world);
    await rewrite(world, weigh({ "us-east": 0 }));
    await look(world);
    expect((await drifts()).map(({ why, page }) => [why.slice(0, 30), page])).toEqual([
      ["weight: checkout.example.test ", true],
      ["DNS is again as Regent wrote i", false],
    ]);
  });

  test("is replaced by an operator's move, and all that is left of it is what it added", async () => {
    await start();
    await editEverything();
    await look(world);
    const moved = await world.controlPlane.move(moveOrder({ kind: "failover", to: "us-east" }));
    expect(moved.kind).toBe("answered");
    await world.until("replaced", async () => (await weightIn(world, "us-east")) === 255);
    expect(await shown(world)).toEqual([
      "ap-south 192.0.2.12 0 5",
      "blue 192.0.2.77 3 5",
      "eu-west 192.0.2.10 0 5",
      "us-east 192.0.2.11 255 5 hc-9",
    ]);
    await look(world);
    expect((await state()).drift).toBeNull();
  });

  test("is not overwritten by what an operator asked for before it", async () => {
    await start("report", { kind: "active-passive", failback: "manual" });
    world.faults.around = async ({ name }, proceed) => {
      if (name === "dns.send") await rewrite(world, weigh({ "ap-south": 9 }));
      return proceed();
    };
    await world.controlPlane.move(moveOrder({ kind: "failover", to: "us-east" }));
    await world.until("told", async () => (await drifts()).length > 0);
    world.faults.around = (_, proceed) => proceed();
    await goOn(world, 1_500);
    expect(await world.weights(NAME)).toEqual({ "eu-west": 255, "us-east": 0, "ap-south": 9 });
    await world.controlPlane.move(moveOrder({ kind: "failover", to: "us-east" }));
    await world.until("moved", async () => (await weightIn(world, "us-east")) === 255);
    expect(await weightIn(world, "ap-south")).toBe(0);
  });

  test.each([
    ["and the batch arrives at once", null],
    ["and the batch is lost on its way", "unknown-before"],
    ["and only its answer is lost", "unknown-after"],
    ["and Route 53 throttles", "throttled"],
  ] as const)("in an emergency is moved around %s: kept, told, held, over a restart, until unfrozen", async (_, fault) => {
    await start();
    await editEverything();
    await look(world);
    if (fault) world.dns.breakNextSend({ kind: fault });
    breakRegion(world, "eu-west");
    await world.until("moved", async () => (await weightIn(world, "eu-west")) === 0);
    await goOn(world, 800);
    expect(await shown(world)).toEqual(AROUND);
    expect((await state()).drift).toMatch(/^weight: /);
    expect((await record())?.ownership.edit).toMatchObject({ isKept: true, policy: "report" });
    const sends = world.dns.sends();
    await world.restart();
    world.see = () => OK;
    await world.until("healthy", () => isHealthy(world));
    await goOn(world, 1_800);
    expect(await shown(world)).toEqual(AROUND);
    expect(world.dns.sends()).toBe(sends);
    expect((await state()).drift).toMatch(/^weight: /);
    expect((await drifts()).filter(({ page }) => page)).toHaveLength(1);
    expect((await kinds()).filter((kind) => kind === "failover")).toHaveLength(1);
    await unfreeze();
    await world.until("as declared", async () => (await shown(world))[0] === "ap-south 192.0.2.12 0 5");
    expect((await state()).drift).toBeNull();
    expect((await shown(world)).filter((line) => /192\.0\.2\.99/.test(line))).toEqual([]);
  });

  test("in an emergency survives a kill between the draft and the send", async () => {
    await start();
    await editEverything();
    await look(world);
    world.faults.around = async ({ name }, proceed) => {
      if (name === "dns.send") world.kill();
      return proceed();
    };
    breakRegion(world, "eu-west");
    while (!world.faults.isDead) await goOn(world, 40);
    await world.resurrect();
    await world.until("moved", async () => (await weightIn(world, "eu-west")) === 0);
    await goOn(world, 800);
    expect(await shown(world)).toEqual(AROUND);
    expect((await record())?.ownership.edit?.isKept).toBe(true);
    expect((await kinds()).filter((kind) => kind === "failover")).toHaveLength(1);
  });

  test("that is kept is what a follower shows, and keeps when it leads", async () => {
    await start();
    const follower = await world.addReplica();
    await editEverything();
    await look(world);
    breakRegion(world, "eu-west");
    await world.until("moved", async () => (await weightIn(world, "eu-west")) === 0);
    const { drift } = await state();
    await world.until(
      "followed",
      async () => (await follower.controlPlane.service("checkout"))?.written?.default?.["eu-west"] === 0,
    );
    expect((await follower.controlPlane.service("checkout"))?.drift).toBe(drift);
    const sends = world.dns.sends();
    await world.controlPlane.stop();
    Object.assign(world, follower);
    await world.until("it leads", () => world.controlPlane.readiness().isLeader);
    await goOn(world, 1_800);
    expect(await shown(world)).toEqual(AROUND);
    expect(await state()).toMatchObject({ drift });
    expect(world.dns.sends()).toBe(sends);
  });

  test("that is kept stays kept when another edit comes and goes", async () => {
    await start({ weight: "report", ttl: "revert" });
    await rewrite(world, weigh({ "us-east": 7 }));
    await look(world);
    breakRegion(world, "eu-west");
    await world.until("moved", async () => (await weightIn(world, "eu-west")) === 0);
    await world.until("kept", async () => (await record())?.ownership.edit?.isKept === true);
    await rewrite(world, (set) => ({ ...set, ttl: 77 }));
    await look(world);
    await goOn(world, 800);
    // A revert of the second would undo the first.
    expect(await shown(world)).toEqual(["ap-south 192.0.2.12 0 77", "eu-west 192.0.2.10 0 77", "us-east 192.0.2.11 7 77"]);
    expect((await state()).drift).toMatch(/^ttl: .* Before that: weight: /);
    await rewrite(world, (set) => ({ ...set, ttl: 5 }));
    await look(world);
    await goOn(world, 800);
    expect(await world.weights(NAME)).toEqual({ "eu-west": 0, "us-east": 7, "ap-south": 0 });
    expect((await state()).drift).toMatch(/^weight: /);
  });

  test("that is kept ends when these records are declared anew", async () => {
    await start();
    await rewrite(world, weigh({ "us-east": 7 }));
    await look(world);
    breakRegion(world, "eu-west");
    await world.until("kept", async () => (await record())?.ownership.edit?.isKept === true);
    const [service] = world.declaration.services;
    if (!service) throw new Error("no service");
    await world.apply({ ...world.declaration, services: [{ ...service, ttl: 60 }] });
    await world.until("declared", async () => (await shown(world))[0] === "ap-south 192.0.2.12 0 60");
    expect(await weightIn(world, "eu-west")).toBe(0);
    expect((await state()).drift).toBeNull();
    expect((await record())?.ownership.edit).toBeNull();
  });
});

describe("an edit that is adopted", () => {
  test("is what is expected and wanted from then on; the service is frozen, in DNS too, until a person unfreezes it", async () => {
    await start("adopt");
    await editEverything();
    const before = await shown(world);
    await look(world);
    await world.until("frozen in DNS", async () => (await epochAt(world))?.mode === "frozen");
    expect(await shown(world)).toEqual(before);
    const { frozen, drift } = await state();
    expect(frozen?.reason).toMatch(/^DNS was edited, and its policy is to adopt: weight: .* Regent wrote 255\./);
    expect(drift).toMatch(/^weight: /);
    breakRegion(world, "eu-west");
    await goOn(world, 1_200);
    expect(await shown(world)).toEqual(before);
    world.see = () => OK;
    await world.restart();
    await goOn(world, 1_500);
    expect(await shown(world)).toEqual(before);
    const paged = (await drifts()).filter(({ page }) => page);
    expect(paged.map(({ why }) => why.slice(0, 60))).toEqual(["adopted what another hand wrote, and froze the service: weig"]);
    await unfreeze();
    await world.until("as declared", async () => (await shown(world))[0] === "ap-south 192.0.2.12 0 5");
    expect(await epochAt(world)).toMatchObject({ mode: "auto" });
    expect((await shown(world)).filter((line) => /192\.0\.2\.99/.test(line))).toEqual([]);
  });

  test.each([
    ["all zero", (set: RecordSet) => ({ ...set, weight: 0 })],
    ["empty", () => null],
  ])("is never an %s family: that is reported", async (_, change) => {
    await start("adopt");
    await rewrite(world, change);
    await look(world);
    await goOn(world, 600);
    expect((await record())?.ownership.edit).toMatchObject({ policy: "report", isKept: false });
    expect((await state()).frozen).toBeNull();
    expect((await record())?.written).toEqual({ default: { "eu-west": 255, "us-east": 0, "ap-south": 0 } });
  });
});

describe("an edit that is reverted", () => {
  test("leads back to exactly what was written before, checks and additions too; a fourth time within an hour it is reported", async () => {
    await start("revert");
    for (let i = 1; i <= 3; i++) {
      await editEverything();
      await look(world);
      await world.until("reverted", async () => (await shown(world)).join() === WRITTEN.join());
      await world.until("accepted", async () => (await kinds()).filter((kind) => kind === "revert").length === i);
    }
    await editEverything();
    const fought = await shown(world);
    await look(world);
    await goOn(world, 1_200);
    expect(await shown(world)).toEqual(fought);
    expect((await state()).drift).toMatch(/It was reverted 3 times within an hour; now it is reported\.$/);
    expect(await kinds()).toEqual(["create", "revert", "revert", "revert"]);
  });

  test("stays while the service is frozen, and goes when it is unfrozen", async () => {
    await start("revert");
    await world.controlPlane.setFreeze({
      scope: { kind: "service", service: "checkout" },
      isFrozen: true,
      by: "ada",
      reason: "a drill",
    });
    await world.until("frozen in DNS", async () => (await epochAt(world))?.mode === "frozen");
    await rewrite(world, (set) => ({ ...set, ttl: 77 }));
    await look(world);
    await goOn(world, 1_000);
    expect((await shown(world))[0]).toBe("ap-south 192.0.2.12 0 77");
    await unfreeze();
    await world.until("reverted", async () => (await shown(world)).join() === WRITTEN.join());
  });

  test("of a type that isn't declared is nothing that a batch may take away: it is reported, and nothing is written", async () => {
    await start("revert");
    const sends = world.dns.sends();
    await rewrite(world, (set) =>
      set.setIdentifier === "eu-west" ? [set, { ...BLUE, type: "AAAA", values: ["2001:db8::7"] }] : set,
    );
    await look(world);
    await goOn(world, 800);
    expect(world.dns.sends()).toBe(sends);
    expect((await state()).drift).toMatch(/^rival: checkout\.example\.test AAAA blue is there/);
  });
});

describe("adopting a name", () => {
  const simple: RecordSet = { name: NAME, type: "A", ttl: 60, values: ["192.0.2.11"] };
  const weighted = (region: string, at: number, weight: number): RecordSet => ({
    name: NAME,
    type: "A",
    setIdentifier: `tf-${region}`,
    weight,
    ttl: 60,
    values: [`192.0.2.${10 + at}`],
  });
  const adopt = (more = {}) => world.controlPlane.own(ownOrder("adopt", more));
  const begin = async (sets: readonly RecordSet[], strategy: object = { kind: "active-passive", failback: "manual" }) => {
    world = await testWorld({ services: [testService("checkout", strategy)], sets });
    await world.until("told", async () => (await drifts()).length === 1);
    expect(world.dns.sends()).toBe(0);
  };

  test("shows the batch first, keeps the traffic where it is, and leaves it there", async () => {
    await begin([simple]);
    const dry = await adopt({ dryRun: true });
    if (dry.kind !== "answered") throw new Error(dry.kind);
    expect(
      dry.answer.batch.map(
        ({ action, set }) => `${action} ${set.name} ${set.type} ${set.setIdentifier ?? "-"} ${set.weight ?? "-"}`,
      ),
    ).toEqual([
      `DELETE ${NAME} A - -`,
      `CREATE ${EPOCH_NAME} TXT - -`,
      `CREATE ${NAME} A eu-west 0`,
      `CREATE ${NAME} A us-east 255`,
      `CREATE ${NAME} A ap-south 0`,
    ]);
    expect(world.dns.sends()).toBe(0);
    expect(await setsAt(world)).toEqual([simple]);
    expect((await adopt()).kind).toBe("answered");
    await world.until("adopted", async () => (await weightIn(world, "us-east")) === 255);
    await world.until("healthy", () => isHealthy(world));
    await goOn(world, 1_000);
    expect(await world.weights(NAME)).toEqual({ "eu-west": 0, "us-east": 255, "ap-south": 0 });
    expect(await kinds()).toEqual(["adopt"]);
    expect((await drifts()).filter(({ page }) => page)).toHaveLength(1);
    const again = await adopt();
    expect(again).toMatchObject({ kind: "answered", answer: { allowed: false, changeId: null } });
    breakRegion(world, "us-east");
    await world.until("failover from there", async () => (await weightIn(world, "us-east")) === 0);
  });

  test("of weighted records keeps their proportions", async () => {
    await begin([weighted("eu", 0, 10), weighted("us", 1, 30)], { kind: "active-active", failback: "manual" });
    const answer = await adopt({ dryRun: true });
    expect(answer).toMatchObject({ answer: { weightsAfter: { default: { "eu-west": 10, "us-east": 30, "ap-south": 0 } } } });
  });

  test("on a stale read is refused by DNS, counts for nothing, and can be repeated", async () => {
    await begin([weighted("us", 1, 30), weighted("ap", 2, 0)]);
    let isFirst = true;
    world.faults.around = async ({ name }, proceed) => {
      if (name === "dns.send" && isFirst) {
        isFirst = false;
        await rewrite(world, (set) => ({ ...set, weight: set.setIdentifier === "tf-ap" ? 99 : 0 }));
      }
      return proceed();
    };
    await adopt();
    await world.until("refused", async () => (await changesOf(world)).some(({ stage }) => stage === "refused"));
    expect((await setsAt(world)).map(({ weight }) => weight)).toEqual([0, 99]);
    expect(await epochAt(world)).toBeNull();
    expect((await record())?.traffic.passive.default?.active).toBe("eu-west");
    await adopt();
    await world.until("adopted", async () => (await world.weights(NAME))["ap-south"] === 99);
    await world.until("known", async () => (await record())?.traffic.passive.default?.active === "ap-south");
  });

  test("whose adoption never arrived leaves the traffic of an own name where it was wanted", async () => {
    await start();
    await rewrite(world, weigh({ "eu-west": 0, "us-east": 255 }));
    await look(world);
    world.faults.around = async ({ name }, proceed) => {
      if (name === "dns.send") await rewrite(world, weigh({ "eu-west": 255, "us-east": 0 }));
      return proceed();
    };
    await adopt();
    await world.until("refused", async () =>
      (await changesOf(world)).some(({ stage }) => stage === "refused" || stage === "lost"),
    );
    world.faults.around = (_, proceed) => proceed();
    await look(world);
    await goOn(world, 1_000);
    expect(await shown(world)).toEqual(WRITTEN);
    expect(await kinds()).toEqual(["create", "adopt"]);
  });

  test("that external-dns marks is refused, and its marks are never touched", async () => {
    const mark = { name: `a-${NAME}`, type: "TXT", ttl: 300, values: ['"heritage=external-dns,external-dns/owner=k8s"'] };
    await begin([simple, mark]);
    const answer = await adopt();
    expect(answer).toMatchObject({
      kind: "name-taken",
      why: expect.stringMatching(/external-dns \(owner k8s\).*a-checkout.*Take the name out/),
    });
    expect(await setsAt(world, mark.name)).toEqual([mark]);
    expect(world.dns.sends()).toBe(0);
  });

  test("of another owner needs exactly that owner's name", async () => {
    await start();
    const other = await testWorld({ owner: "newcomer", elsewhere: sharedDns(world) });
    others.push(other);
    const own = (takeover: string | null) => other.controlPlane.own(ownOrder("adopt", { takeover }));
    await other.until("told", async () => (await eventsOf(other, "drift")).length === 1);
    expect(await own(null)).toMatchObject({ kind: "name-taken", why: expect.stringContaining("--takeover test") });
    expect(await own("tset")).toMatchObject({ kind: "name-taken", why: expect.stringContaining("names owner test, not tset") });
    const moved = await other.controlPlane.move(moveOrder({ kind: "failover", to: "us-east" }));
    expect(moved).toMatchObject({ kind: "name-taken", why: expect.stringContaining("owner test") });
    breakRegion(other, "eu-west");
    await goOn(other, 800);
    expect(await shown(world)).toEqual(WRITTEN);

    expect((await own("test")).kind).toBe("answered");
    await rest(300);
    expect(await epochAt(world)).toMatchObject({ owner: "newcomer" });
    other.see = () => OK;
    const sends = world.dns.sends();
    breakRegion(world, "eu-west");
    await look(world);
    await goOn(world, 1_200);
    expect(world.dns.sends()).toBe(sends);
    expect((await drifts()).filter(({ page }) => page)).toHaveLength(1);
    expect((await drifts()).at(-1)?.why).toMatch(/names owner newcomer.*--takeover newcomer/);
  });
});

describe("two installations with different owners that begin at once", () => {
  test("one gets the name, the other is told whose it is; neither writes over the other", async () => {
    world = await testWorld();
    const other = await testWorld({ owner: "other", elsewhere: sharedDns(world) });
    others.push(other);
    await Promise.race([
      world.until("one has it", async () => (await epochAt(world)) !== null),
      other.until("one has it", async () => (await epochAt(world)) !== null),
    ]);
    const first = await epochAt(world);
    breakRegion(world, "us-east");
    breakRegion(other, "us-east");
    await Promise.all([goOn(world, 1_200), goOn(other, 1_200)]);
    expect(await epochAt(world)).toEqual(first);
    const [winner, loser] = first?.owner === "test" ? [world, other] : [other, world];
    expect((await eventsOf(winner, "drift")).filter(({ page }) => page)).toEqual([]);
    expect((await eventsOf(loser, "drift")).filter(({ page }) => page)).toHaveLength(1);
  });
});

describe("releasing a name", () => {
  const own = (verb: "adopt" | "release", more = {}) => world.controlPlane.own(ownOrder(verb, more));

  test("takes the epoch record away and nothing else; nothing is written afterwards until it is adopted again", async () => {
    await start();
    const dry = await own("release", { dryRun: true });
    if (dry.kind !== "answered") throw new Error(dry.kind);
    expect(dry.answer.batch.map(({ action, set }) => `${action} ${set.name}`)).toEqual([`DELETE ${EPOCH_NAME}`]);
    expect(await epochAt(world)).not.toBeNull();
    await own("release");
    await world.until("released", async () => (await epochAt(world)) === null);
    await world.until("seen by everybody", async () => (await changesOf(world)).at(-1)?.times.visible !== undefined);
    const sends = world.dns.sends();
    breakRegion(world, "eu-west");
    await goOn(world, 1_000);
    await world.restart();
    await goOn(world, 1_500);
    expect(await shown(world)).toEqual(WRITTEN);
    expect(world.dns.sends()).toBe(sends);
    const events = await drifts();
    expect(events.map(({ why, page }) => [why.slice(0, 34), page])).toEqual([["ada released the name: rehearsing.", false]]);
    expect(await world.controlPlane.move(moveOrder({ kind: "failover", to: "us-east" }))).toMatchObject({
      kind: "name-taken",
      why: expect.stringContaining("regent adopt checkout"),
    });
    await own("adopt");
    await world.until("moved on", async () => (await weightIn(world, "eu-west")) === 0);
    expect((await drifts()).filter(({ page }) => page)).toEqual([]);
  });

  test("that DNS refused is undone", async () => {
    await start();
    world.faults.around = async ({ name }, proceed) => {
      if (name === "dns.send") await rewrite(world, (set) => ({ ...set, ttl: 300 }), EPOCH_NAME);
      return proceed();
    };
    await own("release");
    await world.until("refused", async () => (await changesOf(world)).at(-1)?.stage === "refused");
    world.faults.around = (_, proceed) => proceed();
    await look(world);
    expect((await record())?.ownership.released).toBeNull();
    breakRegion(world, "eu-west");
    await world.until("still ours", async () => (await weightIn(world, "eu-west")) === 0);
  });
});
