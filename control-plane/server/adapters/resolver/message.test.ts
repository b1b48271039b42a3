import * as dnsPacket from "dns-packet";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Question, readMessage, writeQuestion } from "./message.ts";

const question: Question = { id: 4_711, name: "www.example.com", type: "A" };
const NXDOMAIN = 3;
const SERVFAIL = 2;

const answerWith = (packet: Partial<dnsPacket.Packet>): Buffer =>
  dnsPacket.encode({ type: "response", id: question.id, questions: [{ name: question.name, type: question.type }], ...packet });
const a = (ttl: number, data: string): dnsPacket.Answer => ({ type: "A", name: question.name, ttl, data });

describe("what an answer says", () => {
  test("values, the shortest TTL and whether the server is the zone's own", () => {
    const answers: dnsPacket.Answer[] = [
      { type: "CNAME", name: question.name, ttl: 5, data: "c.example.com" },
      a(30, "192.0.2.1"),
      a(30, "192.0.2.2"),
    ];
    expect(readMessage(answerWith({ answers, flags: dnsPacket.AUTHORITATIVE_ANSWER }), question)).toEqual({
      kind: "answer",
      values: ["192.0.2.1", "192.0.2.2"],
      ttlSeconds: 5,
      isAuthoritative: true,
    });
    expect(readMessage(answerWith({ answers: [a(9, "192.0.2.1")] }), question)).toMatchObject({
      ttlSeconds: 9,
      isAuthoritative: false,
    });
  });

  test("a TXT record's strings come joined and without quotes", () => {
    const txt: Question = { ...question, type: "TXT" };
    const answers: dnsPacket.Answer[] = [{ type: "TXT", name: question.name, ttl: 5, data: ["regent1 o=x ", "t=1"] }];
    const bytes = answerWith({ questions: [{ name: question.name, type: "TXT" }], answers });
    expect(readMessage(bytes, txt)).toMatchObject({ values: ["regent1 o=x t=1"] });
  });

  test("no such name, no data and an error are told apart", () => {
    expect(readMessage(answerWith({ flags: NXDOMAIN }), question)).toEqual({ kind: "none", code: "NXDOMAIN" });
    expect(readMessage(answerWith({ flags: dnsPacket.AUTHORITATIVE_ANSWER }), question)).toEqual({
      kind: "none",
      code: "NODATA",
    });
    expect(readMessage(answerWith({ flags: SERVFAIL }), question)).toEqual({ kind: "failed", why: "SERVFAIL" });
  });

  test("a server that refers to others doesn't hold the zone: that isn't no data", () => {
    const authorities: dnsPacket.Answer[] = [{ type: "NS", name: "com", ttl: 5, data: "a.gtld.example" }];
    expect(readMessage(answerWith({ authorities }), question).kind).toBe("failed");
    expect(readMessage(answerWith({ authorities, flags: dnsPacket.RECURSION_AVAILABLE }), question).kind).toBe("none");
  });

  test("a cut answer is truncated", () => {
    expect(readMessage(answerWith({ flags: dnsPacket.TRUNCATED_RESPONSE }), question)).toEqual({ kind: "truncated" });
  });
});

describe("what isn't our answer", () => {
  test.for([
    ["another id", answerWith({ id: 4_712, answers: [a(1, "203.0.113.1")] })],
    ["another name", answerWith({ questions: [{ name: "evil.example.com", type: "A" }], answers: [a(1, "203.0.113.1")] })],
    ["another type", answerWith({ questions: [{ name: question.name, type: "AAAA" }] })],
    ["no question", answerWith({ questions: [] })],
    [
      "two questions",
      answerWith({
        questions: [
          { name: question.name, type: "A" },
          { name: "b.example.com", type: "A" },
        ],
      }),
    ],
    ["our own question", writeQuestion(question)],
    ["nothing", Buffer.alloc(0)],
  ] as const)("%s is foreign", ([, bytes]) => expect(readMessage(bytes, question)).toEqual({ kind: "foreign" }));

  test("the case of the name doesn't count", () => {
    expect(
      readMessage(answerWith({ questions: [{ name: "WWW.Example.com", type: "A" }], answers: [a(1, "192.0.2.1")] }), question)
        .kind,
    ).toBe("answer");
  });

  test("no bytes make it throw", () => {
    const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
    const spoiled = fc.tuple(fc.nat(60), fc.nat(255)).map(([at, value]) => {
      const bytes = answerWith({ answers: [a(1, "192.0.2.1")] });
      bytes[at % bytes.length] = value;
      return bytes;
    });
    const kinds = ["answer", "none", "failed", "foreign", "truncated"];
    fc.assert(
      fc.property(fc.oneof(noise, spoiled), (bytes) => {
        expect(kinds).toContain(readMessage(bytes, question).kind);
      }),
    );
  });
});

describe("questions", () => {
  test("ask to recurse and offer 1,232 bytes", () => {
    const written = dnsPacket.decode(writeQuestion(question));
    expect(written).toMatchObject({
      id: 4_711,
      flag_rd: true,
      questions: [{ name: question.name, type: "A" }],
      additionals: [{ udpPayloadSize: 1_232 }],
    });
  });

  test.for(["", "a..b", `${"x".repeat(64)}.com`, `${"abcdefgh.".repeat(30)}com`])("%j is no name", (name) => {
    expect(() => writeQuestion({ ...question, name })).toThrow(RangeError);
  });
});
