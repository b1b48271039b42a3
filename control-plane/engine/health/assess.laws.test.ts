/** Laws of assess for all evidence: what must hold whatever the agents say. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AgentEvidence, CheckEvidence, Evidence } from "../model.ts";
import type { AgentSight, Sight } from "../testing/evidence.ts";
import { T0, testCheck, testEvidence, testServiceSpec } from "../testing/evidence.ts";
import { assess } from "./view.ts";

const REGION = "r1";
const CHECKS = [
  testCheck({ id: "web" }),
  testCheck({ id: "db", from: "inside" }),
  testCheck({ id: "ready", from: "outside", deep: true }),
  testCheck({ id: "search", criticality: "major" }),
];
const SEATS = ["r1", "r2", "r3"].flatMap((region) =>
  ["a", "b"].flatMap((network) => ["1", "2"].map((number) => `${region}/${network}/${number}`)),
);
const KIND_RANK = { bad: 0, soft: 1, unknown: 1, good: 2 } as const;

const specOf = (quorumNetworks: number) => testServiceSpec({ checks: CHECKS, quorumNetworks });
const assessNow = (evidence: Evidence, quorumNetworks = 2) =>
  assess({ spec: specOf(quorumNetworks), region: REGION, evidence, previous: null, now: T0 });
const toEvidence = (agents: readonly AgentSight[], suspects: readonly string[] = []) =>
  testEvidence({ spec: specOf(2), region: REGION, agents, suspects });

const sight = fc.constantFrom<Sight | null>("up", "up", "down", "down", "falling", "slow", "blind", null);
const sees = fc.record({ web: sight, db: sight, ready: sight, search: sight });
const seats = fc.subarray(SEATS);
const quorum = fc.constantFrom(1, 2);

const agentAt = (at: string) =>
  fc.record({
    at: fc.constant(at),
    sees,
    heardMsAgo: fc.constantFrom(0, 1_000, 9_000, 12_000, 17_000, 17_001, null),
    seenMsAgo: fc.constantFrom(0, 1_000, 17_000, 17_001),
    selfHealthy: fc.constantFrom(true, true, true, false),
  });
const agents = seats.chain((all) => fc.tuple(...all.map(agentAt)));
const suspects = fc.subarray(["r1/a", "r2/b", "r3/a"]);
const evidence = fc.tuple(agents, suspects).map(([all, some]) => toEvidence(all, some));

/** Agents that see all well, except the liars, who say anything. */
const withLiars = (isLiar: (at: string) => boolean) =>
  seats.chain((all) => fc.tuple(...all.map((at) => (isLiar(at) ? agentAt(at) : fc.constant<AgentSight>({ at })))));

describe("no few can move a region that everybody else sees up", () => {
  const vantages = ["r1/a", "r1/b", "r2/a", "r2/b", "r3/a", "r3/b"];

  test("one agent, with one network enough", () => {
    const said = fc.constantFrom(...SEATS).chain((liar) => withLiars((at) => at === liar));
    fc.assert(fc.property(said, (all) => void expect(assessNow(toEvidence(all), 1).kind).not.toBe("bad")));
  });

  test("one vantage, with two networks needed", () => {
    const said = fc.constantFrom(...vantages).chain((liar) => withLiars((at) => at.startsWith(liar)));
    fc.assert(fc.property(said, (all) => void expect(assessNow(toEvidence(all)).kind).not.toBe("bad")));
  });

  test("a whole network, with two networks needed", () => {
    const said = fc.constantFrom("a", "b").chain((liar) => withLiars((at) => at.split("/")[1] === liar));
    fc.assert(
      fc.property(said, (all) => void expect(assessNow(toEvidence(all)).kind).not.toBe("bad")),
      { numRuns: 300 },
    );
  });
});

