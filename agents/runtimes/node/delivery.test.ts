import type { Assignment } from "@regent/contract";
import { foldOutcome, STREAK_START, type Streak } from "@regent/engine/streak";
import { afterEach, describe, expect, it } from "vitest";
import { type Batch, createBatch } from "../../core/batch.ts";
import type { Part } from "../../core/part.ts";
import type { TimedObservation } from "../../core/probe-result.ts";
import { createSpool } from "../../core/spool.ts";
import { backoffMs } from "./backoff.ts";
import { systemClock } from "./clock.ts";
import { createDelivery, type Delivery } from "./delivery.ts";
import { type Answer, toAnswer } from "./transport.ts";

const cadence = { intervalMs: 5_000, recheckMs: 1_000, timeoutMs: 2_000, fall: 1, clear: 1, rise: 1 };
const assignment = (target: string): Assignment => ({
  target,
  cadence,
  probe: { kind: "tcp", address: "192.0.2.1:80", onSlow: "degrade" },
});
const taken: Answer = { kind: "taken", receipt: { ack: 1, serverTime: 0 } };
const refused: Answer = { kind: "retry", why: "ECONNREFUSED" };

const running: Delivery[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((delivery) => delivery.stop(systemClock.now() + 100)));
});

/** A delivery whose answers are given in order, the last for ever. */
const start = (answers: readonly Answer[], controlPlanes = ["a"], spooled: readonly TimedObservation[] = []) => {
  const spool = createSpool({ bytesMax: 1e6, ageMaxMs: 1e6 });
  spool.add(spooled, systemClock.now());
  const batch = createBatch({ spool, observationsMax: 500 });
  batch.configure([assignment("shop/eu/a"), assignment("shop/eu/b")], 60_000);
  const sent: { controlPlane: string; part: Part }[] = [];
  const delivery = createDelivery({
    clock: systemClock,
    batch,
    controlPlanes,
    reportIntervalMs: () => 60_000,
    chance: () => 0.5,
    send: async (controlPlane, part) => {
      sent.push({ controlPlane, part });
      return answers[Math.min(sent.length, answers.length) - 1]!;
    },
    onReceipt: async () => undefined,
    onSkew: () => undefined,
    onAnswer: () => undefined,
  });
  running.push(delivery);
  return { batch, sent, delivery, spool };
};

const note = (batch: Batch, target: string, before: Streak = STREAK_START, isTransition = true): Streak => {
  const after = foldOutcome(before, "fail", cadence);
  batch.note({
    target,
    at: systemClock.now(),
    result: { outcome: "fail", reason: "tcp_refused", latencyMs: 1 },
    isTransition,
    before,
    after,
  });
  return after;
};

