import { describe, expect, test } from "vitest";
import { SMALL_TEXT, testDeclaration, testText } from "./testing/example.ts";

const warningsOf = (...replacements: readonly (readonly [string, string])[]): string[] =>
  testDeclaration(testText(...replacements)).warnings;
const agentLine = (id: string): string => `${SMALL_TEXT.split("\n").find((line) => line.includes(`id: ${id},`))}\n`;
const without = (...ids: string[]): (readonly [string, string])[] => ids.map((id) => [agentLine(id), ""]);

test("two regions, a witness and two networks everywhere leave nothing to warn of", () => {
  expect(warningsOf()).toEqual([]);
});

describe("where agents stand", () => {
  test("no agents at all is one warning, not many", () => {
    expect(warningsOf(...without("eu-a", "eu-b", "us-a", "us-b", "ap-a", "ap-b"), ["agents:\n", ""])).toEqual([
      "no agent is declared: nothing is probed, every verdict stays unknown",
    ]);
  });

  test("a quorum of one network is allowed and told, for all or for one service", () => {
    expect(warningsOf(["owner: small", "owner: small\nquorum: { networks: 1 }"])).toEqual([
      "quorum.networks is 1: agents of a single network may move traffic, so one broken network can",
    ]);
    expect(warningsOf(["    checks:", "    quorum: { networks: 1 }\n    checks:"])).toEqual([
      "quorum.networks is 1 for www: agents of a single network may move traffic, so one broken network can",
    ]);
  });

  test("one network where two must agree can never move traffic", () => {
    const warnings = warningsOf(...without("eu-b", "us-b", "ap-b"));
    expect(warnings[0]).toBe(
      "all agents stand on one network, a, and 2 must agree: no failure seen from outside will ever move traffic",
    );
  });

  test("two regions without a witness can't tell which of them is right", () => {
    expect(warningsOf(...without("ap-a", "ap-b"))).toEqual([
      "service www: 2 regions without a witness: when eu and us disagree nobody can tell which is right; declare a third region with an agent and no endpoint",
      "region eu: 2 outside vantages over 2 networks and 1 region; with fewer than 4 (2 networks x 2 regions) one that is lost or lies can keep a failure from being believed",
      "region us: 2 outside vantages over 2 networks and 1 region; with fewer than 4 (2 networks x 2 regions) one that is lost or lies can keep a failure from being believed",
    ]);
  });

  test("a region that loses one of its four outside vantages is named", () => {
    expect(warningsOf(...without("us-b"))).toEqual([
      "region eu: 3 outside vantages over 2 networks and 2 regions; with fewer than 4 (2 networks x 2 regions) one that is lost or lies can keep a failure from being believed",
    ]);
  });

  test("a region without agents of its own can't be looked at from inside", () => {
    const warnings = warningsOf(...without("eu-a", "eu-b"));
    expect(warnings).toContain("region eu: no agent stands in it, so www/api can't be run from inside");
    expect(warningsOf(...without("eu-a", "eu-b"), ["kind: http", "kind: http, from: outside"]).join()).not.toContain(
      "from inside",
    );
  });

  test("a region that nobody looks at from outside is named", () => {
    expect(warningsOf(["kind: http", "kind: http, from: inside"])).toEqual([
      "region eu: no check looks at it from outside; only its own agents can tell",
      "region us: no check looks at it from outside; only its own agents can tell",
    ]);
  });
});

