/** What the sandbox process is told at its start: a JSON file named by REGENT_SANDBOX_CONFIG. Written by whoever supervises it. */
import * as z from "zod";
import { SandboxAgentId, SandboxRegionId, SandboxVantage } from "./faults.ts";
import { Propagation, RateLimit } from "./route53/index.ts";
import { SandboxPorts } from "./sandbox-state.ts";

const Port = z.int().min(1).max(65_535);
const PortOrFree = z.int().min(0).max(65_535);
const Path = z.string().startsWith("/").max(1_000);

const RegionEntry = z.strictObject({
  id: SandboxRegionId,
  /** Ports of 127.0.0.1. 0 only where the sandbox starts the regions itself. */
  apiPort: PortOrFree,
  databasePort: PortOrFree,
  controlPort: PortOrFree,
  /** Documentation address (RFC 5737) that DNS answers name; port 80 of it is the region's API for native health checks. */
  publishedAddress: z.ipv4(),
  /** Of its half of a pair of databases. Two regions have one, or none does. */
  pairPort: Port.optional(),
  /** Of the role regent_probe; needed only where the sandbox starts the regions itself, and made up when left out. */
  probePassword: z.string().min(8).max(200).optional(),
});

const AgentEntry = z.strictObject({ id: SandboxAgentId, vantage: SandboxVantage });

const Config = z.strictObject({
  /** Absolute folder of the sandbox: Route 53's journal, and the regions' folders where it starts them. */
  dataDir: Path,
  /** File that holds the home's token; the control port wants it, and the regions' control ports take it. */
  tokenFile: Path,
  /** Zone names to make at first start, without last dot. */
  zones: z.array(z.string().min(1).max(253)).min(1).max(32),
  /** Keys that may sign Route 53 calls. */
  credentials: z
    .array(z.object({ accessKeyId: z.string().min(1).max(128), secretAccessKey: z.string().min(1).max(256) }))
    .min(1)
    .max(16),
  regions: z.array(RegionEntry).min(1).max(20),
  /** Where agents stand, as region/network; one of a region that has no endpoint is a witness. */
  vantages: z.array(SandboxVantage).max(64),
  /** Agents of the vantages; left out, each vantage has one, named `<region>-<network>`. */
  agents: z.array(AgentEntry).max(64).optional(),
  controlPlane: z.strictObject({ host: z.literal("127.0.0.1").default("127.0.0.1"), port: Port }),
  /** Of 127.0.0.1; 0 or absent chooses a free one, shown in the ready line. */
  ports: z
    .strictObject({
      control: PortOrFree.default(0),
      route53: PortOrFree.default(0),
      nameServers: z.array(PortOrFree).min(1).max(8).default([0, 0, 0, 0]),
      resolver: PortOrFree.default(0),
      /** By vantage, then by target. */
      links: z.record(SandboxVantage, z.record(z.string(), PortOrFree)).default({}),
    })
    .prefault({}),
  /** How much faster than the real 10 or 30 s native health checks run; 10 makes 10 s into 1 s. */
  healthCheckTimeScale: z.number().min(0.1).max(1_000).default(10),
  /** From accepted change to each name server's answer, in ms. */
  propagation: Propagation.default({ minMs: 50, maxMs: 300 }),
  /** How long a resolver remembers that a name isn't there. The real 900 s would hide a name's first write for a quarter of an hour. */
  negativeTtlSeconds: z.int().min(0).max(86_400).default(5),
  /** Of the Route 53 API; absent: none. The real account's numbers are 5 a second, burst 10. */
  rateLimit: RateLimit.optional(),
  /** Whether the sandbox starts and stops the region processes itself; by default a supervisor does. */
  spawnRegions: z.boolean().default(false),
});

export const SandboxConfig = Config.check((context) => {
  const { regions, vantages, agents = [], spawnRegions } = context.value;
  const say = (path: (string | number)[], message: string): void => {
    context.issues.push({ code: "custom", path, message, input: context.value });
  };
  for (const [index, { id }] of regions.entries()) {
    if (regions.findIndex((other) => other.id === id) < index) say(["regions", index, "id"], `region ${id} is declared twice`);
  }
  for (const [index, vantage] of vantages.entries()) {
    if (vantages.indexOf(vantage) < index) say(["vantages", index], `vantage ${vantage} is declared twice`);
  }
  for (const [index, agent] of agents.entries()) {
    if (!vantages.includes(agent.vantage)) say(["agents", index, "vantage"], `vantage ${agent.vantage} is not declared`);
  }
  const halves = regions.filter(({ pairPort }) => pairPort !== undefined);
  if (halves.length !== 0 && halves.length !== 2) say(["regions"], `a pair has two halves, and ${halves.length} are declared`);
  if (halves.length > 0 && spawnRegions) say(["spawnRegions"], "a pair needs regions that a supervisor starts");
  if (spawnRegions) return;
  for (const [index, region] of regions.entries()) {
    for (const name of ["apiPort", "databasePort", "controlPort"] as const) {
      if (region[name] === 0) say(["regions", index, name], "must be a fixed port, as another process opens it");
    }
  }
});
export type SandboxConfig = z.infer<typeof SandboxConfig>;
/** As a supervisor may write it: fields with a default may be left out. */
export type SandboxConfigFile = z.input<typeof SandboxConfig>;

/** The one JSON line the sandbox prints on stdout when everything listens. */
export const SandboxReady = z.object({
  ready: z.literal(true),
  ports: SandboxPorts,
  /** Hosted zone ids by zone name as configured. */
  zoneIds: z.record(z.string(), z.string()),
  /** Port of 127.0.0.1 that a vantage dials for a target: by vantage, then by target. */
  links: z.record(z.string(), z.record(z.string(), z.int())),
  regions: z.array(z.object({ id: SandboxRegionId, apiPort: Port, databasePort: Port, controlPort: Port })),
  pid: z.int(),
});
export type SandboxReady = z.infer<typeof SandboxReady>;

/** The agents of a configuration: those it names, or one for each vantage. */
export const agentsOf = ({ agents, vantages }: SandboxConfig): readonly { readonly id: string; readonly vantage: string }[] =>
  agents ?? vantages.map((vantage) => ({ id: vantage.replace("/", "-"), vantage }));
