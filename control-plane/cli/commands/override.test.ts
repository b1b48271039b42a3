/** regent override: what is sent for what is typed, and what is printed. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type AnsweringServer, startAnsweringServer } from "../testing/answering-server.ts";
import { AT, exampleMove, exampleOverview, exampleService } from "../testing/examples.ts";
import { runTyped } from "../testing/typed.ts";

const ID = "01JD8Z0000000000000000000A";
const OVERRIDE = {
  id: ID,
  what: { kind: "off", region: "eu-west" },
  by: "ada",
  reason: "new disks",
  at: AT - 60_000,
  until: AT + 3_600_000,
  breakGlass: ["A6"],
};

let server: AnsweringServer;
let heard: { readonly what: string; readonly body: unknown }[];
let answers: Record<string, unknown>;

beforeAll(async () => {
  server = await startAnsweringServer(({ what, body }) => {
    heard.push({ what, body });
    return { status: 200, body: answers[what] };
  });
});
afterAll(() => server.close());
beforeEach(() => {
  heard = [];
  const service = exampleService({ overrides: [OVERRIDE as never] });
  answers = {
    "GET /v1/overview": exampleOverview({ services: [service] }),
    [`POST /v1/services/${service.id}/overrides`]: { ...exampleMove(), override: OVERRIDE },
    [`DELETE /v1/services/${service.id}/overrides/${ID}`]: { why: "ada ended it" },
  };
});

const regent = (...args: string[]) =>
  runTyped(args, { REGENT_URL: server.url, REGENT_TOKEN: "token", REGENT_HOME: "/nowhere" }, 160);

const SET = ["override", "set", exampleService().id];
const WHY = ["--for", "4h", "--reason", "new disks"];

test.each([
  { title: "off", typed: ["off", "eu-west"], what: { kind: "off", region: "eu-west" } },
  { title: "on", typed: ["on", "eu-west"], what: { kind: "on", region: "eu-west" } },
  {
    title: "pin",
    typed: ["pin", "eu-west=0.7", "us-east=30%"],
    what: { kind: "pin", shares: { "eu-west": 0.7, "us-east": 0.3 } },
  },
  { title: "freeze", typed: ["freeze"], what: { kind: "freeze" } },
])("$title is sent as it was typed, and its id and end are printed", async ({ typed, what }) => {
  const { code, out } = await regent(...SET, ...typed, ...WHY, "--break-glass", "A6", "A3");
  expect(code).toBe(0);
  expect(heard).toEqual([
    {
      what: `POST /v1/services/${exampleService().id}/overrides`,
      body: { what, forSeconds: 14_400, reason: "new disks", breakGlass: ["A6", "A3"] },
    },
  ]);
  expect(out).toContain(`override ${ID} until ${new Date(OVERRIDE.until).toISOString()}`);
});

test.each([
  ["no length", ["off", "eu-west", "--reason", "new disks"], "--for is missing"],
  ["no reason", ["off", "eu-west", "--for", "4h"], "--reason is missing"],
  ["no region", ["off", ...WHY], "off takes one region"],
  ["two regions", ["on", "eu-west", "us-east", ...WHY], "on takes one region"],
  ["no shares", ["pin", ...WHY], "pin takes shares"],
  ["a share that is none", ["pin", "eu-west", ...WHY], "eu-west is no share"],
  ["a freeze of a region", ["freeze", "eu-west", ...WHY], "freeze takes no region"],
  ["another kind", ["maybe", ...WHY], "maybe is no override"],
  ["a length that is none", ["freeze", "--for", "long", "--reason", "why not"], "a length such as 90m"],
])("%s is asked for, and nothing is sent", async (_, args, told) => {
  const { code, err } = await regent(...SET, ...args);
  expect(code).toBe(2);
  expect(err).toContain(told);
  expect(heard).toEqual([]);
});

test("list and status say whose word it is, how long it counts, and why", async () => {
  const { out } = await regent("override", "list");
  expect(out).toMatch(/eu-west off +ada +60 min +A6 +01JD8Z0000000000000000000A +new disks/);
  expect((await regent("status")).out).toMatch(/! eu-west off by ada, 60 min left: new disks/);
  expect((await regent("override", "list", "nobody")).err).toContain("no service nobody");
});

test("end finds the service by the override", async () => {
  expect((await regent("override", "end", ID, "--reason", "disks are in")).out).toContain("ada ended it");
  expect(heard.at(-1)).toEqual({
    what: `DELETE /v1/services/${exampleService().id}/overrides/${ID}`,
    body: { reason: "disks are in" },
  });
  expect((await regent("override", "end", `${ID.slice(0, -1)}B`, "--reason", "disks are in")).err).toContain(
    "There is no override",
  );
});
