/** The live stream, as a reader over a real socket sees it. */
import { afterEach, expect, test } from "vitest";
import { createClient } from "./client.ts";
import { createEventStreams } from "./event-streams.ts";
import { type Listener, startListener } from "./listener.ts";
import { START, testDoors } from "./testing/doors.ts";
import { testControlPlane } from "./testing/fake-control-plane.ts";

const open: Listener[] = [];
afterEach(async () => {
  for (const listener of open.splice(0)) await listener.close(100);
});

const start = async (doors: ReturnType<typeof testDoors>) => {
  const listener = await startListener({ app: doors.app, host: "127.0.0.1", port: 0 });
  open.push(listener);
  return listener;
};

const decode = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

test("a reader first hears that there is something to read, then of each change, and the stream ends with the server", async () => {
  const doors = testDoors();
  const { url, close } = await start(doors);
  const client = createClient({ url, token: await doors.tokenOf("viewer") });
  const feed = await client.events();
  if (feed.kind !== "ok") throw new Error(feed.kind);
  const events = feed.events[Symbol.asyncIterator]();
  expect(await events.next()).toEqual({ done: false, value: { kind: "overview", at: START, service: null } });
  doors.controlPlane.emit({ kind: "history", at: 5, service: "shop" });
  expect(await events.next()).toEqual({ done: false, value: { kind: "history", at: 5, service: "shop" } });
  const closing = close(5_000);
  expect((await events.next()).done).toBe(true);
  await closing;
  expect(doors.controlPlane.listeners()).toBe(0);
});

test("a reader that leaves is forgotten", async () => {
  const doors = testDoors();
  const { url } = await start(doors);
  const leaving = new AbortController();
  const feed = await createClient({ url, token: await doors.tokenOf("viewer") }).events(leaving.signal);
  if (feed.kind !== "ok") throw new Error(feed.kind);
  const events = feed.events[Symbol.asyncIterator]();
  await events.next();
  expect(doors.controlPlane.listeners()).toBe(1);
  leaving.abort();
  expect((await events.next()).done).toBe(true);
  await expect.poll(() => doors.controlPlane.listeners()).toBe(0);
});

test("the stream has the form that browsers read, whatever a browser says it heard last", async () => {
  const doors = testDoors();
  const { url } = await start(doors);
  const leaving = new AbortController();
  const response = await fetch(`${url}/v1/events`, {
    headers: { authorization: `Bearer ${await doors.tokenOf("viewer")}`, "last-event-id": "nonsense" },
    signal: leaving.signal,
  });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const { value } = (await response.body?.getReader().read()) ?? {};
  expect(decode(value)).toBe(
    `retry: 2000\n\nid: ${START}\nevent: overview\ndata: {"kind":"overview","at":${START},"service":null}\n\n`,
  );
  leaving.abort();
});

const testStreams = (options: { heartbeatMs?: number; streamsMax?: number } = {}) => {
  const controlPlane = testControlPlane();
  const streams = createEventStreams({ controlPlane, clock: { now: () => START }, ...options });
  return { controlPlane, streams };
};
const everybody = { scope: null, expiresAt: null };

test("a slow reader finds the latest of each kind and service, and never a backlog", async () => {
  const { controlPlane, streams } = testStreams();
  const reader = streams.open(everybody)?.getReader();
  await reader?.read();
  for (let at = 1; at <= 1_000; at += 1) controlPlane.emit({ kind: "history", at, service: at % 2 === 0 ? "shop" : "mail" });
  const taken = decode((await reader?.read())?.value);
  expect([...taken.matchAll(/"at":(\d+)/g)].map(([, at]) => at)).toEqual(["999", "1000"]);
  streams.close();
  expect((await reader?.read())?.done).toBe(true);
});

test("a scoped reader hears of its services and of what concerns all", async () => {
  const { controlPlane, streams } = testStreams();
  const reader = streams.open({ scope: ["mail"], expiresAt: null })?.getReader();
  await reader?.read();
  controlPlane.emit({ kind: "history", at: 1, service: "shop" });
  controlPlane.emit({ kind: "history", at: 2, service: "mail" });
  expect(decode((await reader?.read())?.value)).toContain('"at":2');
  controlPlane.emit({ kind: "overview", at: 3, service: null });
  const last = decode((await reader?.read())?.value);
  expect(last).toContain('"at":3');
  expect(last).not.toContain("shop");
  streams.close();
});

test("a silent stream is kept open by heartbeats", async () => {
  const { streams } = testStreams({ heartbeatMs: 10 });
  const reader = streams.open(everybody)?.getReader();
  await reader?.read();
  expect(decode((await reader?.read())?.value)).toBe(": still here\n\n");
  streams.close();
});

test("a stream ends with the sign-in that opened it", async () => {
  const { controlPlane, streams } = testStreams();
  const reader = streams.open({ scope: null, expiresAt: START + 20 })?.getReader();
  await reader?.read();
  expect((await reader?.read())?.done).toBe(true);
  expect([streams.size(), controlPlane.listeners()]).toEqual([0, 0]);
});

test("there are no more streams than may be, one that ends makes room, and a closing server opens none", async () => {
  const { streams } = testStreams({ streamsMax: 2 });
  const [first] = [streams.open(everybody), streams.open(everybody)];
  expect(streams.open(everybody)).toBe(null);
  await first?.cancel();
  expect(streams.size()).toBe(1);
  expect(streams.open(everybody)).not.toBe(null);
  streams.close();
  expect(streams.size()).toBe(0);
  expect(streams.open(everybody)).toBe(null);
});

test("a HEAD opens no stream", async () => {
  const doors = testDoors();
  expect((await doors.ask("HEAD", "/v1/events", { token: await doors.tokenOf("viewer") })).status).toBe(200);
  expect(doors.controlPlane.listeners()).toBe(0);
});
