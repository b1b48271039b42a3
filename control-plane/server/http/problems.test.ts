/** Each way to fail, as the asker sees it. */
import { readdirSync, readFileSync } from "node:fs";
import { PROBLEM_BASE, PROBLEMS } from "@regent/contract";
import { expect, test } from "vitest";
import { DatabaseAway } from "../adapters/postgres/errors.ts";
import type { ControlPlane, NotHere } from "../operations/control-plane.ts";
import type { Ingested } from "../operations/evidence/ingest-report.ts";
import type { MoveResult } from "../operations/zone/request-move.ts";
import { START, testDoors } from "./testing/doors.ts";
import { testMoveAnswer } from "./testing/fake-control-plane.ts";

const PAGES = new URL("../../../docs/problems/", import.meta.url);
const body = { to: "west", reason: "a drill" };

test("every problem has a page with its title and number, and every page a problem", () => {
  expect(readdirSync(PAGES).sort()).toEqual(
    Object.keys(PROBLEMS)
      .map((slug) => `${slug}.md`)
      .sort(),
  );
  for (const [slug, { title, status }] of Object.entries(PROBLEMS)) {
    const page = readFileSync(new URL(`${slug}.md`, PAGES), "utf8");
    expect(page.startsWith(`# ${title}\n\n\`${slug}\`, HTTP ${status}\n`)).toBe(true);
    expect(page).toMatch(/## What it means\n\n\S[\s\S]+## What to do\n\n\S/);
  }
});

const refused = { ...testMoveAnswer(), allowed: false, why: "A4 stands in the way" };
const moves: readonly [MoveResult | NotHere, number, string, object][] = [
  [{ kind: "stale-revision", revision: 9 }, 409, "stale-revision", { revision: 9 }],
  [{ kind: "refused-by-rule", answer: refused }, 409, "refused-by-rule", { answer: refused, detail: "A4 stands in the way" }],
  [{ kind: "change-in-flight" }, 409, "change-in-flight", {}],
  [{ kind: "dns-away", why: "throttled" }, 503, "dns-away", {}],
  [
    { kind: "name-taken", why: "a simple record is there: delete it" },
    409,
    "name-taken",
    { detail: "a simple record is there: delete it" },
  ],
  [{ kind: "too-many" }, 429, "too-many-requests", {}],
  [{ kind: "broken-invariant", violations: ["secret inside"] }, 500, "internal", {}],
  [{ kind: "not-leader" }, 503, "not-leader", {}],
  [{ kind: "not-found", what: "region west" }, 404, "not-found", { detail: "there is no region west" }],
];

test.each(moves)("a move that ends as %o answers %i", async (result, number, slug, more) => {
  const { ask, tokenOf, controlPlane } = testDoors({ move: async () => result });
  const answer = await ask("POST", "/v1/services/shop/failover", { token: await tokenOf("operator"), body });
  expect(answer.status).toBe(number);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.json).toMatchObject({
    type: PROBLEM_BASE + slug,
    status: number,
    title: PROBLEMS[slug as "internal"].title,
    ...more,
  });
  expect(answer.json.requestId).toBe(answer.headers.get("x-request-id"));
  expect(answer.text).not.toContain("secret inside");
  expect(answer.headers.has("retry-after")).toBe(number === 503 || number === 429 || slug === "change-in-flight");
  expect(controlPlane.refusals).toEqual([`operator ${slug}`]);
});

const reports: readonly [Ingested, number, string, object][] = [
  [{ kind: "unknown-signer" }, 401, "unknown-signer", {}],
  [{ kind: "clock-skew", seconds: 400 }, 401, "clock-skew", { serverTime: START }],
  [{ kind: "wrong-place", why: "a is declared in east/one" }, 403, "wrong-place", { detail: "a is declared in east/one" }],
  [{ kind: "replayed", sequence: 12, boot: 7 }, 409, "replayed-report", { ack: 12, boot: 7 }],
  [{ kind: "too-large" }, 413, "too-large", {}],
  [
    { kind: "invalid-request", errors: [{ path: "v", message: "1" }] },
    400,
    "invalid-request",
    { errors: [{ path: "v", message: "1" }] },
  ],
  [{ kind: "unconfigured" }, 503, "not-ready", {}],
];

test.each(reports)("a report that ends as %o answers %i", async (ingested, number, slug, more) => {
  const { ask, controlPlane } = testDoors({ ingestReport: async () => ingested });
  const answer = await ask("POST", "/v1/reports", { body: "{}" });
  expect(answer.status).toBe(number);
  expect(answer.json).toMatchObject({ type: PROBLEM_BASE + slug, ...more });
  expect(controlPlane.refusals).toEqual([`reports ${slug}`]);
});

const away = async (): Promise<never> => {
  throw new DatabaseAway("ECONNREFUSED", new Error("postgres://regent:hunter2@db"));
};
const throwing: Partial<ControlPlane> = {
  ingestReport: away,
  overview: away,
  move: away,
  setFreeze: away,
  history: away,
  metrics: away,
};

test.each([
  ["POST", "/v1/reports", "{}"],
  ["GET", "/v1/overview", undefined],
  ["GET", "/v1/history", undefined],
  ["GET", "/metrics", undefined],
  ["POST", "/v1/services/shop/failover", body],
  ["POST", "/v1/freeze", { reason: "a drill" }],
])("%s %s answers 503 with Retry-After while the database is away", async (method, path, sent) => {
  const { ask, tokenOf } = testDoors(throwing);
  const answer = await ask(method, path, { token: await tokenOf("admin"), body: sent });
  expect(answer.status).toBe(503);
  expect(answer.json.type).toBe(`${PROBLEM_BASE}database-away`);
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(answer.text).not.toContain("hunter2");
});

test("an unexpected error answers its request id and nothing of itself; the log holds the rest", async () => {
  const { ask, tokenOf, logText } = testDoors({
    overview: async () => {
      throw new Error("column hunter2 does not exist");
    },
  });
  const answer = await ask("GET", "/v1/overview", { token: await tokenOf("viewer") });
  expect(answer.status).toBe(500);
  expect(Object.keys(answer.json).sort()).toEqual(["detail", "requestId", "status", "title", "type"]);
  expect(answer.text).not.toContain("hunter2");
  const line = logText()
    .split("\n")
    .find((each) => each.includes("hunter2"));
  expect(line).toContain(answer.json.requestId);
});

test.each([
  ["GET", "/v1/nothing"],
  ["DELETE", "/v1/overview"],
  ["GET", "/../etc/passwd"],
  ["GET", "/assets/app.js"],
])("%s %s isn't there", async (method, path) => {
  const { ask } = testDoors();
  const answer = await ask(method, path);
  expect(answer.status).toBe(404);
  expect(answer.json.type).toBe(`${PROBLEM_BASE}not-found`);
});
