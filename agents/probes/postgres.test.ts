import { PostgresProbe } from "@regent/contract";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ProbeResult } from "../core/probe-result.ts";
import { isFor, probePostgres } from "./postgres.ts";
import { judgeServerError, judgeState, type PostgresState } from "./postgres-judgement.ts";
import { readFirstAnswer } from "./postgres-wire.ts";
import type { ProbeDeps } from "./probe-deps.ts";
import { type TestPostgres, testPostgres, testStandby } from "./testing/postgres.ts";
import { refusingAddress, serveTcp, type TestServer } from "./testing/servers.ts";

const PASSWORD = "probe-secret";
let primary: TestPostgres;
let standby: TestPostgres;

beforeAll(async () => {
  primary = await testPostgres(["-c", "max_connections=12", "-c", "superuser_reserved_connections=3"]);
  await primary.query(`CREATE ROLE probe LOGIN PASSWORD '${PASSWORD}'`);
  await primary.query(`CREATE ROLE single LOGIN PASSWORD '${PASSWORD}' CONNECTION LIMIT 1`);
  await primary.halt();
  standby = await testStandby(primary);
  await primary.start();
  await standby.start();
});
afterAll(async () => {
  await standby?.remove();
  await primary?.remove();
});

const open: TestServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

const depsWith = (hosts: readonly string[], more: { user?: string; password?: string } = {}): ProbeDeps => ({
  dial: { allowLoopback: true, allowPrivate: true, connectTo: {} },
  secrets: new Map([["main", { user: "probe", password: PASSWORD, hosts, ...more }]]),
  ca: [],
});
const ask = (address: string, more: object = {}, deps = depsWith(["127.0.0.1"]), deadlineMs = 2_000): Promise<ProbeResult> =>
  probePostgres(PostgresProbe.parse({ kind: "postgres", address, tls: "off", ...more }), deps, deadlineMs);
const withSecret = { secret: "main" };
const short = ({ outcome, reason }: ProbeResult): string => [outcome, reason].join(" ").trim();

