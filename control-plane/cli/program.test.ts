import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type AnsweringServer, startAnsweringServer } from "./testing/answering-server.ts";
import {
  AT,
  exampleApproval,
  exampleChange,
  exampleEvent,
  exampleMove,
  exampleOverview,
  exampleService,
} from "./testing/examples.ts";
import { runTyped } from "./testing/typed.ts";

interface Heard {
  readonly method: string;
  readonly path: string;
  readonly key: string | undefined;
  readonly body: unknown;
}

let server: AnsweringServer;
let home: string;
let heard: Heard[];
let answers: Record<string, { status: number; body: unknown }>;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "cli-home-"));
  server = await startAnsweringServer(({ method, path, key, body }) => {
    heard.push({ method, path, key, body: body ?? "" });
    return answers[`${method} ${path.split("?")[0]}`] ?? problem(404, "not-found");
  });
});

afterAll(async () => {
  server.close();
  await rm(home, { recursive: true, force: true });
});

beforeEach(() => {
  heard = [];
  answers = {};
});

const problem = (status: number, slug: string, more: object = {}) => ({
  status,
  body: { type: `https://regent.invalid/problems/${slug}`, title: "Told so", status, detail: "in one sentence", ...more },
});

const url = (): string => server.url;

const regent = (...args: string[]) => runTyped(args, { REGENT_HOME: home, REGENT_URL: url(), REGENT_TOKEN: "token" });

describe("exit codes", () => {
  test("0 when it is done, and the answer is on stdout", async () => {
    answers["GET /v1/overview"] = { status: 200, body: exampleOverview() };
    const { code, out, err } = await regent("status");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain("checkout.example.test");
  });

  test.each([
    { what: "a rule stands in the way", status: 409, slug: "refused-by-rule", code: 1 },
    { what: "the service has moved on", status: 409, slug: "stale-revision", code: 1 },
    { what: "the token may not", status: 403, slug: "forbidden", code: 1 },
    { what: "the request is wrong", status: 400, slug: "invalid-request", code: 2 },
    { what: "there is no leader", status: 503, slug: "not-leader", code: 3 },
    { what: "there is no such service", status: 404, slug: "not-found", code: 4 },
  ])("$code when $what, with the sentence on stderr and nothing on stdout", async ({ status, slug, code }) => {
    answers["POST /v1/services/checkout/failover"] = problem(status, slug);
    const ran = await regent("failover", "checkout", "--to", "us-east", "--reason", "because", "--json");
    expect(ran).toEqual({ code, out: "", err: "Told so: in one sentence\n" });
  });

  test("3 when nobody listens at the address", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, "close");
    const { code, err } = await regent("status", "--url", `http://127.0.0.1:${port}`);
    expect({ code, err }).toEqual({ code: 3, err: `The server can't be reached: 127.0.0.1:${port}: ECONNREFUSED\n` });
  });

  test("3 when no sandbox runs in this home", async () => {
    expect(await regent("sandbox", "break", "eu-west", "refuse")).toMatchObject({
      code: 3,
      err: expect.stringContaining("No `regent up` runs"),
    });
  });

  test("2 for an unknown command, option, fault or kind, and nothing is asked for", async () => {
    for (const args of [
      ["fly"],
      ["status", "--loud"],
      ["sandbox", "break", "eu-west", "explode"],
      ["history", "--kind", "gossip"],
      ["history", "--limit", "0"],
      ["dig", "x.example.test", "--count", "many"],
      ["failover", "checkout", "--to", "us-east", "--reason", "x y z", "--break-glass", "A99"],
    ])
      expect([args, (await regent(...args)).code]).toEqual([args, 2]);
    expect(heard).toEqual([]);
  });

  test("0 for help, which says what the codes mean", async () => {
    const { code, out } = await regent("--help");
    expect(code).toBe(0);
    expect(out).toMatch(/Exit codes: 0 done, 1 refused/);
  });
});

