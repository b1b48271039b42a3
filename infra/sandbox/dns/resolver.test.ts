/** The caching resolver: what it keeps, for how long, and what it does when a server doesn't answer. */
import { afterEach, describe, expect, test } from "vitest";
import { createRoute53, type Route53 } from "../route53/index.ts";
import { createNameServers, createResolver, createSeededRandom, type NameServers, type Resolver } from "./index.ts";
import { testAsk } from "./test-client.ts";

interface World {
  readonly route53: Route53;
  readonly servers: NameServers;
  readonly resolver: Resolver;
  readonly zoneId: string;
  readonly write: (name: string, type: "A" | "TXT" | "CNAME", value: string, ttl?: number) => void;
  readonly forward: (seconds: number) => void;
}

let world: World | undefined;

const build = async (ttlFloorSeconds = 0): Promise<World> => {
  let clock = 1_000_000;
  const now = (): number => clock;
  const random = createSeededRandom(3);
  const route53 = createRoute53(
    { credentials: [{ accessKeyId: "a", secretAccessKey: "b" }], propagation: { minMs: 0, maxMs: 0 } },
    { now, random },
  );
  const created = route53.store.createZone({ name: "example.test.", callerReference: "x" });
  if (created.kind !== "created") throw new Error(created.kind);
  const zoneId = created.zone.head.id;
  const servers = await createNameServers({ store: route53.store, random });
  const resolver = await createResolver({ nameServerPorts: servers.ports, ttlFloorSeconds, now, random });
  const write: World["write"] = (name, type, value, ttl = 30) => {
    const outcome = route53.store.change(zoneId, { changes: [{ action: "UPSERT", set: { name, type, ttl, values: [value] } }] });
    if (outcome.kind !== "accepted") throw new Error(outcome.kind);
  };
  world = {
    route53,
    servers,
    resolver,
    zoneId,
    write,
    forward: (seconds) => {
      clock += seconds * 1_000;
    },
  };
  return world;
};

afterEach(async () => {
  await world?.resolver.close();
  await world?.servers.close();
  await world?.route53.close();
  world = undefined;
});

describe("the resolver", () => {
  test("says RA and not AA, and keeps an answer for its TTL, counting down", async () => {
    const { resolver, write, forward } = await build();
    write("www.example.test.", "A", "192.0.2.1");
    const first = await testAsk(resolver.port, { name: "www.example.test" });
    expect([first.data, first.message.flag_ra, first.message.flag_aa]).toEqual([["192.0.2.1"], true, false]);
    write("www.example.test.", "A", "192.0.2.2");
    forward(29);
    const later = await testAsk(resolver.port, { name: "WWW.example.test" });
    expect(later.data).toEqual(["192.0.2.1"]);
    expect(later.message.answers).toMatchObject([{ name: "WWW.example.test", ttl: 1 }]);
    forward(1);
    expect((await testAsk(resolver.port, { name: "www.example.test" })).data).toEqual(["192.0.2.2"]);
  });

  test("remembers that a name isn't there for as long as the SOA record says", async () => {
    const { resolver, write, forward } = await build();
    expect((await testAsk(resolver.port, { name: "late.example.test" })).rcode).toBe("NXDOMAIN");
    write("late.example.test.", "A", "192.0.2.1");
    forward(899);
    expect((await testAsk(resolver.port, { name: "late.example.test" })).rcode).toBe("NXDOMAIN");
    forward(1);
    expect((await testAsk(resolver.port, { name: "late.example.test" })).data).toEqual(["192.0.2.1"]);
  });

  test("keeps an answer for its floor where the TTL is less", async () => {
    const { resolver, write, forward } = await build(60);
    write("www.example.test.", "A", "192.0.2.1", 5);
    await testAsk(resolver.port, { name: "www.example.test" });
    write("www.example.test.", "A", "192.0.2.2", 5);
    forward(59);
    expect((await testAsk(resolver.port, { name: "www.example.test" })).data).toEqual(["192.0.2.1"]);
    forward(1);
    expect((await testAsk(resolver.port, { name: "www.example.test" })).data).toEqual(["192.0.2.2"]);
  });

  test("doesn't keep an answer of TTL 0, and forgets all when flushed", async () => {
    const { resolver, write } = await build();
    write("zero.example.test.", "A", "192.0.2.1", 0);
    write("www.example.test.", "A", "192.0.2.1");
    await testAsk(resolver.port, { name: "zero.example.test" });
    await testAsk(resolver.port, { name: "www.example.test" });
    write("zero.example.test.", "A", "192.0.2.2", 0);
    write("www.example.test.", "A", "192.0.2.2");
    expect((await testAsk(resolver.port, { name: "zero.example.test" })).data).toEqual(["192.0.2.2"]);
    expect((await testAsk(resolver.port, { name: "www.example.test" })).data).toEqual(["192.0.2.1"]);
    resolver.flush();
    expect((await testAsk(resolver.port, { name: "www.example.test" })).data).toEqual(["192.0.2.2"]);
  });

  test("fetches over TCP what doesn't fit UDP", async () => {
    const { resolver, write } = await build();
    const strings = Array.from({ length: 10 }, () => `"${"x".repeat(250)}"`).join(" ");
    write("big.example.test.", "TXT", strings);
    const answer = await testAsk(resolver.port, { name: "big.example.test", type: "TXT" }, "tcp");
    expect(answer.data[0]).toHaveLength(2_500);
  });

  test("asks another server when one is silent", async () => {
    const { resolver, servers, write } = await build();
    write("www.example.test.", "A", "192.0.2.1", 0);
    for (const index of [0, 1]) await servers.stop(index);
    for (let asked = 0; asked < 3; asked++)
      expect((await testAsk(resolver.port, { name: "www.example.test" })).data).toEqual(["192.0.2.1"]);
  });

  test("is SERVFAIL for a name that no server here knows, and gives the CNAME that leads to one", async () => {
    const { resolver, write } = await build();
    write("out.example.test.", "CNAME", "elsewhere.example.net");
    expect((await testAsk(resolver.port, { name: "example.net" })).rcode).toBe("SERVFAIL");
    const alias = await testAsk(resolver.port, { name: "out.example.test" });
    expect([alias.rcode, alias.data]).toEqual(["NOERROR", ["elsewhere.example.net"]]);
  });

  test("follows a CNAME into another zone of the account", async () => {
    const { route53, resolver, write } = await build();
    const other = route53.store.createZone({ name: "example.org.", callerReference: "y" });
    if (other.kind !== "created") throw new Error(other.kind);
    route53.store.change(other.zone.head.id, {
      changes: [{ action: "CREATE", set: { name: "www.example.org.", type: "A", ttl: 5, values: ["192.0.2.7"] } }],
    });
    write("out.example.test.", "CNAME", "www.example.org");
    expect((await testAsk(resolver.port, { name: "out.example.test" })).data).toEqual(["www.example.org", "192.0.2.7"]);
  });
});
