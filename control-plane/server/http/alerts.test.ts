/** Alert rules by API: who may, what is asked of the control plane, and each refusal. */
import { describe, expect, test } from "vitest";
import type { RuleResult } from "../operations/alerting/change-rule.ts";
import { testDoors, testKey } from "./testing/doors.ts";
import { testAlertRule } from "./testing/fake-control-plane.ts";

const PATH = "/v1/alert-rules/agents-missing";
const SET = { for: 600, expectedVersion: 0, reason: "a migration" };

const put = async (body: unknown, result?: RuleResult, path = PATH) => {
  const doors = testDoors(result ? { changeAlertRule: async () => result } : {});
  const token = await doors.tokenOf("operator");
  return { doors, told: await doors.ask("PUT", path, { token, body }) };
};

test("what fires, the rules and a trial are for whoever may look", async () => {
  const { ask, tokenOf } = testDoors();
  const token = await tokenOf("viewer");
  expect((await ask("GET", "/v1/alerts", { token })).json).toMatchObject({ alerts: [{ rule: "agents-missing" }], more: 0 });
  expect((await ask("GET", "/v1/alert-rules", { token })).json).toEqual({ rules: [testAlertRule("agents-missing")] });
  expect((await ask("GET", `${PATH}/trial`, { token })).json).toMatchObject({ sentence: "it holds for 0 of 0" });
  expect((await ask("GET", "/v1/alert-rules/none/trial", { token })).status).toBe(404);
  expect((await ask("GET", "/v1/alert-rules/No%20Id/trial", { token })).status).toBe(400);
});

describe("setting a rule", () => {
  test("asks for it in the name of who asked, once for one key", async () => {
    const doors = testDoors();
    const token = await doors.tokenOf("operator");
    const headers = { "idempotency-key": testKey() };
    const first = await doors.ask("PUT", PATH, { token, body: SET, headers });
    expect([first.status, first.json]).toEqual([200, { rule: testAlertRule("agents-missing") }]);
    await doors.ask("PUT", PATH, { token, body: SET, headers });
    expect(doors.controlPlane.calls.filter(({ name }) => name === "changeAlertRule")).toEqual([
      { name: "changeAlertRule", input: { id: "agents-missing", by: "operator-token", step: "set", request: SET } },
    ]);
  });

  test("is for operators", async () => {
    const doors = testDoors();
    const asked = async (token: string) => (await doors.ask("PUT", PATH, { token, body: SET })).status;
    expect(await asked(await doors.tokenOf("viewer"))).toBe(403);
    expect(await asked(await doors.tokenOf("operator", ["shop"]))).toBe(403);
    expect(doors.controlPlane.calls).toEqual([]);
  });

  test.each([
    [{ ...SET, expectedVersion: undefined }],
    [{ ...SET, reason: "x" }],
    [{ ...SET, id: "other" }],
    [{ ...SET, for: -1 }],
    [{ ...SET, condition: { op: "~", value: 1 } }],
    [{ ...SET, labels: { state: "two\nlines" } }],
    [[]],
  ])("%j is no request", async (body) => {
    const { doors, told } = await put(body);
    expect(told.status).toBe(400);
    expect(doors.controlPlane.calls).toEqual([]);
  });

  test.each<readonly [RuleResult, number, string, object]>([
    [
      { kind: "invalid-rule", problems: [{ path: ["metric"], message: 'unknown metric "x"', suggestion: "near: y" }] },
      400,
      "invalid-request",
      { errors: [{ path: "metric", message: 'unknown metric "x"; near: y' }] },
    ],
    [{ kind: "declared-rule", id: "agents-missing" }, 409, "declared-alert-rule", {}],
    [{ kind: "stale-rule", version: 4 }, 409, "stale-alert-rule", { version: 4 }],
    [{ kind: "not-leader" }, 503, "not-leader", {}],
  ])("that ends as %j is told as a problem", async (result, status, slug, more) => {
    const { told } = await put(SET, result);
    expect([told.status, told.json.type.split("/").at(-1)]).toEqual([status, slug]);
    expect(told.json).toMatchObject(more);
  });

  test("where the file has it says where to change it", async () => {
    const { told } = await put(SET, { kind: "declared-rule", id: "agents-missing" });
    expect(told.json.detail).toContain("`alerts` in regent.yaml");
  });
});

test("dropping a rule names the version that is dropped", async () => {
  const { ask, tokenOf, controlPlane } = testDoors({ changeAlertRule: async () => ({ kind: "changed", rule: null }) });
  const token = await tokenOf("operator");
  expect((await ask("DELETE", PATH, { token, body: { reason: "over and out" } })).status).toBe(400);
  const told = await ask("DELETE", PATH, { token, body: { expectedVersion: 2, reason: "over and out" } });
  expect([told.status, told.json]).toEqual([200, { rule: null }]);
  expect(controlPlane.calls.map(({ input }) => input)).toMatchObject([{ step: "drop", request: { expectedVersion: 2 } }]);
});
