/**
 * The supervisor's own door: which parts run, and stopping, killing and starting one of them. 127.0.0.1 only, with the home's token.
 *
 *   GET  /v1/up                       the state of up.json
 *   POST /v1/up/parts/:name/:verb     stop (SIGTERM), kill (SIGKILL) or start; answers the part. Stopped parts stay stopped.
 */
import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Part } from "./part.ts";
import type { UpState } from "./state.ts";

export interface Door {
  readonly close: () => Promise<void>;
}

export interface DoorDeps {
  readonly port: number;
  readonly token: string;
  readonly parts: ReadonlyMap<string, Part>;
  readonly state: () => UpState;
}

export const openDoor = async (deps: DoorDeps): Promise<Door> => {
  const server = createServer((request, response) => {
    request.resume();
    answer(request, response, deps).catch(() => send(response, 500, { detail: "the supervisor could not do it" }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(deps.port, "127.0.0.1", resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const answer = async (request: IncomingMessage, response: ServerResponse, { token, parts, state }: DoorDeps): Promise<void> => {
  // A page in a browser can reach loopback under a name of its own; it can't send this header with our token, nor our Host.
  if (!/^(127\.0\.0\.1|localhost):\d+$/.test(request.headers.host ?? ""))
    return send(response, 421, { detail: "this host name is not served here" });
  if (!isToken(request.headers.authorization, token))
    return send(response, 401, { detail: "the home's token is missing or wrong" });
  if (request.method === "GET" && request.url === "/v1/up") return send(response, 200, state());
  const [, name, verb] = /^\/v1\/up\/parts\/([a-z0-9-]{1,80})\/(stop|kill|start)$/.exec(request.url ?? "") ?? [];
  if (request.method !== "POST" || name === undefined || verb === undefined)
    return send(response, 404, { detail: "there is no such path" });
  const part = parts.get(name);
  if (part === undefined)
    return send(response, 404, { detail: `there is no part ${name}; there are ${[...parts.keys()].join(", ")}` });
  if (verb === "stop") await part.stop();
  if (verb === "kill") await part.kill();
  if (verb === "start") await part.start();
  return send(response, 200, part.view());
};

const isToken = (header: string | undefined, token: string): boolean => {
  const given = Buffer.from(header ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
};

const send = (response: ServerResponse, code: number, body: object): void => {
  if (response.headersSent) return;
  response.writeHead(code, { "content-type": "application/json", "cache-control": "no-store" }).end(JSON.stringify(body));
};
