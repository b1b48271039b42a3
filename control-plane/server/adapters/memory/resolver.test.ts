import type { RecordSet } from "@regent/engine";
import { describe, expect, test } from "vitest";
import { createMemoryDns } from "./dns-provider.ts";
import { createMemoryResolver } from "./resolver.ts";

const ZONE = "example.test";
const weighted = (id: string, weight: number, more: Partial<RecordSet> = {}): RecordSet => ({
  name: `www.${ZONE}`,
  type: "A",
  setIdentifier: id,
  weight,
  ttl: 5,
  values: [id],
  ...more,
});
const txt = (value: string): RecordSet => ({ name: `_regent.${ZONE}`, type: "TXT", ttl: 5, values: [`"${value}"`] });

const testWorld = (sets: readonly RecordSet[]) => {
  const world = { now: 0, random: 0 };
  const dns = createMemoryDns({ zones: [{ id: "Z1", name: ZONE, sets }], now: () => world.now });
  const servers = [
    { address: "192.0.2.53:53", host: "ns-1.example.net", delayMs: 0 },
    { address: "192.0.2.54:53", host: "ns-2.example.net", delayMs: 1_000 },
  ];
  const resolver = createMemoryResolver({ dns, servers, now: () => world.now, random: () => world.random });
  const ask = (name = `www.${ZONE}`, type: "A" | "AAAA" | "CNAME" | "TXT" = "A", server = 0) =>
    resolver.ask(servers[server]!.address, name, type, 100);
  const valueAt = async (random: number) => {
    world.random = random;
    const answer = await ask();
    return answer.kind === "answer" ? answer.values[0] : answer.kind;
  };
  return { world, dns, resolver, servers, ask, valueAt };
};

describe("servers of the memory DNS", () => {
  test("each shows a change after its own delay", async () => {
    const { world, dns, ask } = testWorld([txt("one")]);
    world.now = 10_000;
    dns.edit("Z1", { deletes: [txt("one")], creates: [txt("two")] });
    const seen = async () =>
      [await ask(`_regent.${ZONE}`, "TXT", 0), await ask(`_regent.${ZONE}`, "TXT", 1)].map((answer) =>
        answer.kind === "answer" ? answer.values[0] : answer.kind,
      );
    expect(await seen()).toEqual(["two", "one"]);
    world.now = 10_999;
    expect(await seen()).toEqual(["two", "one"]);
    world.now = 11_000;
    expect(await seen()).toEqual(["two", "two"]);
  });

  test("a batch that was accepted but stranded is seen for a while, then no more", async () => {
    const { world, dns, ask } = testWorld([txt("one")]);
    const sent = await dns.provider.send("Z1", { deletes: [txt("one")], creates: [txt("two")], comment: "" });
    world.now = 5_000;
    if (sent.kind === "accepted") dns.strand(sent.changeInfoId);
    expect(await ask(`_regent.${ZONE}`, "TXT", 0)).toMatchObject({ values: ["one"] });
    expect(await ask(`_regent.${ZONE}`, "TXT", 1)).toMatchObject({ values: ["two"] });
  });

  test("a silent server fails, a strange name is refused, and hosts are located", async () => {
    const { resolver, servers, ask } = testWorld([txt("one")]);
    resolver.silence(servers[0]!.address);
    expect((await ask()).kind).toBe("failed");
    resolver.unsilence(servers[0]!.address);
    expect(await ask("www.elsewhere.test")).toEqual({ kind: "failed", why: "REFUSED" });
    expect(await resolver.locate("ns-2.example.net.")).toEqual(["192.0.2.54:53"]);
    expect(await resolver.locate("ns-9.example.net")).toEqual([]);
  });
});

describe("Route 53's choice among weighted members", () => {
  test("follows the weights", async () => {
    const { valueAt } = testWorld([weighted("a", 64), weighted("b", 192)]);
    expect(await Promise.all([0, 0.249, 0.25, 0.999].map(valueAt))).toEqual(["a", "a", "b", "b"]);
  });

  test("leaves out the unhealthy and the weightless while another is fit", async () => {
    const { dns, valueAt } = testWorld([
      weighted("a", 100, { healthCheckId: "h" }),
      weighted("b", 0),
      weighted("c", 1, { healthCheckId: "i" }),
    ]);
    dns.setHealth("h", false);
    expect([await valueAt(0), await valueAt(0.999)]).toEqual(["c", "c"]);
    dns.setHealth("i", false);
    expect([await valueAt(0), await valueAt(0.999)]).toEqual(["b", "b"]);
  });

  test("is by weight again when nobody is healthy, and even when all weigh nothing", async () => {
    const down = testWorld([weighted("a", 100, { healthCheckId: "h" }), weighted("b", 0, { healthCheckId: "h" })]);
    down.dns.setHealth("h", false);
    expect([await down.valueAt(0), await down.valueAt(0.999)]).toEqual(["a", "a"]);
    const zero = testWorld([weighted("a", 0), weighted("b", 0)]);
    expect([await zero.valueAt(0.4), await zero.valueAt(0.6)]).toEqual(["a", "b"]);
  });
});

describe("names", () => {
  const at = (name: string, more: Partial<RecordSet> = {}): RecordSet => ({
    name,
    type: "A",
    ttl: 5,
    values: ["192.0.2.1"],
    ...more,
  });

  test("wildcards answer for what doesn't exist, at any depth, and stop at a name that does", async () => {
    const { ask } = testWorld([at(`*.${ZONE}`), at(`deep.below.${ZONE}`)]);
    expect((await ask(`x.${ZONE}`)).kind).toBe("answer");
    expect((await ask(`x.y.${ZONE}`)).kind).toBe("answer");
    expect(await ask(`x.${ZONE}`, "AAAA")).toEqual({ kind: "none", code: "NODATA" });
    expect(await ask(`below.${ZONE}`)).toEqual({ kind: "none", code: "NODATA" });
    expect(await ask(`other.below.${ZONE}`)).toEqual({ kind: "none", code: "NXDOMAIN" });
  });

  test("CNAMEs and aliases are followed, and a loop ends in a failure", async () => {
    const alias = { hostedZoneId: "Z1", name: `t.${ZONE}`, evaluateTargetHealth: false };
    const { ask } = testWorld([
      at(`t.${ZONE}`),
      { name: `al.${ZONE}`, type: "A", alias },
      { name: `c.${ZONE}`, type: "CNAME", ttl: 5, values: [`al.${ZONE}.`] },
      { name: `l1.${ZONE}`, type: "CNAME", ttl: 5, values: [`l2.${ZONE}`] },
      { name: `l2.${ZONE}`, type: "CNAME", ttl: 5, values: [`l1.${ZONE}`] },
    ]);
    expect(await ask(`c.${ZONE}`)).toMatchObject({ values: ["192.0.2.1"] });
    expect(await ask(`c.${ZONE}`, "CNAME")).toMatchObject({ values: [`al.${ZONE}`] });
    expect((await ask(`l1.${ZONE}`)).kind).toBe("failed");
  });
});
