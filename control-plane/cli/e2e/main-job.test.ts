/**
 * The main job, end to end: real processes, a real Postgres, the real AWS SDK, real DNS answers. One `regent up` serves all; each scenario begins
 * with everything mended and traffic where it belongs, so that none leans on another.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ChangeResourceRecordSetsCommand, ListResourceRecordSetsCommand, Route53Client } from "@aws-sdk/client-route-53";
import type { Change, HistoryPage, MoveAnswer } from "@regent/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AT_REST, answered, startUp, type UpHarness } from "../testing/up-harness.ts";
import { isAlive } from "../up/state.ts";
import { type Fault, hasClocksInOrder, moveMsMax } from "./timing.ts";

let up: UpHarness;

beforeAll(async () => {
  up = await startUp();
}, 120_000);

afterAll(async () => {
  const pids = (await up.state()).parts.flatMap(({ pid }) => (pid === null ? [] : [pid]));
  const tookMs = await up.stop();
  // What a test leaves behind on somebody's laptop is as wrong as a wrong answer.
  expect(pids.filter(isAlive)).toEqual([]);
  expect(tookMs).toBeLessThan(5_000);
});

const breakRegion = async (region: string, fault: Fault, more: object = {}): Promise<number> => {
  const at = Date.now();
  answered(await up.sandbox.breakRegion(region, { fault, ...more } as Parameters<typeof up.sandbox.breakRegion>[1]));
  return at;
};

/**
 * The change with which a service left a region after the fault, seen by every server. INSYNC is asked for by the id of Route 53's answer: where
 * that answer was lost, nobody can know it.
 */
const departure = (service: string, since: number, withinMs: number, { isAnswered = true } = {}): Promise<Change> =>
  up
    .until(
      `${service} leaves`,
      async () => (await up.changes(service)).find((change) => change.times.decided >= since && change.kind === "failover"),
      (change) => change?.times.visible !== undefined && (change.times.inSync !== undefined || !isAnswered),
      withinMs,
    )
    .then((change) => change as Change);

const onlyAnswer = (service: string, region: string, withinMs = 10_000): Promise<unknown> =>
  up.until(
    `${service} answers ${region} alone`,
    () => up.answers(service, 40),
    (parts) => parts[region] === 1,
    withinMs,
  );

describe("an operator", () => {
  beforeEach(() => Promise.all([up.settle("checkout"), up.settle("shop")]), 130_000);

  test("sees the exact batch of a dry run and nothing is sent; the move itself names operator and reason", async () => {
    const before = await up.service("checkout");
    const dry = await up.regent(
      "failover",
      "checkout",
      "--to",
      "us-east",
      "--reason",
      "rehearsal of tonight",
      "--dry-run",
      "--json",
    );
    expect(dry.code).toBe(0);
    const shown = JSON.parse(dry.out) as MoveAnswer;
    expect(shown).toMatchObject({ dryRun: true, allowed: true });
    expect(shown.batch.filter(({ action }) => action === "DELETE")).toHaveLength(4);
    expect(shown.batch.filter(({ action }) => action === "CREATE")).toHaveLength(4);
    expect((await up.service("checkout")).revision).toBe(before.revision);

    const made = await up.regent("failover", "checkout", "--to", "us-east", "--reason", "rehearsal of tonight", "--json");
    expect(made.code).toBe(0);
    await onlyAnswer("checkout", "us-east");
    const { out } = await up.regent("history", "--service", "checkout", "--json");
    const change = (JSON.parse(out) as HistoryPage).events.find(({ change }) => change?.actor.kind === "operator")?.change;
    expect(change).toMatchObject({ kind: "failover", reason: "rehearsal of tonight", actor: { name: "admin" } });

    const stale = await up.regent(
      ...["failback", "checkout", "--reason", "on an old page", "--expected-revision", String(before.revision)],
    );
    expect(stale).toMatchObject({ code: 1, out: "" });
    expect(stale.err).toMatch(/moved on/);
    const back = await up.regent("failback", "checkout", "--reason", "rehearsal is over");
    expect(back.code).toBe(0);
  }, 60_000);

  test("who repeats an idempotency key gets the same answer, and nothing is done twice", async () => {
    const key = `key-${Date.now()}`;
    const args = ["drain", "shop", "ap-south", "--reason", "maintenance", "--idempotency-key", key, "--json"];
    const first = JSON.parse((await up.regent(...args)).out) as MoveAnswer;
    const again = JSON.parse((await up.regent(...args)).out) as MoveAnswer;
    expect(again.changeId).toBe(first.changeId);
    await up.until(
      "it is drained",
      () => up.answers("shop", 100),
      (parts) => parts["ap-south"] === undefined,
      10_000,
    );
    const drains = (await up.changes("shop")).filter(({ id }) => id === first.changeId);
    expect(drains).toHaveLength(1);
    expect((await up.regent("undrain", "shop", "ap-south", "--reason", "maintenance is over")).code).toBe(0);
  }, 60_000);
});

