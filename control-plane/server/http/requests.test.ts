/** What is taken and what isn't: forms of requests, sizes, hosts, configurations. */
import { REPORT_BYTES_MAX } from "@regent/contract";
import { describe, expect, test } from "vitest";
import { OPERATOR_BYTES_MAX } from "../limits.ts";
import { testDoors } from "./testing/doors.ts";

const reason = "a drill on Monday";
const failover = "/v1/services/shop/failover";

describe("an operator's request", () => {
  test.each([
    ["a field that isn't in the contract", failover, { to: "west", reason, force: true }, "force"],
    ["no reason", failover, { to: "west" }, "reason"],
    ["a reason too short to say anything", failover, { to: "west", reason: "x" }, "3 characters"],
    ["no region", failover, { reason }, "to"],
    ["a rule that doesn't exist", failover, { to: "west", reason, breakGlass: ["A99"] }, "breakGlass.0"],
    ["a revision that is no number", failover, { to: "west", reason, expectedRevision: "4" }, "expectedRevision"],
    ["a body that is no object", failover, [], "object"],
    ["a body that is no JSON", failover, "{", "not valid JSON"],
    ["a service id that can't be one", "/v1/services/Shop%00/failover", { to: "west", reason }, "service id"],
  ])("with %s is refused, and nothing is done", async (_, path, body, told) => {
    const { ask, tokenOf, controlPlane } = testDoors();
    const headers = { "content-type": "application/json" };
    const answer = await ask("POST", path, { token: await tokenOf("admin"), body, headers });
    expect(answer.status).toBe(400);
    expect(answer.json.type).toMatch(/invalid-request$/);
    expect(answer.text).toContain(told);
    expect(controlPlane.calls).toEqual([]);
  });

  test("of another content type is refused", async () => {
    const { ask, tokenOf, controlPlane } = testDoors();
    const body = JSON.stringify({ to: "west", reason });
    const answer = await ask("POST", failover, {
      token: await tokenOf("admin"),
      body,
      headers: { "content-type": "text/plain" },
    });
    expect(answer.status).toBe(400);
    expect(controlPlane.calls).toEqual([]);
  });

  test("reaches the control plane whole, with its actor", async () => {
    const { ask, tokenOf, controlPlane } = testDoors();
    const token = await tokenOf("operator");
    await ask("POST", failover, { token, body: { to: "west", reason, expectedRevision: 4, breakGlass: ["A4"], dryRun: true } });
    await ask("POST", "/v1/services/shop/undrain", { token, body: { region: "east", reason } });
    await ask("POST", "/v1/services/shop/regions/east/freeze", { token, body: { reason } });
    await ask("POST", "/v1/unfreeze", { token, body: { reason } });
    const by = "operator-token";
    expect(controlPlane.calls.map(({ input }) => input)).toEqual([
      {
        service: "shop",
        request: { move: { kind: "failover", to: "west" }, by, reason, breakGlass: ["A4"] },
        dryRun: true,
        expectedRevision: 4,
      },
      {
        service: "shop",
        request: { move: { kind: "undrain", region: "east" }, by, reason, breakGlass: [] },
        dryRun: false,
        expectedRevision: null,
      },
      { scope: { kind: "region", service: "shop", region: "east" }, isFrozen: true, by, reason },
      { scope: { kind: "global" }, isFrozen: false, by, reason },
    ]);
  });
});

describe("history", () => {
  test.each(["limit=0", "limit=501", "limit=x", "kind=nonsense", "kind=", "service=UPPER", "colour=red", "cursor="])(
    "with ?%s is refused",
    async (query) => {
      const { ask, tokenOf, controlPlane } = testDoors();
      expect((await ask("GET", `/v1/history?${query}`, { token: await tokenOf("viewer") })).status).toBe(400);
      expect(controlPlane.calls).toEqual([]);
    },
  );

  test("is asked for by service, kinds, limit and cursor", async () => {
    const { ask, tokenOf, controlPlane } = testDoors();
    const token = await tokenOf("viewer");
    await ask("GET", "/v1/history?service=shop&kind=change,verdict&limit=5&cursor=c2", { token });
    await ask("GET", "/v1/history", { token });
    expect(controlPlane.calls.map(({ input }) => input)).toEqual([
      { service: "shop", kinds: ["change", "verdict"], limit: 5, cursor: "c2" },
      { limit: 50 },
    ]);
  });
});

