/**
 * The HTTP face: reads a request with limits, verifies its signature, then lets rate limit, faults and the operation answer.
 * Plain node:http, because a fault must be able to leave a request unanswered.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { HANG_MS_MAX, HTTP_HEADERS_TIMEOUT_MS, HTTP_KEEP_ALIVE_MS, REQUEST_BODY_BYTES_MAX } from "../limits.ts";
import { isLoopbackHost } from "../loopback-host.ts";
import { type DamageFault, damage } from "./damage.ts";
import { type Failure, fail, type InvalidChangeBatchForm, priorRequestNotComplete, throttled, writeFailure } from "./failure.ts";
import type { CallFault, Faults } from "./faults.ts";
import { type Reply, reply } from "./operations/operation.ts";
import type { TokenBucket } from "./rate-limit.ts";
import { type Found, findOperation } from "./routes.ts";
import { type Credentials, verifySignature } from "./signature.ts";
import type { Store } from "./store.ts";
import { writeXml } from "./xml.ts";

export interface ServerDeps {
  readonly store: Store;
  readonly faults: Faults;
  readonly credentials: readonly Credentials[];
  /** Undefined while there is no limit. */
  readonly rateLimit: () => TokenBucket | undefined;
  readonly form: InvalidChangeBatchForm;
  readonly now: () => number;
  /** Called for each call that was let in, with what came of it: `hung`, `ok`, an error code or how the answer was
   * damaged. What no caller hears of is told too: a late try as `late-…`, the lost first of a duplicate as `lost-…`, its second as `again-…`. */
  readonly onCall: (operation: string, outcome: string) => void;
}

export interface RunningServer {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** `hang` leaves the caller without an answer; `damaged` sends one that says less than the operation did. */
type Outcome = Reply | Failure | Damaged | { readonly kind: "hang" };

interface Damaged {
  readonly kind: "damaged";
  readonly fault: DamageFault;
  /** What came of the operation. */
  readonly outcome: Reply | Failure;
  readonly hollow: Reply;
}

export const listen = async (deps: ServerDeps, port: number): Promise<RunningServer> => {
  const timers = new Set<NodeJS.Timeout>();
  const later = (ms: number, run: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      run();
    }, ms);
    timers.add(timer);
  };
  const server = createServer(
    { headersTimeout: HTTP_HEADERS_TIMEOUT_MS, requestTimeout: HANG_MS_MAX, keepAliveTimeout: HTTP_KEEP_ALIVE_MS },
    (request, response) => {
      void answer(deps, { request, response, later, endpoint: `http://127.0.0.1:${portOf(server)}` });
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    port: portOf(server),
    close: () =>
      new Promise((resolve) => {
        for (const timer of timers) clearTimeout(timer);
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly endpoint: string;
  readonly later: (ms: number, run: () => void) => void;
}

const answer = async (deps: ServerDeps, exchange: Exchange): Promise<void> => {
  const { request, response } = exchange;
  const requestId = randomUUID();
  try {
    const body = await readBody(request);
    const outcome =
      body === undefined ? fail("RequestEntityTooLarge", "The request is too large.") : await decide(deps, exchange, body);
    if (outcome.kind === "hang") exchange.later(HANG_MS_MAX, () => response.destroy());
    else if (outcome.kind === "damaged") sendDamaged(response, outcome, { requestId, form: deps.form });
    else send(response, outcome, { requestId, form: deps.form });
  } catch (error) {
    if (response.destroyed || response.headersSent) return;
    send(response, fail("InternalFailure", "We encountered an internal error. Please try again."), {
      requestId,
      form: deps.form,
    });
    // A bug of the sandbox must be seen, not mistaken for a fault that was asked for.
    if (!request.destroyed) process.emitWarning(error instanceof Error ? error : String(error));
  }
};

const readBody = async (request: IncomingMessage): Promise<Buffer | undefined> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= REQUEST_BODY_BYTES_MAX) chunks.push(chunk);
  }
  return bytes > REQUEST_BODY_BYTES_MAX ? undefined : Buffer.concat(chunks);
};

const decide = async (deps: ServerDeps, exchange: Exchange, body: Buffer): Promise<Outcome> => {
  const { request } = exchange;
  const [path = "/", query = ""] = (request.url ?? "/").split("?", 2);
  const method = request.method ?? "GET";
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(",") : value]),
  );
  if (!isLoopbackHost(headers.host)) return fail("AccessDenied", "This port answers to 127.0.0.1, localhost and [::1] only.");
  const denied = verifySignature({ method, path, query, headers, body }, deps.credentials, deps.now());
  if (denied) return denied;
  const found = findOperation(method, path);
  if (!found) return fail("UnknownOperationException", `No operation of this sandbox answers ${method} ${path}`);
  const bucket = deps.rateLimit();
  const incoming: Incoming = { exchange, found, query, body: body.toString("utf8") };
  const isAllowed = bucket?.isAllowed() ?? true;
  const outcome = isAllowed ? await misbehave(deps, incoming, deps.faults.take(found.name)) : throttled();
  deps.onCall(found.name, wordFor(outcome));
  return outcome;
};

