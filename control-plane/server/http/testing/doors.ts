/** The app as tests meet it: a clock they turn, tokens of every role, and the log it wrote. */
import { pino } from "pino";
import { createSecret, hashSecret } from "../../access/secrets.ts";
import { createMemoryAccessStore } from "../../adapters/memory/access-store.ts";
import type { ControlPlane } from "../../operations/control-plane.ts";
import type { AccessStore, Role } from "../../ports/access-store.ts";
import { createApp } from "../create-app.ts";
import type { AppDeps } from "../env.ts";
import { type FakeControlPlane, testControlPlane } from "./fake-control-plane.ts";

export const START = 1_700_000_000_000;

export interface Doors {
  readonly app: ReturnType<typeof createApp>;
  readonly controlPlane: FakeControlPlane;
  readonly access: AccessStore;
  /** Lets this many ms pass. */
  readonly pass: (ms: number) => void;
  readonly logText: () => string;
  readonly tokenOf: (role: Role, scope?: readonly string[] | null, ttlMs?: number | null) => Promise<string>;
  /** Answers status, headers and the parsed body. */
  readonly ask: (method: string, path: string, options?: AskOptions) => Promise<Asked>;
}

export interface AskOptions {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent as it is. */
  readonly body?: unknown;
  readonly address?: string;
}

export interface Asked {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came back
  readonly json: any;
}

let keys = 0;
/** A fresh idempotency key. */
export const testKey = (): string => {
  keys += 1;
  return `test-key-${keys}`;
};

export const testDoors = (answers: Partial<ControlPlane> = {}, options: Partial<AppDeps> = {}): Doors => {
  let now = START;
  const clock = { now: () => now, monotonic: () => now - START };
  const lines: string[] = [];
  const log = pino({ level: "debug" }, { write: (line: string) => lines.push(line) });
  const access = options.access ?? createMemoryAccessStore({ clock });
  const controlPlane = testControlPlane(answers);
  const app = createApp({
    controlPlane,
    access,
    clock,
    log,
    listen: { hostNames: [], isBehindProxy: false },
    cookieSecure: false,
    ...options,
  });

  const tokenOf: Doors["tokenOf"] = async (role, scope = null, ttlMs = 3_600_000) => {
    const token = createSecret("token");
    const expiresAt = ttlMs === null ? null : now + ttlMs;
    await access.put({ hash: hashSecret(token), kind: "token", name: `${role}-token`, role, scope, expiresAt });
    return token;
  };

  const ask: Doors["ask"] = async (method, path, { token, headers = {}, body, address = "192.0.2.7" } = {}) => {
    const isText = typeof body === "string";
    const response = await app.request(
      path,
      {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(method === "GET" ? {} : { "idempotency-key": testKey() }),
          ...(body === undefined || isText ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
      },
      { incoming: { socket: { remoteAddress: address } } },
    );
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parse(text) };
  };

  return {
    app,
    controlPlane,
    access,
    pass: (ms) => {
      now += ms;
    },
    logText: () => lines.join(""),
    tokenOf,
    ask,
  };
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
