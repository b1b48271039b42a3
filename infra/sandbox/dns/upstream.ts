/** Asks name servers for the resolver: one UDP socket, ids and ports checked, TCP where an answer was cut. */
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import packet, { type DecodedPacket, type Question } from "dns-packet";
import { RESOLVER_INFLIGHT_MAX, RESOLVER_TRY_MS, TCP_MESSAGE_BYTES_MAX, UDP_PAYLOAD_BYTES_MAX } from "../limits.ts";

export interface Upstream {
  /** Undefined if no answer came in time, none could be read, or too many questions are under way. `port` is on 127.0.0.1. */
  readonly ask: (question: Question, port: number) => Promise<DecodedPacket | undefined>;
  readonly close: () => void;
}

interface Waiting {
  readonly port: number;
  readonly question: Question;
  readonly settle: (message: DecodedPacket | undefined) => void;
}

const isSame = (a: Question, b: Question | undefined): boolean =>
  b !== undefined && a.type === b.type && a.name.toLowerCase() === b.name.toLowerCase();

const decode = (bytes: Buffer): DecodedPacket | undefined => {
  try {
    return packet.decode(bytes);
  } catch {
    return undefined;
  }
};

const encodeQuestion = (id: number, question: Question): Buffer =>
  packet.encode({
    type: "query",
    id,
    flags: 0,
    questions: [question],
    additionals: [
      {
        type: "OPT",
        name: ".",
        udpPayloadSize: UDP_PAYLOAD_BYTES_MAX,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });

export const createUpstream = async (random: () => number): Promise<Upstream> => {
  const waitingById = new Map<number, Waiting>();
  const socket = createSocket("udp4");
  socket.on("error", () => {});
  socket.on("message", (bytes, from) => {
    const message = decode(bytes);
    const waiting = message ? waitingById.get(message.id ?? -1) : undefined;
    if (waiting && from.port === waiting.port && isSame(waiting.question, message?.questions?.[0])) waiting.settle(message);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));

  const freeId = (): number => {
    let id = Math.floor(random() * 65_536);
    while (waitingById.has(id)) id = (id + 1) & 0xffff;
    return id;
  };
  const askUdp = (question: Question, port: number): Promise<DecodedPacket | undefined> =>
    new Promise((resolve) => {
      const id = freeId();
      const settle = (message: DecodedPacket | undefined): void => {
        clearTimeout(timer);
        waitingById.delete(id);
        resolve(message);
      };
      const timer = setTimeout(() => settle(undefined), RESOLVER_TRY_MS);
      waitingById.set(id, { port, question, settle });
      socket.send(encodeQuestion(id, question), port, "127.0.0.1");
    });

  return {
    ask: async (question, port) => {
      if (waitingById.size >= RESOLVER_INFLIGHT_MAX) return undefined;
      const message = await askUdp(question, port);
      return message?.flag_tc ? askTcp(encodeQuestion(freeId(), question), port) : message;
    },
    close: () => {
      for (const waiting of [...waitingById.values()]) waiting.settle(undefined);
      socket.close();
    },
  };
};

const askTcp = (bytes: Buffer, port: number): Promise<DecodedPacket | undefined> =>
  new Promise((resolve) => {
    let received: Buffer = Buffer.alloc(0);
    const socket = connect({ host: "127.0.0.1", port, timeout: RESOLVER_TRY_MS });
    const finish = (message: DecodedPacket | undefined): void => {
      socket.destroy();
      resolve(message);
    };
    const length = Buffer.alloc(2);
    length.writeUInt16BE(bytes.length);
    socket.on("connect", () => socket.write(Buffer.concat([length, bytes])));
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) finish(decode(received.subarray(2)));
      else if (received.length > TCP_MESSAGE_BYTES_MAX + 2) finish(undefined);
    });
    for (const event of ["error", "timeout", "end", "close"] as const) socket.on(event, () => finish(undefined));
  });
