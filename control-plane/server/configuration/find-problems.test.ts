import { describe, expect, test } from "vitest";
import { SMALL_TEXT, testErrors, testText } from "./testing/example.ts";

const FAMILIES = (names: readonly string[]): string =>
  `families: [${names.map((name, at) => `{ id: f${at}, name: ${name} }`).join(", ")}]\n    checks:`;
const LONG_LABEL = "a".repeat(63);
/** 251 characters: a DNS name, with no room for `_regent.` in front. */
const LONG_NAME = `${LONG_LABEL}.${LONG_LABEL}.${LONG_LABEL}.${"b".repeat(47)}.example.com`;
const SECOND_SERVICE = (lines: string): readonly [string, string] => ["services:\n", `services:\n${lines}\n`];
const OTHER = (id: string, name: string, more = ""): string =>
  `  - { id: ${id}, name: ${name}, zone: example.com, strategy: { kind: round-robin }, endpoints: [{ region: eu, A: [192.0.2.9] }], checks: [{ id: t, kind: tcp, port: 1 }]${more} }`;

test("the small declaration is valid", () => {
  expect(testErrors(SMALL_TEXT)).toEqual([]);
});

describe.each<[string, ...(readonly [from: string, to: string, ...errors: string[]])[]]>([
  [
    "zones, regions and ids",
    [
      "name: example.com }]",
      "name: example.com }, { id: ZONE1, name: example.org }]",
      '3 zones[1].id: zone id "ZONE1" is declared twice',
    ],
    [
      "name: example.com }]",
      "name: example.com }, { id: ZONE2, name: example.com }]",
      '3 zones[1].name: zone "example.com" is declared twice',
    ],
    [
      "name: example.com }]",
      'name: example.com }, { id: ZONE2, name: "*.example.org" }]',
      '3 zones[1].name: a zone can\'t be a wildcard: "*.example.org"',
    ],
    [
      "zone: example.com\n",
      "zone: example.con\n",
      '18 services[0].zone: unknown zone "example.con"; did you mean "example.com"?',
    ],
    ["- id: ap", "- id: ap\n  - id: us", '8 regions[3].id: region "us" is declared twice'],
    ["region: us, A", "region: usa, A", '22 services[0].endpoints[1].region: unknown region "usa"; did you mean "us"?'],
    ["region: us, A", "region: mars, A", '22 services[0].endpoints[1].region: unknown region "mars"; declared: eu, us, ap'],
    ["region: us, A", "region: eu, A", '22 services[0].endpoints[1].region: an endpoint in region "eu" is declared twice'],
    [
      "region: us, A",
      "targets: { apy: 'x:1' }, region: us, A",
      '22 services[0].endpoints[1].targets.apy: unknown check "apy"; did you mean "api"?',
    ],
    [
      "{ id: api, kind: http }",
      "{ id: api, kind: http }\n      - { id: api, kind: tcp, port: 1 }",
      '25 services[0].checks[1].id: check "api" is declared twice',
    ],
    ["region: us, A", "priority: 1, region: us, A"],
    [
      "- { region: eu, A: [192.0.2.1] }\n      - { region: us, A",
      "- { priority: 2, region: eu, A: [192.0.2.1] }\n      - { priority: 2, region: us, A",
      "22 services[0].endpoints[1].priority: priority 2 is declared twice",
    ],
    [
      "    checks:",
      "    regionsMin: 3\n    checks:",
      "23 services[0].regionsMin: 3 regions must keep a positive weight, and the service has 2",
    ],
  ],
  [
    "agents",
    ["id: us-a", "id: eu-b", '11 agents[2].id: agent "eu-b" is declared twice'],
    ["region: us, network: b", "region: uss, network: b", '12 agents[3].region: unknown region "uss"; did you mean "us"?'],
    [
      "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=",
      "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=",
      '11 agents[2].publicKeys[0]: the public key "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=" is declared twice; every agent has a key pair of its own',
    ],
    [
      "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=",
      "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMD",
      '11 agents[2].publicKeys[0]: "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMD" is not 32 bytes in base64',
    ],
    [
      'network: a, publicKeys: ["Aw',
      "network: a, canaries: ['x:99999'], publicKeys: [\"Aw",
      "11 agents[2].canaries[0]: port 99999 is above 65535",
    ],
  ],
  [
    "names",
    [
      "name: www.example.com",
      "name: www.example.org",
      '17 services[0].name: "www.example.org" is not inside zone "example.com"; did you mean "www.example.com"?',
    ],
    ["name: www.example.com", "name: wwwexample.com", '17 services[0].name: "wwwexample.com" is not inside zone "example.com"'],
    [
      "name: www.example.com",
      "name: WWW.example.com",
      '17 services[0].name: "WWW.example.com" is not accepted (domain name: lower case, no final dot)',
    ],
    [
      "name: www.example.com",
      `name: ${LONG_NAME}`,
      `17 services[0].name: "${LONG_NAME}" leaves no room for its epoch record, which has "_regent." in front and at most 253 characters; a shorter name, or a shorter epochLabel`,
    ],
    [...SECOND_SERVICE(OTHER("www", "api.example.com")), '17 services[1].id: service "www" is declared twice'],
    [...SECOND_SERVICE(OTHER("api", "www.example.com")), '18 services[1].name: the name "www.example.com" is declared twice'],
    [
      ...SECOND_SERVICE(OTHER("api", "_regent.www.example.com")),
      '16 services[0].name: "_regent.www.example.com" is the name of the epoch record of service "www"',
    ],
    [
      ...SECOND_SERVICE(OTHER("api", "api.example.com", ", families: [{ id: default, name: www.example.com }]")),
      '18 services[1].name: the name "www.example.com" is declared twice',
    ],
    [...SECOND_SERVICE(OTHER("wild", '"*.example.com"'))],
    ["checks:", FAMILIES(["eu.www.example.com", "us.www.example.com"])],
    [
      "checks:",
      FAMILIES(["eu.www.example.com", "eu.www.example.com"]),
      '23 services[0].families[1].name: the name "eu.www.example.com" is declared twice',
    ],
    [
      "checks:",
      FAMILIES(["eu.example.org"]),
      '23 services[0].families[0].name: "eu.example.org" is not inside zone "example.com"; did you mean "eu.example.com"?',
    ],
    [
      "checks:",
      FAMILIES(["www.example.com", "us.www.example.com"]),
      '23 services[0].families[0].name: family "f0" is named as its service, whose own record leads viewers to the families; a name of its own, such as f0.www.example.com',
    ],
    [
      "checks:",
      "families: [{ id: a, name: a.example.com, viewer: uss, priority: { eu: 1, us: 1 }, capacity: { ap: 3 } }, { id: a, name: b.example.com }]\n    checks:",
      '23 services[0].families[0].viewer: unknown region "uss"; did you mean "us"?',
      "23 services[0].families[0].priority.us: priority 1 is declared twice",
      '23 services[0].families[0].capacity.ap: unknown endpoint "ap"; declared: eu, us',
      '23 services[0].families[1].id: family "a" is declared twice',
    ],
  ],
  [
    "records",
    [
      "A: [192.0.2.2]",
      "AAAA: ['2001:db8::2']",
      "22 services[0].endpoints[1]: publishes AAAA, the endpoint in eu A; every endpoint of a service declares the same types",
    ],
    [
      "A: [192.0.2.2]",
      "A: [192.0.2.2], AAAA: ['2001:db8::2']",
      "22 services[0].endpoints[1]: publishes A and AAAA, the endpoint in eu A; every endpoint of a service declares the same types",
    ],
    ["A: [192.0.2.2]", "A: [192.0.2.2], CNAME: [us.example.net]", "22 services[0].endpoints[1]: CNAME can't stand beside A"],
    [", A: [192.0.2.2]", "", "22 services[0].endpoints[1]: publishes nothing; declare A, AAAA, both, or CNAME alone"],
    ["A: [192.0.2.2]", "A: [192.0.2.256]", '22 services[0].endpoints[1].A[0]: "192.0.2.256" is not an IPv4 address'],
    [
      "A: [192.0.2.2]",
      "A: ['2001:db8::2']",
      '22 services[0].endpoints[1].A[0]: "2001:db8::2" is not an IPv4 address; an IPv6 address goes under AAAA',
    ],
    [
      "A: [192.0.2.2]",
      "A: [us.example.net]",
      '22 services[0].endpoints[1].A[0]: "us.example.net" is not an IPv4 address; a name goes under CNAME, or is an alias',
    ],
    ["A: [192.0.2.2]", "A: [192.0.2.2, 192.0.2.2]", "22 services[0].endpoints[1].A[1]: A 192.0.2.2 is declared twice"],
    ["A: [192.0.2.2]", "A: { alias: { hostedZoneId: ZELB, name: lb.us.example.net } }"],
    [
      "A: [192.0.2.2]",
      "A: { alias: { hostedZoneId: ZONE1, name: www.example.com } }",
      '22 services[0].endpoints[1].A.alias.name: "www.example.com" leads back to itself',
    ],
    [
      "A: [192.0.2.2]",
      "A: { alias: { hostedZoneId: ZONE1, name: lb.example.net } }",
      '22 services[0].endpoints[1].A.alias.name: "lb.example.net" is not inside zone "example.com" (ZONE1)',
    ],
  ],
])("%s", (_, ...rows) => {
  test.each(rows)("%s written as %s", (from, to, ...errors) => {
    expect(testErrors(testText([from, to]))).toEqual(errors);
  });
});

