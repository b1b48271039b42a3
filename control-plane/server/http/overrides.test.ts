/** The routes of overrides: who may make and end one, what is asked of the control plane, and what becomes of each of its answers. */
import { expect, test } from "vitest";
import type { ControlPlane } from "../operations/control-plane.ts";
import { testDoors } from "./testing/doors.ts";
import { CHANGE_ID } from "./testing/fake-control-plane.ts";

const path = "/v1/services/shop/overrides";
const body = { what: { kind: "off", region: "east" }, forSeconds: 3_600, reason: "new disks" };

test("making one takes an operator of that service, and is done once", async () => {
  const { ask, tokenOf, controlPlane } = testDoors();
  expect((await ask("POST", path, { token: await tokenOf("viewer"), body })).status).toBe(403);
  expect((await ask("POST", path, { token: await tokenOf("operator", ["mail"]), body })).status).toBe(403);
  expect(controlPlane.calls).toEqual([]);
  const token = await tokenOf("operator", ["shop"]);
  const headers = { "idempotency-key": "once-override" };
  const given = { ...body, breakGlass: ["A6"], expectedRevision: 4 };
  expect((await ask("POST", path, { token, body: given, headers })).status).toBe(200);
  expect((await ask("POST", path, { token, body: given, headers })).headers.get("idempotent-replay")).toBe("true");
  expect(controlPlane.calls).toEqual([
    {
      name: "setOverride",
      input: {
        service: "shop",
        what: body.what,
        forMs: 3_600_000,
        until: null,
        by: "operator-token",
        reason: "new disks",
        breakGlass: ["A6"],
        dryRun: false,
        expectedRevision: 4,
      },
    },
  ]);
});

test.each([
  ["no end", { what: body.what, reason: body.reason }],
  ["two ends", { ...body, until: 5 }],
  ["no reason", { what: body.what, forSeconds: 60 }],
  ["another kind", { ...body, what: { kind: "maybe", region: "east" } }],
  ["a region of a freeze", { ...body, what: { kind: "freeze", region: "east" } }],
  ["a share above 1", { ...body, what: { kind: "pin", shares: { east: 2 } } }],
  ["a rule that doesn't exist", { ...body, breakGlass: ["A99"] }],
  ["more than is known", { ...body, force: true }],
])("%s is refused before anybody is asked", async (_, given) => {
  const { ask, tokenOf, controlPlane } = testDoors();
  expect((await ask("POST", path, { token: await tokenOf("operator"), body: given })).status).toBe(400);
  expect(controlPlane.calls).toEqual([]);
});

type Made = Awaited<ReturnType<ControlPlane["setOverride"]>>;
const answers: readonly [Made, number, string, object][] = [
  [
    { kind: "invalid-override", problems: [{ path: "until", message: "it would have run out already" }] },
    400,
    "invalid-request",
    { detail: "it would have run out already", errors: [{ path: "until", message: "it would have run out already" }] },
  ],
  [
    { kind: "override-stands", why: "east is off by ann until 12:00:00Z: disks", override: CHANGE_ID },
    409,
    "override-stands",
    { detail: "east is off by ann until 12:00:00Z: disks", override: CHANGE_ID },
  ],
  [{ kind: "stale-revision", revision: 9 }, 409, "stale-revision", { revision: 9 }],
  [{ kind: "not-found", what: "service shop" }, 404, "not-found", {}],
  [{ kind: "not-leader" }, 503, "not-leader", {}],
  [{ kind: "too-many" }, 429, "too-many-requests", {}],
];
test.each(answers)("%j is answered with %i %s", async (made, status, slug, more) => {
  const { ask, tokenOf } = testDoors({ setOverride: async () => made });
  const answered = await ask("POST", path, { token: await tokenOf("operator"), body });
  expect(answered.status).toBe(status);
  expect(answered.json).toMatchObject({ type: `https://regent.invalid/problems/${slug}`, ...more });
});

test("ending one says why, and names it", async () => {
  const { ask, tokenOf, controlPlane } = testDoors();
  const token = await tokenOf("operator");
  expect((await ask("DELETE", `${path}/${CHANGE_ID}`, { token, body: {} })).status).toBe(400);
  const ended = await ask("DELETE", `${path}/${CHANGE_ID}`, { token, body: { reason: "disks are in" } });
  expect(ended.status).toBe(200);
  expect(controlPlane.calls).toEqual([
    { name: "endOverride", input: { service: "shop", id: CHANGE_ID, by: "operator-token", reason: "disks are in" } },
  ]);
});

test("a viewer lists what stands", async () => {
  const { ask, tokenOf } = testDoors();
  expect((await ask("GET", path, { token: await tokenOf("viewer") })).json).toEqual({ overrides: [] });
});
