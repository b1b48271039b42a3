import { describe, expect, test } from "vitest";
import { toDifference } from "./difference.ts";
import { EXAMPLE_TEXT, SMALL_TEXT, testDeclaration, testText } from "./testing/example.ts";

type Replacement = readonly [string, string];

const differenceOf = (...replacements: readonly Replacement[]): string[] =>
  toDifference(testDeclaration(SMALL_TEXT).declaration, testDeclaration(testText(...replacements)).declaration);

const backwards = (...replacements: readonly Replacement[]): string[] =>
  toDifference(testDeclaration(testText(...replacements)).declaration, testDeclaration(SMALL_TEXT).declaration);

const SECOND: Replacement = [
  "services:\n",
  "services:\n  - { id: api, name: api.example.com, zone: example.com, strategy: { kind: round-robin }, endpoints: [{ region: eu, A: [192.0.2.9], AAAA: ['2001:db8::9'] }], checks: [{ id: t, kind: tcp, port: 1 }] }\n",
];

test("nothing changes, nothing is said", () => {
  expect(differenceOf()).toEqual([]);
  expect(differenceOf(["regent: 1\n", "# a comment\nregent: 1\n"], ["owner: small", 'owner: "small"'])).toEqual([]);
});

test("the first declaration is all additions, services with what they create", () => {
  const lines = toDifference(null, testDeclaration(EXAMPLE_TEXT).declaration);
  expect(lines[0]).toBe("owner example-shop, profile standard, quorum over 2 networks");
  expect(lines.slice(-4)).toEqual([
    "service checkout: added, checkout.example.com, active-passive over eu-west, us-east, ap-south; creates 6 weighted A and AAAA records and the epoch record _regent.checkout.example.com",
    "service search: added, search.example.com, active-active over eu-west, us-east, ap-south; creates 3 weighted A records and the epoch record _regent.search.example.com",
    "service assets: added, assets.example.com, round-robin over eu-west, us-east; creates 2 weighted CNAME records and the epoch record _regent.assets.example.com",
    'maintenance kernel-updates: added, ap-south for 90 min at "0 3 * * SUN#1" Asia/Kolkata',
  ]);
  expect(lines).toHaveLength(1 + 1 + 3 + 6 + 3 + 1);
});

