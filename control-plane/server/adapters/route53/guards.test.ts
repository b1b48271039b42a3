/** Route 53 goes away and comes back, on the real SDK against the sandbox: nothing is half said, and no send waits longer than it must. */
import { setTimeout as pause } from "node:timers/promises";
import type { RecordSet } from "@regent/engine";
import { afterEach, expect, test } from "vitest";
import { createGuards, type Guards } from "../guard/guards.ts";
import { createApiBudget } from "./budget.ts";
import { createRoute53Provider, type Route53Provider } from "./dns-provider.ts";

interface Sandbox {
  readonly endpoint: string;
  readonly zoneIds: Readonly<Record<string, string>>;
  readonly faults: {
    readonly set: (fault: Readonly<Record<string, unknown>>) => string;
    readonly clear: (id?: string) => unknown;
  };
  readonly close: () => Promise<void>;
}
interface SandboxModule {
  readonly startRoute53Sandbox: (options: Readonly<Record<string, unknown>>) => Promise<Sandbox>;
}

const ZONE = "example.test";
const credentials = { accessKeyId: "AKIDSANDBOXGUARD", secretAccessKey: "only-for-this-test" };
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const open = async (
  timeoutMs = 300,
): Promise<{ sandbox: Sandbox; provider: Route53Provider; guards: Guards; zoneId: string }> => {
  const path = new URL("../../../../infra/sandbox/route53-sandbox.ts", import.meta.url).href;
  const { startRoute53Sandbox } = (await import(/* @vite-ignore */ path)) as SandboxModule;
  const sandbox = await startRoute53Sandbox({ credentials: [credentials], zones: [ZONE] });
  const guards = createGuards();
  const provider = createRoute53Provider({
    endpoint: sandbox.endpoint,
    credentials,
    budget: createApiBudget({ ratePerSecond: 1_000, burst: 1_000, monotonic: () => performance.now() }),
    guards,
    breakers: {
      change: { failures: 3, successes: 2, openMs: 200 },
      read: { failures: 3, successes: 2, openMs: 200 },
      poll: { failures: 3, successes: 2, openMs: 200 },
    },
    timeouts: { sendMs: timeoutMs, readMs: timeoutMs },
  });
  closers.push(() => sandbox.close());
  closers.push(async () => provider.close());
  return { sandbox, provider, guards, zoneId: sandbox.zoneIds[ZONE]! };
};

const record = (value: string): RecordSet => ({ name: `www.${ZONE}`, type: "A", ttl: 5, values: [value] });
const stateOf = (guards: Guards, name: string): string => guards.views(0).find((view) => view.name === name)!.state;

test("sends into silence are unknown; once it is open they are surely not sent; the first after the open time lands", async () => {
  const { sandbox, provider, guards, zoneId } = await open();
  const send = (value: string) => provider.send(zoneId, { deletes: [], creates: [record(value)], comment: "guards" });
  const fault = sandbox.faults.set({ kind: "timeout-before" });
  for (let n = 0; n < 3; n += 1) expect((await send("192.0.2.1")).kind).toBe("unknown");
  expect(stateOf(guards, "route53-change")).toBe("open");
  const begunAt = performance.now();
  const refused = await send("192.0.2.2");
  expect(performance.now() - begunAt).toBeLessThan(100);
  expect(refused).toEqual({
    kind: "not-sent",
    why: expect.stringContaining("route53-change is open"),
    nextTryMs: expect.any(Number),
  });
  sandbox.faults.clear(fault);
  const mendedAt = performance.now();
  await expect.poll(async () => (await send("192.0.2.3")).kind, { interval: 20, timeout: 5_000 }).toBe("accepted");
  // The open time, a look each 20 ms, and the call.
  expect(performance.now() - mendedAt).toBeLessThan(1_000);
  const read = await provider.readNames(zoneId, [`www.${ZONE}`]);
  expect(read.kind === "sets" && read.sets.map(({ values }) => values)).toEqual([["192.0.2.3"]]);
});

test("throttled, refused, denied and busy calls are answers: however many, no guard opens", async () => {
  const { sandbox, provider, guards, zoneId } = await open();
  for (const kind of ["throttle", "prior-request"] as const) {
    const fault = sandbox.faults.set({ kind });
    for (let n = 0; n < 6; n += 1)
      expect((await provider.send(zoneId, { deletes: [], creates: [record("192.0.2.1")], comment: kind })).kind).not.toBe(
        "unknown",
      );
    sandbox.faults.clear(fault);
  }
  const missing = { deletes: [record("192.0.2.99")], creates: [], comment: "guards" };
  for (let n = 0; n < 6; n += 1) expect((await provider.send(zoneId, missing)).kind).toBe("refused");
  for (let n = 0; n < 6; n += 1) expect((await provider.send("ZNOBODYS", missing)).kind).toBe("denied");
  expect(stateOf(guards, "route53-change")).toBe("closed");
  expect(guards.views(0).find(({ name }) => name === "route53-change")!.counts).toMatchObject({
    answered: 24,
    failed: 0,
    refused: 0,
  });
});

test("polls that hang neither hold up nor shut out a send", async () => {
  const { sandbox, provider, guards, zoneId } = await open(700);
  const accepted = await provider.send(zoneId, { deletes: [], creates: [record("192.0.2.1")], comment: "guards" });
  const id = accepted.kind === "accepted" ? accepted.changeInfoId : "";
  sandbox.faults.set({ kind: "timeout-before", operations: ["GetChange"] });
  const polls = Array.from({ length: 40 }, () => provider.readChange(id));
  await pause(100);
  expect(guards.views(0).find(({ name }) => name === "route53-poll")).toMatchObject({ underWay: 4, waiting: 36 });
  const begunAt = performance.now();
  const sent = await provider.send(zoneId, {
    deletes: [record("192.0.2.1")],
    creates: [record("192.0.2.2")],
    comment: "while polls hang",
  });
  expect(sent.kind).toBe("accepted");
  expect(performance.now() - begunAt).toBeLessThan(500);
  await Promise.all(polls);
  expect(stateOf(guards, "route53-poll")).toBe("open");
  expect(stateOf(guards, "route53-change")).toBe("closed");
});

test("what is given up while it waits for the account never reaches Route 53, and speaks against nobody", async () => {
  const { sandbox, guards, zoneId } = await open();
  const budget = createApiBudget({ ratePerSecond: 1, burst: 1, monotonic: () => performance.now() });
  const provider = createRoute53Provider({ endpoint: sandbox.endpoint, credentials, budget, guards });
  closers.push(async () => provider.close());
  await budget.take("change");
  const givenUp = new AbortController();
  const batch = { deletes: [], creates: [record("192.0.2.1")], comment: "given up" };
  const begunAt = performance.now();
  const sending = provider.send(zoneId, { ...batch, mayLeave: () => !givenUp.signal.aborted, givenUp: givenUp.signal });
  givenUp.abort();
  expect((await sending).kind).toBe("not-sent");
  expect(performance.now() - begunAt).toBeLessThan(900);
  const read = await provider.readNames(zoneId, [`www.${ZONE}`]);
  expect(read).toEqual({ kind: "sets", sets: [] });
  expect(guards.views(0).find(({ name }) => name === "route53-change")!.counts).toMatchObject({ answered: 0, failed: 0 });
});
