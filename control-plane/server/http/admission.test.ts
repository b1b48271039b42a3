/** Every route, asked by nobody, by the role below and by the role it needs. */
import { expect, test } from "vitest";
import { createMemoryAccessStore } from "../adapters/memory/access-store.ts";
import { DatabaseAway } from "../adapters/postgres/errors.ts";
import type { AccessStore, Role } from "../ports/access-store.ts";
import { START, testDoors } from "./testing/doors.ts";
import { EVERY_ROUTE, GUARDED, toAsk } from "./testing/every-route.ts";
import { CHANGE_ID } from "./testing/fake-control-plane.ts";

const ROLES: readonly Role[] = ["viewer", "operator", "approver", "admin"];
const reason = "a drill on Monday";

const guarded = GUARDED.map(({ key, role, reach }) => ({ key, role, reach }));
const open = EVERY_ROUTE.flatMap(([key, { kind }]) => (kind === "public" ? [key] : []));

test.each(guarded)("$key is closed to who shows no token", async ({ key }) => {
  const { ask, controlPlane } = testDoors();
  const { method, path, options } = toAsk(key);
  const answer = await ask(method, path, options);
  expect(answer.status).toBe(401);
  expect(answer.json.type).toMatch(/\/unauthenticated$/);
  expect(answer.headers.get("www-authenticate")).toContain("Bearer");
  expect(controlPlane.calls).toEqual([]);
});

test.each(guarded)("$key is closed to a token that nobody gave out", async ({ key }) => {
  const { ask, controlPlane } = testDoors();
  const { method, path, options } = toAsk(key);
  expect((await ask(method, path, { ...options, token: `rgt_${"A".repeat(43)}` })).status).toBe(401);
  expect(controlPlane.calls).toEqual([]);
});

test.each(guarded.filter(({ role }) => role !== "viewer"))("$key is closed to the role below $role", async ({ key, role }) => {
  const { ask, tokenOf, controlPlane } = testDoors();
  const { method, path, options } = toAsk(key);
  const answer = await ask(method, path, { ...options, token: await tokenOf(ROLES[ROLES.indexOf(role) - 1] as Role) });
  expect(answer.status).toBe(403);
  expect(answer.json.detail).toContain(`needs ${role}`);
  expect(controlPlane.calls).toEqual([]);
});

test.each(guarded.filter(({ key }) => key !== "GET /v1/events" && key !== "POST /v1/session/end"))(
  "$key answers $role and every role above",
  async ({ key, role }) => {
    const { ask, tokenOf } = testDoors();
    const { method, path, options } = toAsk(key);
    for (const each of ROLES.slice(ROLES.indexOf(role)))
      expect((await ask(method, path, { ...options, token: await tokenOf(each) })).status).toBe(200);
  },
);

test.each(guarded.filter(({ reach }) => reach === "service"))("$key is closed to a token of another service", async ({ key }) => {
  const { ask, tokenOf, controlPlane } = testDoors();
  const { method, path, options } = toAsk(key);
  expect((await ask(method, path, { ...options, token: await tokenOf("admin", ["mail"]) })).status).toBe(403);
  expect((await ask(method, path, { ...options, token: await tokenOf("admin", []) })).status).toBe(403);
  expect(controlPlane.calls).toEqual([]);
  expect((await ask(method, path, { ...options, token: await tokenOf("admin", ["shop"]) })).status).toBe(200);
});

test.each(guarded.filter(({ reach }) => reach === "all"))("$key is closed to a scoped token", async ({ key }) => {
  const { ask, tokenOf } = testDoors();
  const { method, path, options } = toAsk(key);
  expect((await ask(method, path, { ...options, token: await tokenOf("admin", ["shop"]) })).status).toBe(403);
});

test.each(open.filter((key) => key !== "GET /open"))("%s answers anybody", async (key) => {
  const { ask } = testDoors();
  const { method, path } = toAsk(key);
  expect((await ask(method, path)).status).toBe(200);
});

