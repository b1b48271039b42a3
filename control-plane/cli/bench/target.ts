/** An endpoint that a benchmark breaks and mends: a real HTTP listener on a port of its own. */
import { createServer, type Server, type Socket } from "node:net";

export type BenchFault = "refuse" | "503" | "hang";

export interface BenchTarget {
  readonly port: number;
  /** Resolves at the moment from which every new probe fails. */
  readonly break: (fault: BenchFault) => Promise<void>;
  readonly mend: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const answer = (line: string): string => `HTTP/1.1 ${line}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok`;

export const createTarget = async (): Promise<BenchTarget> => {
  const sockets = new Set<Socket>();
  let fault: BenchFault | null = null;
  let server: Server;
  const listen = (port: number): Promise<number> =>
    new Promise((resolve, reject) => {
      server = createServer((socket) => {
        sockets.add(socket);
        socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket));
        socket.once("data", () => {
          if (fault !== "hang") socket.end(answer(fault === "503" ? "503 Service Unavailable" : "200 OK"));
        });
      });
      server.once("error", reject).listen(port, "127.0.0.1", 512, () => resolve((server.address() as { port: number }).port));
    });
  const shut = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  const port = await listen(0);
  return {
    port,
    break: async (next) => {
      fault = next;
      if (next === "refuse") await shut();
    },
    mend: async () => {
      const wasShut = fault === "refuse";
      fault = null;
      for (const socket of sockets) socket.destroy();
      if (wasShut) await listen(port);
    },
    close: async () => {
      if (server.listening) await shut();
    },
  };
};