describe("active-active and round-robin", () => {
  beforeEach(() => Promise.all([up.settle("shop"), up.settle("api")]), 130_000);

  test("losing the first region gives .457/.543 and equal parts; it returns in at least three steps, back to 0 when it fails in the second", async () => {
    const brokenAt = await breakRegion("eu-west", "refuse");
    await Promise.all([departure("shop", brokenAt, 20_000), departure("api", brokenAt, 20_000)]);
    await Promise.all([onlyFrom("shop", ["us-east", "ap-south"]), onlyFrom("api", ["us-east", "ap-south"])]);
    expect(ratio((await up.service("shop")).written.default, ["us-east", "ap-south"])).toEqual([0.457, 0.543]);
    expect(ratio((await up.service("api")).written.default, ["us-east", "ap-south"])).toEqual([0.5, 0.5]);
    const parts = await up.answers("shop", COUNTED);
    expect(Math.abs((parts["us-east"] ?? 0) - 0.457)).toBeLessThan(DEVIATION);

    const out = (await up.service("shop")).revision;
    answered(await up.sandbox.mendRegion("eu-west"));
    await up.until(
      "the second step",
      () => up.service("shop"),
      ({ revision }) => revision >= out + 2,
      60_000,
    );
    const failedAt = await breakRegion("eu-west", "refuse");
    const back = await departure("shop", failedAt, 20_000);
    expect(back.weightsBefore.default?.["eu-west"]).toBeGreaterThan(0);
    expect(back.weightsAfter.default?.["eu-west"]).toBe(0);

    answered(await up.sandbox.mendRegion("eu-west"));
    await Promise.all([up.settle("shop"), up.settle("api")]);
    for (const service of ["shop", "api"]) {
      const returned = (await up.changes(service)).filter(({ times }) => times.decided > (back.times.visible ?? 0));
      const steps = returned.map(({ weightsAfter }) => share(weightsAfter.default, "eu-west")).reverse();
      expect(steps.length).toBeGreaterThanOrEqual(3);
      expect(steps).toEqual([...steps].sort((a, b) => a - b));
    }
  }, 240_000);

  test("losing the third region gives .600/.400, counted on DNS answers", async () => {
    const brokenAt = await breakRegion("ap-south", "refuse");
    await departure("shop", brokenAt, 20_000);
    await onlyFrom("shop", ["eu-west", "us-east"]);
    expect(ratio((await up.service("shop")).written.default, ["eu-west", "us-east"])).toEqual([0.6, 0.4]);
    const parts = await up.answers("shop", COUNTED);
    expect(Math.abs((parts["eu-west"] ?? 0) - 0.6)).toBeLessThan(DEVIATION);
  }, 60_000);
});

/** Three standard deviations of so many draws; .625, which the plain ratio would give for .600, lies outside. */
const COUNTED = 4_000;
const DEVIATION = 0.024;