describe("moves", () => {
  test("region and reason are never guessed", async () => {
    const withoutRegion = await regent("failover", "checkout", "--reason", "because");
    expect(withoutRegion).toMatchObject({ code: 2, err: expect.stringContaining("--to is missing") });
    for (const verb of [
      ["failover", "checkout", "--to", "us-east"],
      ["failback", "checkout"],
      ["drain", "checkout", "us-east"],
      ["freeze", "checkout"],
    ])
      expect(await regent(...verb)).toMatchObject({ code: 2, err: expect.stringContaining("--reason is missing") });
    expect(heard).toEqual([]);
  });

  test("everything that was asked goes to the server as asked", async () => {
    answers["POST /v1/services/checkout/failover"] = { status: 200, body: exampleMove() };
    const options = ["--dry-run", "--break-glass", "A1", "A4", "--expected-revision", "4", "--idempotency-key", "key-12345"];
    const { code, out } = await regent(
      "failover",
      "checkout",
      "--to",
      "us-east",
      "--reason",
      "planned work",
      ...options,
      "--json",
    );
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(exampleMove());
    expect(heard).toEqual([
      {
        method: "POST",
        path: "/v1/services/checkout/failover",
        key: "key-12345",
        body: { to: "us-east", reason: "planned work", dryRun: true, breakGlass: ["A1", "A4"], expectedRevision: 4 },
      },
    ]);
  });

  test("a refusal by rule shows every rule's answer", async () => {
    const rules = [{ rule: "A8", answer: "defer", why: "5 s of cool-down are left", skipped: false }];
    const answer = exampleMove({ dryRun: false, allowed: false, rules: rules as never });
    answers["POST /v1/services/checkout/failback"] = problem(409, "refused-by-rule", { answer });
    const { code, err } = await regent("failback", "checkout", "--reason", "because");
    expect(code).toBe(1);
    expect(err).toContain("A8  ! defer  5 s of cool-down are left");
  });

  test.each([
    { args: ["freeze", "checkout"], path: "/v1/services/checkout/freeze" },
    { args: ["unfreeze", "checkout", "--region", "eu-west"], path: "/v1/services/checkout/regions/eu-west/unfreeze" },
    { args: ["freeze", "--region", "eu-west"], path: "/v1/regions/eu-west/freeze" },
    { args: ["freeze", "--global"], path: "/v1/freeze" },
  ])("$args asks $path", async ({ args, path }) => {
    answers[`POST ${path}`] = { status: 200, body: { why: "ada did" } };
    expect(await regent(...args, "--reason", "maintenance")).toEqual({ code: 0, out: "ada did\n", err: "" });
    expect(heard.map((one) => one.path)).toEqual([path]);
  });

  const INCIDENT = {
    id: "01JD8Z0000000000000000000A",
    cause: "region:eu-west",
    state: "open",
    severity: "critical",
    title: "traffic left eu-west",
    openedAt: 1_000,
    updatedAt: 1_000,
    closedAt: null,
    acknowledged: null,
    hit: 200,
    parts: ["shop/eu-west"],
    unwell: 3,
    lines: [{ at: 1_000, why: "eu-west refuses" }],
    escalations: 0,
  };

  test("incidents are listed, shown and acknowledged", async () => {
    answers["GET /v1/incidents"] = { status: 200, body: { incidents: [INCIDENT], next: null } };
    answers[`POST /v1/incidents/${INCIDENT.id}/acknowledge`] = {
      status: 200,
      body: { ...INCIDENT, acknowledged: { by: "ada", at: 2_000, reason: "on it" } },
    };
    expect((await regent("incident", "list", "--open")).out).toContain("critical  traffic left eu-west");
    expect((await regent("incident", "show", INCIDENT.id)).out).toContain("eu-west refuses");
    expect(await regent("incident", "show", "01JD8Z0000000000000000000B")).toMatchObject({ code: 4 });
    expect((await regent("incident", "ack", INCIDENT.id, "--reason", "on it")).out).toContain("acknowledged by ada");
    expect(await regent("incident", "ack", INCIDENT.id)).toMatchObject({ code: 2 });
  });

  test("a notifier that took nothing is a failure that says why", async () => {
    const answer = { notifier: "pager", delivered: false, why: "the receiver answered 503" };
    answers["POST /v1/notifiers/pager/test"] = { status: 200, body: answer };
    expect(await regent("notify", "test", "pager", "--reason", "trying")).toMatchObject({
      code: 1,
      err: expect.stringContaining("pager took nothing: the receiver answered 503"),
    });
    answers["POST /v1/notifiers/pager/test"] = { status: 200, body: { ...answer, delivered: true, why: "the receiver took it" } };
    expect(await regent("notify", "test", "pager", "--reason", "trying")).toMatchObject({
      code: 0,
      out: "pager: the receiver took it.\n",
    });
  });

  test("everything is frozen only by whoever says --global", async () => {
    expect((await regent("freeze", "--reason", "maintenance")).err).toContain("--region or --global is missing");
    expect((await regent("freeze", "checkout", "--global", "--reason", "maintenance")).code).toBe(2);
    expect((await regent("freeze", "--global", "--region", "eu-west", "--reason", "maintenance")).code).toBe(2);
    expect(heard).toEqual([]);
  });
});

