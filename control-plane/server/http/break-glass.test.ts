/** What nobody may skip is refused by name wherever rules are named; the rest is handed on. */
import { SKIPPABLE_RULES } from "@regent/contract";
import { RULES } from "@regent/engine";
import { expect, test } from "vitest";
import { testDoors } from "./testing/doors.ts";

const reason = "the house is on fire";
const asked = [
  ["/v1/services/shop/drain", { region: "east", reason }],
  ["/v1/services/shop/overrides", { what: { kind: "off", region: "east" }, forSeconds: 60, reason }],
  ["/v1/regions/east/evacuate", { reason }],
] as const;

test("the rules that may be named are those that don't bind everyone", () => {
  expect(SKIPPABLE_RULES).toEqual(RULES.filter(({ binds }) => binds !== "everyone").map(({ id }) => id));
});

test.each(asked)("POST %s refuses to skip what is asked of everybody, and says which", async (path, body) => {
  const { ask, tokenOf, controlPlane } = testDoors();
  const token = await tokenOf("operator");
  const refused = await ask("POST", path, { token, body: { ...body, breakGlass: ["A6", "A13"] } });
  expect(refused.status).toBe(400);
  expect(JSON.stringify(refused.json)).toContain("A13 is asked of everybody: nobody may skip it");
  expect(controlPlane.calls).toEqual([]);
  await ask("POST", path, { token, body: { ...body, breakGlass: ["A6"] } });
  expect(controlPlane.calls).toHaveLength(1);
});