describe("IPv6 and CNAME services", () => {
  const both = (type: string, eu: string, us: string): string =>
    testText(["A: [192.0.2.1]", `${type}: ${eu}`], ["A: [192.0.2.2]", `${type}: ${us}`]);

  test.each([
    ["AAAA", "['2001:db8::1']", "['2001:db8::2']"],
    ["AAAA", "['2001:db8::1']", "['fe80::1%eth0']", '22 services[0].endpoints[1].AAAA[0]: "fe80::1%eth0" is not an IPv6 address'],
    [
      "AAAA",
      "['2001:db8::1']",
      "[192.0.2.2]",
      '22 services[0].endpoints[1].AAAA[0]: "192.0.2.2" is not an IPv6 address; an IPv4 address goes under A',
    ],
    ["CNAME", "[eu.example.net]", "[us.example.net]"],
    [
      "CNAME",
      "[eu.example.net]",
      "[us.example.net.]",
      '22 services[0].endpoints[1].CNAME[0]: "us.example.net." is not a domain name in lower case without final dot',
    ],
    [
      "CNAME",
      "[eu.example.net]",
      "[us.example.net, ap.example.net]",
      "22 services[0].endpoints[1].CNAME: a CNAME has one value, this one 2",
    ],
    [
      "CNAME",
      "[eu.example.net]",
      "[www.example.com]",
      '22 services[0].endpoints[1].CNAME[0]: "www.example.com" leads back to itself',
    ],
    [
      "CNAME",
      "[eu.example.net]",
      "{ alias: { hostedZoneId: ZELB, name: lb.example.net } }",
      "22 services[0].endpoints[1].CNAME.alias.hostedZoneId: an alias of type CNAME leads only into its own zone, ZONE1; A and AAAA aliases may lead elsewhere",
    ],
  ])("%s %s and %s", (type, eu, us, ...errors) => {
    expect(testErrors(both(type, eu, us))).toEqual(errors);
  });

  test("a CNAME can't stand at the top of its zone, where the zone's own records are", () => {
    expect(testErrors(both("CNAME", "[eu.example.net]", "[us.example.net]").replace("www.example.com", "example.com"))).toEqual([
      `17 services[0].name: a CNAME can't stand at the top of zone "example.com"; A and AAAA, with values or an alias`,
    ]);
  });
});

