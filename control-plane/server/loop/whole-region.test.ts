/**
 * A region dies with two hundred services in one zone: the real control plane and the real SDK against the sandbox's Route 53, which lets
 * through what a real account does (5 calls a second, burst 10) and spreads changes as it always does.
 */
import type { Change } from "@regent/contract";
import type { RecordSet } from "@regent/engine";
import { afterEach, expect, test } from "vitest";
import { changesOf, eventsOf, isHealthy, rest } from "../testing/play.ts";
import { type SandboxDns, startSandboxDns } from "../testing/sandbox-dns.ts";
import { OK, REFUSED, testWorld, type World } from "../testing/world.ts";

const SERVICES = 200;
const REGIONS = ["eu-west", "us-east", "ap-south"] as const;
const CHANGE = "ChangeResourceRecordSets";
/** DESIGN §15. */
const ACCEPTED_MS_MAX = 30_000;
const CHANGE_CALLS_MAX = 10;
/** Every agent reports this often. */
const REPORT_MS = 500;

const idOf = (n: number): string => `s${String(n).padStart(3, "0")}`;
const nameOf = (id: string): string => `${id}.example.test`;

const serviceOf = (n: number, more: object = {}): object => ({
  id: idOf(n),
  name: nameOf(idOf(n)),
  zone: "example.test",
  // A test's machine is busy: evidence may be older than in the profile.
  settings: { freshnessSeconds: 20 },
  strategy: { kind: "active-passive" },
  endpoints: REGIONS.map((region, i) => ({
    region,
    A: [`192.0.2.${i + 10}`],
    AAAA: [`2001:db8::${i + 10}`],
    probe: { address: `127.0.0.1:${9000 + i}` },
  })),
  checks: [{ id: "web", kind: "http", path: "/healthz", from: "outside" }],
  ...more,
});

interface Play {
  readonly dns: SandboxDns;
  readonly world: World;
  /** Reports taken, by when each was asked and answered. */
  readonly reports: { readonly from: number; readonly to: number }[];
}

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** Two hundred services that serve from eu-west, healthy everywhere, with agents that go on reporting. */
const begin = async (more: (n: number) => object = () => ({})): Promise<Play> => {
  const dns = await startSandboxDns();
  undo.push(dns.close);
  const services = Array.from({ length: SERVICES }, (_, n) => serviceOf(n, more(n)));
  const world = await testWorld({ services, elsewhere: dns });
  undo.push(world.stop);
  const reports: Play["reports"] = [];
  let isOver = false;
  const agents = world.declaration.agents.map(({ id }) => id);
  const reporting = (async () => {
    while (!isOver) {
      for (const agent of agents) {
        const from = world.clock.now();
        await world.report(agent);
        reports.push({ from, to: world.clock.now() });
        await rest(REPORT_MS / agents.length);
      }
    }
  })();
  undo.push(() => {
    isOver = true;
    return reporting;
  });
  await until("every service is created and healthy", 60_000, () => isHealthy(world));
  return { dns, world, reports };
};

const until = async (what: string, timeoutMs: number, holds: () => Promise<boolean>): Promise<void> => {
  for (const deadline = performance.now() + timeoutMs; performance.now() < deadline; await rest(250)) if (await holds()) return;
  throw new Error(`not reached in ${timeoutMs} ms: ${what}`);
};

/** As it was long before: nobody asks after old changes any more, and the account's tokens are back. */
const settle = (): Promise<void> => rest(5_000);

const die = (world: World): number => {
  world.see = (_, target) => (target.split("/")[1] === "eu-west" ? REFUSED : OK);
  return world.clock.now();
};

const failoversOf = async (world: World): Promise<Change[]> =>
  (await changesOf(world)).filter(({ kind, times }) => kind === "failover" && times.accepted !== undefined);

const untilMoved = async (world: World, count: number, timeoutMs: number): Promise<Change[]> => {
  let moved: Change[] = [];
  await until(`${count} services moved`, timeoutMs, async () => {
    moved = await failoversOf(world);
    return moved.length >= count;
  });
  return moved;
};

const lastAccepted = (changes: readonly Change[]): number => Math.max(...changes.map(({ times }) => times.accepted ?? 0));

const servingIn = async ({ somebodyElse, zoneId }: SandboxDns): Promise<ReadonlyMap<string, readonly string[]>> => {
  const read = await somebodyElse.readZone(zoneId);
  if (read.kind !== "sets") throw new Error(read.kind);
  const serving = new Map<string, string[]>();
  for (const { name, type, setIdentifier, weight } of read.sets)
    if ((type === "A" || type === "AAAA") && (weight ?? 0) > 0)
      serving.set(name, [...(serving.get(name) ?? []), `${type} ${setIdentifier}`].sort());
  return serving;
};

