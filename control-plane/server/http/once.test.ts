/** The same request twice is done once. */
import { expect, test } from "vitest";
import { DatabaseAway } from "../adapters/postgres/errors.ts";
import { IDEMPOTENCY_STALE_MS } from "../limits.ts";
import type { MoveResult } from "../operations/zone/request-move.ts";
import { testDoors } from "./testing/doors.ts";
import { testMoveAnswer } from "./testing/fake-control-plane.ts";

const path = "/v1/services/shop/failover";
const body = { to: "west", reason: "a drill" };
const headers = { "idempotency-key": "the-same-key" };

test("a repeated key gets the first answer, and the control plane isn't asked again", async () => {
  const { ask, tokenOf, controlPlane } = testDoors();
  const token = await tokenOf("operator");
  const first = await ask("POST", path, { token, body, headers });
  const second = await ask("POST", path, { token, body, headers });
  expect(second.status).toBe(200);
  expect(second.json).toEqual(first.json);
  expect([first, second].map((answer) => answer.headers.get("idempotent-replay"))).toEqual([null, "true"]);
  expect(controlPlane.calls.length).toBe(1);
});

test("a refusal is an answer too, and comes again as a problem", async () => {
  const { ask, tokenOf, controlPlane } = testDoors({ move: async () => ({ kind: "stale-revision", revision: 9 }) });
  const token = await tokenOf("operator");
  await ask("POST", path, { token, body, headers });
  const second = await ask("POST", path, { token, body, headers });
  expect(second.status).toBe(409);
  expect(second.json.revision).toBe(9);
  expect(second.headers.get("content-type")).toBe("application/problem+json");
  expect(controlPlane.calls.length).toBe(1);
});

test.each([
  ["another body", path, { ...body, to: "north" }],
  ["another path", "/v1/services/mail/failover", body],
])("a key that comes with %s is refused", async (_, otherPath, otherBody) => {
  const { ask, tokenOf, controlPlane } = testDoors();
  const token = await tokenOf("operator");
  await ask("POST", path, { token, body, headers });
  const other = await ask("POST", otherPath, { token, body: otherBody, headers });
  expect(other.status).toBe(422);
  expect(other.json.type).toMatch(/idempotency-mismatch$/);
  expect(controlPlane.calls.length).toBe(1);
});

test("each actor has keys of its own", async () => {
  const { ask, tokenOf, controlPlane } = testDoors();
  await ask("POST", path, { token: await tokenOf("operator"), body, headers });
  const other = await ask("POST", path, { token: await tokenOf("admin"), body, headers });
  expect(other.headers.get("idempotent-replay")).toBe(null);
  expect(controlPlane.calls.length).toBe(2);
});

test.each([undefined, "short", "with a space", "x".repeat(129)])("the key %s is refused", async (key) => {
  const { app, tokenOf, controlPlane } = testDoors();
  const authorization = `Bearer ${await tokenOf("operator")}`;
  const answer = await app.request(path, {
    method: "POST",
    headers: { authorization, "content-type": "application/json", ...(key === undefined ? {} : { "idempotency-key": key }) },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(400);
  expect(controlPlane.calls).toEqual([]);
});

test("a request whose first try isn't answered yet is told to wait", async () => {
  let finish: (result: MoveResult) => void = () => undefined;
  const { ask, tokenOf, controlPlane } = testDoors({
    move: () =>
      new Promise((resolve) => {
        finish = resolve;
      }),
  });
  const token = await tokenOf("operator");
  const first = ask("POST", path, { token, body, headers });
  await expect.poll(() => controlPlane.calls.length).toBe(1);
  const second = await ask("POST", path, { token, body, headers });
  expect(second.status).toBe(409);
  expect(Number(second.headers.get("retry-after"))).toBeGreaterThan(0);
  finish({ kind: "answered", answer: testMoveAnswer() });
  expect((await first).status).toBe(200);
  expect(controlPlane.calls.length).toBe(1);
});

test("a try that did nothing gives its key up at once", async () => {
  let isAway = true;
  const { ask, tokenOf, controlPlane } = testDoors({
    move: async () => (isAway ? { kind: "dns-away", why: "throttled" } : { kind: "answered", answer: testMoveAnswer() }),
  });
  const token = await tokenOf("operator");
  expect((await ask("POST", path, { token, body, headers })).status).toBe(503);
  isAway = false;
  expect((await ask("POST", path, { token, body, headers })).status).toBe(200);
  expect((await ask("POST", path, { token, body, headers })).headers.get("idempotent-replay")).toBe("true");
  expect(controlPlane.calls.length).toBe(2);
});

test("a try whose end nobody knows keeps its key until it is stale", async () => {
  let isAway = true;
  const { ask, tokenOf, controlPlane, pass } = testDoors({
    move: async () => {
      if (isAway) throw new DatabaseAway("CONNECTION_CLOSED", null);
      return { kind: "answered", answer: testMoveAnswer() };
    },
  });
  const token = await tokenOf("operator");
  expect((await ask("POST", path, { token, body, headers })).status).toBe(503);
  isAway = false;
  expect((await ask("POST", path, { token, body, headers })).status).toBe(409);
  expect(controlPlane.calls.length).toBe(1);
  pass(IDEMPOTENCY_STALE_MS + 1);
  expect((await ask("POST", path, { token, body, headers })).status).toBe(200);
});

test("a dry run keeps no answer, so the same key serves for the move itself", async () => {
  const { ask, tokenOf, controlPlane } = testDoors();
  const token = await tokenOf("operator");
  const tried = await ask("POST", path, { token, body: { ...body, dryRun: true }, headers });
  expect(tried.json.changeId).toBe(null);
  const moved = await ask("POST", path, { token, body, headers });
  expect(moved.status).toBe(200);
  expect(moved.json.changeId).not.toBe(null);
  expect(controlPlane.calls.length).toBe(2);
});