describe("a report", () => {
  test("reaches the control plane as the very bytes that were signed", async () => {
    const { ask, controlPlane } = testDoors();
    const body = '{ "v":1,\n "é": "\\u00e9"}';
    const headers = { "webhook-id": "a.1.3", "webhook-timestamp": "5", "webhook-signature": "v1a,AAAA", "regent-key": "k" };
    const answer = await ask("POST", "/v1/reports", { body, headers });
    expect(answer.json).toEqual({ ack: 3, serverTime: 1_000 });
    expect(controlPlane.calls[0]?.input).toEqual({
      id: "a.1.3",
      timestamp: "5",
      signature: "v1a,AAAA",
      keyId: "k",
      body: new TextEncoder().encode(body),
    });
  });

  test("of one agent in a flood is told to wait, and other agents aren't", async () => {
    const { ask } = testDoors();
    const report = (id: string) => ask("POST", "/v1/reports", { body: "{}", headers: { "webhook-id": id } });
    const answers = new Set<number>();
    for (let i = 0; i < 200; i += 1) answers.add((await report(`a.1.${i}`)).status);
    expect([...answers]).toEqual([200]);
    expect((await report("a.1.200")).status).toBe(429);
    expect((await report("b.1.1")).status).toBe(200);
  });

  test("that the claimed agent hasn't signed uses up nothing of that agent's room", async () => {
    let isForged = true;
    const { ask } = testDoors({
      ingestReport: async () =>
        isForged ? { kind: "unknown-signer" } : { kind: "taken", receipt: { ack: 1, serverTime: 1_000 } },
    });
    const report = () => ask("POST", "/v1/reports", { body: "{}", headers: { "webhook-id": "a.1.1" } });
    const forged = new Set<number>();
    for (let i = 0; i < 300; i += 1) forged.add((await report()).status);
    expect([...forged]).toEqual([401]);
    isForged = false;
    expect((await report()).status).toBe(200);
  });
});

describe("a body", () => {
  const sizes = [
    ["POST", "/v1/reports", REPORT_BYTES_MAX, "application/json"],
    ["POST", failover, OPERATOR_BYTES_MAX, "application/json"],
    ["PUT", "/v1/configuration", 1_100_000, "text/yaml"],
  ] as const;

  test.each(sizes)("of %s %s over %i bytes is refused, declared or not", async (method, path, bytesMax, type) => {
    const { ask, tokenOf, controlPlane } = testDoors();
    const token = await tokenOf("admin");
    const headers = { "content-type": type, "if-match": '"7"' };
    const body = "x".repeat(bytesMax + 1);
    expect((await ask(method, path, { token, body, headers })).status).toBe(413);
    const declared = { ...headers, "content-length": String(bytesMax + 1) };
    expect((await ask(method, path, { token, body: "{}", headers: declared })).status).toBe(413);
    expect(controlPlane.calls).toEqual([]);
  });

  test("of exactly the most bytes is taken", async () => {
    const { ask } = testDoors();
    expect((await ask("POST", "/v1/reports", { body: "x".repeat(REPORT_BYTES_MAX) })).status).toBe(200);
  });
});

describe("the host", () => {
  test.each([
    "localhost",
    "localhost:8080",
    "127.0.0.1",
    "127.0.0.53:8080",
    "[::1]:8080",
    "regent.example.net",
    "regent.example.net:8443",
    "REGENT.example.net",
    "ops.example.net:8080",
  ])("%s is served", async (host) => {
    const { app } = testDoors(
      {},
      { listen: { hostNames: ["regent.example.net", "ops.example.net:8080"], isBehindProxy: false } },
    );
    expect((await app.request(`http://${host}/livez`, { headers: { host } })).status).toBe(200);
  });

  test.each([
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "ops.example.net:9090",
    "regent.example.net.evil.example",
    "10.0.0.1",
  ])("%s isn't", async (host) => {
    const { app } = testDoors(
      {},
      { listen: { hostNames: ["regent.example.net", "ops.example.net:8080"], isBehindProxy: false } },
    );
    const answer = await app.request(`http://${host}/livez`, { headers: { host } });
    expect(answer.status).toBe(421);
    expect(await answer.text()).toContain("problems/misdirected");
  });

  test("named in the target and not in the header isn't served", async () => {
    const { app } = testDoors();
    expect((await app.request("http://localhost/livez", { headers: { host: "evil.example" } })).status).toBe(421);
  });
});

