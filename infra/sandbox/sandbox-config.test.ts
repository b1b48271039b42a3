import { expect, test } from "vitest";
import { agentsOf, SandboxConfig, type SandboxConfigFile } from "./sandbox-config.ts";

const file: SandboxConfigFile = {
  dataDir: "/home/somebody/.regent/sandbox",
  tokenFile: "/home/somebody/.regent/token",
  zones: ["example.test"],
  credentials: [{ accessKeyId: "SANDBOX", secretAccessKey: "secret" }],
  regions: [{ id: "eu-west", apiPort: 8001, databasePort: 8002, controlPort: 8003, publishedAddress: "192.0.2.10" }],
  vantages: ["eu-west/net-a", "eu-west/net-b"],
  controlPlane: { port: 8000 },
};

const complaints = (changed: object): string[] => {
  const parsed = SandboxConfig.safeParse({ ...file, ...changed });
  return parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
};

test("what a supervisor leaves out has a default", () => {
  const config = SandboxConfig.parse(file);
  expect(config.ports).toEqual({ control: 0, route53: 0, nameServers: [0, 0, 0, 0], resolver: 0, links: {} });
  expect(config).toMatchObject({ spawnRegions: false, healthCheckTimeScale: 10, negativeTtlSeconds: 5 });
});

test("each vantage has one agent, unless agents are named", () => {
  expect(agentsOf(SandboxConfig.parse(file))).toEqual([
    { id: "eu-west-net-a", vantage: "eu-west/net-a" },
    { id: "eu-west-net-b", vantage: "eu-west/net-b" },
  ]);
  const named = [{ id: "first", vantage: "eu-west/net-a" }];
  expect(agentsOf(SandboxConfig.parse({ ...file, agents: named }))).toEqual(named);
});

test("everything wrong is said at once, with its place", () => {
  const region = file.regions[0];
  expect(
    complaints({
      regions: [region, region],
      vantages: ["eu-west/net-a", "eu-west/net-a"],
      agents: [{ id: "lost", vantage: "mars/net-a" }],
    }),
  ).toEqual([
    "regions.1.id: region eu-west is declared twice",
    "vantages.1: vantage eu-west/net-a is declared twice",
    "agents.0.vantage: vantage mars/net-a is not declared",
  ]);
});

test("a port may be left to chance only where the sandbox starts the regions", () => {
  const regions = [{ ...file.regions[0], controlPort: 0 }];
  expect(complaints({ regions })).toEqual(["regions.0.controlPort: must be a fixed port, as another process opens it"]);
  expect(complaints({ regions, spawnRegions: true })).toEqual([]);
});

test("a control plane elsewhere than on this machine is refused", () => {
  expect(complaints({ controlPlane: { host: "10.0.0.1", port: 80 } })).toHaveLength(1);
});

test("a pair has two halves, in regions that a supervisor starts", () => {
  const half = { ...file.regions[0], pairPort: 8004 };
  const other = { ...half, id: "us-east", pairPort: 8005 };
  expect(complaints({ regions: [half, other] })).toEqual([]);
  expect(complaints({ regions: [half] })).toEqual(["regions: a pair has two halves, and 1 are declared"]);
  expect(complaints({ regions: [half, other], spawnRegions: true })).toEqual([
    "spawnRegions: a pair needs regions that a supervisor starts",
  ]);
});
