import type { Facts } from "@regent/contract";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AgentEvidence, DatabaseView } from "../model.ts";
import { statefulSpec } from "../testing/databases.ts";
import { T0 } from "../testing/evidence.ts";
import { type DatabaseEvidence, seeDatabases } from "./see-databases.ts";

const SPEC = statefulSpec();
const PRIMARY: Facts = { role: "primary", readOnly: false };
const READ_ONLY: Facts = { role: "primary", readOnly: true };
const STANDBY: Facts = { role: "standby", readOnly: true, walReceivers: 1, replayGapBytes: 0, lagSeconds: 0 };
const CUT: Facts = { role: "standby", readOnly: true, walReceivers: 0, replayGapBytes: 0, lagSeconds: null };

/** `at`: `region/network` or `region/network/2`. */
const agent = (at: string, changed: Partial<AgentEvidence> = {}): AgentEvidence => {
  const [region = "", network = ""] = at.split("/");
  return { agent: at, vantage: { region, network }, heardAt: T0 - 500, selfHealthy: true, reportMs: 5_000, ...changed };
};

const row = (at: string, facts: Facts | null, changed: Partial<DatabaseEvidence> = {}): DatabaseEvidence => {
  const { agent: id, vantage } = agent(at);
  const outcome = facts === null ? "fail" : "ok";
  const reason = facts === null ? "tcp_refused" : null;
  return { agent: id, vantage, region: vantage.region, at: T0 - 1_000, facts, outcome, reason, ...changed };
};

interface Given {
  readonly agents?: readonly AgentEvidence[];
  readonly previous?: readonly DatabaseView[];
  readonly now?: number;
}

const see = (rows: readonly DatabaseEvidence[], given: Given = {}): DatabaseView => {
  const heardAt = (given.now ?? T0) - 500;
  const agents = given.agents ?? [...new Set(rows.map((one) => one.agent))].map((id) => agent(id, { heardAt }));
  const views = seeDatabases({ spec: SPEC, rows, agents, now: given.now ?? T0, previous: given.previous ?? [] });
  expect(views.map(({ region }) => region)).toEqual(["r1", "r2", "r3"]);
  return views[0]!;
};

