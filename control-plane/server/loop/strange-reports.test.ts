/** Reports that are signed, have the right form, and are absurd; and two processes that report as one agent. Nothing moves by any of it. */
import type { Report } from "@regent/contract";
import { REPORT_OBSERVATIONS_MAX } from "@regent/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { breakRegion, changesOf, eventsOf, goOn, isHealthy, rest } from "../testing/play.ts";
import { testWorld, type World } from "../testing/world.ts";

const AGENT = "us-east-net-a";
const TARGET = "checkout/eu-west/web";
let world: World;

beforeEach(async () => {
  world = await testWorld();
  await world.until("healthy", () => isHealthy(world));
});
afterEach(() => world.stop());

const failing = { target: TARGET, ageMs: 0, outcome: "fail", reason: "tcp_refused", latencyMs: 1 } as const;

const absurdities: Readonly<Record<string, (report: Report) => Report>> = {
  "a latency of eleven days": (r) => ({ ...r, observations: r.observations.map((o) => ({ ...o, latencyMs: 1e9 })) }),
  "ages of 30 years": (r) => ({ ...r, observations: r.observations.map((o) => ({ ...failing, target: o.target, ageMs: 1e12 })) }),
  "targets that it isn't assigned": (r) => ({
    ...r,
    observations: [failing, ...["checkout/nowhere/web", "other/eu-west/web"].map((target) => ({ ...failing, target }))].slice(1),
  }),
  "the same target in every line": (r) => ({
    ...r,
    observations: Array.from({ length: REPORT_OBSERVATIONS_MAX }, () => failing),
  }),
  "a clock in the next century": (r) => ({
    ...r,
    sentAt: r.sentAt + 3e12,
    observations: r.observations.map((o) => ({ ...failing, target: o.target })),
  }),
  "a clock in 1970": (r) => ({ ...r, sentAt: 1, observations: r.observations.map((o) => ({ ...failing, target: o.target })) }),
  "a history of nonsense": (r) => ({
    ...r,
    observations: [],
    backfill: Array.from({ length: REPORT_OBSERVATIONS_MAX }, (_, n) => ({ observation: { ...failing, ageMs: n * 1e9 } })),
  }),
};

describe.for(Object.entries(absurdities))("an agent that tells %s", ([, change]) => {
  test("moves nothing alone, is taken or refused with a reason, and spoils nothing for the others", async () => {
    const before = await world.weights("checkout.example.test");
    for (let n = 0; n < 8; n += 1) {
      await world.reportAll();
      const { kind } = await world.report(AGENT, change);
      expect(["taken", "invalid-request"]).toContain(kind);
    }
    await goOn(world, 600);
    expect(await world.weights("checkout.example.test")).toEqual(before);
    expect(await changesOf(world)).toHaveLength(1);
    expect((await world.database.deadLetters.list({ limit: 9 })).length).toBe(0);
    await world.until("healthy", () => isHealthy(world), 3_000);
    expect((await eventsOf(world, "verdict")).filter((event) => event.page)).toEqual([]);
  });
});

describe.for([3_600_000, -3_600_000])("every agent's clock is off by %i ms from now on", (byMs) => {
  test("nothing moves; ahead, all is believed as before, and a dead region is left", async () => {
    const agents = world.declaration.agents.map(({ id }) => id);
    const off = (report: Report): Report => ({ ...report, sentAt: report.sentAt + byMs });
    const tell = async (ms: number): Promise<void> => {
      for (const end = performance.now() + ms; performance.now() < end; await rest(80))
        for (const agent of agents) await world.report(agent, off);
    };
    await tell(2_500);
    expect(await changesOf(world)).toHaveLength(1);
    // Set back: whether they hold old reports back can't be told apart, so they are unknown for some minutes (fold-report.test.ts).
    expect(await isHealthy(world)).toBe(byMs > 0);
    breakRegion(world, "eu-west");
    await tell(1_500);
    expect(await changesOf(world)).toHaveLength(byMs > 0 ? 2 : 1);
  });
});

describe("two processes that report as one agent", () => {
  const asBoot = (boot: number, sequence: number) => (report: Report) => ({ ...report, boot, sequence });

  test("are told once to a person, with both boots, and move nothing", async () => {
    const first = world.clock.now() - 60_000;
    const second = world.clock.now() - 30_000;
    expect((await world.report(AGENT, asBoot(first, 1))).kind).toBe("taken");
    expect((await world.report(AGENT, asBoot(second, 1))).kind).toBe("taken");
    for (let n = 2; n < 6; n += 1)
      expect(await world.report(AGENT, asBoot(first, n))).toMatchObject({ kind: "replayed", boot: second });
    const letters = await world.database.deadLetters.list({ limit: 9 });
    expect(letters.map(({ subject }) => subject)).toEqual([AGENT]);
    expect(letters[0]?.why).toContain(`boot ${first} goes on although boot ${second} began after it`);
    // Nor by another process of the control plane.
    const other = await world.addReplica();
    await other.controlPlane.ingestReport(world.signed(AGENT, asBoot(first, 9)(world.draftReport(AGENT))));
    expect(await world.database.deadLetters.list({ limit: 9 })).toHaveLength(1);
    expect(await changesOf(world)).toHaveLength(1);
  });

  test("a restart isn't two: what the old one sent last may come late", async () => {
    const second = world.clock.now() - 1_000;
    await world.report(AGENT, asBoot(second, 1));
    expect((await world.report(AGENT, asBoot(second - 60_000, 9))).kind).toBe("replayed");
    expect(await world.database.deadLetters.list({ limit: 9 })).toEqual([]);
  });
});
