/** What is shown without being asked by a program: the document of the API, the page of it, the dashboard. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROBLEMS } from "@regent/contract";
import { afterEach, expect, test } from "vitest";
import { ROUTE_ACCESS } from "./route-access.ts";
import { testDoors } from "./testing/doors.ts";

const made: string[] = [];
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true });
});

test("the document names every route of the table and no other, each with its problems", async () => {
  const { json } = await testDoors().ask("GET", "/openapi.json");
  expect(json.openapi).toBe("3.1.0");
  const told = Object.entries(json.paths as Record<string, Record<string, never>>).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(told.sort()).toEqual(Object.keys(ROUTE_ACCESS).sort());
  for (const operations of Object.values(
    json.paths as Record<string, Record<string, { responses: Record<string, { description: string }> }>>,
  ))
    for (const { responses } of Object.values(operations))
      for (const [number, { description }] of Object.entries(responses))
        if (number !== "200")
          for (const slug of description.split(", "))
            expect(PROBLEMS[slug as keyof typeof PROBLEMS]?.status).toBe(Number(number));
});

test("the document shows what a move takes and answers, and that it needs a key", async () => {
  const { json } = await testDoors().ask("GET", "/openapi.json");
  const { post } = json.paths["/v1/services/{service}/failover"];
  const body = post.requestBody.content["application/json"].schema;
  expect(body.required).toEqual(expect.arrayContaining(["to", "reason"]));
  expect(body.additionalProperties).toBe(false);
  expect(post.parameters.find(({ name }: { name: string }) => name === "idempotency-key")).toMatchObject({
    in: "header",
    required: true,
  });
  expect(Object.keys(post.responses["200"].content["application/json"].schema.properties)).toContain("batch");
  expect(post.security).toEqual([{ token: [] }, { session: [] }]);
});

test("every reference in the document leads somewhere", async () => {
  const { json, text } = await testDoors().ask("GET", "/openapi.json");
  const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = ""]) => path.split("/"));
  const follow = (path: readonly string[]) => path.reduce((at, key) => at?.[key], json);
  for (const path of references) expect(follow(path)).toBeDefined();
});

test("the page lists every route, with no script and nothing from elsewhere", async () => {
  const { ask } = testDoors();
  const page = await ask("GET", "/docs");
  expect(page.headers.get("content-type")).toContain("text/html");
  for (const key of Object.keys(ROUTE_ACCESS)) expect(page.text).toContain(`<code>${key}</code>`);
  expect(page.text).not.toMatch(/<script|<style|\son[a-z]+=|\sstyle=|https?:\/\/[^"]*\.(?:js|css)/i);
  const [, stylesheet = ""] = /<link rel="stylesheet" href="([^"]+)">/.exec(page.text) ?? [];
  expect((await ask("GET", stylesheet)).headers.get("content-type")).toContain("text/css");
});

test("without a build the front page says how to make one", async () => {
  for (const staticDir of [{}, { staticDir: "/nonexistent/dashboard" }]) {
    const page = await testDoors({}, staticDir).ask("GET", "/");
    expect(page.status).toBe(200);
    expect(page.text).toContain("npm run build");
  }
});

const testBuild = (): string => {
  const dir = mkdtempSync(join(tmpdir(), "regent-dashboard-"));
  made.push(dir);
  mkdirSync(join(dir, ".vite"));
  mkdirSync(join(dir, "assets"));
  const entry = { file: "assets/main-a1b2.js", css: ["assets/main-c3d4.css"], assets: ["assets/map-e5f6.svg"], isEntry: true };
  writeFileSync(join(dir, ".vite/manifest.json"), JSON.stringify({ "index.html": entry }));
  writeFileSync(join(dir, "index.html"), "<!doctype html><title>Regent</title>");
  writeFileSync(join(dir, "assets/main-a1b2.js"), "export {};");
  writeFileSync(join(dir, "assets/main-c3d4.css"), "body{}");
  writeFileSync(join(dir, "assets/map-e5f6.svg"), "<svg/>");
  writeFileSync(join(dir, "secret.txt"), "not for you");
  return dir;
};

test.each([
  ["/", "text/html; charset=utf-8", "no-cache"],
  ["/assets/main-a1b2.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"],
  ["/assets/main-c3d4.css", "text/css; charset=utf-8", "public, max-age=31536000, immutable"],
  ["/assets/map-e5f6.svg", "image/svg+xml", "public, max-age=31536000, immutable"],
])("%s of a build is served as %s, %s", async (path, type, caching) => {
  const { ask } = testDoors({}, { staticDir: testBuild() });
  const answer = await ask("GET", path);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe(type);
  expect(answer.headers.get("cache-control")).toBe(caching);
});

test.each([
  "/secret.txt",
  "/.vite/manifest.json",
  "/assets/../secret.txt",
  "/assets/%2e%2e/secret.txt",
  "/assets/..%2fsecret.txt",
  "/index.html/../secret.txt",
])("%s isn't in the manifest and isn't served", async (path) => {
  const { ask } = testDoors({}, { staticDir: testBuild() });
  const answer = await ask("GET", path);
  expect(answer.status).toBe(404);
  expect(answer.text).not.toContain("not for you");
});

test("a build with a file missing is a broken build", () => {
  const dir = testBuild();
  rmSync(join(dir, "assets/main-a1b2.js"));
  expect(() => testDoors({}, { staticDir: dir })).toThrow(/ENOENT/);
});

test("readiness says what is missing, and health tells of every part", async () => {
  const missing = ["the lease"];
  const readiness = () => ({ isReady: false, mode: "degraded" as const, isLeader: false, missing });
  const breaker = {
    name: "route53-change",
    kind: "route53-change",
    state: "open" as const,
    since: 8_000,
    failures: 5,
    openUntil: 9_000,
    limits: { failures: 5, successes: 2, openMs: 1_000, atOnce: 8, queue: 100 },
    underWay: 0,
    waiting: 0,
    counts: { answered: 7, failed: 5, refused: 3, turnedAway: 0, retried: 1, opened: 1 },
    lastFailure: "ECONNREFUSED",
  };
  const { ask } = testDoors({ readiness }, { breakers: () => [breaker] });
  const ready = await ask("GET", "/readyz");
  expect([ready.status, ready.json]).toEqual([503, { isReady: false, mode: "degraded", isLeader: false, missing }]);
  expect((await ask("GET", "/livez")).json).toEqual({ isLive: true });
  const health = await ask("GET", "/healthz");
  expect(health.status).toBe(200);
  expect(health.json).toMatchObject({
    isReady: false,
    configurationVersion: 7,
    database: { isUp: true, poolSize: 10 },
    breakers: [breaker],
    eventStreams: 0,
  });
  expect((await ask("GET", "/healthz/breakers")).json).toEqual({ breakers: [breaker] });
  expect((await testDoors().ask("GET", "/healthz/breakers")).json).toEqual({ breakers: [] });
});
