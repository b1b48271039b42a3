import { AgentConfiguration } from "@regent/contract";
import { describe, expect, test } from "vitest";
import { EXAMPLE_TEXT, testDeclaration, testText } from "./testing/example.ts";
import { toAgentConfiguration } from "./to-agent-configuration.ts";

const GIVEN = { version: 7, issuedAt: 1_000 };

const configurationOf = (agent: string, text: string) => {
  const configuration = toAgentConfiguration(testDeclaration(text).declaration, agent, GIVEN);
  if (configuration === null) throw new Error(`${agent} isn't declared.`);
  return configuration;
};

const targetsOf = (agent: string, text: string): string[] => configurationOf(agent, text).assignments.map(({ target }) => target);
const probesOf = (text: string) => configurationOf("eu-a", text).assignments.map(({ probe }) => probe);

test("an agent is told who it is, whom it reports to and what to probe, as the contract says", () => {
  const configuration = configurationOf("eu-a", testText());
  expect(AgentConfiguration.parse(configuration)).toEqual(configuration);
  expect(configuration).toMatchObject({
    agent: "eu-a",
    region: "eu",
    network: "a",
    aud: "small/v1/reports",
    version: 7,
    issuedAt: 1_000,
    reportIntervalMs: 5_000,
  });
  expect(configuration.assignments[0]).toEqual({
    target: "www/eu/api",
    cadence: { intervalMs: 5_000, recheckMs: 1_000, timeoutMs: 2_000, fall: 3, clear: 3, rise: 2 },
    probe: {
      kind: "http",
      address: "192.0.2.1:80",
      host: "www.example.com",
      tls: false,
      path: "/",
      codes: ["200-399"],
      onSlow: "degrade",
    },
  });
});

test("every agent of the documented example has a configuration that the contract takes", () => {
  const { declaration } = testDeclaration(EXAMPLE_TEXT);
  for (const { id } of declaration.agents) {
    const configuration = toAgentConfiguration(declaration, id, GIVEN);
    expect(AgentConfiguration.parse(configuration)).toEqual(configuration);
  }
});

test("an agent that isn't declared has none", () => {
  expect(toAgentConfiguration(testDeclaration(EXAMPLE_TEXT).declaration, "nobody", GIVEN)).toBeNull();
});

describe("who runs which check", () => {
  const text = testText([
    "kind: http }",
    "kind: http }\n      - { id: in, kind: http, from: inside }\n      - { id: out, kind: http, from: outside }",
  ]);
  test.each([
    ["eu-a", ["www/eu/api", "www/eu/in", "www/us/api", "www/us/out"]],
    ["us-b", ["www/eu/api", "www/eu/out", "www/us/api", "www/us/in"]],
    ["ap-a", ["www/eu/api", "www/eu/out", "www/us/api", "www/us/out"]],
  ])("%s, in declared order", (agent, targets) => {
    expect(targetsOf(agent, text)).toEqual(targets);
  });
});

describe("where a check is dialled", () => {
  const address = (...replacements: readonly (readonly [string, string])[]) => {
    const [probe] = probesOf(testText(...replacements));
    return probe?.kind === "http" ? [probe.address, probe.host] : [probe?.address];
  };
  const alias = "A: { alias: { hostedZoneId: ZELB, name: lb.example.net } }";
  const v6 = [
    ["A: [192.0.2.1]", "AAAA: ['2001:db8::1']"],
    ["A: [192.0.2.2]", "AAAA: ['2001:db8::2']"],
  ] as const;

  test.each([
    ["the published value", [], ["192.0.2.1:80", "www.example.com"]],
    ["with TLS", [["kind: http", "kind: http, tls: true"]], ["192.0.2.1:443", "www.example.com"]],
    ["at the check's port", [["kind: http", "kind: http, port: 8080"]], ["192.0.2.1:8080", "www.example.com"]],
    ["under another host name", [["kind: http", "kind: http, host: api.internal"]], ["192.0.2.1:80", "api.internal"]],
    ["an IPv6 value", v6, ["[2001:db8::1]:80", "www.example.com"]],
    ["an alias by its name", [["A: [192.0.2.1]", alias]], ["lb.example.net:80", "www.example.com"]],
    [
      "the probe address",
      [["{ region: eu", "{ probe: { address: '127.0.0.1:9' }, region: eu"]],
      ["127.0.0.1:9", "www.example.com"],
    ],
    [
      "the check's own target, before the probe address and under its own name",
      [["{ region: eu", "{ targets: { api: 'api.eu:81' }, probe: { address: '127.0.0.1:9' }, region: eu"]],
      ["api.eu:81", undefined],
    ],
    ["tcp", [["kind: http", "kind: tcp, port: 5"]], ["192.0.2.1:5"]],
    [
      "a wildcard, which has no name of its own to ask for",
      [
        ["name: www.", 'name: "*.'],
        ["example.com\n    zone", 'example.com"\n    zone'],
      ],
      ["192.0.2.1:80", undefined],
    ],
  ] as const)("%s", (_, replacements, expected) => {
    expect(address(...replacements)).toEqual(expected);
  });

  test("the region header's placeholder is the region that is probed", () => {
    const probes = probesOf(testText(["kind: http", 'kind: http, regionHeader: { name: x-region, value: "r-{region}" }']));
    expect(probes.map((probe) => probe.kind === "http" && probe.regionHeader?.value)).toEqual(["r-eu", "r-us"]);
  });
});

test("an agent reports as often as its most demanding service wants, else as the profile says", () => {
  const second =
    "  - { id: b, name: b.example.com, zone: example.com, profile: sandbox, strategy: { kind: round-robin }, endpoints: [{ region: eu, A: [192.0.2.9] }], checks: [{ id: t, kind: tcp, port: 1, from: outside }] }";
  const text = testText(["services:\n", `services:\n${second}\n`]);
  expect(configurationOf("us-a", text).reportIntervalMs).toBe(1_000);
  expect(configurationOf("eu-a", text).reportIntervalMs).toBe(5_000);
  const idle = `${testText().slice(0, testText().indexOf("services:"))}profile: careful\n`;
  expect(configurationOf("eu-a", idle)).toMatchObject({ reportIntervalMs: 10_000, assignments: [] });
});
