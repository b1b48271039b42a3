/**
 * The leader is killed or frozen at every point of a write, and at random times: another replica goes on from what Postgres and DNS say. DNS is
 * looked at every 100 ms meanwhile, and every version of the zone is compared with Postgres afterwards.
 *
 * A lease outlives its holder by up to 15 s. So that fifty kills don't take a quarter of an hour, these tests let it expire as soon as its holder
 * is dead or frozen; several-controllers.test.ts waits for it.
 */
import type { Route53FaultRequest } from "@regent/sandbox";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { audit, countUnsettled } from "../testing/audit.ts";
import type { DnsWatch } from "../testing/dns-watch.ts";
import { type Fleet, type Replica, startFleet } from "../testing/fleet.ts";
import { allHealthy, allIn, failAll, SETTLED_MS_MAX, settled } from "../testing/fleet-play.ts";
import { chooseSeed, createRandom } from "../testing/random.ts";

const SEED = chooseSeed(process.env.REGENT_SEED);
/** What `npm test` has time for; REGENT_KILLS=60 for the long run. */
const KILLS = Number(process.env.REGENT_KILLS ?? 6);

let fleet: Fleet;
let watch: DnsWatch;

beforeAll(async () => {
  fleet = await startFleet({ services: 4 });
  await fleet.start("a");
  await allHealthy(fleet);
  watch = await fleet.watch();
}, 60_000);

afterAll(async () => {
  await fleet.close();
}, 30_000);

const revisionsOf = async (): Promise<Record<string, number>> => {
  const rows = await fleet.database.urgent(
    (send) => send<{ service: string; revision: number }[]>`select service, revision from regent.service`,
  );
  return Object.fromEntries(rows.map(({ service, revision }) => [service, revision]));
};

/** The next leader dies or freezes at that point of its next write. */
const leadArmed = async (name: string, crashAt: string): Promise<Replica> => {
  const armed = await fleet.start(name, { REGENT_CRASH_AT: crashAt });
  await Promise.all(fleet.replicas().map((other) => (other.pid === armed.pid ? null : other.stop())));
  expect((await fleet.leader()).pid).toBe(armed.pid);
  return armed;
};

interface Case {
  readonly what: string;
  readonly at: string;
  readonly fault?: Route53FaultRequest;
  /** Changes of each service: a change that was accepted and taken back is followed by another one. */
  readonly changes: number;
}

const KILLED: readonly Case[] = [
  { what: "C1: DNS is read, nothing is committed", at: "before-intent", changes: 1 },
  { what: "C2: the intent is committed, nothing is sent", at: "intent", changes: 1 },
  { what: "C2: about to send", at: "before-send", changes: 1 },
  { what: "C3: the request never arrives", at: "in-flight", fault: { kind: "timeout-before", count: 1 }, changes: 1 },
  {
    what: "C3: the request arrives a second after its sender died",
    at: "in-flight",
    fault: { kind: "late-apply", delayMs: 1_300, count: 1 },
    changes: 1,
  },
  { what: "C4: applied, and the answer is lost", at: "in-flight", fault: { kind: "timeout-after", count: 1 }, changes: 1 },
  { what: "C5: accepted, and not written down", at: "answered", changes: 1 },
  {
    what: "C6: written down as accepted, and taken back by Route 53",
    at: "accepted",
    fault: { kind: "strand", delayMs: 700, count: 1 },
    changes: 2,
  },
  { what: "C7: the lease is lost to its own holder's death", at: "renewed", changes: 1 },
];

describe("killed", () => {
  test.each(KILLED)(
    "$what",
    async ({ at, fault, changes }) => {
      const armed = await leadArmed("armed", at);
      const before = await revisionsOf();
      const successor = fleet.start("successor");
      if (fault) fleet.sandbox.faults.set(fault);
      const wanted = await failAll(fleet);
      await armed.ended;
      await fleet.expireLease();
      expect((await fleet.leader()).pid).toBe((await successor).pid);
      await allIn(fleet, wanted);
      await settled(fleet, 10_000);
      const after = await revisionsOf();
      for (const service of fleet.services) {
        expect(after[service]).toBeGreaterThan(before[service] ?? 0);
        expect(after[service]).toBeLessThanOrEqual((before[service] ?? 0) + changes);
      }
      expect((await audit(fleet.database, await fleet.journal.read())).findings).toEqual([]);
    },
    90_000,
  );
});

const FROZEN = [
  { what: "C7: frozen between the commit and the send", at: "intent:pause" },
  { what: "C7: frozen between Route 53's answer and its commit", at: "answered:pause" },
] as const;

