/** Hooks over real HTTP on loopback, and the memory twin; and what the frame and the guard ask for beyond the port. */
import { createHmac } from "node:crypto";
import { Hook } from "@regent/contract";
import { afterEach, describe, expect, test } from "vitest";
import type { HookAnswer } from "../../ports/hook-caller.ts";
import { exampleHookRequest, type HookBench, hookCallerSuite } from "../../ports/suites/hook-caller.suite.ts";
import { createGuards } from "../guard/guards.ts";
import { createMemoryHook } from "../memory/hook-caller.ts";
import { createReadSecret } from "../notify/secrets.ts";
import { startWebReceiver } from "../notify/testing/web-receiver.ts";
import { createHookCaller, type HookCallerDeps } from "./hook-caller.ts";

const KEY = Buffer.from("0123456789abcdef0123456789abcdef");
const SECRET = `whsec_${KEY.toString("base64")}`;

const open = (more: Partial<HookCallerDeps> = {}, secret = SECRET) =>
  createHookCaller({
    guards: createGuards(),
    readSecret: createReadSecret({ env: { REGENT_SECRET_HOOK: secret }, folder: "/nonexistent" }),
    allowLoopback: true,
    timeoutMs: 400,
    ...more,
  });
const hookAt = (url: string, more: Partial<Hook> = {}): Hook =>
  Hook.parse({ url, secret: { env: "REGENT_SECRET_HOOK" }, ...more });
const PROMOTED = '{"state":"promoted","fenced":true}';

/** What it takes is kept also when the answer is no yes. */
const startHook = async (yes = { status: 200, body: PROMOTED }) => {
  const receiver = await startWebReceiver(yes);
  return { ...receiver, yes, hook: hookAt(`http://127.0.0.1:${receiver.port}/promote?x=1`) };
};

hookCallerSuite("real", async (): Promise<HookBench> => {
  const server = await startHook();
  const requests = () =>
    server.heard.map(({ body }) => {
      const { type: _, at, deadline, ...rest } = JSON.parse(body) as Record<string, string>;
      return exampleHookRequest({ ...rest, at: Date.parse(at ?? ""), deadline: Date.parse(deadline ?? "") });
    });
  return {
    caller: open(),
    hook: server.hook,
    arrived: requests,
    say: ({ answer, isFenced, why }: HookAnswer) => {
      server.yes.body = JSON.stringify({ state: answer, fenced: isFenced, ...(why === "" ? {} : { why }) });
    },
    set: (fault) => server.set(fault === "deaf" ? "hang" : fault),
    secret: SECRET,
    close: server.close,
  };
});

hookCallerSuite("memory", async (): Promise<HookBench> => {
  const memory = createMemoryHook();
  const yes = memory.answer;
  return {
    caller: memory,
    hook: hookAt("https://hooks.example.net/"),
    arrived: () => memory.asked,
    say: (answer) => {
      memory.answer = () => answer;
    },
    set: async (fault) => {
      memory.isAway = fault === "down";
      memory.answer =
        fault === null
          ? yes
          : fault === "deaf"
            ? () => Promise.reject(new Error("never"))
            : () => ({ answer: "failed", isFenced: null, why: fault });
    },
    secret: SECRET,
    close: async () => undefined,
  };
});

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
const started = async (...yes: Parameters<typeof startHook>) => {
  const server = await startHook(...yes);
  closing.push(server.close);
  return server;
};

