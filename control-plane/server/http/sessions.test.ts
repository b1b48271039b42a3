/** A browser's way in and out, and what another site can't do with it. */
import { describe, expect, test } from "vitest";
import { CODE_TTL_MS, SESSION_TTL_MS } from "../limits.ts";
import type { Role } from "../ports/access-store.ts";
import { type Doors, testDoors } from "./testing/doors.ts";

const body = { reason: "a drill" };

const signIn = async (doors: Doors, role: Role = "operator", scope: readonly string[] | null = null) => {
  const code = await doors.ask("POST", "/v1/session/codes", { token: await doors.tokenOf(role, scope) });
  const opened = await doors.ask("GET", code.json.path);
  const setCookie = opened.headers.get("set-cookie") ?? "";
  const cookie = setCookie.split(";")[0] ?? "";
  const { json } = await doors.ask("GET", "/v1/session", { headers: { cookie } });
  return { code: code.json, opened, setCookie, cookie, session: json };
};

describe("signing in", () => {
  test("a code becomes a cookie that scripts can't read and other sites don't send, and leaves the URL", async () => {
    const { opened, setCookie, session } = await signIn(testDoors());
    expect(opened.status).toBe(303);
    expect(opened.headers.get("location")).toBe("/");
    expect(setCookie).toMatch(/^regent_session=rgs_[A-Za-z0-9_-]{43}; Max-Age=7200; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(session).toMatchObject({ kind: "session", name: "operator-token", role: "operator", scope: null });
    expect(session.csrf).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(Object.keys(session).sort()).toEqual(["csrf", "expiresAt", "kind", "name", "role", "scope"]);
  });

  test("with TLS the cookie is Secure and bound to the host, and the browser is told to stay with TLS", async () => {
    const { setCookie, opened } = await signIn(testDoors({}, { cookieSecure: true }));
    expect(setCookie).toMatch(/^__Host-regent=rgs_.+; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
    expect(opened.headers.get("strict-transport-security")).toContain("max-age=");
  });

  test("without TLS nothing says that there is", async () => {
    expect((await testDoors().ask("GET", "/livez")).headers.has("strict-transport-security")).toBe(false);
  });

  test("a code is good once", async () => {
    const doors = testDoors();
    const { code } = await signIn(doors);
    const again = await doors.ask("GET", code.path);
    expect(again.status).toBe(403);
    expect(again.headers.has("set-cookie")).toBe(false);
    expect(again.text).not.toContain(code.code);
  });

  test("a code is good for a minute", async () => {
    const doors = testDoors();
    const { json } = await doors.ask("POST", "/v1/session/codes", { token: await doors.tokenOf("operator") });
    doors.pass(CODE_TTL_MS);
    expect((await doors.ask("GET", json.path)).status).toBe(403);
  });

  test.each([{ "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }, { "sec-purpose": "prefetch" }])(
    "a visit with %o neither signs in nor uses the code up",
    async (headers) => {
      const doors = testDoors();
      const { json } = await doors.ask("POST", "/v1/session/codes", { token: await doors.tokenOf("operator") });
      const visit = await doors.ask("GET", json.path, { headers: headers as Record<string, string> });
      expect(visit.headers.has("set-cookie")).toBe(false);
      expect((await doors.ask("GET", json.path, { headers: { "sec-fetch-site": "none" } })).status).toBe(303);
    },
  );

  test("codes can't be guessed for long", async () => {
    const doors = testDoors();
    for (let i = 0; i < 10; i += 1) expect((await doors.ask("GET", `/open?code=rgc_${"C".repeat(43)}`)).status).toBe(403);
    expect((await doors.ask("GET", `/open?code=rgc_${"C".repeat(43)}`)).status).toBe(429);
  });

  test("a session reaches as far as its token, and makes no codes", async () => {
    const doors = testDoors();
    const { cookie, session } = await signIn(doors, "operator", ["mail"]);
    expect(session.scope).toEqual(["mail"]);
    const headers = { cookie, "x-regent-csrf": session.csrf };
    expect((await doors.ask("POST", "/v1/services/shop/freeze", { headers, body })).status).toBe(403);
    expect((await doors.ask("POST", "/v1/services/mail/freeze", { headers, body })).status).toBe(200);
    expect((await doors.ask("POST", "/v1/session/codes", { headers })).status).toBe(403);
  });

  test("a session ends after two hours, or when told to", async () => {
    const doors = testDoors();
    const first = await signIn(doors);
    doors.pass(SESSION_TTL_MS);
    expect((await doors.ask("GET", "/v1/overview", { headers: { cookie: first.cookie } })).status).toBe(401);
    const second = await signIn(doors);
    const headers = { cookie: second.cookie, "x-regent-csrf": second.session.csrf };
    const ended = await doors.ask("POST", "/v1/session/end", { headers });
    expect(ended.json).toEqual({ ended: true });
    expect(ended.headers.get("set-cookie")).toMatch(/^regent_session=; Max-Age=0/);
    expect((await doors.ask("GET", "/v1/overview", { headers })).status).toBe(401);
    expect((await doors.ask("POST", "/v1/session/end", { token: await doors.tokenOf("admin") })).status).toBe(403);
  });
});

describe("a mutation with a session", () => {
  const cases: readonly [string, (csrf: string) => Record<string, string>, number][] = [
    ["and its CSRF token", (csrf) => ({ "x-regent-csrf": csrf }), 200],
    [
      "and what a browser of this page sends",
      (csrf) => ({ "x-regent-csrf": csrf, origin: "http://localhost", "sec-fetch-site": "same-origin" }),
      200,
    ],
    ["without CSRF token", () => ({}), 403],
    ["and a wrong CSRF token", (csrf) => ({ "x-regent-csrf": `${csrf.slice(0, -1)}!` }), 403],
    ["from another site", (csrf) => ({ "x-regent-csrf": csrf, "sec-fetch-site": "cross-site" }), 403],
    ["from a sibling of the site", (csrf) => ({ "x-regent-csrf": csrf, "sec-fetch-site": "same-site" }), 403],
    ["from another origin", (csrf) => ({ "x-regent-csrf": csrf, origin: "http://evil.example" }), 403],
    ["from another port", (csrf) => ({ "x-regent-csrf": csrf, origin: "http://localhost:9999" }), 403],
    ["from an origin without a name", (csrf) => ({ "x-regent-csrf": csrf, origin: "null" }), 403],
  ];

  test.each(cases)("%s answers %s", async (_, toHeaders, number) => {
    const doors = testDoors();
    const { cookie, session } = await signIn(doors);
    const asked = doors.controlPlane.calls.length;
    const answer = await doors.ask("POST", "/v1/freeze", { headers: { cookie, ...toHeaders(session.csrf) }, body });
    expect(answer.status).toBe(number);
    expect(doors.controlPlane.calls.length - asked).toBe(number === 200 ? 1 : 0);
  });

  test("isn't let in by another session's CSRF token", async () => {
    const doors = testDoors();
    const [own, other] = [await signIn(doors), await signIn(doors)];
    const headers = { cookie: own.cookie, "x-regent-csrf": other.session.csrf };
    expect((await doors.ask("POST", "/v1/freeze", { headers, body })).status).toBe(403);
  });
});

test("a wrong token isn't made good by a cookie beside it", async () => {
  const doors = testDoors();
  const { cookie } = await signIn(doors);
  expect((await doors.ask("GET", "/v1/overview", { token: `rgt_${"D".repeat(43)}`, headers: { cookie } })).status).toBe(401);
});
