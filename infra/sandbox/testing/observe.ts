/** What real clients see of a port, for tests: an HTTP probe, a bare dial, a Postgres login. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import postgres from "postgres";
import { PROBE_ROLE, REGION_DATABASE } from "../regions/region-config.ts";

export type Seen =
  | {
      readonly kind: "answered";
      readonly code: number;
      readonly region: string | null;
      readonly body: unknown;
      readonly ms: number;
    }
  | { readonly kind: "silent" }
  | { readonly kind: "failed"; readonly code: string };

/** One GET over a new connection, given up after `timeoutMs`. */
export const testFetch = async (port: number, path = "/", timeoutMs = 3_000): Promise<Seen> => {
  const startedAt = performance.now();
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { connection: "close" },
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body: unknown = await response.json();
    return {
      kind: "answered",
      code: response.status,
      region: response.headers.get("x-region"),
      body,
      ms: performance.now() - startedAt,
    };
  } catch (error) {
    if ((error as Error).name === "TimeoutError") return { kind: "silent" };
    return { kind: "failed", code: ((error as Error).cause as { code?: string } | undefined)?.code ?? String(error) };
  }
};

/** Just a dial: what the first packet meets. The socket is closed again. */
export const testDial = (port: number, timeoutMs = 300): Promise<"opened" | "unanswered" | string> =>
  new Promise((resolve) => {
    const socket: Socket = connect({ port, host: "127.0.0.1" });
    const finish = (seen: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(seen);
    };
    const timer = setTimeout(() => finish("unanswered"), timeoutMs);
    socket.once("connect", () => finish("opened"));
    socket.once("error", (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
  });

/** Logs in as the probe and runs the query; answers its first row, or the error's code. */
export const testQuery = async (port: number, password: string, query: string): Promise<Record<string, unknown> | string> => {
  const sql = postgres({
    host: "127.0.0.1",
    port,
    username: PROBE_ROLE,
    password,
    database: REGION_DATABASE,
    max: 1,
    connect_timeout: 2,
    backoff: () => 0,
    fetch_types: false,
    onnotice: () => undefined,
  });
  try {
    const [row] = await sql.unsafe(query);
    return { ...row };
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  } finally {
    await sql.end({ timeout: 0 });
  }
};

/** Polls until the observation satisfies the law; fails with the last one seen. */
export const testUntil = async <T>(
  observe: () => Promise<T> | T,
  isRight: (seen: T) => boolean,
  deadlineMs = 3_000,
): Promise<T> => {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const seen = await observe();
    if (isRight(seen)) return seen;
    if (performance.now() > deadline) throw new Error(`Not within ${deadlineMs} ms; last seen: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

/** A port that nobody listens on: one that was free a moment ago. */
export const testClosedPort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
};
