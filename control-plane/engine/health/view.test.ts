import { describe, expect, it, test } from "vitest";
import type { AgentSight } from "../testing/evidence.ts";
import { T0, testCheck, testEvidence, testMemory, testServiceSpec } from "../testing/evidence.ts";
import { assess } from "./view.ts";

const spec = testServiceSpec();
const HOLD = { longest: 15_000, long: 7_429, shortest: 3_000 };

const look = (agents: readonly AgentSight[], { of = spec, suspects = [] as readonly string[], previous = null as never } = {}) =>
  assess({ spec: of, region: "r1", evidence: testEvidence({ spec: of, region: "r1", agents, suspects }), previous, now: T0 });

const down = { web: "down" } as const;
const INSIDE: Readonly<Record<string, readonly AgentSight[]>> = {
  up: [{ at: "r1/a" }, { at: "r1/b" }],
  single: [{ at: "r1/a", sees: { db: "down" } }, { at: "r1/b" }],
  down: [
    { at: "r1/a", sees: { db: "down" } },
    { at: "r1/b", sees: { db: "down" } },
  ],
  silent: [
    { at: "r1/a", heardMsAgo: 60_000 },
    { at: "r1/b", heardMsAgo: null },
  ],
};
const OUTSIDE: Readonly<Record<string, readonly AgentSight[]>> = {
  up: [{ at: "r2/a" }, { at: "r2/b" }, { at: "r3/a" }, { at: "r3/b" }],
  none: [],
  mixed: [{ at: "r2/a", sees: down }, { at: "r2/b" }, { at: "r3/a" }, { at: "r3/b" }],
  "weak-up": [{ at: "r2/b" }],
  "weak-down": [{ at: "r2/b", sees: down }],
  down: [
    { at: "r2/a", sees: down },
    { at: "r2/b", sees: down },
    { at: "r3/a", sees: down },
    { at: "r3/b", sees: down },
  ],
};

describe("the table of inside and outside views", () => {
  it.each([
    ["up", "up", "good", [], null],
    ["up", "none", "good", [], null],
    ["up", "weak-up", "good", ["weak"], null],
    ["up", "mixed", "soft", ["partial"], null],
    ["up", "weak-down", "soft", ["partial", "weak"], null],
    ["up", "down", "bad", ["gray"], HOLD.shortest],
    ["single", "up", "soft", ["single"], null],
    ["single", "none", "soft", ["single"], null],
    ["single", "weak-up", "soft", ["single", "weak"], null],
    ["single", "mixed", "soft", ["single"], null],
    ["single", "weak-down", "bad", ["single", "weak"], HOLD.longest],
    ["single", "down", "bad", ["single"], HOLD.shortest],
    ["down", "up", "bad", [], HOLD.longest],
    ["down", "none", "bad", [], HOLD.longest],
    ["down", "weak-up", "bad", ["weak"], HOLD.longest],
    ["down", "mixed", "bad", [], HOLD.long],
    ["down", "weak-down", "bad", ["weak"], HOLD.long],
    ["down", "down", "bad", [], HOLD.shortest],
    ["silent", "up", "good", ["blind-inside"], null],
    ["silent", "none", "unknown", [], null],
    ["silent", "weak-up", "unknown", ["weak"], null],
    ["silent", "mixed", "unknown", [], null],
    ["silent", "weak-down", "unknown", ["weak"], null],
    ["silent", "down", "bad", [], HOLD.shortest],
  ] as const)("inside %s and outside %s is %s", (inside, outside, kind, flags, hold) => {
    const seen = look([...INSIDE[inside]!, ...OUTSIDE[outside]!]);
    expect(seen).toMatchObject({ inside, outside, kind, flags });
    if (hold !== null) expect(seen.holdMs).toBe(hold);
  });

  it.each([
    ["up", 2, HOLD.long],
    ["up", 3, HOLD.shortest],
    ["single", 2, HOLD.shortest],
    ["down", 2, HOLD.shortest],
    ["silent", 2, HOLD.long],
    ["silent", 3, HOLD.shortest],
  ] as const)("inside %s with %i vantages down outside holds %i ms", (inside, downs, hold) => {
    const far = [{ at: "r2/a" }, { at: "r3/b" }, { at: "r2/b" }].slice(0, downs).map((one) => ({ ...one, sees: down }));
    expect(look([...INSIDE[inside]!, ...far])).toMatchObject({ kind: "bad", outside: "down", holdMs: hold });
  });

  test("a weak vote down from the network of the single inside vantage confirms nothing", () => {
    const seen = look([...INSIDE.single!, { at: "r2/a", sees: down }]);
    expect(seen).toMatchObject({ kind: "soft", flags: ["single", "weak"] });
  });

  test("two votes down that miss the quorum confirm a single inside vantage as one would", () => {
    const seen = look([...INSIDE.single!, { at: "r2/b", sees: down }, { at: "r3/b", sees: down }]);
    expect(seen).toMatchObject({ kind: "bad", outside: "mixed", holdMs: HOLD.longest });
  });
});

