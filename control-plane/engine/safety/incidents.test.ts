import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ServiceDeparture } from "../model.ts";
import { ALONE } from "../testing/dns.ts";
import { T0 } from "../testing/evidence.ts";
import { after, departure, departureOf } from "../testing/rules.ts";
import { testSituation } from "../testing/situation.ts";
import { allIncidents, begunBy, INCIDENT_MS, incidentsOf, ownIncidents } from "./incidents.ts";

const at = (ms: number, left: readonly string[], service = "a"): ServiceDeparture => departureOf({ at: T0 + ms, left, service });
const told = (departures: readonly ServiceDeparture[]) =>
  incidentsOf(departures).map(({ region, from, services }) => ({ region, ms: from - T0, services: [...services].join(" ") }));

describe("an incident", () => {
  it("goes on while services leave the region within half an hour of the one before", () => {
    const departures = [
      at(0, ["r1"]),
      at(INCIDENT_MS, ["r1", "r2"], "b"),
      at(2 * INCIDENT_MS, ["r1"], "c"),
      at(3 * INCIDENT_MS + 1, ["r1"], "d"),
    ];
    expect(told(departures)).toEqual([
      { region: "r1", ms: 0, services: "a b c" },
      { region: "r2", ms: INCIDENT_MS, services: "b" },
      { region: "r1", ms: 3 * INCIDENT_MS + 1, services: "d" },
    ]);
  });

  it("is another one when a service leaves the same region again, and the others join that", () => {
    const departures = [at(0, ["r1"]), at(1, ["r1"], "b"), at(2, ["r1"]), at(3, ["r1"], "b"), at(4, ["r1"], "b")];
    expect(told(departures)).toEqual([
      { region: "r1", ms: 0, services: "a b" },
      { region: "r1", ms: 2, services: "a b" },
      { region: "r1", ms: 4, services: "b" },
    ]);
  });

  it("is begun by whoever leaves a region first, too late, or again", () => {
    const situation = testSituation();
    const begun = (ms: number, service: string) => begunBy(situation, ["r1"], incidentsOf([at(ms, ["r1"], service)]));
    expect(begun(-INCIDENT_MS, "other")).toEqual([]);
    expect(begun(-INCIDENT_MS - 1, "other")).toEqual(["r1"]);
    expect(begun(-1, "shop")).toEqual(["r1"]);
    expect(begunBy(situation, ["r1"], incidentsOf([at(-1, ["r2"])]))).toEqual(["r1"]);
  });

  const anyDepartures = fc.array(
    fc
      .record({
        ms: fc.integer({ min: -4 * INCIDENT_MS, max: 0 }),
        left: fc.subarray(["r1", "r2", "r3"]),
        service: fc.constantFrom("a", "b", "c"),
      })
      .map(({ ms, left, service }) => at(ms, left, service)),
    { maxLength: 12 },
  );

  it("law: duplicates and order change nothing, and every departure of a service from a region belongs to one of its own", () => {
    fc.assert(
      fc.property(anyDepartures, (departures) => {
        const incidents = incidentsOf(departures);
        expect(incidentsOf([...departures, ...departures].reverse())).toEqual(incidents);
        const moments = new Set(departures.flatMap((one) => one.left.map((region) => `${one.at} ${region} ${one.service}`)));
        expect(incidents.reduce((sum, { services }) => sum + services.size, 0)).toBe(moments.size);
        expect(incidents.map(({ from }) => from)).toEqual(incidents.map(({ from }) => from).sort((a, b) => a - b));
      }),
    );
  });

  it("law: everybody's are at least the service's own, and the same whether these are among its surroundings yet or not", () => {
    fc.assert(
      fc.property(anyDepartures, anyDepartures, (own, others) => {
        const committed = own.filter(({ left }) => left.length > 0).map((one) => ({ ...one, service: "shop" }));
        const base = testSituation({
          traffic: after(own.map((one) => departure(one))),
          surroundings: { ...ALONE, departures: others },
        });
        const all = allIncidents(base);
        expect(all.length).toBeGreaterThanOrEqual(ownIncidents(base).length);
        expect(allIncidents({ ...base, surroundings: { ...ALONE, departures: [...others, ...committed] } })).toEqual(all);
      }),
    );
  });
});
