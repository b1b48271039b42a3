import { describe, expect, test } from "vitest";
import { testDoors } from "./testing/doors.ts";
import { CHANGE_ID, testEvacuation } from "./testing/fake-control-plane.ts";

const reason = "the power is out";

describe("evacuations by HTTP", () => {
  test("are asked for with who, why, direction, rules to skip and scope", async () => {
    const { ask, tokenOf, controlPlane } = testDoors();
    const token = await tokenOf("operator", ["shop", "mail"]);
    const body = { reason, breakGlass: ["A3"] };
    const begun = await ask("POST", "/v1/regions/east/evacuate", { token, body });
    expect(begun).toMatchObject({
      status: 200,
      json: { dryRun: false, evacuation: { id: CHANGE_ID, state: "running" }, preview: [] },
    });
    await ask("POST", "/v1/regions/east/return", { token, body: { reason, dryRun: true } });
    expect(controlPlane.calls).toEqual([
      {
        name: "evacuate",
        input: {
          region: "east",
          direction: "evacuate",
          by: "operator-token",
          scope: ["shop", "mail"],
          reason,
          dryRun: false,
          breakGlass: ["A3"],
        },
      },
      { name: "evacuate", input: expect.objectContaining({ direction: "return", dryRun: true, breakGlass: [] }) },
    ]);
  });

  test("a dry run answers service by service and remembers nothing", async () => {
    const { ask, tokenOf } = testDoors();
    const answer = await ask("POST", "/v1/regions/east/evacuate", {
      token: await tokenOf("operator"),
      body: { reason, dryRun: true },
    });
    expect(answer.json).toMatchObject({ dryRun: true, evacuation: null, preview: [{ service: "shop", state: "nothing" }] });
  });

  test("a second operator is told who is at it and why", async () => {
    const { ask, tokenOf } = testDoors({ evacuate: async () => ({ kind: "evacuation-running", running: testEvacuation() }) });
    const answer = await ask("POST", "/v1/regions/east/return", { token: await tokenOf("operator"), body: { reason } });
    expect(answer.status).toBe(409);
    expect(answer.json).toMatchObject({
      type: expect.stringMatching(/\/evacuation-running$/),
      evacuation: CHANGE_ID,
      detail: expect.stringContaining("ada is evacuating east (a fire): 2 not moved"),
    });
  });

  test("who may not act on one of the services is refused as a whole, and told which", async () => {
    const beyond = async () => ({ kind: "beyond-scope", services: ["mail"] }) as const;
    const { ask, tokenOf } = testDoors({ evacuate: beyond, stopEvacuation: beyond, freezeRegion: beyond });
    const token = await tokenOf("operator", ["shop"]);
    for (const path of ["regions/east/evacuate", "regions/east/return", "regions/east/freeze", `evacuations/${CHANGE_ID}/stop`]) {
      const answer = await ask("POST", `/v1/${path}`, { token, body: { reason } });
      expect([answer.status, answer.json.detail]).toEqual([403, expect.stringContaining("may not act on mail")]);
    }
  });

  test("whoever looks sees the services of their scope, and nothing of others", async () => {
    const { ask, tokenOf } = testDoors();
    const servicesFor = async (scope: string[] | null) => {
      const { json } = await ask("GET", "/v1/evacuations", { token: await tokenOf("viewer", scope) });
      return json.evacuations.map(({ services }: { services: { service: string }[] }) => services.map(({ service }) => service));
    };
    expect(await servicesFor(null)).toEqual([["shop", "mail"]]);
    expect(await servicesFor(["mail"])).toEqual([["mail"]]);
    expect(await servicesFor(["other"])).toEqual([]);
    const one = await ask("GET", `/v1/evacuations/${CHANGE_ID}`, { token: await tokenOf("viewer", ["other"]) });
    expect(one.status).toBe(404);
  });

  test("one is stopped with who and why, and what nobody began is not found", async () => {
    const { ask, tokenOf } = testDoors({
      stopEvacuation: async ({ id, by, reason: why }) =>
        id === CHANGE_ID
          ? { kind: "stopped", evacuation: testEvacuation({ state: "stopped", stopped: { by, reason: why, at: 7 } }) }
          : { kind: "not-found", what: `evacuation ${id}` },
    });
    const token = await tokenOf("operator");
    const stopped = await ask("POST", `/v1/evacuations/${CHANGE_ID}/stop`, { token, body: { reason } });
    expect(stopped.json).toMatchObject({ state: "stopped", stopped: { by: "operator-token", reason } });
    const gone = await ask("POST", "/v1/evacuations/01JD8Z0000000000000000000B/stop", { token, body: { reason } });
    expect(gone.status).toBe(404);
  });

  test.each([{}, { reason: "x" }, { reason, breakGlass: ["A99"] }, { reason, services: ["shop"] }])(
    "%j is refused",
    async (body) => {
      const { ask, tokenOf, controlPlane } = testDoors();
      const answer = await ask("POST", "/v1/regions/east/evacuate", { token: await tokenOf("operator"), body });
      expect(answer.status).toBe(400);
      expect(controlPlane.calls).toEqual([]);
    },
  );

  test("a region is frozen at every service in one call", async () => {
    const { ask, tokenOf, controlPlane } = testDoors();
    const token = await tokenOf("operator");
    for (const verb of ["freeze", "unfreeze"]) await ask("POST", `/v1/regions/east/${verb}`, { token, body: { reason } });
    expect(controlPlane.calls.map(({ input }) => input)).toEqual(
      [true, false].map((isFrozen) => ({ region: "east", isFrozen, by: "operator-token", reason, scope: null })),
    );
  });
});
