/** What every route that changes something has in common: once for one key, nothing that isn't in the contract, limits, and no word of a follower. */
import { describe, expect, test } from "vitest";
import { OPERATOR_BYTES_MAX } from "../limits.ts";
import type { ControlPlane } from "../operations/control-plane.ts";
import { testDoors, testKey } from "./testing/doors.ts";
import { GUARDED, toAsk } from "./testing/every-route.ts";
import { testControlPlane } from "./testing/fake-control-plane.ts";

const once = GUARDED.filter(({ isOnce }) => isOnce);
const withJson = once.filter(({ key }) => typeof toAsk(key).options.body === "object");
const changes = ({ controlPlane }: ReturnType<typeof testDoors>): readonly string[] => controlPlane.calls.map(({ name }) => name);

test("every route that isn't a GET changes something and takes a key, but for sessions and what only looks", () => {
  const others = GUARDED.filter(({ key, isOnce }) => !key.startsWith("GET ") && !isOnce).map(({ key }) => key);
  expect(others).toEqual(["POST /v1/configuration/plan", "POST /v1/session/codes", "POST /v1/session/end"]);
});

describe.each(once)("$key", ({ key }) => {
  const { method, path, pattern, options } = toAsk(key);

  test("without an Idempotency-Key does nothing", async () => {
    const doors = testDoors();
    const token = await doors.tokenOf("admin");
    const headers = { ...options.headers, "idempotency-key": "" };
    const told = await doors.ask(method, path, { ...options, token, headers });
    expect([told.status, told.text.toLowerCase()]).toEqual([400, expect.stringContaining("idempotency-key")]);
    expect(changes(doors)).toEqual([]);
  });

  test("is done once for one key, and the key isn't another's", async () => {
    const doors = testDoors();
    const headers = { ...options.headers, "idempotency-key": testKey() };
    const [ann, bob] = [await doors.tokenOf("admin"), await doors.tokenOf("approver")];
    const first = await doors.ask(method, path, { ...options, token: ann, headers });
    const again = await doors.ask(method, path, { ...options, token: ann, headers });
    expect([first.status, again.status, again.headers.get("idempotent-replay")]).toEqual([200, 200, "true"]);
    expect(again.json).toEqual(first.json);
    expect(changes(doors)).toHaveLength(1);
    const bobs = await doors.ask(method, path, { ...options, token: bob, headers });
    expect(bobs.headers.get("idempotent-replay")).toBe(null);
  });

  test("with more than may be sent does nothing", async () => {
    const doors = testDoors();
    const token = await doors.tokenOf("admin");
    const isRaw = typeof options.body === "string";
    const body = isRaw
      ? "x".repeat(8 * 1024 * 1024)
      : JSON.stringify({ ...(options.body as object), reason: "x".repeat(OPERATOR_BYTES_MAX) });
    const headers = { "content-type": "application/json", ...options.headers };
    expect((await doors.ask(method, path, { token, headers, body })).status).toBe(413);
    expect(changes(doors)).toEqual([]);
  });

  test.skipIf(!pattern.includes("{"))("of an id that can't be one does nothing", async () => {
    for (const part of pattern.match(/\{[^}]+\}/g) ?? []) {
      for (const id of ["No%20Id", "..%2F..%2Fv1", "%00", "x".repeat(400)]) {
        const doors = testDoors();
        const strange = toAsk(
          pattern.replace(part, id) === pattern ? key : (`${method} ${pattern.replace(part, id)}` as typeof key),
        ).path;
        const told = await doors.ask(method, strange, { ...options, token: await doors.tokenOf("admin") });
        expect([part, id, told.status]).toEqual([part, id, 400]);
        expect(changes(doors)).toEqual([]);
      }
    }
  });
});

describe.each(withJson)("$key", ({ key }) => {
  const { method, path, options } = toAsk(key);

  test.each([
    ["a word that isn't in the contract", { ...(options.body as object), force: true }],
    ["no reason", { ...(options.body as object), reason: undefined }],
    ["a reason that writes over the line", { ...(options.body as object), reason: "fine\u001b[2Knever mind" }],
    ["a reason that reads backwards", { ...(options.body as object), reason: "fine \u202ednim reven" }],
    ["a list", []],
    ["nothing", undefined],
  ])("with %s does nothing", async (_, body) => {
    const doors = testDoors();
    const told = await doors.ask(method, path, {
      token: await doors.tokenOf("admin"),
      body: JSON.stringify(body) ?? "",
      headers: { "content-type": "application/json" },
    });
    expect([told.status, told.json.type.split("/").at(-1)]).toEqual([400, "invalid-request"]);
    expect(changes(doors)).toEqual([]);
  });
});

/** A process that doesn't lead: whatever changes something says so. */
const follower = (): Partial<ControlPlane> => {
  const all = testControlPlane();
  const reads = [
    "overview",
    "service",
    "explain",
    "history",
    "change",
    "readiness",
    "metrics",
    "subscribe",
    "countRefusal",
    "isDeclaredKey",
  ];
  return Object.fromEntries(
    Object.entries(all)
      .filter(([name, value]) => typeof value === "function" && !reads.includes(name))
      .map(([name]) => [name, async () => ({ kind: "not-leader" })]),
  );
};

/** Done by the process that is asked, whoever leads. */
const BY_ANYBODY = ["POST /v1/notifiers/{id}/test", "PUT /v1/configuration"];

test.each(once.filter(({ key }) => !BY_ANYBODY.includes(key)))(
  "$key at a follower says when to come back, and the same key is done by the leader",
  async ({ key }) => {
    const { method, path, options } = toAsk(key);
    const doors = testDoors(follower());
    const headers = { ...options.headers, "idempotency-key": testKey() };
    const token = await doors.tokenOf("admin");
    const told = await doors.ask(method, path, { ...options, token, headers });
    expect([told.status, told.json.type.split("/").at(-1)]).toEqual([503, "not-leader"]);
    expect(told.headers.has("retry-after")).toBe(true);
    const leader = testDoors({}, { access: doors.access });
    expect((await leader.ask(method, path, { ...options, token, headers })).status).toBe(200);
  },
);
