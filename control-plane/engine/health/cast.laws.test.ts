/** Laws of castings: who shares one gets the answers of who casts for himself. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Evidence, ServiceSpec } from "../model.ts";
import type { Sight } from "../testing/evidence.ts";
import { mergeEvidence, T0, testCheck, testEvidence, testServiceSpec } from "../testing/evidence.ts";
import { type Casting, castTarget } from "./cast.ts";
import { seatAgents } from "./seats.ts";
import { findSuspects, markVantages, suspectsIn } from "./suspect.ts";
import { assess, assessCasting } from "./view.ts";

const REGIONS = ["r1", "r2", "r3"];
const SEATS = REGIONS.flatMap((region) => [`${region}/a/1`, `${region}/a/2`, `${region}/b/1`]);
const CHECKS = [
  testCheck({ id: "web" }),
  testCheck({ id: "db", from: "inside" }),
  testCheck({ id: "search", criticality: "major" }),
  testCheck({ id: "login", scope: "shared" }),
];
const SERVICES = ["shop", "blog", "mail"].map((id, at) =>
  testServiceSpec({ id, regions: REGIONS, checks: CHECKS, quorumNetworks: at === 2 ? 1 : 2 }),
);

const sight = fc.constantFrom<Sight | null>("up", "up", "up", "down", "slow", "blind", null);
/** A seat that lost its network sees all others down: only so is anybody suspect often enough. */
const agent = (at: string, isCutOff: boolean) =>
  fc.record({
    at: fc.constant(at),
    sees: isCutOff ? fc.constant({ web: "down" as const }) : fc.record({ web: sight, db: sight, search: sight, login: sight }),
    heardMsAgo: fc.constantFrom(0, 1_000, 1_000, 9_000, 17_001),
    seenMsAgo: fc.constantFrom(0, 1_000, 1_000, 17_001),
    selfHealthy: fc.constantFrom(true, true, true, false),
  });
const seen = (spec: ServiceSpec, cutOff: readonly string[]) =>
  fc.tuple(
    ...REGIONS.map((region) =>
      fc
        .tuple(...SEATS.map((at) => agent(at, cutOff.some((vantage) => at.startsWith(vantage)) && !at.startsWith(region))))
        .map((agents) => testEvidence({ spec, region, agents })),
    ),
  );
const evidence = fc
  .subarray(["r1/a", "r2/b", "r3/b"])
  .chain((cutOff) => fc.tuple(...SERVICES.map((spec) => seen(spec, cutOff))))
  .map((services) => mergeEvidence(services.flat()));

const castAll = ({ agents, checks }: Evidence): readonly Casting[] => {
  const seating = seatAgents(agents);
  return SERVICES.flatMap((spec) =>
    REGIONS.map((region) => {
      const rows = checks.filter((row) => row.service === spec.id && row.region === region);
      return castTarget({ spec, region, seating, rows, now: T0 });
    }),
  );
};

const hasFailure = ({ sightings }: Casting): boolean => sightings.some(({ row }) => row.streak.state === "down");

test("suspects found from shared castings, the failing ones first, are those found from the evidence", () => {
  let found = 0;
  fc.assert(
    fc.property(evidence, (drawn) => {
      const castings = castAll(drawn);
      const shared = suspectsIn(castings.filter(hasFailure).map(markVantages), () => castings.map(markVantages));
      const plain = findSuspects({ ...drawn, services: SERVICES, now: T0 });
      found += plain.size;
      expect([...shared].sort()).toEqual([...plain].sort());
    }),
  );
  expect(found).toBeGreaterThan(0);
});

test("a region assessed from a shared casting is as if its evidence had been read for it alone", () => {
  fc.assert(
    fc.property(evidence, fc.subarray(["r1/a", "r2/b", "r3/a"]), (drawn, some) => {
      const suspects = new Set(some);
      for (const casting of castAll(drawn)) {
        const { spec, region } = casting;
        const plain = assess({ spec, region, evidence: { ...drawn, suspects }, previous: null, now: T0 });
        expect(assessCasting({ casting, suspects, previous: null })).toEqual(plain);
      }
    }),
  );
});

test("a suspect's results are as if they had never come", () => {
  fc.assert(
    fc.property(evidence, fc.subarray(["r1/a", "r2/b", "r3/a"]), (drawn, some) => {
      const suspects = new Set(some);
      const others = drawn.checks.filter(({ vantage }) => !suspects.has(`${vantage.region}/${vantage.network}`));
      for (const casting of castAll(drawn)) {
        const { spec, region } = casting;
        const before = { ...drawn, checks: others, suspects };
        const plain = assess({ spec, region, evidence: before, previous: null, now: T0 });
        expect(assessCasting({ casting, suspects, previous: null })).toEqual(plain);
      }
    }),
  );
});