describe("outside", () => {
  it.each<[string, readonly AgentSight[], string]>([
    [
      "exactly half down is mixed",
      [{ at: "r2/a", sees: down }, { at: "r3/b", sees: down }, { at: "r2/b" }, { at: "r3/a" }],
      "mixed",
    ],
    [
      "two of three over two networks and two regions is down",
      [{ at: "r2/a", sees: down }, { at: "r3/b", sees: down }, { at: "r2/b" }],
      "down",
    ],
    [
      "one network is mixed",
      [
        { at: "r2/a", sees: down },
        { at: "r3/a", sees: down },
      ],
      "mixed",
    ],
    [
      "one region is mixed where another has a vantage",
      [{ at: "r2/a", sees: down }, { at: "r2/b", sees: down }, { at: "r3/a" }],
      "mixed",
    ],
    [
      "one region is down where no other has one",
      [
        { at: "r2/a", sees: down },
        { at: "r2/b", sees: down },
      ],
      "down",
    ],
    ["a split vantage has no vote", [{ at: "r2/a/1", sees: down }, { at: "r2/a/2" }], "none"],
    [
      "a split vantage elsewhere still asks for two regions",
      [{ at: "r2/a", sees: down }, { at: "r2/b", sees: down }, { at: "r3/a/1", sees: down }, { at: "r3/a/2" }],
      "mixed",
    ],
    [
      "agents of one vantage are one vote",
      [{ at: "r2/a/1", sees: down }, { at: "r2/a/2", sees: down }, { at: "r2/a/3" }],
      "weak-down",
    ],
    [
      "a falling check is still up",
      [
        { at: "r2/a", sees: { web: "falling" } },
        { at: "r3/b", sees: { web: "falling" } },
      ],
      "up",
    ],
    ["a result that can't judge is no vote", [{ at: "r2/a", sees: { web: "blind" } }, { at: "r3/b" }], "weak-up"],
    ["an unwell agent's failure is no vote", [{ at: "r2/a", sees: down, selfHealthy: false }, { at: "r3/b" }], "weak-up"],
    ["an unwell agent's pass is a vote", [{ at: "r2/a", selfHealthy: false }, { at: "r3/b" }], "up"],
    ["a stale result is no vote", [{ at: "r2/a", sees: down, seenMsAgo: 17_001 }, { at: "r3/b" }], "weak-up"],
    ["a result at the limit of freshness is a vote", [{ at: "r2/a", sees: down, seenMsAgo: 17_000 }, { at: "r3/b" }], "mixed"],
    ["an agent not heard of has no vote", [{ at: "r2/a", sees: down, heardMsAgo: 17_001 }, { at: "r3/b" }], "weak-up"],
  ])("%s", (_law, agents, outside) => {
    expect(look(agents).outside).toBe(outside);
  });

  test("with one network declared enough, two regions on it are a quorum", () => {
    const of = testServiceSpec({ quorumNetworks: 1 });
    expect(
      look(
        [
          { at: "r2/a", sees: down },
          { at: "r3/a", sees: down },
        ],
        { of },
      ).outside,
    ).toBe("down");
  });

  test("a suspect vantage has no vote, and the sentence names it", () => {
    const seen = look([{ at: "r2/a", sees: down }, { at: "r3/b" }], { suspects: ["r2/a"] });
    expect(seen.outside).toBe("weak-up");
    expect(seen.why).toContain("without a vote, as suspect: r2/a");
    expect(seen.votes.find(({ vantage }) => vantage === "r2/a")).toMatchObject({ vote: "none", suspect: true });
  });

  test("a check of scope shared, a major and a minor check fail no region", () => {
    const of = testServiceSpec({
      checks: [
        testCheck({ id: "web" }),
        testCheck({ id: "cdn", scope: "shared" }),
        testCheck({ id: "search", criticality: "major" }),
        testCheck({ id: "ads", criticality: "minor" }),
      ],
    });
    const sees = { cdn: "down", search: "down", ads: "down" } as const;
    const seen = look(
      ["r1/a", "r1/b", "r2/a", "r3/b"].map((at) => ({ at, sees })),
      { of },
    );
    expect(seen).toMatchObject({ kind: "good", inside: "up", outside: "up", isDegradedHard: true });
    expect(seen.why).toContain("shared cdn is down at 4 agents, which fails no region");
    expect(seen.why).toContain("search (major) is down at 4 vantages");
  });
});

