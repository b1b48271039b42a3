/** Secrets stay where they are: not in the log, not in an answer that doesn't hand them out, not in a header. */
import { expect, test } from "vitest";
import { hashSecret } from "../access/secrets.ts";
import { testDoors } from "./testing/doors.ts";

test("no token, code, session, CSRF token, signature or hash of one is ever logged, nor told again", async () => {
  const doors = testDoors({
    overview: async () => {
      throw new Error("for the log");
    },
  });
  const { ask } = doors;
  const token = await doors.tokenOf("admin");
  const wrong = `rgt_${"W".repeat(43)}`;
  const code = (await ask("POST", "/v1/session/codes", { token })).json.code as string;
  const opened = await ask("GET", `/open?code=${code}`);
  const cookie = (opened.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  const { csrf } = (await ask("GET", "/v1/session", { headers: { cookie } })).json;
  const headers = { cookie, "x-regent-csrf": csrf, "webhook-signature": "v1a,c2lnbmF0dXJl" };
  const body = { reason: "a drill" };
  const answers = [
    await ask("GET", "/v1/overview", { token }),
    await ask("GET", "/v1/overview", { token: wrong }),
    await ask("GET", `/v1/history?cursor=${wrong}`, { headers }),
    await ask("POST", "/v1/freeze", { headers, body }),
    await ask("POST", "/v1/reports", { headers, body: "{}" }),
    await ask("GET", `/open?code=${code}`),
    await ask("GET", "/healthz"),
    await ask("GET", "/metrics", { token }),
    await ask("GET", "/docs"),
  ];
  const session = cookie.split("=")[1] ?? "";
  const secrets = [token, wrong, code, session, csrf, "c2lnbmF0dXJl", ...[token, code, session].map(hashSecret)];
  expect(secrets.every((secret) => secret.length >= 12)).toBe(true);
  const told = [doors.logText(), ...answers.map(({ text, headers: h }) => text + JSON.stringify([...h]))].join("\n");
  for (const secret of secrets) expect(told).not.toContain(secret);
  expect(doors.logText()).toContain('"path":"/open"');
  expect(doors.logText()).toContain('"actor":"admin-token"');
});

test("every answer carries the headers that keep browsers honest, and isn't stored", async () => {
  const { ask } = testDoors();
  for (const path of ["/", "/docs", "/livez", "/v1/overview", "/nowhere"]) {
    const { headers } = await ask("GET", path);
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-request-id")).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
    expect(headers.has("access-control-allow-origin")).toBe(false);
  }
});

test("what is steady is logged for who looks closely, and what fails for everybody", async () => {
  const doors = testDoors();
  await doors.ask("GET", "/livez");
  await doors.ask("POST", "/v1/reports", { body: "{}" });
  await doors.ask("GET", "/v1/overview");
  const lines = doors
    .logText()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map(({ level, path, status }) => [level, path, status])).toEqual([
    [20, "/livez", 200],
    [20, "/v1/reports", 200],
    [30, "/v1/overview", 401],
  ]);
  expect(lines[2]).toMatchObject({
    method: "GET",
    ms: expect.any(Number),
    requestId: expect.stringMatching(/^.{26}$/),
    address: "192.0.2.7",
  });
});
