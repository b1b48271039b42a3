/** The listener on real sockets: what is under way is answered, what isn't ours is refused, and closing ends in time. */
import { request } from "node:http";
import { connect } from "node:net";
import { REPORT_BYTES_MAX } from "@regent/contract";
import { afterEach, expect, test } from "vitest";
import { type Listener, startListener } from "./listener.ts";
import { testDoors } from "./testing/doors.ts";
import { testService } from "./testing/fake-control-plane.ts";

const open: Listener[] = [];
afterEach(async () => {
  for (const listener of open.splice(0)) await listener.close(100);
});

const start = async (doors: ReturnType<typeof testDoors>) => {
  const listener = await startListener({ app: doors.app, host: "127.0.0.1", port: 0 });
  open.push(listener);
  return listener;
};

test("a request under way is answered before the server closes, and a new one isn't taken", async () => {
  let finish: () => void = () => undefined;
  let isAsked = false;
  const doors = testDoors({
    service: async (id) => {
      isAsked = true;
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return testService(id);
    },
  });
  const { url, close } = await start(doors);
  const asked = fetch(`${url}/v1/services/shop`, { headers: { authorization: `Bearer ${await doors.tokenOf("viewer")}` } });
  await expect.poll(() => isAsked).toBe(true);
  const closing = close(10_000);
  await expect(fetch(`${url}/livez`)).rejects.toThrow();
  finish();
  expect((await asked).status).toBe(200);
  await closing;
});

test("a request that never ends is cut at the deadline", async () => {
  let isAsked = false;
  const doors = testDoors({
    overview: () => {
      isAsked = true;
      return new Promise(() => undefined);
    },
  });
  const { url, close } = await start(doors);
  const asked = fetch(`${url}/v1/overview`, { headers: { authorization: `Bearer ${await doors.tokenOf("viewer")}` } });
  const outcome = asked.then(
    () => "answered",
    () => "cut",
  );
  await expect.poll(() => isAsked).toBe(true);
  await close(50);
  expect(await outcome).toBe("cut");
});

test("a body that is too large is refused on the wire, declared or in pieces", async () => {
  const doors = testDoors();
  const { port } = await start(doors);
  const send = (headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port, method: "POST", path: "/v1/reports", headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
        sent.destroy();
      });
      // The server may close while we still write.
      sent.on("error", reject);
      sent.write("x".repeat(1_000));
      if (headers["transfer-encoding"]) sent.write("x".repeat(REPORT_BYTES_MAX));
    });
  expect(await send({ "content-length": String(REPORT_BYTES_MAX + 1) })).toBe(413);
  expect(await send({ "transfer-encoding": "chunked" })).toBe(413);
  expect(doors.controlPlane.calls).toEqual([]);
  expect(doors.controlPlane.refusals).toEqual(["reports too-large", "reports too-large"]);
});

test.each([
  ["Host: evil.example\r\n", 421],
  ["Host: 127.0.0.1\r\n", 200],
  ["Host: 127.0.0.1@evil.example\r\n", 400],
  ["", 400],
])("a raw request with %j answers %i", async (host, number) => {
  const { port } = await start(testDoors());
  const text = await new Promise<string>((resolve, reject) => {
    let received = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(`GET /livez HTTP/1.1\r\n${host}Connection: close\r\n\r\n`));
    socket.on("data", (bytes) => {
      received += bytes;
    });
    socket.on("end", () => resolve(received));
    socket.on("error", reject);
  });
  expect(text.split(" ")[1]).toBe(String(number));
});

test("the address of a client behind a proxy is the one that the proxy added", async () => {
  const direct = testDoors();
  const proxied = testDoors({}, { listen: { hostNames: [], isBehindProxy: true } });
  const headers = { "x-forwarded-for": "203.0.113.1, 198.51.100.9" };
  for (const doors of [direct, proxied]) {
    const { url } = await start(doors);
    await fetch(`${url}/docs`, { headers });
  }
  expect(direct.logText()).toContain('"address":"127.0.0.1"');
  expect(direct.logText()).not.toContain("198.51.100.9");
  expect(proxied.logText()).toContain('"address":"198.51.100.9"');
});

test("a port that is taken is an error", async () => {
  const doors = testDoors();
  const { port } = await start(doors);
  await expect(startListener({ app: doors.app, host: "127.0.0.1", port })).rejects.toThrow(/EADDRINUSE/);
});

test("a sender that leaves within its body is counted as its own fault, and fills no log with errors", async () => {
  const doors = testDoors();
  const { port } = await start(doors);
  const socket = connect(port, "127.0.0.1");
  socket.write(`POST /v1/reports HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 100\r\n\r\nabc`, () =>
    setImmediate(() => socket.destroy()),
  );
  await expect.poll(() => doors.controlPlane.refusals).toEqual(["reports invalid-request"]);
  expect(doors.logText()).not.toContain("request failed");
});

test("a report under no declared key is refused before its body comes", async () => {
  const doors = testDoors({ isDeclaredKey: () => false });
  const { port } = await start(doors);
  const socket = connect(port, "127.0.0.1");
  socket.write(
    `POST /v1/reports HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nregent-lane: transition\r\nwebhook-id: a.1.1\r\ncontent-type: application/json\r\ncontent-length: ${REPORT_BYTES_MAX}\r\n\r\n{`,
  );
  const head = await new Promise<string>((resolve) => socket.once("data", (data) => resolve(data.toString())));
  expect(head).toMatch(/^HTTP\/1.1 401 /);
  socket.destroy();
});
