/** Sends one question to one server, over UDP or TCP, and waits for the answer to it, until a deadline. */
import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import type { DnsAnswer } from "../../ports/resolver.ts";
import { TCP_MESSAGE_BYTES_MAX } from "./limits.ts";
import { type Question, type Reading, readMessage, writeQuestion } from "./message.ts";
import { isSameHost, type ServerAddress } from "./server-address.ts";

export interface Exchange {
  readonly server: ServerAddress;
  readonly question: Question;
  readonly timeoutMs: number;
}
type UdpReading = Exclude<Reading, { kind: "foreign" }>;

const silent = (why: string): Extract<DnsAnswer, { kind: "failed" }> => ({ kind: "failed", why, isSilent: true });
const late = (timeoutMs: number): Extract<DnsAnswer, { kind: "failed" }> => silent(`no answer within ${Math.ceil(timeoutMs)} ms`);

/** Each question has its own socket, so its port is random too. Packets of others, and answers to other questions, are dropped. */
export const exchangeUdp = ({ server, question, timeoutMs }: Exchange): Promise<UdpReading> =>
  new Promise((resolve) => {
    const socket = createSocket(isIPv6(server.host) ? "udp6" : "udp4");
    const end = (reading: UdpReading): void => {
      clearTimeout(timer);
      socket.removeAllListeners();
      // A closing socket may still report an error; nobody is left to hear it.
      socket.on("error", () => {});
      socket.close();
      resolve(reading);
    };
    const timer = setTimeout(() => end(late(timeoutMs)), timeoutMs);
    socket.on("error", (error) => end(silent(error.message)));
    socket.on("message", (bytes, from) => {
      if (from.port !== server.port || !isSameHost(from.address, server.host)) return;
      const reading = readMessage(bytes, question);
      if (reading.kind !== "foreign") end(reading);
    });
    // A connected socket hears of a closed port at once, and the kernel keeps strangers out.
    socket.connect(server.port, server.host, () => socket.send(writeQuestion(question)));
  });

export const exchangeTcp = ({ server, question, timeoutMs }: Exchange): Promise<DnsAnswer> =>
  new Promise((resolve) => {
    const socket = connect({ host: server.host, port: server.port });
    let received: Buffer = Buffer.alloc(0);
    const end = (answer: DnsAnswer): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end(late(timeoutMs)), timeoutMs);
    socket.on("error", (error) => end(silent(error.message)));
    socket.on("close", () => end(silent("the connection was closed before the answer")));
    socket.on("connect", () => {
      const message = writeQuestion(question);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      socket.write(Buffer.concat([length, message]));
    });
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      const message = wholeMessage(received);
      if (message) end(toAnswer(readMessage(message, question)));
      else if (received.length > TCP_MESSAGE_BYTES_MAX + 2) end({ kind: "failed", why: "the answer is too long" });
    });
  });

const wholeMessage = (received: Buffer): Buffer | null => {
  if (received.length < 2) return null;
  const length = received.readUInt16BE(0);
  return received.length >= length + 2 ? received.subarray(2, length + 2) : null;
};

const toAnswer = (reading: Reading): DnsAnswer => {
  if (reading.kind === "foreign") return { kind: "failed", why: "the server answered another question" };
  return reading.kind === "truncated" ? { kind: "failed", why: "the answer is cut off over TCP too" } : reading;
};
