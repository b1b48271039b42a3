/** A region is left, and returned to, across services: the whole control plane over memory twins. */
import type { Evacuation } from "@regent/contract";
import { afterEach, describe, expect, test } from "vitest";
import { EVACUATION_STEP_SERVICES } from "../limits.ts";
import type { EvacuationOrder } from "../operations/evacuation/orders.ts";
import { changesOf, eventsOf, isHealthy, moveOrder, weightIn } from "../testing/play.ts";
import { FAST_SETTINGS, testService, testWorld, type World } from "../testing/world.ts";

const EU = "eu-west";
const US = "us-east";
/** A test's machine is busy: evidence may be older than in the profile. */
const settings = { ...FAST_SETTINGS, freshnessSeconds: 20 };

let world: World | null = null;
afterEach(async () => {
  await world?.stop();
  world = null;
});

const service = (id: string, more: object = {}): object =>
  testService(id, { kind: "active-passive", failback: "automatic" }, { settings, checks: CHECKS, ...more });
const CHECKS = [{ id: "web", kind: "http", path: "/healthz" }];

/** Nearly all of its capacity is in one region: without that one most of its traffic would go unserved (A3). */
const mostlyIn = (id: string, region: string, more: object = {}): object => {
  const endpoints = [EU, US].map((each, i) => ({
    region: each,
    capacity: each === region ? 1_000 : 1,
    headroom: 1,
    A: [`192.0.2.${i + 90}`],
    probe: { address: `127.0.0.1:${9000 + i}` },
  }));
  return service(id, { endpoints, safety: { capacityMin: 0.5 }, ...more });
};

/** It runs in one region alone: without that one its name would answer nothing. */
const onlyIn = (id: string, region: string, more: object = {}): object =>
  service(id, { endpoints: [{ region, A: ["192.0.2.99"], probe: { address: "127.0.0.1:9009" } }], ...more });

const begin = async (...services: object[]): Promise<World> => {
  const begun = await testWorld({ services });
  world = begun;
  await begun.until("all services are healthy", () => isHealthy(begun), 20_000);
  return begun;
};

const order = (more: Partial<EvacuationOrder> = {}): EvacuationOrder => ({
  region: EU,
  direction: "evacuate",
  by: "ada",
  reason: "a fire",
  breakGlass: [],
  dryRun: false,
  scope: null,
  ...more,
});

const evacuate = async ({ controlPlane }: World, more: Partial<EvacuationOrder> = {}): Promise<Evacuation> => {
  const result = await controlPlane.evacuate(order(more));
  if (result.kind !== "begun") throw new Error(JSON.stringify(result));
  return result.evacuation;
};

const find = async ({ controlPlane }: World, id: string): Promise<Evacuation> => {
  const found = await controlPlane.evacuation(id);
  if (!found) throw new Error(`no evacuation ${id}`);
  return found;
};

const ended = async (of: World, id: string): Promise<Evacuation> => {
  await of.until("the evacuation is over", async () => (await find(of, id)).state !== "running", 20_000);
  return find(of, id);
};

const states = ({ services }: Evacuation): Record<string, string> =>
  Object.fromEntries(services.map(({ service: id, state }) => [id, state]));

const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `s${String(i).padStart(2, "0")}`);

const told = async (of: World): Promise<string[]> => (await eventsOf(of, "evacuation")).map(({ why }) => why);