describe("headroom of active-active", () => {
  const active = (eu: string, us: string): string[] =>
    warningsOf(
      ["kind: active-passive", "kind: active-active"],
      ["region: eu, A", `region: eu, ${eu}, A`],
      ["region: us, A", `region: us, ${us}, A`],
    );

  test("two equal regions need a headroom of 2 each", () => {
    expect(active("headroom: 2", "headroom: 2")).toEqual([]);
    expect(active("headroom: 1.4", "headroom: 1.4")).toEqual([
      "service www: without eu (50 % of the capacity) the others carry 70 % of the traffic: survivors need a headroom of 2.00 each, which is 1 / (1 - 0.50)",
    ]);
  });

  test("the largest region is the one to survive", () => {
    expect(active("capacity: 1, headroom: 9", "capacity: 3, headroom: 1")).toEqual([]);
    expect(active("capacity: 1, headroom: 2", "capacity: 3, headroom: 1")).toEqual([
      "service www: without us (75 % of the capacity) the others carry 50 % of the traffic: survivors need a headroom of 4.00 each, which is 1 / (1 - 0.75)",
    ]);
  });

  test("capacities 50/30/20 with headroom 1.2/1.4/2.5 carry 92 % without the first", () => {
    const warnings = warningsOf(
      ["kind: active-passive", "kind: active-active"],
      ["region: eu, A", "region: eu, capacity: 50, headroom: 1.2, A"],
      [
        "- { region: us, A: [192.0.2.2] }",
        "- { region: us, capacity: 30, headroom: 1.4, A: [192.0.2.2] }\n      - { region: ap, capacity: 20, headroom: 2.5, A: [192.0.2.3] }",
      ],
    );
    expect(warnings).toEqual([
      "service www: without eu (50 % of the capacity) the others carry 92 % of the traffic: survivors need a headroom of 2.00 each, which is 1 / (1 - 0.50)",
    ]);
  });

  test("a family with capacities of its own is judged by them", () => {
    const families =
      "families: [{ id: x, name: x.example.com }, { id: y, name: y.example.com, capacity: { eu: 3 } }]\n    checks:";
    expect(
      warningsOf(
        ["kind: active-passive", "kind: active-active"],
        ["region: eu, A", "region: eu, headroom: 2, A"],
        ["region: us, A", "region: us, headroom: 2, A"],
        ["checks:", families],
      ),
    ).toEqual([
      "service www: family y: without eu (75 % of the capacity) the others carry 50 % of the traffic: survivors need a headroom of 4.00 each, which is 1 / (1 - 0.75)",
    ]);
  });

  test("the other strategies have no cap to be short of", () => {
    expect(warningsOf(["region: eu, A", "region: eu, headroom: 1, A"])).toEqual([]);
  });
});

describe("services", () => {
  test.each([
    ["ttl: 60", []],
    ["ttl: 61", ["service www: TTL 61 s: resolvers keep a dead region's answer that long, at most 60 s is advised"]],
    [
      "ttl: 900",
      [
        "service www: TTL 900 s: resolvers keep a dead region's answer that long, at most 60 s is advised",
        "service www: at TTL 900 s a ramp step takes 930 s and the whole return 600 s: it will be a single step",
      ],
    ],
    [
      "settings: { rampStepSeconds: 10 }",
      ["service www: a ramp step of 10 s is shorter than the TTL of 30 s: the next step is taken before the last one is felt"],
    ],
  ])("%s", (line, warnings) => {
    expect(warningsOf(["    checks:", `    ${line}\n    checks:`])).toEqual(warnings);
  });

  test.each(["scope: shared", "criticality: major"])(
    "when the only check has %s nothing can make a region unhealthy",
    (check) => {
      expect(warningsOf(["kind: http", `kind: http, ${check}`])).toEqual([
        "service www: no check is critical and of scope region: nothing can ever make a region unhealthy",
      ]);
    },
  );

  test("a region header that is the same everywhere fails every region but one", () => {
    expect(warningsOf(["kind: http", "kind: http, regionHeader: { name: x-region, value: eu }"])).toEqual([
      'service www: check api expects the region header "eu" of all 2 regions; "{region}" stands for each one\'s id',
    ]);
    expect(warningsOf(["kind: http", 'kind: http, regionHeader: { name: x-region, value: "{region}" }'])).toEqual([]);
  });

  test("a name that a longer declared zone holds too is told", () => {
    expect(warningsOf(["name: example.com }]", "name: example.com }, { id: ZONE2, name: www.example.com }]"])).toEqual([
      "service www: www.example.com lies in the declared zone www.example.com too: if that is delegated, records in example.com are never asked for",
    ]);
  });
});
