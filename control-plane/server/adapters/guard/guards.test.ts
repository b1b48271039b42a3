/** Guards around work that hangs, fails and comes back: what runs at once, what is refused, how fast, and what is told. */
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { createGuards, type Guard, type GuardChange, GuardRefused } from "./guards.ts";
import { GUARDS_MAX } from "./limits.ts";
import { retry } from "./retry.ts";

const BREAKER = { failures: 3, successes: 2, openMs: 60 };
const fail = (guard: Guard): Promise<unknown> =>
  guard
    .run({ work: () => Promise.reject(Object.assign(new Error("secret text"), { code: "ECONNRESET" })) })
    .catch((error: unknown) => error);
const succeed = (guard: Guard): Promise<string> => guard.run({ work: async () => "answer" });

test("open within 100 ms of the failure that opens it, told, counted, and closed again by two answers", async () => {
  const changes: GuardChange[] = [];
  const guards = createGuards({ onChange: (change) => changes.push(change) });
  const guard = guards.get({ name: "route53-change", breaker: BREAKER });
  for (let n = 0; n < 3; n += 1) await fail(guard);
  const failedAt = performance.now();
  const refused = await succeed(guard).catch((error: unknown) => error);
  expect(performance.now() - failedAt).toBeLessThan(100);
  expect(refused).toBeInstanceOf(GuardRefused);
  expect(refused).toMatchObject({
    reason: "open",
    message: expect.stringMatching(/^route53-change is open; next try in \d+ ms$/),
  });
  expect(guard.view(1_000)).toMatchObject({
    state: "open",
    failures: 3,
    lastFailure: "ECONNRESET",
    limits: { ...BREAKER, atOnce: 20 },
    counts: { answered: 0, failed: 3, refused: 1, turnedAway: 0, retried: 0, opened: 1 },
  });
  expect(guard.view(1_000).openUntil).toBeGreaterThan(1_000);
  await pause(BREAKER.openMs + 5);
  expect(await succeed(guard)).toBe("answer");
  expect(guard.view(1_000).state).toBe("half-open");
  await succeed(guard);
  expect(guard.view(1_000)).toMatchObject({ state: "closed", failures: 0, openUntil: null });
  expect(changes.map(({ before, state }) => `${before} -> ${state}`)).toEqual([
    "closed -> open",
    "open -> half-open",
    "half-open -> closed",
  ]);
});

test("ten thousand refusals cost less than 100 ms each by far", async () => {
  const guard = createGuards().get({ name: "x", breaker: { ...BREAKER, openMs: 60_000 } });
  for (let n = 0; n < 3; n += 1) await fail(guard);
  const took: number[] = [];
  for (let n = 0; n < 10_000; n += 1) {
    const begunAt = performance.now();
    await succeed(guard).catch(() => undefined);
    took.push(performance.now() - begunAt);
  }
  expect(took.sort((a, b) => a - b)[9_900]).toBeLessThan(10);
});

test("errors that don't speak against the dependency never open it, and count as answers", async () => {
  const guard = createGuards().get({
    name: "x",
    breaker: BREAKER,
    isFailure: (error) => (error as Error).message !== "AccessDenied",
  });
  for (let n = 0; n < 20; n += 1)
    await guard.run({ work: () => Promise.reject(new Error("AccessDenied")) }).catch(() => undefined);
  expect(guard.view(0)).toMatchObject({ state: "closed", counts: { answered: 20, failed: 0 } });
});

test("a failure that comes as a value opens it too", async () => {
  const guard = createGuards().get({ name: "x", breaker: BREAKER });
  for (let n = 0; n < 3; n += 1) await guard.run({ work: async () => "silence", hasFailed: (answer) => answer === "silence" });
  expect(guard.view(0)).toMatchObject({ state: "open", lastFailure: "no answer" });
});