describe("one thing changed", () => {
  test.each<[Replacement, ...string[]]>([
    [["A: [192.0.2.1]", "A: [192.0.2.11]"], "service www: endpoint eu: A 192.0.2.1 -> 192.0.2.11"],
    [["A: [192.0.2.1]", "A: [192.0.2.1, 192.0.2.11]"], "service www: endpoint eu: A 192.0.2.1 -> 192.0.2.1, 192.0.2.11"],
    [
      ["A: [192.0.2.1]", "A: { alias: { hostedZoneId: ZELB, name: lb.example.net } }"],
      "service www: endpoint eu: A 192.0.2.1 -> alias of lb.example.net in ZELB",
    ],
    [["region: us, A", "capacity: 3, region: us, A"], "service www: endpoint us: capacity: not set -> 3"],
    [["region: us, A", "targets: { api: 'x:1' }, region: us, A"], "service www: endpoint us: targets: not set -> api x:1"],
    [["      - { region: us, A: [192.0.2.2] }\n", ""], "service www: endpoint us: removed; deletes 1 weighted A record"],
    [
      [
        "      - { region: us, A: [192.0.2.2] }",
        "      - { region: ap, A: [192.0.2.3] }\n      - { region: us, A: [192.0.2.2] }",
      ],
      "service www: endpoint ap: added, A 192.0.2.3; creates 1 weighted A record",
    ],
    [["kind: http", "kind: http, path: /ready"], "service www: check api: path: / -> /ready"],
    [
      ["{ id: api, kind: http }", "{ id: api, kind: http }\n      - { id: db, kind: tcp, port: 1 }"],
      "service www: check db: added",
    ],
    [
      ["kind: active-passive", "kind: active-passive, failback: automatic"],
      "service www: strategy.failback: manual -> automatic",
    ],
    [
      ["kind: active-passive", "kind: active-active"],
      "service www: strategy.kind: active-passive -> active-active",
      "service www: strategy.panicBelow: not set -> 0.5",
      "service www: strategy.trickle: 0 -> not set",
    ],
    [
      ["    checks:", "    ttl: 20\n    settings: { holdMaxSeconds: 30 }\n    checks:"],
      "service www: ttl: not set -> 20",
      "service www: settings: not set -> holdMaxSeconds 30",
    ],
    [
      ["    checks:", "    mode: advisory\n    checks:"],
      "service www: mode: automatic -> advisory; automation moves nothing and tells what it would do",
    ],
    [
      ["    checks:", "    families: [{ id: x, name: x.example.com }]\n    checks:"],
      "service www: family x: added, x.example.com; creates 2 weighted A records",
    ],
    [
      ["name: www.", "name: shop."],
      "service www: name: www.example.com -> shop.example.com; creates 2 weighted A records and the epoch record _regent.shop.example.com; the records of www.example.com stay, Regent stops writing them",
    ],
    [
      ["- id: www", "- id: shop"],
      "service shop: added, www.example.com, active-passive over eu, us; takes over the name from service www: its records and epoch record stay, verdicts and history start anew",
      "service www: removed; its name www.example.com goes to service shop",
    ],
    [
      ["owner: small", "owner: tall"],
      "owner: small -> tall; every epoch record says small, so writing needs a takeover of each service first",
    ],
    [
      ["owner: small", "owner: small\nprofile: careful"],
      "profile: standard -> careful for every service without a profile of its own",
    ],
    [["owner: small", "owner: small\nquorum: { networks: 1 }"], "quorum.networks: 2 -> 1"],
    [
      ["owner: small", "owner: small\nepochLabel: _x"],
      "epochLabel: _regent -> _x; every epoch record gets another name, and the old ones must be adopted",
    ],
    [["id: ZONE1", "id: ZONE2"], "zone example.com: id ZONE1 -> ZONE2"],
    [["- id: us\n", "- id: us\n    name: America\n"], "region us: name: not set -> America"],
    [
      ["id: us-a, region: us, network: a", "id: us-a, region: ap, network: c"],
      "agent us-a: region: us -> ap",
      "agent us-a: network: a -> c",
    ],
    [
      ["AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="],
      "agent us-a: publicKeys: AwMDAwMDAwMD... -> BwcHBwcHBwcH...",
    ],
    [
      ["id: us-a", "id: us-c"],
      "agent us-c: added, stands in us on network a",
      "agent us-a: removed; its reports are no longer taken",
    ],
    [
      SECOND,
      "service api: added, api.example.com, round-robin over eu; creates 2 weighted A and AAAA records and the epoch record _regent.api.example.com",
    ],
  ])("%j", (replacement, ...lines) => {
    expect(differenceOf(replacement)).toEqual(lines);
  });
});

test("what is taken out comes last, with what stays in DNS", () => {
  expect(backwards(SECOND)).toEqual(["service api: removed; Regent stops writing api.example.com, and deletes nothing there"]);
  expect(backwards(["    checks:", "    families: [{ id: x, name: x.example.com }]\n    checks:"])).toEqual([
    "service www: family x: removed; Regent stops writing x.example.com, its records stay",
  ]);
});

test("several changes are told in the order of the file: settings, zones, regions, agents, services", () => {
  const lines = differenceOf(
    ["owner: small", "owner: small\nprofile: careful"],
    ["- id: ap", "- id: ap\n  - id: sa"],
    ["id: us-a", "id: us-c"],
    ["A: [192.0.2.2]", "A: [192.0.2.22]"],
  );
  expect(lines).toEqual([
    "profile: standard -> careful for every service without a profile of its own",
    "region sa: added",
    "agent us-c: added, stands in us on network a",
    "agent us-a: removed; its reports are no longer taken",
    "service www: endpoint us: A 192.0.2.2 -> 192.0.2.22",
  ]);
});
