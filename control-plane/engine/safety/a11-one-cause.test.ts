import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../decide.ts";
import type { Departure, Situation } from "../model.ts";
import { arbitrarySituation } from "../testing/arbitrary-situation.ts";
import { ALONE } from "../testing/dns.ts";
import { T0, testCheck } from "../testing/evidence.ts";
import { after, answerOf, ask, departure, failing, limited, standing } from "../testing/rules.ts";
import type { RegionChanges } from "../testing/situation.ts";
import { passiveSpec, request, votesDown } from "../testing/situation.ts";

const spec = limited({ correlationMs: 60_000 });
const bad = (detectedAt: number, vantages: readonly string[]): RegionChanges => ({
  verdict: "unhealthy",
  detectedAt,
  votes: votesDown("r1", vantages),
});
const ONE_NETWORK = ["r2/a", "r3/a"];
const TWO_NETWORKS = ["r2/a", "r3/b"];

describe("A11, together", () => {
  const cases: readonly {
    readonly title: string;
    readonly situation: Situation;
    readonly answer: string;
    readonly why: string;
  }[] = [
    {
      title: "a region that turns bad alone",
      situation: failing({ spec, regions: { r1: bad(T0 - 5_000, ONE_NETWORK) } }),
      answer: "allow",
      why: "r1 turned bad alone",
    },
    {
      title: "with another, seen from one network",
      situation: failing({
        spec,
        regions: { r1: bad(T0 - 5_000, ONE_NETWORK), r3: { verdict: "unhealthy", detectedAt: T0 - 65_000 } },
      }),
      answer: "require-approval",
      why: "r1 and r3 turned bad within 60 s of each other, 60 s or less may be one cause; r1 is seen down from outside on 1 network, 2 needed",
    },
    {
      title: "a millisecond further apart",
      situation: failing({
        spec,
        regions: { r1: bad(T0 - 5_000, ONE_NETWORK), r3: { verdict: "unhealthy", detectedAt: T0 - 65_001 } },
      }),
      answer: "allow",
      why: "r1 turned bad alone",
    },
    {
      title: "with another that is still on hold",
      situation: failing({
        spec,
        regions: { r1: bad(T0 - 5_000, ONE_NETWORK), r3: { evidence: "bad", detectedAt: T0 - 1_000 } },
      }),
      answer: "require-approval",
      why: "r1 and r3 turned bad within 4 s of each other, 60 s or less may be one cause; r1 is seen down from outside on 1 network, 2 needed",
    },
    {
      title: "with another, seen from two networks",
      situation: failing({
        spec,
        regions: { r1: bad(T0 - 5_000, TWO_NETWORKS), r3: { verdict: "unhealthy", detectedAt: T0 - 9_000 } },
      }),
      answer: "allow",
      why: "r1 and r3 turned bad within 4 s of each other, 60 s or less may be one cause; r1 is seen down from outside on 2 networks",
    },
    {
      title: "its own agents don't stand outside",
      situation: failing({
        spec,
        regions: { r1: bad(T0 - 5_000, ["r1/b", "r2/a"]), r3: { verdict: "unhealthy", detectedAt: T0 - 9_000 } },
      }),
      answer: "require-approval",
      why: "r1 and r3 turned bad within 4 s of each other, 60 s or less may be one cause; r1 is seen down from outside on 1 network, 2 needed",
    },
    {
      title: "where one network is all there is, one is enough",
      situation: failing({
        spec: { ...spec, quorumNetworks: 1 },
        regions: { r1: bad(T0 - 5_000, ONE_NETWORK), r3: { verdict: "unhealthy", detectedAt: T0 - 9_000 } },
      }),
      answer: "allow",
      why: "r1 and r3 turned bad within 4 s of each other, 60 s or less may be one cause; r1 is seen down from outside on 1 network",
    },
    {
      title: "right after a release of ours",
      situation: failing({
        spec,
        regions: { r1: bad(T0 - 5_000, ONE_NETWORK) },
        surroundings: { ...ALONE, releases: [{ kind: "configuration", version: null, at: T0 - 65_000 }] },
      }),
      answer: "require-approval",
      why: "r1 turned bad 60 s after our own release at 03:12:35Z; r1 is seen down from outside on 1 network, 2 needed",
    },
    {
      title: "right after a configuration of ours, which is named, and the way back",
      situation: failing({
        spec,
        regions: { r1: bad(T0 - 5_000, ONE_NETWORK) },
        surroundings: { ...ALONE, releases: [{ kind: "configuration", version: 7, at: T0 - 65_000 }] },
      }),
      answer: "require-approval",
      why: "r1 turned bad 60 s after our own release at 03:12:35Z of configuration version 7 (regent configuration rollback --to 6 goes back); r1 is seen down from outside on 1 network, 2 needed",
    },
    {
      title: "right after agents of another build, to which no configuration goes back",
      situation: failing({
        spec,
        regions: { r1: bad(T0 - 5_000, ONE_NETWORK) },
        surroundings: { ...ALONE, releases: [{ kind: "agents", at: T0 - 65_000 }] },
      }),
      answer: "require-approval",
      why: "r1 turned bad 60 s after our own release at 03:12:35Z of another agent build; r1 is seen down from outside on 1 network, 2 needed",
    },
    {
      title: "right after a configuration, and the next one came since: the fault is still the former's",
      situation: failing({
        spec,
        regions: { r1: bad(T0 - 5_000, ONE_NETWORK) },
        surroundings: {
          ...ALONE,
          releases: [
            { kind: "agents", at: T0 - 1_000 },
            { kind: "configuration", version: 8, at: T0 - 2_000 },
            { kind: "configuration", version: 7, at: T0 - 65_000 },
          ],
        },
      }),
      answer: "require-approval",
      why: "r1 turned bad 60 s after our own release at 03:12:35Z of configuration version 7 (regent configuration rollback --to 6 goes back); r1 is seen down from outside on 1 network, 2 needed",
    },
    {
      title: "later than that",
      situation: failing({
        spec,
        regions: { r1: bad(T0 - 5_000, ONE_NETWORK) },
        surroundings: { ...ALONE, releases: [{ kind: "configuration", version: null, at: T0 - 65_001 }] },
      }),
      answer: "allow",
      why: "r1 turned bad alone",
    },
    {
      title: "before the release",
      situation: failing({
        spec,
        regions: { r1: bad(T0 - 5_000, ONE_NETWORK) },
        surroundings: { ...ALONE, releases: [{ kind: "configuration", version: null, at: T0 - 4_999 }] },
      }),
      answer: "allow",
      why: "r1 turned bad alone",
    },
  ];
  it.each(cases)("$title: $answer", ({ situation, answer, why }) => {
    const decision = decide(situation, null);
    const clock = /at \d\d:\d\d:\d\dZ/;
    expect(answerOf(decision, "A11").why.replace(clock, "at …")).toBe(why.replace(clock, "at …"));
    expect(standing(decision)).toEqual(answer === "allow" ? [] : ["A11"]);
  });

  it("a release is suspected for ten times as long, and says until when", () => {
    const late = (ago: number): Situation =>
      failing({
        spec,
        regions: { r1: bad(T0 - ago, ONE_NETWORK) },
        surroundings: { ...ALONE, releases: [{ kind: "configuration", version: null, at: T0 - ago - 60_000 }] },
      });
    expect(ask("A11", late(5_000))).toMatchObject({ answer: "require-approval", until: T0 + 595_000 });
    expect(ask("A11", late(599_999))).toMatchObject({ answer: "require-approval", until: T0 + 1 });
    expect(ask("A11", late(600_000)).answer).toBe("allow");
  });

  it.each([
    { title: "two networks", vantages: ["r1/a", "r1/b"], answer: "allow" },
    { title: "one network", vantages: ["r1/a"], answer: "require-approval" },
  ])("where no check runs outside, $title inside: $answer", ({ vantages, answer }) => {
    const inner = { ...spec, checks: [testCheck({ id: "db", from: "inside" })] };
    const r1 = bad(T0 - 5_000, vantages);
    const together = { r1, r3: { verdict: "unhealthy", detectedAt: T0 - 9_000 } } as const;
    expect(ask("A11", failing({ spec: inner, regions: together })).answer).toBe(answer);
    const surroundings = { ...ALONE, releases: [{ kind: "configuration", version: null, at: T0 - 65_000 }] } as const;
    expect(ask("A11", failing({ spec: inner, regions: { r1 }, surroundings })).answer).toBe(answer);
  });

  it("is off without a time, and holds no operator", () => {
    const regions = { r1: bad(T0 - 5_000, ONE_NETWORK), r3: { verdict: "unhealthy", detectedAt: T0 - 5_000 } } as const;
    expect(decide(failing({ spec: limited({ correlationMs: 0 }), regions }), null).isAllowed).toBe(true);
    const decision = decide(failing({ spec, regions }), request({ kind: "failover", to: "r2" }));
    expect(decision.isAllowed).toBe(true);
    expect(answerOf(decision, "A11")).toMatchObject({ answer: "require-approval", skipped: true });
  });
});

