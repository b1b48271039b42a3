/** Real servers with the faults that probes must tell apart. All on 127.0.0.1 and free ports. */
import { createServer as createHttp, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from "node:net";

export interface TestServer {
  readonly port: number;
  readonly address: string;
  readonly close: () => Promise<void>;
}

const listen = async (server: Server, sockets: Set<Socket>): Promise<TestServer> => {
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    address: `127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
};

export const serveTcp = (onSocket: (socket: Socket) => void): Promise<TestServer> => listen(createTcp(onSocket), new Set());

export const serveHttp = (listener: RequestListener): Promise<TestServer> => listen(createHttp(listener), new Set());

/** A port where nothing listens. */
export const refusingAddress = async (): Promise<string> => {
  const server = await serveTcp(() => undefined);
  await server.close();
  return server.address;
};
