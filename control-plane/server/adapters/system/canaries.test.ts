import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { dialCanaries } from "./canaries.ts";
import { createOutside } from "./outside.ts";

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

describe("without canaries", () => {
  const guard = (name: string, state: "open" | "closed" | "half-open") => ({ name, kind: name.split(/[:-]/)[0] ?? "", state });
  const ask = async (guards: ReturnType<typeof guard>[], endpoint?: string) =>
    createOutside({ canaries: [], guards: () => guards, endpoint: endpoint ?? `http://${await closed()}`, timeoutMs: 2_000 })();

  test("one closed breaker says that somebody answers", async () => {
    const server = `resolver:${await closed()}`;
    expect(await ask([guard("route53-read", "open"), guard(server, "closed")])).toBe("reached");
    expect(await ask([guard("route53-read", "closed"), guard(server, "open")])).toBe("reached");
    expect(await ask([guard("route53-read", "open"), guard("route53-change", "closed"), guard(server, "open")])).toBe(
      "unreached",
    );
  });

  test("all open and nobody who takes a connection is isolation", async () => {
    expect(await ask([guard("route53-read", "open"), guard(`resolver:${await closed()}`, "half-open")])).toBe("unreached");
  });

  test("a breaker that is open only because nobody asks any more doesn't keep it isolated", async () => {
    const open = [guard("route53-read", "open"), guard(`resolver:${await closed()}`, "open")];
    expect(await ask(open, `http://${await listening()}`)).toBe("reached");
    expect(await ask([guard("route53-read", "open"), guard(`resolver:${await listening()}`, "open")])).toBe("reached");
  });

  test("as long as one of the two was never asked, nothing is known", async () => {
    expect(await ask([guard("route53-read", "open")])).toBe("unknown");
    expect(await ask([])).toBe("unknown");
  });
});