describe("postgres probe with a secret", () => {
  it("passes a writable primary and says what it saw", async () => {
    const result = await ask(primary.address, { ...withSecret, role: "writable" });
    expect(result).toMatchObject({ outcome: "ok", facts: { role: "primary", readOnly: false, connectionsMax: 9 } });
    expect(result.facts?.lsn).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
    expect(result.facts?.backends).toBeGreaterThan(0);
  });

  it("leaves no connection behind", async () => {
    await Promise.all([1, 2, 3].map(() => ask(primary.address, withSecret)));
    await expect
      .poll(async () => (await primary.query("SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = 'probe'"))[0]?.n)
      .toBe(0);
  });

  it("fails a primary that was made read-only, but not one whose probe role is declared read-only", async () => {
    const writable = { ...withSecret, role: "writable" };
    await primary.query("ALTER SYSTEM SET default_transaction_read_only = on");
    await primary.query("SELECT pg_reload_conf()");
    try {
      await expect.poll(async () => short(await ask(primary.address, writable))).toBe("fail db_readonly");
      expect(short(await ask(primary.address, withSecret))).toBe("ok");
    } finally {
      await primary
        .query("SET transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only")
        .catch(() => undefined);
      await reset(primary);
    }
    await expect.poll(async () => short(await ask(primary.address, writable))).toBe("ok");
    await primary.query("ALTER ROLE probe SET default_transaction_read_only = on");
    expect(short(await ask(primary.address, writable))).toBe("ok");
    await primary.query("ALTER ROLE probe RESET default_transaction_read_only");
  });

  it("says unknown, db_auth, for a wrong password: our problem, not the database's", async () => {
    expect(short(await ask(primary.address, withSecret, depsWith(["127.0.0.1"], { password: "wrong" })))).toBe("unknown db_auth");
    expect(short(await ask(primary.address, withSecret, depsWith(["127.0.0.1"], { user: "nobody" })))).toBe("unknown db_auth");
  });

  it("tells a full server from our own role's limit", async () => {
    const hold = async (user: string, count: number): Promise<() => Promise<void>> => {
      const clients = Array.from({ length: count }, () => {
        const client = new pg.Client({ host: "127.0.0.1", port: primary.port, user, password: PASSWORD, database: "postgres" });
        client.on("error", () => undefined);
        return client;
      });
      await Promise.all(clients.map((client) => client.connect()));
      return async () => {
        await Promise.all(clients.map((client) => client.end()));
      };
    };
    const freeOne = await hold("single", 1);
    expect(short(await ask(primary.address, withSecret, depsWith(["127.0.0.1"], { user: "single" })))).toBe("unknown probe_bug");
    const freeAll = await hold("probe", 8);
    expect(short(await ask(primary.address, withSecret))).toBe("fail db_saturated");
    await freeAll();
    await freeOne();
    await expect.poll(async () => short(await ask(primary.address, withSecret))).toBe("ok");
  });

  it("fails for a database that doesn't exist", async () => {
    expect(await ask(primary.address, { ...withSecret, database: "nowhere" })).toMatchObject({
      reason: "db_error",
      facts: { code: "3D000" },
    });
  });

  it("knows a standby, passes it while it streams, and fails it where a writable server is wanted", async () => {
    await expect.poll(async () => (await ask(standby.address, withSecret)).facts?.walReceivers, { timeout: 10_000 }).toBe(1);
    expect(short(await ask(standby.address, { ...withSecret, role: "writable" }))).toBe("fail db_wrong_role");
    expect(short(await ask(primary.address, { ...withSecret, role: "standby" }))).toBe("fail db_wrong_role");
    await expect
      .poll(() => ask(standby.address, { ...withSecret, role: "standby", lagMaxSeconds: 5 }))
      .toMatchObject({ outcome: "ok", facts: { role: "standby", readOnly: true, lagSeconds: 0 } });
  });

  it("does not call a standby current whose primary is gone, though all that it received is replayed", async () => {
    await primary.query("CREATE TABLE IF NOT EXISTS moved (at timestamptz); INSERT INTO moved VALUES (now())");
    await primary.halt();
    try {
      const wanted = { ...withSecret, role: "standby", lagMaxSeconds: 3_600 };
      await expect
        .poll(async () => short(await ask(standby.address, wanted)), { timeout: 10_000 })
        .toBe("degraded db_replica_disconnected");
      const result = await ask(standby.address, { ...wanted, lagMaxSeconds: 1 });
      expect(result.facts).toMatchObject({ replayGapBytes: 0, walReceivers: 0, lagSeconds: null });
      await expect
        .poll(async () => short(await ask(standby.address, { ...wanted, lagMaxSeconds: 1 })), { timeout: 5_000 })
        .toBe("fail db_replica_disconnected");
      expect(short(await ask(primary.address, withSecret))).toBe("fail tcp_refused");
    } finally {
      await primary.start();
    }
  });
});

/** A read-only default also binds the session that would undo it. */
const reset = async (server: TestPostgres): Promise<void> => {
  const client = new pg.Client({
    host: "127.0.0.1",
    port: server.port,
    database: "postgres",
    ...server.superuser,
    options: "-c default_transaction_read_only=off",
  });
  await client.connect();
  await client.query("ALTER SYSTEM RESET default_transaction_read_only");
  await client.query("SELECT pg_reload_conf()");
  await client.end();
};

