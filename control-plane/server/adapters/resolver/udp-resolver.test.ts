/** The resolver against name servers on this machine that answer, cheat, stay silent or cut off. */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { createServer, type Socket as TcpSocket } from "node:net";
import * as dnsPacket from "dns-packet";
import { afterEach, describe, expect, test } from "vitest";
import { createUdpResolver } from "./udp-resolver.ts";

type OnUdp = (query: dnsPacket.DecodedPacket, from: RemoteInfo, socket: Socket) => void;
type OnTcp = (query: dnsPacket.DecodedPacket, socket: TcpSocket) => void;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A name server on one free port, UDP and TCP alike. Gives its `address:port`. */
const startServer = async (onUdp: OnUdp, onTcp: OnTcp = (_, socket) => void socket.destroy()): Promise<string> => {
  const tcp = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (bytes) => onTcp(dnsPacket.decode(bytes.subarray(2)), socket));
  });
  await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
  const { port } = tcp.address() as { port: number };
  const udp = createSocket("udp4");
  udp.on("message", (bytes, from) => onUdp(dnsPacket.decode(bytes), from, udp));
  await new Promise<void>((resolve) => udp.bind(port, "127.0.0.1", resolve));
  closers.push(
    () => new Promise((resolve) => tcp.close(resolve)),
    () => new Promise<void>((resolve) => udp.close(resolve)),
  );
  return `127.0.0.1:${port}`;
};

const reply = (query: dnsPacket.DecodedPacket, packet: Partial<dnsPacket.Packet> = {}): Buffer =>
  dnsPacket.encode({ type: "response", id: query.id!, questions: query.questions!, ...packet });
const a = (data: string): dnsPacket.Answer[] => [{ type: "A", name: "www.example.com", ttl: 5, data }];
const resolver = createUdpResolver();
const ask = (server: string, timeoutMs = 2_000) => resolver.ask(server, "www.example.com", "A", timeoutMs);

describe("asking over UDP", () => {
  test("gives the server's answer", async () => {
    const server = await startServer((query, from, socket) =>
      socket.send(reply(query, { answers: a("192.0.2.1") }), from.port, from.address),
    );
    expect(await ask(server)).toEqual({ kind: "answer", values: ["192.0.2.1"], ttlSeconds: 5, isAuthoritative: false });
  });

  test("ids and ports differ from question to question", async () => {
    const seen = new Set<string>();
    const server = await startServer((query, from, socket) => {
      seen.add(`${query.id}:${from.port}`);
      socket.send(reply(query), from.port, from.address);
    });
    for (let asked = 0; asked < 5; asked++) await ask(server);
    expect(seen.size).toBe(5);
  });

  test("answers with another id, to another question and from another port are waited out for the true one", async () => {
    const stranger = createSocket("udp4");
    closers.push(() => new Promise<void>((resolve) => stranger.close(resolve)));
    const server = await startServer((query, from, socket) => {
      const lie = { answers: a("203.0.113.66") };
      stranger.send(reply(query, lie), from.port, from.address, () => {
        socket.send(reply(query, { ...lie, id: (query.id! + 1) % 65_536 }), from.port, from.address);
        socket.send(reply(query, { ...lie, questions: [{ type: "A", name: "evil.example.com" }] }), from.port, from.address);
        socket.send(Buffer.from("nonsense"), from.port, from.address);
        socket.send(reply(query, { answers: a("192.0.2.1") }), from.port, from.address);
      });
    });
    expect(await ask(server)).toMatchObject({ kind: "answer", values: ["192.0.2.1"] });
  });

  test("a silent server has failed when the time is over, and was asked once", async () => {
    let asked = 0;
    const server = await startServer(() => {
      asked++;
    });
    expect(await ask(server, 100)).toEqual({ kind: "failed", why: "no answer within 100 ms", isSilent: true });
    expect(asked).toBe(1);
  });

  test("a server that only lies has failed too", async () => {
    const server = await startServer((query, from, socket) =>
      socket.send(reply({ ...query, id: (query.id! + 1) % 65_536 }), from.port, from.address),
    );
    expect((await ask(server, 100)).kind).toBe("failed");
  });

  test("a closed port has failed long before the time is over", async () => {
    const startedAt = performance.now();
    expect((await ask("127.0.0.1:1", 10_000)).kind).toBe("failed");
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  test.for([
    ["ns.example.com", "www.example.com"],
    ["127.0.0.1:53", "a..b"],
    ["127.0.0.1:53", `${"x".repeat(70)}.com`],
  ] as const)("%s can't be asked for %s", async ([server, name]) =>
    expect((await resolver.ask(server, name, "A", 1_000)).kind).toBe("failed"),
  );
});

describe("when the answer is truncated", () => {
  const truncate: OnUdp = (query, from, socket) =>
    socket.send(reply(query, { flags: dnsPacket.TRUNCATED_RESPONSE }), from.port, from.address);
  const framed = (message: Buffer): Buffer => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    return Buffer.concat([length, message]);
  };

  test("TCP gives the whole, in however many pieces it comes", async () => {
    const values = Array.from({ length: 200 }, (_, index) => `192.0.2.${index}`);
    const server = await startServer(truncate, (query, socket) => {
      const bytes = framed(reply(query, { answers: values.flatMap(a) }));
      socket.write(bytes.subarray(0, 1));
      setImmediate(() => {
        socket.write(bytes.subarray(1, 700));
        setImmediate(() => socket.write(bytes.subarray(700)));
      });
    });
    expect(await ask(server)).toMatchObject({ kind: "answer", values });
  });

  test.for([
    ["hangs up", (_, socket) => void socket.end()],
    ["answers another question", (query, socket) => void socket.write(framed(reply({ ...query, id: (query.id! + 1) % 65_536 })))],
    ["cuts off again", (query, socket) => void socket.write(framed(reply(query, { flags: dnsPacket.TRUNCATED_RESPONSE })))],
    ["says nothing", () => {}],
  ] as readonly (readonly [string, OnTcp])[])("a TCP server that %s has failed", async ([, onTcp]) => {
    const server = await startServer(truncate, onTcp);
    expect((await ask(server, 300)).kind).toBe("failed");
  });
});

describe("locating a name server", () => {
  test.for([
    ["127.0.0.1:5353", ["127.0.0.1:5353"]],
    ["192.0.2.1", ["192.0.2.1:53"]],
    ["2001:db8::1", ["[2001:db8::1]:53"]],
    ["localhost", ["127.0.0.1:53"]],
    ["localhost:5353", ["127.0.0.1:5353"]],
    ["not a host", []],
  ] as const)("%s is at %j", async ([given, found]) => expect(await resolver.locate(given)).toEqual(found));
});