describe("inside", () => {
  const deep = testServiceSpec({
    checks: [
      testCheck({ id: "web" }),
      testCheck({ id: "db", from: "inside" }),
      testCheck({ id: "ready", from: "outside", deep: true }),
    ],
  });

  test("two vantages that see different checks down confirm nothing", () => {
    expect(
      look([
        { at: "r1/a", sees: { db: "down" } },
        { at: "r1/b", sees: { web: "down" } },
      ]).inside,
    ).toBe("single");
  });

  test("an outside vantage on another network that sees a deep check down confirms one inside vantage", () => {
    const agents = [{ at: "r1/a", sees: { db: "down" } }, { at: "r1/b" }] as const;
    const seesDeep = { ready: "down" } as const;
    expect(look([...agents, { at: "r2/b", sees: seesDeep }, { at: "r3/a" }, { at: "r3/b" }], { of: deep }).inside).toBe("down");
    expect(look([...agents, { at: "r2/a", sees: seesDeep }, { at: "r3/a" }, { at: "r3/b" }], { of: deep }).inside).toBe("single");
    expect(look([...agents, { at: "r2/b", sees: down }, { at: "r3/a" }, { at: "r3/b" }], { of: deep }).inside).toBe("single");
  });

  test("with one network declared enough, two agents of it suffice and one doesn't", () => {
    const of = testServiceSpec({ quorumNetworks: 1 });
    const sees = { db: "down" } as const;
    expect(
      look(
        [
          { at: "r1/a/1", sees },
          { at: "r1/a/2", sees },
        ],
        { of },
      ).inside,
    ).toBe("down");
    expect(look([{ at: "r1/a/1", sees }], { of }).inside).toBe("single");
  });

  it.each<[string, readonly AgentSight[], string]>([
    ["no inside agent at all", [], "no agent stands in the region"],
    ["no fresh inside result", [{ at: "r1/a", heardMsAgo: 60_000 }], "no fresh inside agent could judge web"],
    ["a check that nobody could judge", [{ at: "r1/a", sees: { db: "blind" } }], "no fresh inside agent could judge db"],
    ["a check never reported", [{ at: "r1/a", sees: { db: null } }], "no fresh inside agent could judge db"],
    [
      "agents of the only vantage that are split",
      [{ at: "r1/a/1", sees: { db: "down" } }, { at: "r1/a/2" }],
      "inside agents are split over db",
    ],
  ])("%s is silent, and says so", (_case, agents, because) => {
    const seen = look([...agents, ...OUTSIDE.up!]);
    expect(seen).toMatchObject({ inside: "silent", kind: "good", flags: ["blind-inside"] });
    expect(seen.why).toContain(`inside is silent: ${because}`);
  });

  test("without a declared inside check it is silent", () => {
    const of = testServiceSpec({ checks: [testCheck({ id: "web", from: "outside" })] });
    expect(look([{ at: "r1/a" }, ...OUTSIDE.up!], { of }).why).toContain("no inside check is declared");
  });

  test("inside agents not heard for two report intervals are silent while the outside is down, and only then", () => {
    const quiet = [
      { at: "r1/a", heardMsAgo: 10_001 },
      { at: "r1/b", heardMsAgo: 10_001 },
    ];
    expect(look([...quiet, ...OUTSIDE.down!])).toMatchObject({ inside: "silent", kind: "bad", flags: [] });
    expect(look([...quiet, ...OUTSIDE.mixed!]).inside).toBe("up");
    expect(look([...quiet.map((one) => ({ ...one, heardMsAgo: 10_000 })), ...OUTSIDE.down!])).toMatchObject({
      inside: "up",
      flags: ["gray"],
      nextLookAt: T0 + 1,
    });
  });
});

