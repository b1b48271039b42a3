/** The routes of approvals: who may answer, what is asked of the control plane, and what becomes of each of its answers. */
import { expect, test } from "vitest";
import type { ControlPlane } from "../operations/control-plane.ts";
import { testDoors } from "./testing/doors.ts";
import { CHANGE_ID, testApproval, testMoveAnswer } from "./testing/fake-control-plane.ts";

const body = { reason: "I looked" };
const path = (verb: "approve" | "refuse"): string => `/v1/approvals/${CHANGE_ID}/${verb}`;

test("a viewer sees what waits, and a scoped token only what is in its scope", async () => {
  const { ask, tokenOf } = testDoors();
  const services = async (token: string) =>
    (await ask("GET", "/v1/approvals", { token })).json.approvals.map(({ service }: { service: string }) => service);
  expect(await services(await tokenOf("viewer"))).toEqual(["shop", "mail"]);
  expect(await services(await tokenOf("viewer", ["mail"]))).toEqual(["mail"]);
});

test.each(["approve", "refuse"] as const)("%s takes an approver, and says who asks and what they reach", async (verb) => {
  const { ask, tokenOf, controlPlane } = testDoors();
  expect((await ask("POST", path(verb), { token: await tokenOf("operator"), body })).status).toBe(403);
  expect(controlPlane.calls).toEqual([]);
  const token = await tokenOf("approver", ["shop"]);
  const headers = { "idempotency-key": `once-${verb}` };
  const first = await ask("POST", path(verb), { token, body, headers });
  expect(first.status).toBe(200);
  expect((await ask("POST", path(verb), { token, body, headers })).headers.get("idempotent-replay")).toBe("true");
  expect(controlPlane.calls).toEqual([
    { name: verb, input: { id: CHANGE_ID, by: "approver-token", reason: "I looked", scope: ["shop"] } },
  ]);
});

test.each([
  ["no reason", {}],
  ["a reason that says nothing", { reason: "" }],
  ["more than a reason", { ...body, force: true }],
])("%s is refused before anybody is asked", async (_, given) => {
  const { ask, tokenOf, controlPlane } = testDoors();
  expect((await ask("POST", path("approve"), { token: await tokenOf("approver"), body: given })).status).toBe(400);
  expect((await ask("POST", "/v1/approvals/nonsense/refuse", { token: await tokenOf("approver"), body })).status).toBe(400);
  expect(controlPlane.calls).toEqual([]);
});

type Made = Awaited<ReturnType<ControlPlane["approve"]>>;
const both: readonly [Made & Awaited<ReturnType<ControlPlane["refuse"]>>, number, string, object][] = [
  [{ kind: "not-found", what: "approval X" }, 404, "not-found", { detail: "there is no approval X" }],
  [{ kind: "stale-approval", why: "it changed", next: "Y" }, 409, "stale-approval", { detail: "it changed", approval: "Y" }],
  [
    { kind: "approval-closed", why: "ann did", state: "approved", by: "ann", answeredAt: 7 },
    409,
    "approval-closed",
    { detail: "ann did", state: "approved", by: "ann", answeredAt: 7 },
  ],
  [{ kind: "not-leader" }, 503, "not-leader", {}],
];

test.each(both)("an answer that ends as %o is told as %i", async (result, status, slug, more) => {
  const { ask, tokenOf } = testDoors({ approve: async () => result, refuse: async () => result });
  const token = await tokenOf("approver");
  for (const verb of ["approve", "refuse"] as const) {
    const answer = await ask("POST", path(verb), { token, body });
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ type: expect.stringMatching(`/${slug}$`), ...more });
  }
});

const made: readonly [Made, number, string][] = [
  [{ kind: "not-ready", why: "a new leader listens first" }, 503, "not-ready"],
  [{ kind: "dns-away", why: "throttled" }, 503, "dns-away"],
  [{ kind: "too-many" }, 429, "too-many-requests"],
  [{ kind: "refused-by-rule", answer: testMoveAnswer() }, 409, "refused-by-rule"],
  [{ kind: "broken-invariant", violations: ["secret inside"] }, 500, "internal"],
];

test.each(made)("a yes that ends as %o is told as %i", async (result, status, slug) => {
  const { ask, tokenOf } = testDoors({ approve: async () => result });
  const answer = await ask("POST", path("approve"), { token: await tokenOf("approver"), body });
  expect([answer.status, answer.json.type.split("/").at(-1)]).toEqual([status, slug]);
  expect(answer.text).not.toContain("secret inside");
});

test("a no answers the approval as it is from now on", async () => {
  const { ask, tokenOf } = testDoors();
  const answer = await ask("POST", path("refuse"), { token: await tokenOf("approver"), body });
  expect(answer.json).toEqual(testApproval("shop", { state: "refused", by: "approver-token", reason: "I looked" }));
});
