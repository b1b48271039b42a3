/** Authoritative answers over real sockets, and what garbage does to them: nothing. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseChangeBatch } from "../route53/change-batch.ts";
import { createRoute53 } from "../route53/index.ts";
import { createNameServers, type NameServers } from "./index.ts";
import { createResponder } from "./name-server.ts";
import { createSeededRandom } from "./random.ts";
import { testAsk, testDecode, testQuery, testSendTcp, testSendUdp } from "./test-client.ts";

const set = (name: string, type: string, ...values: readonly string[]): string =>
  `<Change><Action>CREATE</Action><ResourceRecordSet><Name>${name}</Name><Type>${type}</Type><TTL>5</TTL><ResourceRecords>${values
    .map((value) => `<ResourceRecord><Value>${value}</Value></ResourceRecord>`)
    .join("")}</ResourceRecords></ResourceRecordSet></Change>`;
const weighted = (id: string, weight: number, value: string): string =>
  `<Change><Action>CREATE</Action><ResourceRecordSet><Name>w.example.test</Name><Type>A</Type><SetIdentifier>${id}</SetIdentifier><Weight>${weight}</Weight><TTL>5</TTL><ResourceRecords><ResourceRecord><Value>${value}</Value></ResourceRecord></ResourceRecords></ResourceRecordSet></Change>`;

const route53 = createRoute53({
  credentials: [{ accessKeyId: "a", secretAccessKey: "b" }],
  nameServerNames: ["ns-1.sandbox.test"],
  propagation: { minMs: 0, maxMs: 0 },
});
let servers: NameServers;
let port = 0;

beforeAll(async () => {
  const zone = route53.store.createZone({ name: "example.test.", callerReference: "x" });
  if (zone.kind !== "created") throw new Error(zone.kind);
  const changes = [
    set("www.example.test", "A", "192.0.2.1"),
    set("six.example.test", "AAAA", "2001:db8::1"),
    set("alias.example.test", "CNAME", "www.example.test"),
    set("out.example.test", "CNAME", "www.example.net"),
    set("loop.example.test", "CNAME", "pool.example.test"),
    set("pool.example.test", "CNAME", "loop.example.test"),
    set("_regent.www.example.test", "TXT", '"regent1 o=x t=1" " r=2"'),
    set("mail.example.test", "MX", "10 mx.example.test"),
    set("srv.example.test", "SRV", "1 2 443 www.example.test"),
    set("caa.example.test", "CAA", '0 issue "ca.example.net"'),
    set("*.wild.example.test", "A", "192.0.2.9"),
    set("deep.under.wild.example.test", "A", "192.0.2.10"),
    set("sub.example.test", "NS", "ns.sub.example.test"),
    set("ns.sub.example.test", "A", "192.0.2.53"),
    set("big.example.test", "TXT", ...Array.from({ length: 12 }, (_, index) => `"${index}${"x".repeat(200)}"`)),
    weighted("eu", 3, "192.0.2.11"),
    weighted("us", 1, "192.0.2.12"),
  ].join("");
  const parsed = parseChangeBatch(
    `<ChangeResourceRecordSetsRequest><ChangeBatch><Changes>${changes}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>`,
  );
  if (parsed.kind !== "batch") throw new Error(parsed.messages.join());
  expect(route53.store.change(zone.zone.head.id, parsed.batch).kind).toBe("accepted");
  servers = await createNameServers({ store: route53.store, random: createSeededRandom(11) });
  port = servers.ports[0]!;
});
afterAll(async () => {
  await servers.close();
  await route53.close();
});

describe("answers", () => {
  test.each<[string, string, string, readonly string[]]>([
    ["an address", "www.example.test", "A", ["192.0.2.1"]],
    ["an IPv6 address", "six.example.test", "AAAA", ["2001:db8::1"]],
    ["a CNAME and what it leads to in the zone", "alias.example.test", "A", ["www.example.test", "192.0.2.1"]],
    ["a CNAME alone where it leads out of the zone", "out.example.test", "A", ["www.example.net"]],
    ["a CNAME itself when asked for", "alias.example.test", "CNAME", ["www.example.test"]],
    ["the strings of a TXT value", "_regent.www.example.test", "TXT", ["regent1 o=x t=1 r=2"]],
    ["a mail exchange", "mail.example.test", "MX", ['{"preference":10,"exchange":"mx.example.test"}']],
    ["a service", "srv.example.test", "SRV", ['{"priority":1,"weight":2,"port":443,"target":"www.example.test"}']],
    ["the zone's name servers", "example.test", "NS", ["ns-1.sandbox.test"]],
    ["a wildcard", "any.wild.example.test", "A", ["192.0.2.9"]],
    ["a wildcard two labels down", "a.b.wild.example.test", "A", ["192.0.2.9"]],
    ["a name below a wildcard that exists", "deep.under.wild.example.test", "A", ["192.0.2.10"]],
  ])("%s", async (_, name, type, data) => {
    for (const transport of ["udp", "tcp"] as const) {
      const answer = await testAsk(port, { name, type }, transport);
      expect([answer.rcode, answer.data, answer.message.flag_aa, answer.message.flag_ra]).toEqual(["NOERROR", data, true, false]);
    }
  });

  test("the owner is spelled as it was asked", async () => {
    const { message } = await testAsk(port, { name: "wWw.ExAmPlE.tEsT" });
    expect(message.answers?.[0]?.name).toBe("wWw.ExAmPlE.tEsT");
  });

  test("one record of a weighted group per question, in proportion", async () => {
    const counts = new Map<string, number>();
    for (let asked = 0; asked < 400; asked++) {
      const { data } = await testAsk(port, { name: "w.example.test" });
      expect(data).toHaveLength(1);
      counts.set(data[0]!, (counts.get(data[0]!) ?? 0) + 1);
    }
    expect(Math.abs(counts.get("192.0.2.11")! / 400 - 0.75)).toBeLessThan(4 * Math.sqrt((0.75 * 0.25) / 400));
  });
});

describe("nothing", () => {
  test.each<[string, string, string, string]>([
    ["a name that isn't there is NXDOMAIN", "nobody.example.test", "A", "NXDOMAIN"],
    ["another type of a name that is, is NODATA", "www.example.test", "AAAA", "NOERROR"],
    ["a name that only has names below it is NODATA", "under.wild.example.test", "A", "NOERROR"],
    ["below a name that exists, the wildcard above it doesn't apply", "x.under.wild.example.test", "A", "NXDOMAIN"],
    ["another type of a wildcard is NODATA", "any.wild.example.test", "TXT", "NOERROR"],
  ])("%s, with the SOA record and the lesser of its TTLs", async (_, name, type, rcode) => {
    const answer = await testAsk(port, { name, type });
    expect([answer.rcode, answer.data, answer.message.flag_aa]).toEqual([rcode, [], true]);
    const [soa] = answer.message.authorities ?? [];
    expect(soa).toMatchObject({ type: "SOA", name: "example.test", ttl: 900, data: { minimum: 86_400 } });
  });
  test("another zone is REFUSED", async () => {
    const answer = await testAsk(port, { name: "example.net" });
    expect([answer.rcode, answer.message.flag_aa]).toEqual(["REFUSED", false]);
  });
  test("a delegated name is referred, without AA, with glue", async () => {
    const { message, rcode } = await testAsk(port, { name: "x.sub.example.test" });
    expect([rcode, message.flag_aa, message.answers]).toEqual(["NOERROR", false, []]);
    expect(message.authorities).toMatchObject([{ type: "NS", name: "sub.example.test", data: "ns.sub.example.test" }]);
    expect(message.additionals).toMatchObject([{ type: "A", name: "ns.sub.example.test", data: "192.0.2.53" }]);
  });
  test("a CNAME loop is SERVFAIL", async () => {
    expect((await testAsk(port, { name: "loop.example.test" })).rcode).toBe("SERVFAIL");
  });
});

describe("size and EDNS", () => {
  test("an answer over 512 bytes is cut for an asker without EDNS, and whole over TCP", async () => {
    const cut = await testAsk(port, { name: "big.example.test", type: "TXT" });
    expect([cut.message.flag_tc, cut.data]).toEqual([true, []]);
    const whole = await testAsk(port, { name: "big.example.test", type: "TXT" }, "tcp");
    expect([whole.message.flag_tc, whole.data.length]).toEqual([false, 12]);
  });
  test("EDNS is answered with EDNS, and its size counts up to ours", async () => {
    const { message } = await testAsk(port, { name: "big.example.test", type: "TXT", edns: 4_096 });
    expect(message.flag_tc).toBe(true);
    expect(message.additionals).toMatchObject([{ type: "OPT", udpPayloadSize: 1_232 }]);
    expect((await testAsk(port, { name: "www.example.test" })).message.additionals).toEqual([]);
  });
  test("another EDNS version is BADVERS", async () => {
    const bytes = testQuery({ name: "www.example.test", edns: 1_232 });
    bytes[bytes.length - 5] = 1;
    const answer = testDecode((await testSendUdp(port, bytes))!);
    expect(answer.message.additionals).toMatchObject([{ type: "OPT", extendedRcode: 1 }]);
  });
  test("many questions on one TCP connection, in small pieces, are all answered", async () => {
    const messages = Array.from({ length: 20 }, (_, id) => testQuery({ name: "www.example.test", id }));
    const answers = await testSendTcp(port, messages, 7);
    expect(answers.map((bytes) => testDecode(bytes).message.id)).toEqual(messages.map((_, id) => id));
  });
});

describe("what isn't a question", () => {
  const rcodeOf = (bytes: Buffer): number => bytes[3]! & 0xf;
  test.each<[string, (query: Buffer) => unknown, number]>([
    ["two questions are FORMERR", (query) => query.writeUInt16BE(2, 4), 1],
    ["no question is FORMERR", (query) => query.writeUInt16BE(0, 4), 1],
    ["a name that points into nowhere is FORMERR", (query) => query.writeUInt16BE(0xffff, 12), 1],
    ["a label that isn't text is FORMERR", (query) => query.fill(0xff, 13, 16), 1],
    ["a dot inside a label is FORMERR", (query) => query.fill(0x2e, 14, 15), 1],
    ["a label longer than the message is FORMERR", (query) => query.writeUInt8(60, 12), 1],
    ["another operation is NOTIMP", (query) => query.writeUInt8(0x28, 2), 4],
  ])("%s", async (_, spoil, rcode) => {
    const query = testQuery({ name: "www.example.test" });
    spoil(query);
    const answer = await testSendUdp(port, query);
    expect(answer?.subarray(0, 2)).toEqual(query.subarray(0, 2));
    expect(rcodeOf(answer!)).toBe(rcode);
  });
  test("an answer, or less than a header, gets silence", async () => {
    const reply = testQuery({ name: "www.example.test" });
    reply[2] = 0x80;
    expect(await testSendUdp(port, reply, 100)).toBeUndefined();
    expect(await testSendUdp(port, Buffer.from([1, 2, 3]), 100)).toBeUndefined();
  });
  test("five thousand spoiled messages leave it answering", async () => {
    const random = createSeededRandom(5);
    const spoiled = Array.from({ length: 5_000 }, (_, index) => {
      if (index % 3 === 0)
        return Buffer.from(Array.from({ length: 12 + Math.floor(random() * 80) }, () => Math.floor(random() * 256)));
      const query = testQuery({ name: "www.example.test", type: "A", edns: 1_232 });
      for (let flips = 0; flips < 1 + (index % 4); flips++)
        query[Math.floor(random() * query.length)] = Math.floor(random() * 256);
      return query.subarray(0, 1 + Math.floor(random() * query.length));
    });
    const respond = createResponder({ store: route53.store, health: route53.store.health, random, viewer: {} }, 0);
    for (const bytes of spoiled) expect(() => respond(Buffer.from(bytes), "udp")).not.toThrow();
    expect((await testAsk(port, { name: "www.example.test" })).data).toEqual(["192.0.2.1"]);
  });
});
