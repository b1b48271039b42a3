/** The region's HTTP API: what its users and its probes call. Knows how to misbehave in every way of the vocabulary. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { ApiFault } from "../faults.ts";
import { type Blackhole, holdPort } from "./blackhole.ts";
import type { DatabaseCheck, DatabaseFinding } from "./database-check.ts";
import { API_CONNECTIONS_MAX, API_REQUEST_BYTES_MAX } from "./limits.ts";
import { createDraw, treatRequest } from "./misbehaviour.ts";

export interface RegionApi {
  readonly port: () => number;
  readonly isListening: () => boolean;
  /** Holds the fault from now on; undefined mends. Connections left from before are reset, as their answers belong to another state. */
  readonly setFault: (fault: ApiFault | undefined) => Promise<void>;
  readonly close: () => Promise<void>;
}

interface Deps {
  readonly region: string;
  readonly version: string;
  /** 0 chooses a free port at the first listen, kept from then on. */
  readonly port: number;
  readonly database: DatabaseCheck;
  /** The region's wall clock, milliseconds since 1970. */
  readonly now: () => number;
}

/** Listens on 127.0.0.1 when it resolves. */
export const createRegionApi = async (deps: Deps): Promise<RegionApi> => {
  let fault: ApiFault | undefined;
  let draw = createDraw(0);
  let blackhole: Blackhole | undefined;
  const answer = createAnswers(deps);
  const listener = createListener(deps.port, (request, response) => {
    dropBody(request);
    const treatment = treatRequest(fault, deps.now(), draw);
    switch (treatment.kind) {
      case "answer":
        return void answer(request, response);
      case "answer-late": {
        const timer = setTimeout(() => void answer(request, response), treatment.delayMs);
        return void response.once("close", () => clearTimeout(timer));
      }
      case "unavailable":
        return send(response, 503, { status: "fail", region: deps.region, why: "this region was told to fail" }, deps.region);
      case "silence":
        return undefined;
    }
  });
  await listener.open();

  const setFault = async (wanted: ApiFault | undefined): Promise<void> => {
    fault = wanted;
    if (wanted?.fault === "random") draw = createDraw(wanted.seed);
    if (wanted?.fault !== "blackhole") {
      await blackhole?.release();
      blackhole = undefined;
    }
    switch (wanted?.fault) {
      case "refuse":
        return listener.shut();
      case "blackhole":
        blackhole ??= await holdPort(listener.port(), listener.shut);
        return undefined;
      default:
        listener.resetAll();
        return listener.open();
    }
  };
  return {
    port: listener.port,
    isListening: listener.isOpen,
    setFault,
    close: async () => {
      await blackhole?.release();
      await listener.shut();
    },
  };
};

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that can be shut and opened again on the same port, its open connections reset. */
const createListener = (wantedPort: number, handler: Handler) => {
  const sockets = new Set<Socket>();
  let port = wantedPort;
  let server: Server | undefined;
  const resetAll = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const open = async (): Promise<void> => {
    if (server !== undefined) return;
    const opened = createServer(handler);
    opened.maxConnections = API_CONNECTIONS_MAX;
    opened.on("connection", (socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      opened.once("error", reject);
      opened.listen(port, "127.0.0.1", resolve);
    });
    port = (opened.address() as AddressInfo).port;
    server = opened;
  };
  const shut = async (): Promise<void> => {
    const closing = server;
    server = undefined;
    if (closing === undefined) return;
    await new Promise<void>((resolve) => {
      // The port first: whoever sees its connection reset and dials again must be refused.
      closing.close(() => resolve());
      resetAll();
    });
  };
  return { open, shut, resetAll, port: () => port, isOpen: () => server !== undefined };
};

const dropBody = (request: IncomingMessage): void => {
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > API_REQUEST_BYTES_MAX) request.socket.resetAndDestroy();
  });
  request.on("error", () => undefined);
};

const createAnswers = ({ region, version, database }: Deps) => {
  const send200 = (response: ServerResponse, body: object): void => send(response, 200, body, region);
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method !== "GET" && request.method !== "HEAD")
      return send(response, 405, { status: "fail", why: "GET or HEAD only" }, region);
    switch (request.url?.split("?")[0]) {
      case "/":
        return send200(response, { region });
      case "/healthz":
        return send200(response, { status: "pass", region });
      case "/healthz/deep": {
        const finding = await database.ask();
        const verdict = finding.kind === "serving" ? "pass" : "fail";
        const body = { status: verdict, region, version, checks: { db: { status: verdict, ...findingFields(finding) } } };
        return send(response, verdict === "pass" ? 200 : 503, body, region);
      }
      default:
        return send(response, 404, { status: "fail", why: "no such path; try /, /healthz or /healthz/deep" }, region);
    }
  };
};

// Read-only fails: a region whose database takes no writes can't serve, and an outside probe must be able to see it.
const findingFields = (finding: DatabaseFinding): object => {
  switch (finding.kind) {
    case "serving":
      return { ms: finding.ms };
    case "read-only":
      return { ms: finding.ms, why: "read-only" };
    case "unreachable":
      return { ms: finding.ms, why: finding.why };
  }
};

const send = (response: ServerResponse, code: number, body: object, region: string): void => {
  if (response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(code, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    "x-region": region,
  });
  response.end(response.req.method === "HEAD" ? undefined : text);
};