describe("silence", () => {
  test("no failing result at a self-healthy, fresh agent: never bad and never soft", () => {
    const isFailing = (row: CheckEvidence, agent: AgentEvidence | undefined): boolean =>
      row.streak.state === "down" && row.outcome !== "unknown" && agent?.selfHealthy === true;
    fc.assert(
      fc.property(evidence, quorum, (drawn, networks) => {
        const byId = new Map(drawn.agents.map((agent) => [agent.agent, agent]));
        const checks = drawn.checks.filter((row) => row.check === "search" || !isFailing(row, byId.get(row.agent)));
        expect(["good", "unknown"]).toContain(assessNow({ ...drawn, checks }, networks).kind);
      }),
    );
  });

  test("bad rests on a fresh failed result of a self-healthy agent that is not suspect", () => {
    fc.assert(
      fc.property(evidence, quorum, (drawn, networks) => {
        const byId = new Map(drawn.agents.map((agent) => [agent.agent, agent]));
        const hasFailure = drawn.checks.some((row) => {
          const agent = byId.get(row.agent);
          const isFresh = agent !== undefined && agent.heardAt !== null && T0 - Math.min(agent.heardAt, row.at) <= 17_000;
          const isSuspect = drawn.suspects.has(`${row.vantage.region}/${row.vantage.network}`);
          return row.streak.state === "down" && isFresh && agent.selfHealthy && !isSuspect;
        });
        fc.pre(assessNow(drawn, networks).kind === "bad");
        expect(hasFailure).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test("when nobody is heard, nothing is known", () => {
    fc.assert(
      fc.property(evidence, (drawn) => {
        const silenced = { ...drawn, agents: drawn.agents.map((agent) => ({ ...agent, heardAt: T0 - 17_001 })) };
        expect(assessNow(silenced)).toMatchObject({ kind: "unknown", score: null, failingSince: null, nextLookAt: null });
      }),
    );
  });
});

describe("order and repetition", () => {
  test("reordered lists with duplicates and older copies give the same assessment", () => {
    const shuffled = evidence.chain((drawn) => {
      const older = drawn.checks.map((row) => ({
        ...row,
        at: row.at - 1,
        streak: { state: "down", failures: 3, passes: 0 } as const,
      }));
      const unheard = drawn.agents.map((agent) => ({ ...agent, heardAt: null, selfHealthy: true }));
      const rows = [...drawn.checks, ...drawn.checks, ...older];
      const all = [...drawn.agents, ...drawn.agents, ...unheard];
      return fc.tuple(
        fc.constant(drawn),
        fc.shuffledSubarray(rows, { minLength: rows.length }),
        fc.shuffledSubarray(all, { minLength: all.length }),
      );
    });
    fc.assert(
      fc.property(shuffled, quorum, ([drawn, checks, all], networks) => {
        expect(assessNow({ ...drawn, checks, agents: all }, networks)).toEqual(assessNow(drawn, networks));
      }),
    );
  });

  test("evidence about other regions and services changes nothing", () => {
    fc.assert(
      fc.property(evidence, evidence, fc.constantFrom("region", "service"), (drawn, other, key) => {
        const foreign = other.checks.map((row) => ({ ...row, [key]: "elsewhere" }));
        expect(assessNow({ ...drawn, checks: [...drawn.checks, ...foreign] })).toEqual(assessNow(drawn));
      }),
    );
  });
});

describe("monotone", () => {
  test("a failing result that passes instead never makes the kind or the score worse", () => {
    fc.assert(
      fc.property(evidence, quorum, fc.nat(), (drawn, networks, pick) => {
        const failing = drawn.checks.flatMap((row, index) => (row.streak.state === "down" ? [index] : []));
        fc.pre(failing.length > 0);
        const improved = drawn.checks.map((row, index) => (index === failing[pick % failing.length] ? passing(row) : row));
        const [before, after] = [assessNow(drawn, networks), assessNow({ ...drawn, checks: improved }, networks)];
        expect(KIND_RANK[after.kind]).toBeGreaterThanOrEqual(KIND_RANK[before.kind]);
        if (before.score !== null) expect(after.score).toBeGreaterThanOrEqual(before.score);
      }),
      { numRuns: 2_000 },
    );
  });

  const passing = (row: CheckEvidence): CheckEvidence => ({
    ...row,
    streak: { state: "up", failures: 0, passes: 0 },
    failingSince: null,
    outcome: "ok",
    reason: null,
    latencyMs: 20,
  });
});

describe("time", () => {
  test("with the same evidence nothing changes before the next look", () => {
    fc.assert(
      fc.property(evidence, quorum, fc.double({ min: 0, max: 1, noNaN: true }), (drawn, networks, part) => {
        const at = (now: number) => assess({ spec: specOf(networks), region: REGION, evidence: drawn, previous: null, now });
        const now = at(T0);
        const until = now.nextLookAt ?? T0 + 1_000_000;
        const later = Math.min(until - 1, T0 + Math.floor((until - T0) * part));
        expect(withoutVoteTexts(at(later))).toEqual(withoutVoteTexts(now));
      }),
    );
  });

  // Why a vantage has no vote may become "not heard since" meanwhile; its vote and all that follows stay.
  const withoutVoteTexts = ({ votes, ...rest }: ReturnType<typeof assess>) => ({
    ...rest,
    votes: votes.map(({ vantage, vote }) => ({ vantage, vote })),
  });
});
