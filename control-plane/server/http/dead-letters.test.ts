/** The routes of dead letters: what they ask of the control plane, and what they make of its answers. */
import { expect, test } from "vitest";
import { testDoors } from "./testing/doors.ts";
import { CHANGE_ID } from "./testing/fake-control-plane.ts";

const GONE = "01JD8Z0000000000000000000B";
const body = { reason: "the bug is mended" };

test("a page is as long as was asked for, within limits", async () => {
  const { ask, tokenOf } = testDoors();
  const token = await tokenOf("viewer");
  expect((await ask("GET", "/v1/dead-letters", { token })).json.letters).toHaveLength(1);
  expect((await ask("GET", "/v1/dead-letters?limit=201", { token })).status).toBe(400);
  expect((await ask("GET", "/v1/dead-letters?cursor=nonsense", { token })).status).toBe(400);
});

test("one is answered with what came; one that is gone isn't there", async () => {
  const { ask, tokenOf } = testDoors();
  const token = await tokenOf("viewer");
  expect((await ask("GET", `/v1/dead-letters/${CHANGE_ID}`, { token })).json).toMatchObject({ payload: { report: {} } });
  expect((await ask("GET", `/v1/dead-letters/${GONE}`, { token })).status).toBe(404);
});

test.each([
  ["POST", "/retry", "retryDeadLetter", { done: false, why: "refused again" }],
  ["DELETE", "", "dropDeadLetter", { done: true, why: "dropped" }],
] as const)("%s%s names who and why, and is done once under one key", async (method, end, name, expected) => {
  const { ask, tokenOf, controlPlane } = testDoors();
  const token = await tokenOf("operator");
  const path = `/v1/dead-letters/${CHANGE_ID}${end}`;
  const headers = { "idempotency-key": `once-${name}` };
  expect((await ask(method, path, { token, body, headers })).json).toEqual(expected);
  expect((await ask(method, path, { token, body, headers })).headers.get("idempotent-replay")).toBe("true");
  expect(controlPlane.calls).toEqual([{ name, input: { id: CHANGE_ID, by: "operator-token", reason: body.reason } }]);
  expect((await ask(method, `/v1/dead-letters/${GONE}${end}`, { token, body })).status).toBe(404);
  expect((await ask(method, path, { token, body: {} })).status).toBe(400);
});

test("a replica that doesn't lead says so", async () => {
  const { ask, tokenOf } = testDoors({ dropDeadLetter: async () => ({ kind: "not-leader" }) });
  const answer = await ask("DELETE", `/v1/dead-letters/${CHANGE_ID}`, { token: await tokenOf("operator"), body });
  expect([answer.status, answer.headers.has("retry-after")]).toEqual([503, true]);
});
