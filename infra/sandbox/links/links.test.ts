import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LinkCutMode } from "../faults.ts";
import { testDial, testUntil } from "../testing/observe.ts";
import { createLinks, type Links } from "./links.ts";

const FROM = "eu-west/net-a";
const OTHER = "eu-west/net-b";
const TO = "us-east/api";

/** A target that one can shut and open again; every connection is handed to `serve`. */
class Target {
  port = 0;
  sockets: Socket[] = [];
  serve: (socket: Socket) => void = (socket) => socket.on("data", (chunk) => socket.write(chunk)).on("end", () => socket.end());
  private server: Server | undefined;

  async open(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      this.sockets.push(socket.on("error", () => undefined));
      this.serve(socket);
    });
    server.listen(this.port, "127.0.0.1");
    await once(server, "listening");
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  shut(): void {
    this.server?.close();
    for (const socket of this.sockets.splice(0)) socket.resetAndDestroy();
  }
}

let target: Target;
let links: Links;
const clients: Socket[] = [];

const portOf = (from: string): number => links.state().find((link) => link.from === from)?.port ?? 0;

const dial = async (): Promise<Socket> => {
  const socket = connect({ port: portOf(FROM), host: "127.0.0.1", allowHalfOpen: true });
  clients.push(socket);
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
};

/** Sends a line and answers what comes back within `ms`, "" when nothing does. */
const echo = async (socket: Socket, text: string, ms = 500): Promise<string> => {
  const signal = AbortSignal.timeout(ms);
  socket.write(text);
  return once(socket, "data", { signal }).then(
    ([chunk]) => String(chunk),
    () => "",
  );
};

const broken = async (socket: Socket): Promise<string> => {
  const [error] = (await once(socket, "error", { signal: AbortSignal.timeout(2_000) })) as [NodeJS.ErrnoException];
  return error.code ?? error.message;
};

const cut = (mode: LinkCutMode | undefined): Promise<unknown> => links.set({ from: FROM, to: TO }, mode);

beforeEach(async () => {
  target = new Target();
  await target.open();
  links = await createLinks({
    vantages: [FROM, OTHER],
    targets: [{ name: TO, host: "127.0.0.1", port: target.port, watch: "held" }],
    ports: {},
  });
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await links.close();
  target.shut();
});