describe("an evacuation", () => {
  test("moves services in order of priority, the next step when the one before is accepted, and says so", async () => {
    const ids = many(EVACUATION_STEP_SERVICES + 5);
    const last = ids.at(-1) ?? "";
    const of = await begin(...ids.map((id) => service(id, id === last ? { priority: 1 } : {})));
    const { id } = await evacuate(of);
    const over = await ended(of, id);
    expect(over.services.map(({ service: each }) => each)).toEqual([last, ...ids.slice(0, -1)]);
    expect(new Set(Object.values(states(over)))).toEqual(new Set(["moved"]));
    const drains = (await changesOf(of)).filter(({ kind }) => kind === "drain");
    expect(drains).toHaveLength(ids.length);
    const first = over.services.slice(0, EVACUATION_STEP_SERVICES).map(({ service: each }) => each);
    const inFirst = drains.filter((change) => first.includes(change.service));
    const acceptedAt = Math.max(...inFirst.map(({ times }) => times.accepted ?? Number.POSITIVE_INFINITY));
    const later = drains.filter((change) => !first.includes(change.service)).map(({ times }) => times.decided);
    expect(later).toHaveLength(5);
    expect(Math.min(...later)).toBeGreaterThanOrEqual(acceptedAt);
    expect(await weightIn(of, EU, `${last}.example.test`)).toBe(0);
    expect(await told(of)).toEqual([
      `ada evacuates ${EU}, 30 of 30 services to move: a fire`,
      `the evacuation of ${EU} is done: 30 moved`,
    ]);
  }, 60_000);

  test("goes on past a service that a rule refuses, keeps the rule's words, and moves nothing back", async () => {
    const of = await begin(service("a1"), mostlyIn("b1", EU, { priority: 50 }), service("c1"));
    const preview = await of.controlPlane.evacuate(order({ dryRun: true }));
    expect(preview).toMatchObject({
      kind: "previewed",
      preview: [
        { service: "b1", state: "refused", answer: { rules: expect.arrayContaining([expect.objectContaining({ rule: "A3" })]) } },
        { service: "a1", state: "moved", answer: { sharesAfter: { default: { [EU]: 0, [US]: 1 } } } },
        { service: "c1", state: "moved" },
      ],
    });
    expect(await of.controlPlane.evacuations({ limit: 9 })).toEqual([]);
    const over = await ended(of, (await evacuate(of)).id);
    expect([over.state, states(over)]).toEqual(["done", { b1: "refused", a1: "moved", c1: "moved" }]);
    expect(over.services[0]?.why).toContain("held back by A3");
    expect(await weightIn(of, EU, "b1.example.test")).toBe(255);
    expect((await told(of)).at(-1)).toBe(`the evacuation of ${EU} is done: 2 moved, 1 refused; look at b1`);
    const skipping = await ended(of, (await evacuate(of, { breakGlass: ["A3"], reason: "a fire, all of it" })).id);
    expect(states(skipping)).toEqual({ b1: "moved", a1: "nothing", c1: "nothing" });
  }, 30_000);

  test("says of a service that nobody else is fit for that its traffic stays, and waits for no one else", async () => {
    const of = await begin(onlyIn("a1", EU, { priority: 1 }), service("b1"));
    const preview = await of.controlPlane.evacuate(order({ dryRun: true }));
    expect(preview).toMatchObject({ preview: [{ state: "failed", why: expect.stringContaining("no other region is fit") }, {}] });
    const { id } = await evacuate(of);
    await of.until("the other one moved", async () => states(await find(of, id)).b1 === "moved");
    const [a1] = (await find(of, id)).services;
    expect(a1).toMatchObject({ state: "moving", changeId: null, why: expect.stringContaining("its traffic stays") });
    expect(await weightIn(of, EU, "a1.example.test")).toBe(255);
  }, 30_000);

  test("that is stopped moves nothing that waits, and what was under way is followed to its end", async () => {
    const ids = many(EVACUATION_STEP_SERVICES + 3);
    const of = await begin(...ids.map((id) => service(id)));
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isSending = false;
    of.faults.around = async ({ name }, proceed) => {
      if (name === "dns.send") {
        isSending = true;
        await held;
      }
      return proceed();
    };
    const { id } = await evacuate(of);
    await of.until("the first step is sent", () => isSending, 10_000);
    const stopped = await of.controlPlane.stopEvacuation({ id, by: "ben", reason: "wrong region", scope: null });
    expect(stopped).toMatchObject({ kind: "stopped", evacuation: { state: "stopped", stopped: { by: "ben" } } });
    release();
    await of.until("what was under way moved", async () => !Object.values(states(await find(of, id))).includes("moving"));
    const counts = Object.values(states(await find(of, id)));
    expect(counts.filter((state) => state === "moved")).toHaveLength(EVACUATION_STEP_SERVICES);
    expect(counts.filter((state) => state === "waiting")).toHaveLength(3);
    expect(await weightIn(of, EU, "s27.example.test")).toBe(255);
    expect((await told(of)).at(-1)).toContain(`ben stopped the evacuation of ${EU}: wrong region;`);
    const again = await of.controlPlane.stopEvacuation({ id, by: "cy", reason: "me too", scope: null });
    expect(again).toMatchObject({ kind: "stopped", evacuation: { stopped: { by: "ben" } } });
  }, 60_000);

  test.each([
    { when: "before what it decided is written down here", isAt: (name: string) => name === "evacuations.write" },
    { when: "before what it decided is written ahead", isAt: (name: string) => name === "decisions.commit" },
  ])(
    "goes on under the next leader, and doubles no change: killed $when",
    async ({ isAt }) => {
      const ids = many(EVACUATION_STEP_SERVICES + 4);
      const of = await begin(...ids.map((id) => service(id)));
      const { id } = await evacuate(of);
      let isKilled = false;
      of.faults.around = async ({ name, args }, proceed) => {
        const isOfDrains = JSON.stringify(args).includes(name === "decisions.commit" ? '"kind":"drain"' : '"state":"moving"');
        if (!isKilled && isAt(name) && isOfDrains) {
          isKilled = true;
          of.kill();
          return new Promise(() => undefined);
        }
        return proceed();
      };
      await expect.poll(() => isKilled, { timeout: 10_000 }).toBe(true);
      await of.resurrect();
      const over = await ended(of, id);
      expect(new Set(Object.values(states(over)))).toEqual(new Set(["moved"]));
      const drained = (await changesOf(of)).filter(({ kind }) => kind === "drain").map((change) => change.service);
      expect(drained.sort()).toEqual(ids);
      expect(await told(of)).toHaveLength(2);
    },
    60_000,
  );

  test("is one for a region: who comes second is told who is at it, while another region may be left too", async () => {
    const of = await begin(service("a1"), service("b1"));
    of.faults.around = ({ name }, proceed) => (name === "dns.send" ? new Promise(() => undefined) : proceed());
    const first = await evacuate(of);
    const results = await Promise.all([
      of.controlPlane.evacuate(order({ by: "ben" })),
      of.controlPlane.evacuate(order({ by: "cy", direction: "return" })),
    ]);
    for (const result of results)
      expect(result).toMatchObject({ kind: "evacuation-running", running: { id: first.id, by: "ada", reason: "a fire" } });
    expect(await of.controlPlane.evacuate(order({ by: "ben", region: "ap-south" }))).toMatchObject({ kind: "begun" });
    expect(await of.controlPlane.evacuate(order({ region: "nowhere" }))).toMatchObject({ kind: "not-found" });
    expect(await of.controlPlane.evacuate(order({ region: US, scope: ["a1"] }))).toEqual({
      kind: "beyond-scope",
      services: ["b1"],
    });
  }, 30_000);

  test("waits where DNS can't be read, and goes on when it can", async () => {
    const of = await begin(service("a1"));
    let isAway = true;
    of.faults.around = async ({ name }, proceed) =>
      isAway && name === "dns.readNames" ? { kind: "failed", why: "ECONNRESET" } : proceed();
    const { id } = await evacuate(of);
    await of.until(
      "it says what it waits for",
      async () => (await find(of, id)).services[0]?.why?.includes("ECONNRESET") === true,
    );
    expect(states(await find(of, id))).toEqual({ a1: "waiting" });
    isAway = false;
    expect(states(await ended(of, id))).toEqual({ a1: "moved" });
  }, 30_000);

  test("has nothing to do at a service that is taken out of the declaration, and leaves out one that comes later", async () => {
    const of = await begin(service("a1"), service("b1"));
    let isHeld = true;
    of.faults.around = async ({ name }, proceed) =>
      isHeld && name === "dns.readNames" ? { kind: "failed", why: "ECONNRESET" } : proceed();
    const { id } = await evacuate(of);
    const services = of.declaration.services.filter((each) => each.id !== "b1");
    const [a1] = services;
    if (!a1) throw new Error("no service");
    await of.apply({ ...of.declaration, services: [a1, { ...a1, id: "c1" as never, name: "c1.example.test" as never }] });
    await of.until("it is declared anew", async () => (await of.controlPlane.service("b1")) === null);
    isHeld = false;
    const over = await ended(of, id);
    expect(states(over)).toEqual({ a1: "moved", b1: "nothing" });
    expect(over.services[1]?.why).toContain("isn't declared there any more");
  }, 30_000);
});

