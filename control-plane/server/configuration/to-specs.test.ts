import { describe, expect, test } from "vitest";
import { PROFILES, SAFETY } from "./profiles.ts";
import { EXAMPLE_TEXT, testDeclaration, testText } from "./testing/example.ts";
import { toServiceSpecs } from "./to-specs.ts";

const specOf = (...replacements: readonly (readonly [string, string])[]) => {
  const [spec] = toServiceSpecs(testDeclaration(testText(...replacements)).declaration);
  if (spec === undefined) throw new Error("The declaration has no service.");
  return spec;
};

test("a plain service comes out with everything resolved", () => {
  expect(specOf()).toEqual({
    id: "www",
    name: "www.example.com",
    zoneId: "ZONE1",
    priority: 100,
    owner: "small",
    epochName: "_regent.www.example.com",
    ttlSeconds: 30,
    types: ["A"],
    mode: "automatic",
    strategy: { kind: "active-passive", failback: "manual", panic: "hold", trickle: 0 },
    settings: PROFILES.standard.settings,
    quorumNetworks: 2,
    regionsMin: 1,
    drift: {
      weight: "report",
      value: "report",
      ttl: "report",
      missing: "report",
      extra: "report",
      healthcheck: "report",
    },
    safety: SAFETY.standard,
    isSized: false,
    stateful: null,
    endpoints: [
      { region: "eu", priority: 1, capacity: 1, headroom: 1.4, answers: { A: ["192.0.2.1"] } },
      { region: "us", priority: 2, capacity: 1, headroom: 1.4, answers: { A: ["192.0.2.2"] } },
    ],
    checks: [{ id: "api", from: "everywhere", scope: "region", criticality: "critical", deep: false, weight: 1 }],
    probed: expect.stringMatching(/^[0-9a-f]{16}$/),
    families: [{ id: "default", name: "www.example.com", priority: { eu: 1, us: 2 }, capacity: { eu: 1, us: 1 } }],
  });
});

test("the service's profile, TTL, settings and quorum win over the declaration's", () => {
  const spec = specOf([
    "    checks:",
    "    profile: careful\n    ttl: 20\n    settings: { fall: 4 }\n    quorum: { networks: 1 }\n    checks:",
  ]);
  expect(spec).toMatchObject({ ttlSeconds: 20, quorumNetworks: 1 });
  expect(spec.settings).toEqual({ ...PROFILES.careful.settings, fall: 4, rampStepMs: 60_000 });
});

test("what follows an edit: the service's word for its class, then its word for all, then the declaration's", () => {
  const drift = (declared: string, own: string) =>
    specOf(["owner: small", `owner: small\ndrift: ${declared}`], ["    checks:", `    drift: ${own}\n    checks:`]).drift;
  expect(drift("revert", "{ ttl: adopt }")).toMatchObject({ ttl: "adopt", weight: "revert", extra: "revert" });
  expect(drift("{ weight: revert }", "report")).toMatchObject({ weight: "report", ttl: "report" });
  expect(specOf(["owner: small", "owner: small\ndrift: { weight: revert }"]).drift).toMatchObject({
    weight: "revert",
    ttl: "report",
  });
});

test("the epoch record carries the label that the declaration chose", () => {
  expect(specOf(["owner: small", "owner: small\nepochLabel: _failover"]).epochName).toBe("_failover.www.example.com");
});

test("priorities that aren't declared follow the declared ones, so that no two are equal", () => {
  const priorities = specOf(["region: us, A", "priority: 1, region: us, A"]).endpoints.map(({ priority }) => priority);
  expect(priorities).toEqual([2, 1]);
});

describe("regions that must keep a positive weight", () => {
  const third = [
    "- { region: us, A: [192.0.2.2] }",
    "- { region: us, A: [192.0.2.2] }\n      - { region: ap, A: [192.0.2.3] }",
  ] as const;
  test.each([
    [1, "three, active-passive", [third]],
    [1, "two, active-active", [["kind: active-passive", "kind: active-active"]]],
    [2, "three, active-active", [third, ["kind: active-passive", "kind: active-active"]]],
    [3, "three, as declared", [third, ["    checks:", "    regionsMin: 3\n    checks:"]]],
  ] as const)("%d of %s", (expected, _, replacements) => {
    expect(specOf(...replacements).regionsMin).toBe(expected);
  });
});

test("families take priority and capacity from their endpoints, under their own", () => {
  const families =
    "families: [{ id: a, name: a.example.com, viewer: us, priority: { us: 1, eu: 5 } }, { id: b, name: b.example.com, capacity: { us: 7 } }]";
  expect(specOf(["    checks:", `    ${families}\n    checks:`]).families).toEqual([
    { id: "a", name: "a.example.com", viewer: "us", priority: { eu: 5, us: 1 }, capacity: { eu: 1, us: 1 } },
    { id: "b", name: "b.example.com", priority: { eu: 1, us: 2 }, capacity: { eu: 1, us: 7 } },
  ]);
});

test("types are those of the endpoints, in one order", () => {
  const types = toServiceSpecs(testDeclaration(EXAMPLE_TEXT).declaration).map((spec) => spec.types);
  expect(types).toEqual([["A", "AAAA"], ["A"], ["CNAME"]]);
});

test("aliases and health checks are kept as declared", () => {
  const [endpoint] = specOf([
    "A: [192.0.2.1]",
    "healthCheckId: hc-1, A: { alias: { hostedZoneId: ZELB, name: lb.example.net } }",
  ]).endpoints;
  expect(endpoint).toMatchObject({
    healthCheckId: "hc-1",
    answers: { A: { alias: { hostedZoneId: "ZELB", name: "lb.example.net", evaluateTargetHealth: true } } },
  });
});