describe("a whole link", () => {
  test("carries bytes both ways, more than any buffer holds, unchanged", async () => {
    const socket = await dial();
    const sent = Buffer.alloc(8 * 1_024 * 1_024, "regent");
    let received = 0;
    let differs = false;
    socket.on("data", (chunk: Buffer) => {
      differs ||= !chunk.equals(sent.subarray(received, received + chunk.length));
      received += chunk.length;
    });
    socket.end(sent);
    await once(socket, "end", { signal: AbortSignal.timeout(5_000) });
    expect({ received, differs }).toEqual({ received: sent.length, differs: false });
  });

  test("respects a half-close: the target may answer after the client's end", async () => {
    target.serve = (socket) => {
      let text = "";
      socket.on("data", (chunk) => {
        text += String(chunk);
      });
      socket.on("end", () => socket.end(`heard ${text}`));
    };
    const socket = await dial();
    socket.end("all");
    expect(String((await once(socket, "data"))[0])).toBe("heard all");
  });

  test("a slow reader slows the sender instead of filling memory", async () => {
    let taken = 0;
    target.serve = (socket) => socket.pause();
    const socket = await dial();
    const chunk = Buffer.alloc(256 * 1_024);
    while (socket.write(chunk) || socket.writableLength < 4 * chunk.length) {
      taken += chunk.length;
      if (taken > 256 * 1_024 * 1_024) break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(taken).toBeLessThan(64 * 1_024 * 1_024);
  });

  test("a reset passes in both directions", async () => {
    const first = await dial();
    await echo(first, "x");
    for (const socket of target.sockets) socket.resetAndDestroy();
    expect(await broken(first)).toBe("ECONNRESET");
    target.sockets = [];

    const second = await dial();
    await echo(second, "x");
    const seen = broken(target.sockets.at(-1) as Socket);
    second.resetAndDestroy();
    expect(await seen).toBe("ECONNRESET");
  });
});

describe("a link whose target refuses", () => {
  test("refuses too, soon, and on every vantage; and opens again with it", async () => {
    target.shut();
    const isRefused = (seen: string): boolean => seen === "ECONNREFUSED";
    await testUntil(() => testDial(portOf(FROM)), isRefused, 300);
    await testUntil(() => testDial(portOf(OTHER)), isRefused, 300);
    await target.open();
    await testUntil(
      () => testDial(portOf(FROM)),
      (seen) => seen === "opened",
      500,
    );
    expect(await echo(await dial(), "back")).toBe("back");
  });

  test("keeps its port when the target is not there yet", async () => {
    const late = new Target();
    await late.open();
    late.shut();
    const early = await createLinks({
      vantages: [FROM],
      targets: [{ name: TO, host: "127.0.0.1", port: late.port, watch: "dialled" }],
      ports: {},
    });
    const port = early.state()[0]?.port ?? 0;
    expect(await testDial(port)).toBe("ECONNREFUSED");
    await late.open();
    await testUntil(
      () => testDial(port),
      (seen) => seen === "opened",
      500,
    );
    late.shut();
    await testUntil(
      () => testDial(port),
      (seen) => seen === "ECONNREFUSED",
      1_000,
    );
    await early.close();
  });
});

describe("a cut link", () => {
  test("refuse: open connections are reset, dials refused, the neighbour unharmed", async () => {
    const socket = await dial();
    expect(await echo(socket, "x")).toBe("x");
    const seen = broken(socket);
    await cut("refuse");
    expect(await seen).toBe("ECONNRESET");
    expect(await testDial(portOf(FROM))).toBe("ECONNREFUSED");
    expect(await testDial(portOf(OTHER))).toBe("opened");
    await cut(undefined);
    expect(await echo(await dial(), "whole")).toBe("whole");
  });

  test("blackhole: the dial opens, nothing passes, the target sees nobody; a mend resets what lost bytes", async () => {
    await cut("blackhole");
    const before = target.sockets.length;
    const socket = await dial();
    expect(await echo(socket, "lost", 100)).toBe("");
    expect(target.sockets.length).toBe(before);
    const seen = broken(socket);
    await cut(undefined);
    expect(await seen).toBe("ECONNRESET");
    expect(await echo(await dial(), "whole")).toBe("whole");
  });

  test("blackhole: a connection that was open and silent meanwhile lives on", async () => {
    const socket = await dial();
    expect(await echo(socket, "before")).toBe("before");
    await cut("blackhole");
    await cut(undefined);
    expect(await echo(socket, "after")).toBe("after");
  });

  test("no-answers: the request arrives, the answer does not", async () => {
    let heard = "";
    target.serve = (socket) =>
      socket.on("data", (chunk) => {
        heard += String(chunk);
        socket.write("answer");
      });
    await cut("no-answers");
    expect(await echo(await dial(), "request", 100)).toBe("");
    expect(heard).toBe("request");
  });

  test("no-requests: what the target still sends arrives, the request does not", async () => {
    let heard = "";
    target.serve = (socket) => {
      socket.on("data", (chunk) => {
        heard += String(chunk);
      });
    };
    const socket = await dial();
    await testUntil(
      () => target.sockets.length,
      (count) => count > 1,
    );
    await cut("no-requests");
    socket.write("request");
    const answer = once(socket, "data", { signal: AbortSignal.timeout(1_000) });
    for (const each of target.sockets) each.write("news");
    expect(String((await answer)[0])).toBe("news");
    expect(heard).toBe("");
  });

  test("stays cut while its target comes and goes", async () => {
    await cut("refuse");
    target.shut();
    await target.open();
    await testUntil(
      () => testDial(portOf(OTHER)),
      (seen) => seen === "opened",
    );
    expect(await testDial(portOf(FROM))).toBe("ECONNREFUSED");
  });

  test("choices: all of a vantage, all to a target, none", async () => {
    expect((await links.set({ from: FROM }, "refuse")).map((link) => link.from)).toEqual([FROM]);
    expect((await links.set({ to: TO }, "blackhole")).map((link) => [link.from, link.cut])).toEqual([
      [FROM, "blackhole"],
      [OTHER, "blackhole"],
    ]);
    expect(await links.set({ to: "control-plane" }, "refuse")).toEqual([]);
  });
});

test("closed links leave no port and no connection", async () => {
  const socket = await dial();
  const seen = broken(socket);
  const port = portOf(FROM);
  await links.close();
  expect(await seen).toBe("ECONNRESET");
  expect(await testDial(port)).toBe("ECONNREFUSED");
});