/** What a person or Terraform would do: another weight for one member. */
const edit = async ({ somebodyElse, zoneId }: SandboxDns, id: string): Promise<void> => {
  const read = await somebodyElse.readNames(zoneId, [nameOf(id)]);
  if (read.kind !== "sets") throw new Error(read.kind);
  const member = read.sets.find(({ type, setIdentifier }) => type === "A" && setIdentifier === "ap-south") as RecordSet;
  const sent = await somebodyElse.send(zoneId, { deletes: [member], creates: [{ ...member, weight: 7 }], comment: "by hand" });
  expect(sent.kind).toBe("accepted");
};

test("all of them are accepted within 30 s and 10 change calls, and reports are taken meanwhile", async () => {
  const { dns, world, reports } = await begin();
  expect(dns.count(CHANGE)).toBeLessThanOrEqual(CHANGE_CALLS_MAX);
  await settle();
  const [changesBefore, pollsBefore] = [dns.count(CHANGE), dns.count("GetChange")];
  const diedAt = die(world);
  const moved = await untilMoved(world, SERVICES, ACCEPTED_MS_MAX);
  expect(lastAccepted(moved) - diedAt).toBeLessThanOrEqual(ACCEPTED_MS_MAX);
  expect(new Set(moved.map(({ service }) => service)).size).toBe(SERVICES);
  expect(dns.count(CHANGE) - changesBefore).toBeLessThanOrEqual(CHANGE_CALLS_MAX);
  const decidedAt = Math.min(...moved.map(({ times }) => times.decided));
  expect(reports.some(({ from, to }) => from >= decidedAt && to <= lastAccepted(moved))).toBe(true);
  const serving = await servingIn(dns);
  for (const { service } of moved) expect(serving.get(nameOf(service))).toEqual(["A us-east", "AAAA us-east"]);
  // Changes of one batch are asked after together.
  await settle();
  expect(dns.count("GetChange") - pollsBefore).toBeLessThanOrEqual(4 * CHANGE_CALLS_MAX);
}, 150_000);

test("one that somebody edits between our reading and our sending stays and is reported; 199 move within the same bounds", async () => {
  const { dns, world } = await begin();
  await settle();
  const before = dns.count(CHANGE);
  let isEdited = false;
  world.faults.around = async ({ name }, proceed) => {
    if (name === "dns.send" && !isEdited) {
      isEdited = true;
      await edit(dns, idOf(3));
    }
    return proceed();
  };
  const diedAt = die(world);
  const moved = await untilMoved(world, SERVICES - 1, ACCEPTED_MS_MAX);
  expect(lastAccepted(moved) - diedAt).toBeLessThanOrEqual(ACCEPTED_MS_MAX);
  // One of the calls was the editor's.
  expect(dns.count(CHANGE) - before - 1).toBeLessThanOrEqual(CHANGE_CALLS_MAX);
  expect(moved.some(({ service }) => service === idOf(3))).toBe(false);
  const drifted = (await eventsOf(world, "drift")).filter(({ page }) => page);
  expect(drifted.map(({ service }) => service)).toEqual([idOf(3)]);
  expect(drifted[0]?.why).toContain("ap-south");
  expect((await servingIn(dns)).get(nameOf(idOf(3)))).toContain("A eu-west");
}, 150_000);

test("while others use up the account, the most important names move first, and all of them in the end", async () => {
  const important = [190, 191, 192, 193, 194, 195, 196, 197, 198, 199];
  const { dns, world } = await begin((n) => (important.includes(n) ? { priority: 1 } : {}));
  await settle();
  dns.faults.set({ kind: "other-traffic", perSecond: 12 });
  await rest(2_000);
  dns.faults.clear();
  // Of 5 calls a second, less than 2 are left.
  dns.faults.set({ kind: "other-traffic", perSecond: 3.5 });
  die(world);
  const moved = await untilMoved(world, SERVICES, 90_000);
  const acceptedAt = (isWanted: (n: number) => boolean): number[] =>
    moved.filter(({ service }) => isWanted(Number(service.slice(1)))).map(({ times }) => times.accepted ?? 0);
  const first = Math.min(...moved.map(({ times }) => times.accepted ?? 0));
  expect(new Set(acceptedAt((n) => important.includes(n)))).toEqual(new Set([first]));
  expect(lastAccepted(moved)).toBeGreaterThan(first);
}, 200_000);
