/** The doors through which names are adopted, released and taken over. */
import { describe, expect, test } from "vitest";
import { testDoors } from "./testing/doors.ts";

const reason = "moving house";
const adopt = "/v1/services/shop/adopt";
const release = "/v1/services/shop/release";

describe("adopting and releasing", () => {
  test("reach the control plane whole, with their actor", async () => {
    const { ask, tokenOf, controlPlane } = testDoors();
    const token = await tokenOf("admin");
    const asked = { token, body: { reason, takeover: "other-team", dryRun: true, expectedRevision: 4 } };
    expect((await ask("POST", adopt, asked)).status).toBe(200);
    expect((await ask("POST", adopt, { token, body: { reason } })).status).toBe(200);
    expect((await ask("POST", release, { token, body: { reason } })).status).toBe(200);
    const base = { service: "shop", by: "admin-token", reason };
    expect(controlPlane.calls.filter(({ name }) => name === "own").map(({ input }) => input)).toEqual([
      { ...base, verb: "adopt", takeover: "other-team", dryRun: true, expectedRevision: 4 },
      { ...base, verb: "adopt", takeover: null, dryRun: false, expectedRevision: null },
      { ...base, verb: "release", takeover: null, dryRun: false, expectedRevision: null },
    ]);
  });

  test.each([
    ["no reason", adopt, {}, "reason"],
    ["an owner that can't be one", adopt, { reason, takeover: "Other Team" }, "takeover"],
    ["an owner where a name is given up", release, { reason, takeover: "other-team" }, "takeover"],
    ["rules to be skipped", adopt, { reason, breakGlass: ["A13"] }, "breakGlass"],
  ])("with %s are refused, and nothing is done", async (_, path, body, told) => {
    const { ask, tokenOf, controlPlane } = testDoors();
    const answer = await ask("POST", path, { token: await tokenOf("admin"), body });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(told);
    expect(controlPlane.calls).toEqual([]);
  });

  test.each([adopt, release])("%s is an administrator's, of that service", async (path) => {
    const { ask, tokenOf, controlPlane } = testDoors();
    for (const role of ["viewer", "operator", "approver"] as const)
      expect((await ask("POST", path, { token: await tokenOf(role), body: { reason } })).status).toBe(403);
    const elsewhere = await ask("POST", path, { token: await tokenOf("admin", ["mail"]), body: { reason } });
    expect(elsewhere.status).toBe(403);
    expect(controlPlane.calls.filter(({ name }) => name === "own")).toEqual([]);
  });

  test("a name that can't be taken is a conflict, with the sentence that says what to do", async () => {
    const why = "The epoch record names owner other. Stop it first (--takeover other).";
    const { ask, tokenOf } = testDoors({ own: async () => ({ kind: "name-taken", why }) });
    const answer = await ask("POST", adopt, { token: await tokenOf("admin"), body: { reason } });
    expect(answer.status).toBe(409);
    expect(answer.json.type).toMatch(/name-taken$/);
    expect(answer.json.detail).toContain(why);
  });
});

describe("a declaration with another owner", () => {
  const put = async (path: string) => {
    const doors = testDoors();
    const headers = { "content-type": "text/yaml", "if-match": '"7"' };
    const answer = await doors.ask("PUT", path, { token: await doors.tokenOf("admin"), headers, body: "regent: 1\n" });
    return {
      answer,
      inputs: doors.controlPlane.calls.filter(({ name }) => name === "applyConfiguration").map(({ input }) => input),
    };
  };

  test("hands on the owner that it takes over from", async () => {
    const { answer, inputs } = await put("/v1/configuration?takeover=other-team");
    expect(answer.status).toBe(200);
    expect(inputs).toMatchObject([{ takeover: "other-team", baseVersion: 7 }]);
  });

  test("is refused when what it names can't be an owner", async () => {
    const { answer, inputs } = await put("/v1/configuration?takeover=Other%20Team");
    expect(answer.status).toBe(400);
    expect(inputs).toEqual([]);
  });
});
