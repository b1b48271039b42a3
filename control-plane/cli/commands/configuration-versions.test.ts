/** regent configuration: what was in force is listed and shown, and going back applies it over what is in force, or says why not. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type AnsweringServer, startAnsweringServer } from "../testing/answering-server.ts";
import { runTyped } from "../testing/typed.ts";

const textOf = (path: string, owner = "shop"): string => `regent: 1
owner: ${owner}
zones: [{ id: Z1TEST, name: example.test }]
regions: [{ id: eu-west }]
services:
  - id: checkout
    name: checkout.example.test
    zone: example.test
    strategy: { kind: active-passive }
    endpoints: [{ region: eu-west, A: [192.0.2.10], probe: { address: "127.0.0.1:9000" } }]
    checks: [{ id: web, kind: http, path: ${path} }]
`;
const AT = Date.UTC(2026, 10, 22, 3, 4, 5);
const about = (version: number, text: string) => ({ version, author: "ada", at: AT, lines: [`~ of ${version}`], text });
const notFound = {
  status: 404,
  body: {
    type: "https://regent.invalid/problems/not-found",
    title: "No such thing",
    status: 404,
    detail: "configuration version 9",
  },
};

let server: AnsweringServer;
let heard: { readonly what: string; readonly text: string }[];
let answers: Record<string, unknown>;

beforeAll(async () => {
  server = await startAnsweringServer(({ what, text }) => {
    heard.push({ what, text });
    const body = answers[decodeURIComponent(what)];
    return body === undefined ? notFound : { status: 200, body };
  });
});
afterAll(() => server.close());
beforeEach(() => {
  heard = [];
  const { version, author, at, text } = about(3, textOf("/wrong"));
  answers = {
    "GET /v1/configuration": { version, author, at, text },
    "GET /v1/configuration/versions": { versions: [3, 2].map((one) => about(one, "")), next: 2 },
    "GET /v1/configuration/versions?cursor=2": {
      versions: [{ ...about(1, ""), lines: "abcdefghijklmnop".split("") }],
      next: null,
    },
    "GET /v1/configuration/versions/1": about(1, textOf("/first")),
    "GET /v1/configuration/versions/2": about(2, textOf("/right")),
    "POST /v1/configuration/plan": {
      baseVersion: 3,
      changed: true,
      lines: ["~ check web"],
      warnings: ["one network"],
      names: [],
    },
    "PUT /v1/configuration?reason=back to version 2: 404s": { version: 4, changed: true, lines: ["~ check web"], warnings: [] },
    "PUT /v1/configuration?reason=back to version 1: 404s": { version: 4, changed: true, lines: ["~ check web"], warnings: [] },
  };
});

const regent = (...args: string[]) =>
  runTyped(["configuration", ...args], { REGENT_URL: server.url, REGENT_TOKEN: "token", REGENT_HOME: "/nowhere" });
const changes = () => heard.filter(({ what }) => what.startsWith("PUT "));

test("versions are listed with who, when and what, and the next page is named", async () => {
  const { code, out } = await regent("list");
  expect([code, out]).toEqual([
    0,
    "version 3  2026-11-22 03:04:05Z  ada\n  ~ of 3\nversion 2  2026-11-22 03:04:05Z  ada\n  ~ of 2\nMore: regent configuration list --cursor 2\n",
  ]);
  expect((await regent("list", "--cursor", "2")).out).toMatch(/ {2}l\n {2}and 4 more: regent configuration show 1\n$/);
});

test("one is shown as it was applied, to the byte", async () => {
  expect(await regent("show", "2")).toEqual({ code: 0, out: textOf("/right"), err: "" });
  expect(JSON.parse((await regent("show", "2", "--json")).out)).toEqual(about(2, textOf("/right")));
  expect((await regent("show", "9")).code).toBe(4);
});

test("going back applies the version before the one in force, and keeps why", async () => {
  const { code, out } = await regent("rollback", "--reason", "404s");
  expect([code, out]).toEqual([
    0,
    "~ check web\nVersion 4 is in force. It says what version 2 said; --to 3 goes forward again.\n",
  ]);
  expect(changes().map(({ text }) => text)).toEqual([textOf("/right")]);
});

test("going back further takes the version that is named", async () => {
  const { code, out } = await regent("rollback", "--to", "1", "--reason", "404s", "--json");
  expect([code, JSON.parse(out)]).toMatchObject([0, { version: 4, from: 3, to: 1, changed: true }]);
  expect(changes().map(({ text }) => text)).toEqual([textOf("/first")]);
});

test("a dry run shows what would change, and applies nothing", async () => {
  const { code, out } = await regent("rollback", "--reason", "404s", "--dry-run");
  expect([code, out]).toEqual([0, "~ check web\n! one network\n"]);
  expect(changes()).toEqual([]);
});

test.each<[string, readonly string[], () => Record<string, unknown>, number, string]>([
  [
    "there is none before it",
    [],
    () => ({ "GET /v1/configuration": { version: 1, author: "ada", at: AT, text: "" } }),
    1,
    "none was before",
  ],
  ["it is in force", ["--to", "3"], () => ({}), 1, "Version 3 is in force already"],
  ["it never was", ["--to", "9"], () => ({}), 4, "configuration version 9"],
  ["it isn't a version", ["--to", "0"], () => ({}), 2, "A version is a number from 1"],
  [
    "it isn't valid today",
    [],
    () => ({ "GET /v1/configuration/versions/2": about(2, "regent: 1\nprofil: sandbox\n") }),
    1,
    "Version 2 isn't valid today",
  ],
  [
    "its owner is another",
    [],
    () => ({ "GET /v1/configuration/versions/2": about(2, textOf("/right", "other")) }),
    1,
    "apply it with --takeover shop",
  ],
  [
    "it says the same",
    [],
    () => ({ "POST /v1/configuration/plan": { baseVersion: 3, changed: false, lines: [], warnings: [], names: [] } }),
    1,
    "Version 2 says the same as version 3",
  ],
  [
    "somebody was faster",
    [],
    () => ({ "POST /v1/configuration/plan": { baseVersion: 4, changed: true, lines: ["x"], warnings: [], names: [] } }),
    1,
    "Version 4 is in force by now",
  ],
])("is refused when %s, and nothing is applied", async (_, args, differently, code, words) => {
  answers = { ...answers, ...differently() };
  const ran = await regent("rollback", ...args, "--reason", "404s");
  expect([ran.code, ran.out]).toEqual([code, ""]);
  expect(ran.err).toContain(words);
  expect(changes()).toEqual([]);
});

test("going back takes a reason", async () => {
  expect(await regent("rollback")).toMatchObject({ code: 2, err: expect.stringContaining("--reason") });
  expect(heard).toEqual([]);
});
