/** Laws of the lease in one process: sure only for as long as nobody else can lead, and back by itself. */
import { pino } from "pino";
import { afterEach, expect, test, vi } from "vitest";
import { createMemoryLease } from "../adapters/memory/lease.ts";
import { GIVEN_UP_MS, LEASE_GUARD_MS, LEASE_RENEW_MS, LEASE_TTL_MS } from "../limits.ts";
import type { Lease } from "../ports/lease.ts";
import { createLeadership, type LeadershipDeps } from "./leadership.ts";

vi.mock("node:timers/promises", async (original) => ({
  ...(await original<typeof import("node:timers/promises")>()),
  setTimeout: (ms: number, _: unknown, { signal }: { signal: AbortSignal }) => sleepUntil(ms, signal),
}));

/** One clock for everybody, moved by hand. */
let now = 0;
let sleepers: { at: number; wake: () => void }[] = [];
const sleepUntil = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    sleepers.push({ at: now + ms, wake: resolve });
    signal.addEventListener("abort", () => reject(new Error("aborted")));
  });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const pass = async (ms: number): Promise<void> => {
  for (const end = now + ms; now < end; ) {
    const next = Math.min(end, ...sleepers.map(({ at }) => at).filter((at) => at > now));
    now = next;
    const due = sleepers.filter(({ at }) => at <= now);
    sleepers = sleepers.filter(({ at }) => at > now);
    for (const { wake } of due) wake();
    await turn();
  }
};

const clock = { now: () => now, monotonic: () => now };
let running: { stop: () => Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.map((each) => each.stop()));
  running = [];
  sleepers = [];
});

const setUp = (lease: Lease, more: Partial<LeadershipDeps> = {}) => {
  const heard: string[] = [];
  const leadership = createLeadership({
    mayLead: () => true,
    holder: "me",
    lease,
    clock,
    log: pino({ level: "silent" }),
    onGained: async (term) => void heard.push(`gained ${term}`),
    onLost: () => void heard.push("lost"),
    ...more,
  });
  running.push(leadership);
  return { leadership, heard };
};

const start = async (lease: Lease, more: Partial<LeadershipDeps> = {}) => {
  const set = setUp(lease, more);
  set.leadership.start();
  await turn();
  return set;
};

test("a free lease is taken, and kept by renewing", async () => {
  const { leadership, heard } = await start(createMemoryLease({ clock }));
  expect(leadership.isLeading()).toBe(true);
  await pass(10 * LEASE_TTL_MS);
  expect(leadership.isLeading()).toBe(true);
  expect(heard).toEqual(["gained 1"]);
});

test("a process that may not lead leaves a free lease alone, and takes it when it may", async () => {
  const lease = createMemoryLease({ clock });
  let mayLead = false;
  const { leadership } = await start(lease, { mayLead: () => mayLead });
  await pass(10 * LEASE_TTL_MS);
  expect(await lease.read()).toBeNull();
  mayLead = true;
  await pass(LEASE_TTL_MS);
  expect(leadership.isLeading()).toBe(true);
});

test("it is sure no longer than the database would keep the lease for it, a guard before that", async () => {
  const lease = createMemoryLease({ clock });
  let isAway = false;
  const orAway = async <T>(call: () => Promise<T>): Promise<T> => {
    if (isAway) throw new Error("away");
    return call();
  };
  const away: Lease = {
    ...lease,
    acquire: (...args) => orAway(() => lease.acquire(...args)),
    renew: (...args) => orAway(() => lease.renew(...args)),
  };
  const { leadership, heard } = await start(away);
  isAway = true;
  await pass(LEASE_TTL_MS - LEASE_GUARD_MS - 1);
  expect(leadership.isLeading()).toBe(true);
  await pass(1);
  expect(leadership.isLeading()).toBe(false);
  await pass(LEASE_RENEW_MS);
  expect(heard).toEqual(["gained 1", "lost"]);
  isAway = false;
  await pass(LEASE_RENEW_MS);
  expect(heard).toEqual(["gained 1", "lost", "gained 2"]);
});

test("an answer that comes late makes the local lease no longer", async () => {
  const lease = createMemoryLease({ clock });
  let answer = (): void => undefined;
  const slow: Lease = {
    ...lease,
    acquire: async (...args) => {
      const view = await lease.acquire(...args);
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return view;
    },
  };
  const { leadership } = await start(slow);
  now += LEASE_TTL_MS;
  answer();
  await turn();
  expect(leadership.isLeading()).toBe(false);
});