describe("a region fails", () => {
  beforeEach(() => up.settle("checkout"), 130_000);

  test.each([
    { fault: "refuse", more: {}, confirmations: 2 },
    { fault: "503", more: {}, confirmations: 2 },
    { fault: "hang", more: {}, confirmations: 2 },
    { fault: "dead", more: { agents: true }, confirmations: 2 },
    { fault: "database-down", more: {}, confirmations: 0 },
  ] as const)(
    "$fault moves the answer to the next region within the profile's formula",
    async ({ fault, more, confirmations }) => {
      const brokenAt = await breakRegion("eu-west", fault, more);
      const change = await departure("checkout", brokenAt, 20_000);
      await onlyAnswer("checkout", "us-east");

      expect(change.times).toSatisfy(() => hasClocksInOrder(change));
      expect(change.times.detected).toBeGreaterThanOrEqual(brokenAt - 100);
      expect((change.times.accepted ?? 0) - brokenAt).toBeLessThanOrEqual(moveMsMax(fault, { confirmations }));
      expect(change.weightsBefore.default).toEqual(AT_REST.checkout);
      expect(change.weightsAfter.default).toEqual({ "eu-west": 0, "us-east": 255, "ap-south": 0 });
      expect(change.actor.kind).toBe("automation");
      expect(change.why).toMatch(/eu-west.*\d/);
      const eu = change.evidence.find(({ region }) => region === "eu-west");
      expect(eu?.verdict).toBe("unhealthy");
      expect(eu?.votes.some(({ vote }) => vote === "down")).toBe(true);
    },
    60_000,
  );

  test("killing one agent of a region, or both, moves nothing and shows why", async () => {
    const before = await up.service("checkout");
    for (const agents of [["eu-west-a"], ["eu-west-a", "eu-west-b"]]) {
      answered(await up.sandbox.breakRegion("eu-west", { fault: "agents-dead", agents }));
      const dead = agents.length;
      await up.until(
        `${dead} of the agents are silent`,
        async () => (await up.overview()).agents.filter(({ region, fresh }) => region === "eu-west" && !fresh).length,
        (silent) => silent === dead,
        15_000,
      );
    }
    const after = await up.until(
      "the region is seen from outside only",
      () => up.service("checkout"),
      ({ regions }) => regions.find(({ region }) => region === "eu-west")?.inside === "silent",
      10_000,
    );
    expect(after.revision).toBe(before.revision);
    const eu = after.regions.find(({ region }) => region === "eu-west");
    expect(eu).toMatchObject({ verdict: "healthy", flags: ["blind-inside"] });
    expect(eu?.why).toMatch(/silent/);
  }, 60_000);

  test("one lying inside agent moves nothing", async () => {
    const before = await up.service("checkout");
    // To this vantage alone the region's database and API are gone.
    answered(await up.sandbox.cutLinks({ from: "eu-west/net-a", to: "eu-west/database", mode: "refuse" }));
    answered(await up.sandbox.cutLinks({ from: "eu-west/net-a", to: "eu-west/api", mode: "refuse" }));
    const seen = await up.until(
      "the liar is heard",
      () => up.service("checkout"),
      ({ regions }) => regions.find(({ region }) => region === "eu-west")?.inside === "single",
      10_000,
    );
    expect(seen.regions.find(({ region }) => region === "eu-west")?.flags).toContain("single");
    // Longer than the longest departure by the formula: had it been believed, traffic would have moved by now.
    const until = Date.now() + moveMsMax("hang", { confirmations: 0 }) + 2_000;
    await up.until(
      "time passes",
      async () => Date.now(),
      (now) => now > until,
      15_000,
    );
    expect((await up.service("checkout")).revision).toBe(before.revision);
    expect((await up.answers("checkout", 60))["eu-west"]).toBe(1);
  }, 60_000);
});