describe("frozen, another leads, and continued", () => {
  test.each(FROZEN)(
    "$what",
    async ({ at }) => {
      const armed = await leadArmed("armed", at);
      const before = await revisionsOf();
      const successor = await fleet.start("successor");
      const wanted = await failAll(fleet);
      await fleet.until(
        "it is frozen",
        async () => (await revisionsOf())[fleet.services[0] ?? ""] ?? 0,
        (revision) => revision > (before[fleet.services[0] ?? ""] ?? 0),
        20_000,
      );
      await fleet.expireLease();
      expect((await fleet.leader()).pid).toBe(successor.pid);
      await allIn(fleet, wanted);
      await settled(fleet, 10_000);
      armed.continue();
      await fleet.until(
        "it knows that it leads no longer",
        () => armed.log(),
        (log) => log.includes("no longer leading"),
        20_000,
      );
      await settled(fleet, 10_000);
      expect((await fleet.leader()).pid).toBe(successor.pid);
      expect((await audit(fleet.database, await fleet.journal.read())).findings).toEqual([]);
      await armed.stop();
    },
    60_000,
  );
});

describe(`at random times (REGENT_SEED=${SEED} REGENT_KILLS=${KILLS} repeats it)`, () => {
  test("every failover ends, once, whatever died in it", async () => {
    const random = createRandom(SEED);
    let restarts: Promise<Replica>[] = [];
    await Promise.all(["k1", "k2", "k3"].map((name) => fleet.start(name)));
    for (const other of fleet.replicas()) if (!other.name.startsWith("k")) await other.stop();
    let wanted: ReadonlyMap<string, string> = new Map();
    let inTheMiddle = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const leader = await fleet.leader();
      const fault = chooseFault(random);
      if (fault) fleet.sandbox.faults.set(fault);
      wanted = await failSome(random, wanted);
      await new Promise((resolve) => setTimeout(resolve, 900 * random()));
      await leader.kill();
      if ((await countUnsettled(fleet.database)) > 0) inTheMiddle += 1;
      await fleet.expireLease();
      await Promise.all(restarts);
      restarts = [fleet.start(leader.name)];
    }
    await Promise.all(restarts);
    fleet.sandbox.faults.clear();
    const endedAt = performance.now();
    await allIn(fleet, wanted, SETTLED_MS_MAX);
    await settled(fleet);
    const settledMs = Math.round(performance.now() - endedAt);
    const { findings, ...counted } = await audit(fleet.database, await fleet.journal.read());
    const told = { seed: SEED, kills: KILLS, inTheMiddle, settledMs, ...counted };
    process.stdout.write(`${JSON.stringify(told)}\n`);
    expect(findings).toEqual([]);
    expect(settledMs).toBeLessThan(SETTLED_MS_MAX);
  }, 600_000);
});

const FAULTS: readonly Route53FaultRequest[] = [
  { kind: "timeout-before", count: 1 },
  { kind: "timeout-after", count: 1 },
  { kind: "server-error", isApplied: true, count: 1 },
  { kind: "server-error", isApplied: false, count: 1 },
  { kind: "prior-request", count: 2 },
  { kind: "throttle", count: 1 },
];

/** Half of the time one of Route 53's, each as likely. */
const chooseFault = (random: () => number): Route53FaultRequest | null => {
  if (random() < 0.5) return null;
  const place = Math.floor(random() * (FAULTS.length + 2));
  if (place === FAULTS.length) return { kind: "late-apply", delayMs: Math.round(2_000 * random()), count: 1 };
  if (place === FAULTS.length + 1) return { kind: "strand", delayMs: Math.round(1_000 * random()), count: 1 };
  return FAULTS[place] ?? null;
};

/** Every other service loses the region that it is to be in, whether it has come there yet or not. */
const failSome = async (random: () => number, wanted: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>> => {
  const next = new Map(wanted);
  for (const service of fleet.services) {
    if (random() < 0.5 && next.has(service)) continue;
    const sick = next.get(service) ?? (await fleet.activeIn(service)) ?? "r1";
    const well = sick === "r1" ? "r2" : "r1";
    fleet.reports.say(service, well, true);
    fleet.reports.say(service, sick, false);
    next.set(service, well);
  }
  return next;
};

test("all the while, DNS was legal at every sample and in every version", async () => {
  const { faults, samples, gapMsMax, silent } = await watch.stop();
  process.stdout.write(`${samples} samples, at most ${gapMsMax} ms apart, ${silent} questions without an answer\n`);
  expect(faults).toEqual([]);
  expect(samples).toBeGreaterThan(100);
}, 30_000);