describe("the rest of an assessment", () => {
  it.each<[string, readonly AgentSight[], string]>([
    [
      "a dead region",
      [{ at: "r1/a", sees: down }, { at: "r1/b", sees: down }, ...OUTSIDE.down!],
      "4 of 4 outside vantages on 2 networks see web failing (tcp_refused) since 03:11:56Z; inside 2 of 2 see it too",
    ],
    ["all well", [...INSIDE.up!, ...OUTSIDE.up!], "2 of 2 inside and 4 of 4 outside vantages see it up"],
    [
      "a dead database",
      [...INSIDE.down!, ...OUTSIDE.up!],
      "2 of 2 inside vantages on 2 networks see db failing (tcp_refused) since 03:11:56Z; 4 of 4 outside vantages see it up",
    ],
    [
      "one doubter",
      [...INSIDE.up!, ...OUTSIDE.mixed!],
      "1 of 4 outside vantages (r2/a) sees web failing (tcp_refused) since 03:11:56Z; 2 of 2 inside vantages see it up",
    ],
    ["nothing heard", [], "no outside vantage has a fresh vote; inside is silent: no agent stands in the region"],
    ["a lone witness", [{ at: "r1/a" }, { at: "r2/b" }], "1 of 1 inside and 1 of 1 outside vantages see it up"],
  ])("the sentence of %s", (_case, agents, why) => {
    expect(look(agents).why).toBe(why);
  });

  test("every vantage that is asked has its vote with a reason, in order", () => {
    const seen = look([
      { at: "r2/b", heardMsAgo: 60_000 },
      { at: "r1/a" },
      { at: "r2/a", sees: down },
      { at: "r3/a", heardMsAgo: null },
    ]);
    expect(seen.votes).toEqual([
      { vantage: "r1/a", view: "inside", vote: "up", because: "db, web up", suspect: false },
      { vantage: "r2/a", view: "outside", vote: "down", because: "web down (tcp_refused) since 03:11:56Z", suspect: false },
      { vantage: "r2/b", view: "outside", vote: "none", because: "not heard since 03:11:00Z", suspect: false },
      { vantage: "r3/a", view: "outside", vote: "none", because: "never heard", suspect: false },
    ]);
  });

  test("the fault's first sign is the oldest failure that the votes rest on", () => {
    expect(look([...INSIDE.down!, { at: "r2/a", sees: down, seenMsAgo: 5_000 }]).failingSince).toBe(T0 - 8_000);
    expect(look([...INSIDE.up!, ...OUTSIDE.up!]).failingSince).toBeNull();
  });

  test("the next look is when the oldest result in use grows stale, and never without evidence", () => {
    expect(
      look([
        { at: "r1/a", seenMsAgo: 4_000 },
        { at: "r2/a", heardMsAgo: 7_000 },
      ]).nextLookAt,
    ).toBe(T0 + 10_001);
    expect(look([]).nextLookAt).toBeNull();
  });

  test("an agent that moved takes nothing along", () => {
    const evidence = testEvidence({ spec, region: "r1", agents: [...INSIDE.up!, ...OUTSIDE.up!] });
    const moved = {
      ...evidence,
      agents: evidence.agents.map((one) => (one.agent === "r2-a" ? { ...one, vantage: { region: "r9", network: "a" } } : one)),
    };
    const seen = assess({ spec, region: "r1", evidence: moved, previous: null, now: T0 });
    expect(seen.votes.find(({ vantage }) => vantage === "r9/a")?.vote).toBe("none");
    expect(seen.why).toBe("2 of 2 inside and 3 of 3 outside vantages see it up");
  });

  test("suppression of what was believed before shows as a flag", () => {
    const evidence = testEvidence({ spec, region: "r1", agents: INSIDE.up! });
    expect(assess({ spec, region: "r1", evidence, previous: testMemory({ isSuppressed: true }), now: T0 }).flags).toEqual([
      "suppressed",
    ]);
  });
});