test("another holder is waited for, and followed as soon as its lease is free", async () => {
  const lease = createMemoryLease({ clock });
  await lease.acquire("other", LEASE_TTL_MS, 0);
  const { leadership, heard } = await start(lease);
  await pass(LEASE_TTL_MS - 1_000);
  expect(leadership.isLeading()).toBe(false);
  await pass(4_000);
  expect(leadership.isLeading()).toBe(true);
  expect(heard).toEqual(["gained 2"]);
});

test("held is not yet leading: what must be read first is read again until it succeeds", async () => {
  let failures = 2;
  const gained: number[] = [];
  const { leadership } = await start(createMemoryLease({ clock }), {
    onGained: async (term) => {
      if (failures-- > 0) throw new Error("away");
      gained.push(term);
    },
  });
  expect(leadership.isLeading()).toBe(false);
  await pass(3 * LEASE_RENEW_MS);
  expect(leadership.isLeading()).toBe(true);
  expect(gained).toEqual([1]);
});

test("a higher term in DNS raises ours above it, and begins anew under that", async () => {
  const { leadership, heard } = await start(createMemoryLease({ clock }));
  leadership.sawTerm(41);
  await pass(LEASE_RENEW_MS);
  expect([leadership.term(), leadership.isLeading()]).toEqual([42, true]);
  leadership.sawTerm(7);
  await pass(2 * LEASE_RENEW_MS);
  expect(heard).toEqual(["gained 1", "gained 42"]);
});

test("being told that an older term of ours was fenced doesn't end the present one", async () => {
  const { leadership } = await start(createMemoryLease({ clock }));
  leadership.sawTerm(41);
  await pass(LEASE_RENEW_MS);
  await leadership.stepDown(1);
  expect(leadership.isLeading()).toBe(true);
  await leadership.stepDown(42);
  expect(leadership.isLeading()).toBe(false);
});

test("stepping down while it still reads leaves nobody leading by mistake", async () => {
  let letGo = (): void => undefined;
  const lost: string[] = [];
  const { leadership } = await start(createMemoryLease({ clock }), {
    onGained: () =>
      new Promise<void>((resolve) => {
        letGo = resolve;
      }),
    onLost: () => void lost.push("lost"),
  });
  await leadership.stepDown();
  letGo();
  await turn();
  expect(leadership.isLeading()).toBe(false);
  expect(lost).toEqual(["lost"]);
});

test("given up, the lease is another's for the taking; where nobody takes it, it is taken again", async () => {
  const lease = createMemoryLease({ clock });
  const { leadership, heard } = await start(lease);
  await leadership.giveUp("nothing can be written from here");
  expect(await lease.read()).toBeNull();
  await pass(1_000);
  const other = await start(lease, { holder: "other" });
  expect(other.leadership.isLeading()).toBe(true);
  await other.leadership.giveUp("neither from here");
  await pass(GIVEN_UP_MS);
  expect([leadership.isLeading(), other.leadership.isLeading()]).toEqual([true, false]);
  expect(heard).toEqual(["gained 1", "lost", "gained 3"]);
});

test("stopping releases the lease, so that the next one needn't wait", async () => {
  const lease = createMemoryLease({ clock });
  const { leadership, heard } = await start(lease);
  await leadership.stop();
  expect(await lease.read()).toBeNull();
  expect(heard).toEqual(["gained 1", "lost"]);
});

test("a lease given up while its renewal is under way stays given up", async () => {
  const lease = createMemoryLease({ clock });
  const held: (() => void)[] = [];
  const { leadership, heard } = await start({
    ...lease,
    renew: async (...args) => {
      const view = await lease.renew(...args);
      await new Promise<void>((resolve) => held.push(resolve));
      return view;
    },
  });
  await pass(LEASE_RENEW_MS);
  expect(held.length).toBe(1);
  await leadership.giveUp("Route 53 was not reached");
  for (const answer of held.splice(0)) answer();
  await turn();
  expect(leadership.isLeading()).toBe(false);
  expect(await lease.read()).toBeNull();
  await pass(GIVEN_UP_MS - 1_000);
  expect(heard).toEqual(["gained 1", "lost"]);
});