describe("the configuration", () => {
  const yaml = (headers: Record<string, string> = {}) => ({
    body: "regent: 1\n",
    headers: { "content-type": "text/yaml; charset=utf-8", ...headers },
  });

  test("is read with its version as ETag, and applied over it", async () => {
    const { ask, tokenOf, controlPlane } = testDoors();
    const token = await tokenOf("approver");
    const read = await ask("GET", "/v1/configuration", { token });
    expect(read.json).toEqual({ version: 7, text: "regent: 1\n", author: "admin", at: 900 });
    const etag = read.headers.get("etag") ?? "";
    const applied = await ask("PUT", "/v1/configuration", { token, ...yaml({ "if-match": etag }) });
    expect(applied.headers.get("etag")).toBe('"8"');
    expect(controlPlane.calls).toEqual([
      {
        name: "applyConfiguration",
        input: { text: "regent: 1\n", fileName: "regent.yaml", baseVersion: 7, author: "approver-token" },
      },
    ]);
  });

  test("is applied with a reason, which may be of any words, and of one line", async () => {
    const { ask, tokenOf, controlPlane } = testDoors();
    const token = await tokenOf("approver");
    const put = (reason: string) =>
      ask("PUT", `/v1/configuration?reason=${encodeURIComponent(reason)}`, { token, ...yaml({ "if-match": '"7"' }) });
    expect((await put("back to version 6: 50 % + ä & 404s")).status).toBe(200);
    for (const wrong of ["", "x", "fine\u001b[2Knever mind", "x".repeat(501)]) expect((await put(wrong)).status).toBe(400);
    expect(controlPlane.calls.map(({ input }) => (input as { reason?: string }).reason)).toEqual([
      "back to version 6: 50 % + ä & 404s",
    ]);
  });

  test("is kept in every version, newest first, in pages", async () => {
    const { ask, tokenOf } = testDoors();
    const token = await tokenOf("viewer");
    const about = (version: number) => ({ version, author: "admin", at: 900, lines: ["+ service"] });
    const list = async (query: string) => (await ask("GET", `/v1/configuration/versions${query}`, { token })).json;
    expect(await list("")).toEqual({ versions: [about(7), about(6)], next: null });
    expect(await list("?limit=1")).toEqual({ versions: [about(7)], next: 7 });
    expect(await list("?limit=1&cursor=7")).toEqual({ versions: [about(6)], next: 6 });
    expect(await list("?cursor=6")).toEqual({ versions: [], next: null });
    const one = await ask("GET", "/v1/configuration/versions/6", { token });
    expect([one.status, one.json]).toEqual([200, { ...about(6), text: "regent: 1\n" }]);
    expect((await ask("GET", "/v1/configuration/versions/8", { token })).status).toBe(404);
  });

  test("after its first version has no further page", async () => {
    const first = { version: 1, author: "admin", at: 900, lines: [] };
    const { ask, tokenOf } = testDoors({ configurationVersions: async () => [first] });
    const { json } = await ask("GET", "/v1/configuration/versions?limit=1", { token: await tokenOf("viewer") });
    expect(json).toEqual({ versions: [first], next: null });
  });

  test.each([
    "?limit=101",
    "?limit=0",
    "?cursor=0",
    "?cursor=1e3",
    "?cursor=-1",
    "?all=yes",
    "/0",
    "/1e3",
    "/latest",
    "/9999999999999999",
  ])("isn't looked up at versions%s", async (where) => {
    const { ask, tokenOf } = testDoors();
    expect((await ask("GET", `/v1/configuration/versions${where}`, { token: await tokenOf("viewer") })).status).toBe(400);
  });

  test("isn't there before one is applied", async () => {
    const { ask, tokenOf } = testDoors({ configuration: () => null });
    expect((await ask("GET", "/v1/configuration", { token: await tokenOf("viewer") })).status).toBe(404);
  });

  test.each([{}, { "if-match": "*" }, { "if-match": "7" }, { "if-match": 'W/"7"' }])("isn't applied with %o", async (headers) => {
    const { ask, tokenOf, controlPlane } = testDoors();
    expect(
      (await ask("PUT", "/v1/configuration", { token: await tokenOf("admin"), ...yaml(headers as Record<string, string>) }))
        .status,
    ).toBe(400);
    expect(controlPlane.calls).toEqual([]);
  });

  test("that isn't YAML by its type is refused", async () => {
    const { ask, tokenOf, controlPlane } = testDoors();
    const answer = await ask("POST", "/v1/configuration/plan", { token: await tokenOf("admin"), body: { regent: 1 } });
    expect(answer.status).toBe(400);
    expect(controlPlane.calls).toEqual([]);
  });

  test("with errors answers each with line, path and suggestion", async () => {
    const errors = [{ path: "regions.0", message: "unknown region", line: 4, column: 3, suggestion: "east" }];
    const { ask, tokenOf } = testDoors({
      planConfiguration: async () => ({ kind: "invalid", errors }),
      applyConfiguration: async () => ({ kind: "invalid", errors }),
    });
    const token = await tokenOf("admin");
    for (const answer of [
      await ask("POST", "/v1/configuration/plan", { token, ...yaml() }),
      await ask("PUT", "/v1/configuration", { token, ...yaml({ "if-match": '"7"' }) }),
    ]) {
      expect(answer.status).toBe(422);
      expect(answer.json).toMatchObject({ type: expect.stringMatching(/invalid-configuration$/), errors });
    }
  });

  test("planned on an older version answers 412 with the one in force", async () => {
    const { ask, tokenOf } = testDoors({ applyConfiguration: async () => ({ kind: "stale", version: 9 }) });
    const answer = await ask("PUT", "/v1/configuration", { token: await tokenOf("admin"), ...yaml({ "if-match": '"7"' }) });
    expect(answer.status).toBe(412);
    expect(answer.json).toMatchObject({ type: expect.stringMatching(/stale-configuration$/), version: 9 });
  });
});
