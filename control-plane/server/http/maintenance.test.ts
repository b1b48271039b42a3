/** The routes of maintenance windows: who may plan and end them, what reaches the control plane, and what becomes of its answers. */
import { expect, test } from "vitest";
import { testDoors } from "./testing/doors.ts";
import { CHANGE_ID, testWindow } from "./testing/fake-control-plane.ts";

const path = "/v1/maintenance";
const body = { regions: ["east"], from: 2_000, to: 3_000, reason: "new disks" };

test("a viewer sees the windows, and a scoped token those that are about its services", async () => {
  const { ask, tokenOf } = testDoors();
  const windows = async (token: string) => (await ask("GET", path, { token })).json.windows.map(({ id }: { id: string }) => id);
  expect(await windows(await tokenOf("viewer"))).toEqual([CHANGE_ID, "mail-only"]);
  expect(await windows(await tokenOf("viewer", ["mail"]))).toEqual([CHANGE_ID, "mail-only"]);
  expect(await windows(await tokenOf("viewer", ["shop"]))).toEqual([CHANGE_ID]);
});

test("a scoped token isn't told which services of others a window is about", async () => {
  const { ask, tokenOf } = testDoors({ maintenance: async () => [{ ...testWindow(), services: ["shop", "secret"] }] });
  const { windows } = (await ask("GET", path, { token: await tokenOf("viewer", ["shop"]) })).json;
  expect(windows).toEqual([{ ...testWindow(), services: ["shop"] }]);
});

test("an operator plans one, which reaches the control plane whole, once a key", async () => {
  const { ask, tokenOf, controlPlane } = testDoors();
  const token = await tokenOf("operator");
  const headers = { "idempotency-key": "window-one" };
  expect((await ask("POST", path, { token, body, headers })).json).toEqual({
    dryRun: false,
    why: "planned",
    window: testWindow(),
    warnings: [],
  });
  expect((await ask("POST", path, { token, body, headers })).headers.get("idempotent-replay")).toBe("true");
  const later = { regions: ["east", "west"], services: ["shop"], minutes: 60, reason: "new disks", dryRun: true };
  expect((await ask("POST", path, { token, body: later })).json.dryRun).toBe(true);
  expect(controlPlane.calls.map(({ input }) => input)).toEqual([
    { by: "operator-token", request: { ...body, dryRun: false } },
    { by: "operator-token", request: later },
  ]);
});

test("nobody else may, nor whoever is scoped to some services", async () => {
  const { ask, tokenOf, controlPlane } = testDoors();
  for (const token of [await tokenOf("viewer"), await tokenOf("operator", ["shop"])]) {
    expect((await ask("POST", path, { token, body })).status).toBe(403);
    expect((await ask("DELETE", `${path}/${CHANGE_ID}`, { token, body: { reason: "done" } })).status).toBe(403);
  }
  expect(controlPlane.calls).toEqual([]);
});

test.each([
  ["without a region", { ...body, regions: [] }],
  ["without a reason", { ...body, reason: undefined }],
  ["with a moment that isn't one", { ...body, from: "tomorrow" }],
  ["that lasts longer than a week", { ...body, to: undefined, minutes: 10_081 }],
  ["with a word that isn't known", { ...body, force: true }],
])("one %s is refused before anybody is asked", async (_, given) => {
  const { ask, tokenOf, controlPlane } = testDoors();
  expect((await ask("POST", path, { token: await tokenOf("operator"), body: given })).status).toBe(400);
  expect(controlPlane.calls).toEqual([]);
});

test.each([
  [{ kind: "invalid-request", detail: "it is over" }, 400, "it is over"],
  [{ kind: "not-found", what: "region mars" }, 404, "there is no region mars"],
  [{ kind: "not-leader" }, 503, ""],
] as const)("a refusal as %o is told", async (result, status, detail) => {
  const { ask, tokenOf } = testDoors({ planMaintenance: async () => result, endMaintenance: async () => result });
  const token = await tokenOf("operator");
  for (const answer of [
    await ask("POST", path, { token, body }),
    await ask("DELETE", `${path}/nightly`, { token, body: { reason: "done" } }),
  ]) {
    expect(answer.status).toBe(status);
    expect(answer.json.detail).toContain(detail);
  }
});

test("one is ended with a reason, and one that isn't there is told", async () => {
  const { ask, tokenOf, controlPlane } = testDoors();
  const token = await tokenOf("operator");
  const end = (id: string, reason: object = { reason: "done early" }) => ask("DELETE", `${path}/${id}`, { token, body: reason });
  expect((await end(CHANGE_ID)).json).toEqual({ why: "taken back" });
  expect((await end("nightly")).status).toBe(404);
  expect((await end("Not-An-Id")).status).toBe(400);
  expect((await end(CHANGE_ID, {})).status).toBe(400);
  expect(controlPlane.calls.map(({ input }) => input)).toEqual(
    [CHANGE_ID, "nightly"].map((id) => ({ id, by: "operator-token", reason: "done early" })),
  );
});
