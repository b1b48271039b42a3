/** All four ways to tell people, against receivers on loopback; and what each vendor's format asks for beyond the port. */
import { createHmac } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type NotifierDeclaration, NotifierDeclaration as Schema } from "@regent/contract";
import { afterEach, describe, expect, test } from "vitest";
import type { NoticeAction } from "../../ports/notifier.ts";
import { exampleNotice, type NotifierBench, notifierSuite } from "../../ports/suites/notifier.suite.ts";
import { createGuards } from "../guard/guards.ts";
import { createMessenger, type MessengerDeps } from "./messenger.ts";
import { toRetryAfterMs } from "./post-json.ts";
import { createRecordingMessenger } from "./recording-messenger.ts";
import { createReadSecret } from "./secrets.ts";
import { toOptions } from "./smtp.ts";
import { startMailServer } from "./testing/mail-server.ts";
import { BUSY_SECONDS, startWebReceiver } from "./testing/web-receiver.ts";

const WEBHOOK_KEY = Buffer.from("0123456789abcdef0123456789abcdef");
const TIMEOUT_MS = 400;

const open = (declared: object, secret: string, more: Partial<MessengerDeps> = {}) => {
  const env = { REGENT_SECRET_X: secret };
  const messenger = createMessenger({
    guards: createGuards(),
    readSecret: createReadSecret({ env, folder: "/nonexistent" }),
    allowLoopback: true,
    timeoutMs: TIMEOUT_MS,
    ...more,
  });
  const parsed: NotifierDeclaration = Schema.parse({ id: "n", secret: { env: "REGENT_SECRET_X" }, ...declared });
  return messenger.open(parsed);
};

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
const web = async (yes = { status: 200, body: "ok" }) => {
  const receiver = await startWebReceiver(yes);
  closing.push(receiver.close);
  return receiver;
};

const SECRET = `whsec_${WEBHOOK_KEY.toString("base64")}`;
const openWebhook = (port: number, more: Partial<MessengerDeps> = {}, where = `http://127.0.0.1:${port}/in?x=1`) =>
  open({ kind: "webhook", where }, SECRET, more);

notifierSuite("webhook", async (): Promise<NotifierBench> => {
  const receiver = await startWebReceiver({ status: 204, body: "" });
  return {
    notifier: openWebhook(receiver.port),
    taken: () => receiver.taken.map(({ headers, body }) => ({ id: String(headers["webhook-id"]), text: body })),
    set: receiver.set,
    secret: SECRET,
    busyMs: BUSY_SECONDS * 1_000,
    idOf: ({ id }) => id,
    isGuarded: true,
    close: receiver.close,
  };
});

notifierSuite("slack", async (): Promise<NotifierBench> => {
  const receiver = await startWebReceiver({ status: 200, body: "ok" });
  return {
    notifier: open({ kind: "slack" }, `http://127.0.0.1:${receiver.port}/services/T0/B0/hushhush`),
    taken: () => receiver.taken.map(({ body }) => ({ id: /message (\w{26})/.exec(body)?.[1] ?? "", text: body })),
    set: receiver.set,
    secret: "hushhush",
    busyMs: BUSY_SECONDS * 1_000,
    idOf: ({ id }) => id,
    isGuarded: true,
    close: receiver.close,
  };
});

notifierSuite("pagerduty", async (): Promise<NotifierBench> => {
  const receiver = await startWebReceiver({ status: 202, body: '{"status":"success"}' });
  return {
    notifier: open({ kind: "pagerduty", where: `http://127.0.0.1:${receiver.port}/v2/enqueue` }, "R".repeat(32)),
    taken: () => receiver.taken.map(({ body }) => ({ id: (JSON.parse(body) as { dedup_key: string }).dedup_key, text: body })),
    set: receiver.set,
    secret: "R".repeat(32),
    busyMs: BUSY_SECONDS * 1_000,
    idOf: ({ incident }) => `${incident.id}/critical`,
    isGuarded: true,
    close: receiver.close,
  };
});

const MAIL = { kind: "smtp", from: "regent@example.net", to: ["ops@example.net", "boss@example.net"], user: "regent" };

