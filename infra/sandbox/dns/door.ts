/** One port of 127.0.0.1 that speaks DNS over UDP and TCP. What arrives goes to one function; what it gives back goes out. */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { TCP_CONNECTIONS_MAX, TCP_IDLE_MS, TCP_MESSAGE_BYTES_MAX } from "../limits.ts";

export type Transport = "udp" | "tcp";
/** Answers now or later; undefined: says nothing. */
export type Handle = (message: Buffer, transport: Transport) => Buffer | undefined | Promise<Buffer | undefined>;

export interface Door {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** How often a free port is drawn again when its TCP side turns out to be taken. */
const PORT_TRIES = 20;
const UDP_BUFFER_BYTES = 4 * 1024 * 1024;

export const openDoor = async (port: number, handle: Handle): Promise<Door> => {
  for (let tries = 1; ; tries++) {
    const udp = await openUdp(port, handle);
    try {
      const tcp = await openTcp(udp.address().port, handle);
      return { port: udp.address().port, close: () => closeBoth(udp, tcp) };
    } catch (error) {
      udp.close();
      if (port !== 0 || tries >= PORT_TRIES || (error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    }
  }
};

const openUdp = (port: number, handle: Handle): Promise<UdpSocket> =>
  new Promise((resolve, reject) => {
    const socket = createSocket({ type: "udp4", recvBufferSize: UDP_BUFFER_BYTES, sendBufferSize: UDP_BUFFER_BYTES });
    socket.once("error", reject);
    socket.on("message", (message, from) => {
      deliver(handle(message, "udp"), (answer) => socket.send(answer, from.port, from.address));
    });
    socket.bind(port, "127.0.0.1", () => {
      socket.off("error", reject);
      // A send to a port that closed meanwhile comes back as an error of the socket; the asker is gone, nothing is lost.
      socket.on("error", () => {});
      resolve(socket);
    });
  });

/** Calls `give` with the answer if there is one. A handler that rejects says nothing, as a lost packet would. */
const deliver = (answer: ReturnType<Handle>, give: (answer: Buffer) => void): void => {
  if (answer instanceof Promise) {
    answer.then((bytes) => bytes && give(bytes)).catch((error: unknown) => process.emitWarning(String(error)));
  } else if (answer) give(answer);
};

const openTcp = (port: number, handle: Handle): Promise<TcpServer> =>
  new Promise((resolve, reject) => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      serveConnection(socket, handle);
    });
    server.maxConnections = TCP_CONNECTIONS_MAX;
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve({ server, sockets }));
  });

interface TcpServer {
  readonly server: Server;
  readonly sockets: ReadonlySet<Socket>;
}

/** Messages with a length before each (RFC 1035 4.2.2), any number on a connection, split anyhow. */
const serveConnection = (socket: Socket, handle: Handle): void => {
  let pending: Buffer = Buffer.alloc(0);
  socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const length = pending.readUInt16BE(0);
      const message = pending.subarray(2, 2 + length);
      pending = pending.subarray(2 + length);
      deliver(handle(Buffer.from(message), "tcp"), (answer) => writeFramed(socket, answer));
    }
  });
};

const writeFramed = (socket: Socket, answer: Buffer): void => {
  if (socket.destroyed || answer.length > TCP_MESSAGE_BYTES_MAX) return;
  const length = Buffer.alloc(2);
  length.writeUInt16BE(answer.length);
  socket.write(Buffer.concat([length, answer]));
};

const closeBoth = async (udp: UdpSocket, { server, sockets }: TcpServer): Promise<void> => {
  for (const socket of sockets) socket.destroy();
  await Promise.all([
    new Promise<void>((resolve) => udp.close(() => resolve())),
    new Promise<void>((resolve) => server.close(() => resolve())),
  ]);
};