describe("delivery", () => {
  it("sends a transition that came while an earlier report was tried again right after it", async () => {
    const { batch, sent, delivery } = start([taken, refused, refused, refused, refused, taken]);
    await expect.poll(() => sent.length).toBe(1);
    note(batch, "shop/eu/a");
    delivery.push();
    await expect.poll(() => sent.length, { interval: 2 }).toBeGreaterThan(2);
    note(batch, "shop/eu/b");
    delivery.push();
    // With the other one behind it: a failed try makes the next listing full.
    await expect
      .poll(() => sent.at(-1)?.part.observations.map(({ target }) => target), { timeout: 2_000 })
      .toEqual(["shop/eu/b", "shop/eu/a"]);
    expect(sent.map(({ part }) => part.sequence)).toEqual([1, 2, 2, 2, 2, 2, 3]);
  });

  it("goes on at once with what is live when history is told to wait", async () => {
    const wait: Answer = { kind: "wait", afterMs: 60_000, isTurnedAway: true, why: "too-many-requests" };
    const { batch, sent, delivery, spool } = start(
      [taken, wait, taken],
      ["a", "b"],
      [
        {
          target: "shop/eu/a",
          at: systemClock.now(),
          isTransition: true,
          result: { outcome: "fail", reason: "tcp_refused", latencyMs: 1 },
        },
      ],
    );
    await expect.poll(() => sent.length).toBe(2);
    expect(sent[1]?.part.backfill).toHaveLength(1);
    note(batch, "shop/eu/a");
    delivery.push();
    await expect.poll(() => sent.length).toBe(3);
    // To the same replica, and without what has to wait.
    expect(sent.map(({ controlPlane }) => controlPlane)).toEqual(["a", "a", "a"]);
    expect(sent[2]?.part).toMatchObject({ observations: [{ target: "shop/eu/a" }], backfill: [] });
    expect(spool.size()).toBe(1);
  });

  it("tries every replica before it waits", async () => {
    const { sent } = start([refused, refused, taken], ["a", "b", "c"]);
    await expect.poll(() => sent.map(({ controlPlane }) => controlPlane)).toEqual(["a", "b", "c"]);
  });

  it("waits as long as it is told to, whatever happens meanwhile", async () => {
    const { batch, sent, delivery } = start([{ kind: "wait", afterMs: 300, isTurnedAway: false, why: "database-away" }, taken]);
    await expect.poll(() => sent.length).toBe(1);
    const from = systemClock.now();
    note(batch, "shop/eu/a");
    delivery.push();
    await expect.poll(() => sent.length, { interval: 5 }).toBe(2);
    expect(systemClock.now() - from).toBeGreaterThanOrEqual(290);
  });

  const full: Answer = { kind: "wait", afterMs: 600, isTurnedAway: true, why: "too-many-requests" };

  it("brings news at once though the lane for what is live was full, and only once", async () => {
    const { batch, sent, delivery } = start([full, full, taken]);
    await expect.poll(() => sent.length).toBe(1);
    note(batch, "shop/eu/a");
    delivery.push();
    await expect.poll(() => sent.length, { interval: 5, timeout: 400 }).toBe(2);
    expect(sent[1]?.part).toMatchObject({ sequence: 2, observations: [{ target: "shop/eu/a", isTransition: true }] });
    const from = systemClock.now();
    note(batch, "shop/eu/b");
    delivery.push();
    await expect.poll(() => sent.length, { interval: 5 }).toBe(3);
    expect(systemClock.now() - from).toBeGreaterThanOrEqual(500);
    expect(sent[2]?.part.sequence).toBe(2);
  });

  it("tells nothing under a new sequence that an earlier try may have told", async () => {
    const { batch, sent, delivery } = start([taken, refused, full, taken]);
    await expect.poll(() => sent.length).toBe(1);
    note(batch, "shop/eu/b", STREAK_START, false);
    delivery.push();
    await expect.poll(() => sent.length).toBe(3);
    note(batch, "shop/eu/a");
    delivery.push();
    await expect.poll(() => sent.length, { timeout: 2_000 }).toBe(5);
    expect(sent.map(({ part }) => part.sequence)).toEqual([1, 2, 2, 2, 3]);
  });

  it("halves a report that is too large until it fits", async () => {
    const { batch, sent, delivery } = start([taken, { kind: "too-large" }, taken]);
    await expect.poll(() => sent.length).toBe(1);
    for (const target of ["shop/eu/a", "shop/eu/b"]) note(batch, target);
    delivery.push();
    await expect.poll(() => sent.map(({ part }) => part.observations.length)).toEqual([0, 2, 1, 1]);
  });

  it("backs off with jitter that doubles to its bound", () => {
    expect([1, 2, 3, 4, 20].map((failures) => backoffMs(failures, 2_000, 1))).toEqual([100, 200, 400, 800, 2_000]);
    expect(backoffMs(5, 2_000, 0)).toBe(10);
  });
});

describe("answers", () => {
  const problem = (slug: string, more: object = {}): string =>
    JSON.stringify({ type: `https://regent.invalid/problems/${slug}`, ...more });
  it.each<[string, number, string, string | undefined, object]>([
    [
      "a receipt",
      200,
      JSON.stringify({ ack: 3, serverTime: 5 }),
      undefined,
      { kind: "taken", receipt: { ack: 3, serverTime: 5 } },
    ],
    ["a proxy's page", 200, "<html>", undefined, { kind: "retry" }],
    ["a replay", 409, problem("replayed-report"), undefined, { kind: "taken-before" }],
    ["a replay of our own boot", 409, problem("replayed-report", { boot: 7 }), undefined, { kind: "taken-before" }],
    ["a later boot of our own", 409, problem("replayed-report", { boot: 8 }), undefined, { kind: "displaced", boot: 8 }],
    ["another conflict", 409, problem("change-in-flight"), undefined, { kind: "retry" }],
    ["clock skew", 401, problem("clock-skew", { serverTime: 77 }), undefined, { kind: "skewed", serverTime: 77 }],
    ["an unknown key", 401, problem("unknown-signer"), undefined, { kind: "refresh" }],
    ["a revoked agent", 403, problem("wrong-place"), undefined, { kind: "fatal" }],
    ["too large", 413, problem("too-large"), undefined, { kind: "too-large" }],
    ["unreadable", 400, problem("invalid-request"), undefined, { kind: "unreadable" }],
    ["too many", 429, problem("too-many-requests"), "3", { kind: "wait", afterMs: 3_000, isTurnedAway: true }],
    ["too many, for an hour", 429, problem("too-many-requests"), "3600", { kind: "wait", afterMs: 60_000 }],
    ["too many, no time", 429, "", undefined, { kind: "wait", afterMs: 1_000 }],
    ["away, with a time", 503, problem("database-away"), "2", { kind: "wait", afterMs: 2_000, isTurnedAway: false }],
    ["away", 503, problem("database-away"), undefined, { kind: "retry", why: "database-away" }],
    ["a broken gateway", 502, "", undefined, { kind: "retry", why: "http-502" }],
  ])("%s (%i)", (_, code, body, retryAfter, expected) => {
    expect(toAnswer(code, { body, retryAfter }, 7)).toMatchObject(expected);
  });
});
