/** A9 and A10: how often automation moves, and how far it reaches at once. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../decide.ts";
import type { SafetyLimits, ServiceDeparture, Situation } from "../model.ts";
import { arbitrarySituation } from "../testing/arbitrary-situation.ts";
import { ALONE, NO_LIMITS } from "../testing/dns.ts";
import { T0 } from "../testing/evidence.ts";
import {
  after,
  answerOf,
  departure,
  departureOf,
  failing,
  limited,
  SANDBOX_LIMITS,
  STANDARD_LIMITS,
  standing,
} from "../testing/rules.ts";
import type { SituationInput } from "../testing/situation.ts";
import { request } from "../testing/situation.ts";

const HOUR = 3_600_000;
const MINUTE = 60_000;

/** One incident each, of r2 and r3 in turns: of another service, where nobody says whose. */
const incidents = (...ago: readonly number[]): readonly ServiceDeparture[] =>
  ago.map((ms, at) => departureOf({ at: T0 - ms, left: [at % 2 === 0 ? "r2" : "r3"], findings: [] }));

interface Case {
  readonly title: string;
  readonly limits: Partial<SafetyLimits>;
  readonly input: SituationInput;
  readonly answer: string;
  readonly why?: string;
  readonly until?: number;
}

const check = (rule: "A9" | "A10", { limits, input, answer, why, until }: Case): void => {
  const decision = decide(failing({ spec: limited(limits), ...input }), null);
  expect(answerOf(decision, rule)).toMatchObject({ answer, ...(why === undefined ? {} : { why }) });
  expect(answerOf(decision, rule).until).toBe(until);
  expect(standing(decision)).toEqual(answer === "allow" ? [] : [rule]);
  if (until !== undefined) expect(decision.nextLookAt).toBe(until);
};