describe("seeDatabases", () => {
  it.each([
    ["a primary that takes writes", [row("r1/a", PRIMARY)], "writable", "r1 writes, seen from 1 vantage"],
    [
      "a primary that takes none",
      [row("r1/a", READ_ONLY)],
      "read-only",
      "r1 is a primary that refuses writes, seen from 1 vantage",
    ],
    [
      "a standby",
      [row("r1/a", STANDBY), row("r1/b", STANDBY)],
      "standby",
      "r1 is a standby, replication connected, 0 ms behind at 03:11:59Z, seen from 2 vantages",
    ],
    [
      "two vantages that contradict each other",
      [row("r1/a", PRIMARY), row("r1/b", STANDBY)],
      "split",
      "r1 is seen in two ways: standby from b, writable from a",
    ],
    [
      "the newest of one vantage's agents",
      [row("r1/a", STANDBY, { at: T0 - 4_000 }), row("r1/a/2", PRIMARY)],
      "writable",
      "r1 writes, seen from 1 vantage",
    ],
    [
      "a failure beside a sight",
      [row("r1/a", PRIMARY, { at: T0 - 4_000 }), row("r1/b", null)],
      "writable",
      "r1 writes, seen from 1 vantage",
    ],
    ["failures only", [row("r1/a", null)], "unseen", "no agent inside r1 sees a role: fail (tcp_refused)"],
    ["nothing", [], "unseen", "no agent inside r1 saw its database lately"],
    ["a look from outside", [row("r2/a", PRIMARY, { region: "r1" })], "unseen", "no agent inside r1 saw its database lately"],
    ["an old sight", [row("r1/a", PRIMARY, { at: T0 - 17_001 })], "unseen", "no agent inside r1 saw its database lately"],
    [
      "a primary that doesn't say whether it takes writes",
      [row("r1/a", { role: "primary" })],
      "unseen",
      "no agent inside r1 sees a role: ok",
    ],
    [
      "facts of something else",
      [row("r1/a", { role: "arbiter", readOnly: false })],
      "unseen",
      "no agent inside r1 sees a role: ok",
    ],
  ])("%s is seen", (_, rows, role, why) => {
    expect(see(rows)).toMatchObject({ role, why });
  });

  it.each([
    ["silent", agent("r1/a", { heardAt: T0 - 17_001 })],
    ["never heard", agent("r1/a", { heardAt: null })],
    ["unwell itself", agent("r1/a", { selfHealthy: false })],
    ["not declared", agent("r1/other")],
  ])("an agent that is %s isn't believed", (_, who) => {
    expect(see([row("r1/a", PRIMARY)], { agents: [who] }).role).toBe("unseen");
  });

  it("judges lag by the last value while connected, and keeps when the link was first seen lost", () => {
    const lagging = { ...STANDBY, replayGapBytes: 512, lagSeconds: 1.25 };
    const first = see([row("r1/a", lagging)]);
    expect(first).toMatchObject({ lagMs: 1_250, lagAt: T0 - 1_000, linkLostAt: null });
    const cut = see([row("r1/a", CUT, { at: T0 + 4_000 })], { previous: [first], now: T0 + 5_000 });
    expect(cut).toMatchObject({ lagMs: 1_250, lagAt: T0 - 1_000, linkLostAt: T0 + 4_000, seenAt: T0 + 4_000 });
    expect(cut.why).toContain("replication cut since 03:12:04Z, 1 s behind at 03:11:59Z");
    const later = see([row("r1/a", CUT, { at: T0 + 60_000 })], { previous: [cut], now: T0 + 61_000 });
    expect(later.linkLostAt).toBe(T0 + 4_000);
    const gone = see([], { previous: [later], now: T0 + 90_000 });
    expect(gone).toMatchObject({ role: "unseen", lagMs: 1_250, lagAt: T0 - 1_000, linkLostAt: T0 + 4_000, seenAt: null });
    const back = see([row("r1/a", STANDBY, { at: T0 + 91_000 })], { previous: [gone], now: T0 + 92_000 });
    expect(back).toMatchObject({ lagMs: 0, lagAt: T0 + 91_000, linkLostAt: null });
  });

  it("a standby that was never connected has no lag, and one whose lag can't be told keeps the last", () => {
    expect(see([row("r1/a", CUT)])).toMatchObject({ lagMs: null, lagAt: null, linkLostAt: T0 - 1_000 });
    const unknown = { ...STANDBY, replayGapBytes: 9, lagSeconds: null };
    expect(see([row("r1/a", unknown)])).toMatchObject({ lagMs: null, linkLostAt: null });
    const told = see([row("r1/a", STANDBY)]);
    const next = see([row("r1/a", unknown, { at: T0 + 4_000 })], { previous: [told], now: T0 + 5_000 });
    expect(next).toMatchObject({ lagMs: 0, lagAt: T0 - 1_000, linkLostAt: null });
  });

  it("of vantages that see the link differently the newest counts, and the loss began after the last that saw it", () => {
    const rows = [row("r1/a", STANDBY, { at: T0 - 3_000 }), row("r1/b", CUT, { at: T0 - 2_000 })];
    expect(see(rows)).toMatchObject({ linkLostAt: T0 - 2_000, lagAt: T0 - 3_000 });
    expect(see([row("r1/a", STANDBY), row("r1/b", CUT, { at: T0 - 2_000 })]).linkLostAt).toBeNull();
    const both = [row("r1/a", CUT, { at: T0 - 3_000 }), row("r1/b", CUT, { at: T0 - 2_000 })];
    expect(see(both).linkLostAt).toBe(T0 - 3_000);
  });

  it("what is promoted has lagged no more when it is a standby again", () => {
    const standby = see([row("r1/a", STANDBY)]);
    const promoted = see([row("r1/a", PRIMARY, { at: T0 + 4_000 })], { previous: [standby], now: T0 + 5_000 });
    expect(promoted).toMatchObject({ role: "writable", lagMs: null, lagAt: null, linkLostAt: null });
    const again = see([row("r1/a", CUT, { at: T0 + 9_000 })], { previous: [promoted], now: T0 + 10_000 });
    expect(again).toMatchObject({ role: "standby", lagMs: null, linkLostAt: T0 + 9_000 });
  });

  const facts = fc.constantFrom<Facts | null>(PRIMARY, READ_ONLY, STANDBY, CUT, { ...STANDBY, lagSeconds: 3 }, null, {
    version: "8",
  });
  const anyRow = fc
    .record({ at: fc.constantFrom("r1/a", "r1/a/2", "r1/b", "r2/a"), facts, ago: fc.integer({ min: 0, max: 25_000 }) })
    .map((one) => row(one.at, one.facts, { at: T0 - one.ago }));
  const rows = fc.uniqueArray(anyRow, { maxLength: 4, selector: ({ agent: id }) => id });

  it("law: the order of rows is nothing, and looking twice sees the same", () => {
    fc.assert(
      fc.property(rows, rows, (before, now) => {
        const previous = [see(before, { now: T0 - 1_000 })];
        const view = see(now, { previous });
        expect(see([...now].reverse(), { previous })).toEqual(view);
        expect(see(now, { previous: [view] })).toEqual(view);
      }),
    );
  });

  it("law: writable is only what every inside vantage with a fresh sight of a role calls so", () => {
    fc.assert(
      fc.property(rows, (all) => {
        const view = see(all);
        const inside = all.filter(({ region, at }) => region === "r1" && T0 - at <= 17_000);
        if (view.role === "writable") {
          expect(inside.some((one) => one.facts === PRIMARY)).toBe(true);
          const [newest] = inside.filter((one) => typeof one.facts?.role === "string").sort((a, b) => b.at - a.at);
          expect(newest?.facts).toBe(PRIMARY);
        }
        if (inside.length === 0) expect(view.role).toBe("unseen");
      }),
    );
  });
});
