/** Opens a port for the app, and closes it in order: no new connection, streams ended, requests answered, then whatever is left is cut. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { CONNECTIONS_MAX, HEADERS_TIMEOUT_MS, KEEP_ALIVE_MS, REQUEST_TIMEOUT_MS } from "../limits.ts";
import type { RegentApp } from "./create-app.ts";

export interface Listener {
  /** `http://127.0.0.1:8080`, with the port that was given or found free. */
  readonly url: string;
  readonly port: number;
  /** Takes no new connection and ends the streams; what is under way goes on. */
  readonly refuse: () => void;
  /** Answers what is under way for at most `deadlineMs`. May be called again. */
  readonly close: (deadlineMs: number) => Promise<void>;
}

/** Port 0 takes a free one. Rejects when the address can't be had. */
export const startListener = async ({
  app,
  host,
  port,
}: {
  readonly app: Pick<RegentApp, "fetch" | "endStreams">;
  readonly host: string;
  readonly port: number;
}): Promise<Listener> => {
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: HEADERS_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS },
    getRequestListener((request, env) => app.fetch(request, env as never), { overrideGlobalObjects: false }),
  );
  server.maxConnections = CONNECTIONS_MAX;
  await listen(server, host, port);
  const bound = (server.address() as AddressInfo).port;
  let refusing: Promise<void> | null = null;
  let closing: Promise<void> | null = null;
  const refuse = (): Promise<void> => {
    refusing ??= new Promise<void>((resolve) => {
      server.close(() => resolve());
      app.endStreams();
    });
    return refusing;
  };
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    port: bound,
    refuse: () => void refuse(),
    close: (deadlineMs) => {
      closing ??= close(server, refuse(), deadlineMs);
      return closing;
    },
  };
};

const listen = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });

/** A kept-alive connection counts as open until it is idle, so idle ones are let go again and again. */
const SWEEP_MS = 50;

const close = async (server: Server, closed: Promise<void>, deadlineMs: number): Promise<void> => {
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(deadline);
};
