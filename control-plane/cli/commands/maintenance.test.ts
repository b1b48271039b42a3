/** regent maintenance: what is sent for what is typed, and what is printed. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type AnsweringServer, startAnsweringServer } from "../testing/answering-server.ts";
import { runTyped } from "../testing/typed.ts";

const ID = "01JD8Z0000000000000000000A";
const WINDOW = {
  id: ID,
  source: "planned",
  regions: ["eu-west"],
  services: null,
  by: "ada",
  reason: "new disks",
  from: Date.UTC(2026, 11, 1, 2),
  to: Date.UTC(2026, 11, 1, 4),
  state: "planned",
  repeats: null,
};
const DECLARED = {
  ...WINDOW,
  id: "nightly",
  source: "declared",
  services: ["checkout"],
  by: "the configuration",
  state: "in-force",
  repeats: { cron: "0 3 * * *", timeZone: "Europe/Berlin" },
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
  answers = {
    "GET /v1/maintenance": { windows: [DECLARED, WINDOW] },
    "POST /v1/maintenance": { dryRun: false, why: "ada planned it", window: WINDOW, warnings: ["checkout has no region left"] },
    [`DELETE /v1/maintenance/${ID}`]: { why: "ada took it back" },
  };
});

const regent = (...args: string[]) =>
  runTyped(["maintenance", ...args], { REGENT_URL: server.url, REGENT_TOKEN: "token", REGENT_HOME: "/nowhere" });

test("a window with two ends is sent in time that means the same everywhere", async () => {
  const ran = await regent(
    ...["plan", "--region", "eu-west", "--service", "checkout", "cart", "--reason", "new disks"],
    ...["--from", "2026-12-01T03:00+01:00", "--to", "2026-12-01T04:00Z", "--dry-run"],
  );
  expect(ran.code).toBe(0);
  expect(heard).toEqual([
    {
      what: "POST /v1/maintenance",
      body: {
        regions: ["eu-west"],
        services: ["checkout", "cart"],
        from: WINDOW.from,
        to: WINDOW.to,
        reason: "new disks",
        dryRun: true,
      },
    },
  ]);
});

test.each([
  ["90m", 90],
  ["2h", 120],
  ["7d", 10_080],
])("a window from now for %s is left to the server's clock", async (text, minutes) => {
  expect((await regent("plan", "--region", "eu-west", "us-east", "--for", text, "--reason", "new disks")).code).toBe(0);
  expect(heard[0]?.body).toEqual({ regions: ["eu-west", "us-east"], minutes, reason: "new disks" });
});

test("what was planned is printed with its times, and with what it leaves without a region", async () => {
  const { out } = await regent("plan", "--region", "eu-west", "--for", "2h", "--reason", "new disks");
  expect(out.split("\n")).toEqual([
    "ada planned it.",
    `${ID}  planned  eu-west of every service`,
    "  2026-12-01 02:00:00Z to 2026-12-01 04:00:00Z",
    "  ada: new disks",
    "warning: checkout has no region left",
    "",
  ]);
});

test("the list tells what is in force, and what comes again", async () => {
  const { out } = await regent("list");
  expect(out.split("\n").slice(0, 3)).toEqual([
    "nightly  in force  eu-west of checkout",
    '  2026-12-01 02:00:00Z to 2026-12-01 04:00:00Z, again at "0 3 * * *" Europe/Berlin',
    "  the configuration: new disks",
  ]);
  expect(JSON.parse((await regent("list", "--json")).out)).toEqual(answers["GET /v1/maintenance"]);
  answers["GET /v1/maintenance"] = { windows: [] };
  expect((await regent("list")).out).toBe("No maintenance is planned.\n");
});

test("one is ended by its id", async () => {
  expect(await regent("end", ID, "--reason", "done early")).toEqual({ code: 0, out: "ada took it back.\n", err: "" });
  expect(heard).toEqual([{ what: `DELETE /v1/maintenance/${ID}`, body: { reason: "done early" } }]);
});

test.each([
  ["no region", ["plan", "--for", "2h", "--reason", "new disks"], "--region is missing"],
  ["no end", ["plan", "--region", "eu-west", "--reason", "new disks"], "one of --to and --for is missing"],
  [
    "two ends",
    ["plan", "--region", "eu-west", "--for", "2h", "--to", "2026-12-01T04:00Z", "--reason", "new disks"],
    "one of --to and --for",
  ],
  ["no reason", ["plan", "--region", "eu-west", "--for", "2h"], "--reason is missing"],
  ["no reason for an end", ["end", ID], "--reason is missing"],
  [
    "a moment without an offset",
    ["plan", "--region", "eu-west", "--to", "2026-12-01T04:00", "--reason", "x y z"],
    "with its offset",
  ],
  [
    "a length that isn't one",
    ["plan", "--region", "eu-west", "--for", "two hours", "--reason", "x y z"],
    "a length from 1m to 7d",
  ],
  ["a length of more than a week", ["plan", "--region", "eu-west", "--for", "8d", "--reason", "x y z"], "a length from 1m to 7d"],
])("%s is wrong usage, and nothing is asked for", async (_, args, told) => {
  const { code, err } = await regent(...args);
  expect(code).toBe(2);
  expect(err).toContain(told);
  expect(heard).toEqual([]);
});
