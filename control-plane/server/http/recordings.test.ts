/** Recordings by HTTP: read by whoever may look at everything, of a time that makes sense. */
import { expect, test } from "vitest";
import { RECORDING_MS_MAX } from "../limits.ts";
import { testDoors } from "./testing/doors.ts";

const path = (from: number | string, to: number | string): string => `/v1/recordings?from=${from}&to=${to}`;

test("what was seen between two moments is told", async () => {
  const { ask, tokenOf } = testDoors();
  const { status, json } = await ask("GET", path(1_000, 2_000), { token: await tokenOf("viewer") });
  expect(status).toBe(200);
  expect(json).toMatchObject({
    from: 1_000,
    to: 2_000,
    configuration: { version: 3 },
    turns: [{ target: "shop/east/api", to: "down" }],
  });
});

test.each([
  ["the end before the beginning", 2_000, 1_000],
  ["no time at all", 1_000, 1_000],
  ["longer than a day", 0, RECORDING_MS_MAX + 1],
  ["no number", "yesterday", 2_000],
  ["a moment before 1970", -5, 2_000],
])("%s is refused", async (_, from, to) => {
  const { ask, tokenOf } = testDoors();
  expect((await ask("GET", path(from, to), { token: await tokenOf("viewer") })).status).toBe(400);
});

test("it is of all services, so a token of some doesn't get it, and nobody does without", async () => {
  const { ask, tokenOf } = testDoors();
  expect((await ask("GET", path(1, 2), { token: await tokenOf("admin", ["shop"]) })).status).toBe(403);
  expect((await ask("GET", path(1, 2))).status).toBe(401);
});
