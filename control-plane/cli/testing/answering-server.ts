/** A server that answers what a test says, and tells it what it was asked. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
  /** Such as `GET /v1/overview`. */
  readonly what: string;
  readonly method: string;
  readonly path: string;
  /** Of idempotency. */
  readonly key: string | undefined;
  readonly text: string;
  /** Null without one. */
  readonly body: unknown;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface AnsweringServer {
  readonly url: string;
  readonly close: () => void;
}

export const startAnsweringServer = async (answer: (asked: Asked) => Answer): Promise<AnsweringServer> => {
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const { method = "", url: path = "", headers } = request;
    const isJson = headers["content-type"] === "application/json";
    const body = text === "" ? null : isJson ? JSON.parse(text) : text;
    const { status, body: said } = answer({
      what: `${method} ${path}`,
      method,
      path,
      key: headers["idempotency-key"]?.toString(),
      text,
      body,
    });
    response.writeHead(status, { "content-type": status < 400 ? "application/json" : "application/problem+json" });
    response.end(JSON.stringify(said));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};
