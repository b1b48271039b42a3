/** `regent region` against a server that answers what a test lays before it. */
import type { Evacuation } from "@regent/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type AnsweringServer, startAnsweringServer } from "../testing/answering-server.ts";
import { exampleMove, exampleOverview } from "../testing/examples.ts";
import { runTyped } from "../testing/typed.ts";

const ID = "01JD8Z0000000000000000000A";
const AT = 1_700_000_000_000;

const evacuation = (more: Partial<Evacuation> = {}): Evacuation => ({
  id: ID,
  region: "eu-west",
  direction: "evacuate",
  by: "ada",
  reason: "a fire",
  breakGlass: [],
  at: AT,
  state: "running",
  endedAt: null,
  stopped: null,
  services: [step("mail", "waiting"), step("shop", "waiting")],
  ...more,
});
const step = (service: string, state: Evacuation["services"][number]["state"], why: string | null = null) => ({
  service,
  state,
  changeId: null,
  why,
  at: null,
});

let server: AnsweringServer;
let heard: { path: string; body: unknown }[];
/** By path; a list is answered one after the other, its last one for ever. */
let answers: Record<string, { status: number; body: unknown }[]>;

beforeAll(async () => {
  server = await startAnsweringServer(({ what: path, body }) => {
    heard.push({ path, body });
    const known = answers[path] ?? [];
    return (known.length > 1 ? known.shift() : known[0]) ?? { status: 404, body: {} };
  });
});
afterAll(() => server.close());
beforeEach(() => {
  heard = [];
  answers = {};
});

const ok = (body: unknown) => ({ status: 200, body });

const regent = (...args: string[]) => runTyped(args, { REGENT_URL: server.url, REGENT_TOKEN: "token" });

describe("regent status", () => {
  test("says of an evacuation that runs who is at it, how far it is and how to follow it", async () => {
    answers["GET /v1/overview"] = [ok(exampleOverview())];
    const running = evacuation({ services: [step("mail", "moved"), step("shop", "waiting")] });
    answers["GET /v1/evacuations"] = [ok({ evacuations: [running, evacuation({ state: "done" })], next: null })];
    const { out } = await regent("status");
    expect(out.split("\n").filter((line) => line.includes("eu-west (a fire)"))).toEqual([
      `! ada is evacuating eu-west (a fire): 1 moved, 1 waiting; regent region show ${ID} --watch`,
    ]);
  });

  test("shows the rest where evacuations can't be read", async () => {
    answers["GET /v1/overview"] = [ok(exampleOverview())];
    answers["GET /v1/evacuations"] = [{ status: 500, body: {} }];
    expect(await regent("status")).toMatchObject({ code: 0, out: expect.stringContaining("checkout") });
  });
});

describe("regent region", () => {
  test.each(["evacuate", "return"])("%s asks for exactly what was said, and tells how to follow it", async (verb) => {
    answers[`POST /v1/regions/eu-west/${verb}`] = [ok({ dryRun: false, evacuation: evacuation(), preview: [] })];
    const { code, out } = await regent("region", verb, "eu-west", "--reason", "a fire", "--break-glass", "A3");
    expect([code, heard]).toEqual([
      0,
      [{ path: `POST /v1/regions/eu-west/${verb}`, body: { reason: "a fire", breakGlass: ["A3"] } }],
    ]);
    expect(out).toContain("2 waiting");
    expect(out).toContain(`regent region show ${ID} --watch`);
  });

  test("never guesses a reason", async () => {
    for (const args of [
      ["evacuate", "eu-west"],
      ["return", "eu-west"],
      ["stop", ID],
    ])
      expect(await regent("region", ...args)).toMatchObject({ code: 2, err: expect.stringContaining("--reason is missing") });
    expect(heard).toEqual([]);
  });

  test("a dry run shows what would become of each service, with the rules' answers", async () => {
    const { batch: _batch, ...answer } = exampleMove({
      rules: [{ rule: "A3", answer: "deny", why: "80 % of the load fits", skipped: false }],
    });
    const preview = [
      { service: "mail", state: "refused", why: "held back by A3", answer },
      { service: "shop", state: "nothing", why: "it was drained before", answer: null },
    ];
    answers["POST /v1/regions/eu-west/evacuate"] = [ok({ dryRun: true, evacuation: null, preview })];
    const { code, out } = await regent("region", "evacuate", "eu-west", "--reason", "a fire", "--dry-run");
    expect(code).toBe(0);
    expect(out).toContain("Dry run: nothing was moved.");
    expect(out).toContain("! mail  refused  held back by A3");
    expect(out).toContain("A3  ! deny  80 % of the load fits");
    expect(out).toContain("· shop  nothing to move  it was drained before");
  });

  test("followed, it prints a line for each service once, and ends with 1 when one was left behind", async () => {
    const services = (first: Evacuation["services"][number], second: Evacuation["services"][number]) => ({
      services: [first, second],
    });
    answers["POST /v1/regions/eu-west/evacuate"] = [ok({ dryRun: false, evacuation: evacuation(), preview: [] })];
    answers[`GET /v1/evacuations/${ID}`] = [
      ok(evacuation(services(step("mail", "moving"), step("shop", "waiting")))),
      ok(
        evacuation({
          ...services(step("mail", "moved"), step("shop", "refused", "held back by A3")),
          state: "done",
          endedAt: AT,
        }),
      ),
    ];
    const { code, out, err } = await regent("region", "evacuate", "eu-west", "--reason", "a fire", "--watch");
    expect(out.match(/mail {2}moving/g)).toHaveLength(1);
    expect(out).toContain("! shop  refused  held back by A3");
    expect(out).toContain("done  1 moved, 1 refused");
    expect([code, err]).toEqual([1, expect.stringContaining("Not every service moved")]);
  }, 15_000);

  test("who comes second is told who is at it, and ends with 1", async () => {
    answers["POST /v1/regions/eu-west/return"] = [
      {
        status: 409,
        body: {
          type: "https://regent.invalid/problems/evacuation-running",
          title: "The region is being left or returned to already",
          status: 409,
          detail: "ada is evacuating eu-west (a fire)",
        },
      },
    ];
    expect(await regent("region", "return", "eu-west", "--reason", "back")).toMatchObject({
      code: 1,
      err: expect.stringContaining("ada is evacuating eu-west (a fire)"),
    });
  });

  test("they are listed, shown and stopped", async () => {
    const stopped = evacuation({ state: "stopped", endedAt: AT, stopped: { by: "ben", reason: "wrong region", at: AT } });
    answers["GET /v1/evacuations?region=eu-west"] = [ok({ evacuations: [stopped], next: ID })];
    answers[`GET /v1/evacuations/${ID}`] = [ok(stopped)];
    answers[`POST /v1/evacuations/${ID}/stop`] = [ok(stopped)];
    const listed = await regent("region", "list", "--region", "eu-west");
    expect(listed.out).toContain("evacuate eu-west  stopped  2 waiting");
    expect(listed.out).toContain(`regent region list --cursor ${ID}`);
    expect((await regent("region", "show", ID)).out).toContain("· shop  waiting");
    expect((await regent("region", "stop", ID, "--reason", "wrong region")).out).toContain("stopped by ben: wrong region");
    expect(JSON.parse((await regent("region", "show", ID, "--json")).out)).toEqual(stopped);
  });
});