describe("a request", () => {
  test("is signed over id, time and body, at each try anew, under the transfer's id", async () => {
    const server = await started();
    let now = 1_795_000_000_000;
    const caller = open({ now: () => now });
    const request = exampleHookRequest();
    await caller.call(server.hook, request);
    now += 30_000;
    await caller.call(server.hook, request);
    for (const { headers, body } of server.taken) {
      expect(headers["webhook-id"]).toBe(request.transfer);
      const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
      expect(headers["webhook-signature"]).toBe(`v1,${createHmac("sha256", KEY).update(signed).digest("base64")}`);
    }
    expect(server.taken.map(({ headers }) => headers["webhook-timestamp"])).toEqual(["1795000000", "1795000030"]);
    const [first, second] = server.taken;
    expect(first?.body).toBe(second?.body);
    expect(first?.path).toBe("/promote?x=1");
    expect(JSON.parse(first?.body ?? "")).toEqual({
      type: "regent.transfer.prepare",
      transfer: request.transfer,
      service: "shop",
      from: "eu-west",
      to: "us-east",
      reason: null,
      at: "2026-11-18T11:06:40.000Z",
      deadline: "2026-11-18T11:08:50.000Z",
    });
  });

  test("without a secret, or with one that is none, isn't made, and says nothing of it", async () => {
    const server = await started();
    const heard = await open({}, "hunter2hunter2").call(server.hook, exampleHookRequest());
    expect(heard).toMatchObject({ answer: "failed", why: expect.stringContaining("whsec_") });
    expect(JSON.stringify(heard)).not.toContain("hunter2");
    const missing = hookAt(server.hook.url, { secret: { file: "gone" } });
    expect(await open().call(missing, exampleHookRequest())).toMatchObject({
      answer: "failed",
      why: "the file secrets/gone isn't there",
    });
    expect(server.seen()).toBe(0);
  });
});

describe("an answer", () => {
  const heardOf = async (yes: { status: number; body: string }) => open().call((await started(yes)).hook, exampleHookRequest());

  test.each([
    [202, "whatever", { answer: "working", isFenced: null }],
    [200, '{"state":"promoted"}', { answer: "promoted", isFenced: null }],
    [200, '{"state":"promoted","fenced":"yes"}', { answer: "failed" }],
    [200, '{"state":"done","fenced":true}', { answer: "failed" }],
    [200, "ok", { answer: "failed" }],
    [200, "", { answer: "failed" }],
    [200, "null", { answer: "failed" }],
    [201, PROMOTED, { answer: "failed", why: "the hook answered 201" }],
    [204, "", { answer: "failed", why: "the hook answered 204" }],
    [409, PROMOTED, { answer: "failed", why: "the hook answered 409" }],
  ])("%s %s", async (status, body, expected) => {
    expect(await heardOf({ status, body })).toMatchObject(expected);
  });

  test("with words for a terminal's tricks, or too many of them, is one plain line", async () => {
    const why = `not\u001b[2Jthis\n\u202eone ${"x".repeat(900)}`;
    const heard = await heardOf({ status: 200, body: JSON.stringify({ state: "refused", fenced: null, why }) });
    expect(heard.why).toMatch(/^not \[2Jthis one x+$/);
    expect(heard.why).toHaveLength(500);
  });

  test("without end is no answer, and a redirect isn't followed", async () => {
    const server = await started();
    await server.set("flood");
    expect(await open().call(server.hook, exampleHookRequest())).toMatchObject({ answer: "failed" });
    await server.set("redirect");
    expect((await open().call(server.hook, exampleHookRequest())).why).toBe(
      "the hook answered 302, and redirects aren't followed",
    );
    expect(server.seen()).toBe(2);
  });
});

describe("the guards", () => {
  test.each([
    ["169.254.169.254", "metadata"],
    ["::ffff:169.254.169.254", "metadata"],
    ["fd00:ec2::254", "metadata"],
    ["169.254.7.7", "link-local"],
    ["10.0.0.1", "private"],
    ["127.0.0.1", "loopback"],
  ])("dial no %s, which is %s", async (address, kind) => {
    const caller = open({ allowLoopback: false, lookUp: async () => ["93.184.216.34", address] });
    expect(await caller.call(hookAt("https://hooks.example.net/"), exampleHookRequest())).toEqual({
      answer: "failed",
      isFenced: null,
      why: `the address is ${kind}, which isn't allowed here`,
    });
  });

  test("leave a hook that has failed five times in peace for a while, and another service's alone", async () => {
    const server = await started();
    await server.set("error");
    const caller = open();
    for (let i = 0; i < 5; i += 1) await caller.call(server.hook, exampleHookRequest());
    const before = server.seen();
    expect((await caller.call(server.hook, exampleHookRequest())).why).toContain("open");
    expect(server.seen()).toBe(before);
    await server.set(null);
    expect(await caller.call(server.hook, exampleHookRequest({ service: "mail" }))).toMatchObject({ answer: "promoted" });
  });
});
