/**
 * A service whose data has one writable place, end to end: real server, agents, DNS answers, two real Postgres of which one streams to the other, and
 * the example hook. One `regent up --stateful` serves all; each scenario begins with eu-west writable and us-east streaming from it.
 */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Approval, HistoryEvent, TransferState } from "@regent/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Ledger, openLedger, startIdleHook } from "../testing/ledger.ts";
import { answered, startUp, type UpHarness } from "../testing/up-harness.ts";
import { isAlive } from "../up/state.ts";
import { hasClocksInOrder } from "./timing.ts";

/** Fault to the new region's answers: detection and hold of profile sandbox, a lease of 2 s, a promotion, agents' sight of it, and DNS. */
const FOLLOWED_MS_MAX = 30_000;
/** Lease and `prepareSeconds` of the sandbox's ledger, and a look. */
const PREPARED_MS_MAX = 50_000;
/**
 * Sixty seconds in profile `standard` are twelve of its probe intervals, and longer than both bounds that the judgement has there: lag (10 s) and how far
 * apart two probes may see one fault (7 s). Twelve intervals of profile `sandbox` are 12 s, and its bounds are 5 s and 1.8 s.
 * REGENT_CUT_SECONDS=60 takes a minute all the same.
 */
const CUT_BEFORE_MS = Number(process.env.REGENT_CUT_SECONDS ?? 12) * 1_000;

let up: UpHarness;
let ledger: Ledger;

beforeAll(async () => {
  up = await startUp({ args: ["--stateful"] });
  ledger = await openLedger(up.home);
}, 120_000);

afterAll(async () => {
  const pids = (await up.state()).parts.flatMap(({ pid }) => (pid === null ? [] : [pid]));
  await up.stop();
  expect(pids.filter(isAlive)).toEqual([]);
}, 30_000);

const transfer = async (): Promise<TransferState | undefined> => {
  const answer = await up.client.transfers();
  if (answer.kind !== "ok") throw new Error(`no transfers: ${answer.kind}`);
  return answer.value.transfers.find(({ service }) => service === "ledger");
};

const transfersTold = async (id: string): Promise<readonly HistoryEvent[]> =>
  (await up.history("ledger"))
    .filter(({ kind, detail }) => kind === "transfer" && (detail.transfer as TransferState | undefined)?.id === id)
    .reverse();

const phaseOf = ({ detail }: HistoryEvent): string => (detail.transfer as TransferState).phase;

const servedBy = (region: string, withinMs = FOLLOWED_MS_MAX): Promise<unknown> =>
  up.until(
    `ledger answers ${region} alone`,
    () => up.answers("ledger", 40),
    (parts) => parts[region] === 1,
    withinMs,
  );

const healthy = (): Promise<unknown> =>
  up.until(
    "both regions of ledger are healthy",
    async () => (await up.service("ledger")).regions.map(({ verdict }) => verdict),
    (verdicts) => verdicts.every((verdict) => verdict === "healthy"),
    40_000,
  );

const untilRoles = (what: string, wanted: readonly [string, string], withinMs = 20_000): Promise<unknown> =>
  up.until(
    what,
    () => ledger.roles(),
    (roles) => roles["eu-west"] === wanted[0] && roles["us-east"] === wanted[1],
    withinMs,
  );

const untilStreams = (half: "eu-west" | "us-east"): Promise<unknown> =>
  up.until(
    `${half} streams`,
    () => ledger.streams(half),
    (streams) => streams,
    20_000,
  );

const killRegion = async (): Promise<number> => {
  const at = Date.now();
  answered(await up.sandbox.breakRegion("eu-west", { fault: "dead", agents: true }));
  return at;
};

/** A transfer that began since, in this phase or beyond. */
const untilTransfer = async (since: number, phases: readonly string[], withinMs: number): Promise<TransferState> =>
  (await up.until(
    `a transfer is in ${phases.join(" or ")}`,
    transfer,
    (one) => one !== undefined && one.startedAt >= since && phases.includes(one.phase),
    withinMs,
  )) as TransferState;

