import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { afterEach, expect, test } from "vitest";
import { dialCanaries } from "./canaries.ts";

const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const listening = async (): Promise<string> => {
  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const closed = async (): Promise<string> => {
  const address = await listening();
  const server = servers.pop();
  server?.close();
  return address;
};

test("one that takes a connection is enough", async () => {
  expect(await dialCanaries([await closed(), await listening()], 2_000)).toBe("reached");
});

test("none that does is isolation", async () => {
  expect(await dialCanaries([await closed(), await closed(), "no-such-name.invalid:443"], 2_000)).toBe("unreached");
});

test("without any, nothing is known", async () => {
  expect(await dialCanaries([], 2_000)).toBe("unknown");
});