describe("A9", () => {
  const cases: readonly Case[] = [
    {
      title: "the last of an hour's budget",
      limits: { failoversPerHour: 3 },
      input: { traffic: after(incidents(50 * MINUTE, 30 * MINUTE)) },
      answer: "allow",
      why: "shop within 1 h: incident 3 of at most 3; shop within 24 h: no limit; all services within 1 h: no limit",
    },
    {
      title: "one more",
      limits: { failoversPerHour: 3 },
      input: { traffic: after(incidents(50 * MINUTE, 30 * MINUTE, 20 * MINUTE)) },
      answer: "require-approval",
      why: "shop within 1 h: automation moved in 3 incidents, at most 3 are allowed with this one",
      until: T0 + 10 * MINUTE,
    },
    {
      title: "what is an hour old doesn't count",
      limits: { failoversPerHour: 3 },
      input: { traffic: after(incidents(HOUR, 30 * MINUTE, 20 * MINUTE)) },
      answer: "allow",
    },
    {
      title: "what is a millisecond younger does",
      limits: { failoversPerHour: 3 },
      input: { traffic: after(incidents(HOUR - 1, 30 * MINUTE, 20 * MINUTE)) },
      answer: "require-approval",
      until: T0 + 1,
    },
    {
      title: "a day's budget",
      limits: { failoversPerDay: 2 },
      input: { traffic: after(incidents(23 * HOUR, 5 * HOUR)) },
      answer: "require-approval",
      why: "shop within 24 h: automation moved in 2 incidents, at most 2 are allowed with this one",
      until: T0 + HOUR,
    },
    {
      title: "all services together",
      limits: { failoversPerHourOfAll: 2 },
      input: { surroundings: { ...ALONE, departures: incidents(40 * MINUTE, 20 * MINUTE) } },
      answer: "require-approval",
      why: "all services within 1 h: automation moved in 2 incidents, at most 2 are allowed with this one",
      until: T0 + 20 * MINUTE,
    },
    {
      title: "others' incidents don't spend its own budget",
      limits: { failoversPerHour: 1, failoversPerDay: 1 },
      input: { surroundings: { ...ALONE, departures: incidents(40 * MINUTE, 20 * MINUTE) } },
      answer: "allow",
    },
    {
      title: "200 services that left the same dead region are one incident",
      limits: { failoversPerHourOfAll: 1 },
      input: {
        surroundings: {
          ...ALONE,
          departures: Array.from({ length: 200 }, (_, n) => departureOf({ at: T0 - n, left: ["r1"], service: `s${n}` })),
        },
      },
      answer: "allow",
    },
    {
      title: "its own are among its surroundings, and count once",
      limits: { failoversPerHourOfAll: 2 },
      input: {
        traffic: after(incidents(40 * MINUTE)),
        surroundings: { ...ALONE, departures: incidents(40 * MINUTE).map((one) => ({ ...one, service: "shop" })) },
      },
      answer: "allow",
    },
    {
      title: "its own count although they aren't among its surroundings yet",
      limits: { failoversPerHourOfAll: 1 },
      input: { traffic: after(incidents(40 * MINUTE)) },
      answer: "require-approval",
      until: T0 + 20 * MINUTE,
    },
    {
      title: "no failover by itself at all",
      limits: { failoversPerHour: 0 },
      input: {},
      answer: "require-approval",
      why: "shop within 1 h: automation moved in 0 incidents, at most 0 are allowed with this one",
    },
    {
      title: "voluntary moves are no incidents",
      limits: { failoversPerHour: 1 },
      input: { traffic: after([departure({ at: T0 - MINUTE, left: [] })]) },
      answer: "allow",
    },
  ];
  it.each(cases)("$title: $answer", (one) => check("A9", one));

  it("a slow brownout of one region is one incident, however many services leave it one after the other", () => {
    const brownout = [0, 10.5, 21, 31.5, 42].map((minutes, n) =>
      departureOf({ at: T0 - (50 - minutes) * MINUTE, left: ["r1"], service: `s${n}` }),
    );
    const surroundings = { ...ALONE, departures: brownout };
    const decision = decide(failing({ spec: limited({ failoversPerHourOfAll: 1 }), surroundings }), null);
    expect(answerOf(decision, "A9").why).toContain("all services within 1 h: r1 belongs to an incident");
    const elsewhere = failing({
      spec: limited({ failoversPerHourOfAll: 2 }),
      surroundings: { ...ALONE, departures: brownout.map((one) => ({ ...one, left: ["r3"] })) },
    });
    expect(answerOf(decide(elsewhere, null), "A9").why).toContain("all services within 1 h: incident 2 of at most 2");
  });

  it("the same service that leaves the same region again begins another incident, however soon", () => {
    const traffic = after([departure({ at: T0 - 2 * MINUTE, left: ["r1"] })]);
    const decision = decide(failing({ spec: limited({ failoversPerHour: 1 }), traffic }), null);
    expect(answerOf(decision, "A9").answer).toBe("require-approval");
  });

  it("two regions that take turns in failing spend the budget", () => {
    const turns = Array.from({ length: 6 }, (_, n) =>
      departure({ at: T0 - (30 - 5 * n) * MINUTE - 1, left: [n % 2 === 0 ? "r1" : "r2"] }),
    );
    const decision = decide(failing({ spec: limited({ failoversPerHour: 3 }), traffic: after(turns) }), null);
    expect(answerOf(decision, "A9").answer).toBe("require-approval");
  });
});

describe("A10", () => {
  const cases: readonly Case[] = [
    {
      title: "the first region",
      limits: { regionsOutMax: 1 },
      input: {},
      answer: "allow",
      why: "1 region of at most 1 out: r1; any number of incidents at a time",
    },
    {
      title: "another one",
      limits: { regionsOutMax: 1 },
      input: { surroundings: { ...ALONE, regionsOut: ["r9"] } },
      answer: "require-approval",
      why: "2 regions would be out at once (r1, r9), at most 1 may be",
    },
    {
      title: "one that is out already, at another service",
      limits: { regionsOutMax: 1 },
      input: { surroundings: { ...ALONE, regionsOut: ["r1", "r9"] } },
      answer: "allow",
    },
    {
      title: "one that this service left and that is still bad",
      limits: { regionsOutMax: 1 },
      input: { traffic: after([departure({ left: ["r3"] })]), regions: { r3: { verdict: "recovering" } } },
      answer: "require-approval",
      why: "2 regions would be out at once (r1, r3), at most 1 may be",
    },
    {
      title: "one that this service left and that fell silent",
      limits: { regionsOutMax: 1 },
      input: { traffic: after([departure({ left: ["r3"] })]), regions: { r3: { verdict: "unknown", before: "unhealthy" } } },
      answer: "require-approval",
    },
    {
      title: "one that this service left and that is well again",
      limits: { regionsOutMax: 1 },
      input: { traffic: after([departure({ left: ["r3"] })]) },
      answer: "allow",
    },
    {
      title: "the last of the incidents at a time",
      limits: { incidentsMax: 3 },
      input: { surroundings: { ...ALONE, departures: incidents(4 * MINUTE, 2 * MINUTE) } },
      answer: "allow",
      why: "any number of regions may be out; incident 3 of at most 3 within 5 min",
    },
    {
      title: "one more",
      limits: { incidentsMax: 2 },
      input: { surroundings: { ...ALONE, departures: incidents(4 * MINUTE, 2 * MINUTE) } },
      answer: "require-approval",
      why: "3 incidents within 5 min with this one, at most 2 are allowed",
      until: T0 + MINUTE,
    },
    {
      title: "five minutes later",
      limits: { incidentsMax: 2 },
      input: { surroundings: { ...ALONE, departures: incidents(5 * MINUTE, 2 * MINUTE) } },
      answer: "allow",
    },
    { title: "no incident at all", limits: { incidentsMax: 0 }, input: {}, answer: "require-approval" },
  ];
  it.each(cases)("$title: $answer", (one) => check("A10", one));
});

