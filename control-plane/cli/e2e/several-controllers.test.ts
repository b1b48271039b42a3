/**
 * Three replicas over one Postgres while failovers are under way. The leader is killed, frozen past its lease, cut from Postgres and from
 * Route 53; Postgres is killed, restarted, fails over without its last commits, and is put back from an old backup. Afterwards every version that
 * DNS had is compared with Postgres. The frozen leader's lease runs out in its own 15 s; elsewhere it is let expire at once, which is harder:
 * a leader that was only cut off believes in it for as long as before.
 */
import { join } from "node:path";
import { connect } from "@regent/server/adapters/postgres/database.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { audit } from "../testing/audit.ts";
import type { DnsWatch } from "../testing/dns-watch.ts";
import { type Fleet, type Replica, startFleet } from "../testing/fleet.ts";
import { allHealthy, allIn, failAll, settled } from "../testing/fleet-play.ts";
import { CUT, openTestLink, WHOLE } from "../testing/link.ts";
import type { PostgresCluster } from "../testing/postgres-cluster.ts";

/** A lease of 15 s, a follower's look, and reading everything. */
const TAKEOVER_MS_MAX = 25_000;

let fleet: Fleet;
let watch: DnsWatch;

beforeAll(async () => {
  fleet = await startFleet({ services: 4 });
  await Promise.all(["a", "b", "c"].map((name) => fleet.start(name)));
  await allHealthy(fleet);
  watch = await fleet.watch();
}, 60_000);

afterAll(async () => {
  await fleet.close();
}, 30_000);

/** Whoever a test killed is there again. */
beforeEach(async () => {
  const alive = fleet.replicas().map(({ name }) => name);
  await Promise.all(["a", "b", "c"].filter((name) => !alive.includes(name)).map((name) => fleet.start(name)));
}, 60_000);

const expectNothingFound = async (): Promise<void> => {
  await settled(fleet);
  expect((await audit(fleet.database, await fleet.journal.read())).findings).toEqual([]);
};

const untilAnotherLeads = async (than: Replica): Promise<Replica> => {
  await fleet.until(
    "another one leads",
    () => fleet.lead(),
    (lead) => lead !== null && lead.pid !== than.pid,
    TAKEOVER_MS_MAX,
  );
  return fleet.leader();
};

const refusedByRoute53 = (): number =>
  fleet.sandbox
    .calls()
    .find(({ operation, outcome }) => `${operation} ${outcome}` === "ChangeResourceRecordSets InvalidChangeBatch")?.count ?? 0;

const accepted = async (): Promise<number> => (await fleet.journal.read()).length;

describe("the leader", () => {
  test("is killed in the middle of a failover: another one ends it", async () => {
    const leader = await fleet.leader();
    // Whatever it is about to send stays on the way.
    fleet.sandbox.faults.set({ kind: "late-apply", delayMs: 2_000, count: 1 });
    const wanted = await failAll(fleet);
    await fleet.until(
      "its batch is on the way",
      async () => fleet.sandbox.faults.list(),
      (standing) => standing.length === 0,
      10_000,
    );
    await leader.kill();
    await fleet.expireLease();
    await untilAnotherLeads(leader);
    await allIn(fleet, wanted);
    await expectNothingFound();
  }, 90_000);

  test("is frozen just before it sends, for longer than its lease, and goes on: its batch is refused by the fence", async () => {
    const armed = await fleet.start("armed", { REGENT_CRASH_AT: "before-send:pause" });
    // It is to lead: whoever else could is stopped.
    await Promise.all(fleet.replicas().map((other) => (other.pid === armed.pid ? null : other.stop())));
    expect((await fleet.leader()).pid).toBe(armed.pid);
    const others = await Promise.all(["a", "b"].map((name) => fleet.start(name)));
    const wanted = await failAll(fleet);
    const successor = await untilAnotherLeads(armed);
    expect(others.map(({ pid }) => pid)).toContain(successor.pid);
    await allIn(fleet, wanted);
    await settled(fleet);
    const before = { versions: await accepted(), refused: refusedByRoute53() };
    armed.continue();
    await fleet.until(
      "its stale batch is refused",
      async () => refusedByRoute53(),
      (refused) => refused > before.refused,
      15_000,
    );
    await fleet.until(
      "it knows that it leads no longer",
      () => armed.log(),
      (log) => log.includes("no longer leading"),
      15_000,
    );
    expect(await accepted()).toBe(before.versions);
    await expectNothingFound();
    await armed.stop();
  }, 90_000);

  test("is cut from Postgres: it stops writing by itself, another one leads, and it follows when it is back", async () => {
    const leader = await fleet.leader();
    leader.database.pass(CUT);
    const wanted = await failAll(fleet);
    await fleet.expireLease();
    await untilAnotherLeads(leader);
    await allIn(fleet, wanted);
    leader.database.pass(WHOLE);
    await fleet.until(
      "it follows",
      () => leader.client.overview(),
      (answer) => answer.kind === "ok" && answer.value.leader?.self === false,
      30_000,
    );
    await expectNothingFound();
  }, 90_000);

  test("is cut from Route 53: it gives the lease up to one that is not, and doesn't take it back", async () => {
    const leader = await fleet.leader();
    leader.route53.pass(CUT);
    const wanted = await failAll(fleet);
    const next = await untilAnotherLeads(leader);
    await allIn(fleet, wanted);
    leader.route53.pass(WHOLE);
    expect((await fleet.leader()).pid).toBe(next.pid);
    await expectNothingFound();
  }, 120_000);
});

