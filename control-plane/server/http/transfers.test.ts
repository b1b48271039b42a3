/** The routes of the writable role: what an application is told of it, who may end a transfer, and what is said when the database is away. */
import { expect, test } from "vitest";
import { DatabaseAway } from "../ports/database-away.ts";
import { testDoors } from "./testing/doors.ts";
import { CHANGE_ID } from "./testing/fake-control-plane.ts";

const ROLE = "/v1/services/shop/role";

test("a viewer reads who may write; with a region, whether that one may; and nobody keeps the answer", async () => {
  const { ask, tokenOf, controlPlane } = testDoors();
  const token = await tokenOf("viewer", ["shop"]);
  const plain = await ask("GET", ROLE, { token });
  expect(plain.status).toBe(200);
  expect(plain.headers.get("cache-control")).toBe("no-store");
  expect(plain.json).toEqual({
    service: "shop",
    writer: "east",
    revision: 5,
    validForMs: 10_000,
    why: "traffic is led to east",
  });
  const mayWrite = async (region: string) => (await ask("GET", `${ROLE}?region=${region}`, { token })).json.mayWrite;
  expect([await mayWrite("east"), await mayWrite("west")]).toEqual([true, false]);
  expect(controlPlane.calls.map(({ input }) => input)).toEqual([
    ["shop", undefined],
    ["shop", "east"],
    ["shop", "west"],
  ]);
});

test.each([
  ["another's service", "/v1/services/mail/role", 403],
  ["no region at all", `${ROLE}?region=`, 400],
  ["two questions", `${ROLE}?region=east&region=west`, 400],
  ["what nobody knows", `${ROLE}?zone=x`, 400],
])("%s is refused before anybody is asked", async (_, path, status) => {
  const { ask, tokenOf, controlPlane } = testDoors();
  expect((await ask("GET", path, { token: await tokenOf("viewer", ["shop"]) })).status).toBe(status);
  expect(controlPlane.calls).toEqual([]);
});

test("without a token nobody is told", async () => {
  expect((await testDoors().ask("GET", ROLE)).status).toBe(401);
});

test("a service without one writable place is not found, and a database that is away is 503 and never an old answer", async () => {
  let isAway = false;
  const { ask, tokenOf } = testDoors({
    role: async (service) => {
      if (isAway) throw new DatabaseAway("ECONNREFUSED", new Error("away"));
      return { kind: "not-found", what: `service ${service} with one writable place` };
    },
  });
  const token = await tokenOf("viewer");
  expect((await ask("GET", ROLE, { token })).status).toBe(404);
  isAway = true;
  const away = await ask("GET", ROLE, { token });
  expect(away.status).toBe(503);
  expect(away.json.type).toContain("database-away");
  expect(away.json).not.toHaveProperty("writer");
});

test("transfers are listed to who reaches their services", async () => {
  const { ask, tokenOf } = testDoors();
  const services = async (token: string) =>
    (await ask("GET", "/v1/transfers", { token })).json.transfers.map(({ service }: { service: string }) => service);
  expect(await services(await tokenOf("viewer"))).toEqual(["shop", "mail"]);
  expect(await services(await tokenOf("viewer", ["mail"]))).toEqual(["mail"]);
});

test("an operator ends one, once for each key and with a reason; a viewer doesn't", async () => {
  const { ask, tokenOf, controlPlane } = testDoors();
  const path = "/v1/services/shop/transfer/stop";
  const body = { reason: "the standby is broken" };
  expect((await ask("POST", path, { token: await tokenOf("viewer"), body })).status).toBe(403);
  const token = await tokenOf("operator");
  expect((await ask("POST", path, { token, body: {} })).status).toBe(400);
  expect((await ask("POST", path, { token, body: { ...body, force: true } })).status).toBe(400);
  expect(controlPlane.calls).toEqual([]);
  const headers = { "idempotency-key": "stop-once" };
  const first = await ask("POST", path, { token, body, headers });
  expect(first.json).toMatchObject({ id: CHANGE_ID, phase: "stopped" });
  expect((await ask("POST", path, { token, body, headers })).headers.get("idempotent-replay")).toBe("true");
  expect(controlPlane.calls).toEqual([
    { name: "stopTransfer", input: { service: "shop", by: "operator-token", reason: body.reason } },
  ]);
});
