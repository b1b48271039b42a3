/** The memory twin under the port's laws, and what only it can do. */
import { describe, expect, test } from "vitest";
import { type BrokenSend, dnsProviderSuite } from "../../ports/suites/dns-provider.suite.ts";
import { createMemoryDns, type SendFault } from "./dns-provider.ts";

const ZONE = { id: "Z1", name: "example.test", nameServers: ["ns-1.example.test"] };
const faultOf: Readonly<Record<BrokenSend, SendFault>> = {
  throttled: { kind: "throttled" },
  busy: { kind: "busy" },
  "lost-before": { kind: "unknown-before" },
  "lost-after": { kind: "unknown-after" },
  late: { kind: "late", delayMs: 500 },
};

dnsProviderSuite("memory DNS", async () => {
  let now = 0;
  const dns = createMemoryDns({ zones: [ZONE], now: () => now, inSyncAfterMs: 1_000 });
  return {
    provider: dns.provider,
    zoneId: ZONE.id,
    zoneName: ZONE.name,
    healthCheckId: "check-1",
    breakNextSend: (fault) => dns.breakNextSend(faultOf[fault]),
    letTimePass: async () => {
      now += 100;
    },
    close: async () => {},
  };
});

describe("memory DNS, beyond the port", () => {
  const txt = (value: string) => ({ name: "_regent.example.test", type: "TXT", ttl: 5, values: [`"${value}"`] });

  test("a stranded change is missing, and the zone is as it was before it", async () => {
    const dns = createMemoryDns({ zones: [{ ...ZONE, sets: [txt("one")] }], now: () => 0 });
    const sent = await dns.provider.send("Z1", { deletes: [txt("one")], creates: [txt("two")], comment: "" });
    if (sent.kind !== "accepted") expect.fail(sent.kind);
    dns.strand(sent.changeInfoId);
    expect(await dns.provider.readChange(sent.changeInfoId)).toEqual({ kind: "missing" });
    expect(await dns.provider.readZone("Z1")).toEqual({ kind: "sets", sets: [txt("one")] });
  });

  test("faults of reads come one for each call, in order", async () => {
    const dns = createMemoryDns({ zones: [ZONE], now: () => 0 });
    dns.breakNextRead({ kind: "throttled" });
    dns.breakNextRead({ kind: "denied" });
    const kinds = [await dns.provider.readZone("Z1"), await dns.provider.readNames("Z1", []), await dns.provider.readZone("Z1")];
    expect(kinds.map(({ kind }) => kind)).toEqual(["throttled", "denied", "sets"]);
  });

  test("another hand's edit obeys the same rules and makes a stale batch refused", async () => {
    const dns = createMemoryDns({ zones: [{ ...ZONE, sets: [txt("one")] }], now: () => 0 });
    expect(dns.edit("Z1", { deletes: [txt("zero")], creates: [] })).toBe("refused");
    expect(dns.edit("Z1", { deletes: [txt("one")], creates: [txt("theirs")] })).toBe("applied");
    expect((await dns.provider.send("Z1", { deletes: [txt("one")], creates: [txt("two")], comment: "" })).kind).toBe("refused");
    expect(dns.sends()).toBe(1);
  });

  test("health is what was set, null before", async () => {
    const dns = createMemoryDns({ zones: [ZONE], now: () => 0 });
    dns.setHealth("a", false);
    dns.setHealth("b", true);
    expect(await dns.provider.readHealth(["a", "b", "c"])).toEqual({ a: false, b: true, c: null });
  });
});
