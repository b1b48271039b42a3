/** The environment, read by a person at three in the morning: everything that is wrong, at once, by name. */
import { describe, expect, test } from "vitest";
import { ConfigError, loadConfig } from "./config.ts";

const problems = (env: Record<string, string>): string[] => {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split("\n");
    throw error;
  }
};

describe("the environment", () => {
  test("has defaults that serve one machine, and an empty variable is none", () => {
    const config = loadConfig({ REGENT_HOME: "/tmp/home", REGENT_LISTEN: "", DATABASE_URL: "" });
    expect(config).toMatchObject({
      home: "/tmp/home",
      host: "127.0.0.1",
      port: 7420,
      databaseUrl: null,
      route53: { ratePerSecond: 5, burst: 10, endpoint: null },
      logLevel: "info",
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  test("tells all that is wrong at once, each by its name", () => {
    const told = problems({
      REGENT_LISTEN: "0.0.0.0:7420",
      DATABASE_URL: "mysql://db/regent",
      REGENT_RESOLVERS: "1.1.1.1:53,resolver.example:53",
      REGENT_NAME_SERVERS: "example.com=ns1:53",
      REGENT_ROUTE53_RATE: "fast",
      REGENT_MASTER_KEY: "short",
      LOG_LEVEL: "loud",
    });
    expect(told.map((line) => line.split(":")[0]).sort()).toEqual([
      "DATABASE_URL",
      "LOG_LEVEL",
      "REGENT_LISTEN",
      "REGENT_MASTER_KEY",
      "REGENT_NAME_SERVERS",
      "REGENT_RESOLVERS",
      "REGENT_ROUTE53_RATE",
    ]);
  });

  test("never repeats a secret in what it tells", () => {
    expect(problems({ DATABASE_URL: "http://u:hunter2@db", REGENT_MASTER_KEY: "hunter2" }).join()).not.toContain("hunter2");
  });
});

describe("listening", () => {
  test.each(["127.0.0.1:0", "127.8.8.8:80", "localhost:7420", "[::1]:7420"])("%s is this machine", (REGENT_LISTEN) => {
    expect(problems({ REGENT_LISTEN })).toEqual([]);
  });

  test.each(["0.0.0.0:7420", "[::]:7420", "10.0.0.1:80", "127.example.com:80", "regent.example:80"])(
    "%s is reachable from elsewhere, and needs a proxy that speaks TLS",
    (REGENT_LISTEN) => {
      expect(problems({ REGENT_LISTEN })).toEqual([expect.stringMatching(/^REGENT_LISTEN: .* is reachable from elsewhere/)]);
      expect(problems({ REGENT_LISTEN, REGENT_BEHIND_PROXY: "1" })).toEqual([]);
    },
  );

  test.each(["7420", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:x", "a b:80"])(
    "%s is no address to listen on",
    (REGENT_LISTEN) => {
      expect(problems({ REGENT_LISTEN })).toEqual([expect.stringMatching(/^REGENT_LISTEN: an address/)]);
    },
  );
});

describe("servers to ask", () => {
  test("name servers belong to zones, however the zone is spelled", () => {
    const { nameServers, resolvers } = loadConfig({
      REGENT_NAME_SERVERS: "Example.com.=127.0.0.1:5301, 127.0.0.1:5302 ; other.test=[::1]:53",
      REGENT_RESOLVERS: "127.0.0.1:5300",
    });
    expect(nameServers).toEqual({ "example.com": ["127.0.0.1:5301", "127.0.0.1:5302"], "other.test": ["[::1]:53"] });
    expect(resolvers).toEqual(["127.0.0.1:5300"]);
  });

  test.each([
    ["example.com", /"example.com" is not "zone=ip:port,ip:port"/],
    ["example.com=", /"example.com" is not "zone=/],
    ["example.com=127.0.0.1:0", /"127.0.0.1:0" of zone example.com/],
  ])("%s names none", (REGENT_NAME_SERVERS, told) => {
    expect(problems({ REGENT_NAME_SERVERS })).toEqual([expect.stringMatching(told)]);
  });
});

describe("the budget of Route 53 calls", () => {
  test.each([
    ["5/10", [5, 10]],
    ["0.5/1", [0.5, 1]],
  ])("%s", (REGENT_ROUTE53_RATE, [ratePerSecond, burst]) => {
    expect(loadConfig({ REGENT_ROUTE53_RATE }).route53).toMatchObject({ ratePerSecond, burst });
  });

  test.each(["0/10", "5/0", "0.0/1", "-1/5", "5"])("%s would never send, or isn't one", (REGENT_ROUTE53_RATE) => {
    expect(problems({ REGENT_ROUTE53_RATE })).toEqual([expect.stringMatching(/^REGENT_ROUTE53_RATE/)]);
  });
});

describe("where a test ends the process", () => {
  test.each([
    ["intent", { point: "intent", nth: 1, how: "kill" }],
    ["in-flight:2", { point: "in-flight", nth: 2, how: "kill" }],
    ["before-send:pause", { point: "before-send", nth: 1, how: "pause" }],
    ["answered:3:pause", { point: "answered", nth: 3, how: "pause" }],
  ])("%s", (REGENT_CRASH_AT, order) => {
    expect(loadConfig({ REGENT_CRASH_AT }).crashAt).toEqual(order);
  });

  test("nowhere, unless it is told; and what it doesn't know is an error", () => {
    expect(loadConfig({}).crashAt).toBeNull();
    for (const REGENT_CRASH_AT of ["nowhere", "intent:0", "intent:pause:2", "1"])
      expect(problems({ REGENT_CRASH_AT })).toEqual([expect.stringMatching(/^REGENT_CRASH_AT: one of before-intent/)]);
  });
});

describe("guards and the pool", () => {
  test("are as told; what isn't told is left to its own default", () => {
    const config = loadConfig({
      REGENT_BREAKER_ROUTE53_CHANGE: "5/3/2000",
      REGENT_BREAKER_RESOLVER: "4/1/120000",
      REGENT_DATABASE_POOL: "3/20",
      REGENT_DATABASE_HELD_MS: "2500",
    });
    expect(config.breakers).toEqual({
      change: { failures: 5, successes: 3, openMs: 2_000 },
      resolver: { failures: 4, successes: 1, openMs: 120_000 },
    });
    expect(config.database).toEqual({ pool: { min: 3, max: 20 }, heldMs: 2_500 });
  });

  test.each([
    ["REGENT_BREAKER_ROUTE53_CHANGE", "3/2/30000"],
    ["REGENT_BREAKER_ROUTE53_READ", "3/2/5001"],
    ["REGENT_BREAKER_POSTGRES", "0/2/1000"],
    ["REGENT_BREAKER_POSTGRES", "3/0/1000"],
    ["REGENT_BREAKER_RESOLVER", "3/2/120001"],
    ["REGENT_BREAKER_RESOLVER", "3/2"],
    ["REGENT_DATABASE_POOL", "5/4"],
    ["REGENT_DATABASE_POOL", "0/4"],
    ["REGENT_DATABASE_POOL", "1/201"],
    ["REGENT_DATABASE_CHECK_MS", "99"],
    ["REGENT_DATABASE_SLOW_MS", "1.5"],
    ["REGENT_DATABASE_HELD_MS", "15000"],
  ])("%s=%s is refused: it would keep an emergency waiting, or says nothing", (name, value) => {
    expect(problems({ [name]: value })).toEqual([expect.stringMatching(new RegExp(`^${name}: `))]);
  });
});

test("a canary on port 0 and a pool that the embedded Postgres has no room for are refused by name", () => {
  expect(() => loadConfig({ REGENT_CANARIES: "192.0.2.1:0" })).toThrow(/REGENT_CANARIES: "192.0.2.1:0" is not a "host:port"/);
  expect(() => loadConfig({ REGENT_DATABASE_POOL: "2/49" })).toThrow(
    /REGENT_DATABASE_POOL: the embedded Postgres has room for 48/,
  );
  const own = { REGENT_DATABASE_POOL: "2/200", DATABASE_URL: "postgres://u:p@127.0.0.1/regent" };
  expect(loadConfig(own).database.pool).toEqual({ min: 2, max: 200 });
});
