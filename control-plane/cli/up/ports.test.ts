import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { choosePorts, Ports, portsIn } from "./ports.ts";

test("all ports differ, and a second choice keeps those that are still free", async () => {
  const first = await choosePorts(null);
  expect(Ports.parse(first)).toEqual(first);
  expect(new Set(portsIn(first)).size).toBe(portsIn(first).length);
  expect(await choosePorts(first)).toEqual(first);
});

test("a kept port that somebody else has taken is drawn anew, the others stay", async () => {
  const first = await choosePorts(null);
  const squatter = createServer().listen(first.route53, "127.0.0.1");
  await once(squatter, "listening");
  try {
    const second = await choosePorts(first);
    expect(second.route53).not.toBe(first.route53);
    expect({ ...second, route53: 0 }).toEqual({ ...first, route53: 0 });
  } finally {
    squatter.close();
    await once(squatter, "close");
  }
});

test("a pair of databases has ports of its own, which are kept as well", async () => {
  const first = await choosePorts(null, true);
  expect(Ports.parse(first)).toEqual(first);
  expect(portsIn(first)).toEqual(expect.arrayContaining([first.pair?.hook, ...Object.values(first.pair?.halves ?? {})]));
  expect(new Set(portsIn(first)).size).toBe(portsIn(first).length);
  expect(await choosePorts(first, true)).toEqual(first);
});