describe("writers and crashes", () => {
  beforeEach(() => up.settle("checkout"), 130_000);

  test("a batch with an old epoch record is refused, and so is what came with it", async () => {
    const access = await awsAccess();
    const client = new Route53Client(access.config);
    try {
      const listed = await client.send(new ListResourceRecordSetsCommand({ HostedZoneId: access.zoneId }));
      const epoch = listed.ResourceRecordSets?.find(({ Name }) => Name?.startsWith("_regent.checkout."));
      if (epoch === undefined) throw new Error("checkout has no epoch record");
      expect((await up.regent("failover", "checkout", "--to", "us-east", "--reason", "a newer epoch")).code).toBe(0);
      await onlyAnswer("checkout", "us-east");
      const stale = new ChangeResourceRecordSetsCommand({
        HostedZoneId: access.zoneId,
        ChangeBatch: {
          Changes: [
            { Action: "DELETE", ResourceRecordSet: epoch },
            { Action: "CREATE", ResourceRecordSet: epoch },
          ],
        },
      });
      await expect(client.send(stale)).rejects.toThrow(/not found|values provided do not match/i);
      expect((await up.service("checkout")).drift).toBeNull();
    } finally {
      client.destroy();
      await up.regent("failback", "checkout", "--reason", "end of the test");
    }
  }, 60_000);

  test("a timeout after applying is resolved as applied, once", async () => {
    const before = await up.service("checkout");
    answered(await up.sandbox.breakRoute53({ kind: "timeout-after", count: 1 }));
    const brokenAt = await breakRegion("eu-west", "refuse");
    const change = await departure("checkout", brokenAt, 40_000, { isAnswered: false });
    expect(change.stage).toMatch(/accepted|in-sync|visible/);
    await onlyAnswer("checkout", "us-east");
    expect((await up.service("checkout")).revision).toBe(before.revision + 1);
  }, 80_000);

  test("kill -9 of the server in the middle of a failover: it completes, history has no doubles, no outbox row is lost", async () => {
    const before = await up.service("checkout");
    const postmaster = await findPostmaster();
    expect(postmaster).not.toBeNull();
    const brokenAt = await breakRegion("eu-west", "refuse");
    await up.until(
      "it is about to move",
      () => up.service("checkout"),
      ({ regions }) => regions[0]?.evidence === "bad",
      10_000,
    );
    process.kill(await up.pidOf("server"), "SIGKILL");
    const change = await departure("checkout", brokenAt, 40_000, { isAnswered: false });
    await onlyAnswer("checkout", "us-east");
    expect(change.weightsAfter.default).toEqual({ "eu-west": 0, "us-east": 255, "ap-south": 0 });
    const made = (await up.changes("checkout")).filter(({ revision }) => revision > before.revision);
    expect(new Set(made.map(({ revision }) => revision)).size).toBe(made.length);
    expect(made.filter(({ stage }) => stage === "unknown" || stage === "sent" || stage === "decided")).toEqual([]);
    // The database that the killed server left running serves the next one.
    expect(await findPostmaster()).toBe(postmaster);
  }, 90_000);
});

describe("with all of Regent stopped", () => {
  beforeEach(() => up.settle("checkout"), 130_000);

  test("the native checks alone leave a dead primary, and come back when it is mended", async () => {
    const parts = ["server", ...(await up.state()).parts.map(({ name }) => name).filter((name) => name.startsWith("agent-"))];
    const tell = (verb: "stop" | "start") => Promise.all(parts.map((part) => up.regent("sandbox", verb, part)));
    expect((await tell("stop")).map(({ code }) => code)).toEqual(parts.map(() => 0));
    try {
      expect(await findPostmaster()).toBeNull();
      // Silence alone moves nothing.
      expect(await up.answers("checkout", 40)).toEqual({ "eu-west": 1 });
      await breakRegion("eu-west", "refuse");
      await up.until(
        "Route 53 leaves",
        () => up.answers("checkout", 40),
        (found) => found["eu-west"] === undefined,
        20_000,
      );
      answered(await up.sandbox.mendRegion("eu-west"));
      await onlyAnswer("checkout", "eu-west", 20_000);
    } finally {
      await tell("start");
    }
  }, 120_000);
});

const ratio = (weights: Readonly<Record<string, number>> | undefined, regions: readonly string[]): number[] =>
  regions.map((region) => Number(share(weights, region).toFixed(3)));

const share = (weights: Readonly<Record<string, number>> = {}, region: string): number =>
  (weights[region] ?? 0) / Object.values(weights).reduce((total, weight) => total + weight, 0);

const onlyFrom = (service: string, regions: readonly string[]): Promise<unknown> =>
  up.until(
    `${service} answers ${regions.join(" and ")} alone`,
    () => up.answers(service, 100),
    (parts) => Object.keys(parts).every((region) => regions.includes(region)),
    10_000,
  );

const awsAccess = async () => {
  const { route53, zones } = await up.state();
  const secretAccessKey = (await readFile(join(up.home, "sandbox-aws.secret"), "utf8")).trim();
  return {
    zoneId: zones[0]?.id ?? "",
    config: { endpoint: route53, region: "us-east-1", credentials: { accessKeyId: "REGENTSANDBOX", secretAccessKey } },
  };
};

/** The server's own Postgres; null when none runs. */
const findPostmaster = async (): Promise<number | null> => {
  const text = await readFile(join(up.home, "postgres", "cluster", "postmaster.pid"), "utf8").catch(() => "");
  const pid = Number(text.split("\n")[0]);
  return pid > 0 && isAlive(pid) ? pid : null;
};