describe("checks have somewhere to go", () => {
  test.each([
    [
      "kind: http",
      "kind: tcp",
      '21 services[0].endpoints[0].targets.api: check "api" has no port to dial in eu; "port" in the check, or targets: { api: "host:port" }',
      '22 services[0].endpoints[1].targets.api: check "api" has no port to dial in us; "port" in the check, or targets: { api: "host:port" }',
    ],
    ["kind: http", "kind: tcp, port: 443"],
    [
      "kind: http }",
      "kind: http }\n      - { id: db, kind: postgres }",
      '21 services[0].endpoints[0].targets.db: check "db" has no address in eu; targets: { db: "host:5432" }',
      '22 services[0].endpoints[1].targets.db: check "db" has no address in us; targets: { db: "host:5432" }',
    ],
    [
      "region: us, A",
      "probe: { address: '127.0.0.1:70000' }, region: us, A",
      "22 services[0].endpoints[1].probe.address: port 70000 is above 65535",
    ],
    [
      "region: us, A",
      "targets: { api: 'x:70000' }, region: us, A",
      "22 services[0].endpoints[1].targets.api: port 70000 is above 65535",
    ],
  ])("%s written as %s", (from, to, ...errors) => {
    expect(testErrors(testText([from, to]))).toEqual(errors);
  });

  test("an address that can't be read is told once, not as missing too", () => {
    const text = testText(
      ["kind: http }", "kind: http }\n      - { id: db, kind: postgres }"],
      ["{ region: eu,", "{ targets: { db: 'db.eu:5432' }, region: eu,"],
      ["{ region: us,", "{ targets: { db: db.us }, region: us,"],
    );
    expect(testErrors(text)).toEqual(['22 services[0].endpoints[1].targets.db: "db.us" is not accepted (address: "host:port")']);
  });

  test("an agent with more checks than its configuration can hold is refused", () => {
    const endpoints = Array.from({ length: 20 }, (_, at) => `{ region: r${at}, A: [192.0.2.${at}] }`).join(", ");
    const checks = Array.from({ length: 20 }, (_, at) => `{ id: c${at}, kind: http }`).join(", ");
    const service = (at: number): string =>
      `  - { id: s${at}, name: s${at}.example.com, zone: example.com, strategy: { kind: round-robin }, endpoints: [${endpoints}], checks: [${checks}] }`;
    const regions = Array.from({ length: 20 }, (_, at) => `  - id: r${at}`).join("\n");
    const text = `regent: 1\nowner: x\nzones: [{ id: Z, name: example.com }]\nregions:\n${regions}\nagents:\n  - { id: a, region: r0, network: n, publicKeys: ["AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="] }\nservices:\n${Array.from({ length: 6 }, (_, at) => service(at)).join("\n")}\n`;
    expect(testErrors(text)).toEqual(['26 agents[0]: agent "a" would have 2400 checks to run, at most 2000 are allowed']);
  });
});