/** The one that lies here comes back as a standby of the other, and gets role and traffic again. */
const restore = async (): Promise<void> => {
  answered(await up.sandbox.mendEverything());
  const roles = await ledger.roles();
  if (roles["us-east"] === "writable") {
    await untilRoles("the old primary is fenced", ["fenced", "writable"]);
    answered(await up.sandbox.rebuildStandby("eu-west"));
    await untilStreams("eu-west");
    await healthy();
    // Not before its agents have seen it stream.
    await up.until(
      "going back is accepted",
      () => up.client.failback("ledger", { reason: "back to the beginning for the next test" }),
      (answer) => answer.kind === "ok" && answer.value.allowed,
      20_000,
    );
    await servedBy("eu-west");
    await untilRoles("eu-west has the role again", ["writable", "fenced"]);
    expect(await up.regent("sandbox", "rebuild-standby", "us-east")).toMatchObject({ code: 0, err: "" });
  }
  await untilRoles("eu-west writes", ["writable", "standby"]);
  await up.until(
    "agents have seen us-east stream",
    async () => JSON.stringify(await up.client.explain("ledger")),
    (explained) => explained.includes("us-east is a standby, replication connected"),
    20_000,
  );
  await healthy();
  await servedBy("eu-west");
  await up.until(
    "no transfer is under way",
    transfer,
    (one) => one === undefined || one.phase === "done" || one.phase === "stopped",
    20_000,
  );
};

beforeEach(restore, 150_000);

const replicated = (note: string): Promise<unknown> =>
  up.until(
    `${note} is replicated`,
    () => ledger.notes("us-east"),
    (notes) => notes.includes(note),
    10_000,
  );

