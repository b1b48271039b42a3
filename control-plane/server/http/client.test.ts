/** The client against the real app over a real socket. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Client, createClient } from "./client.ts";
import { type Listener, startListener } from "./listener.ts";
import { testDoors } from "./testing/doors.ts";
import { CHANGE_ID, testMoveAnswer } from "./testing/fake-control-plane.ts";

const doors = testDoors();
let listener: Listener;
let client: Client;
beforeAll(async () => {
  listener = await startListener({ app: doors.app, host: "127.0.0.1", port: 0 });
  client = createClient({ url: listener.url, token: await doors.tokenOf("admin") });
});
afterAll(() => listener.close(100));

const reason = "a drill on Monday";
const calls: readonly [string, () => Promise<{ kind: string }>][] = [
  ["overview", () => client.overview()],
  ["service", () => client.service("shop")],
  ["explain", () => client.explain("shop")],
  ["failover", () => client.failover("shop", { to: "west", reason })],
  ["failback", () => client.failback("shop", { reason, dryRun: true })],
  ["drain", () => client.drain("shop", { region: "east", reason })],
  ["undrain", () => client.undrain("shop", { region: "east", reason })],
  ["freeze", () => client.freeze({}, reason)],
  ["freeze of a service", () => client.freeze({ service: "shop" }, reason)],
  ["unfreeze of a region", () => client.unfreeze({ service: "shop", region: "east" }, reason)],
  ["freeze of a region", () => client.freeze({ region: "east" }, reason)],
  ["evacuate", () => client.evacuate("east", { reason, dryRun: true })],
  ["returnTo", () => client.returnTo("east", { reason })],
  ["evacuations", () => client.evacuations({ region: "east", limit: 3 })],
  ["evacuation", () => client.evacuation(CHANGE_ID)],
  ["stopEvacuation", () => client.stopEvacuation(CHANGE_ID, reason)],
  ["role", () => client.role("shop")],
  ["role of a region", () => client.role("shop", "east")],
  ["transfers", () => client.transfers()],
  ["stopTransfer", () => client.stopTransfer("shop", reason)],
  ["history", () => client.history({ service: "shop", kinds: ["change"], limit: 3 })],
  ["change", () => client.change(CHANGE_ID)],
  ["recording", () => client.recording(1_000, 2_000)],
  ["configuration", () => client.configuration()],
  ["configurationVersions", () => client.configurationVersions({ limit: 1, cursor: 7 })],
  ["configurationVersion", () => client.configurationVersion(6)],
  ["planConfiguration", () => client.planConfiguration("regent: 1\n")],
  ["applyConfiguration", () => client.applyConfiguration("regent: 1\n", 7)],
  ["session", () => client.session()],
  ["createSignInCode", () => client.createSignInCode()],
  ["live", () => client.live()],
  ["ready", () => client.ready()],
  ["health", () => client.health()],
  ["databaseHealth", () => client.databaseHealth()],
  ["breakers", () => client.breakers()],
  ["metrics", () => client.metrics()],
  ["openApi", () => client.openApi()],
  ["report", () => client.report({ headers: { "webhook-id": "a.1.3" }, body: "{}" })],
];

test.each(calls)("%s is understood", async (_, call) => {
  expect(await call()).toMatchObject({ kind: "ok" });
});

test("a session is ended by the client that holds it, and by no token", async () => {
  expect(await client.endSession()).toMatchObject({ kind: "problem", problem: { status: 403 } });
});

test("the same key is answered once", async () => {
  const options = { idempotencyKey: "one-key-for-both" };
  const answers = [
    await client.failover("shop", { to: "west", reason }, options),
    await client.failover("shop", { to: "west", reason }, options),
  ];
  expect(answers.map((answer) => answer.kind === "ok" && answer.isReplay)).toEqual([false, true]);
});

test("a problem comes with all that its type brings along", async () => {
  const answer = { ...testMoveAnswer(), allowed: false };
  const refusing = testDoors({
    move: async ({ service }) =>
      service === "shop" ? { kind: "refused-by-rule", answer } : { kind: "dns-away", why: "throttled" },
    planConfiguration: async () => ({
      kind: "invalid",
      errors: [{ path: "a", message: "b", line: 4, column: 2, suggestion: "c" }],
    }),
  });
  const own = createClient({ url: "http://localhost", token: await refusing.tokenOf("admin"), fetch: toFetch(refusing) });
  expect(await own.failover("shop", { to: "west", reason })).toMatchObject({ kind: "problem", problem: { status: 409, answer } });
  expect(await own.failover("mail", { to: "west", reason })).toMatchObject({ kind: "problem", retryAfterSeconds: 5 });
  expect(await own.planConfiguration("x")).toMatchObject({
    kind: "problem",
    problem: { errors: [{ path: "a", message: "b", line: 4, column: 2, suggestion: "c" }], requestId: expect.any(String) },
  });
});

const toFetch =
  ({ app }: ReturnType<typeof testDoors>): typeof fetch =>
  async (url, init) => {
    const { signal: _signal, redirect: _redirect, ...rest } = init ?? {};
    return app.request(String(url), rest);
  };

describe("without a control plane", () => {
  test("at the other end the reason is told, and not the token", async () => {
    const gone = await startListener({ app: doors.app, host: "127.0.0.1", port: 0 });
    await gone.close(100);
    const away = await createClient({ url: gone.url, token: "rgt_secret" }).overview();
    expect(away).toEqual({ kind: "unreachable", why: `127.0.0.1:${gone.port}: ECONNREFUSED` });
  });

  test("but something else, its answer isn't taken for one", async () => {
    const elsewhere: typeof fetch = async () => new Response("<html>", { headers: { "content-type": "text/html" } });
    expect(await createClient({ url: "http://localhost", token: null, fetch: elsewhere }).overview()).toMatchObject({
      kind: "unreachable",
      why: expect.stringContaining("not an answer of Regent"),
    });
  });

  test("that answers in time, the client gives up", async () => {
    const silent: typeof fetch = (_, init) =>
      new Promise((_resolve, reject) => init?.signal?.addEventListener("abort", () => reject(init.signal?.reason)));
    const answer = await createClient({ url: "http://localhost", token: null, fetch: silent, timeoutMs: 20 }).live();
    expect(answer).toEqual({ kind: "unreachable", why: "localhost: no answer in time" });
  });
});

test("the client imports nothing of the server", () => {
  for (const file of ["client.ts", "client-events.ts", "wire.ts"]) {
    const imports = readFileSync(new URL(file, import.meta.url), "utf8").matchAll(/from "([^"]+)"/g);
    for (const [, from] of imports) expect(["@regent/contract", "zod", "./client-events.ts", "./wire.ts"]).toContain(from);
  }
});
