/** Asks a DNS port as a stranger would, byte by byte if need be. For tests. */
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import packet, { type Answer, type DecodedPacket } from "dns-packet";
import { rcodes } from "./message.ts";

const DEADLINE_MS = 3_000;

export interface TestQuestion {
  readonly name: string;
  readonly type?: string;
  /** UDP payload size to offer; absent: no EDNS. */
  readonly edns?: number;
  readonly id?: number;
}

export const testQuery = ({ name, type = "A", edns, id = 4_242 }: TestQuestion): Buffer => {
  const opt = {
    type: "OPT",
    name: ".",
    udpPayloadSize: edns,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    options: [],
  } as unknown as Answer;
  return packet.encode({
    type: "query",
    id,
    flags: packet.RECURSION_DESIRED,
    questions: [{ name, type: type as "A" }],
    additionals: edns === undefined ? [] : [opt],
  });
};

/** The raw answer over UDP; undefined if none came within `waitMs`. */
export const testSendUdp = (port: number, bytes: Buffer, waitMs = DEADLINE_MS): Promise<Buffer | undefined> =>
  new Promise((resolve) => {
    const socket = createSocket("udp4");
    const finish = (answer: Buffer | undefined): void => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(undefined), waitMs);
    socket.once("message", finish);
    socket.send(bytes, port, "127.0.0.1");
  });

/** Raw answers over one TCP connection, as many as there are messages; written in chunks of `chunkBytes`. */
export const testSendTcp = (port: number, messages: readonly Buffer[], chunkBytes = 65_536): Promise<Buffer[]> =>
  new Promise((resolve, reject) => {
    const answers: Buffer[] = [];
    let received: Buffer = Buffer.alloc(0);
    const socket = connect({ host: "127.0.0.1", port, timeout: DEADLINE_MS });
    socket.setNoDelay(true);
    socket.on("timeout", () => socket.destroy(new Error("no answer over TCP")));
    socket.on("error", reject);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const length = received.readUInt16BE(0);
        answers.push(received.subarray(2, 2 + length));
        received = received.subarray(2 + length);
      }
      if (answers.length === messages.length) {
        socket.destroy();
        resolve(answers);
      }
    });
    const framed = Buffer.concat(
      messages.flatMap((message) => [Buffer.from([message.length >> 8, message.length & 255]), message]),
    );
    for (let at = 0; at < framed.length; at += chunkBytes) socket.write(framed.subarray(at, at + chunkBytes));
  });

export interface TestAnswer {
  readonly message: DecodedPacket;
  readonly rcode: string;
  /** Data of the answer section, as text. */
  readonly data: readonly string[];
}

const textOf = (record: Answer): string => {
  const { data } = record as unknown as { data: unknown };
  return Array.isArray(data) ? data.map(String).join("") : typeof data === "string" ? data : JSON.stringify(data);
};

export const testDecode = (bytes: Buffer): TestAnswer => {
  const message = packet.decode(bytes);
  const code = (message.flags ?? 0) & 0xf;
  const rcode = Object.entries(rcodes).find(([, number]) => number === code)?.[0] ?? String(code);
  return { message, rcode, data: (message.answers ?? []).map(textOf) };
};

export const testAsk = async (port: number, question: TestQuestion, transport: "udp" | "tcp" = "udp"): Promise<TestAnswer> => {
  const bytes =
    transport === "udp" ? await testSendUdp(port, testQuery(question)) : (await testSendTcp(port, [testQuery(question)]))[0];
  if (bytes === undefined) throw new Error(`no answer for ${question.name}`);
  return testDecode(bytes);
};