test("a scoped token sees its part of overview and history, and a change of another service isn't there", async () => {
  const { ask, tokenOf, controlPlane } = testDoors();
  const token = await tokenOf("viewer", ["mail"]);
  const overview = await ask("GET", "/v1/overview", { token });
  expect(overview.json.services.map(({ id }: { id: string }) => id)).toEqual(["mail"]);
  const history = await ask("GET", "/v1/history", { token });
  expect(history.json.events.map(({ service }: { service: string | null }) => service)).toEqual([null, "mail"]);
  expect(history.json.next).toBe("c2");
  expect((await ask("GET", `/v1/changes/${CHANGE_ID}`, { token })).status).toBe(404);
  const asked = controlPlane.calls.length;
  expect((await ask("GET", "/v1/history?service=shop", { token })).status).toBe(403);
  expect(controlPlane.calls.length).toBe(asked);
});

test("an expired token is no token", async () => {
  const { ask, tokenOf, pass } = testDoors();
  const token = await tokenOf("admin", null, 60_000);
  expect((await ask("GET", "/v1/overview", { token })).status).toBe(200);
  pass(60_001);
  expect((await ask("GET", "/v1/overview", { token })).status).toBe(401);
});

test("a sign-in code or a session's secret doesn't pass for a token", async () => {
  const { ask, tokenOf } = testDoors();
  const { json } = await ask("POST", "/v1/session/codes", { token: await tokenOf("admin") });
  expect((await ask("GET", "/v1/overview", { token: json.code })).status).toBe(401);
});

test("after ten wrong tokens in a minute an address must wait, and a token known to be right need not", async () => {
  const { ask, tokenOf, pass } = testDoors();
  const known = await tokenOf("viewer");
  await ask("GET", "/v1/overview", { token: known });
  const guess = () => ask("GET", "/v1/overview", { token: `rgt_${"B".repeat(43)}` });
  for (let i = 0; i < 10; i += 1) expect((await guess()).status).toBe(401);
  const refused = await guess();
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await ask("GET", "/v1/overview", { token: known })).status).toBe(200);
  expect((await ask("GET", "/v1/overview", { token: await tokenOf("viewer"), address: "192.0.2.8" })).status).toBe(200);
  pass(60_000);
  expect((await guess()).status).toBe(401);
});

test("an actor who asks for changes in a loop must wait", async () => {
  const { ask, tokenOf, pass } = testDoors();
  const token = await tokenOf("operator");
  const freeze = async () => (await ask("POST", "/v1/freeze", { token, body: { reason } })).status;
  const answers = new Set<number>();
  for (let i = 0; i < 60; i += 1) answers.add(await freeze());
  expect([...answers]).toEqual([200]);
  expect(await freeze()).toBe(429);
  expect((await ask("GET", "/v1/overview", { token })).status).toBe(200);
  pass(1_000);
  expect(await freeze()).toBe(200);
});

test("while the database is away, who was just seen may look on and change nothing; a stranger is told to wait", async () => {
  let isAway = false;
  const memory = createMemoryAccessStore({ clock: { now: () => START } });
  const find: AccessStore["find"] = async (hash) => {
    if (isAway) throw new DatabaseAway("ECONNREFUSED", null);
    return memory.find(hash);
  };
  const { ask, tokenOf, controlPlane } = testDoors({}, { access: { ...memory, find } });
  const [known, stranger] = [await tokenOf("admin"), await tokenOf("admin")];
  await ask("GET", "/v1/overview", { token: known });
  isAway = true;
  expect((await ask("GET", "/v1/overview", { token: known })).status).toBe(200);
  expect((await ask("GET", "/v1/overview", { token: stranger })).status).toBe(503);
  const change = await ask("POST", "/v1/freeze", { token: known, body: { reason } });
  expect([change.status, change.headers.has("retry-after")]).toEqual([503, true]);
  expect(controlPlane.calls).toEqual([]);
});
