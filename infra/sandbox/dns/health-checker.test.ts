/** Health checks that really probe, at a hundred times the speed: streaks, inversion, calculation, and DNS answers that follow. */
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createRoute53, type HealthCheckConfig, type Route53 } from "../route53/index.ts";
import { createHealthChecker, type HealthChecker } from "./index.ts";
import { createResponder } from "./name-server.ts";
import { testDecode, testQuery } from "./test-client.ts";

const published = "192.0.2.10";
const SCALE = 200;
const http: HealthCheckConfig = {
  type: "HTTP",
  ipAddress: published,
  port: 80,
  resourcePath: "/health",
  requestInterval: 10,
  failureThreshold: 2,
};

let route53: Route53;
let checker: HealthChecker;
let server: Server;
let answer: { status: number; body: string };
let paths: string[];

beforeEach(async () => {
  answer = { status: 200, body: "fine" };
  paths = [];
  server = createServer((request, response) => {
    paths.push(`${request.headers.host} ${request.url}`);
    response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  route53 = createRoute53({ credentials: [{ accessKeyId: "a", secretAccessKey: "b" }] });
  checker = createHealthChecker({
    store: route53.store,
    timeScale: SCALE,
    addressMap: { [`${published}:80`]: `127.0.0.1:${(server.address() as AddressInfo).port}` },
  });
});
afterEach(async () => {
  checker.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await route53.close();
});

const add = (config: HealthCheckConfig): string => {
  const check = route53.store.createHealthCheck(Math.random().toString(36), config);
  if ("kind" in check) throw new Error(check.kind);
  return check.id;
};
const isHealthy = (id: string): boolean => route53.store.health.isHealthy(id);
const change = (id: string, config: Partial<HealthCheckConfig>): void => {
  const check = route53.store.healthCheck(id)!;
  route53.store.updateHealthCheck({ ...check, version: check.version + 1, config: { ...check.config, ...config } });
};
const until = (condition: () => boolean): Promise<void> => expect.poll(condition, { timeout: 4_000, interval: 5 }).toBe(true);
const reportsOf = (id: string) => route53.store.health.reports(id);
const allReported = (id: string): Promise<void> => until(() => reportsOf(id).length === 3);

describe("a new check", () => {
  test("is healthy until there is data, and an inverted one unhealthy", () => {
    expect([isHealthy(add(http)), isHealthy(add({ ...http, inverted: true }))]).toEqual([true, false]);
  });
  test("is probed by three checkers, as it says", async () => {
    const id = add({ ...http, fullyQualifiedDomainName: "api.example.test" });
    await allReported(id);
    expect(new Set(reportsOf(id).map((report) => report.region)).size).toBe(3);
    expect(reportsOf(id).every((report) => report.text === "Success: HTTP Status Code 200, OK")).toBe(true);
    expect(paths[0]).toBe("api.example.test /health");
  });
});

describe("health", () => {
  test("falls when the endpoint fails as often in a row as asked, and comes back the same way", async () => {
    const id = add(http);
    await allReported(id);
    answer = { status: 503, body: "" };
    await until(() => !isHealthy(id));
    expect(reportsOf(id).some((report) => report.text.startsWith("Failure: HTTP Status Code 503"))).toBe(true);
    answer = { status: 302, body: "" };
    await until(() => isHealthy(id));
  });
  test("falls no sooner than every checker saw as many failures as asked", async () => {
    const id = add({ ...http, failureThreshold: 5 });
    await allReported(id);
    answer = { status: 500, body: "" };
    const before = paths.length;
    await until(() => !isHealthy(id));
    expect(paths.length - before).toBeGreaterThanOrEqual(3 * 5);
  });
  test("starts anew when the check gets another target, and only then", async () => {
    const id = add(http);
    await allReported(id);
    change(id, { failureThreshold: 3 });
    expect(reportsOf(id)).toHaveLength(3);
    change(id, { resourcePath: "/other" });
    expect(reportsOf(id)).toEqual([]);
    await allReported(id);
    expect(paths.at(-1)).toBe(`${published} /other`);
  });
  test("of an address that leads nowhere fails, and of one that does again passes", async () => {
    const id = add({ ...http, ipAddress: "192.0.2.99" });
    await until(() => !isHealthy(id));
    checker.setAddress("192.0.2.99:80", `127.0.0.1:${(server.address() as AddressInfo).port}`);
    await until(() => isHealthy(id));
  });
  test("of a string match depends on the first bytes of the body", async () => {
    const id = add({ ...http, type: "HTTP_STR_MATCH", searchString: "fine" });
    await allReported(id);
    expect(isHealthy(id)).toBe(true);
    answer = { status: 200, body: `${"x".repeat(5_200)}fine` };
    await until(() => !isHealthy(id));
  });
  test("of TCP needs a connection only", async () => {
    const tcp = createTcpServer((socket) => socket.on("error", () => {}));
    await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
    checker.setAddress(`${published}:5432`, `127.0.0.1:${(tcp.address() as AddressInfo).port}`);
    const id = add({ type: "TCP", ipAddress: published, port: 5432, requestInterval: 10, failureThreshold: 1 });
    await allReported(id);
    expect(isHealthy(id)).toBe(true);
    await new Promise((resolve) => tcp.close(resolve));
    await until(() => !isHealthy(id));
  });
  test("of an endpoint that accepts and never answers fails", async () => {
    const silent = createTcpServer((socket) => socket.on("error", () => {}).resume());
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    checker.setAddress(`${published}:81`, `127.0.0.1:${(silent.address() as AddressInfo).port}`);
    const id = add({ ...http, port: 81, failureThreshold: 1 });
    await until(() => !isHealthy(id));
    expect(reportsOf(id)[0]?.text).toMatch(/^Failure: The endpoint did not respond/);
    checker.close();
    await new Promise((resolve) => silent.close(resolve));
  });
  test("is turned round by Inverted, and fixed by Disabled before that", async () => {
    const id = add(http);
    answer = { status: 500, body: "" };
    await until(() => !isHealthy(id));
    change(id, { inverted: true });
    expect(isHealthy(id)).toBe(true);
    change(id, { disabled: true });
    expect(isHealthy(id)).toBe(false);
    change(id, { inverted: false });
    expect(isHealthy(id)).toBe(true);
  });
  test("of a calculated check counts its children after their inversion", async () => {
    const good = add(http);
    const flipped = add({ ...http, inverted: true });
    const calculated = (healthThreshold: number): string =>
      add({ type: "CALCULATED", healthThreshold, childHealthChecks: [good, flipped] });
    await allReported(good);
    await allReported(flipped);
    expect([0, 1, 2, 3].map((threshold) => isHealthy(calculated(threshold)))).toEqual([true, true, false, false]);
  });
});

describe("a weighted family with checks", () => {
  test("leaves a dead primary for its weight 0 standby without any API call", async () => {
    const id = add(http);
    await allReported(id);
    const created = route53.store.createZone({ name: "example.test.", callerReference: "z" });
    if (created.kind !== "created") throw new Error(created.kind);
    const base = { name: "api.example.test.", type: "A" as const, ttl: 5 };
    route53.setPropagation({ minMs: 0, maxMs: 0 });
    route53.store.change(created.zone.head.id, {
      changes: [
        { action: "CREATE", set: { ...base, setIdentifier: "eu", weight: 255, values: [published], healthCheckId: id } },
        { action: "CREATE", set: { ...base, setIdentifier: "us", weight: 0, values: ["192.0.2.20"] } },
      ],
    });
    const respond = createResponder({ store: route53.store, health: route53.store.health, random: Math.random, viewer: {} }, 0);
    const ask = (): readonly string[] => testDecode(respond(testQuery({ name: "api.example.test" }), "udp")!).data;
    expect(ask()).toEqual([published]);
    answer = { status: 500, body: "" };
    await until(() => ask()[0] === "192.0.2.20");
    answer = { status: 200, body: "" };
    await until(() => ask()[0] === published);
  });
});