describe("degradation and score", () => {
  const slowSpec = testServiceSpec({ checks: [testCheck({ id: "web", latencyWarnMs: 200, latencyCritMs: 1_000 })] });
  const slow = { web: "slow" } as const;
  const well = ["r1/a", "r1/b", "r2/a", "r2/b", "r3/a", "r3/b"].map((at) => ({ at }));
  const with_ = (changed: readonly AgentSight[]) => well.map((one) => changed.find(({ at }) => at === one.at) ?? one);

  it.each<[string, readonly AgentSight[], boolean, boolean]>([
    ["nobody", [], false, false],
    ["one vantage", [{ at: "r2/a", sees: slow }], false, true],
    [
      "two vantages of one network",
      [
        { at: "r2/a", sees: slow },
        { at: "r3/a", sees: slow },
      ],
      false,
      true,
    ],
    [
      "two vantages on two networks",
      [
        { at: "r2/a", sees: slow },
        { at: "r1/b", sees: slow },
      ],
      true,
      false,
    ],
  ])("slowness seen by %s", (_who, changed, isDegradedHard, isDegradedSoft) => {
    expect(look(with_(changed), { of: slowSpec })).toMatchObject({ kind: "good", isDegradedHard, isDegradedSoft });
  });

  test("with one network declared enough, two vantages of it make a hard finding", () => {
    const of = { ...slowSpec, quorumNetworks: 1 };
    expect(
      look(
        with_([
          { at: "r2/a", sees: slow },
          { at: "r3/a", sees: slow },
        ]),
        { of },
      ).isDegradedHard,
    ).toBe(true);
  });

  it.each<[string, readonly AgentSight[], number | null]>([
    ["all well", well, 100],
    ["no evidence", [], null],
    ["all at the critical latency", well.map((one) => ({ ...one, sees: slow })), 50],
    ["all with one of three failures", well.map((one) => ({ ...one, sees: { web: "falling" as const } })), 67],
    ["one of six down: mixed", with_([{ at: "r2/a", sees: down }]), 70],
    ["an outside quorum down", with_(["r2/a", "r2/b", "r3/a"].map((at) => ({ at, sees: down }))), 0],
    ["blind inside", well.slice(2), 90],
  ])("the score of %s", (_case, agents, score) => {
    expect(look(agents, { of: slowSpec }).score).toBe(score);
  });

  test("a major check down at two vantages on two networks caps the score at 60, at one vantage it only lowers it", () => {
    const of = testServiceSpec({ checks: [testCheck({ id: "web" }), testCheck({ id: "search", criticality: "major" })] });
    const sees = { search: "down" } as const;
    expect(
      look(
        with_([
          { at: "r2/a", sees },
          { at: "r3/b", sees },
        ]),
        { of },
      ),
    ).toMatchObject({ score: 60, isDegradedHard: true });
    expect(look(with_([{ at: "r2/a", sees }]), { of })).toMatchObject({ score: 96, isDegradedSoft: true, kind: "good" });
  });
});
