/** A receiver of webhooks on this machine, with the faults that real ones have. */
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export type ReceiverFault = "down" | "slow" | "error" | "busy" | "garbage" | "hang" | "refuse" | "redirect" | "flood";

export interface WebRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface WebReceiver {
  readonly port: number;
  /** What was answered with a yes, in order. */
  readonly taken: readonly WebRequest[];
  /** Every request that came, answered or not. */
  readonly heard: readonly WebRequest[];
  readonly seen: () => number;
  readonly set: (fault: ReceiverFault | null) => Promise<void>;
  readonly close: () => Promise<void>;
}

export const BUSY_SECONDS = 7;
const SLOW_MS = 120;

/** `yes` is what the vendor answers when it takes a message. */
export const startWebReceiver = async (yes: { readonly status: number; readonly body: string }): Promise<WebReceiver> => {
  const taken: WebRequest[] = [];
  const heard: WebRequest[] = [];
  let fault: ReceiverFault | null = null;
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const came = { path: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks).toString("utf8") };
    heard.push(came);
    const take = (): void => {
      taken.push(came);
      response.writeHead(yes.status).end(yes.body);
    };
    switch (fault) {
      case null:
        return take();
      case "slow":
        setTimeout(take, SLOW_MS);
        return;
      case "error":
        response.writeHead(500).end("secret words of a proxy");
        return;
      case "busy":
        response.writeHead(429, { "retry-after": String(BUSY_SECONDS) }).end();
        return;
      case "refuse":
        response.writeHead(400).end("invalid_payload");
        return;
      case "redirect":
        response.writeHead(302, { location: `http://127.0.0.1:${portOf(server)}/elsewhere` }).end();
        return;
      case "flood":
        response.writeHead(500);
        for (let i = 0; i < 64; i += 1) response.write("x".repeat(64 * 1024));
        response.end();
        return;
      case "garbage":
        request.socket.end("\0\x01 not HTTP at all\r\n\r\n");
        return;
      case "hang":
      case "down":
        return;
    }
  });
  const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  await listen(0);
  const port = portOf(server);
  return {
    port,
    taken,
    heard,
    seen: () => heard.length,
    set: async (next) => {
      if (next === "down" && fault !== "down") await close();
      if (next !== "down" && fault === "down") await listen(port);
      fault = next;
    },
    close: async () => {
      if (fault !== "down") await close();
    },
  };
};

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
