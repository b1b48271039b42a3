/** What an applied configuration does to names that are written already. */
import type { Declaration } from "@regent/contract";
import { afterEach, describe, expect, test } from "vitest";
import { breakRegion, changesOf, eventsOf, goOn, isHealthy, weightIn } from "../testing/play.ts";
import { testService, testWorld, type World } from "../testing/world.ts";

let world: World;
afterEach(() => world.stop());

type Service = Declaration["services"][number];

const start = async (services?: object[]): Promise<void> => {
  world = await testWorld(services ? { services } : {});
  await world.until("healthy", () => isHealthy(world));
};

const alter = (id: string, change: (service: Service) => Service): Promise<void> =>
  world.apply({
    ...world.declaration,
    services: world.declaration.services.map((service) => (service.id === id ? change(service) : service)),
  });

const setsOf = async (name: string) => {
  const read = await world.dns.provider.readNames(world.zoneId, [name]);
  if (read.kind !== "sets") throw new Error(read.kind);
  return read.sets;
};

const withoutRegion = (region: string) => (service: Service) => ({
  ...service,
  endpoints: service.endpoints.filter((endpoint) => endpoint.region !== region),
});

describe("endpoints", () => {
  test("another TTL and another address are written once, with today's weights, as configuration", async () => {
    await start();
    await alter("checkout", (service) => ({
      ...service,
      ttl: 20,
      endpoints: service.endpoints.map((e) => (e.region === "us-east" ? { ...e, A: ["192.0.2.77"] } : e)),
    }));
    await world.until("written", async () => (await setsOf("checkout.example.test")).every(({ ttl }) => ttl === 20));
    await goOn(world, 400);
    expect((await changesOf(world)).map(({ kind }) => kind)).toEqual(["create", "configure"]);
    const moved = (await setsOf("checkout.example.test")).find(({ setIdentifier }) => setIdentifier === "us-east");
    expect(moved).toMatchObject({ values: ["192.0.2.77"], weight: 0, ttl: 20 });
  });

  test("a region that is taken out while it has the traffic gives it to the next, and its records go", async () => {
    await start();
    await alter("checkout", withoutRegion("eu-west"));
    await world.until("moved", async () => (await weightIn(world, "us-east")) === 255);
    expect(await world.weights("checkout.example.test")).toEqual({ "us-east": 255, "ap-south": 0 });
    expect(await eventsOf(world, "drift")).toEqual([]);
  });

  test("a region that is taken out while everything is frozen keeps the others' services decided", async () => {
    await start([
      testService("checkout", { kind: "active-passive", failback: "automatic" }),
      testService("shop", { kind: "active-active", failback: "automatic" }),
    ]);
    const scope = { kind: "service", service: "checkout" } as const;
    await world.controlPlane.setFreeze({ scope, isFrozen: true, by: "ada", reason: "release night" });
    await world.until("frozen", async () => (await changesOf(world)).some(({ kind }) => kind === "freeze"));
    await alter("checkout", withoutRegion("eu-west"));
    breakRegion(world, "ap-south");
    await world.until("the other one moves", async () => (await weightIn(world, "ap-south", "shop.example.test")) === 0);
    const sum = Object.values(await world.weights("checkout.example.test")).reduce((a, b) => a + b, 0);
    expect(sum).toBeGreaterThan(0);
  });

  test("a region that is added gets its records with weight 0, and then its turn", async () => {
    await start([testService("checkout", { kind: "active-passive", failback: "automatic" }, {})]);
    const whole = world.declaration;
    await alter("checkout", withoutRegion("us-east"));
    await world.until("gone", async () => (await weightIn(world, "us-east")) === undefined);
    await world.apply(whole);
    await world.until("there", async () => (await weightIn(world, "us-east")) === 0);
    await world.until("healthy", () => isHealthy(world));
    breakRegion(world, "eu-west");
    await world.until("moved", async () => (await weightIn(world, "us-east")) === 255);
  });

  test("a type that is declared no longer goes, and isn't mistaken for somebody else's hand", async () => {
    const both = testService("checkout", { kind: "active-passive", failback: "automatic" }) as { endpoints: object[] };
    await start([{ ...both, endpoints: both.endpoints.map((e, i) => ({ ...e, AAAA: [`2001:db8::${i + 1}`] })) }]);
    await alter("checkout", (service) => ({
      ...service,
      endpoints: service.endpoints.map(({ AAAA: _gone, ...endpoint }) => endpoint) as Service["endpoints"],
    }));
    await world.until("gone", async () => (await setsOf("checkout.example.test")).every(({ type }) => type === "A"));
    await goOn(world, 300);
    expect(await eventsOf(world, "drift")).toEqual([]);
    breakRegion(world, "eu-west");
    await world.until("moved", async () => (await weightIn(world, "us-east")) === 255);
  });
});

describe("services", () => {
  test("one that is taken out is left as it stands, and the others go on", async () => {
    await start([
      testService("checkout", { kind: "active-passive", failback: "automatic" }),
      testService("shop", { kind: "active-passive", failback: "automatic" }),
    ]);
    await world.apply({ ...world.declaration, services: world.declaration.services.filter(({ id }) => id === "shop") });
    breakRegion(world, "eu-west");
    await world.until("shop moves", async () => (await weightIn(world, "us-east", "shop.example.test")) === 255);
    await goOn(world, 200);
    expect(await weightIn(world, "eu-west")).toBe(255);
    expect((await world.controlPlane.overview()).services.map(({ id }) => id)).toEqual(["shop"]);
  });

  test("one that gets another name is written there with the same weights", async () => {
    await start();
    await alter("checkout", (service) => ({ ...service, name: "pay.example.test" }));
    await world.until("written", async () => (await weightIn(world, "eu-west", "pay.example.test")) === 255);
    await goOn(world, 300);
    expect(await eventsOf(world, "drift")).toEqual([]);
    breakRegion(world, "eu-west");
    await world.until("moved", async () => (await weightIn(world, "us-east", "pay.example.test")) === 255);
    expect(await weightIn(world, "eu-west")).toBe(255);
    expect((await changesOf(world)).map(({ kind }) => kind)).toEqual(["create", "configure", "failover"]);
  });

  test("one that can't be rendered doesn't hold back the others of its zone", async () => {
    await start([
      testService("checkout", { kind: "active-passive", failback: "automatic" }),
      testService("shop", { kind: "active-passive", failback: "automatic" }),
    ]);
    // Validation refuses this; a mistake of ours might not.
    await alter("checkout", (service) => ({
      ...service,
      endpoints: service.endpoints.map(({ A, ...e }) => (e.region === "us-east" ? e : { ...e, A })) as Service["endpoints"],
    }));
    breakRegion(world, "eu-west");
    await world.until("shop moves", async () => (await weightIn(world, "us-east", "shop.example.test")) === 255);
  });
});

describe("versions", () => {
  test("an older one that was read slowly never replaces a newer one", async () => {
    await start();
    let reads = 0;
    world.faults.around = async ({ name }, proceed) => {
      const answer = await proceed();
      if (name === "configurations.read" && reads++ === 0) await new Promise((resolve) => setTimeout(resolve, 200));
      return answer;
    };
    await alter("checkout", (service) => ({ ...service, ttl: 21 }));
    await goOn(world, 50);
    await alter("checkout", (service) => ({ ...service, ttl: 22 }));
    await goOn(world, 600);
    expect((await world.controlPlane.overview()).configurationVersion).toBe(3);
  });
});
