/** The example hook (docs/example/hooks) as its reader would run it, between two real databases of which one streams to the other. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HOOK_ROLE, REGION_DATABASE } from "./regions/region-config.ts";
import { type HookCall, startTestHook, type TestHook } from "./testing/hook.ts";
import { testUntil } from "./testing/observe.ts";
import { type Half, PRIMARY, STANDBY, startTestPair, TEST_HOOK_PASSWORD, type TestPair } from "./testing/pair.ts";

const FIRST = "01JD8Z0000000000000000000A";
const SECOND = "01JD8Z0000000000000000000B";
const there: HookCall = { transfer: FIRST, from: PRIMARY, to: STANDBY };
const back: HookCall = { transfer: SECOND, from: STANDBY, to: PRIMARY };

let folder: string;
let pair: TestPair;
let hook: TestHook;

const startHook = (): Promise<TestHook> => {
  const url = (half: Half): string =>
    `postgres://${HOOK_ROLE}:${TEST_HOOK_PASSWORD}@127.0.0.1:${pair.hookPort(half)}/${REGION_DATABASE}`;
  return startTestHook(folder, { [PRIMARY]: url(PRIMARY), [STANDBY]: url(STANDBY) });
};

const roleOf = async (half: Half): Promise<unknown> => {
  const seen = await pair.attempt(
    half,
    "SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' WHEN current_setting('transaction_read_only')::bool THEN 'fenced' ELSE 'writable' END AS role",
  );
  return typeof seen === "string" ? seen : seen.role;
};
const roles = async (): Promise<readonly unknown[]> => Promise.all([roleOf(PRIMARY), roleOf(STANDBY)]);

const timelineOf = async (half: Half): Promise<unknown> =>
  (await pair.ask(half, "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline")).timeline;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sandbox-hook-"));
  pair = await startTestPair();
  await pair.ask(PRIMARY, "CREATE TABLE note (text text)");
  await pair.untilStreams(STANDBY);
  hook = await startHook();
}, 60_000);

afterAll(async () => {
  await hook?.kill();
  await pair?.close();
  await rm(folder, { recursive: true, force: true });
});

describe("a call that is not to be followed moves nothing", () => {
  test.each<[string, Partial<HookCall>, number]>([
    ["signed with another key", { key: Buffer.alloc(32, "other") }, 401],
    ["six minutes old", { sentAt: new Date(Date.now() - 360_000) }, 401],
    ["six minutes early", { sentAt: new Date(Date.now() + 360_000) }, 401],
    ["signed for another id", { webhookId: SECOND }, 400],
    ["of a type that isn't known", { type: "regent.transfer.undo" }, 400],
  ])("%s", async (_, changed, status) => {
    expect(await hook.call({ ...there, ...changed })).toMatchObject({ status });
    expect(await roles()).toEqual(["writable", "standby"]);
  });

  test.each<[string, Partial<HookCall>, string]>([
    ["its deadline is over", { deadline: new Date(Date.now() - 1) }, "deadline is over"],
    ["a region that it has no database of", { to: "ap-south" }, "no database is known in ap-south"],
    ["a word that every object has", { to: "constructor" }, "no database is known in constructor"],
  ])("%s", async (_, changed, why) => {
    const refused = { state: "refused", fenced: null, why: expect.stringContaining(why) };
    expect(await hook.call({ ...there, ...changed })).toEqual({ status: 200, body: refused });
    expect(await roles()).toEqual(["writable", "standby"]);
  });

  test("a standby that can't be reached: tried again, and the primary isn't fenced for nothing", async () => {
    await pair.client(STANDBY).break({ fault: "database-down", mode: "fast" });
    expect(await hook.call(there)).toMatchObject({ status: 503, body: { why: expect.stringContaining("can't be reached") } });
    expect(await roleOf(PRIMARY)).toBe("writable");
    await pair.client(STANDBY).mend({});
    await pair.untilStreams(STANDBY);
  }, 20_000);
});

describe("while both live", () => {
  test("the old one is fenced, the new one has every row and takes writes; doubles in between and afterwards promote once", async () => {
    await pair.ask(PRIMARY, "INSERT INTO note VALUES ('the last before the move')");
    const [one, other] = await Promise.all([hook.call(there), hook.call(there)]);
    expect([one, other]).toEqual(Array(2).fill({ status: 200, body: { state: "promoted", fenced: true } }));
    expect(await roles()).toEqual(["fenced", "writable"]);
    expect(await pair.attempt(PRIMARY, "INSERT INTO note VALUES ('too late')")).toBe("25006");
    expect(await pair.ask(STANDBY, "SELECT text FROM note")).toEqual({ text: "the last before the move" });
    const promotedOnce = await timelineOf(STANDBY);
    expect(await hook.call(there)).toEqual({ status: 200, body: { state: "promoted", fenced: true } });
    expect(await timelineOf(STANDBY)).toBe(promotedOnce);
  }, 20_000);

  test("a fenced primary is no standby: it is refused, and rebuilt first", async () => {
    expect(await hook.call(back)).toMatchObject({ body: { state: "refused", why: expect.stringContaining("rebuild it first") } });
    expect(await roles()).toEqual(["fenced", "writable"]);
    expect(await pair.client(PRIMARY).rebuildStandby()).toMatchObject({ kind: "answered" });
    await pair.untilStreams(PRIMARY);
  }, 20_000);
});

describe("while the old one is gone", () => {
  test("a hook that is killed in the middle goes on where the databases are, and says that nothing was fenced", async () => {
    await pair.client(STANDBY).break({ fault: "dead" });
    const interrupted = hook.call(back).catch(() => undefined);
    await hook.kill();
    await interrupted;
    hook = await startHook();
    expect(await hook.call(back)).toEqual({ status: 200, body: { state: "promoted", fenced: false } });
    expect(await roleOf(PRIMARY)).toBe("writable");
    expect(await pair.ask(PRIMARY, "SELECT text FROM note")).toEqual({ text: "the last before the move" });
  }, 20_000);

  test("it is fenced when it comes back, and the one that was promoted last is left alone", async () => {
    await pair.client(STANDBY).mend({});
    await testUntil(roles, ([first, second]) => first === "writable" && second === "fenced", 10_000);
    await testUntil(hook.log, (said) => said.includes("came back after another one was promoted"));
  }, 20_000);

  test("a late double of what is done promotes nothing, whatever has become of the databases", async () => {
    await pair.client(STANDBY).rebuildStandby();
    await pair.untilStreams(STANDBY);
    expect(await hook.call(back)).toEqual({ status: 200, body: { state: "promoted", fenced: false } });
    expect(await roles()).toEqual(["writable", "standby"]);
  }, 20_000);
});

test("nothing that it said holds a password", () => {
  expect(hook.log()).not.toContain(TEST_HOOK_PASSWORD);
});
