/** The server as a real process over a real Postgres tells a real receiver: signed, once by id, and after `kill -9` what it owed. */
import { createHmac } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { prepareTellingProcess, type TellingProcess, WEBHOOK_KEY, WEBHOOK_SECRET } from "./testing/telling-process.ts";

let told: TellingProcess;
beforeEach(async () => {
  told = await prepareTellingProcess();
});
afterEach(() => told.end());

const bodies = (): string => told.receiver.taken.map(({ body }) => body).join("\n");

test("a freeze is told within 5 s, what was owed when the process was killed is told by the next, and no secret is logged", async () => {
  const first = await told.start();
  await expect.poll(async () => (await first.freeze({}, "deploying", {})).kind, { timeout: 20_000 }).toBe("ok");
  await expect.poll(bodies, { timeout: 5_000 }).toContain("deploying");
  const [request] = told.receiver.taken;
  const signed = `${request?.headers["webhook-id"]}.${request?.headers["webhook-timestamp"]}.${request?.body}`;
  expect(request?.headers["webhook-signature"]).toBe(`v1,${createHmac("sha256", WEBHOOK_KEY).update(signed).digest("base64")}`);

  await told.receiver.set("down");
  expect((await first.freeze({ service: "www" }, "while nobody hears", {})).kind).toBe("ok");
  await told.kill();
  await told.receiver.set(null);
  const second = await told.start();
  await expect.poll(bodies, { timeout: 40_000 }).toContain("while nobody hears");
  const ids = told.receiver.taken.map(({ headers }) => headers["webhook-id"]);
  expect(new Set(ids).size).toBe(ids.length);
  expect(await second.testNotifier("hook", "trying", {})).toMatchObject({ kind: "ok", value: { delivered: true } });
  expect(told.log()).not.toContain(WEBHOOK_SECRET);
}, 90_000);