describe("a return", () => {
  test("takes back what evacuations drained, and leaves the drain that somebody made apart", async () => {
    const of = await begin(service("a1"), service("b1"), service("c1"));
    await of.controlPlane.move(moveOrder({ kind: "drain", region: EU }, { service: "c1" }));
    await of.until("c1 is drained", async () => (await weightIn(of, EU, "c1.example.test")) === 0);
    const away = await ended(of, (await evacuate(of)).id);
    expect(states(away)).toEqual({ a1: "moved", b1: "moved", c1: "nothing" });
    const back = await ended(of, (await evacuate(of, { direction: "return", by: "ben", reason: "the fire is out" })).id);
    expect(states(back)).toEqual({ a1: "moved", b1: "moved", c1: "nothing" });
    expect(back.services[2]?.why).toContain("drained before by ada (rehearsing)");
    for (const name of ["a1.example.test", "b1.example.test"]) expect(await weightIn(of, EU, name)).toBeGreaterThan(0);
    expect(await weightIn(of, EU, "c1.example.test")).toBe(0);
    const empty = await ended(of, (await evacuate(of, { direction: "return" })).id);
    expect(states(empty)).toEqual({ c1: "nothing" });
  }, 60_000);
});

describe("a region", () => {
  test("is frozen and unfrozen at every service at once, each with its entry, and told once", async () => {
    const of = await begin(service("a1"), service("b1"), onlyIn("c1", US));
    const freeze = (isFrozen: boolean, scope: readonly string[] | null = null) =>
      of.controlPlane.freezeRegion({ region: EU, isFrozen, by: "ada", reason: "a fire", scope });
    expect(await freeze(true, ["a1"])).toEqual({ kind: "beyond-scope", services: ["b1"] });
    expect(await freeze(true)).toMatchObject({ kind: "set", why: `ada froze ${EU} at 2 services: a fire` });
    expect(await freeze(true)).toMatchObject({ kind: "set", why: expect.stringContaining("at 2 it was so before") });
    expect((await eventsOf(of, "freeze")).map((each) => each.service)).toEqual(["a1", "b1"]);
    await freeze(false);
    expect((await eventsOf(of, "unfreeze")).map((each) => each.service)).toEqual(["a1", "b1"]);
  }, 30_000);
});