describe("postgres probe's secret", () => {
  const eavesdrop = async (answer: Buffer): Promise<{ address: string; heard: () => Buffer; ended: () => boolean }> => {
    let heard = Buffer.alloc(0);
    let ended = false;
    const server = await serveTcp((socket) => {
      socket.once("data", () => socket.write(answer));
      socket.once("close", () => {
        ended = true;
      });
      socket.on("data", (chunk: Buffer) => {
        heard = Buffer.concat([heard, chunk]);
      });
    });
    open.push(server);
    return { address: server.address, heard: () => heard, ended: () => ended };
  };

  it("is never sent to a host that it doesn't name", async () => {
    const { address, heard } = await eavesdrop(Buffer.alloc(0));
    const result = await ask(address, withSecret, depsWith(["db.example.com", "127.0.0.1:1"]));
    expect(result).toMatchObject({ outcome: "unknown", reason: "blocked", facts: { why: "secret-not-for-host" } });
    expect(heard().length).toBe(0);
  });

  it("is never sent in clear text or as md5", async () => {
    const clear = await eavesdrop(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
    const md5 = await eavesdrop(Buffer.from([0x52, 0, 0, 0, 12, 0, 0, 0, 5, 1, 2, 3, 4]));
    for (const { address, heard, ended } of [clear, md5]) {
      const result = await ask(address, withSecret, depsWith(["127.0.0.1"]), 500);
      expect(result).toMatchObject({ outcome: "unknown", reason: "blocked", facts: { why: "weak-password-request" } });
      await expect.poll(ended).toBe(true);
      // The startup message says its own length; a password message would come after it.
      expect(heard().length).toBe(heard().readInt32BE(0));
    }
  });

  it("is not sent without the TLS that the check wants", async () => {
    const { address, heard } = await eavesdrop(Buffer.from("N"));
    expect(short(await ask(address, { ...withSecret, tls: "verify-full" }, depsWith(["127.0.0.1"]), 500))).toBe(
      "fail tls_handshake",
    );
    expect(heard().includes(Buffer.from("probe"))).toBe(false);
  });

  it("isn't given to a server that sends without end, and what it sends isn't kept", async () => {
    const endless = Buffer.alloc(1024 * 1024, 0x52);
    endless.writeInt32BE(0x7fff_ffff, 1);
    let sent = 0;
    const server = await serveTcp((socket) => {
      const send = (): void => {
        do sent += endless.length;
        while (socket.write(endless));
      };
      socket.once("data", send);
      socket.on("drain", send);
    });
    open.push(server);
    const result = await ask(server.address, withSecret, depsWith(["127.0.0.1"]));
    expect(result).toMatchObject({ outcome: "fail", reason: "db_error", facts: { why: "answer-too-large" } });
    expect(sent).toBeLessThan(64 * endless.length);
  });

  it("says db_auth when this agent doesn't hold it", async () => {
    expect(await ask(primary.address, { secret: "other" })).toMatchObject({
      reason: "db_auth",
      facts: { why: "secret-missing" },
    });
  });

  it.each<[string, string, boolean]>([
    ["db.example.com:5432", "db.example.com", true],
    ["db.example.com:5432", "DB.example.com:5432", true],
    ["db.example.com:5433", "db.example.com:5432", false],
    ["evil.example.com:5432", "example.com", false],
    ["[2001:db8::1]:5432", "2001:db8::1", true],
  ])("for %s with host %s: %s", (address, host, expected) => {
    expect(isFor({ hosts: [host] }, address)).toBe(expected);
  });
});

describe("postgres probe without a secret", () => {
  it("passes a server that accepts connections, primary or standby, with any password method", async () => {
    expect(short(await ask(primary.address))).toBe("ok");
    expect(short(await ask(standby.address))).toBe("ok");
  });

  it("tells refused, hanging, starting, full and foreign apart", async () => {
    const error = (code: string, message: string): Buffer => {
      const fields = Buffer.from(`SFATAL\0C${code}\0M${message}\0\0`);
      const head = Buffer.from([0x45, 0, 0, 0, 0]);
      head.writeInt32BE(fields.length + 4, 1);
      return Buffer.concat([head, fields]);
    };
    const serve = async (answer: Buffer): Promise<string> => {
      const server = await serveTcp((socket) => socket.once("data", () => socket.write(answer)));
      open.push(server);
      return server.address;
    };
    const results = [
      await ask(await refusingAddress()),
      await ask(await serve(Buffer.alloc(0)), {}, undefined, 100),
      await ask(await serve(error("57P03", "the database system is starting up"))),
      await ask(await serve(error("53300", "sorry, too many clients already"))),
      await ask(await serve(error("28000", "no pg_hba.conf entry"))),
      await ask(await serve(Buffer.from("HTTP/1.1 400 Bad Request"))),
    ];
    expect(results.map(short)).toEqual([
      "fail tcp_refused",
      "fail db_query_timeout",
      "fail db_starting",
      "fail db_saturated",
      "ok",
      "fail db_error",
    ]);
  });

  it("reads an answer that comes in pieces", () => {
    const whole = Buffer.concat([Buffer.from([0x45, 0, 0, 0, 12]), Buffer.from("C57P03\0\0")]);
    expect(readFirstAnswer(whole.subarray(0, 7))).toEqual({ kind: "incomplete" });
    expect(readFirstAnswer(whole)).toEqual({ kind: "error", code: "57P03", message: "" });
    expect(readFirstAnswer(Buffer.from([0x45, 0x7f, 0xff, 0xff, 0xff])).kind).toBe("foreign");
  });
});

describe("postgres judgement", () => {
  const state = (more: Partial<PostgresState>): PostgresState => ({
    in_recovery: true,
    tx_read_only: true,
    read_only_by_role: false,
    uptime_s: 100,
    backends: 3,
    max_connections: 100,
    reserved: 3,
    replay_gap_bytes: 0,
    last_replayed_age_s: 1,
    wal_receivers: 1,
    lsn: "0/1",
    ...more,
  });
  it.each<[string, Partial<PostgresState>, object, string]>([
    ["streaming, all replayed, idle primary", { last_replayed_age_s: 9_999 }, { role: "standby", lagMaxSeconds: 30 }, "ok"],
    [
      "streaming, behind, young",
      { replay_gap_bytes: 1e6, last_replayed_age_s: 10 },
      { role: "standby", lagMaxSeconds: 30 },
      "ok",
    ],
    [
      "streaming, behind, old",
      { replay_gap_bytes: 1e6, last_replayed_age_s: 31 },
      { role: "standby", lagMaxSeconds: 30 },
      "fail db_lag",
    ],
    ["streaming, behind, no bound declared", { replay_gap_bytes: 1e6, last_replayed_age_s: 31 }, { role: "standby" }, "ok"],
    [
      "cut off, within the bound",
      { wal_receivers: 0, last_replayed_age_s: 10 },
      { role: "standby", lagMaxSeconds: 30 },
      "degraded db_replica_disconnected",
    ],
    [
      "cut off, beyond the bound",
      { wal_receivers: 0, last_replayed_age_s: 31 },
      { role: "standby", lagMaxSeconds: 30 },
      "fail db_replica_disconnected",
    ],
    [
      "cut off, nothing ever replayed",
      { wal_receivers: 0, last_replayed_age_s: null },
      { role: "standby", lagMaxSeconds: 30 },
      "fail db_replica_disconnected",
    ],
    [
      "cut off, any role, with a bound",
      { wal_receivers: 0, last_replayed_age_s: 31 },
      { role: "any", lagMaxSeconds: 30 },
      "fail db_replica_disconnected",
    ],
    ["cut off, any role", { wal_receivers: 0 }, { role: "any" }, "ok"],
  ])("%s", (_, more, probe, expected) => {
    const finding = judgeState(state(more), probe as PostgresProbe);
    expect([finding.outcome, "reason" in finding ? finding.reason : ""].join(" ").trim()).toBe(expected);
  });

  it.each([
    ["53300", 'too many connections for role "probe"', "unknown probe_bug"],
    ["53300", "sorry, too many clients already", "fail db_saturated"],
    ["53300", "remaining connection slots are reserved for roles with the SUPERUSER attribute", "fail db_saturated"],
    ["53300", 'too many connections for database "shop"', "fail db_saturated"],
    ["28P01", "password authentication failed", "unknown db_auth"],
    ["57P03", "the database system is starting up", "fail db_starting"],
    ["57014", "canceling statement due to statement timeout", "fail db_query_timeout"],
    ["XX000", "internal", "fail db_error"],
  ])("%s %s: %s", (code, message, expected) => {
    const { outcome, reason } = judgeServerError({ code, message });
    expect(`${outcome} ${reason}`).toBe(expected);
  });
});