const wordFor = (outcome: Outcome): string => {
  switch (outcome.kind) {
    case "hang":
      return "hung";
    case "reply":
      return "ok";
    case "damaged":
      return outcome.fault.kind;
    case "failure":
      return outcome.code;
  }
};

/** Lets a fault stand between the caller and the operation. */
const misbehave = (deps: ServerDeps, incoming: Incoming, fault: CallFault | undefined): Outcome | Promise<Outcome> => {
  const { found, exchange } = incoming;
  const run = (): Reply | Failure => runOperation(deps, incoming, fault);
  switch (fault?.kind) {
    case undefined:
      return run();
    case "throttle":
      return throttled();
    case "prior-request":
      return priorRequestNotComplete();
    case "server-error":
      if (fault.isApplied) run();
      return fail(
        fault.status === 503 ? "ServiceUnavailable" : "InternalFailure",
        "We encountered an internal error. Please try again.",
      );
    case "timeout-before":
      return { kind: "hang" };
    case "timeout-after":
      run();
      return { kind: "hang" };
    case "late-apply":
      exchange.later(fault.delayMs, () => deps.onCall(found.name, `late-${wordFor(run())}`));
      return { kind: "hang" };
    case "strand":
    case "slow-propagation":
    case "staggered-propagation":
      return run();
    case "truncated":
    case "empty":
    case "garbage":
      return { kind: "damaged", fault, outcome: fault.isApplied ? run() : hollow(found), hollow: hollow(found) };
    case "duplicate":
      return runTwice(fault, run, {
        later: exchange.later,
        say: (word) => deps.onCall(found.name, word),
      });
  }
};

/** A well-formed answer of the operation that says nothing; stands in too for that of an operation that never ran. */
const hollow = ({ name }: Found): Reply => reply([`${name}Response`, []]);

/** With an answer to the second, the first is told under `lost-`; with one to the first, what comes after it under `again-`. */
const runTwice = (
  { answered, delayMs }: Extract<CallFault, { kind: "duplicate" }>,
  run: () => Reply | Failure,
  { later, say }: { readonly later: Exchange["later"]; readonly say: (word: string) => void },
): Outcome | Promise<Outcome> => {
  const first = run();
  if (answered === "first") {
    // Even without a delay it comes after the answer is on its way: a second copy is never the one that a caller waits for.
    later(delayMs, () => say(`again-${wordFor(run())}`));
    return first;
  }
  say(`lost-${wordFor(first)}`);
  return new Promise((resolve) => later(delayMs, () => resolve(run())));
};

interface Incoming {
  readonly exchange: Exchange;
  readonly found: Found;
  readonly query: string;
  readonly body: string;
}

const runOperation = ({ store }: ServerDeps, { exchange, found, query, body }: Incoming, fault?: CallFault): Reply | Failure => {
  const call = { store, id: found.id, query: new URLSearchParams(query), body, endpoint: exchange.endpoint };
  if (fault?.kind === "slow-propagation")
    return found.run({ ...call, propagation: { minMs: fault.delayMs, maxMs: fault.delayMs } });
  if (fault?.kind === "staggered-propagation") return found.run({ ...call, propagation: { perServerMs: fault.perServerMs } });
  if (fault?.kind === "strand")
    return found.run({ ...call, onAccepted: (changeId) => exchange.later(fault.delayMs, () => store.strand(changeId)) });
  return found.run(call);
};

interface Form {
  readonly requestId: string;
  readonly form: InvalidChangeBatchForm;
}

const write = (outcome: Reply | Failure, { requestId, form }: Form): string =>
  outcome.kind === "reply" ? writeXml(outcome.body) : writeFailure(outcome, requestId, form);

const send = (response: ServerResponse, outcome: Reply | Failure, form: Form): void => {
  const isReply = outcome.kind === "reply";
  const body = write(outcome, form);
  response.writeHead(outcome.status, {
    "content-type": "text/xml",
    "content-length": Buffer.byteLength(body),
    "x-amzn-requestid": form.requestId,
    ...(isReply && outcome.location !== undefined ? { location: outcome.location } : {}),
  });
  response.end(body);
};

const sendDamaged = (response: ServerResponse, { fault, outcome, hollow }: Damaged, form: Form): void => {
  const { status, type, body, promisedBytes } = damage(fault, {
    status: outcome.status,
    document: write(outcome, form),
    hollow: write(hollow, form),
  });
  response.writeHead(status, { "content-type": type, "content-length": promisedBytes, "x-amzn-requestid": form.requestId });
  if (promisedBytes === body.length) response.end(body);
  // Sent first and then broken off, so that the caller has the beginning in its hands.
  else response.write(body, () => response.destroy());
};