describe("both", () => {
  const busy: SituationInput = {
    surroundings: {
      ...ALONE,
      departures: incidents(4 * MINUTE, 3 * MINUTE, 15 * MINUTE, 30 * MINUTE, 45 * MINUTE),
      regionsOut: ["r9"],
    },
    traffic: after(incidents(50 * MINUTE, 30 * MINUTE, 20 * MINUTE)),
  };
  const withLimits = (safety: SafetyLimits): Situation => failing({ ...busy, spec: limited(safety) });

  it("speak by the limits of standard, and are silent by those of the sandbox and by none", () => {
    expect(standing(decide(withLimits(STANDARD_LIMITS), null))).toEqual(["A9", "A10"]);
    for (const limits of [SANDBOX_LIMITS, NO_LIMITS]) expect(decide(withLimits(limits), null).isAllowed).toBe(true);
  });

  it("are shown to operators and hold none", () => {
    const decision = decide(withLimits(STANDARD_LIMITS), request({ kind: "failover", to: "r2" }));
    expect(decision.isAllowed).toBe(true);
    for (const rule of ["A9", "A10"] as const)
      expect(answerOf(decision, rule)).toMatchObject({ answer: "require-approval", skipped: true });
  });

  it("law: a larger limit allows no less", () => {
    fc.assert(
      fc.property(arbitrarySituation, fc.nat(2), ({ situation }, more) => {
        const { safety } = situation.spec;
        const wider = (limit: number | null): number | null => (limit === null ? null : limit + more);
        const wide: SafetyLimits = {
          ...safety,
          failoversPerHour: wider(safety.failoversPerHour),
          failoversPerDay: wider(safety.failoversPerDay),
          failoversPerHourOfAll: wider(safety.failoversPerHourOfAll),
          regionsOutMax: wider(safety.regionsOutMax),
          incidentsMax: wider(safety.incidentsMax),
        };
        const narrow = decide(situation, null);
        const second = decide({ ...situation, spec: { ...situation.spec, safety: wide } }, null);
        if (!narrow.proposal) return;
        for (const rule of ["A9", "A10"] as const)
          if (answerOf(narrow, rule).answer === "allow") expect(answerOf(second, rule).answer).toBe("allow");
      }),
    );
  });

  it("law: an incident at another region, a moment ago, allows no more", () => {
    const more = departureOf({ at: T0 - 1, left: ["elsewhere"] });
    fc.assert(
      fc.property(arbitrarySituation, ({ situation }) => {
        const calm = { ...situation, surroundings: { ...situation.surroundings, departures: [], regionsOut: [] } };
        const busy = { ...calm, surroundings: { ...calm.surroundings, departures: [more], regionsOut: ["elsewhere"] } };
        const [first, second] = [decide(calm, null), decide(busy, null)];
        if (!first.proposal) return;
        for (const rule of ["A9", "A10"] as const)
          if (answerOf(first, rule).answer !== "allow") expect(answerOf(second, rule).answer).not.toBe("allow");
      }),
    );
  });
});