test("a home that was made without a pair is not given one behind its owner's back", async () => {
  const home = await mkdtemp(join(tmpdir(), "up-e2e-"));
  try {
    await writeFile(join(home, "regent.yaml"), "regent: 1\n");
    await expect(startUp({ home, args: ["--stateful"] })).rejects.toThrow("was made without a pair of databases: add --fresh");
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}, 30_000);

describe("the region of the writable database dies", () => {
  test("the hook promotes the real standby, traffic waits until agents see it write, and history has every phase with its time", async () => {
    await ledger.write("eu-west", "before the fault");
    await replicated("before the fault");
    const since = await killRegion();
    await up.until(
      "ledger answers us-east alone",
      async () => {
        const parts = await up.answers("ledger", 40);
        // Asked after the answers came: whoever is sent there could write by then.
        if ((parts["us-east"] ?? 0) > 0) expect(await ledger.role("us-east")).toBe("writable");
        return parts;
      },
      (parts) => parts["us-east"] === 1,
      FOLLOWED_MS_MAX,
    );
    const { id, hook } = await untilTransfer(since, ["done"], 20_000);
    expect(hook).toMatchObject({ answer: "promoted", fenced: false });
    const told = await transfersTold(id);
    expect([...new Set(told.map(phaseOf))]).toEqual(["prepare", "role", "switch", "verify", "done"]);
    const times = told.map(({ at }) => at);
    expect(times).toEqual([...times].sort((a, b) => a - b));

    const change = await up.until(
      "the change is followed to its end",
      async () => (await up.changes("ledger")).find(({ times, kind }) => kind === "failover" && times.decided >= since),
      (found) => found !== undefined && hasClocksInOrder(found),
      20_000,
    );
    const switchedAt = told.find((event) => phaseOf(event) === "switch")?.at ?? Number.POSITIVE_INFINITY;
    expect(change?.times.accepted).toBeGreaterThanOrEqual(switchedAt);
    expect(await ledger.notes("us-east")).toContain("before the fault");
    await ledger.write("us-east", "after it");
  }, 90_000);

  test("what comes back is fenced, gets no traffic, and isn't gone back to before it streams again", async () => {
    await killRegion();
    await servedBy("us-east");
    answered(await up.sandbox.mendEverything());
    await untilRoles("the old primary is fenced", ["fenced", "writable"]);
    await healthy();
    const refused = await up.client.failback("ledger", { reason: "too early" });
    expect(refused.kind).not.toBe("ok");
    expect(JSON.stringify(refused)).toContain("eu-west is a primary that refuses writes");
    expect(await up.answers("ledger", 40)).toEqual({ "us-east": 1 });
    expect(await ledger.roles()).toEqual({ "eu-west": "fenced", "us-east": "writable" });
  }, 120_000);
});

test("with replication cut long before the fault it stops and asks a person, with the numbers", async () => {
  const cutAt = Date.now();
  expect(await up.regent("sandbox", "break", "us-east", "replication-cut")).toMatchObject({ code: 0, err: "" });
  await up.until(
    "us-east sees it",
    () => ledger.streams("us-east"),
    (streams) => !streams,
    10_000,
  );
  await ledger.write("eu-west", "never replicated");
  await up.until(
    "it was cut long enough ago",
    async () => Date.now() - cutAt,
    (ms) => ms > CUT_BEFORE_MS,
    CUT_BEFORE_MS * 2,
  );
  const since = await killRegion();
  const approval = (await up.until(
    "a person is asked",
    async () => {
      const answer = await up.client.approvals();
      if (answer.kind !== "ok") throw new Error(answer.kind);
      return answer.value.approvals.find(({ service, state }) => service === "ledger" && state === "waiting");
    },
    (found) => found !== undefined,
    FOLLOWED_MS_MAX,
  )) as Approval;
  expect(approval.asks).toEqual(["A7"]);
  const why = (await up.history("ledger")).find(({ kind, at }) => kind === "approval" && at >= since)?.why ?? "";
  expect(why).toMatch(/us-east lacks what was written since its replication was cut at \d\d:\d\d:\d\dZ, \d+ s before the fault/);
  expect((await transfer())?.startedAt ?? 0).toBeLessThan(since);
  expect(await ledger.role("us-east")).toBe("standby");
  expect(await up.answers("ledger", 40)).toEqual({ "eu-west": 1 });
}, 240_000);

describe("a promotion that doesn't come", () => {
  test("pages and moves nothing", async () => {
    expect((await up.regent("sandbox", "stop", "hook")).code).toBe(0);
    const idle = await startIdleHook(ledger.hookPort);
    try {
      const since = await killRegion();
      const { id, why } = await untilTransfer(since, ["stopped"], FOLLOWED_MS_MAX + PREPARED_MS_MAX);
      expect(why).toMatch(/stopped in prepare: the hook was called \d+ times and promoted nobody within 40 s/);
      expect(idle.calls().length).toBeGreaterThan(2);
      expect(new Set(idle.calls())).toEqual(new Set([id]));
      expect((await transfersTold(id)).filter(({ page }) => page).map(phaseOf)).toContain("stopped");
      await up.until(
        "people are told",
        async () => JSON.stringify(await up.client.incidents()),
        (told) => told.includes("promoted nobody"),
        5_000,
      );
      expect(await ledger.role("us-east")).toBe("standby");
      expect(await up.answers("ledger", 40)).toEqual({ "eu-west": 1 });
    } finally {
      await idle.close();
      await up.regent("sandbox", "start", "hook");
    }
  }, 150_000);

  test("kill -9 of the leader in the middle: the next one goes on under the same id, and ends it", async () => {
    expect((await up.regent("sandbox", "stop", "hook")).code).toBe(0);
    const idle = await startIdleHook(ledger.hookPort);
    let id: string;
    try {
      const since = await killRegion();
      ({ id } = await untilTransfer(since, ["prepare"], FOLLOWED_MS_MAX));
      await up.until(
        "the hook was called",
        async () => idle.calls().length,
        (calls) => calls > 0,
        15_000,
      );
      const killedAfter = idle.calls().length;
      process.kill(await up.pidOf("server"), "SIGKILL");
      await up.until(
        "the hook is called again",
        async () => idle.calls().length,
        (calls) => calls > killedAfter,
        PREPARED_MS_MAX,
      );
      expect(new Set(idle.calls())).toEqual(new Set([id]));
    } finally {
      await idle.close();
      await up.regent("sandbox", "start", "hook");
    }
    await servedBy("us-east", PREPARED_MS_MAX);
    expect(await untilTransfer(0, ["done"], 20_000)).toMatchObject({ id, from: "eu-west", to: "us-east" });
    expect(await ledger.role("us-east")).toBe("writable");
  }, 150_000);
});