describe("settings that contradict each other", () => {
  test.each([
    [
      "timeoutSeconds: 6",
      "20 services[0].settings.timeoutSeconds: the timeout, 6 s, is longer than the interval, 5 s; timeoutSeconds at most 5",
    ],
    [
      "intervalSeconds: 1, recheckSeconds: 0.5",
      "20 services[0].settings.intervalSeconds: the timeout, 2 s, is longer than the interval, 1 s; timeoutSeconds at most 1",
    ],
    [
      "recheckSeconds: 8",
      "20 services[0].settings.recheckSeconds: the re-check, 8 s, is slower than the interval, 5 s; recheckSeconds at most 5",
    ],
    [
      "holdMinSeconds: 20",
      "20 services[0].settings.holdMinSeconds: the shortest hold, 20 s, is longer than the longest, 15 s; holdMinSeconds at most 15",
    ],
    ["holdMinSeconds: 15"],
    [
      "freshnessSeconds: 12",
      "20 services[0].settings.freshnessSeconds: evidence is stale after 12 s, and can be 12 s old when it arrives (interval + timeout + report): nothing would ever be known; freshnessSeconds above 12",
    ],
    [
      "reportSeconds: 30",
      "20 services[0].settings.reportSeconds: evidence is stale after 17 s, and can be 37 s old when it arrives (interval + timeout + report): nothing would ever be known; freshnessSeconds above 37",
    ],
    [
      "intervalSeconds: 0",
      "20 services[0].settings.intervalSeconds: intervalSeconds is 0, it must lie between 0.01 and 3600",
      "20 services[0].settings.intervalSeconds: the timeout, 2 s, is longer than the interval, 0 s; timeoutSeconds at most 0",
      "20 services[0].settings.intervalSeconds: the re-check, 1 s, is slower than the interval, 0 s; recheckSeconds at most 0",
    ],
    ["reportSeconds: 0.05", "20 services[0].settings.reportSeconds: reportSeconds is 0.05, it must lie between 0.1 and 600"],
    [
      "dampingHalfLifeSeconds: 0",
      "20 services[0].settings.dampingHalfLifeSeconds: penalties need a half-life above 0; dampingSuppress: null suppresses nothing",
    ],
    [
      "dampingReuse: 2000",
      "20 services[0].settings.dampingReuse: dampingReuse, 2000, is not below dampingSuppress, 2000; dampingReuse below 2000",
    ],
    ["dampingSuppress: null, dampingReuse: 5000"],
    [
      "rampSeconds: 30",
      "20 services[0].settings.rampSeconds: a return of 30 s has no room for steps of 60 s; rampSeconds: 0 returns at once; otherwise at least two steps long",
    ],
    ["rampSeconds: 0"],
    [
      "rampStepSeconds: 0",
      "20 services[0].settings.rampStepSeconds: a return of 600 s has no room for steps of 0 s; rampSeconds: 0 returns at once; otherwise at least two steps long",
    ],
    ["fall: 0", "20 services[0].settings.fall: 0 must be at least 1"],
    [
      "holdMin: 3",
      '20 services[0].settings.holdMin: unknown key "holdMin"; known here: intervalSeconds, recheckSeconds, timeoutSeconds, fall, clear, rise, holdMinSeconds, holdMaxSeconds, reportSeconds, freshnessSeconds, softSeconds, healSeconds, recoverSeconds, stableHoldSeconds, rampSeconds, rampStepSeconds, cooldownSeconds, panicHoldSeconds, failedReturnSeconds, escalationSeconds, dampingHalfLifeSeconds, dampingSuppress, dampingReuse',
    ],
  ])("%s", (settings, ...errors) => {
    expect(testErrors(testText(["    endpoints:", `    settings: { ${settings} }\n    endpoints:`]))).toEqual(errors);
  });

  test.each([
    ["latencyCritMs: 1999"],
    [
      "latencyCritMs: 2000",
      "24 services[0].checks[0].latencyCritMs: latencyCritMs, 2000, can never be reached: the probe ends after 2000 ms; below 2000, or a longer timeoutSeconds",
    ],
    [
      "latencyWarnMs: 900, latencyCritMs: 800",
      "24 services[0].checks[0].latencyWarnMs: latencyWarnMs, 900, is above latencyCritMs, 800",
    ],
  ])("%s", (latency, ...errors) => {
    expect(testErrors(testText(["kind: http", `kind: http, ${latency}`]))).toEqual(errors);
  });
});