describe("A11, in turn", () => {
  const poisoned = departure({ at: T0 - 1_800_000 });
  const R1: RegionChanges = bad(T0 - 5_000, TWO_NETWORKS);
  const R2: RegionChanges = { verdict: "unhealthy", detectedAt: T0 - 1_805_000 };
  const turned = (changed: Partial<Departure> = {}, r2: RegionChanges = R2, of = spec): Situation =>
    failing({ spec: of, traffic: after([{ ...poisoned, ...changed }], of), regions: { r1: R1, r2 } });

  it("is the only objection when the same finding has emptied every region that had traffic, whatever the evidence", () => {
    const decision = decide(turned(), null);
    expect(standing(decision)).toEqual(["A11"]);
    expect(answerOf(decision, "A11").why).toBe(
      "r1, r2 fell in turn within 1 h with the same finding, web down (tcp_refused): what follows the traffic follows it to the next region too",
    );
    expect(answerOf(decision, "A11").until).toBe(T0 + 1_800_000);
  });

  it.each([
    { title: "is well again", r2: {}, answer: "allow" },
    { title: "recovers", r2: { verdict: "recovering" }, answer: "require-approval" },
    { title: "fell silent", r2: { verdict: "unknown", before: "unhealthy" }, answer: "require-approval" },
  ] as const)("the first region $title: $answer", ({ r2, answer }) => {
    expect(ask("A11", turned({}, r2)).answer).toBe(answer);
  });

  it.each([
    { title: "another finding", changed: { findings: ["db down (pg_auth)"] }, answer: "allow" },
    { title: "nothing said", changed: { findings: [] }, answer: "allow" },
    { title: "an hour ago", changed: { at: T0 - 3_600_000 }, answer: "allow" },
    { title: "a millisecond less than an hour ago", changed: { at: T0 - 3_599_999 }, answer: "require-approval" },
    { title: "the same region again", changed: { left: ["r1"], received: ["r1"] }, answer: "allow" },
    { title: "a region that received traffic then and stands", changed: { received: ["r1", "r3"] }, answer: "allow" },
    { title: "a voluntary move", changed: { left: [] }, answer: "allow" },
  ])("$title before: $answer", ({ changed, answer }) => {
    expect(ask("A11", turned(changed)).answer).toBe(answer);
  });

  it("a region that still serves hasn't fallen", () => {
    const spread = limited({ correlationMs: 60_000 }, passiveSpec({ trickle: 0.1 }));
    expect(ask("A11", turned({}, { verdict: "recovering" }, spread)).answer).toBe("allow");
  });

  it("law: two networks outside for each region that is left, and no departure before, is always enough", () => {
    fc.assert(
      fc.property(arbitrarySituation, ({ situation, asked }) => {
        const verdicts = situation.verdicts.map((one) => ({ ...one, votes: votesDown(one.region, ["x/a", "y/b"]) }));
        const { rules } = decide({ ...situation, verdicts, traffic: { ...situation.traffic, departures: [] } }, asked);
        if (rules.length > 0) expect(answerOf({ rules }, "A11").answer).toBe("allow");
      }),
    );
  });
});