test("so many at once, so many waiting in order, the rest turned away; a refusal leaves no place taken", async () => {
  const guard = createGuards().get({ name: "x", gate: { atOnce: 2, queue: 3 } });
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const call = (n: number): Promise<number> =>
    guard.run({
      work: () => {
        begun.push(n);
        return new Promise<number>((resolve) => ends.push(() => resolve(n)));
      },
    });
  const calls = [0, 1, 2, 3, 4].map(call);
  await expect(call(5)).rejects.toMatchObject({ reason: "full" });
  expect(begun).toEqual([0, 1]);
  expect(guard.view(0)).toMatchObject({ underWay: 2, waiting: 3, counts: { turnedAway: 1 } });
  for (let n = 0; n < 5; n += 1) {
    await expect.poll(() => ends.length).toBeGreaterThan(n);
    ends[n]!();
  }
  expect(await Promise.all(calls)).toEqual([0, 1, 2, 3, 4]);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
  expect(guard.view(0)).toMatchObject({ underWay: 0, waiting: 0 });
});

test("those who wait while it opens are refused, not sent", async () => {
  const guard = createGuards().get({
    name: "x",
    breaker: { ...BREAKER, failures: 1, openMs: 60_000 },
    gate: { atOnce: 1, queue: 100 },
  });
  let sent = 0;
  const work = async (): Promise<never> => {
    sent += 1;
    await pause(5);
    throw new Error("down");
  };
  const errors = await Promise.all(Array.from({ length: 50 }, () => guard.run({ work }).catch((error: unknown) => error)));
  expect(sent).toBe(1);
  expect(errors.filter((error) => error instanceof GuardRefused)).toHaveLength(49);
  expect(guard.view(0)).toMatchObject({ underWay: 0, waiting: 0 });
});

test("a call that hangs is aborted at its end, and that is a failure", async () => {
  const guard = createGuards().get({ name: "x", breaker: BREAKER });
  let isAborted = false;
  const hangs = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) =>
      signal.addEventListener("abort", () => {
        isAborted = true;
        reject(new Error("aborted"));
      }),
    );
  await expect(guard.run({ timeoutMs: 10, work: hangs })).rejects.toThrow("no answer within 10 ms");
  expect(isAborted).toBe(true);
  expect(guard.view(0)).toMatchObject({ failures: 1, lastFailure: "DeadlinePassed" });
});

test("what shows by another way that it answers closes it at once", async () => {
  const guard = createGuards().get({ name: "x", breaker: { ...BREAKER, openMs: 60_000 } });
  for (let n = 0; n < 3; n += 1) await fail(guard);
  guard.noteAnswer();
  expect(await succeed(guard)).toBe("answer");
});

test("one name is one guard; guards of different names don't touch each other; old ones are forgotten in the end", async () => {
  const guards = createGuards();
  const first = guards.get({ name: "resolver:192.0.2.1:53", kind: "resolver", breaker: BREAKER });
  for (let n = 0; n < 3; n += 1) await fail(first);
  expect(guards.get({ name: "resolver:192.0.2.1:53" })).toBe(first);
  expect(await succeed(guards.get({ name: "resolver:192.0.2.2:53" }))).toBe("answer");
  for (let n = 0; n < 3_000; n += 1) guards.get({ name: `resolver:n${n}` });
  expect(guards.views(0)).toHaveLength(GUARDS_MAX);
});

test("a retry pauses within its bounds, stops at what can't pass, and gives the last error", async () => {
  const pauses: number[] = [];
  let lastAt = 0;
  let tries = 0;
  const work = async (): Promise<never> => {
    const now = performance.now();
    if (tries > 0) pauses.push(now - lastAt);
    lastAt = now;
    tries += 1;
    throw new Error(`try ${tries}`);
  };
  await expect(retry(work, { triesMax: 4, pauseMs: 10, pauseMsMax: 30, mayPass: () => true, random: () => 1 })).rejects.toThrow(
    "try 4",
  );
  for (const [index, least] of [10, 20, 30].entries()) expect(pauses[index]).toBeGreaterThanOrEqual(least - 1.5);
  tries = 0;
  await expect(retry(work, { triesMax: 4, pauseMs: 10, mayPass: () => false })).rejects.toThrow("try 1");
});

test("the code of a failure is found below what wraps it", async () => {
  const guard = createGuards().get({ name: "postgres" });
  const cut = Object.assign(new Error("connect 192.0.2.9:5432"), { code: "ECONNREFUSED" });
  for (const error of [new Error("query failed", { cause: cut }), new AggregateError([cut]), cut]) {
    await expect(guard.run({ work: () => Promise.reject(error) })).rejects.toThrow();
    expect(guard.view(0).lastFailure).toBe("ECONNREFUSED");
  }
});