describe("Postgres", () => {
  test("is killed together with the leader and the region that fails; when it is back, the rest follows", async () => {
    const leader = await fleet.leader();
    const before = await accepted();
    const wanted = await failAll(fleet);
    await Promise.all([leader.kill(), fleet.cluster().kill()]);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    // A batch that was on its way when both died may have arrived, nothing else.
    expect((await accepted()) - before).toBeLessThanOrEqual(fleet.services.length);
    await fleet.cluster().start();
    await fleet.expireLease();
    await untilAnotherLeads(leader);
    await allIn(fleet, wanted);
    await expectNothingFound();
  }, 90_000);

  test("is restarted in order in the middle of a failover", async () => {
    const wanted = await failAll(fleet);
    await fleet.cluster().stop();
    await fleet.cluster().start();
    await allIn(fleet, wanted);
    await expectNothingFound();
  }, 90_000);

  test("fails over to a standby that lost its last commits: automation waits for a person, and goes on when he says so", async () => {
    const primary = fleet.cluster();
    const stream = await openTestLink(primary.port);
    await primary.stop();
    const standby = await primary.copyTo(join(fleet.folder, "standby"), { kind: "standby", primaryPort: stream.port });
    await primary.start();
    await standby.start();
    await fleet.leader();
    await settled(fleet);
    await streams(primary);
    // From here on the standby hears nothing more.
    stream.pass(CUT);
    const lost = await failAll(fleet);
    await allIn(fleet, lost);
    await settled(fleet);
    await primary.kill();
    await promote(standby);
    fleet.turnTo(standby);
    await fleet.leader(TAKEOVER_MS_MAX);
    await held();
    stream.close();
  }, 120_000);

  test("is put back from an old backup: automation waits for a person, and goes on when he says so", async () => {
    const cluster = fleet.cluster();
    await cluster.stop();
    const backup = await cluster.copyTo(join(fleet.folder, "backup"), { kind: "backup" });
    await cluster.start();
    await fleet.leader();
    await allIn(fleet, await failAll(fleet));
    await settled(fleet);
    await cluster.stop();
    fleet.turnTo(backup);
    await backup.start();
    await fleet.leader(TAKEOVER_MS_MAX);
    await held();
  }, 120_000);
});

const ask = async <T extends object>(cluster: PostgresCluster, text: string): Promise<T | undefined> => {
  const database = connect(cluster.url("regent"), { connections: 1 });
  try {
    return await database.attempt(async ({ sql }) => (await sql.unsafe<T[]>(text))[0]);
  } finally {
    await database.close();
  }
};

/** The standby has everything that was committed so far. */
const streams = (primary: PostgresCluster): Promise<unknown> =>
  fleet.until(
    "the standby streams",
    () =>
      ask<{ n: number }>(
        primary,
        "select count(*)::int as n from pg_stat_replication where replay_lsn >= pg_current_wal_lsn() - 8192",
      ),
    (row) => row?.n === 1,
    20_000,
  );

const promote = (standby: PostgresCluster): Promise<unknown> => ask(standby, "select pg_promote()");

/** DNS knows more than Postgres: nothing moves by itself until a person confirms, then everything goes on from what DNS says. */
const held = async (): Promise<void> => {
  await fleet.until(
    "automation is held",
    () => fleet.overview(),
    ({ frozen }) => frozen !== null,
    45_000,
  );
  const standing = await accepted();
  const wanted = await failAll(fleet);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(await accepted()).toBe(standing);
  const leader = await fleet.leader();
  expect((await leader.client.unfreeze({}, "the database was restored, and DNS is right")).kind).toBe("ok");
  await allIn(fleet, wanted);
  await settled(fleet);
};

test("all the while, DNS was legal at every sample and in every version", async () => {
  const { faults, samples, gapMsMax, silent } = await watch.stop();
  process.stdout.write(`${samples} samples, at most ${gapMsMax} ms apart, ${silent} questions without an answer\n`);
  expect(faults).toEqual([]);
  expect(samples).toBeGreaterThan(100);
}, 30_000);