describe("configuration", () => {
  test("errors of a file are told with file, line, column, path and suggestion, and nothing is asked for", async () => {
    const file = join(home, "wrong.yaml");
    await writeFile(file, "regent: 1\nowner: shop\nprofil: sandbox\nzones: []\nregions: []\n");
    const { code, err } = await regent("apply", file);
    expect(code).toBe(2);
    expect(err).toMatch(new RegExp(`^${file}:3:1 .*profil`, "m"));
    expect(err).toMatch(/did you mean "?profile/);
    expect(heard).toEqual([]);
  });

  describe("of names in DNS", () => {
    const FILE = `regent: 1
owner: shop
zones: [{ id: Z1TEST, name: example.test }]
regions: [{ id: eu-west }]
services:
  - id: checkout
    name: checkout.example.test
    zone: example.test
    strategy: { kind: active-passive }
    endpoints: [{ region: eu-west, A: [192.0.2.10], probe: { address: "127.0.0.1:9000" } }]
    checks: [{ id: web, kind: http, path: / }]
`;
    const step = (given: object) => ({ service: "checkout", step: "takeover", owner: "other", lines: ["one", "two"], ...given });
    const planned = (...names: object[]) => ({
      status: 200,
      body: { baseVersion: 3, changed: true, lines: ["+ service checkout"], warnings: [], names },
    });
    const file = async (): Promise<string> => {
      const path = join(home, "names.yaml");
      await writeFile(path, FILE);
      return path;
    };
    const take = async (...more: string[]) => regent("apply", await file(), "--takeover", "other", ...more);
    const adopted = (): unknown[] => heard.filter(({ path }) => path.endsWith("/adopt")).map(({ path, body }) => [path, body]);
    beforeEach(() => {
      answers["GET /v1/configuration"] = {
        status: 200,
        body: { version: 3, text: FILE, author: "ada", at: AT },
      };
      answers["PUT /v1/configuration"] = {
        status: 200,
        body: { version: 4, changed: true, lines: ["~ owner"], warnings: [] },
      };
      answers["POST /v1/configuration/plan"] = planned(step({}), step({ service: "search", step: "keep", owner: "shop" }));
    });

    test("plan shows each step with its lines, and leaves out what stays", async () => {
      const { code, out } = await regent("plan", await file());
      expect(code).toBe(0);
      expect(out).toContain("checkout: its name has to be taken over\n    one\n    two\n");
      expect(out).not.toContain("search");
    });

    test("apply --takeover asks for a reason before it asks for anything else", async () => {
      expect(await take()).toMatchObject({ code: 2, err: expect.stringContaining("--reason is missing") });
      expect(heard).toEqual([]);
    });

    test("apply --takeover names the owner, and takes over each name that is marked as that owner's", async () => {
      answers["POST /v1/services/checkout/adopt"] = { status: 200, body: exampleMove({ dryRun: false, revision: 8 }) };
      const { code, out } = await take("--reason", "moved house");
      expect(code).toBe(0);
      expect(out).toContain("checkout is taken over from other: revision 8.");
      expect(heard.find(({ method }) => method === "PUT")?.path).toBe("/v1/configuration?takeover=other");
      expect(adopted()).toEqual([["/v1/services/checkout/adopt", { takeover: "other", reason: "moved house" }]]);
    });

    test("1 when a name could not be taken over, and why is told; the file is applied all the same", async () => {
      answers["POST /v1/services/checkout/adopt"] = problem(409, "name-taken");
      const { code, out, err } = await take("--reason", "moved house");
      expect(code).toBe(1);
      expect(out).toContain("Version 4 is in force.");
      expect(out).toContain("! checkout is not taken over: in one sentence");
      expect(err).toMatch(/1 of 1 names were not taken over/);
    });

    test("apply --takeover --json tells which names were taken", async () => {
      answers["POST /v1/services/checkout/adopt"] = { status: 200, body: exampleMove({ dryRun: false, revision: 8 }) };
      const { out } = await take("--reason", "moved house", "--json");
      expect(JSON.parse(out)).toMatchObject({ version: 4, taken: [{ service: "checkout", isTaken: true }] });
    });

    test("apply --takeover of an owner who marks nothing says so", async () => {
      answers["POST /v1/configuration/plan"] = planned();
      const { code, out } = await take("--reason", "moved house");
      expect(code).toBe(0);
      expect(out).toContain("No name of this file is marked as other's.");
    });

    test("adopt and release ask for exactly what was said, and show the batch on a dry run", async () => {
      answers["POST /v1/services/checkout/adopt"] = { status: 200, body: exampleMove() };
      answers["POST /v1/services/checkout/release"] = { status: 200, body: exampleMove({ dryRun: false }) };
      const dry = await regent("adopt", "checkout", "--takeover", "other", "--reason", "moved house", "--dry-run");
      expect(dry.code).toBe(0);
      expect(dry.out).toContain("DELETE");
      expect((await regent("release", "checkout", "--reason", "moved house", "--expected-revision", "4")).code).toBe(0);
      expect(heard.map(({ path, body }) => [path, body])).toEqual([
        ["/v1/services/checkout/adopt", { reason: "moved house", dryRun: true, takeover: "other" }],
        ["/v1/services/checkout/release", { reason: "moved house", expectedRevision: 4 }],
      ]);
      heard = [];
      for (const verb of ["adopt", "release"])
        expect(await regent(verb, "checkout")).toMatchObject({ code: 2, err: expect.stringContaining("--reason") });
      expect(await regent("release", "checkout", "--reason", "x y z", "--takeover", "other")).toMatchObject({ code: 2 });
      expect(heard).toEqual([]);
    });
  });

  test("2 for a file that isn't there", async () => {
    expect(await regent("plan", join(home, "none.yaml"))).toMatchObject({ code: 2, err: expect.stringContaining("ENOENT") });
  });
});

describe("moves that wait for a person", () => {
  const waiting = exampleApproval();
  const { id } = waiting;
  const refused = exampleApproval({
    id: "01JGFJJZ00ABCDEFGHJKMNPQRT",
    state: "refused",
    by: "ann",
    reason: "no",
    answeredAt: AT + 5_000,
  });
  beforeEach(() => {
    answers["GET /v1/approvals"] = { status: 200, body: { approvals: [waiting, refused] } };
  });

  test("are listed with what would be done, until when, what asks and how to answer; then the last answers", async () => {
    const { code, out } = await regent("change", "list");
    expect({ code, out }).toEqual({
      code: 0,
      out: `${id}  checkout  failover  ! waits until 00:15:00Z, then traffic stays
  eu-west is unhealthy: 4 of 4 outside vantages see web failing
  asked at 00:00:00Z by A9, the mode approve
  answer with: regent change approve ${id} --reason … (or refuse)
${refused.id}  checkout  failover  refused by ann at 00:00:05Z: no
  eu-west is unhealthy: 4 of 4 outside vantages see web failing
  asked at 00:00:00Z by A9, the mode approve
`,
    });
  });

  test("--waiting leaves out the others, --json tells the same to programs, and none is said", async () => {
    const { out } = await regent("change", "list", "--waiting", "--json");
    expect(JSON.parse(out)).toEqual({ approvals: [waiting] });
    answers["GET /v1/approvals"] = { status: 200, body: { approvals: [refused] } };
    expect((await regent("change", "list", "--waiting")).out).toBe("Nothing waits for a person.\n");
  });

  test("show tells weights and rules; of an approved one the change that it became; 4 when nobody knows it", async () => {
    const { out } = await regent("change", "show", id);
    expect(out).toContain("weights eu-west 255, us-east 0 -> eu-west 0, us-east 255");
    expect(out).toContain("A9  ! require-approval  3 incidents within the hour, at most 3");
    answers["GET /v1/approvals"] = { status: 200, body: { approvals: [exampleApproval({ state: "approved", by: "ann" })] } };
    expect((await regent("change", "show", id)).out).toContain("approved by ann");
    answers[`GET /v1/changes/${id}`] = { status: 200, body: exampleChange() };
    expect((await regent("change", "show", id)).out).toContain("(revision 4, visible)");
    expect((await regent("change", "show", refused.id)).code).toBe(4);
  });

  test.each(["approve", "refuse"] as const)("%s asks for exactly what was said, and never guesses a reason", async (verb) => {
    expect(await regent("change", verb, id)).toMatchObject({ code: 2, err: expect.stringContaining("--reason is missing") });
    expect(await regent("change", verb, "--reason", "I looked")).toMatchObject({ code: 2 });
    expect(heard).toEqual([]);
    answers[`POST /v1/approvals/${id}/approve`] = { status: 200, body: exampleMove({ dryRun: false, changeId: id }) };
    answers[`POST /v1/approvals/${id}/refuse`] = { status: 200, body: { ...refused, id } };
    const { code, out } = await regent("change", verb, id, "--reason", "I looked", "--idempotency-key", "key-12345");
    expect({ code, out }).toMatchObject({
      code: 0,
      out: expect.stringContaining(verb === "approve" ? `change ${id}` : "refused: traffic of checkout stays"),
    });
    expect(heard).toEqual([
      { method: "POST", path: `/v1/approvals/${id}/${verb}`, key: "key-12345", body: { reason: "I looked" } },
    ]);
  });

  test.each([
    { slug: "approval-closed", status: 409, code: 1 },
    { slug: "stale-approval", status: 409, code: 1 },
    { slug: "not-ready", status: 503, code: 3 },
    { slug: "not-found", status: 404, code: 4 },
  ])("$code when the answer is $slug", async ({ slug, status, code }) => {
    answers[`POST /v1/approvals/${id}/approve`] = problem(status, slug, { approval: null });
    expect(await regent("change", "approve", id, "--reason", "I looked")).toEqual({
      code,
      out: "",
      err: "Told so: in one sentence\n",
    });
  });

  test("status names one that waits with its deadline and the command, and no other", async () => {
    for (const approval of [waiting, refused]) {
      answers["GET /v1/overview"] = { status: 200, body: exampleOverview({ services: [exampleService({ approval })] }) };
      const { out } = await regent("status");
      const line = `! waits for a person until 00:15:00Z: regent change approve ${id} --reason … (or refuse)`;
      expect(out.includes(line)).toBe(approval === waiting);
    }
  });
});

describe("dead letters", () => {
  const id = "01JD8Z0000000000000000000A";
  const letter = {
    id,
    at: AT,
    kind: "report",
    subject: "east-a",
    why: "the fold threw",
    attempts: 2,
    triedAt: AT,
    bytes: 13,
  };

  test("are listed with why, and how to see more", async () => {
    answers["GET /v1/dead-letters"] = { status: 200, body: { letters: [letter], next: id } };
    const { code, out } = await regent("dead-letters", "list");
    expect(code).toBe(0);
    expect(out).toContain(`${id}  `);
    expect(out).toContain("report of east-a  13 bytes, 2 tries\n  the fold threw\n");
    expect(out).toContain(`--cursor ${id}`);
    answers["GET /v1/dead-letters"] = { status: 200, body: { letters: [], next: null } };
    expect((await regent("dead-letters", "list", "--cursor", id)).out).toBe("There are no dead letters.\n");
    expect(heard.at(-1)?.path).toBe(`/v1/dead-letters?cursor=${id}`);
  });

  test("one is shown with what came, and one that is gone is not found", async () => {
    answers[`GET /v1/dead-letters/${id}`] = { status: 200, body: { ...letter, payload: { report: { sequence: 7 } } } };
    expect((await regent("dead-letters", "show", id)).out).toContain('"sequence": 7');
    expect((await regent("dead-letters", "show", "01JD8Z0000000000000000000B")).code).toBe(4);
  });

  test("a retry and a drop carry a reason and a key; what stays is a refusal", async () => {
    answers[`POST /v1/dead-letters/${id}/retry`] = { status: 200, body: { done: false, why: "still broken" } };
    answers[`DELETE /v1/dead-letters/${id}`] = { status: 200, body: { done: true, why: "dropped" } };
    expect(await regent("dead-letters", "retry", id, "--reason", "mended")).toEqual({
      code: 1,
      out: "",
      err: "It stays: still broken\n",
    });
    expect(await regent("dead-letters", "drop", id, "--reason", "known")).toEqual({ code: 0, out: "Done: dropped.\n", err: "" });
    expect(heard.map(({ method, body }) => ({ method, body }))).toEqual([
      { method: "POST", body: { reason: "mended" } },
      { method: "DELETE", body: { reason: "known" } },
    ]);
    expect(heard.every(({ key }) => key !== undefined)).toBe(true);
    expect((await regent("dead-letters", "drop", id)).code).toBe(2);
  });
});

test("history asks for what was chosen and prints the page as it came", async () => {
  const page = { events: [exampleEvent({ at: AT })], next: "later" };
  answers["GET /v1/history"] = { status: 200, body: page };
  const { out } = await regent("history", "--service", "checkout", "--kind", "change", "verdict", "--limit", "5", "--json");
  expect(JSON.parse(out)).toEqual(page);
  expect(heard[0]?.path).toBe("/v1/history?service=checkout&kind=change%2Cverdict&limit=5");
});

test("open prints an address of the server that signs a browser in", async () => {
  answers["POST /v1/session/codes"] = { status: 200, body: { code: "abc", path: "/open?code=abc", expiresAt: AT } };
  expect(await regent("open", "--no-browser")).toEqual({ code: 0, out: `${url()}/open?code=abc\n`, err: "" });
});