notifierSuite("smtp", async (): Promise<NotifierBench> => {
  const server = await startMailServer();
  return {
    notifier: open({ ...MAIL, where: `smtp://127.0.0.1:${server.port}` }, "open sesame"),
    taken: () => server.taken.map(({ text }) => ({ id: /^Message-ID: <(\w+)@/m.exec(text)?.[1] ?? "", text: unquote(text) })),
    set: server.set,
    secret: "open sesame",
    busyMs: null,
    idOf: ({ id }) => id,
    isGuarded: true,
    close: server.close,
  };
});

notifierSuite("recording", async (): Promise<NotifierBench> => {
  const messenger = createRecordingMessenger();
  const declared = { id: "n", kind: "webhook", where: "https://hooks.example.net/", secret: { env: "REGENT_SECRET_X" } };
  return {
    notifier: messenger.open(Schema.parse(declared)),
    taken: () => messenger.taken.map(({ notice }) => ({ id: notice.id, text: JSON.stringify(notice) })),
    set: async (fault) => {
      messenger.answer = () =>
        fault === null || fault === "slow"
          ? null
          : { kind: "later", why: fault, ...(fault === "busy" ? { retryAfterMs: 7_000 } : {}) };
    },
    secret: "REGENT_SECRET_X",
    busyMs: 7_000,
    idOf: ({ id }) => id,
    isGuarded: false,
    close: async () => undefined,
  };
});

