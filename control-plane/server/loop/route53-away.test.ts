/**
 * The primary dies while Route 53 is away: the real control plane and the real SDK against the sandbox. The guards keep calls from an API that
 * is down, and must not keep the failover waiting when it is back.
 */
import { afterEach, expect, test } from "vitest";
import { SEND_BACKOFF_MAX_MS } from "../limits.ts";
import { breakRegion, changesOf, goOn, isHealthy } from "../testing/play.ts";
import { startSandboxDns } from "../testing/sandbox-dns.ts";
import { testWorld, type World } from "../testing/world.ts";

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** How long Route 53 is away: long enough for the decision, and for every guard to open. */
const AWAY_MS = 6_000;
/** The open time of the read's guard and of the change's, the pause after a send in doubt, that of whoever reads again, and a busy machine. */
const ACCEPTED_MS_MAX = 2_000 + SEND_BACKOFF_MAX_MS + 1_000 + 2_000;

const until = async (world: World, what: string, holds: () => Promise<boolean>): Promise<void> => {
  for (const deadline = performance.now() + 30_000; performance.now() < deadline; await goOn(world, 80))
    if (await holds()) return;
  throw new Error(`not reached: ${what}`);
};

test.each([
  ["answers 503", { kind: "server-error", status: 503, operations: ["*"] }],
  ["answers 503 to changes alone", { kind: "server-error", status: 503 }],
] as const)("Route 53 %s: few calls meanwhile, and one failover soon after it is back", async (_, fault) => {
  const dns = await startSandboxDns();
  undo.push(dns.close);
  const world = await testWorld({ elsewhere: dns });
  undo.push(world.stop);
  await until(world, "healthy", () => isHealthy(world));
  const standing = dns.faults.set(fault);
  const before = dns.count("ChangeResourceRecordSets") + dns.count("ListResourceRecordSets");
  breakRegion(world, "eu-west");
  await goOn(world, AWAY_MS);
  const meanwhile = dns.count("ChangeResourceRecordSets") + dns.count("ListResourceRecordSets") - before;
  expect(meanwhile).toBeGreaterThan(2);
  // Three each until they open, then one a second each, and the reads between sends.
  expect(meanwhile).toBeLessThan(40);
  dns.faults.clear(standing);
  const mendedAt = performance.now();
  const failovers = async () => (await changesOf(world)).filter(({ kind }) => kind === "failover");
  await until(world, "accepted", async () => (await failovers()).some(({ times }) => times.accepted !== undefined));
  expect(performance.now() - mendedAt).toBeLessThan(ACCEPTED_MS_MAX);
  expect((await failovers()).filter(({ times }) => times.accepted !== undefined)).toHaveLength(1);
  expect((await world.weights("checkout.example.test"))["eu-west"]).toBe(0);
});
