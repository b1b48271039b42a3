/**
 * A region with two hundred services is evacuated: the real control plane and the real SDK against the sandbox's Route 53, which lets through what a
 * real account does (5 calls a second, burst 10). The bounds are those of a region that dies.
 */
import { afterEach, expect, test } from "vitest";
import { changesOf, isHealthy, rest } from "../testing/play.ts";
import { startSandboxDns } from "../testing/sandbox-dns.ts";
import { testWorld } from "../testing/world.ts";

const SERVICES = 200;
const REGIONS = ["eu-west", "us-east", "ap-south"] as const;
const CHANGE = "ChangeResourceRecordSets";
const ACCEPTED_MS_MAX = 30_000;
const CHANGE_CALLS_MAX = 10;
const REPORT_MS = 500;

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

const serviceOf = (n: number): object => {
  const id = `s${String(n).padStart(3, "0")}`;
  return {
    id,
    name: `${id}.example.test`,
    zone: "example.test",
    settings: { freshnessSeconds: 20 },
    strategy: { kind: "active-passive" },
    endpoints: REGIONS.map((region, i) => ({
      region,
      A: [`192.0.2.${i + 10}`],
      AAAA: [`2001:db8::${i + 10}`],
      probe: { address: `127.0.0.1:${9000 + i}` },
    })),
    checks: [{ id: "web", kind: "http", path: "/healthz", from: "outside" }],
  };
};

const until = async (what: string, timeoutMs: number, holds: () => Promise<boolean>): Promise<void> => {
  for (const deadline = performance.now() + timeoutMs; performance.now() < deadline; await rest(250)) if (await holds()) return;
  throw new Error(`not reached in ${timeoutMs} ms: ${what}`);
};

test("all of them are accepted within 30 s and 10 change calls, each by one change", async () => {
  const dns = await startSandboxDns();
  undo.push(dns.close);
  const world = await testWorld({ services: Array.from({ length: SERVICES }, (_, n) => serviceOf(n)), elsewhere: dns });
  undo.push(world.stop);
  let isOver = false;
  const agents = world.declaration.agents.map(({ id }) => id);
  const reporting = (async () => {
    while (!isOver)
      for (const agent of agents) {
        await world.report(agent);
        await rest(REPORT_MS / agents.length);
      }
  })();
  undo.push(() => {
    isOver = true;
    return reporting;
  });
  await until("every service is created and healthy", 60_000, () => isHealthy(world));
  // As it was long before: the account's tokens are back.
  await rest(5_000);
  const changesBefore = dns.count(CHANGE);
  const askedAt = world.clock.now();
  const begun = await world.controlPlane.evacuate({
    region: "eu-west",
    direction: "evacuate",
    by: "ada",
    reason: "a fire",
    breakGlass: [],
    dryRun: false,
    scope: null,
  });
  if (begun.kind !== "begun") throw new Error(begun.kind);
  const { id } = begun.evacuation;
  await until("it is done", 2 * ACCEPTED_MS_MAX, async () => (await world.controlPlane.evacuation(id))?.state === "done");
  const done = await world.controlPlane.evacuation(id);
  const calls = dns.count(CHANGE) - changesBefore;
  const drains = (await changesOf(world)).filter(({ kind }) => kind === "drain");
  const acceptedMs = Math.max(...drains.map(({ times }) => (times.accepted ?? Number.POSITIVE_INFINITY) - askedAt));
  expect(done?.services.filter(({ state }) => state === "moved")).toHaveLength(SERVICES);
  expect(new Set(drains.map(({ service }) => service)).size).toBe(SERVICES);
  expect(drains).toHaveLength(SERVICES);
  expect(acceptedMs).toBeLessThanOrEqual(ACCEPTED_MS_MAX);
  expect(calls).toBeLessThanOrEqual(CHANGE_CALLS_MAX);
}, 150_000);
