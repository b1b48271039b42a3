/** A dead server is asked less and costs no time; one that answers, whatever it answers, is asked as before. */
import { createSocket } from "node:dgram";
import dnsPacket from "dns-packet";
import { afterEach, expect, test } from "vitest";
import { createGuards } from "../guard/guards.ts";
import { createGuardedResolver } from "./guarded-resolver.ts";
import { createUdpResolver } from "./udp-resolver.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const BREAKER = { failures: 3, successes: 2, openMs: 200 };
type Mood = "answers" | "refuses" | "silent";

/** One real server on UDP whose mood can be set. */
const startServer = async () => {
  const world = { mood: "answers" as Mood, asked: 0, address: "" };
  const socket = createSocket("udp4");
  socket.on("message", (bytes, from) => {
    world.asked += 1;
    if (world.mood === "silent") return;
    const query = dnsPacket.decode(bytes);
    const flags = world.mood === "refuses" ? 5 : 0;
    const answers = world.mood === "refuses" ? [] : [{ type: "A" as const, name: "www.example.com", ttl: 5, data: "192.0.2.1" }];
    socket.send(
      dnsPacket.encode({ type: "response", id: query.id!, flags, questions: query.questions!, answers }),
      from.port,
      from.address,
    );
  });
  await new Promise<void>((bound) => socket.bind(0, "127.0.0.1", bound));
  closers.push(() => socket.close());
  world.address = `127.0.0.1:${socket.address().port}`;
  return world;
};

test("a silent server is asked until it is known to be silent, then once each open time, and counts again when it is back", async () => {
  const [dead, well] = [await startServer(), await startServer()];
  const guards = createGuards();
  const resolver = createGuardedResolver(createUdpResolver(), guards, BREAKER);
  const ask = (server: string) => resolver.ask(server, "www.example.com", "A", 60);
  dead.mood = "silent";
  for (let n = 0; n < 3; n += 1) expect(await ask(dead.address)).toMatchObject({ kind: "failed", isSilent: true });
  const begunAt = performance.now();
  for (let n = 0; n < 50; n += 1) expect((await ask(dead.address)).kind).toBe("failed");
  expect(performance.now() - begunAt).toBeLessThan(150);
  expect(dead.asked).toBe(3);
  expect((await ask(well.address)).kind).toBe("answer");
  dead.mood = "answers";
  await expect.poll(async () => (await ask(dead.address)).kind, { interval: 10 }).toBe("answer");
  await ask(dead.address);
  expect(guards.views(0).map(({ kind, state }) => [kind, state])).toEqual([
    ["resolver", "closed"],
    ["resolver", "closed"],
  ]);
});

test("a server that refuses a name is there: it is asked every time", async () => {
  const server = await startServer();
  server.mood = "refuses";
  const resolver = createGuardedResolver(createUdpResolver(), createGuards(), BREAKER);
  for (let n = 0; n < 10; n += 1)
    expect(await resolver.ask(server.address, "www.example.com", "A", 500)).toEqual({ kind: "failed", why: "REFUSED" });
  expect(server.asked).toBe(10);
});