/** Quoted-printable, as mail wraps its lines. */
const unquote = (text: string): string =>
  text.replace(/=\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

describe("a webhook", () => {
  test("is signed as Standard Webhooks says, over id, time and body, at each try anew", async () => {
    const receiver = await web();
    let now = 1_795_000_000_000;
    const notifier = openWebhook(receiver.port, { now: () => now });
    const notice = exampleNotice();
    await notifier.send(notice);
    now += 60_000;
    await notifier.send(notice);
    const [first, second] = receiver.taken;
    for (const request of [first, second]) {
      const signed = `${request?.headers["webhook-id"]}.${request?.headers["webhook-timestamp"]}.${request?.body}`;
      const expected = createHmac("sha256", WEBHOOK_KEY).update(signed).digest("base64");
      expect(request?.headers["webhook-signature"]).toBe(`v1,${expected}`);
    }
    expect([first?.headers["webhook-timestamp"], second?.headers["webhook-timestamp"]]).toEqual(["1795000000", "1795000060"]);
    expect(first?.path).toBe("/in?x=1");
    expect(JSON.parse(first?.body ?? "")).toMatchObject({
      type: "incident.open",
      data: { owner: "acme", incident: { hit: 200 } },
    });
  });

  test("follows no redirect and reads no flood", async () => {
    const receiver = await web();
    await receiver.set("redirect");
    expect(await openWebhook(receiver.port).send(exampleNotice())).toMatchObject({
      kind: "later",
      why: expect.stringContaining("302"),
    });
    expect(receiver.seen()).toBe(1);
    await receiver.set("flood");
    expect(await openWebhook(receiver.port).send(exampleNotice())).toEqual({ kind: "later", why: "the receiver answered 500" });
  });

  test("is refused by a receiver that speaks no TLS, and says nothing of the secret", async () => {
    const receiver = await web();
    const result = await openWebhook(receiver.port, {}, `https://127.0.0.1:${receiver.port}/`).send(exampleNotice());
    expect(result.kind).toBe("later");
    expect(receiver.seen()).toBe(0);
  });

  test("with a secret that is none is told as such", async () => {
    const receiver = await web();
    const notifier = open({ kind: "webhook", where: `http://127.0.0.1:${receiver.port}/` }, "hunter2hunter2");
    const result = await notifier.send(exampleNotice());
    expect(result).toMatchObject({ kind: "later", why: expect.stringContaining("whsec_") });
    expect(JSON.stringify(result)).not.toContain("hunter2");
  });
});

describe("the target guard", () => {
  const tried = async (
    addresses: readonly string[],
    where: string,
    more: Partial<MessengerDeps> & { isPrivate?: boolean } = {},
  ) => {
    const { isPrivate = false, ...deps } = more;
    const notifier = open({ kind: "webhook", where, isPrivate }, SECRET, { lookUp: async () => addresses, ...deps });
    const result = await notifier.send(exampleNotice());
    return result.kind === "later" ? result.why : result.kind;
  };

  test.each([
    ["169.254.169.254", "metadata"],
    ["fd00:ec2::254", "metadata"],
    ["::ffff:169.254.169.254", "metadata"],
    ["64:ff9b::a9fe:a9fe", "metadata"],
    ["169.254.7.7", "link-local"],
    ["fe80::1", "link-local"],
    ["0.0.0.0", "unroutable"],
    ["10.0.0.1", "private"],
    ["::ffff:10.0.0.1", "private"],
    ["127.0.0.1", "loopback"],
  ])("dials no %s, which is %s", async (address, kind) => {
    const why = await tried(["93.184.216.34", address], "https://hooks.example.net/", { allowLoopback: false });
    expect(why).toBe(`the address is ${kind}, which isn't allowed here`);
  });

  test("dials a private address where that is declared, and metadata not even then", async () => {
    const isPrivate = true;
    expect(await tried(["169.254.169.254"], "https://x.example.net/", { isPrivate })).toContain("metadata");
    // An address reserved for documentation counts as private; nobody answers there, or it is refused at once.
    expect(await tried(["192.0.2.1"], "https://x.example.net:9/", { isPrivate, timeoutMs: 50 })).not.toContain("allowed");
  });

  test("speaks plain HTTP to loopback alone", async () => {
    expect(await tried(["93.184.216.34"], "http://hooks.example.net/")).toBe("only https is spoken, except to loopback");
  });

  test("dials the address that it checked, whatever the name says by then", async () => {
    const receiver = await web();
    let asked = 0;
    const lookUp = async (): Promise<readonly string[]> => {
      asked += 1;
      return asked === 1 ? ["127.0.0.1"] : ["169.254.169.254"];
    };
    const notifier = openWebhook(receiver.port, { lookUp }, `http://hooks.example.net:${receiver.port}/`);
    expect(await notifier.send(exampleNotice())).toEqual({ kind: "taken" });
    expect(receiver.taken[0]?.headers.host).toBe(`hooks.example.net:${receiver.port}`);
  });
});

describe("Slack", () => {
  test("gets blocks within its limits, and no markup of ours", async () => {
    const receiver = await web();
    const notifier = open({ kind: "slack" }, `http://127.0.0.1:${receiver.port}/x`);
    const why = `<!channel> & <https://evil.example|click> ${"<".repeat(900)}`;
    await notifier.send(exampleNotice({}, { title: "<!here> x", lines: Array.from({ length: 5 }, () => ({ at: 0, why })) }));
    const body = JSON.parse(receiver.taken[0]?.body ?? "") as {
      text: string;
      blocks: { type: string; text?: { text: string } }[];
    };
    const section = body.blocks.find(({ type }) => type === "section")?.text?.text ?? "";
    expect(section.length).toBeLessThanOrEqual(3_000);
    expect(body.blocks.find(({ type }) => type === "header")?.text?.text.length).toBeLessThanOrEqual(150);
    for (const text of [body.text, section]) expect(text).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
  });

  test("gets no half of a character where a subject is cut: it calls such a message invalid for ever", async () => {
    const receiver = await web({ status: 200, body: "ok" });
    const notifier = open({ kind: "slack" }, `http://127.0.0.1:${receiver.port}/services/T/B/x`);
    for (const shift of [0, 1]) await notifier.send(exampleNotice({}, { title: `${"x".repeat(shift)}${"🔥".repeat(200)}` }));
    expect(receiver.taken).toHaveLength(2);
    for (const { body } of receiver.taken) expect(body).not.toMatch(/\\ud[89ab]/i);
  });

  test("that calls a message invalid never gets it again; a webhook that is gone may come back", async () => {
    const receiver = await web();
    const notifier = open({ kind: "slack" }, `http://127.0.0.1:${receiver.port}/x`);
    await receiver.set("refuse");
    expect(await notifier.send(exampleNotice())).toEqual({ kind: "refused", why: "the receiver answered 400" });
  });
});

describe("PagerDuty", () => {
  const opened = async () => {
    const receiver = await web({ status: 202, body: "{}" });
    return {
      receiver,
      notifier: open({ kind: "pagerduty", where: `http://127.0.0.1:${receiver.port}/v2/enqueue` }, "K".repeat(32)),
    };
  };

  test("gets an alert of its own for what became worse, and has all of them resolved at the end", async () => {
    const { receiver, notifier } = await opened();
    const id = "01JD8Z0000000000000000000A";
    const notice = (action: NoticeAction, alerts: readonly string[]) => exampleNotice({ action }, { id, alerts });
    await notifier.send(notice("open", ["warning"]));
    await notifier.send(notice("acknowledge", ["warning"]));
    await notifier.send(notice("update", ["warning", "critical"]));
    await notifier.send(notice("close", ["warning", "critical"]));
    const events = receiver.taken.map(({ body }) => JSON.parse(body) as { event_action: string; dedup_key: string });
    expect(events.map(({ event_action, dedup_key }) => `${event_action} ${dedup_key}`)).toEqual([
      `trigger ${id}/warning`,
      `acknowledge ${id}/warning`,
      `trigger ${id}/critical`,
      `resolve ${id}/warning`,
      `resolve ${id}/critical`,
    ]);
  });

  test("gets one alert for each incident that is no worse, triggered, acknowledged and resolved", async () => {
    const { receiver, notifier } = await opened();
    const notice = exampleNotice();
    for (const action of ["open", "update", "escalate", "acknowledge", "close"] as const)
      await notifier.send({ ...notice, action });
    const events = receiver.taken.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect(events.map(({ event_action }) => event_action)).toEqual(["trigger", "trigger", "trigger", "acknowledge", "resolve"]);
    expect(new Set(events.map(({ dedup_key }) => dedup_key))).toEqual(new Set([`${notice.incident.id}/critical`]));
    expect(events[0]).toMatchObject({
      routing_key: "K".repeat(32),
      payload: { severity: "critical", source: "acme", component: "region:eu-west", timestamp: "2026-11-18T11:06:40.000Z" },
    });
  });

  test("has a test resolved at once, and refuses a bad event for ever", async () => {
    const { receiver, notifier } = await opened();
    await notifier.send(exampleNotice({ action: "test" }));
    expect(receiver.taken.map(({ body }) => (JSON.parse(body) as { event_action: string }).event_action)).toEqual([
      "trigger",
      "resolve",
    ]);
    await receiver.set("refuse");
    expect(await notifier.send(exampleNotice())).toEqual({ kind: "refused", why: "the receiver answered 400" });
  });
});

describe("mail", () => {
  const opened = async (secret = "open sesame", options: Parameters<typeof startMailServer>[0] = {}) => {
    const server = await startMailServer(options);
    closing.push(server.close);
    return { server, notifier: open({ ...MAIL, where: `smtp://127.0.0.1:${server.port}` }, secret) };
  };

  test("is plain text in one thread for each incident, marked as written by no person", async () => {
    const { server, notifier } = await opened();
    const notice = exampleNotice();
    await notifier.send(notice);
    const [mail] = server.taken;
    expect(mail).toMatchObject({
      from: "regent@example.net",
      to: ["ops@example.net", "boss@example.net"],
      login: "regent open sesame",
    });
    for (const header of [
      `Message-ID: <${notice.id}@example.net>`,
      `References: <incident-${notice.incident.id}@example.net>`,
      "Auto-Submitted: auto-generated",
      "Subject: [critical] traffic left eu-west (200 hit): opened",
      "Content-Type: text/plain",
    ])
      expect(mail?.text).toContain(header);
  });

  test("that one of its recipients is refused for is no mail that was taken; who has it doesn't get it again", async () => {
    const refuses = new Map([["boss@example.net", "450 4.2.0 greylisted"]]);
    const { server, notifier } = await opened("open sesame", { refuses });
    const notice = exampleNotice();
    for (let i = 0; i < 2; i += 1)
      expect(await notifier.send(notice)).toMatchObject({ kind: "later", why: expect.stringContaining("450") });
    refuses.clear();
    expect(await notifier.send(notice)).toEqual({ kind: "taken" });
    expect(server.taken.map(({ to }) => to)).toEqual([["ops@example.net"], ["boss@example.net"]]);

    refuses.set("boss@example.net", "550 5.1.1 nobody");
    expect(await notifier.send(exampleNotice())).toMatchObject({ kind: "refused", why: expect.stringContaining("1 of 2") });
    expect(server.taken.at(-1)?.to).toEqual(["ops@example.net"]);
  });

  test("has only the headers that are ours, whatever a title or a reason holds", async () => {
    const { server, notifier } = await opened();
    const evil = "x\r\nBcc: evil@example.net\r\n\r\n.\r\nMAIL FROM:<evil@example.net>";
    await notifier.send(
      exampleNotice({ owner: evil }, { title: evil, cause: evil, parts: [evil], lines: [{ at: 0, why: evil }] }),
    );
    expect(server.taken).toHaveLength(1);
    const [headers = ""] = (server.taken[0]?.text ?? "").split("\n\n");
    expect(headers).not.toMatch(/^Bcc:/im);
    expect(server.taken[0]?.to).not.toContain("evil@example.net");
  });

  test("asks for TLS wherever the server isn't on loopback, and for a certificate of the server's name", () => {
    const target = { host: "mail.example.net", ip: "93.184.216.34", isLoopback: false };
    const server = { port: 587, isTls: false };
    expect(toOptions(target, server)).toMatchObject({
      host: "93.184.216.34",
      requireTLS: true,
      secure: false,
      tls: { servername: "mail.example.net", rejectUnauthorized: true },
    });
    expect(toOptions({ ...target, isLoopback: true }, server).requireTLS).toBe(false);
    expect(toOptions(target, { port: 465, isTls: true }).secure).toBe(true);
  });

  test("waits while TLS fails or the login is refused, and is put aside when the text is", async () => {
    const bad = await opened("open sesame", { offersTls: true });
    expect((await bad.notifier.send(exampleNotice())).kind).toBe("later");
    expect(bad.server.taken).toEqual([]);
    const wrong = await opened("wrong");
    const result = await wrong.notifier.send(exampleNotice());
    expect(result).toMatchObject({ kind: "later", why: expect.stringContaining("535") });
    expect(JSON.stringify(result)).not.toContain("wrong");
    const { server, notifier } = await opened();
    await server.set("refuse");
    expect(await notifier.send(exampleNotice())).toMatchObject({ kind: "refused", why: expect.stringContaining("554") });
  });
});

describe("secrets", () => {
  test("are read at each use, from a file that only its owner can read", async () => {
    const folder = await mkdtemp(join(tmpdir(), "regent-secrets-"));
    closing.push(() => rm(folder, { recursive: true }));
    const read = createReadSecret({ env: {}, folder });
    await expect(read({ file: "a" })).rejects.toThrow("isn't there");
    await writeFile(join(folder, "a"), "one\n", { mode: 0o600 });
    expect(await read({ file: "a" })).toBe("one");
    await writeFile(join(folder, "a"), "two\n");
    expect(await read({ file: "a" })).toBe("two");
    await writeFile(join(folder, "b"), "x", { mode: 0o644 });
    await expect(read({ file: "b" })).rejects.toThrow("chmod 600");
    await writeFile(join(folder, "c"), "x".repeat(5_000), { mode: 0o600 });
    await expect(read({ file: "c" })).rejects.toThrow("too large");
    await expect(read({ env: "REGENT_SECRET_NONE" })).rejects.toThrow("REGENT_SECRET_NONE isn't set");
  });
});

test("a receiver may ask for patience in seconds or until a date", () => {
  expect(toRetryAfterMs("7")).toBe(7_000);
  expect(toRetryAfterMs("Wed, 18 Nov 2026 11:06:45 GMT", Date.parse("2026-11-18T11:06:40Z"))).toBe(5_000);
  expect([toRetryAfterMs("soon"), toRetryAfterMs(undefined)]).toEqual([null, null]);
});

test("a heartbeat is called where the secret says", async () => {
  const receiver = await web();
  const messenger = createMessenger({
    guards: createGuards(),
    readSecret: async () => `http://127.0.0.1:${receiver.port}/ping/abc`,
    allowLoopback: true,
  });
  const heartbeat = { secret: { env: "REGENT_SECRET_X" }, everySeconds: 30, isPrivate: false };
  expect(await messenger.beat(heartbeat)).toEqual({ kind: "taken" });
  expect(receiver.taken.map(({ path }) => path)).toEqual(["/ping/abc"]);
});
